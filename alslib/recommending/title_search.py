"""Lesson 7: which movie do you mean? Titles found by the beginnings of their words."""

import re
import unicodedata
from collections.abc import Hashable, Sequence

import numpy as np

from alslib._params import check_integer

# Letters that Unicode does not take apart into a letter and an accent.
_PLAIN_LETTERS = str.maketrans(
    {"æ": "ae", "đ": "d", "ı": "i", "ł": "l", "œ": "oe", "ø": "o", "ß": "ss"}
)
_APOSTROPHES = re.compile("['’`´]")
_WORD = re.compile(r"\w+")
_ARTICLE = re.compile(r", [^\W\d_]{1,3}$")  # as in "Matrix, The"
_YEAR = re.compile(r"\s*\(\d{4}\)$")


def words(text: str) -> list[str]:
    """Return the words of a text in lower case, without accents and apostrophes.

    Examples
    --------
    >>> words("Amélie Poulain's «8½»")
    ['amelie', 'poulains', '81', '2']
    """
    apart = unicodedata.normalize("NFKD", _APOSTROPHES.sub("", text))
    bare = "".join(letter for letter in apart if not unicodedata.combining(letter))
    return _WORD.findall(bare.casefold().translate(_PLAIN_LETTERS))


class TitleSearch:
    """Finds titles while they are being typed.

    A title is found if each word of the query begins one of its words, in any order: "the mat"
    finds "Matrix, The". A title whose words are those of the query comes first, with or without
    year and article; then those with the most ratings, and of equals the first given.

    Parameters
    ----------
    ids : sequence of shape (n,)
        What a search returns.
    titles : sequence of str, shape (n,)
    n_ratings : array_like of int, shape (n,)

    Examples
    --------
    >>> titles = ["Aliens (1986)", "Alien (1979)", "Matrix, The (1999)"]
    >>> search = TitleSearch([10, 20, 30], titles, [80, 70, 90])
    >>> search("ali"), search("ALIEN 1979"), search("the matrix"), search("")
    ([10, 20], [20], [30], [])
    """

    def __init__(self, ids: Sequence[Hashable], titles: Sequence[str], n_ratings: Sequence[int]):
        order = np.argsort(-np.asarray(n_ratings), kind="stable")
        self._ids = [ids[place] for place in order]
        # A space before each word marks where a word begins.
        self._spaced = ["".join(f" {word}" for word in words(titles[place])) for place in order]
        self._whole = [_spellings(titles[place]) for place in order]

    def __call__(self, query: str, n: int = 10) -> list[Hashable]:
        """Return the ids of at most n titles, the best first; none for a query without words.

        Raises
        ------
        TypeError, ValueError
            If n is no integer, or below 1.
        """
        check_integer("n", n, least=1)
        wanted = words(query)
        if not wanted:
            return []
        found = [
            place
            for place, title in enumerate(self._spaced)
            if all(f" {word}" in title for word in wanted)
        ]
        wanted.sort()
        found.sort(key=lambda place: wanted not in self._whole[place])  # keeps the order of equals
        return [self._ids[place] for place in found[:n]]


def _spellings(title: str) -> list[list[str]]:
    """Return the sorted words of a title as people may write it: all, no year, no article."""
    yearless = _YEAR.sub("", title)
    return [sorted(words(text)) for text in (title, yearless, _ARTICLE.sub("", yearless))]
