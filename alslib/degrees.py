"""Lesson 2: who rates, what is rated.

The degree of a user is the number of ratings they gave, the degree of a movie the number of ratings
it received: ``ratings.user_counts`` and ``ratings.item_counts``. Degrees reach over three orders of
magnitude, so they are looked at on logarithmic axes and described by how their tail falls.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alslib.data.ids import refuse_masked


class LogHistogram(NamedTuple):
    """Histogram of degrees in logarithmic bins; bin i holds edges[i] ≤ x < edges[i + 1].

    Attributes
    ----------
    edges : int64 array, shape (n_bins + 1,)
        First whole number of every bin, and one past the last bin.
    centres : float64 array, shape (n_bins,)
        Geometric mean of the smallest and largest whole number of the bin: where to draw the bin.
    counts : int64 array, shape (n_bins,)
        Degrees in the bin.
    density : float64 array, shape (n_bins,)
        Share of the degrees per whole number: counts / (width × number of degrees).
    """

    edges: NDArray[np.int64]
    centres: NDArray[np.float64]
    counts: NDArray[np.int64]
    density: NDArray[np.float64]


def degree_counts(degrees: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Count how many users (or movies) have each degree.

    Parameters
    ----------
    degrees : array_like of int, shape (n,)
        Ratings per user or per movie, each 0 or more.

    Returns
    -------
    values : int64 array, shape (n_distinct,)
        The distinct degrees, ascending.
    counts : int64 array, shape (n_distinct,)
        How often each occurs; they sum to n.

    Raises
    ------
    ValueError
        If the degrees are empty, not one-dimensional, negative or not whole numbers.
    """
    values, counts = np.unique(_checked(degrees), return_counts=True)
    return values, counts.astype(np.int64)


def ccdf(degrees: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Complementary cumulative distribution: the share of degrees that are x **or more**, P(X ≥ x).

    Exact: one step per distinct degree, no bins. It begins at 1 and ends at (number of largest
    degrees) / n, never at 0, so it can be drawn on a logarithmic axis. Some authors use P(X > x).

    Parameters
    ----------
    degrees : array_like of int, shape (n,)
        Ratings per user or per movie. Degrees of 0 count like any other.

    Returns
    -------
    values : int64 array, shape (n_distinct,)
        The distinct degrees, ascending.
    fractions : float64 array, shape (n_distinct,)
        ``fractions[i]`` = share of the degrees that are ≥ ``values[i]``.
    """
    values, counts = degree_counts(degrees)
    at_least = sums_from_the_right(counts)
    return values, at_least / at_least[0]


def log_binned_histogram(degrees: ArrayLike, bins_per_decade: int = 10) -> LogHistogram:
    """Histogram in bins whose widths grow in proportion to the degree.

    Where equal ratios would leave a bin without any whole number, it is merged with the next, so
    the width of a bin is the number of whole numbers in it and the density is not biased at the
    small end. Σ density × width = 1. Degrees of 0 have no place on a logarithmic axis and are left
    out.

    Parameters
    ----------
    degrees : array_like of int, shape (n,)
        Ratings per user or per movie.
    bins_per_decade : int
        Bins for each factor of ten.

    Returns
    -------
    LogHistogram
        Edges, centres, counts and density.

    Raises
    ------
    ValueError
        If the degrees are unusable, none of them is positive, or `bins_per_decade` is not positive.
    """
    if bins_per_decade < 1:
        raise ValueError(f"bins_per_decade must be 1 or more, not {bins_per_decade}")
    degrees = _checked(degrees)
    degrees = degrees[degrees > 0]
    if degrees.size == 0:
        raise ValueError("all degrees are 0: a logarithmic axis has no place for them")
    first, last = int(degrees.min()), int(degrees.max())
    n_bins = int(np.ceil(np.log10((last + 1) / first) * bins_per_decade))
    grid = first * 10 ** (np.arange(n_bins + 1) / bins_per_decade)
    edges = np.unique(np.ceil(grid).astype(np.int64))
    edges = np.append(edges[edges <= last], last + 1)
    counts = np.histogram(degrees, edges)[0].astype(np.int64)
    centres = np.sqrt(edges[:-1] * (edges[1:] - 1.0))
    return LogHistogram(edges, centres, counts, counts / np.diff(edges) / degrees.size)


def sums_from_the_right(numbers: NDArray) -> NDArray:
    """Return, for every position, the sum of the numbers from there to the end."""
    return np.cumsum(numbers[::-1])[::-1]


def _checked(degrees: ArrayLike) -> NDArray[np.int64]:
    """Return the degrees as a 1-D int64 array, or say what is wrong with them."""
    refuse_masked(degrees, "degrees")
    degrees = np.asarray(degrees)
    if degrees.ndim != 1:
        raise ValueError(f"degrees must be one-dimensional, not of shape {degrees.shape}")
    if degrees.size == 0:
        raise ValueError("degrees are empty")
    if degrees.dtype.kind not in "iuf":
        raise ValueError(f"degrees must be whole numbers, not of type {degrees.dtype}")
    if degrees.dtype.kind == "f":
        fractional = ~(np.isfinite(degrees) & (degrees == np.floor(degrees)))
        if fractional.any():
            first = int(fractional.argmax())
            raise ValueError(
                f"{fractional.sum()} of {degrees.size} degrees are not whole numbers, "
                f"the first at position {first}: {degrees[first]}"
            )
    negative = degrees < 0
    if negative.any():
        first = int(negative.argmax())
        raise ValueError(
            f"{negative.sum()} of {degrees.size} degrees are negative, "
            f"the first at position {first}: {degrees[first]}"
        )
    if degrees.max() > np.iinfo(np.int64).max:
        raise ValueError(f"degrees must fit in 64 bits, got {degrees.max()}")
    return degrees.astype(np.int64)
