"""What a column beside the ids may hold: ratings and their stored form, times, weights, repeats."""

from typing import NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike

from alslib import kernels
from alslib.data.ids import as_ids, index_ids, read_only, refuse_masked
from alslib.data.tables import as_column

# With more distinct values than a byte can number, ratings are kept as they are.
_MAX_LEVELS = 256


def as_columns(
    users: ArrayLike,
    items: ArrayLike,
    values: ArrayLike,
    times: ArrayLike | None,
    weights: ArrayLike | None,
    keep: str | None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray | None, np.ndarray | None]:
    """Return what `Ratings` is given as checked columns of one length, repeats merged on request.

    Raises
    ------
    TypeError, ValueError
        As `Ratings` says.
    """
    columns = {
        "users": as_ids(users, "user ids"),
        "items": as_ids(items, "item ids"),
        "values": as_values(values),
        "times": None if times is None else as_times(times),
        "weights": None if weights is None else as_weights(weights),
    }
    _check_lengths(columns)
    return tuple(columns.values()) if keep is None else merge_repeats(keep, **columns)


def as_values(values: ArrayLike) -> np.ndarray:
    """Return ratings as float32 or float64, shape as given.

    Raises
    ------
    TypeError
        If they are not numbers.
    ValueError
        If one is masked, NaN, infinite or too large for float32.
    """
    return _finite_numbers(values, "ratings")


def as_weights(weights: ArrayLike) -> np.ndarray:
    """Return weights as float32, shape as given.

    Raises
    ------
    TypeError, ValueError
        As in `as_values`, and if one is not above 0.
    """
    array = _finite_numbers(weights, "weights").astype(np.float32)
    if not np.all(array > 0):
        bad = np.flatnonzero(~(array > 0))
        raise ValueError(
            f"weights must be above 0, but {len(bad)} of {array.size} are not, the first is at "
            f"position {bad[0]}; leave out what shall not count"
        )
    return array


def as_times(times: ArrayLike) -> np.ndarray:
    """Return times as int64, float64 or datetime64, shape as given.

    Raises
    ------
    TypeError
        If they are neither numbers nor NumPy's dates.
    ValueError
        If one is masked or missing.
    """
    times = as_column(times)
    refuse_masked(times, "times")
    array = np.asarray(times)
    if array.dtype.kind not in "iufM":
        raise TypeError(
            f"times must be numbers or datetime64, got {array.dtype}; "
            "pandas.to_datetime(times, utc=True).tz_localize(None) makes dates of text and of "
            "times with a zone"
        )
    missing = np.flatnonzero(np.isnat(array) if array.dtype.kind == "M" else np.isnan(array))
    if len(missing):
        raise ValueError(
            f"{len(missing)} of {array.size} times are missing, the first at position {missing[0]}"
        )
    return array if array.dtype.kind == "M" else array.astype(np.result_type(array, np.int64))


def _finite_numbers(values, name: str) -> np.ndarray:
    values = as_column(values)
    refuse_masked(values, name)
    array = np.asarray(values)
    if array.dtype.kind not in "iuf":
        raise TypeError(
            f"{name} must be numbers, got {array.dtype}; pandas.to_numeric({name}) makes floats "
            "of text and of decimals"
        )
    if not np.isfinite(array).all():
        bad = np.flatnonzero(~np.isfinite(array))
        raise ValueError(
            f"{len(bad)} of {array.size} {name} are NaN or infinite, the first at position {bad[0]}"
        )
    largest = np.abs(array).max(initial=0)
    if largest > np.finfo(np.float32).max:
        raise ValueError(f"{name} must fit in float32, got up to {largest:g}")
    # Two widths are enough: a kernel is compiled anew for every type it meets.
    return array if array.dtype in (np.float32, np.float64) else array.astype(np.float64)


def _check_lengths(columns) -> None:
    shapes = {name: column.shape for name, column in columns.items() if column is not None}
    if any(len(shape) != 1 for shape in shapes.values()) or len(set(shapes.values())) != 1:
        *others, last = shapes
        names = f"{', '.join(others)} and {last}"
        raise ValueError(f"{names} must be equally long columns, got {shapes}")
    if shapes["values"] == (0,):
        raise ValueError("there are no ratings")


class Coding(NamedTuple):
    """How ratings are stored: what is stored for ``offset + step * data`` is ``data``.

    Attributes
    ----------
    given : tuple of float
        The lowest and the highest rating that was given.
    offset, step : float
    dtype : dtype
        uint8 on a scale of even steps, otherwise float32.
    """

    given: tuple[float, float]
    offset: float
    step: float
    dtype: np.dtype

    def encode(self, values: np.ndarray) -> np.ndarray:
        """Return the stored form of ratings, same shape."""
        if self.dtype != np.uint8:
            return values.astype(self.dtype)
        codes = np.empty(len(values), self.dtype)
        kernels.rows.encode(read_only(values), self.offset, self.step, codes)
        return codes


def coding_of(values: np.ndarray) -> Coding:
    """Return how a column of at least one rating is stored."""
    levels = Levels()
    levels.add(values)
    return levels.coding()


class Levels:
    """The distinct ratings that have been met, one column after the other.

    Attributes
    ----------
    known : ndarray of float64, shape (n,)
        Ascending; more than a byte can number are not all here.
    lowest, highest : float
    """

    def __init__(self):
        self.known = np.empty(0)
        self.lowest, self.highest = np.inf, -np.inf

    def add(self, values: np.ndarray) -> bool:
        """Take in a column of at least one rating; return whether a level was new."""
        levels = kernels.rows.distinct_values(read_only(values), _MAX_LEVELS).astype(np.float64)
        ends = values if len(levels) > _MAX_LEVELS else levels
        return self._take(levels, float(ends.min()), float(ends.max()))

    def update(self, other: Self) -> None:
        """Take in what has been met by somebody else."""
        self._take(other.known, other.lowest, other.highest)

    def _take(self, levels, lowest, highest) -> bool:
        self.lowest, self.highest = min(self.lowest, lowest), max(self.highest, highest)
        n_known = len(self.known)
        if n_known <= _MAX_LEVELS:
            self.known = np.union1d(self.known, levels)
        return len(self.known) > n_known

    def coding(self) -> Coding:
        """Return how ratings of these levels are stored."""
        if len(self.known) <= _MAX_LEVELS:
            step = _even_step(self.known)
            if step:
                ends = self.lowest, self.highest
                return Coding(ends, self.lowest, step, np.dtype(np.uint8))
        ends = float(np.float32(self.lowest)), float(np.float32(self.highest))
        return Coding(ends, 0.0, 1.0, np.dtype(np.float32))


def _even_step(levels) -> float | None:
    """Return the widest step that reaches all levels from the lowest in under 256 steps, if any."""
    if len(levels) == 1:
        return 1.0
    closest, span = np.diff(levels).min(), levels[-1] - levels[0]
    # Some steps of a scale may not occur: 2.5, 4 and 5 stars lie on a scale of half stars. The step
    # is taken from the whole span, where the rounding of the levels weighs least.
    for parts in range(1, 11):
        n_steps = np.rint(span / closest * parts)
        if n_steps >= _MAX_LEVELS:
            return None
        step = float(span / n_steps)
        # The codes must give back what was put in, to the precision that floats are kept in.
        decoded = np.float32(levels[0] + step * np.rint((levels - levels[0]) / step))
        if np.array_equal(decoded, np.float32(levels)):
            return step
    return None


def declared_scale(
    scale: tuple[float, float] | None, given: tuple[float, float]
) -> tuple[float, float]:
    """Return the declared scale, if there is one, after a look at the ratings that were given.

    Raises
    ------
    TypeError, ValueError
        If it is not two finite numbers, the lower first, or ratings lie beyond.
    """
    if scale is None:
        return given
    try:
        low, high = map(float, scale)
    except (TypeError, ValueError) as error:
        raise TypeError(f"scale must be two numbers, such as (1, 5), got {scale!r}") from error
    if not (np.isfinite([low, high]).all() and low < high):
        raise ValueError(f"scale must be a lower and a higher finite number, got {scale!r}")
    if given[0] < low or given[1] > high:
        raise ValueError(
            f"there are ratings from {given[0]:g} to {given[1]:g}, which is beyond the scale from "
            f"{low:g} to {high:g}"
        )
    return low, high


def merge_repeats(
    keep: str,
    users: np.ndarray,
    items: np.ndarray,
    values: np.ndarray,
    times: np.ndarray | None,
    weights: np.ndarray | None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray | None, np.ndarray | None]:
    """Make one rating of all ratings that a user gave an item.

    Parameters
    ----------
    keep : {"last", "mean"}
        The last rating in time, or in position where there are no times; or the mean of all, at
        the time of the last. Where there are weights, the mean is weighted, and has the weight of
        all together: in a sum of squared errors that is the same as all of them.
    users, items : ndarray of ids, shape (n,)
    values, times, weights : ndarray of shape (n,)
        The last two may be None.

    Returns
    -------
    users, items, values, times, weights
        Sorted by user, then by item.

    Raises
    ------
    ValueError
        If `keep` is something else.
    """
    if keep not in ("last", "mean"):
        raise ValueError(f'keep must be "last" or "mean", got {keep!r}')
    (_, rows), (_, columns) = index_ids(users), index_ids(items)
    order = np.lexsort([key for key in (times, columns, rows) if key is not None])  # stable
    rows, columns = rows[order], columns[order]
    ends = np.append((rows[1:] != rows[:-1]) | (columns[1:] != columns[:-1]), True)
    last = order[ends]
    times = None if times is None else times[last]
    if keep == "last":
        weights = None if weights is None else weights[last]
        return users[last], items[last], values[last], times, weights
    starts = np.append(0, np.flatnonzero(ends)[:-1] + 1)
    each = np.ones(len(order)) if weights is None else weights[order].astype(np.float64)
    total = np.add.reduceat(each, starts)
    mean = np.add.reduceat(each * values[order], starts) / total
    weights = None if weights is None else total.astype(np.float32)
    return users[last], items[last], mean, times, weights
