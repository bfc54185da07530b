"""The three forms in which GroupLens has published MovieLens, read from a folder or archive."""

import errno
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from alslib.data.grouplens.movie_lines import (
    Folder,
    MovieRow,
    column_place,
    movie_frame,
    rows_of_csv,
    rows_of_dat,
    rows_of_u,
)
from alslib.data.grouplens.rating_lines import COLUMNS, DataError, read_ratings

# How the header of a .csv names what we call by COLUMNS.
_CSV_NAMES = {
    "userId": "user_id",
    "movieId": "movie_id",
    "rating": "rating",
    "timestamp": "timestamp",
}


# What zipfile raises on archives that are cut off or altered: a flipped bit can claim an unknown
# compression (NotImplementedError is a RuntimeError), a password, or a place beyond the file.
_SIGNS_OF_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    KeyError,
    OverflowError,
    RuntimeError,
)


def read_grouplens(
    path: str | Path, *, step: float | None = None, progress: bool = False
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read ratings and movies from an archive or an unpacked folder of GroupLens.

    The form is recognised by the names of the files. They may lie directly in the folder (or
    archive), or in one folder inside it.

    Parameters
    ----------
    path : str or Path
        A zip archive or a folder.
    step : float, optional
        The scale: ratings must be step, 2 step, …, 5. By default 0.5, and 1 for ``u.data``.
    progress : bool, default False
        Whether to show a progress bar when reading takes more than a second.

    Returns
    -------
    ratings : DataFrame
        user_id int32, movie_id int32, rating float32, timestamp int32 (seconds since 1970, UTC); in
        the order of the file.
    movies : DataFrame
        movie_id int32, title str, year Int16, genres str; sorted by movie_id.

    Raises
    ------
    DataError
        If the files are not there, are damaged, malformed, off the scale, or do not fit together.
    OSError
        If `path` does not exist or cannot be read.
    """
    path = Path(path)
    with ExitStack() as stack:
        try:
            if path.is_dir():
                top: Folder = path
            elif zipfile.is_zipfile(path):
                top = zipfile.Path(stack.enter_context(zipfile.ZipFile(path)))
            elif path.exists():
                raise DataError(
                    f"{path} is neither a zip archive nor a folder; "
                    "expected an archive of GroupLens, or the folder that it unpacks to"
                )
            else:
                raise FileNotFoundError(f"there is no file or folder {path}")
            layout, folder = _find(path, top)
            movies = movie_frame(layout.movie_rows(folder), folder / layout.movies)
            ratings = _read_rating_file(folder / layout.ratings, layout, step, progress)
        except (*_SIGNS_OF_DAMAGE, OSError) as error:
            # A place before the start of an archive is an invalid argument, and damage, too. In a
            # folder nothing of this tells of damage.
            if path.is_dir() or (isinstance(error, OSError) and error.errno != errno.EINVAL):
                raise
            raise DataError(
                f"the archive {path} is damaged ({error}); delete it and download it again"
            ) from error
        _check_all_movies_listed(ratings, movies, folder, layout)
    return ratings, movies


class _Layout(NamedTuple):
    """How one of the three forms lays out its files."""

    ratings: str
    movies: str
    others: tuple[str, ...]
    separator: bytes
    header: bool
    step: float
    movie_rows: Callable[[Folder], Iterator[MovieRow]]


_LAYOUTS = (
    _Layout("ratings.csv", "movies.csv", (), b",", True, 0.5, rows_of_csv),
    _Layout("ratings.dat", "movies.dat", (), b"::", False, 0.5, rows_of_dat),
    _Layout("u.data", "u.item", ("u.genre",), b"\t", False, 1, rows_of_u),
)


def _find(path: Path, top: Folder) -> tuple[_Layout, Folder]:
    """Find which form lies in the folder or archive, and in which of its folders."""
    entries = sorted(top.iterdir(), key=lambda entry: entry.name)
    found = []
    for folder in [top, *(entry for entry in entries if entry.is_dir())]:
        for layout in _LAYOUTS:
            wanted = (layout.ratings, layout.movies, *layout.others)
            missing = [name for name in wanted if not (folder / name).is_file()]
            if layout.ratings not in missing:
                found.append((layout, folder))
                if missing:
                    raise DataError(f"{folder} has {layout.ratings} but no {missing[0]}")
    if not found:
        names = ", ".join(entry.name for entry in entries[:5]) or "nothing"
        expected = ", ".join(layout.ratings for layout in _LAYOUTS)
        raise DataError(
            f"{path} holds no ratings: expected one of {expected} in it or in a folder in it, "
            f"found {names}{', …' if len(entries) > 5 else ''}"
        )
    if len(found) > 1:
        places = ", ".join(str(folder / layout.ratings) for layout, folder in found)
        raise DataError(f"{path} holds more than one set of ratings; name one of them: {places}")
    return found[0]


def _read_rating_file(
    file: Folder, layout: _Layout, step: float | None, progress: bool
) -> pd.DataFrame:
    if isinstance(file, Path):
        n_bytes = file.stat().st_size
    else:
        n_bytes = file.root.getinfo(file.at).file_size
    with file.open("rb") as lines:
        fields = COLUMNS
        if layout.header:
            header = lines.readline().decode("utf-8-sig", "replace").strip().split(",")
            for name in _CSV_NAMES:
                column_place(header, name, file)
            fields = tuple(_CSV_NAMES.get(name, name) for name in header)
        return read_ratings(
            lines,
            str(file),
            separator=layout.separator,
            fields=fields,
            first_line=1 + layout.header,
            step=step or layout.step,
            n_bytes=n_bytes,
            progress=progress,
        )


def _check_all_movies_listed(
    ratings: pd.DataFrame, movies: pd.DataFrame, folder: Folder, layout: _Layout
) -> None:
    # Movies without ratings are common and stay; a rating of an unlisted movie is damage.
    listed = np.isin(ratings["movie_id"].to_numpy(), movies["movie_id"].to_numpy())
    if not listed.all():
        row = int(np.argmin(listed))
        raise DataError(
            f"{folder / layout.ratings}, line {row + 1 + layout.header}: movie "
            f"{ratings['movie_id'].iloc[row]} is not in {layout.movies}"
        )
