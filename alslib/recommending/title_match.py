"""Lesson 7: which movie does a file mean, whose titles are not written as ours?

A title is never guessed. It is certain if title and year fit one movie; where they fit several or
nearly fit, whoever asks has to choose.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from alslib.recommending.title_search import words

# Of 58,788 films of IMDb (the table `movies` of ggplot2movies) 138 have the title of a movie of
# MovieLens and a year beside its own, and 41 of these are other films. So that is not certain.
_YEARS_APART = 1
# Titles are near that share so much of their pairs of neighbouring letters. Of famous films of IMDb
# that were found only so, nearly all were meant at 0.75, five of seven at 0.7, few below 0.65.
_SHARED = 0.7
# A title within another is near if it has so many letters: "Big" is in too many others.
_FEWEST_LETTERS = 4
_MOST_NEAR = 5

_YEAR = re.compile(r"\s*\(([0-9]{4})\)$")
_ARTICLE = re.compile(r"^(.+), ([^\W\d_]{1,3}['’]?)$", re.DOTALL)  # as in "Avventura, L'"
_ALSO_KNOWN_AS = re.compile(r"^a\.?k\.?a\.? ", re.IGNORECASE)


class TitleMatch(NamedTuple):
    """What a title may mean.

    Attributes
    ----------
    items : tuple of ids
        Of one movie if `certain`; otherwise of those to choose from, the nearest first, or of none.
    certain : bool
        Whether it is that movie without asking anybody.
    """

    items: tuple
    certain: bool


class _Name(NamedTuple):
    """A title of the movie at a place: its words, and how many pairs of letters it has."""

    place: int
    spaced: str
    n_pairs: int


class _Names:
    """The titles of one year, and by each pair of letters the numbers of those that have it."""

    def __init__(self) -> None:
        self.names: list[_Name] = []
        self._having: dict[str, list[int]] = defaultdict(list)

    def add(self, place: int, spaced: str) -> None:
        pairs = _pairs(spaced)
        for pair in pairs:
            self._having[pair].append(len(self.names))
        self.names.append(_Name(place, spaced, len(pairs)))

    def shares(self, spaced: str) -> Iterator[tuple[_Name, float]]:
        """Yield each title, and which share of their pairs it has in common with another."""
        pairs = _pairs(spaced)
        having = (self._having.get(pair, ()) for pair in pairs)
        common = Counter(chain.from_iterable(having))
        for number, name in enumerate(self.names):
            yield name, 2 * common[number] / (len(pairs) + name.n_pairs)


class TitleMatcher:
    """Finds the movies that the titles of other catalogues mean.

    Titles are the same if their letters and digits are, without accents. An article may stand
    before or behind ("The Matrix", "Matrix, The"), "&" is "and", and each title in brackets at the
    end counts as well as the one before. A title is certain if one movie has it in that year; where
    one of the two years is not known, the title decides. If several have it, these are to choose
    from. If none has, at most five that are near are: of the same or nearly the same title, or with
    one title within the other, and with years at most one apart.

    Parameters
    ----------
    ids : sequence of shape (n,)
        What is found.
    titles : sequence of str, shape (n,)
        With their years behind them, where these are known.

    Examples
    --------
    >>> titles = ["Seven (a.k.a. Se7en) (1995)", "Hamlet (1990)", "Hamlet (1996)"]
    >>> match = TitleMatcher([47, 3723, 1411], titles)
    >>> match(["SE7EN"], 1995)
    TitleMatch(items=(47,), certain=True)
    >>> match(["Hamlet"]).items, match(["Hamlet"], 1997).items, match(["Jaws"], 1975).items
    ((3723, 1411), (1411,), ())
    """

    def __init__(self, ids: Sequence[Hashable], titles: Sequence[str]):
        self._ids = list(ids)
        self._place = {str(item): place for place, item in enumerate(self._ids)}
        self._years: list[int | None] = []
        self._places: dict[str, list[int]] = defaultdict(list)  # of the movies with a title
        self._of_year: dict[int | None, _Names] = defaultdict(_Names)
        for place, title in enumerate(titles):
            bare, year = split_year(title)
            self._years.append(year)
            for spaced in dict.fromkeys(_names(bare)):
                self._places[_letters(spaced)].append(place)
                self._of_year[year].add(place, spaced)

    def __call__(
        self, titles: Sequence[str], year: int | None = None, item: str = ""
    ) -> TitleMatch:
        """Return what a movie is of which these titles are known, and perhaps year and id.

        Parameters
        ----------
        titles : sequence of str
            Without year; more than one if a catalogue knows the original title, too.
        year : int, optional
        item : str
            One of the ids as text, or else it says nothing. It is certain if there are no titles,
            or the movie has one of them and a year that is at most one apart.
        """
        wanted = dict.fromkeys(spaced for title in titles for spaced in _names(title))
        alike = {place for spaced in wanted for place in self._places.get(_letters(spaced), ())}
        same = sorted(place for place in alike if _apart(self._years[place], year) == 0)
        given = self._place.get(item)
        if given is None:
            places, certain = same or self._near(wanted, year), len(same) == 1
        elif not wanted or (given in alike and _apart(self._years[given], year) <= _YEARS_APART):
            places, certain = [given], True
        else:
            places, certain = dict.fromkeys([given, *(same or self._near(wanted, year))]), False
        return TitleMatch(tuple(self._ids[place] for place in places), certain)

    def _near(self, wanted: Iterable[str], year: int | None) -> list[int]:
        """Return the places of movies whose titles are near, the nearest first."""
        nearest: dict[int, float] = {}
        for other, names in self._of_year.items():
            if _apart(other, year) > _YEARS_APART:
                continue
            for spaced in wanted:
                for name, share in names.shares(spaced):
                    if share >= _SHARED or _within(spaced, name.spaced):
                        nearest[name.place] = max(share, nearest.get(name.place, 0))
        return sorted(nearest, key=lambda place: (-nearest[place], place))[:_MOST_NEAR]


def split_year(title: str) -> tuple[str, int | None]:
    """Take the year in brackets off the end of a title; None if there is none."""
    found = _YEAR.search(title)
    return (title[: found.start()], int(found[1])) if found else (title, None)


def _names(title: str) -> Iterator[str]:
    """Yield the words of a title as it is, of what stands before its brackets, and in them."""
    yield _spaced(title)
    brackets = []
    while (cut := _last_bracket(title)) is not None:
        brackets.append(title[cut + 1 : -1])
        title = title[:cut].rstrip()
        yield _spaced(title)
    for other in brackets:
        yield _spaced(_ALSO_KNOWN_AS.sub("", other))


def _last_bracket(title: str) -> int | None:
    """Return where the bracket begins with which a title ends, if something stands before it."""
    depth = 0
    for place in range(len(title) - 1, 0, -1):
        depth += (title[place] == ")") - (title[place] == "(")
        if depth == 0:
            return place if title[place] == "(" else None
    return None


def _spaced(title: str) -> str:
    """Return the words of a title between spaces, its article first."""
    moved = _ARTICLE.sub(r"\2 \1", title.strip())
    return f" {' '.join(words(moved.replace('&', ' and ')))} "


def _letters(spaced: str) -> str:
    return spaced.replace(" ", "")


def _pairs(spaced: str) -> frozenset[str]:
    """Return the pairs of neighbouring letters; before and behind all stands a space."""
    letters = f" {_letters(spaced)} "
    return frozenset(letters[i : i + 2] for i in range(len(letters) - 1))


def _within(one: str, other: str) -> bool:
    """Tell whether the words of one title stand side by side in the other."""
    shorter, longer = (one, other) if len(one) < len(other) else (other, one)
    return shorter in longer and len(_letters(shorter)) >= _FEWEST_LETTERS


def _apart(one: int | None, other: int | None) -> int:
    """Return how many years lie between two, none where one is not known."""
    return 0 if one is None or other is None else abs(one - other)
