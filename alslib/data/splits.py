"""Lesson 1: honest ways to hold ratings back.

Every split marks ratings once and builds both views of each part from that one mask, so no rating
can be a test rating for a user and a training rating for the movie. All parts share ids, indices
and scale.
"""

from collections.abc import Iterator

import numpy as np

from alslib import kernels
from alslib._params import check_integer
from alslib.data.ratings import Ratings, check_ratings


def train_test_split(
    ratings: Ratings, test_fraction: float = 0.2, random_state: int | np.random.Generator = 0
) -> tuple[Ratings, Ratings]:
    """Hold back a share of every user's ratings.

    Of a user's n ratings, ``test_fraction * n`` are drawn, rounded, but at least one and at most
    n − 1: every user with two ratings or more is in both halves. A user with one rating stays in
    the training half.

    Parameters
    ----------
    ratings : Ratings
    test_fraction : float
        Between 0 and 1, both excluded.
    random_state : int or numpy.random.Generator

    Returns
    -------
    train, test : Ratings
        Together exactly the given ratings.

    Raises
    ------
    TypeError, ValueError
        If these are not ratings, the fraction is out of range, or no user has two ratings.
    """
    check_ratings(ratings)
    _check_fraction("test_fraction", test_fraction)
    counts = ratings.user_counts
    n_wanted = np.maximum(np.rint(test_fraction * counts).astype(np.int64), 1)
    n_wanted = np.minimum(n_wanted, np.maximum(counts - 1, 0))
    if not n_wanted.any():
        raise ValueError("no user has two ratings: there is nothing to hold back")
    rng = np.random.default_rng(random_state)
    uniforms = rng.random(ratings.n_ratings, dtype=np.float32)
    held_back = np.empty(ratings.n_ratings, dtype=np.bool_)
    kernels.rows.sample_per_row(ratings.by_user.indptr, n_wanted, uniforms, held_back)
    return ratings.select(~held_back), ratings.select(held_back)


def train_validation_test_split(
    ratings: Ratings,
    validation_fraction: float = 0.1,
    test_fraction: float = 0.2,
    random_state: int | np.random.Generator = 0,
) -> tuple[Ratings, Ratings, Ratings]:
    """Hold back two shares of every user's ratings: one to choose with, one to report on.

    The test half is drawn first, exactly as `train_test_split` draws it for the same
    ``random_state``; the validation part is then drawn from the rest.

    Parameters
    ----------
    ratings : Ratings
    validation_fraction, test_fraction : float
        Shares of all ratings; each above 0, together below 1.
    random_state : int or numpy.random.Generator

    Returns
    -------
    train, validation, test : Ratings

    Raises
    ------
    ValueError
        If a fraction is out of range or the users have too few ratings.
    """
    _check_fraction("validation_fraction", validation_fraction)
    _check_fraction("validation_fraction + test_fraction", validation_fraction + test_fraction)
    rng = np.random.default_rng(random_state)
    rest, test = train_test_split(ratings, test_fraction, rng)
    train, validation = train_test_split(rest, validation_fraction / (1 - test_fraction), rng)
    return train, validation, test


def leave_items_out_split(
    ratings: Ratings, fraction: float = 0.1, random_state: int | np.random.Generator = 0
) -> tuple[Ratings, Ratings]:
    """Hold back all ratings of some items, as if these had come out today: the cold start.

    Parameters
    ----------
    ratings : Ratings
    fraction : float
        Share of the rated items to hold back, rounded, at least one; between 0 and 1, both
        excluded.
    random_state : int or numpy.random.Generator

    Returns
    -------
    train, held_out : Ratings
        No item has ratings in both. A user can be without ratings in either.

    Raises
    ------
    ValueError
        If the fraction is out of range or fewer than two items are rated.
    """
    check_ratings(ratings)
    _check_fraction("fraction", fraction)
    rated = np.flatnonzero(ratings.item_counts)
    if len(rated) < 2:
        raise ValueError("only one item is rated: there is nothing to hold out")
    n_out = min(max(round(fraction * len(rated)), 1), len(rated) - 1)
    rng = np.random.default_rng(random_state)
    out = np.zeros(ratings.n_items, dtype=np.bool_)
    out[rng.choice(rated, size=n_out, replace=False)] = True
    held_out = out[ratings.by_user.indices]
    return ratings.select(~held_out), ratings.select(held_out)


def k_fold(
    ratings: Ratings, n_folds: int = 5, random_state: int | np.random.Generator = 0
) -> Iterator[tuple[Ratings, Ratings]]:
    """Deal all ratings at random into folds and hold back each fold in turn.

    The folds ignore who rated what, as published comparisons do; a user or a movie may be missing
    from a training part.

    Parameters
    ----------
    ratings : Ratings
    n_folds : int
        At least 2, at most the number of ratings; fold sizes differ by one rating at most.
    random_state : int or numpy.random.Generator

    Returns
    -------
    iterator of (train, test)
        Each a `Ratings`; built when asked for.

    Raises
    ------
    TypeError, ValueError
        If these are not ratings, or the number of folds is no integer or out of range.
    """
    check_ratings(ratings)
    check_integer("n_folds", n_folds, least=2)
    if n_folds > ratings.n_ratings:
        raise ValueError(f"n_folds must be at most {ratings.n_ratings} ratings, got {n_folds}")
    rng = np.random.default_rng(random_state)
    fold_of = rng.permutation(np.arange(ratings.n_ratings) % n_folds)
    return (
        (ratings.select(fold_of != fold), ratings.select(fold_of == fold))
        for fold in range(n_folds)
    )


def _check_fraction(name: str, fraction: float) -> None:
    if not 0 < fraction < 1:
        raise ValueError(f"{name} must lie between 0 and 1, got {fraction}")
