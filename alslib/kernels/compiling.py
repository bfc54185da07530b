"""numba's compiler for places that are not a developer's own machine: containers, servers.

There a folder cannot be written, a disk is full, or a process that has forked calls threads that
it does not have. A kernel then runs uncached, waits for its turn, or says what is wrong.
"""

from __future__ import annotations

import functools
import os
import sys
import threading
import warnings
from collections.abc import Callable
from typing import Any

import numba
from numba.core.caching import FunctionCache

_CURE = (
    "numba cannot keep compiled functions here ({reason}): each process compiles them anew, which "
    "takes some seconds; set NUMBA_CACHE_DIR to a folder that can be written"
)
_FORKED = (
    "this process was forked from one whose numba threads had started, and these do not survive a "
    "fork; start processes by 'spawn' or 'forkserver', or set NUMBA_THREADING_LAYER=workqueue"
)

_one_at_a_time = threading.RLock()
_threads_lost = False


def njit(function: Callable | None = None, /, **options: Any) -> Callable:
    """Compile as `numba.njit` does, and keep the result for the next process if that is possible.

    With ``parallel=True`` the function also takes its turn where numba has no threading layer that
    several threads can call, and raises a RuntimeError in a process that was forked from one with
    threads of GNU OpenMP, instead of waiting for them for ever.

    Parameters
    ----------
    function, **options
        As for `numba.njit`, with or without parentheses.
    """
    if function is None:
        return functools.partial(njit, **options)
    dispatcher = numba.njit(**options)(function)
    try:
        dispatcher._cache = _ForgivingCache(function)
    except RuntimeError:  # no folder can be written, not the home either
        _say_once("no folder can be written")
    return _in_turn(dispatcher) if options.get("parallel") else dispatcher


class _ForgivingCache(FunctionCache):
    """A cache whose troubles cost time, and nothing else."""

    def load_overload(self, sig, target_context):
        try:
            return super().load_overload(sig, target_context)
        except OSError as error:
            _say_once(error.strerror)
        # What unpickling raises on a file that was cut off depends on where it was.
        except Exception:
            self._forget()
        return None

    def save_overload(self, sig, data):
        try:
            super().save_overload(sig, data)
        except OSError as error:
            _say_once(error.strerror)

    def _forget(self):
        """Empty the index, so that damaged files are replaced by what is compiled next."""
        try:
            self.flush()
        except OSError as error:
            _say_once(error.strerror)


@functools.cache
def _say_once(reason: str) -> None:
    warnings.warn(_CURE.format(reason=reason), RuntimeWarning, stacklevel=2)


def _in_turn(dispatcher):
    @functools.wraps(dispatcher)
    def call(*args):
        if _threads_lost:
            raise RuntimeError(_FORKED)
        numba.get_num_threads()  # starts the threads, and so finds out what there is
        if numba.threading_layer() != "workqueue":
            return dispatcher(*args)
        with _one_at_a_time:  # two callers at a time would end the process
            return dispatcher(*args)

    return call


def _after_fork() -> None:
    global _threads_lost, _one_at_a_time
    _one_at_a_time = threading.RLock()  # somebody may have held it who does not exist here
    try:
        layer = numba.threading_layer()
    except ValueError:  # threads had not started
        return
    # The other layers survive a fork, as do other makers' OpenMP outside of Linux.
    _threads_lost = layer == "omp" and sys.platform.startswith("linux")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
