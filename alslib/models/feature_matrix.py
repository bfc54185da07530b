"""From tables and matrices of features to one design matrix whose rows have length 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd
import scipy  # which imports its sparse matrices when they are needed: not for a plain model

from alslib.data.ids import look_up, refuse_masked
from alslib.data.tables import as_frame, is_table

if TYPE_CHECKING:
    from alslib.data.tables import Table

    Block: TypeAlias = Table | np.ndarray | scipy.sparse.sparray | scipy.sparse.spmatrix
    Features: TypeAlias = Block | Sequence[Block]

# Where a table without an index has its ids.
_ID_COLUMNS = {"item_features": "movie_id", "user_features": "user_id"}


def design_matrix(
    features: Features | None,
    name: str,
    ids: np.ndarray | None = None,
    columns: list[list[str]] | None = None,
) -> tuple[scipy.sparse.csr_array, list[list[str]]]:
    """Put the blocks side by side, each row scaled to length 1 in every block and then as a whole.

    Parameters
    ----------
    features : table, matrix, or list of these, or None
        A DataFrame of pandas has ids as index; another table has them in the column movie_id or
        user_id; a matrix has rows in the order of `ids`.
    name : {"item_features", "user_features"}
        What the features are.
    ids : ndarray of shape (n,), optional
        The ids that rows are wanted for, ascending. Without them rows stay as they come.
    columns : list of list of str, optional
        The columns of each block at an earlier call, which these must match: a table may lack
        some and have them in any order. Without them columns stay as they come.

    Returns
    -------
    matrix : csr_array of float64, shape (n, n_features)
    columns : list of list of str
        The column names of each block; those of a matrix are "0", "1", ….

    Raises
    ------
    TypeError
        If a block does not hold numbers, is a lazy table, or has other kinds of ids.
    ValueError
        If a number is NaN, infinite or masked, an id is missing or there twice, ids are not where
        they belong, shapes do not fit, or columns do not match.
    """
    if features is None:
        features = []
    blocks = list(features) if isinstance(features, list | tuple) else [features]
    if columns is not None and len(columns) != len(blocks):
        raise ValueError(
            f"{name}: the fit had {len(columns)} tables or matrices, not {len(blocks)}"
        )
    known = [None] * len(blocks) if columns is None else columns
    read = [_read(block, name, ids, names) for block, names in zip(blocks, known, strict=True)]
    heights = {len(ids)} if ids is not None else {matrix.shape[0] for matrix, _ in read}
    for matrix, _ in read:
        if {matrix.shape[0]} != heights:
            raise ValueError(
                f"{name}: a matrix has {matrix.shape[0]} rows, where {max(heights)} are needed"
            )
        if columns is None and matrix.shape[1] == 1:
            _refuse_lone_numbers(matrix, name)
    if not read:
        return scipy.sparse.csr_array((max(heights, default=0), 0)), []
    blocks = [_unit_rows(matrix) for matrix, _ in read]
    if len(blocks) > 1:
        blocks = [_unit_rows(scipy.sparse.hstack(blocks, format="csr"))]
    return blocks[0], [names for _, names in read]


def _read(block, name, ids, known) -> tuple[scipy.sparse.csr_array, list[str]]:
    if is_table(block):
        return _read_table(_indexed(block, name, ids), name, ids, known)
    matrix = _numbers(block, name)
    names = [str(column) for column in range(matrix.shape[1])]
    if known is not None and names != known:
        raise ValueError(
            f"{name}: the fit had the columns {_listed(known)}, this matrix has {_listed(names)}"
        )
    return matrix, names


def _listed(names) -> str:
    """Name all columns, or the first and the last with their number."""
    if len(names) <= 4:
        return str(names)
    return f"[{names[0]!r}, …, {names[-1]!r}] ({len(names)})"


def _refuse_lone_numbers(matrix, name) -> None:
    """Refuse a single column of several numbers: in rows of length 1 all of them are 1 or −1."""
    sizes = np.unique(np.abs(matrix.data[matrix.data != 0]))
    if len(sizes) > 1:
        raise ValueError(
            f"{name}: each row is scaled to length 1, so that a single column of numbers, here "
            f"from {sizes[0]:g} to {sizes[-1]:g}, would say the same of all; cut it into bins: "
            "pandas.get_dummies(pandas.cut(column, 10))"
        )


def _indexed(table, name, ids) -> pd.DataFrame:
    """Return a table as a DataFrame whose index holds the ids, if any are wanted."""
    frame, column = as_frame(table, name), _ID_COLUMNS[name]
    if isinstance(table, pd.DataFrame):
        return frame
    if column in frame.columns:
        return frame.set_index(column)
    if ids is not None:  # rows would be taken by position
        raise ValueError(
            f"{name}: the ids of a table without an index belong into the column {column!r}; this "
            f"one has the columns {_listed(list(frame.columns))}"
        )
    return frame


def _read_table(table, name, ids, known) -> tuple[scipy.sparse.csr_array, list[str]]:
    names = [str(column) for column in table.columns]
    if len(set(names)) < len(names):
        raise ValueError(f"{name}: several columns have the same name: {names}")
    matrix = _numbers(_as_array(table, name), name)
    if known is not None:
        unknown = sorted(set(names) - set(known))
        if unknown:
            raise ValueError(f"{name}: the fit did not have the columns {unknown}")
        places = np.array([known.index(column) for column in names], dtype=np.int64)
        choice = scipy.sparse.csr_array(
            (np.ones(len(names)), (np.arange(len(names)), places)), shape=(len(names), len(known))
        )
        matrix, names = scipy.sparse.csr_array(matrix @ choice), known
    if ids is not None:
        _refuse_ids_as_column(table, name, ids)
        matrix = matrix[_rows(table.index, name, ids)]
    return matrix, names


def _as_array(table, name) -> np.ndarray:
    with_gaps = [
        column
        for column, dtype in table.dtypes.items()
        if pd.api.types.is_object_dtype(dtype)
        and pd.api.types.infer_dtype(table[column], skipna=True) == "boolean"
    ]
    table = table.astype(dict.fromkeys(with_gaps, "boolean"))  # else True and None are objects
    wrong = [
        str(column)
        for column, dtype in zip(table.columns, table.dtypes, strict=True)
        if not (pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_bool_dtype(dtype))
        or pd.api.types.is_complex_dtype(dtype)
    ]
    if wrong:
        raise TypeError(
            f"{name} must hold numbers, but the columns {wrong} do not: leave them out, or turn "
            "each into columns of 0 and 1 with pandas.get_dummies"
        )
    return table.to_numpy(np.float64, na_value=np.nan)


def _refuse_ids_as_column(table, name, ids) -> None:
    """Refuse a table whose index nobody has set, while one of its columns holds every id.

    Ids 0, 1, … would be looked up in such an index, which only counts the rows.
    """
    if table.index.name is not None or not table.index.equals(pd.RangeIndex(len(table))):
        return
    for column, values in table.items():
        if values.is_unique and np.isin(ids, values.to_numpy()).all():
            raise ValueError(
                f"{name}: the column {str(column)!r} holds the ids, which belong into the index: "
                f"table.set_index({str(column)!r})"
            )


def _rows(index, name, ids) -> np.ndarray:
    """Return the row of each id in a table; rows of other ids are left out."""
    places = look_up(ids, index, f"ids in {name}")
    rows = np.flatnonzero(places >= 0)
    counts = np.bincount(places[rows], minlength=len(ids))
    if counts.max() > 1:
        raise ValueError(
            f"{name} have several rows for {np.sum(counts > 1)} ids, the first is "
            f"{ids[np.argmax(counts > 1)]}"
        )
    missing = np.flatnonzero(counts == 0)
    if len(missing):
        raise ValueError(
            f"{name} lack {len(missing)} of the {len(ids)} ids in the ratings, "
            f"the first is {ids[missing[0]]}; give every id a row, if need be of zeros"
        )
    row_of_id = np.empty(len(ids), np.int64)
    row_of_id[places[rows]] = rows
    return row_of_id


def _numbers(block, name) -> scipy.sparse.csr_array:
    refuse_masked(block, f"entries of {name}")
    array = block if scipy.sparse.issparse(block) else np.asarray(block)
    if array.ndim != 2:
        raise ValueError(f"{name} must have rows and columns, got shape {array.shape}")
    if array.dtype.kind not in "buif":
        raise TypeError(f"{name} must hold numbers, got {array.dtype}")
    matrix = scipy.sparse.csr_array(array, dtype=np.float64)
    if not matrix.has_canonical_format:  # an entry may be there twice
        matrix = matrix.copy()
        matrix.sum_duplicates()
    bad = np.count_nonzero(~np.isfinite(matrix.data))
    if bad:
        raise ValueError(f"{name}: {bad} entries are NaN or infinite")
    return matrix


def _unit_rows(matrix) -> scipy.sparse.csr_array:
    """Scale each row to length 1; a row of zeros stays as it is."""
    if not matrix.nnz:
        return matrix
    n_entries = np.diff(matrix.indptr)
    # The squares of very large and very small numbers would be infinite or zero.
    largest = abs(matrix).max(axis=1).toarray().ravel()
    far_off = (largest > 1e100) | ((largest < 1e-100) & (largest > 0))
    data = matrix.data / np.repeat(np.where(far_off, largest, 1.0), n_entries)
    lengths = np.sqrt(_with_data(matrix, data**2).sum(axis=1))
    scale = np.divide(1.0, lengths, out=np.ones_like(lengths), where=lengths > 0)
    return _with_data(matrix, data * np.repeat(scale, n_entries))


def _with_data(matrix, data) -> scipy.sparse.csr_array:
    """Return a matrix with other entries in the same places, which are not copied."""
    return scipy.sparse.csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape)
