"""The three forms in which GroupLens has published MovieLens, read from a folder or a zip archive."""

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from alslib._rating_lines import COLUMNS, DataError, read_ratings

# A folder on disk, or inside an archive: both have iterdir, open, is_file, name.
Folder = Path | zipfile.Path

# Number of the line in the file, id, title with its year, genres as "A|B".
MovieRow = tuple[int, str, str, str]

# What GroupLens writes in place of an empty list of genres.
_NO_GENRES = {"(no genres listed)", "unknown"}

# "(1995)", "(1975-1979)", "(2007-)", "(2006–2007)" at the end, and spaces after it.
_YEAR = re.compile(r"(.+?)\s*\((\d{4})(?:\s*[-–]\s*(?:\d{4})?)?\s*\)\s*")

# How the header of a .csv names what we call by COLUMNS.
_CSV_NAMES = {
    "userId": "user_id",
    "movieId": "movie_id",
    "rating": "rating",
    "timestamp": "timestamp",
}


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
        try:
            layout, folder = _find(path, top)
            movies = _movie_frame(layout.movie_rows(folder), folder / layout.movies)
            ratings = _read_rating_file(folder / layout.ratings, layout, step, progress)
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise DataError(
                f"the archive {path} is damaged ({error}); delete it and download it again"
            ) from error
        _check_all_movies_listed(ratings, movies, folder, layout)
    return ratings, movies


def split_title(text: str) -> tuple[str, int | None]:
    """Split a title of GroupLens into the title proper and the (first) year, None if it has none.

    Examples
    --------
    >>> split_title("Toy Story (1995)")
    ('Toy Story', 1995)
    >>> split_title("Fawlty Towers (1975-1979)")
    ('Fawlty Towers', 1975)
    >>> split_title("Stranger Things")
    ('Stranger Things', None)
    """
    match = _YEAR.fullmatch(text)
    return (match[1].strip(), int(match[2])) if match else (text.strip(), None)


def plain_genres(text: str) -> str:
    """Genres as they are, but the ways of GroupLens to say "none" become the empty string."""
    return "" if text in _NO_GENRES else text


class _Layout(NamedTuple):
    """How one of the three forms lays out its files."""

    ratings: str
    movies: str
    others: tuple[str, ...]
    separator: bytes
    header: bool
    step: float
    movie_rows: Callable[[Folder], Iterator[MovieRow]]


def _rows_of_csv(folder: Folder) -> Iterator[MovieRow]:
    file = folder / "movies.csv"
    text = io.StringIO(_decode(file, "utf-8-sig"), newline="")
    reader = csv.reader(text, strict=True)
    line = 1
    try:
        header = next(reader, [])
        places = [_place(header, name, file) for name in ("movieId", "title", "genres")]
        line = reader.line_num + 1
        for row in reader:
            if len(row) != len(header):
                raise csv.Error(f"expected {len(header)} fields, found {len(row)}")
            yield line, *(row[place] for place in places)
            line = reader.line_num + 1
    except csv.Error as error:
        raise DataError(f"{file}, line {line}: {error}") from error


def _rows_of_dat(folder: Folder) -> Iterator[MovieRow]:
    file = folder / "movies.dat"
    # MovieLens 1M is in latin-1, 10M in UTF-8, and copies of 1M in UTF-8 are about. Accented
    # latin-1 is never valid UTF-8 in practice, so that trying is safe.
    try:
        text = _decode(file, "utf-8")
    except DataError:
        text = _decode(file, "latin-1")
    for line, fields in _split_lines(text, "::", 3, file):
        yield line, fields[0], fields[1], fields[2]


def _rows_of_u(folder: Folder) -> Iterator[MovieRow]:
    names = folder / "u.genre"
    genres = [fields[0] for _, fields in _split_lines(_decode(names, "latin-1"), "|", 2, names)]
    file = folder / "u.item"
    n_fields = 5 + len(genres)
    for line, fields in _split_lines(_decode(file, "latin-1"), "|", n_fields, file):
        flags = fields[5:]
        if not set(flags) <= {"0", "1"}:
            raise DataError(f"{file}, line {line}: expected genre flags 0 or 1, found {flags}")
        chosen = [genre for genre, flag in zip(genres, flags, strict=True) if flag == "1"]
        yield line, fields[0], fields[1], "|".join(chosen)


_LAYOUTS = (
    _Layout("ratings.csv", "movies.csv", (), b",", True, 0.5, _rows_of_csv),
    _Layout("ratings.dat", "movies.dat", (), b"::", False, 0.5, _rows_of_dat),
    _Layout("u.data", "u.item", ("u.genre",), b"\t", False, 1, _rows_of_u),
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
                _place(header, name, file)
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


def _movie_frame(rows: Iterator[MovieRow], file: Folder) -> pd.DataFrame:
    titles: dict[int, tuple[str, int | None, str]] = {}
    for line, movie_id, text, genres in rows:
        if not re.fullmatch(r"[0-9]{1,9}", movie_id):
            raise DataError(
                f"{file}, line {line}: expected a movie id, a whole number, found {movie_id!r}"
            )
        if int(movie_id) in titles:
            raise DataError(f"{file}, line {line}: movie {movie_id} is listed a second time")
        titles[int(movie_id)] = (*split_title(text), plain_genres(genres))
    ids = sorted(titles)
    return pd.DataFrame(
        {
            "movie_id": np.array(ids, np.int32),
            "title": pd.Series([titles[movie_id][0] for movie_id in ids], dtype=str),
            "year": pd.array([titles[movie_id][1] for movie_id in ids], dtype="Int16"),
            "genres": pd.Series([titles[movie_id][2] for movie_id in ids], dtype=str),
        }
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


def _place(header: list[str], name: str, file: Folder) -> int:
    if header.count(name) != 1:
        raise DataError(
            f"{file}: expected one column {name} in the first line, which reads {','.join(header)!r}"
        )
    return header.index(name)


def _decode(file: Folder, encoding: str) -> str:
    with file.open("rb") as stream:
        content = stream.read()
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{file}, line {line}: expected UTF-8, found the byte 0x{content[error.start]:02x}"
        ) from error


def _split_lines(
    text: str, separator: str, n_fields: int, file: Folder
) -> Iterator[tuple[int, list[str]]]:
    """Yield number and fields of every line that is not empty (u.genre ends in empty ones)."""
    for number, line in enumerate(text.split("\n"), 1):
        fields = line.rstrip("\r").split(separator)
        if fields == [""]:
            continue
        if len(fields) != n_fields:
            raise DataError(
                f"{file}, line {number}: expected {n_fields} fields separated by {separator!r}, "
                f"found {len(fields)}. The line reads: {line[:80]!r}"
            )
        yield number, fields
