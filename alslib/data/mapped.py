"""Arrays that lie in a file: read a stretch at a time, they take little memory however large.

The system brings in the pages of a mapped file that are read, and keeps them as long as it has
room. To whoever measures a process, and to the limit of a container, that is memory it uses.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator

import numpy as np

# Bytes of a mapped view that are in memory at a time: many times what all threads work on at once.
_AT_ONCE = 1 << 28


def stretches(indptr: np.ndarray, columns: tuple[np.ndarray, ...]) -> Iterator[slice]:
    """Yield stretches of rows, one after the other, that cover them all.

    Rows in memory are one stretch. Of rows that lie in a file a stretch is about a quarter of a
    gigabyte, or one row, and the memory that it took is given back when the next is asked for.

    Parameters
    ----------
    indptr : ndarray of int64, shape (n_rows + 1,)
    columns : tuple of ndarray, shape (n_entries,)
        Row ``i`` owns the entries ``indptr[i]:indptr[i + 1]`` of each.
    """
    mapped = [column for column in columns if _pages_of(column) is not None]
    n_rows = len(indptr) - 1
    n_entries = max(1, _AT_ONCE // sum(column.itemsize for column in mapped)) if mapped else None
    first = 0
    while first < n_rows:
        last = n_rows
        if n_entries is not None:
            last = int(np.searchsorted(indptr, indptr[first] + n_entries, side="right")) - 1
            last = min(max(last, first + 1), n_rows)
        yield slice(first, last)
        for column in mapped:
            _let_go(column[indptr[first] : indptr[last]])
        first = last


def _pages_of(array: np.ndarray) -> mmap.mmap | None:
    """Return the map that an array lies in, if it lies in one."""
    base = array
    while isinstance(base, np.ndarray):
        base = base.base
    base = base.obj if isinstance(base, memoryview) else base
    return base if isinstance(base, mmap.mmap) else None


def _let_go(array: np.ndarray) -> None:
    """Tell the system that an array need not stay in memory; what was changed in it is lost."""
    pages = _pages_of(array)
    if not hasattr(pages, "madvise"):  # Windows, which takes pages back when it needs them
        return
    start = array.ctypes.data - np.frombuffer(pages, np.uint8).ctypes.data
    before = start % mmap.PAGESIZE
    if array.nbytes:
        pages.madvise(mmap.MADV_DONTNEED, start - before, array.nbytes + before)
