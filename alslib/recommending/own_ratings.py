"""Lesson 7: the ratings that somebody brings along, and which movies here they are about.

A file is one of preferences, which has our ids, or one that another site gives, whose titles have
to be found among ours; see `alslib.recommending.rating_files` and `title_match`.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from alslib.data.movielens import MovieLens
from alslib.recommending.preferences import Preference, PreferencesError, from_json
from alslib.recommending.rating_files import STARS, RatingFile, read_table
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


@dataclass(frozen=True, repr=False)
class OwnRatings:
    """What a file says, sorted by how well its movies are known here; see `read_own_ratings`.

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

    def __repr__(self) -> str:
        return (
            f"OwnRatings({len(self.matched)} matched, {len(self.doubtful)} doubtful, "
            f"{len(self.unknown)} unknown)"
        )

    def choose(self, movies: Mapping[int, int | str]) -> "OwnRatings":
        """Say which movies doubtful ratings are about.

        Parameters
        ----------
        movies : dict of int to id
            By the line in which a doubtful rating stands the movie, one of its `items`. What is not
            chosen stays doubtful.

        Returns
        -------
        OwnRatings
            With the chosen among the matched; still the last rating of a movie counts.

        Raises
        ------
        ValueError
            If no rating in a line is doubtful, or a movie is none of those to choose from.
        """
        lines = {one.line: one for one in self.doubtful}
        for line, movie in movies.items():
            if line not in lines:
                raise ValueError(f"there is no doubtful rating in line {line}")
            if movie not in lines[line].items:
                among = " or ".join(map(str, lines[line].items))
                raise ValueError(f"{lines[line]} in line {line} may be {among}, not {movie}")
        chosen = [lines[line]._replace(items=(movie,)) for line, movie in movies.items()]
        # No doubtful rating is in a file whose lines are None.
        in_order = sorted([*self.matched, *chosen], key=lambda one: one.line or 0)
        matched = _latest((one.items, one) for one in in_order)
        return replace(
            self,
            matched=matched,
            doubtful=[one for one in self.doubtful if one.line not in movies],
            n_repeated=self.n_repeated + len(in_order) - len(matched),
        )

    def items_and_stars(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the matched movies and their ratings, as `fold_in` takes them.

        Returns
        -------
        items : ndarray of ids, shape (n,)
        stars : ndarray of float64, shape (n,)
        """
        items = np.array([one.items[0] for one in self.matched])
        return items, np.array([one.rating for one in self.matched])


def read_own_ratings(
    file: str | os.PathLike[str] | bytes,
    movielens: MovieLens,
    *,
    items: ArrayLike | None = None,
    levels: Sequence[float] | None = None,
) -> OwnRatings:
    r"""Read the ratings that somebody has given elsewhere, and find their movies here.

    It reads ``ratings.csv`` of Letterboxd, IMDb and MovieLens, plain lists of titles and ratings,
    all of which `alslib.recommending.rating_files` describes, and what `Visitor.save` writes.
    Ratings from 1 to 10 are halved, and the last rating of a movie counts.

    No title is guessed. A rating is *matched* if title and year fit one movie; *doubtful* if they
    fit several or nearly fit, until `OwnRatings.choose` says which is meant; and else *unknown*.

    Parameters
    ----------
    file : path or bytes
        Where the file is, or what is in it: UTF-8, with or without a mark in front that says so.
    movielens : MovieLens
        Whose movies are known.
    items : array_like of ids, optional
        Only these of its movies, such as the ``item_ids`` of what a model was fitted to.
    levels : sequence of float, optional
        The ratings that can be given, in stars; by default those that the release has. Others
        become the nearest of these, and of two the higher.

    Returns
    -------
    OwnRatings

    Raises
    ------
    OSError
        If the file cannot be read.
    KeyError
        If the release does not have an item.
    PreferencesError
        If the file holds no ratings that can be read, they are no stars here, or none of its movies
        may be known.

    Examples
    --------
    >>> from alslib import load_movielens
    >>> file = "Amélie (2001),4.5\nPsycho,3\nPast Lives (2023),4".encode()
    >>> own = read_own_ratings(file, load_movielens())
    >>> own
    OwnRatings(1 matched, 1 doubtful, 1 unknown)
    >>> [(one.line, one.title, one.items) for one in own.doubtful]
    [(2, 'Psycho', (1219, 2389))]
    >>> own.choose({2: 1219}).items_and_stars()
    (array([4973, 1219]), array([4.5, 3. ]))
    """
    text = _decoded(file if isinstance(file, bytes) else Path(file).read_bytes())
    titles = movielens.titles()
    known = (titles if items is None else titles.loc[np.asarray(items)]).to_dict()
    if levels is None:
        levels = np.unique(movielens.ratings["rating"]).tolist()
    own = _read(text, known, levels)
    if own.unknown and not (own.matched or own.doubtful):
        raise PreferencesError(f"None of the {len(own.unknown)} movies in this file is known here.")
    return own


def _read(text: str, known: Mapping[int | str, str], levels: Sequence[float]) -> OwnRatings:
    """Read preferences, which begin with a brace and have rules of their own, or a table."""
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
    match = TitleMatcher(list(known), list(known.values()))
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
    found = [(row, *match(row.titles, row.year, row.item)) for row in file.rows]
    latest = _latest(
        (items if certain else (row.item, row.titles, row.year), (row, items, certain))
        for row, items, certain in found
    )
    own = OwnRatings(
        n_by_title=sum(certain and row.year is None and not row.item for row, _, certain in latest),
        n_repeated=len(file.rows) - len(latest),
        n_unrated=file.n_unrated,
        n_no_films=file.n_no_films,
        halved=file.halved,
    )
    for row, items, certain in latest:
        title = row.titles[0] if row.titles else f"movie {row.item}"
        rating = min(levels, key=lambda level: (abs(level - row.rating), -level))
        among = own.matched if certain else own.doubtful if items else own.unknown
        among.append(OwnRating(row.line, title, row.year, rating, items))
    return own


def _latest(ratings: Iterable[tuple[tuple, Any]]) -> list[Any]:
    """Return the last of the ratings of each movie, in the order of these."""
    latest = {}
    for movie, rating in ratings:
        latest.pop(movie, None)  # so that the later one has a later place, too
        latest[movie] = rating
    return list(latest.values())
