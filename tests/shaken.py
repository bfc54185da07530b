"""What a kernel does first on the machine that `notebooks.py` calls shaken.

No processor does all of this. It makes visible, on one run, what hangs on the last bits of a result
or on the order of equal keys.
"""

import functools

import numpy as np
import pandas as pd

from alslib import kernels

# A few units in the last place: of float32 where factors are solved for, of float64 elsewhere.
SINGLE, DOUBLE = 4 * np.finfo(np.float32).eps, 16 * np.finfo(np.float64).eps
# How far the last argument of a compiled function is moved, which it writes.
WRITTEN = {kernels.latent: SINGLE, kernels.conjugate_gradients: SINGLE, kernels.bias: DOUBLE}


def noise(values):
    """Return a number from -1 to 1 for each value, which hangs on the bits of that value alone.

    So what is equal stays equal, as it does on any processor: twins stay twins, and two fits of the
    same ratings the same.
    """
    bits = np.ascontiguousarray(values).view(f"u{values.itemsize}").astype(np.uint64)
    mixed = (bits ^ (bits >> np.uint64(17))) * np.uint64(0x9E3779B97F4A7C15)  # any odd number mixes
    return (mixed >> np.uint64(32)) / 2.0**31 - 1


def shake(half_step, size):
    """Let a half-step move the rows that it has written a little."""

    @functools.wraps(half_step)
    def shaken(first, last, *arguments):
        result = half_step(first, last, *arguments)
        written = arguments[-1]
        for array in written if isinstance(written, tuple) else [written]:
            values = array[first:last]
            values *= (1 + size * noise(values)).astype(values.dtype)
        return result

    return shaken


def with_ties_reversed(argsort):
    """Let a sort leave equal keys in the reverse of their order, unless it has to keep them."""

    @functools.wraps(argsort)
    def reversed_ties(a, axis=-1, kind=None, order=None, *, stable=None):
        if kind in ("stable", "mergesort") or stable or order is not None or axis is None:
            return argsort(a, axis=axis, kind=kind, order=order, stable=stable)
        a = np.asarray(a)
        backwards = argsort(np.flip(a, axis), axis=axis, kind="stable")
        # Stable on what stands the other way round: the last of equals comes first.
        return a.shape[axis] - 1 - backwards

    return reversed_ties


def with_pandas_ties_reversed(nargsort):
    """Do the same where pandas sorts."""

    @functools.wraps(nargsort)
    def reversed_ties(items, kind="quicksort", ascending=True, na_position="last", **others):
        options = {"ascending": ascending, "na_position": na_position, **others}
        if kind in ("stable", "mergesort"):
            return nargsort(items, kind=kind, **options)
        backwards = nargsort(items[::-1], kind="stable", **options)
        return len(items) - 1 - backwards

    return reversed_ties


def shake_everything():
    """Replace what a kernel will call; whoever only imports this module is left in peace."""
    for module, size in WRITTEN.items():
        module.half_step = shake(module.half_step, size)
    np.argsort = with_ties_reversed(np.argsort)
    for module in (pd.core.sorting, pd.core.frame, pd.core.series, pd.core.indexes.base):
        if hasattr(module, "nargsort"):
            module.nargsort = with_pandas_ties_reversed(module.nargsort)


def dask_setup(worker):
    """Shake a worker of a cluster, too: Dask calls this in a module that it is told to preload."""
    shake_everything()
