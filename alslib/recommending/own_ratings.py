"""Lesson 7: the ratings that somebody brings along, and which movies here they are about.

A file is one of preferences, which has our ids, or one that another site gives, whose titles have
to be found among ours; see `alslib.recommending.rating_files` and `title_match`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from alslib.recommending.preferences import Preference, PreferencesError, from_json
from alslib.recommending.rating_files import STARS, FileRow, RatingFile, read_table
from alslib.recommending.title_match import TitleMatcher, split_year


class OwnRating(NamedTuple):
    """One rating of a file.

    Attributes
    ----------
    line : int or None
        Where it stands in the file; None in a file of preferences, whose lines mean nothing.
    title : str
        As the file has it, without year; its id where it has no title.
    year : int or None
    rating : float
        In stars.
    items : tuple of ids
        The movie; where that is doubtful, those to choose from, the nearest first; or none.
    """

    line: int | None
    title: str
    year: int | None
    rating: float
    items: tuple

    def __str__(self) -> str:
        return self.title if self.year is None else f"{self.title} ({self.year})"


@dataclass(frozen=True)
class OwnRatings:
    """What a file says, sorted by how well its movies are known here.

    Attributes
    ----------
    matched, doubtful, unknown : list of OwnRating
        Of one movie; of one that has to be chosen; of none. In the order of the file.
    n_by_title : int
        How many are matched by their title alone, because the file does not say the year.
    n_repeated : int
        How many ratings were left out because a later one is of the same movie.
    n_unrated, n_no_films : int
        How many lines were left out because they have no rating, or are series, episodes or games.
    halved : bool
        Whether ratings from 1 to 10 have become stars: half of it each.
    """

    matched: list[OwnRating] = field(default_factory=list)
    doubtful: list[OwnRating] = field(default_factory=list)
    unknown: list[OwnRating] = field(default_factory=list)
    n_by_title: int = 0
    n_repeated: int = 0
    n_unrated: int = 0
    n_no_films: int = 0
    halved: bool = False


def read_own(
    content: str | bytes,
    known: Mapping[int | str, str],
    match: TitleMatcher,
    levels: Sequence[float],
) -> OwnRatings:
    """Read a file of ratings, and find its movies.

    A file in braces is one of preferences and keeps their rules. Of another, the last rating of a
    movie counts; stars that cannot be given become the nearest that can, and of two the higher.

    Parameters
    ----------
    content : str or bytes
        Bytes are read as UTF-8, with or without a mark in front that says so.
    known : dict of id to title
        The movies that can be rated.
    match : TitleMatcher
        Among the same.
    levels : sequence of float
        The ratings that can be given, in stars.

    Raises
    ------
    PreferencesError
        If the file cannot be read, or its ratings are no stars here.
    """
    text = _decoded(content) if isinstance(content, bytes) else content.removeprefix("\ufeff")
    if text.lstrip().startswith("{"):
        kept, left_out = from_json(text, known.keys(), levels)
        return OwnRatings(
            matched=[_preferred(one, (one.item_id,)) for one in kept],
            unknown=[_preferred(one, ()) for one in left_out],
        )
    if max(levels) != STARS:
        raise PreferencesError(
            f"Ratings of other sites are in stars up to {STARS}, and here they go up to "
            f"{max(levels):g}."
        )
    return _sorted_out(read_table(text), match, levels)


def _decoded(content: bytes) -> str:
    if content.startswith(b"PK\x03\x04"):
        raise PreferencesError("This is a ZIP archive: unpack it, and open the file ratings.csv.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise PreferencesError(f"Line {line} is not in UTF-8: save the file so.") from error


def _preferred(preference: Preference, items: tuple) -> OwnRating:
    title, year = split_year(preference.title or f"movie {preference.item_id}")
    return OwnRating(None, title, year, float(preference.rating), items)


def _sorted_out(file: RatingFile, match: TitleMatcher, levels: Sequence[float]) -> OwnRatings:
    latest: dict[tuple, tuple[FileRow, tuple, bool]] = {}
    for row in file.rows:
        items, certain = match(row.titles, row.year, row.item)
        movie = items if certain else (row.item, row.titles, row.year)
        latest.pop(movie, None)  # so that the later one has a later place, too
        latest[movie] = (row, items, certain)
    own = OwnRatings(
        n_by_title=sum(
            certain and row.year is None and not row.item for row, _, certain in latest.values()
        ),
        n_repeated=len(file.rows) - len(latest),
        n_unrated=file.n_unrated,
        n_no_films=file.n_no_films,
        halved=file.halved,
    )
    for row, items, certain in latest.values():
        title = row.titles[0] if row.titles else f"movie {row.item}"
        rating = min(levels, key=lambda level: (abs(level - row.rating), -level))
        among = own.matched if certain else own.doubtful if items else own.unknown
        among.append(OwnRating(row.line, title, row.year, rating, items))
    return own
