"""Lesson 1: ratings stored twice, by user and by item, under dense indices.

Alternating least squares reads all ratings of one user, then of the next, and afterwards all
ratings of one movie, then of the next. Both walks must be contiguous in memory, so the same ratings
are kept in two compressed sparse row (CSR) structures, one the transpose of the other.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from alslib import kernels
from alslib.data import storage, two_passes
from alslib.data.columns import as_columns, coding_of, declared_scale
from alslib.data.ids import as_ids, index_ids, look_up
from alslib.data.mapped import stretches
from alslib.data.pieces import Pieces, read_pieces
from alslib.data.rated import Kind, RatingsToFit, RowsHere, mean_of, sum_stored
from alslib.data.tables import Table, read_columns

if TYPE_CHECKING:
    import scipy


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

    def stretches(self) -> Iterator[tuple[slice, slice, CSR]]:
        """Yield stretches of rows, to be worked on one after the other.

        In memory all rows are one stretch; see `alslib.data.mapped.stretches`.

        Yields
        ------
        rows, entries : slice
            What of the rows, and of the entries, is in the stretch.
        part : CSR
            The stretch by itself.
        """
        for rows in stretches(self.indptr, (self.indices, self.data)):
            indptr = self.indptr[rows.start : rows.stop + 1]
            entries = slice(int(indptr[0]), int(indptr[-1]))
            part = CSR(indptr - indptr[0], self.indices[entries], self.data[entries])
            yield rows, entries, part


class Ratings(RatingsToFit):
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
    times : array_like of shape (n_ratings,), optional
        When they were given: numbers or datetime64.
    weights : array_like of shape (n_ratings,), optional
        How much each counts, above 0: a model makes the weighted sum of squared errors small, so
        that a rating of weight 2 counts like two. `ImplicitALS` takes them as confidence.
    keep : {"last", "mean"}, optional
        Of several ratings of one item by one user keep the last, in time or else in position, or
        their mean. By default they are refused. Weighted ratings have a weighted mean, whose weight
        is that of all together.

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
    times, weights : ndarray of shape (n_ratings,), or None
        In the order of ``by_user``.

    Raises
    ------
    TypeError
        If ids are not all integers or all strings, or ratings are not numbers.
    ValueError
        If there are no ratings, lengths differ, a rating is NaN, infinite or beyond the scale, a
        time is missing, a weight is not above 0, or a user rated an item twice.

    Examples
    --------
    >>> ratings = Ratings(["ann", "ann", "bob"], [10, 30, 30], [4.0, 2.5, 5.0])
    >>> ratings
    Ratings(3 ratings, 2 users × 2 items, 75 % of cells filled, 2.5–5 in steps of 0.5)
    >>> ratings.of_user("ann")
    (array([10, 30]), array([4. , 2.5], dtype=float32))
    """

    user_ids: np.ndarray
    item_ids: np.ndarray
    by_user: CSR
    by_item: CSR
    offset: float
    step: float
    scale: tuple[float, float]
    times: np.ndarray | None
    weights: np.ndarray | None

    def __init__(
        self,
        users: ArrayLike,
        items: ArrayLike,
        values: ArrayLike,
        scale: tuple[float, float] | None = None,
        *,
        times: ArrayLike | None = None,
        weights: ArrayLike | None = None,
        keep: str | None = None,
    ):
        users, items, values, times, weights = as_columns(
            users, items, values, times, weights, keep
        )
        coding = coding_of(values)
        self.offset, self.step, data = coding.offset, coding.step, coding.encode(values)
        self.scale = declared_scale(scale, coding.given)
        self.user_ids, rows = index_ids(users)
        self.item_ids, columns = index_ids(items)
        grouped = CSR(*kernels.rows.group_by_row(rows, columns, data, len(self.user_ids)))
        del rows, columns, data  # at 25 million ratings these weigh as much as a whole view
        # Transposing sorts each row by index; twice, and both views are sorted.
        self.by_item = CSR(*kernels.rows.transpose(*grouped, len(self.item_ids)))
        del grouped
        self.by_user = CSR(*kernels.rows.transpose(*self.by_item, len(self.user_ids)))
        self._refuse_duplicates(users, items)
        self.times, self.weights = self._in_order(users, items, times, weights)

    @classmethod
    def from_frame(
        cls,
        frame: Table,
        user: Hashable = "user_id",
        item: Hashable = "movie_id",
        rating: Hashable = "rating",
        *,
        time: Hashable | None = None,
        weight: Hashable | None = None,
        scale: tuple[float, float] | None = None,
        keep: str | None = None,
    ) -> Ratings:
        """Read three columns of a table, or up to five.

        Parameters
        ----------
        frame : DataFrame, Arrow table, or dict of columns
            Of pandas, Polars or another library. One row a rating; other columns are ignored.
        user, item, rating : hashable
            The names of the columns.
        time, weight : hashable, optional
            The names of two more, such as "timestamp"; otherwise there are no times and no weights.
        scale, keep : optional
            As in `Ratings`.

        Raises
        ------
        TypeError, ValueError
            If this is no table or a column is missing, and whenever `Ratings` itself refuses the
            data.
        """
        names = {"users": user, "items": item, "values": rating}
        names |= {
            key: name for key, name in (("times", time), ("weights", weight)) if name is not None
        }
        columns = read_columns(frame, list(names.values()), "this frame")
        return cls(**dict(zip(names, columns, strict=True)), scale=scale, keep=keep)

    @classmethod
    def from_pieces(
        cls,
        pieces: Pieces,
        user: Hashable = "user_id",
        item: Hashable = "movie_id",
        rating: Hashable = "rating",
        *,
        time: Hashable | None = None,
        weight: Hashable | None = None,
        scale: tuple[float, float] | None = None,
        file: str | Path | None = None,
        progress: bool = True,
    ) -> Ratings:
        """Read ratings piece by piece, in two passes, so that they are never in memory together.

        The result is that of `from_frame` on one table of all pieces. In memory its two views are
        all that grows with the ratings; with a `file`, nothing does but a few numbers for each user
        and each item.

        Parameters
        ----------
        pieces : path, iterable of paths or of tables, or function
            A folder of files, or one: Parquet (with the extra ``parquet``) or CSV, compressed or
            not. Or a list of files, or tables as `from_frame` reads them; or a function that
            returns an iterator of these, which is called once for each pass.
        user, item, rating, time, weight, scale
            As in `from_frame`.
        file : str or Path, optional
            Leave the ratings in this file, as `load` does with ``mmap=True``. While it is made its
            folder needs room for about twice as much.
        progress : bool
            Show bars when this takes longer than a few seconds.

        Raises
        ------
        ImportError
            If there is a Parquet file and no pyarrow.
        OSError
            If a file cannot be read or written.
        TypeError, ValueError
            If these are no pieces, or can be gone through only once; if the second pass finds other
            ratings than the first; and whenever `from_frame` refuses the data: then the piece is
            named. A user who rated an item twice is refused here, too.

        Examples
        --------
        >>> january = {"u": [1, 2], "i": [10, 10], "stars": [5, 3.5]}
        >>> february = {"u": [1, 3], "i": [20, 10], "stars": [4, 1]}
        >>> Ratings.from_pieces([january, february], "u", "i", "stars")
        Ratings(4 ratings, 3 users × 2 items, 66.7 % of cells filled, 1–5 in steps of 0.5)
        """
        names = {"user": user, "item": item, "rating": rating, "time": time, "weight": weight}

        def begin():
            wanted = [name for name in names.values() if name is not None]
            for called, columns in read_pieces(pieces, wanted):
                found = iter(columns)
                yield called, [next(found) if name is not None else None for name in names.values()]

        ratings = object.__new__(cls)
        if file is None:
            two_passes.in_memory(ratings, begin, scale, progress)
            return ratings
        two_passes.into_file(ratings, begin, scale, progress, file)
        return cls.load(file, mmap=True)

    @classmethod
    def from_sparse(
        cls,
        matrix: scipy.sparse.sparray | scipy.sparse.spmatrix,
        user_ids: ArrayLike | None = None,
        item_ids: ArrayLike | None = None,
        *,
        explicit_zeros: str | None = None,
        scale: tuple[float, float] | None = None,
    ) -> Ratings:
        """Read a sparse matrix of SciPy: what it stores is a rating, all else is unknown.

        Parameters
        ----------
        matrix : sparse array or matrix, shape (n_users, n_items)
            Users as rows. Of a dense array make ``scipy.sparse.csr_array(array)``, for which every
            zero is unknown. What is stored for one cell twice is added up, as SciPy does.
        user_ids, item_ids : array_like of ids, shape (n_users,) and (n_items,), optional
            Of each row and column, in any order; by default 0, 1, 2, ….
        explicit_zeros : {"keep", "drop"}, optional
            What a stored zero is: a rating of 0, or unknown. By default such a matrix is refused.
        scale : (float, float), optional
            As in `Ratings`.

        Raises
        ------
        TypeError
            If this is no sparse matrix, or as in `Ratings`.
        ValueError
            If zeros are stored and nothing says what they are, if ids do not fit the matrix, and
            whenever `Ratings` itself refuses the data.
        """
        if not hasattr(matrix, "tocsr"):
            raise TypeError(
                f"a sparse matrix, please, got {type(matrix).__name__}; of a dense array make "
                "scipy.sparse.csr_array(array), for which every zero is unknown"
            )
        stored = matrix.tocsr(copy=True)
        stored.sum_duplicates()
        stored = stored.tocoo()
        ids = [
            _axis_ids(ids, length, name)
            for ids, length, name in zip(
                (user_ids, item_ids), matrix.shape, ("user ids", "item ids"), strict=True
            )
        ]
        kept = np.ones(stored.nnz, np.bool_)
        if explicit_zeros not in ("keep", "drop", None):
            raise ValueError(f'explicit_zeros must be "keep" or "drop", got {explicit_zeros!r}')
        if explicit_zeros != "keep":
            kept = stored.data != 0
        if explicit_zeros is None and not kept.all():
            raise ValueError(
                f"{np.sum(~kept)} of {stored.nnz} stored entries are 0: say whether these are "
                'ratings of 0, explicit_zeros="keep", or unknown, explicit_zeros="drop"'
            )
        users, items = ids[0][stored.row[kept]], ids[1][stored.col[kept]]
        return cls(users, items, stored.data[kept], scale).with_ids(*ids)

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
    def n_raters(self) -> int:
        """Number of users with a rating: after `select` or `with_ids` others are known as well."""
        return int(np.count_nonzero(self.user_counts))

    @property
    def density(self) -> float:
        """Share of the user × item cells that hold a rating."""
        return self.n_ratings / (self.n_users * self.n_items)

    @property
    def mean(self) -> float:
        """Mean of all ratings, each as often as it weighs (μ in the book)."""
        users, sums = self.rated_by("user"), np.empty(self.n_users)
        users.each(sum_stored, (), (), (sums,))
        return mean_of(self.offset, self.step, sums, float(users.counts.sum()))

    @property
    def nbytes(self) -> int:
        """Memory of the two views in bytes; the two lists of ids are not counted."""
        return sum(array.nbytes for view in (self.by_user, self.by_item) for array in view)

    def weights_by_item(self) -> np.ndarray | None:
        """Return the weights, if there are any, in the order of ``by_item``."""
        if self.weights is None:
            return None
        indptr, indices, _ = self.by_user
        return kernels.rows.transpose(indptr, indices, self.weights, self.n_items)[2]

    def rated_by(self, kind: Kind) -> RowsHere:
        """Return what each user rated, or by whom each item was rated, as a fit reads it."""
        if kind == "user":
            return RowsHere(self.by_user, self.weights)
        return RowsHere(self.by_item, self.weights_by_item())

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
        """Return all ratings as a DataFrame with columns user_id, movie_id and rating.

        And with timestamp and weight, where there are times and weights.
        """
        columns = dict(zip(("user_id", "movie_id", "rating"), self.triples(), strict=True))
        columns |= {"timestamp": self.times, "weight": self.weights}
        columns = {name: column for name, column in columns.items() if column is not None}
        return pd.DataFrame(columns, copy=False)

    def summary(self) -> pd.DataFrame:
        """Return the size, the filling and the memory of these ratings as a small table."""
        rows = {
            "ratings": f"{self.n_ratings:,}",
            "users": f"{self.n_users:,}",
            "items": f"{self.n_items:,}",
            "cells filled": f"{self.density:.2%}",
            "mean rating": f"{self.mean:.3f}",
            "ratings per user (min, median, max)": _range(self.user_counts),
            "ratings per item (min, median, max)": _range(self.item_counts),
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

    def select(self, keep: np.ndarray) -> Ratings:
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
        part.times = None if self.times is None else self.times[keep]
        part.weights = None if self.weights is None else self.weights[keep]
        return part

    def with_ids(self, users: ArrayLike | None = None, items: ArrayLike | None = None) -> Ratings:
        """Return the same ratings under an index that has these ids as well.

        They get an index among the others, in the order of the ids, and no ratings.

        Parameters
        ----------
        users, items : array_like of ids, shape (n,), optional
            Of the kind of those that are there; known ones may be among them, and repeats.

        Raises
        ------
        TypeError
            If the ids are of another kind.
        """
        wider = object.__new__(type(self))
        vars(wider).update(vars(self))
        wider.user_ids, row_of_user = _joined(self.user_ids, users, "user ids")
        wider.item_ids, row_of_item = _joined(self.item_ids, items, "item ids")
        if (wider.n_users, wider.n_items) != (self.n_users, self.n_items):
            wider.by_user = _spread(self.by_user, row_of_user, wider.n_users, row_of_item)
            wider.by_item = _spread(self.by_item, row_of_item, wider.n_items, row_of_user)
        return wider

    def _part(self, side: str, rows: np.ndarray) -> Ratings:
        """Return the ratings of some users, or of some items, under an index of these alone.

        Parameters
        ----------
        side : {"user", "item"}
        rows : ndarray of int, shape (n,)
            Their indices, ascending.
        """
        part = object.__new__(type(self))
        vars(part).update(vars(self))
        part.times = None
        if side == "user":
            part.user_ids = self.user_ids[rows]
            part.by_user, part.weights = _take(self.by_user, rows, self.weights)
        else:
            part.item_ids = self.item_ids[rows]
            by_item, weights = _take(self.by_item, rows, self.weights_by_item())
            part.by_user = CSR(*kernels.rows.transpose(*by_item, self.n_users))
            if weights is not None:
                indptr, indices, _ = by_item
                part.weights = kernels.rows.transpose(indptr, indices, weights, self.n_users)[2]
        part.by_item = CSR(*kernels.rows.transpose(*part.by_user, part.n_items))
        return part

    def save(self, path: str | Path) -> None:
        """Write the ratings to one file, all of it or nothing.

        Parameters
        ----------
        path : str or Path
            Written exactly as given; a file that is there already is replaced only once the new
            one is complete.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        storage.save(self, path)

    @classmethod
    def load(cls, path: str | Path, mmap: bool = False) -> Ratings:
        """Read ratings that `save` wrote.

        Parameters
        ----------
        path : str or Path
        mmap : bool
            Leave the arrays in the file: the system reads what is used, may drop it again, and
            shares it between processes. The file must stay as it is, but may be replaced. What is
            changed in these arrays does not reach it, and is lost when the memory is given back.

        Raises
        ------
        OSError
            If the file cannot be opened.
        ValueError
            If it is damaged, holds something else, or its arrays do not fit together.
        """
        return storage.load(cls, path, mmap)

    def _in_order(self, users, items, *columns) -> list[np.ndarray | None]:
        """Return columns beside the ids, if there are any, in the order of `by_user`."""
        if all(column is None for column in columns):
            return list(columns)
        rows = self.user_index(users).astype(np.int32)
        order = kernels.rows.group_by_row(
            rows, self.item_index(items).astype(np.int32), np.arange(len(rows)), self.n_users
        )
        # As in `__init__`: twice, and each row is sorted by item.
        for n_rows in (self.n_items, self.n_users):
            order = kernels.rows.transpose(*order, n_rows)
        return [column if column is None else column[order[2]] for column in columns]

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
            f"user {user}, item {item}, at positions {shown}; make one rating of each pair, by "
            'keep="last" or keep="mean", say'
        )


def check_ratings(ratings: object, name: str = "these", kind: type[RatingsToFit] = Ratings) -> None:
    """Refuse anything that is not `Ratings`, or not of another kind that will do as well.

    Raises
    ------
    TypeError
    """
    if not isinstance(ratings, kind):
        raise TypeError(
            f"{name} must be Ratings, got {type(ratings).__name__}; "
            "wrap your data first: Ratings(users, items, values)"
        )


def _known(index, kind: str, wanted) -> int:
    if index.ndim != 0:
        raise TypeError(f"one {kind} id, please, got {wanted!r}")
    if index < 0:
        raise KeyError(f"unknown {kind} {wanted!r}")
    return int(index)


def _range(counts) -> str:
    return f"{counts.min():,}, {np.median(counts):,.0f}, {counts.max():,}"


def _axis_ids(ids, length: int, name: str) -> np.ndarray:
    """Return the ids of the rows or columns of a matrix."""
    if ids is None:
        return np.arange(length)
    ids = as_ids(ids, name)
    if ids.shape != (length,) or len(np.unique(ids)) < length:
        raise ValueError(f"a matrix of this shape needs {length} distinct {name}")
    return ids


def _joined(ids: np.ndarray, more, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return old and new ids, ascending, and where the old ones are among them."""
    more = ids[:0] if more is None else as_ids(more, name)
    new = np.unique(more[look_up(ids, more, name) < 0])
    if not len(new):
        return ids, np.arange(len(ids))
    if new.dtype.kind == "O":
        new = new.astype(np.str_)
    joined = np.sort(np.concatenate([ids, new]))
    return joined, np.searchsorted(joined, ids)


def _spread(view: CSR, new_row: np.ndarray, n_rows: int, new_column: np.ndarray) -> CSR:
    """Return the same entries in more rows and columns; old ones keep their order."""
    indptr = np.zeros(n_rows + 1, np.int64)
    indptr[new_row + 1] = np.diff(view.indptr)
    return CSR(np.cumsum(indptr), new_column.astype(np.int32)[view.indices], view.data)


def _take(view: CSR, rows: np.ndarray, weights) -> tuple[CSR, np.ndarray | None]:
    """Return some rows of a view, and their weights, if there are any."""
    starts, lengths = view.indptr[rows], np.diff(view.indptr)[rows]
    indptr = np.append(0, np.cumsum(lengths))
    places = np.arange(indptr[-1]) + np.repeat(starts - indptr[:-1], lengths)
    taken = CSR(indptr, view.indices[places], view.data[places])
    return taken, None if weights is None else weights[places]
