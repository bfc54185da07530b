"""Lesson 7: the ratings that somebody has given elsewhere, in the files that they can have there.

What is read is known by its first line, not by its name:

============ =======================================================================================
Letterboxd   ``ratings.csv``, ``diary.csv``, ``reviews.csv``: Name, Year, Rating, in half stars
IMDb         ``ratings.csv``: Your Rating (1 to 10), Title, Original Title, Title Type, Year
MovieLens    movieId or movie_id, rating in half stars, perhaps title
a plain list a title and a rating in each line; or with a first line that names the columns title,
             rating and perhaps year
============ =======================================================================================

Columns stand in any order among any others, and between them a comma, a semicolon or a tab.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from alslib.recommending.preferences import PreferencesError
from alslib.recommending.title_match import split_year

# By what names each column goes, in small letters.
_COLUMNS = {
    "title": ("title", "name", "film", "movie"),
    "original": ("original title",),
    "year": ("year",),
    "rating": ("your rating", "rating", "stars"),
    "item": ("movieid", "movie_id"),
    "kind": ("title type",),
    "user": ("userid", "user_id"),
}
# What IMDb lists beside films, without spaces; it once wrote "tvSeries", and now "TV Series".
_NO_FILMS = {
    "tvseries", "tvminiseries", "tvepisode", "videogame", "podcastseries", "podcastepisode",
}  # fmt: skip
_NUMBER = re.compile(r"[0-9]+(?:[.,][0-9]+)?")
_YEAR = re.compile(r"[0-9]{4}")
STARS = 5
_TEN = 10


class FileRow(NamedTuple):
    """One rating of a file.

    Attributes
    ----------
    line : int
        Where it begins in the file.
    item : str
        The id that MovieLens gives the movie, or "".
    titles : tuple of str
        Without year; at most the title and the original title.
    year : int or None
    rating : float
        In stars, 0.5 to 5.
    """

    line: int
    item: str
    titles: tuple[str, ...]
    year: int | None
    rating: float


class RatingFile(NamedTuple):
    """What a file holds.

    Attributes
    ----------
    rows : list of FileRow
        In the order of the file.
    n_unrated, n_no_films : int
        How many lines were left out because they have no rating, or are series, episodes, games.
    halved : bool
        Whether ratings from 1 to 10 have become stars: half of it each.
    """

    rows: list[FileRow]
    n_unrated: int
    n_no_films: int
    halved: bool


def read_table(text: str) -> RatingFile:
    """Read the ratings of one person from the text of a file.

    Ratings of IMDb are whole, from 1 to 10, and halved; those of Letterboxd and MovieLens are in
    half stars. Those of a plain list are in half stars if none is above 5, and from 1 to 10 if one
    is and all are whole.

    Raises
    ------
    PreferencesError
        If it is no such file; the message names the line that is wrong.
    """
    records = list(_records(text, _delimiter(text)))
    if not records:
        raise PreferencesError("This file is empty.")
    (line, first), *others = records
    head = _head(line, first)
    rows, n_unrated, n_no_films, users = [], 0, 0, set()
    for line, fields in others if head.names_columns else records:
        if len(fields) != len(first):
            raise _refusal(line, f"has {len(fields)} columns, and the first line {len(first)}")
        cell = {name: fields[place].strip() for name, place in head.columns.items()}
        users.add(cell.get("user"))
        if len(users) > 1:
            raise _refusal(line, "is of another person than the lines above")
        if re.sub("[ -]", "", cell.get("kind", "")).casefold() in _NO_FILMS:
            n_no_films += 1
        elif not cell.get("rating"):
            n_unrated += 1
        else:
            rows.append(_row(line, cell))
    if not rows:
        raise PreferencesError("This file holds no rating of a film.")
    halved = any(row.rating > STARS for row in rows) if head.halved is None else head.halved
    for row in rows:
        _check(row, halved)
    if halved:
        rows = [row._replace(rating=row.rating / 2) for row in rows]
    return RatingFile(rows, n_unrated, n_no_films, halved)


def _delimiter(text: str) -> str:
    """Return the first of tab, semicolon and comma that stands outside of quotes in line 1."""
    first = re.sub('"[^"]*"', "", re.split("[\r\n]", text.lstrip(), maxsplit=1)[0])
    return next((mark for mark in "\t;" if mark in first), ",")


def _records(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the fields of each record, and the line in which it begins; none of blank lines."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise _refusal(line, "has a quotation mark too many or too few") from error
        if any(field.strip() for field in fields):
            yield line, fields


class _Head(NamedTuple):
    """What the first line says: where which column is, and whether ratings are from 1 to 10.

    The latter is None where only the ratings themselves can say it.
    """

    columns: dict[str, int]
    names_columns: bool
    halved: bool | None


def _head(line: int, first: Sequence[str]) -> _Head:
    names = [name.strip().casefold() for name in first]
    columns = {
        column: next(names.index(name) for name in known if name in names)
        for column, known in _COLUMNS.items()
        if any(name in names for name in known)
    }
    if "title" in columns or "item" in columns:
        in_stars = "item" in columns or "letterboxd uri" in names
        return _Head(columns, True, True if "const" in names else False if in_stars else None)
    if len(names) == 2 and _NUMBER.fullmatch(names[1]):
        return _Head({"title": 0, "rating": 1}, False, None)
    raise _refusal(line, "has neither a title and its rating, nor names of columns with a title")


def _row(line: int, cell: dict[str, str]) -> FileRow:
    if not _NUMBER.fullmatch(cell["rating"]):
        raise _refusal(line, f"has no number as its rating: {cell['rating']}")
    item, year = cell.get("item", ""), cell.get("year", "")
    if year and not _YEAR.fullmatch(year):
        raise _refusal(line, f"has no year as its year: {year}")
    split = [split_year(cell.get(name, "")) for name in ("title", "original")]
    titles = tuple(dict.fromkeys(title for title, _ in split if title))
    if not (titles or item):
        raise _refusal(line, "has a rating and no title")
    rating = float(cell["rating"].replace(",", "."))
    return FileRow(line, item, titles, int(year) if year else split[0][1], rating)


def _check(row: FileRow, halved: bool) -> None:
    step, most = (1, _TEN) if halved else (0.5, STARS)
    if not (0 < row.rating <= most and row.rating % step == 0):
        scale = "whole, from 1 to 10" if halved else "in half stars, from 0.5 to 5"
        raise _refusal(
            row.line, f"has the rating {row.rating:g}, and those of its file are {scale}"
        )


def _refusal(line: int, reason: str) -> PreferencesError:
    return PreferencesError(f"Line {line} {reason}.")
