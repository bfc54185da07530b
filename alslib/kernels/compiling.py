"""numba's compiler for places that are not a developer's own machine: containers, servers.

There a folder cannot be written, or a disk is full. A kernel then runs uncached, and says so.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

import numba
from numba.core.caching import FunctionCache

_CURE = (
    "numba cannot keep compiled functions here ({reason}): each process compiles them anew, which "
    "takes some seconds; set NUMBA_CACHE_DIR to a folder that can be written"
)


def njit(function: Callable | None = None, /, **options: Any) -> Callable:
    """Compile as `numba.njit` does, and keep the result for the next process if that is possible.

    The function lets go of Python's lock while it runs, so that other threads can run, too: see
    `alslib.kernels.threads`.

    Parameters
    ----------
    function, **options
        As for `numba.njit`, with or without parentheses.
    """
    if function is None:
        return functools.partial(njit, **options)
    dispatcher = numba.njit(nogil=True, **options)(function)
    try:
        dispatcher._cache = _ForgivingCache(function)
    except RuntimeError:  # no folder can be written, not the home either
        _say_once("no folder can be written")
    return dispatcher


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
