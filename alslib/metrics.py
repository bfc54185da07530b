"""Lesson 3: how far off are the predictions? Lesson 8: how good are the lists?"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from alslib._params import check_integer
from alslib.data.ids import as_ids, index_ids, look_up, refuse_masked
from alslib.data.ratings import Ratings, check_ratings


def rmse(actual: ArrayLike, predicted: ArrayLike) -> float:
    """Root mean squared error: √(mean of (actual − predicted)²).

    Parameters
    ----------
    actual, predicted : array_like of shape (n,), n ≥ 1
        In stars.

    Returns
    -------
    float
        In stars.

    Raises
    ------
    TypeError
        If something else than numbers is compared.
    ValueError
        If the shapes differ, there is nothing to compare, or a number is NaN, infinite or masked.
    """
    return float(np.sqrt(np.mean(_errors(actual, predicted) ** 2)))


def mae(actual: ArrayLike, predicted: ArrayLike) -> float:
    """Mean absolute error: mean of the distances between actual and predicted.

    Parameters, result and errors are those of `rmse`.
    """
    return float(np.mean(np.abs(_errors(actual, predicted))))


def precision_at_k(
    recommended: Sequence[ArrayLike], relevant: Sequence[ArrayLike], k: int = 10
) -> float:
    """Mean share of the first k places that hold a relevant item.

    Parameters
    ----------
    recommended : sequence of array_like of ids
        One list a user, best first. Places beyond the end of a short list count as misses.
    relevant : sequence of array_like of ids
        For each of the same users the items that count as hits, such as the held-back favourites.
        Users without any are left out of the mean.
    k : int
        Length of the lists that are judged; at least 1.

    Returns
    -------
    float
        Between 0 and 1.

    Raises
    ------
    TypeError
        If ids are neither all integers nor all strings, or one side has integers and the other
        strings, or k is no integer.
    ValueError
        If k is below 1, the numbers of users differ, no user has a relevant item, or a list names
        an item twice.

    References
    ----------
    Herlocker, Konstan, Terveen and Riedl, "Evaluating collaborative filtering recommender systems",
    ACM Transactions on Information Systems 22(1), 2004.
    """
    return float(np.mean(_judge(recommended, relevant, k).hits.mean(axis=1)))


def recall_at_k(
    recommended: Sequence[ArrayLike], relevant: Sequence[ArrayLike], k: int = 10
) -> float:
    """Mean share of a user's relevant items that the first k places hold.

    A user with more than k relevant items cannot reach 1. Parameters, errors and source are those
    of `precision_at_k`.
    """
    judged = _judge(recommended, relevant, k)
    return float(np.mean(judged.hits.sum(axis=1) / judged.n_relevant))


def ndcg_at_k(
    recommended: Sequence[ArrayLike], relevant: Sequence[ArrayLike], k: int = 10
) -> float:
    """Mean normalised discounted cumulative gain: hits count more the higher they stand.

    A hit at place i gains 1 / log2(i + 1); the sum is divided by that of the best possible list,
    which has hits at its first min(k, number of relevant items) places. Parameters and errors are
    those of `precision_at_k`.

    References
    ----------
    Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques", ACM Transactions
    on Information Systems 20(4), 2002, with gains of 0 and 1.
    """
    judged = _judge(recommended, relevant, k)
    gains = 1 / np.log2(np.arange(2, k + 2))
    ideal = np.cumsum(gains)[np.minimum(judged.n_relevant, k) - 1]
    return float(np.mean(judged.hits @ gains / ideal))


def catalogue_coverage(recommended: Sequence[ArrayLike], catalogue: ArrayLike) -> float:
    """Share of the catalogue's items that are in at least one list.

    Parameters
    ----------
    recommended : sequence of array_like of ids
        One list a user.
    catalogue : array_like of ids
        Every item that could be recommended, each once.

    Raises
    ------
    TypeError
        If ids are neither all integers nor all strings, or not of the catalogue's kind.
    ValueError
        If there are no lists or no catalogue, a list or the catalogue names an item twice, or a
        list names an item that the catalogue lacks.
    """
    catalogue = _distinct(as_ids(catalogue, "catalogue ids"), "the catalogue")
    if not len(catalogue):
        raise ValueError("the catalogue is empty")
    catalogue, _ = index_ids(catalogue)
    found = _look_up_all(catalogue, recommended)
    if (found < 0).any():
        raise ValueError(f"{np.sum(found < 0)} recommended items are not in the catalogue")
    return len(np.unique(found)) / len(catalogue)


def novelty(recommended: Sequence[ArrayLike], ratings: Ratings) -> float:
    """Mean surprise of the recommended items, in bits: −log2(share of users who rated the item).

    Users without ratings are not counted.

    Parameters
    ----------
    recommended : sequence of array_like of ids
        One list a user.
    ratings : Ratings
        Who has rated what; an item that nobody rated counts as rated once.

    Returns
    -------
    float
        0 if every such user has rated every recommended item; 1 more each time half as many have.

    Raises
    ------
    TypeError
        If ids are neither all integers nor all strings, or not of the kind of the ratings.
    ValueError
        If no item is recommended, a list names an item twice, or an item is unknown.

    References
    ----------
    Zhou et al., "Solving the apparent diversity-accuracy dilemma of recommender systems",
    Proceedings of the National Academy of Sciences 107(10), 2010 (surprisal).
    """
    check_ratings(ratings)
    found = _look_up_all(ratings.item_ids, recommended)
    if not len(found):
        raise ValueError("no item is recommended")
    if (found < 0).any():
        raise ValueError(f"{np.sum(found < 0)} recommended items are unknown to these ratings")
    counts = np.maximum(ratings.item_counts[found], 1)
    return float(np.mean(np.log2(ratings.n_raters / counts)))


class _Judged(NamedTuple):
    hits: np.ndarray  # bool, shape (n_users, k): whether a place holds a relevant item
    n_relevant: np.ndarray  # int, shape (n_users,), each at least 1


def _judge(recommended, relevant, k) -> _Judged:
    """Compare lists for the users who have something to find."""
    check_integer("k", k, least=1)
    lists, favourites = _lists(recommended, "recommended"), _lists(relevant, "relevant")
    if len(lists) != len(favourites):
        raise ValueError(f"{len(lists)} recommended lists, but relevant items of {len(favourites)}")
    if len(kinds := _kinds(lists) | _kinds(favourites)) > 1:
        raise TypeError(f"recommended and relevant ids must be of one kind, not {kinds}")
    pairs = [pair for pair in zip(lists, favourites, strict=True) if len(pair[1])]
    if not pairs:
        raise ValueError("no user has a relevant item: there is nothing to find")
    hits = np.zeros((len(pairs), k), np.bool_)
    for row, (ids, good) in zip(hits, pairs, strict=True):
        wanted = set(good.tolist())
        row[: len(ids[:k])] = [item in wanted for item in ids[:k].tolist()]
    return _Judged(hits, np.array([len(good) for _, good in pairs]))


def _look_up_all(known, recommended) -> np.ndarray:
    """Return the index among the known ids of every recommended item, -1 where there is none."""
    lists = [ids for ids in _lists(recommended, "recommended") if len(ids)]
    return look_up(known, np.concatenate(lists), "recommended ids") if lists else np.zeros(0, int)


def _lists(lists, name: str) -> list[np.ndarray]:
    if not len(lists):
        raise ValueError(f"{name} is empty: one list a user, please")
    if any(np.ndim(ids) != 1 for ids in lists):
        raise ValueError(f"{name} must hold one list of ids a user, not single ids")
    arrays = [_distinct(as_ids(ids, f"{name} ids"), f"{name}[{u}]") for u, ids in enumerate(lists)]
    if len(kinds := _kinds(arrays)) > 1:
        raise TypeError(f"{name} ids must be of one kind, not {kinds}")
    return arrays


def _kinds(arrays) -> set[str]:
    """Return what kinds of ids there are; an empty list has none."""
    return {"integers" if ids.dtype.kind == "i" else "strings" for ids in arrays if len(ids)}


def _distinct(ids, name: str) -> np.ndarray:
    if n_repeats := len(ids) - len(set(ids.tolist())):
        raise ValueError(f"{name} names an item twice: {n_repeats} repeats")
    return ids


def _errors(actual, predicted) -> np.ndarray:
    for name, values in {"actual": actual, "predicted": predicted}.items():
        refuse_masked(values, f"{name} ratings")
        kind = np.asarray(values).dtype.kind
        if kind not in "iuf":
            raise TypeError(f"{name} must be numbers, got {np.asarray(values).dtype}")
    # Subtracting float32 ratings in float32 would round errors of a thousandth of a star.
    actual, predicted = np.asarray(actual, np.float64), np.asarray(predicted, np.float64)
    if actual.shape != predicted.shape:
        raise ValueError(f"shapes differ: actual {actual.shape}, predicted {predicted.shape}")
    if actual.size == 0:
        raise ValueError("there is nothing to compare")
    errors = actual - predicted
    if not np.isfinite(errors).all():
        raise ValueError(f"{np.sum(~np.isfinite(errors))} of {errors.size} errors are not finite")
    return errors
