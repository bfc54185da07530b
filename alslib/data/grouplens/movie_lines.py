"""Movie files: lists of movies in the three forms of GroupLens, made one table."""

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from alslib.data.grouplens.rating_lines import DataError

# A folder on disk, or inside an archive: both have iterdir, open, is_file, name.
Folder = Path | zipfile.Path

# Number of the line in the file, id, title with its year, genres as "A|B".
MovieRow = tuple[int, str, str, str]

# What GroupLens writes in place of an empty list of genres.
_NO_GENRES = {"(no genres listed)", "unknown"}

# "(1995)", "(1975-1979)", "(2007-)", "(2006–2007)" at the end, and spaces after it.
_YEAR = re.compile(r"(.+?)\s*\((\d{4})(?:\s*[-–]\s*(?:\d{4})?)?\s*\)\s*")


def movie_frame(rows: Iterator[MovieRow], file: Folder) -> pd.DataFrame:
    """Make rows into movie_id int32, title str, year Int16, genres str, sorted by movie_id.

    Raises
    ------
    DataError
        If an id is not a whole number or is listed twice; `file` is what the error names.
    """
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


def rows_of_csv(folder: Folder) -> Iterator[MovieRow]:
    """Yield the rows of ``movies.csv``; DataError at the first malformed line."""
    file = folder / "movies.csv"
    text = io.StringIO(_decode(file, "utf-8-sig"), newline="")
    reader = csv.reader(text, strict=True)
    line = 1
    try:
        header = next(reader, [])
        places = [column_place(header, name, file) for name in ("movieId", "title", "genres")]
        line = reader.line_num + 1
        for row in reader:
            if len(row) != len(header):
                raise csv.Error(f"expected {len(header)} fields, found {len(row)}")
            yield line, *(row[place] for place in places)
            line = reader.line_num + 1
    except csv.Error as error:
        raise DataError(f"{file}, line {line}: {error}") from error


def rows_of_dat(folder: Folder) -> Iterator[MovieRow]:
    """Yield the rows of ``movies.dat``; DataError at the first malformed line."""
    file = folder / "movies.dat"
    for line, fields in _split_lines(_decode_either(file), "::", 3, file):
        yield line, fields[0], fields[1], fields[2]


def rows_of_u(folder: Folder) -> Iterator[MovieRow]:
    """Yield the rows of ``u.item``, genres named by ``u.genre``; DataError as above."""
    names = folder / "u.genre"
    genres = [fields[0] for _, fields in _split_lines(_decode_either(names), "|", 2, names)]
    file = folder / "u.item"
    n_fields = 5 + len(genres)
    for line, fields in _split_lines(_decode_either(file), "|", n_fields, file):
        flags = fields[5:]
        if not set(flags) <= {"0", "1"}:
            raise DataError(f"{file}, line {line}: expected genre flags 0 or 1, found {flags}")
        chosen = [genre for genre, flag in zip(genres, flags, strict=True) if flag == "1"]
        yield line, fields[0], fields[1], "|".join(chosen)


def column_place(header: list[str], name: str, file: Folder) -> int:
    """Tell where in the header of a .csv a column is; DataError unless it is there once."""
    if header.count(name) != 1:
        raise DataError(
            f"{file}: expected one column {name} in the first line, "
            f"which reads {','.join(header)!r}"
        )
    return header.index(name)


def _decode_either(file: Folder) -> str:
    """Decode UTF-8 or latin-1: MovieLens 100K and 1M are in latin-1, 10M and many copies in UTF-8.

    Accented latin-1 is never valid UTF-8 in practice, so that trying is safe.
    """
    try:
        return _decode(file, "utf-8-sig")
    except DataError:
        return _decode(file, "latin-1")


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
