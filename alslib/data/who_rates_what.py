"""Who rates what in a synthetic world: degrees with MovieLens's heavy tails, then distinct pairs.

Two curves and one rule, with constants fitted by eye to the counts of MovieLens's releases:

- The numbers of ratings per user lie on a lognormal curve above a minimum. Near half of the
  catalogue the curve bends: even in ml-25m nobody rated many more movies than that.
- Popularity falls with the rank of an item as exp(−c · rank^0.35), a stretched exponential
  (Laherrère and Sornette, "Stretched exponential distributions in nature and economy", European
  Physical Journal B 2, 1998).
- Each user draws items one after the other, with probability proportional to the popularity of
  those not drawn yet. The favourites run out for eager users, who then turn to the obscure.
"""

from collections.abc import Callable

import numpy as np
from scipy.special import ndtri

from alslib import kernels

_ACTIVITY_SPREAD = 1.4  # standard deviation of the logarithm of a user's ratings above the minimum
_POPULARITY_EXPONENT = 0.35
_LARGEST_LOG_WEIGHT = 500.0  # exp(−500) is still far from underflow; exp(−800) is zero


def user_degrees(n_users: int, n_items: int, n_ratings: int, minimum: int) -> np.ndarray:
    """Return how many items each user rates, ascending, with the given sum.

    The lognormal curve is taken at evenly spaced quantiles instead of drawn at random, so the shape
    of the distribution does not change with the seed.

    Returns
    -------
    ndarray of int64, shape (n_users,)
        Each from `minimum` to `n_items`.
    """
    lognormal = np.exp(_ACTIVITY_SPREAD * ndtri((np.arange(n_users) + 0.5) / n_users))
    # Half of the catalogue when ratings are sparse, all of it when every cell is filled.
    ceiling = (1 + n_ratings / (n_users * n_items)) / 2 * n_items - minimum
    if ceiling <= 0:  # the minimum is the whole catalogue
        return np.full(n_users, minimum)

    def curve(log_scale):
        return minimum - ceiling * np.expm1(-np.exp(log_scale) * lognormal / ceiling)

    log_scale = _solve_increasing(lambda x: curve(x).sum() - n_ratings, -60, 60)
    exact = curve(log_scale)
    degrees = np.floor(exact).astype(np.int64)
    # Largest remainders: the users who lost most by rounding down get the ratings still to give.
    still_to_give = n_ratings - degrees.sum()
    degrees[np.argsort(degrees - exact, kind="stable")[:still_to_give]] += 1
    return np.sort(degrees)


def item_popularity(n_users: int, n_items: int, n_ratings: int) -> np.ndarray:
    """Return the sampling weight of each item, descending.

    The steepness c is such that the most popular item would be drawn once per user if items were
    drawn with replacement. Without replacement about 40 % of users rate it (in MovieLens: 50 %).

    Returns
    -------
    ndarray of float64, shape (n_items,)
        Positive, at most 1.
    """
    rank = (np.arange(n_items) + 0.5) / n_items
    density = n_ratings / (n_users * n_items)

    def curve(log_c):
        return np.exp(-np.exp(log_c) * rank**_POPULARITY_EXPONENT)

    steepest = np.log(_LARGEST_LOG_WEIGHT)
    return curve(_solve_increasing(lambda x: density - curve(x).mean(), -60, steepest))


def draw_rows(
    degrees: np.ndarray, weights: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw distinct columns for every row, popular columns more often.

    Where there are at least as many entries as columns, every column is used: first each column is
    given one entry, at random among all entries of all rows, so rows get such columns in
    proportion to their degrees. The rest is drawn by weight without replacement.

    Parameters
    ----------
    degrees : ndarray of int64, shape (n_rows,)
        How many columns each row gets, at most ``n_columns``.
    weights : ndarray of float64, shape (n_columns,)
        Positive.
    rng : numpy.random.Generator

    Returns
    -------
    indptr : ndarray of int64, shape (n_rows + 1,)
    indices : ndarray of int32, shape (sum of degrees,)
        The columns of row ``i``, ascending, are ``indices[indptr[i]:indptr[i + 1]]``.
    """
    indptr = np.concatenate([[0], np.cumsum(degrees)])
    indices = np.empty(indptr[-1], dtype=np.int32)
    n_given = np.zeros(len(degrees), dtype=np.int64)
    n_columns = len(weights)
    if len(indices) >= n_columns:
        entries = np.sort(rng.choice(len(indices), n_columns, replace=False, shuffle=False))
        rows = np.searchsorted(indptr, entries, side="right") - 1
        n_given = np.bincount(rows, minlength=len(degrees))
        rank_in_row = np.arange(n_columns) - (np.cumsum(n_given) - n_given)[rows]
        indices[indptr[rows] + rank_in_row] = rng.permutation(n_columns)
    threshold, alias = kernels.worlds.alias_table(weights)
    kernels.worlds.fill_rows(indptr, n_given, indices, weights, threshold, alias, rng)
    return indptr, indices


def _solve_increasing(function: Callable[[float], float], low: float, high: float) -> float:
    """Return where an increasing function crosses zero, or the nearer end if it does not."""
    for _ in range(60):
        middle = (low + high) / 2
        if function(middle) < 0:
            low = middle
        else:
            high = middle
    return high
