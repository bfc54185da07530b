"""Ids as the data set writes them ↔ dense indices 0, 1, 2, … as the arrays need them."""

from typing import Literal

import numpy as np
import pandas as pd

from alslib import kernels
from alslib.data.tables import as_column

# A lookup table with a slot for every possible id is the fastest way to index integers; it is used
# as long as it stays small beside the column it indexes.
_TABLE_SLOTS_PER_ID = 4
_TABLE_SLOTS_MINIMUM = 1 << 20

# What to do with ids that the model does not know.
Unknown = Literal["raise", "ignore"]


def as_ids(values, name: str) -> np.ndarray:
    """Return a column of ids as an array of integers or strings, or say what is wrong.

    Parameters
    ----------
    values : array_like
        Integers or strings, one-dimensional or scalar.
    name : str
        What the ids are, for the error message.

    Returns
    -------
    ndarray
        Of int32 or int64, of fixed-width strings, or of Python strings.

    Raises
    ------
    TypeError
        If the ids are neither all integers nor all strings.
    ValueError
        If an id does not fit in 64 signed bits, or ids are masked.
    """
    values = as_column(values)
    refuse_masked(values, name)
    if not hasattr(values, "dtype"):
        # NumPy would make two strings of "ann" and 3, and two integers of True and 2.
        values = _objects(values)
    array = np.asarray(values)
    if array.dtype.kind == "O" or isinstance(array.dtype, np.dtypes.StringDType):
        return _uniform(array.astype(object), name)
    if pd.api.types.is_string_dtype(getattr(values, "dtype", None)):
        return _uniform(np.asarray(values, dtype=object), name)
    if array.dtype.kind == "U":
        return array
    if array.size == 0:  # an empty list has no telling type
        return array.astype(np.int64)
    if array.dtype.kind not in "iu":
        hint = ""
        if array.dtype.kind == "f":
            gaps = f"{np.isnan(array).sum()} of {array.size} missing"
            hint = f" ({gaps}; a column with gaps becomes float in pandas)"
        raise TypeError(f"{name} must be integers or strings, got {array.dtype}{hint}")
    if array.dtype == np.uint64 and array.size and array.max() > np.iinfo(np.int64).max:
        raise ValueError(f"{name} must fit in 64 signed bits, got {array.max()}")
    return array if array.dtype in (np.int32, np.int64) else array.astype(np.int64)


def _objects(values) -> np.ndarray:
    array = np.asarray(values, dtype=object)
    kind = pd.api.types.infer_dtype(array.ravel(), skipna=False)
    gappy = kind in ("floating", "mixed-integer-float", "integer-na")
    return array.astype(np.float64) if gappy else array


def _uniform(array: np.ndarray, name: str) -> np.ndarray:
    """Return Python objects as one integer or string array; strings stay objects."""
    kind = pd.api.types.infer_dtype(array.ravel(), skipna=False)
    if kind == "integer":
        try:
            return array.astype(np.int64)
        except OverflowError as error:
            raise ValueError(f"{name} must fit in 64 signed bits: {error}") from error
    if kind == "empty":
        return array.astype(np.int64)
    if kind != "string":
        n_missing = int(pd.isna(array).sum())
        gaps = f", {n_missing} of {array.size} missing" if n_missing else ""
        cure = "" if n_missing else "; with .astype(str) all are strings"
        raise TypeError(
            f"{name} must be all integers or all strings, got {kind} values{gaps}{cure}"
        )
    return array


def refuse_masked(values, name: str) -> None:
    """Refuse a masked array with something masked: its values would be taken for real.

    Raises
    ------
    ValueError
    """
    if np.ma.is_masked(values):
        n_masked, first = np.ma.count_masked(values), np.argmax(np.ma.getmaskarray(values))
        raise ValueError(f"{n_masked} of {np.size(values)} {name} are masked, the first at {first}")


def index_ids(column: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number the distinct ids of a column in sorted order.

    Sorting makes the numbering independent of the order of the rows.

    Parameters
    ----------
    column : ndarray of shape (n,), n ≥ 1
        Ids from `as_ids`.

    Returns
    -------
    ids : ndarray of shape (n_distinct,)
        The distinct ids, ascending: the id of index ``i`` is ``ids[i]``.
    indices : ndarray of int32, shape (n,)
        The index of each row's id.
    """
    if column.dtype.kind == "i":
        lowest = int(column.min())
        n_slots = int(column.max()) - lowest + 1
        if n_slots <= max(_TABLE_SLOTS_MINIMUM, _TABLE_SLOTS_PER_ID * len(column)):
            return _index_by_table(column, lowest, n_slots)
    indices, ids = pd.factorize(column, sort=True)
    # Only now made to a fixed width: one long name would widen every row of the column.
    ids = np.asarray(ids, dtype=np.str_ if column.dtype.kind == "O" else column.dtype)
    return ids, indices.astype(np.int32)


def read_only(column: np.ndarray) -> np.ndarray:
    """Return a view that cannot be written to, as every column of pandas is.

    To numba that is a type of its own: with one of the two a kernel is compiled once, not twice.
    """
    view = column.view()
    view.flags.writeable = False
    return view


def _index_by_table(column, lowest, n_slots):
    column = read_only(column)
    present = np.zeros(n_slots, dtype=np.bool_)
    kernels.rows.mark_present(column, lowest, present)
    table = np.cumsum(present, dtype=np.int32) - np.int32(1)
    indices = np.empty(len(column), dtype=np.int32)
    kernels.rows.translate(column, lowest, table, indices)
    ids = np.flatnonzero(present) + lowest
    return ids.astype(column.dtype, copy=False), indices


def look_up(ids: np.ndarray, wanted, name: str) -> np.ndarray:
    """Return the index of each wanted id, or -1 where it is unknown.

    Parameters
    ----------
    ids : ndarray of shape (n_distinct,)
        Sorted ids.
    wanted : array_like of any shape
        Ids to find; of the same kind (integers or strings) as `ids`.
    name : str
        What the ids are, for the error message.

    Returns
    -------
    ndarray of int64, same shape as `wanted`

    Raises
    ------
    TypeError
        If integers are looked up among strings or the other way round.
    """
    wanted = as_ids(wanted, name)
    if wanted.size == 0:
        return np.empty(wanted.shape, np.int64)
    if wanted.dtype.kind == "O":
        wanted = wanted.astype(np.str_)
    if wanted.dtype.kind != ids.dtype.kind:
        kinds = {"i": "integers", "U": "strings"}
        raise TypeError(
            f"{name} are {kinds[ids.dtype.kind]} in these ratings, got {kinds[wanted.dtype.kind]}"
        )
    positions = np.minimum(np.searchsorted(ids, wanted), len(ids) - 1)
    return np.where(ids[positions] == wanted, positions, -1)


def known_indices(
    ids: np.ndarray,
    wanted,
    kind: str,
    error: type[Exception],
    cure: str = "",
    unknown: Unknown = "raise",
) -> np.ndarray:
    """Return the index of each wanted id, all of which must be known, if they are not ignored.

    Parameters
    ----------
    ids : ndarray of shape (n_distinct,)
        Sorted ids.
    wanted : array_like of shape (n,)
        Ids to find.
    kind : str
        What they are the ids of, for the error message: "user" or "item".
    error : type
        The exception to raise for unknown ids.
    cure : str
        What the message says about it at the end.
    unknown : {"raise", "ignore"}
        What to do with unknown ids.

    Returns
    -------
    ndarray of int64, shape (n,)
        -1 for an id that is ignored.

    Raises
    ------
    TypeError
        If the ids are of another kind than those known.
    ValueError
        If they are not a column, or `unknown` is something else.
    error
        If an id is unknown.
    """
    if unknown not in ("raise", "ignore"):
        raise ValueError(f'unknown must be "raise" or "ignore", got {unknown!r}')
    found = look_up(ids, wanted, f"{kind} ids")
    if found.ndim != 1:
        raise ValueError(f"{kind} ids must be a column, got shape {found.shape}")
    missing = np.flatnonzero(found < 0)
    if len(missing) and unknown == "raise":
        first = np.asarray(wanted, dtype=object)[missing[0]]
        if len(found) == 1:
            raise error(f"unknown {kind} {first!r}{cure}")
        raise error(
            f"{len(missing)} of {len(found)} {kind} ids are unknown, the first is {first!r}{cure}"
        )
    return found
