"""Lesson 1: ratings stored twice, by user and by item, under dense indices.

Alternating least squares reads all ratings of one user, then of the next, and afterwards all
ratings of one movie, then of the next. Both walks must be contiguous in memory, so the same ratings
are kept in two compressed sparse row (CSR) structures, one the transpose of the other.
"""

from collections.abc import Hashable
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from alslib import kernels
from alslib.data.ids import as_ids, index_ids, look_up, read_only, refuse_masked

# With more distinct values than a byte can number, ratings are kept as they are.
_MAX_LEVELS = 256


class CSR(NamedTuple):
    """Compressed sparse rows: row ``i`` owns the entries ``indptr[i]:indptr[i + 1]``.

    Attributes
    ----------
    indptr : ndarray of int64, shape (n_rows + 1,)
    indices : ndarray of int32, shape (n_ratings,)
        The column of each entry, ascending within a row.
    data : ndarray of uint8 or float32, shape (n_ratings,)
        The stored rating; its value is ``offset + step * data``.
    """

    indptr: np.ndarray
    indices: np.ndarray
    data: np.ndarray

    def row(self, i: int) -> tuple[np.ndarray, np.ndarray]:
        """Return views of the columns and of the stored ratings of row ``i``."""
        start, stop = self.indptr[i], self.indptr[i + 1]
        return self.indices[start:stop], self.data[start:stop]

    def rows(self) -> np.ndarray:
        """Return the row of every entry, int32, shape (n_ratings,)."""
        return np.repeat(np.arange(len(self.indptr) - 1, dtype=np.int32), np.diff(self.indptr))


class Ratings:
    """Who rated what, and how: the one data structure of the course.

    Ratings on an evenly spaced scale of at most 256 steps, such as half stars, cost one byte each:
    with a four-byte index beside it, twice, a rating takes 10 bytes. Other values are kept as
    float32, at 16 bytes a rating. The row pointers add 8 bytes a user and 8 bytes an item.

    Parameters
    ----------
    users, items : array_like of shape (n_ratings,)
        Ids, integers or strings, in any order and with any gaps.
    values : array_like of shape (n_ratings,)
        The ratings, finite numbers; kept to the precision of float32.
    scale : (float, float), optional
        The lowest and the highest rating that can be given. By default those that were given:
        predictions are clipped to them, and a new user cannot rate beyond.

    Attributes
    ----------
    user_ids : ndarray of shape (n_users,)
        The id of each user index, ascending.
    item_ids : ndarray of shape (n_items,)
        The id of each item index, ascending.
    by_user, by_item : CSR
        The ratings with users as rows, and the same ratings with items as rows.
    offset, step : float
        A stored rating ``data`` has the value ``offset + step * data``.
    scale : tuple of float
        The lowest and the highest rating that can be given. A split keeps the scale of the whole.

    Raises
    ------
    TypeError
        If ids are not all integers or all strings, or ratings are not numbers.
    ValueError
        If there are no ratings, lengths differ, a rating is NaN, infinite or beyond the scale, or a
        user rated an item twice.

    Examples
    --------
    >>> ratings = Ratings(["ann", "ann", "bob"], [10, 30, 30], [4.0, 2.5, 5.0])
    >>> ratings
    Ratings(3 ratings, 2 users × 2 items, 75 % of cells filled, 2.5–5 in steps of 0.5)
    >>> ratings.of_user("ann")
    (array([10, 30]), array([4. , 2.5], dtype=float32))
    """

    def __init__(
        self,
        users: ArrayLike,
        items: ArrayLike,
        values: ArrayLike,
        scale: tuple[float, float] | None = None,
    ):
        users, items = as_ids(users, "user ids"), as_ids(items, "item ids")
        values = _as_values(values)
        _check_lengths(users, items, values)
        given, self.offset, self.step, data = _encode(values)
        self.scale = _declared(scale, given)
        self.user_ids, rows = index_ids(users)
        self.item_ids, columns = index_ids(items)
        grouped = CSR(*kernels.rows.group_by_row(rows, columns, data, len(self.user_ids)))
        del rows, columns, data  # at 25 million ratings these weigh as much as a whole view
        # Transposing sorts each row by index; twice, and both views are sorted.
        self.by_item = CSR(*kernels.rows.transpose(*grouped, len(self.item_ids)))
        del grouped
        self.by_user = CSR(*kernels.rows.transpose(*self.by_item, len(self.user_ids)))
        self._refuse_duplicates(users, items)

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        user: Hashable = "user_id",
        item: Hashable = "movie_id",
        rating: Hashable = "rating",
        *,
        scale: tuple[float, float] | None = None,
    ) -> "Ratings":
        """Read three columns of a DataFrame.

        Parameters
        ----------
        frame : DataFrame
            One row a rating; other columns are ignored.
        user, item, rating : hashable
            The names of the columns.
        scale : (float, float), optional
            The lowest and the highest rating that can be given.

        Raises
        ------
        ValueError
            If a column is missing, and whenever `Ratings` itself refuses the data.
        """
        missing = [name for name in (user, item, rating) if name not in frame.columns]
        if missing:
            raise ValueError(f"no column {missing} in this frame; it has {list(frame.columns)}")
        return cls(frame[user], frame[item], frame[rating].to_numpy(), scale)

    @property
    def n_users(self) -> int:
        """Number of users, with or without ratings."""
        return len(self.user_ids)

    @property
    def n_items(self) -> int:
        """Number of items, with or without ratings."""
        return len(self.item_ids)

    @property
    def n_ratings(self) -> int:
        """Number of ratings."""
        return len(self.by_user.indices)

    def __len__(self) -> int:
        return self.n_ratings

    @property
    def user_counts(self) -> np.ndarray:
        """Number of ratings of each user, int64, shape (n_users,)."""
        return np.diff(self.by_user.indptr)

    @property
    def item_counts(self) -> np.ndarray:
        """Number of ratings of each item, int64, shape (n_items,)."""
        return np.diff(self.by_item.indptr)

    @property
    def density(self) -> float:
        """Share of the user × item cells that hold a rating."""
        return self.n_ratings / (self.n_users * self.n_items)

    @property
    def mean(self) -> float:
        """Mean of all ratings (μ in the book)."""
        return self.offset + self.step * float(self.by_user.data.mean(dtype=np.float64))

    @property
    def nbytes(self) -> int:
        """Memory of the two views in bytes; the two lists of ids are not counted."""
        return sum(array.nbytes for view in (self.by_user, self.by_item) for array in view)

    def decode(self, data: np.ndarray) -> np.ndarray:
        """Return the values of stored ratings, float32, same shape."""
        return (self.offset + self.step * np.asarray(data, np.float64)).astype(np.float32)

    def user_index(self, user_ids: ArrayLike) -> np.ndarray:
        """Return the index of each user id (int64, same shape), -1 where it is unknown."""
        return look_up(self.user_ids, user_ids, "user ids")

    def item_index(self, item_ids: ArrayLike) -> np.ndarray:
        """Return the index of each item id (int64, same shape), -1 where it is unknown."""
        return look_up(self.item_ids, item_ids, "item ids")

    def of_user(self, user_id: int | str) -> tuple[np.ndarray, np.ndarray]:
        """Return what one user rated, and how.

        Returns
        -------
        item_ids : ndarray of shape (n,)
        values : ndarray of float32, shape (n,)

        Raises
        ------
        KeyError
            If the user is unknown.
        """
        indices, data = self.by_user.row(_known(self.user_index(user_id), "user", user_id))
        return self.item_ids[indices], self.decode(data)

    def of_item(self, item_id: int | str) -> tuple[np.ndarray, np.ndarray]:
        """Return who rated one item, and how.

        Returns
        -------
        user_ids : ndarray of shape (n,)
        values : ndarray of float32, shape (n,)

        Raises
        ------
        KeyError
            If the item is unknown.
        """
        indices, data = self.by_item.row(_known(self.item_index(item_id), "item", item_id))
        return self.user_ids[indices], self.decode(data)

    def triples(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return all ratings as (user ids, item ids, values), sorted by user, then by item."""
        return (
            self.user_ids[self.by_user.rows()],
            self.item_ids[self.by_user.indices],
            self.decode(self.by_user.data),
        )

    def to_frame(self) -> pd.DataFrame:
        """Return all ratings as a DataFrame with columns user_id, movie_id and rating."""
        return pd.DataFrame(
            dict(zip(("user_id", "movie_id", "rating"), self.triples(), strict=True)), copy=False
        )

    def summary(self) -> pd.DataFrame:
        """Return the size, the filling and the memory of these ratings as a small table."""
        rows = {
            "ratings": f"{self.n_ratings:,}",
            "users": f"{self.n_users:,}",
            "items": f"{self.n_items:,}",
            "cells filled": f"{self.density:.2%}",
            "mean rating": f"{self.mean:.3f}",
            "ratings per user (min, median, max)": _spread(self.user_counts),
            "ratings per item (min, median, max)": _spread(self.item_counts),
            "memory": f"{self.nbytes / 1e6:,.2f} MB",
            "bytes per rating": f"{self.nbytes / self.n_ratings:.1f}",
        }
        return pd.DataFrame({"value": rows})

    def __repr__(self) -> str:
        low, high = self.scale
        stepped = self.by_user.data.dtype == np.uint8 and high > low
        steps = f" in steps of {self.step:g}" if stepped else ""
        return (
            f"Ratings({self.n_ratings:,} ratings, {self.n_users:,} users × {self.n_items:,} items, "
            f"{100 * self.density:.3g} % of cells filled, {low:g}–{high:g}{steps})"
        )

    def shares_index_with(self, other: "Ratings") -> bool:
        """Tell whether both number the same users and the same items alike."""
        return np.array_equal(self.user_ids, other.user_ids) and np.array_equal(
            self.item_ids, other.item_ids
        )

    def select(self, keep: np.ndarray) -> "Ratings":
        """Return the marked ratings, under the same ids, indices and scale.

        Both views of the part are made from one mask, so they cannot disagree about which ratings
        belong to it.

        Parameters
        ----------
        keep : ndarray of bool, shape (n_ratings,)
            Which ratings to keep, in the order of ``by_user``.

        Raises
        ------
        ValueError
            If the mask has another type or length, or marks nothing.
        """
        keep = np.asarray(keep)
        if keep.dtype != np.bool_ or keep.shape != (self.n_ratings,):
            raise ValueError(
                f"keep must be {self.n_ratings} booleans, got {keep.dtype} of shape {keep.shape}"
            )
        if not keep.any():
            raise ValueError("no rating is left")
        part = object.__new__(type(self))
        part.user_ids, part.item_ids = self.user_ids, self.item_ids
        part.scale, part.offset, part.step = self.scale, self.offset, self.step
        part.by_user = CSR(*kernels.rows.keep_entries(*self.by_user, keep))
        part.by_item = CSR(*kernels.rows.transpose(*part.by_user, self.n_items))
        return part

    def _refuse_duplicates(self, users, items) -> None:
        n_repeats, first = kernels.rows.count_repeats(self.by_user.indptr, self.by_user.indices)
        if n_repeats == 0:
            return
        user = self.user_ids[np.searchsorted(self.by_user.indptr, first, side="right") - 1]
        item = self.item_ids[self.by_user.indices[first]]
        rows = np.flatnonzero((users == user) & (items == item)).tolist()
        shown = str(rows) if len(rows) <= 10 else f"{rows[:10]} and {len(rows) - 10} more"
        raise ValueError(
            f"{n_repeats} of {len(users)} ratings repeat a (user, item) pair; the first pair is "
            f"user {user}, item {item}, at positions {shown}. Keep one rating of each pair."
        )


def check_ratings(ratings: object, name: str = "these") -> None:
    """Refuse anything that is not `Ratings`.

    Raises
    ------
    TypeError
    """
    if not isinstance(ratings, Ratings):
        raise TypeError(
            f"{name} must be Ratings, got {type(ratings).__name__}; "
            "wrap your data first: Ratings(users, items, values)"
        )


def _as_values(values) -> np.ndarray:
    refuse_masked(values, "ratings")
    array = np.asarray(values)
    if array.dtype.kind not in "iuf":
        raise TypeError(
            f"ratings must be numbers, got {array.dtype}; pandas.to_numeric(ratings) makes floats "
            "of text and of decimals"
        )
    if not np.isfinite(array).all():
        bad = np.flatnonzero(~np.isfinite(array))
        raise ValueError(
            f"{len(bad)} of {array.size} ratings are NaN or infinite, "
            f"the first at position {bad[0]}"
        )
    largest = np.abs(array).max(initial=0)
    if largest > np.finfo(np.float32).max:
        raise ValueError(f"ratings must fit in float32, got up to {largest:g}")
    # Two widths are enough: a kernel is compiled anew for every type it meets.
    return array if array.dtype in (np.float32, np.float64) else array.astype(np.float64)


def _check_lengths(users, items, values) -> None:
    shapes = {"users": users.shape, "items": items.shape, "values": values.shape}
    if any(len(shape) != 1 for shape in shapes.values()) or len(set(shapes.values())) != 1:
        raise ValueError(f"users, items and values must be equally long columns, got {shapes}")
    if len(values) == 0:
        raise ValueError("there are no ratings")


def _encode(values) -> tuple[tuple[float, float], float, float, np.ndarray]:
    """Return the scale, the offset, the step and the stored form of the ratings."""
    values = read_only(values)
    levels = np.sort(kernels.rows.distinct_values(values, _MAX_LEVELS)).astype(np.float64)
    if len(levels) <= _MAX_LEVELS:
        offset, step = float(levels[0]), _even_step(levels)
        if step:
            codes = np.empty(len(values), dtype=np.uint8)
            kernels.rows.encode(values, offset, step, codes)
            return (offset, float(levels[-1])), offset, step, codes
    stored = values.astype(np.float32)
    return (float(stored.min()), float(stored.max())), 0.0, 1.0, stored


def _declared(scale, given) -> tuple[float, float]:
    """Return the declared scale, if there is one, after a look at the ratings that were given."""
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


def _known(index, kind: str, wanted) -> int:
    if index.ndim != 0:
        raise TypeError(f"one {kind} id, please, got {wanted!r}")
    if index < 0:
        raise KeyError(f"unknown {kind} {wanted!r}")
    return int(index)


def _spread(counts) -> str:
    return f"{counts.min():,}, {np.median(counts):,.0f}, {counts.max():,}"
