"""Parsed ratings on disk as plain arrays: a second load maps them instead of parsing text."""

import json
import os
import tempfile
import zlib
from pathlib import Path

import numpy as np
import pandas as pd

from alslib.data.grouplens.rating_lines import COLUMNS

# Raise it whenever what is written, or how a release is parsed, changes: older copies are rebuilt.
VERSION = 1

_MOVIES = "movies.csv"
# Says what the copy holds. Files and seal that do not agree are no copy.
_SEAL = "seal.json"


def save(folder: Path, key: str | None, ratings: pd.DataFrame, movies: pd.DataFrame) -> None:
    """Write a parsed copy into `folder`, over an older one if there is one.

    Everything is first written beside `folder`, then moved; when that fails nothing is left behind.

    Parameters
    ----------
    folder : Path
        Made if need be.
    key : str or None
        Tells what was parsed; `load` asks for the same.
    ratings, movies : DataFrame
        As `read_grouplens` returns them.

    Raises
    ------
    OSError
        If something cannot be written.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as beside:
        unfinished = Path(beside)
        for name in COLUMNS:
            np.save(unfinished / f"{name}.npy", ratings[name].to_numpy(), allow_pickle=False)
        write_movies(movies, unfinished / _MOVIES)
        sums = {file.name: _checksum(file) for file in sorted(unfinished.iterdir())}
        seal = {"version": VERSION, "key": key, "crc32": sums}
        (unfinished / _SEAL).write_text(json.dumps(seal, indent=1), encoding="utf-8")
        folder.mkdir(exist_ok=True)
        for file in sorted(unfinished.iterdir()):
            os.replace(file, folder / file.name)


def load(folder: Path, key: str | None) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    """Map the parsed copy in `folder` into memory.

    All bytes are read once, to compare their checksums. After that the frame of ratings lies on the
    files themselves: the system may drop what nobody uses and share the rest between processes, and
    what a caller changes in the frame stays in memory.

    Parameters
    ----------
    folder : Path
        What `save` wrote to.
    key : str or None
        What `save` was given.

    Returns
    -------
    (ratings, movies) or None
        None when there is no copy, or it is of another version or key, or damaged: it then wants
        to be made anew.

    Raises
    ------
    OSError
        If the copy is there but cannot be read.
    """
    if not (folder / _SEAL).is_file():
        return None
    try:
        seal = json.loads((folder / _SEAL).read_bytes())
    except ValueError:
        return None  # a damaged seal seals nothing
    if not isinstance(seal, dict) or (seal.get("version"), seal.get("key")) != (VERSION, key):
        return None
    sums = seal.get("crc32")
    if not isinstance(sums, dict) or sums.keys() != {*(f"{name}.npy" for name in COLUMNS), _MOVIES}:
        return None
    for name, checksum in sums.items():
        if not (folder / name).is_file() or _checksum(folder / name) != checksum:
            return None
    columns = {
        # "c": writing to the frame must neither fail nor reach the file.
        name: np.asarray(np.load(folder / f"{name}.npy", mmap_mode="c", allow_pickle=False))
        for name in COLUMNS
    }
    return pd.DataFrame(columns, copy=False), read_movies(folder / _MOVIES)


def write_movies(movies: pd.DataFrame, file: Path) -> None:
    """Write movies as a .csv (.csv.gz) that `read_movies` reads back unchanged."""
    movies.to_csv(file, index=False, lineterminator="\n")


def read_movies(file: Path) -> pd.DataFrame:
    """Read movies: movie_id int32, title str, year Int16, genres str."""
    return pd.read_csv(
        file,
        dtype={"movie_id": np.int32, "title": str, "year": "Int16", "genres": str},
        # Only a year may be missing: a film may well be called "NA", and no genre is "".
        keep_default_na=False,
        na_values={"year": [""]},
    )


def _checksum(file: Path) -> int:
    checksum = 0
    with file.open("rb") as stream:
        while block := stream.read(1 << 22):
            checksum = zlib.crc32(block, checksum)
    return checksum
