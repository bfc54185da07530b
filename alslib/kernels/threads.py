"""Loops over rows that several threads share (lesson 9).

Such a kernel does the rows from ``first`` up to ``last``, its first two arguments, and lets go of
Python's lock meanwhile. Each thread takes the next stretch when it is done with one. Threads end
with the loop that they were started for, so that there are none that a fork could lose.
"""

import itertools
import threading
from collections.abc import Callable
from typing import Any

import numba
import numpy as np

# Stretches that a loop is cut into at most, so that nobody has to wait long for the last of them.
N_STRETCHES = 64
# Operations in a stretch at least: a core does them in the time that it takes to start two threads.
_WORTHWHILE = 2_000_000


def equal_stretches(indptr: np.ndarray, per_rating: float, per_row: float = 0.0) -> np.ndarray:
    """Cut compressed rows into stretches of about equal work, given in operations.

    Returns
    -------
    borders : ndarray of int64, shape (n_stretches + 1,)
    """
    work = np.cumsum(per_rating * np.diff(indptr) + per_row)
    n_stretches = int(min(N_STRETCHES, 1 + work[-1] / _WORTHWHILE))
    inner = np.searchsorted(work, work[-1] * np.arange(1, n_stretches) / n_stretches)
    return np.concatenate(([0], inner, [len(work)]))


def each_stretch(kernel: Callable, borders: np.ndarray, *arguments: Any) -> list:
    """Call ``kernel(first, last, *arguments)`` for every stretch, on several threads.

    Parameters
    ----------
    kernel : callable
        What it writes must belong to its rows: nobody says which stretch is done first.
    borders : ndarray of int, shape (n_stretches + 1,)
        A stretch starts where the one before it ends.
    *arguments
        What all calls are given.

    Returns
    -------
    list
        What the calls return, in the order of the stretches.

    Raises
    ------
    BaseException
        What a call raises; no other is begun after it.

    Notes
    -----
    There are as many threads as `numba.get_num_threads` says, and this one is one of them.
    """
    borders = borders.tolist()
    results = [None] * (len(borders) - 1)
    turns = itertools.count()
    errors: list[BaseException] = []

    def work() -> None:
        try:
            while not errors and (turn := next(turns)) < len(results):
                results[turn] = kernel(borders[turn], borders[turn + 1], *arguments)
        except BaseException as error:  # Ctrl-C, too
            errors.append(error)

    n_others = min(numba.get_num_threads(), len(results)) - 1
    others = [threading.Thread(target=work) for _ in range(n_others)]
    for thread in others:
        thread.start()
    work()
    for thread in others:
        thread.join()
    if errors:
        raise errors[0]
    return results
