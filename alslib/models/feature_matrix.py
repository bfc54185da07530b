"""From tables and matrices of features to one design matrix whose rows have length 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import scipy  # which imports its sparse matrices when they are needed: not for a plain model

from alslib.data.ids import look_up

if TYPE_CHECKING:
    Block = pd.DataFrame | np.ndarray | scipy.sparse.sparray | scipy.sparse.spmatrix
    Features = Block | Sequence[Block]


def design_matrix(
    features: Features | None,
    name: str,
    ids: np.ndarray | None = None,
    columns: list[list[str]] | None = None,
) -> tuple[scipy.sparse.csr_array, list[list[str]]]:
    """Put the blocks side by side, each row scaled to length 1 in every block and then as a whole.

    Parameters
    ----------
    features : DataFrame, matrix, or list of these, or None
        A DataFrame has ids as index; a matrix has rows in the order of `ids`.
    name : str
        What the features are, for error messages.
    ids : ndarray of shape (n,), optional
        The ids that rows are wanted for, ascending. Without them rows stay as they come.
    columns : list of list of str, optional
        The columns of each block at an earlier call, which these must match: a DataFrame may lack
        some and have them in any order. Without them columns stay as they come.

    Returns
    -------
    matrix : csr_array of float64, shape (n, n_features)
    columns : list of list of str
        The column names of each block; those of a matrix are "0", "1", ….

    Raises
    ------
    TypeError
        If a block does not hold numbers, or its index other kinds of ids.
    ValueError
        If a number is NaN or infinite, an id is missing or there twice, shapes do not fit, or
        columns do not match.
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
    if not read:
        return scipy.sparse.csr_array((max(heights, default=0), 0)), []
    together = scipy.sparse.hstack([_unit_rows(matrix) for matrix, _ in read], format="csr")
    return _unit_rows(together), [names for _, names in read]


def _read(block, name, ids, known) -> tuple[scipy.sparse.csr_array, list[str]]:
    if isinstance(block, pd.DataFrame):
        return _read_table(block, name, ids, known)
    matrix = _numbers(block, name)
    names = [str(column) for column in range(matrix.shape[1])]
    if known is not None and names != known:
        raise ValueError(f"{name}: the fit had {len(known)} columns, this matrix has {len(names)}")
    return matrix, names


def _read_table(table, name, ids, known) -> tuple[scipy.sparse.csr_array, list[str]]:
    names = [str(column) for column in table.columns]
    if len(set(names)) < len(names):
        raise ValueError(f"{name}: several columns have the same name: {names}")
    matrix = _numbers(table.to_numpy(), name)
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
        matrix = matrix[_rows(table.index, name, ids)]
    return matrix, names


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
    array = block if scipy.sparse.issparse(block) else np.asarray(block)
    if array.ndim != 2:
        raise ValueError(f"{name} must have rows and columns, got shape {array.shape}")
    if array.dtype.kind not in "buif":
        raise TypeError(f"{name} must hold numbers, got {array.dtype}")
    matrix = scipy.sparse.csr_array(array, dtype=np.float64)
    bad = np.count_nonzero(~np.isfinite(matrix.data))
    if bad:
        raise ValueError(f"{name}: {bad} entries are NaN or infinite")
    return matrix


def _unit_rows(matrix) -> scipy.sparse.csr_array:
    """Scale each row to length 1; a row of zeros stays as it is."""
    lengths = np.sqrt(matrix.multiply(matrix).sum(axis=1))
    scale = np.divide(1.0, lengths, out=np.ones_like(lengths), where=lengths > 0)
    return scipy.sparse.csr_array(matrix.multiply(scale[:, None]))
