"""Ratings from pieces that are never in memory together: counted in one pass, placed in another.

The first pass numbers the ids, counts the ratings of every user and of every item, and finds the
scale. Then it is known where each row begins, and the second pass puts every rating there.

A file is not written back and forth, which disks are slow at. There the second pass deals the
ratings out to buckets, each of a stretch of users and small enough for memory; then one bucket
after the other is put in order and appended. The other view is made from this one, likewise.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from alslib import kernels
from alslib._archive import Streamed
from alslib._progress import progress_bar
from alslib.data import storage
from alslib.data.columns import as_columns
from alslib.data.survey import CHANGED, Survey

if TYPE_CHECKING:
    from alslib.data.ratings import Ratings

# A bucket has about so many ratings, with some 50 bytes of memory for each while it is put in
# order; but not every system lets a process have many more files open than this.
_BUCKET = 1 << 21
_MOST_BUCKETS = 64

# Begins a pass: returns, for one piece after the other, what it is called, and its users, items and
# values, with times and weights or None.
Pass = Callable[[], Iterator[tuple[str, tuple]]]


def in_memory(ratings: Ratings, begin: Pass, scale, progress: bool) -> None:
    """Read pieces into ratings that have nothing yet; see `Ratings.from_pieces`."""
    survey = _described(ratings, begin, scale, progress)
    indptr = ratings.by_user.indptr
    indices, data, *beside = columns = placed(_second_pass(begin, survey, progress), indptr)
    for rows in _stretches(indptr):
        part = indptr[rows.start : rows.stop + 1]
        found = [column[part[0] : part[-1]] for column in columns]
        for column, ordered in zip(
            found, in_order(part - part[0], found, ratings.n_items), strict=True
        ):
            column[:] = ordered
        _refuse_repeats(part - part[0], found[0], rows.start, ratings)
    ratings.by_user = ratings.by_user._replace(indices=indices, data=data)
    by_item = ratings.by_item._make(kernels.rows.transpose(*ratings.by_user, ratings.n_items))
    if not np.array_equal(by_item.indptr, ratings.by_item.indptr):
        raise ValueError(CHANGED)
    ratings.by_item = by_item
    vars(ratings).update(zip(survey.beside, beside, strict=True))


def into_file(ratings: Ratings, begin: Pass, scale, progress: bool, path: str | Path) -> None:
    """Write a file of what pieces hold, which `Ratings.load` reads.

    The ratings are those to write, and are of no use afterwards.
    """
    folder = Path(path).resolve().parent
    _Spool(folder).close()  # where nothing can be written, that is said now
    survey = _described(ratings, begin, scale, progress)
    bar = _bar("in order", progress, total=2 * survey.n_ratings)
    with ExitStack() as opened, bar:
        users, items = (
            _Buckets(view.indptr, folder, opened) for view in (ratings.by_user, ratings.by_item)
        )
        for rows, *columns in _second_pass(begin, survey, progress):
            users.deal(rows, columns)

        def by_user():
            for rows, indptr, pieces in users:
                columns = in_order(indptr, placed(pieces, indptr), ratings.n_items)
                _refuse_repeats(indptr, columns[0], rows.start, ratings)
                raters = np.repeat(
                    np.arange(rows.start, rows.stop, dtype=np.int32), np.diff(indptr)
                )
                items.deal(columns[0], [raters, columns[1]])
                bar.update(len(raters))
                yield columns

        def by_item():
            for _, indptr, pieces in items:  # dealt in the order of the users, they are in it
                columns = placed(pieces, indptr)
                bar.update(len(columns[0]))
                yield columns

        types = [np.dtype(np.int32), survey.coding().dtype, *survey.beside.values()]
        indices, data, *beside = _streamed(by_user(), types, survey.n_ratings, folder, opened)
        ratings.by_user = ratings.by_user._replace(indices=indices, data=data)
        vars(ratings).update(zip(survey.beside, beside, strict=True))
        indices, data = _streamed(by_item(), types[:2], survey.n_ratings, folder, opened)
        ratings.by_item = ratings.by_item._replace(indices=indices, data=data)
        storage.save(ratings, path)


def _described(ratings: Ratings, begin: Pass, scale, progress: bool) -> Survey:
    """Make the first pass, and set all that is known then of the ratings."""
    from alslib.data.ratings import CSR  # which imports this module

    survey = _survey(begin, progress)
    survey.describe(ratings, scale)
    nothing = np.empty(0, np.int32), np.empty(0, survey.coding().dtype)
    ratings.by_user = CSR(survey.users.pointers(), *nothing)
    ratings.by_item = CSR(survey.items.pointers(), *nothing)
    ratings.times = ratings.weights = None
    return survey


def _survey(begin: Pass, progress: bool) -> Survey:
    """Make the first pass."""
    survey = Survey()
    for _ in _go_through(begin, survey.count, _bar("counted", progress)):
        pass
    return survey


def _second_pass(begin: Pass, survey: Survey, progress: bool) -> Iterator[list[np.ndarray]]:
    """Yield piece by piece the users, the items, the stored ratings, and what is beside."""
    return _go_through(begin, survey.encode, _bar("placed", progress, total=survey.n_ratings))


def _go_through(begin: Pass, take: Callable, bar) -> Iterator:
    """Yield what is made of each piece; what is wrong with one is said with its name."""
    with bar:
        for called, columns in begin():
            n_ratings = len(columns[0])
            if not n_ratings:
                continue
            try:
                taken = take(*as_columns(*columns, keep=None))
            except (TypeError, ValueError) as error:
                raise type(error)(f"{called}: {error}") from error
            yield taken
            bar.update(n_ratings)


def _bar(doing: str, progress: bool, total: int | None = None):
    return progress_bar(shown=progress, desc=doing, total=total, unit="rating", unit_scale=True)


class _Spool:
    """A file without a name, to which columns are written piece by piece, and read again."""

    def __init__(self, folder: Path):
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
        self._written: list[list[tuple[np.dtype, int]]] = []

    def write(self, columns: list[np.ndarray]) -> None:
        """Append a piece."""
        for column in columns:
            self._file.write(np.ascontiguousarray(column).view(np.uint8))
        self._written.append([(column.dtype, len(column)) for column in columns])

    def __iter__(self) -> Iterator[list[np.ndarray]]:
        self._file.seek(0)
        for described in self._written:
            columns = [np.empty(length, dtype) for dtype, length in described]
            for column in columns:
                self._file.readinto(column.view(np.uint8))
            yield columns

    def close(self) -> None:
        """Remove the file."""
        self._file.close()


class _Buckets:
    """Ratings dealt out to files, each of a stretch of rows."""

    def __init__(self, indptr: np.ndarray, folder: Path, opened: ExitStack):
        self._indptr = indptr
        self._stretches = _stretches(indptr)
        self._spools = [opened.enter_context(closing(_Spool(folder))) for _ in self._stretches]
        lengths = [rows.stop - rows.start for rows in self._stretches]
        self._bucket_of = np.repeat(np.arange(len(lengths), dtype=np.uint8), lengths)

    def deal(self, rows: np.ndarray, columns: list[np.ndarray]) -> None:
        """Append ratings to the buckets of their rows; within a bucket they keep their order."""
        bucket = self._bucket_of[rows]
        order = np.argsort(bucket, kind="stable")
        borders = np.searchsorted(bucket[order], np.arange(len(self._spools) + 1))
        dealt = [column[order] for column in (rows, *columns)]
        for number, spool in enumerate(self._spools):
            part = slice(borders[number], borders[number + 1])
            if part.start < part.stop:
                spool.write([column[part] for column in dealt])

    def __iter__(self) -> Iterator[tuple[slice, np.ndarray, Iterator[list[np.ndarray]]]]:
        """Yield rows, where each begins in their bucket, and the pieces: rows there, columns."""
        for rows, spool in zip(self._stretches, self._spools, strict=True):
            indptr = self._indptr[rows.start : rows.stop + 1]
            yield rows, indptr - indptr[0], ([r - rows.start, *rest] for r, *rest in spool)
            spool.close()


def _stretches(indptr: np.ndarray) -> list[slice]:
    """Cut rows into stretches of about equally many ratings, few enough to be put in order."""
    n_stretches = min(_MOST_BUCKETS, -(-int(indptr[-1]) // _BUCKET))
    inner = np.searchsorted(indptr, indptr[-1] * np.arange(1, n_stretches) // n_stretches)
    borders = np.unique([0, *inner, len(indptr) - 1]).tolist()
    return [slice(*ends) for ends in itertools.pairwise(borders)]


def placed(pieces: Iterable[list[np.ndarray]], indptr: np.ndarray) -> list[np.ndarray]:
    """Return columns in the order of their rows, and within a row as they have come.

    Parameters
    ----------
    pieces : iterable of list of ndarray
        Rows and columns.
    indptr : ndarray of int64, shape (n_rows + 1,)
        Where each row begins.

    Raises
    ------
    ValueError
        If there are other ratings in the pieces than the rows have room for.
    """
    cursor, found = indptr[:-1].copy(), []
    for rows, *columns in pieces:
        if not found:
            found = [np.empty(indptr[-1], column.dtype) for column in columns]
        places = kernels.rows.next_places(rows, cursor)
        if places.max() >= indptr[-1]:
            raise ValueError(CHANGED)
        for column, into in zip(columns, found, strict=True):
            into[places] = column
    if not np.array_equal(cursor, indptr[1:]):
        raise ValueError(CHANGED)
    return found


def in_order(indptr: np.ndarray, columns: list[np.ndarray], n_items: int) -> list[np.ndarray]:
    """Return columns with each row sorted by the first of them, the items."""
    sorted_rows = indptr, columns[0], np.arange(len(columns[0]))
    for n_rows in (n_items, len(indptr) - 1):  # transposing sorts: twice, and rows are rows again
        sorted_rows = kernels.rows.transpose(*sorted_rows, n_rows)
    return [column[sorted_rows[2]] for column in columns]


def _refuse_repeats(indptr: np.ndarray, items: np.ndarray, first_user: int, ratings) -> None:
    n_repeats, first = kernels.rows.count_repeats(indptr, items)
    if n_repeats:
        row = first_user + np.searchsorted(indptr, first, side="right") - 1
        raise ValueError(
            f"user {ratings.user_ids[row]} rated item {ratings.item_ids[items[first]]} more than "
            "once; make one rating of each pair first"
        )


def _streamed(rows, types, length: int, folder: Path, opened: ExitStack) -> list[Streamed]:
    """Return columns to be written one after the other, though they come side by side."""
    spools = [opened.enter_context(closing(_Spool(folder))) for _ in types[1:]]

    def first():
        for column, *rest in rows:
            for spool, other in zip(spools, rest, strict=True):
                spool.write([other])
            yield column

    parts = [first(), *((column for [column] in spool) for spool in spools)]
    return [Streamed(dtype, length, part) for dtype, part in zip(types, parts, strict=True)]
