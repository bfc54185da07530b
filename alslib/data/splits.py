"""Lesson 1: honest ways to hold ratings back.

Every split marks ratings once and builds both views of each part from that one mask, so no rating
can be a test rating for a user and a training rating for the movie. All parts share ids, indices
and scale. What others have split is brought under one index by `share_index`.
"""

from collections.abc import Iterator
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike

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
    if np.count_nonzero(ratings.item_counts) < 2:
        raise ValueError("only one item is rated: there is nothing to hold out")
    out = _some_of_the_rated(ratings.item_counts, fraction, np.random.default_rng(random_state))
    held_out = out[ratings.by_user.indices]
    return ratings.select(~held_out), ratings.select(held_out)


def leave_users_out_split(
    ratings: Ratings,
    fraction: float = 0.2,
    n_known: ArrayLike = 10,
    random_state: int | np.random.Generator = 0,
) -> tuple[Ratings, Ratings | None, Ratings]:
    """Take some users out, as if they were new, and reveal a few ratings of each.

    Parameters
    ----------
    ratings : Ratings
    fraction : float
        Share of the users with ratings to take out, rounded, at least one; between 0 and 1, both
        excluded.
    n_known : int or sequence of int
        How many ratings of each to reveal, drawn at random; at least 0. Of a sequence each user
        gets one number by lot.
    random_state : int or numpy.random.Generator

    Returns
    -------
    train : Ratings
        Of the others.
    known : Ratings or None
        What is revealed; None if that is nothing.
    hidden : Ratings
        The rest. Who has no more than is revealed has nothing hidden.

    Raises
    ------
    TypeError, ValueError
        If these are not ratings, a number is out of range, fewer than two users have ratings, or
        nothing is hidden.

    References
    ----------
    Marlin, "Collaborative filtering: a machine learning perspective", University of Toronto, 2004:
    *strong generalization*.
    """
    check_ratings(ratings)
    _check_fraction("fraction", fraction)
    n_known = np.atleast_1d(np.asarray(n_known))
    if n_known.dtype.kind not in "iu" or n_known.ndim != 1:
        raise TypeError(f"n_known must be one integer or a list of them, got {n_known!r}")
    if not len(n_known) or n_known.min() < 0:
        raise ValueError(f"n_known must be at least 0, got {n_known.tolist()}")
    counts = ratings.user_counts
    if np.count_nonzero(counts) < 2:
        raise ValueError("only one user has ratings: nobody can be taken out")
    rng = np.random.default_rng(random_state)
    new = _some_of_the_rated(counts, fraction, rng)
    n_revealed = np.where(new, np.minimum(rng.choice(n_known, ratings.n_users), counts), 0)
    uniforms = rng.random(ratings.n_ratings, dtype=np.float32)
    revealed = np.empty(ratings.n_ratings, dtype=np.bool_)
    kernels.rows.sample_per_row(ratings.by_user.indptr, n_revealed, uniforms, revealed)
    theirs = np.repeat(new, counts)
    if not (theirs & ~revealed).any():
        raise ValueError("all ratings of those taken out are revealed: nothing is hidden")
    known = ratings.select(revealed) if revealed.any() else None
    return ratings.select(~theirs), known, ratings.select(theirs & ~revealed)


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


def time_split(
    ratings: Ratings,
    validation_fraction: float = 0.1,
    test_fraction: float = 0.2,
    *,
    per_user: bool = False,
) -> tuple[Ratings, Ratings, Ratings]:
    """Hold back what came last: predict later ratings from earlier ones, as a system in use has to.

    The last ratings are for the test, those before them for validation. By default there is one cut
    for all: no training rating is later than a validation rating, and none of these later than a
    test rating. Users and items of the later parts can be without training ratings, as in life.

    To cut at a date of your own compare times: ``ratings.select(ratings.times < date)``.

    Parameters
    ----------
    ratings : Ratings
        With times: ``Ratings.from_frame(frame, time="timestamp")``, say.
    validation_fraction, test_fraction : float
        Shares of all ratings; each above 0, together below 1. Ratings of the same moment stay
        together, in the earlier part.
    per_user : bool
        Cut the ratings of each user by themselves. The shares are rounded, but a user with three
        ratings or more has at least one in each part; with fewer all stay in training. Ratings of
        the same moment are taken in the order of the item ids. Mind that training ratings know here
        what others did later.

    Returns
    -------
    train, validation, test : Ratings
        Together exactly the given ratings.

    Raises
    ------
    TypeError, ValueError
        If these are not ratings, have no times, a fraction is out of range, or a part would be
        empty.

    References
    ----------
    Meng, McCreadie, Macdonald and Ounis, "Exploring data splitting strategies for the evaluation of
    recommendation models", RecSys 2020.
    """
    check_ratings(ratings)
    if ratings.times is None:
        raise ValueError(
            "these ratings have no times: give them, as in Ratings(users, items, values, "
            'times=...) or Ratings.from_frame(frame, time="timestamp")'
        )
    _check_fraction("validation_fraction", validation_fraction)
    _check_fraction("test_fraction", test_fraction)
    _check_fraction("validation_fraction + test_fraction", validation_fraction + test_fraction)
    part_of = _part_of_each if per_user else _part_of_all
    part = part_of(ratings, validation_fraction, test_fraction)
    sizes = np.bincount(part, minlength=3).tolist()
    if 0 in sizes:
        raise ValueError(f"a part would be empty: the three would have {sizes} ratings")
    train, validation, test = (ratings.select(part == number) for number in range(3))
    return train, validation, test


def _part_of_all(ratings, validation_fraction, test_fraction) -> np.ndarray:
    """Return 0, 1 or 2, for training, validation or test, of each rating: one cut for all."""
    n_test = round(test_fraction * ratings.n_ratings)
    n_later = n_test + round(validation_fraction * ratings.n_ratings)
    # The last moment in training and the last in validation.
    ends = np.sort(ratings.times)[::-1][[min(n_later, ratings.n_ratings - 1), n_test]]
    return np.searchsorted(ends, ratings.times)


def _part_of_each(ratings, validation_fraction, test_fraction) -> np.ndarray:
    """Return 0, 1 or 2, for training, validation or test, of each rating: a cut for each user."""
    counts = ratings.user_counts
    n_test = np.maximum(np.rint(test_fraction * counts), 1)
    n_validation = np.maximum(np.rint(validation_fraction * counts), 1)
    # Where both are rounded up nothing may be left for training.
    n_test = np.minimum(n_test, np.maximum(counts - n_validation - 1, 1))
    n_validation = np.minimum(n_validation, np.maximum(counts - n_test - 1, 1))
    rows = ratings.by_user.rows()
    order = np.lexsort((ratings.times, rows))  # of equal times the lower item stays first
    n_to_come = ratings.by_user.indptr[rows + 1] - np.arange(len(rows))
    later = (n_to_come <= n_test[rows]) + 1 * (n_to_come <= (n_test + n_validation)[rows])
    part = np.empty(len(rows), np.int64)
    part[order] = np.where(counts[rows] < 3, 0, later)
    return part


def share_index(*parts: Ratings) -> tuple[Ratings, ...]:
    """Bring ratings that were read by themselves under one index, such as published folds.

    A model is tested on ratings that number users and items as its training ratings do. Every part
    gets all ids and the widest scale; a user or an item that it lacks is there without ratings.

    Parameters
    ----------
    *parts : Ratings
        Such as those of ``u1.base`` and ``u1.test``.

    Returns
    -------
    tuple of Ratings
        As many, in the same order.

    Raises
    ------
    TypeError
        If these are not ratings, or their ids of different kinds.
    ValueError
        If a user rated an item in two parts: a model would be tested on what it has seen.

    Examples
    --------
    >>> train = Ratings(["ann", "bob"], ["Up", "Heat"], [4, 2])
    >>> test = Ratings(["ann", "cat"], ["Cars", "Up"], [5, 4])
    >>> train, test = share_index(train, test)
    >>> train.n_users, test.n_users, test.scale
    (3, 3, (2.0, 5.0))
    """
    for part in parts:
        check_ratings(part, "parts")
    scales = [part.scale for part in parts]
    scale = min(low for low, _ in scales), max(high for _, high in scales)
    together = []
    for part in parts:
        for other in parts:
            part = part.with_ids(other.user_ids, other.item_ids)
        part.scale = scale
        together.append(part)
    cells = [part.by_user.rows().astype(np.int64) * part.n_items for part in together]
    cells = [row + part.by_user.indices for row, part in zip(cells, together, strict=True)]
    for (i, one), (j, other) in combinations(enumerate(cells), 2):
        n_shared = len(np.intersect1d(one, other, assume_unique=True))
        if n_shared:
            raise ValueError(
                f"{n_shared} ratings of parts {i} and {j} are of the same user and item: a model "
                "would be tested on what it has seen"
            )
    return tuple(together)


def _some_of_the_rated(counts, fraction, rng) -> np.ndarray:
    """Mark a share of the rows that have ratings, at least one and not all."""
    rated = np.flatnonzero(counts)
    n_out = min(max(round(fraction * len(rated)), 1), len(rated) - 1)
    out = np.zeros(len(counts), dtype=np.bool_)
    out[rng.choice(rated, size=n_out, replace=False)] = True
    return out


def _check_fraction(name: str, fraction: float) -> None:
    if not 0 < fraction < 1:
        raise ValueError(f"{name} must lie between 0 and 1, got {fraction}")
