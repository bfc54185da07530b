"""Ratings that come in pieces: files in a folder, or tables of somebody else's making."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from os import PathLike
from pathlib import Path
from typing import TypeAlias

import pandas as pd

from alslib._extras import needed_for
from alslib.data.tables import Table, is_table, read_columns

Pieces: TypeAlias = (
    str
    | PathLike[str]
    | Iterable[str | PathLike[str]]
    | Iterable[Table]
    | Callable[[], Iterable[Table]]
)

# Rows that are read from a file at a time.
_ROWS = 1 << 18
_ENDINGS = (".parquet", ".csv", ".csv.gz")


def read_pieces(pieces: Pieces, names: list[Hashable]) -> Iterator[tuple[str, list]]:
    """Yield some columns of one piece after the other, and what to call the piece.

    Parameters
    ----------
    pieces : path, iterable of paths or of tables, or function that returns one
        As `Ratings.from_pieces` takes them.
    names : list of hashable
        Which columns.

    Raises
    ------
    ImportError
        If there is a Parquet file and no pyarrow.
    TypeError
        If these are no pieces, or can be gone through only once.
    ValueError
        If a column is missing, or a folder has no such files.
    """
    for number, piece in enumerate(_each(pieces)):
        if isinstance(piece, str | PathLike):
            yield from _read_file(Path(piece), names)
        else:
            called = f"piece {number}"
            yield called, read_columns(piece, names, called)


def _each(pieces: Pieces) -> Iterable:
    if callable(pieces) and not is_table(pieces):
        return pieces()
    if isinstance(pieces, str | PathLike):
        return files_of(pieces)
    if is_table(pieces):
        raise TypeError("this is one table: Ratings.from_frame reads it")
    if not isinstance(pieces, Iterable):
        raise TypeError(f"pieces must be paths or tables, got {type(pieces).__name__}")
    if isinstance(pieces, Iterator):
        raise TypeError(
            "an iterator can be gone through only once, and ratings need two passes: give a "
            "function that returns a new one, or a list"
        )
    return pieces


def files_of(path: str | PathLike[str]) -> list[Path]:
    """Return a file, or the files of ratings in a folder; Spark and Dask leave others there."""
    path = Path(path)
    if not path.is_dir():
        return [path]
    files = sorted(p for p in path.iterdir() if _ending_of(p) and p.name[0] not in "._")
    if not files:
        raise ValueError(f"there is no file that ends in {', '.join(_ENDINGS)} in {path}")
    return files


def ending_of(path: Path) -> str:
    """Return by which of the known endings a name says what is in a file.

    Raises
    ------
    ValueError
        If by none.
    """
    ending = _ending_of(path)
    if ending is None:
        raise ValueError(f"{path} does not end in {', '.join(_ENDINGS)}")
    return ending


def _ending_of(path: Path) -> str | None:
    return next((ending for ending in _ENDINGS if path.name.endswith(ending)), None)


def _read_file(path: Path, names) -> Iterator[tuple[str, list]]:
    read = _parquet if ending_of(path) == ".parquet" else _csv
    first = 0
    for table in read(path, names):
        called = f"{path}, rows {first:,} to {first + len(table) - 1:,}"
        yield called, read_columns(table, names, str(path))
        first += len(table)


def _parquet(path: Path, names) -> Iterator[Table]:
    with needed_for("reading Parquet", extra="parquet"):
        import pyarrow as pa
        from pyarrow import parquet
    with parquet.ParquetFile(path) as file:
        read_columns(pa.schema(file.schema_arrow).empty_table(), names, str(path))
        for batch in file.iter_batches(_ROWS, columns=names):
            yield pa.Table.from_batches([batch])


def _csv(path: Path, names) -> Iterator[Table]:
    read_columns(pd.read_csv(path, nrows=0), names, str(path))
    with pd.read_csv(path, usecols=names, chunksize=_ROWS) as reader:
        yield from reader
