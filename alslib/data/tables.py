"""Tables of whichever library: named columns, which are read one by one.

Columns are read through NumPy, so that none of these libraries has to be installed, nor one that
knows them all.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

import numpy as np
import pandas as pd


class NamedColumns(Protocol):
    """What tables of Polars, Arrow and other libraries have in common."""

    @property
    def columns(self) -> Any:
        """The columns or their names."""

    def __getitem__(self, name: Any, /) -> Any:
        """Return a column."""


Table: TypeAlias = pd.DataFrame | Mapping[Any, Any] | NamedColumns


def is_table(value: object) -> bool:
    """Tell whether something has columns with names."""
    return isinstance(value, Mapping) or hasattr(type(value), "columns")


def as_column(values: Any) -> Any:
    """Return a column for NumPy to read: those of Polars and Arrow are converted by their library.

    Else strings of Polars would become as wide as the longest, and the gaps in a dictionary column
    of an Arrow table would be filled with its other entries.
    """
    library = _library(values)
    if library == "polars":
        return values.to_numpy()
    return values.to_pandas() if library == "pyarrow" else values


def read_columns(table: Table, names: Sequence[Hashable], what: str) -> list[Any]:
    """Return some columns of a table.

    Parameters
    ----------
    table : DataFrame, Arrow table, or dict of columns
        A DataFrame of pandas, Polars, or another library whose columns NumPy can read.
    names : sequence of hashable
        Which columns.
    what : str
        What the table is, for error messages.

    Returns
    -------
    list of array_like
        A column each, as `as_column` returns it.

    Raises
    ------
    TypeError
        If this is no table, or a lazy one.
    ValueError
        If a column is missing.
    """
    _require(names, table, what)
    return [as_column(table[name]) for name in names]


def as_frame(table: Table, what: str, needed: Sequence[Hashable] = ()) -> pd.DataFrame:
    """Return any table as a DataFrame of pandas; one that is has its index left as it is.

    Parameters
    ----------
    table, what
        As in `read_columns`.
    needed : sequence of hashable
        The columns that must be there.

    Raises
    ------
    TypeError
        If this is no table, or a lazy one.
    ValueError
        If a column is missing, or columns have different lengths or several values in a row.
    """
    there = _require(needed, table, what)
    if isinstance(table, pd.DataFrame):
        return table
    columns = {name: as_column(table[name]) for name in there}
    shapes = {name: np.shape(column) for name, column in columns.items()}
    if any(len(shape) != 1 for shape in shapes.values()) or len(set(shapes.values())) > 1:
        raise ValueError(f"{what}: columns must be equally long, got {shapes}")
    # Rows belong together by their place, also those of Series with indices of their own.
    return pd.DataFrame({name: pd.Series(column).array for name, column in columns.items()})


def _require(names, table, what) -> list:
    """Return the names of all columns, if these are among them."""
    there = _names(table, what)
    missing = [name for name in names if name not in there]
    if missing:
        raise ValueError(f"no column {missing} in {what}; it has {there}")
    return there


def _names(table, what) -> list:
    if hasattr(table, "collect"):
        raise TypeError(f"{what}: a lazy table has no rows yet; call .collect() first")
    if not is_table(table):
        raise TypeError(
            f"{what} must be a table (a DataFrame of pandas or Polars, an Arrow table, or a dict "
            f"of columns), got {type(table).__name__}"
        )
    if isinstance(table, Mapping):
        return list(table)
    return list(table.column_names if _library(table) == "pyarrow" else table.columns)


def _library(value) -> str:
    return type(value).__module__.partition(".")[0]
