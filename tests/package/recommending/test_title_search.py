"""Titles are found by the beginnings of their words, the most rated first."""

import re
import unicodedata
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alslib import load_movielens
from alslib.recommending.title_search import TitleSearch

MOVIES = {
    "Matrix, The (1999)": 259,
    "Matrix Reloaded, The (2003)": 300,
    "Animatrix, The (2003)": 900,
    "Amelie (Fabuleux destin d'Amélie Poulain, Le) (2001)": 120,
    "Léon: The Professional (a.k.a. The Professional) (Léon) (1994)": 130,
    "Schindler's List (1993)": 244,
    "Aliens (1986)": 90,
    "Alien (1979)": 80,
    "Alien³ (a.k.a. Alien 3) (1992)": 40,
    "Smørrebrød (1950)": 1,
    "Москва слезам не верит (1979)": 5,
}


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        # A title said whole comes before one with more ratings.
        ("matrix", ["Matrix, The (1999)", "Matrix Reloaded, The (2003)"]),
        ("the mat", ["Matrix Reloaded, The (2003)", "Matrix, The (1999)"]),
        ("Matrix, The", ["Matrix, The (1999)", "Matrix Reloaded, The (2003)"]),
        ("The Matrix", ["Matrix, The (1999)", "Matrix Reloaded, The (2003)"]),
        ("MATR 2003", ["Matrix Reloaded, The (2003)"]),
        ("atrix", []),
        ("amélie", ["Amelie (Fabuleux destin d'Amélie Poulain, Le) (2001)"]),
        ("AMELIE damelie", ["Amelie (Fabuleux destin d'Amélie Poulain, Le) (2001)"]),
        ("leon", ["Léon: The Professional (a.k.a. The Professional) (Léon) (1994)"]),
        ("schindlers", ["Schindler's List (1993)"]),
        ("schindler’s l", ["Schindler's List (1993)"]),
        ("alien", ["Alien (1979)", "Aliens (1986)", "Alien³ (a.k.a. Alien 3) (1992)"]),
        ("smorrebrod", ["Smørrebrød (1950)"]),
        ("москва", ["Москва слезам не верит (1979)"]),
        ("", []),
        (" ,.(", []),
    ],
)
def test_a_query_finds(query, titles):
    search = TitleSearch(list(MOVIES), list(MOVIES), list(MOVIES.values()))
    assert search(query) == titles


def plain(text):
    apart = unicodedata.normalize("NFKD", text)
    return "".join(c for c in apart if unicodedata.category(c) != "Mn").lower()


@given(st.data(), st.integers(1, 20))
def test_what_is_found_is_what_a_slow_reading_of_all_titles_finds(data, n):
    titles, read, search = load_movielens_titles()
    some = data.draw(st.sampled_from(titles))
    spoken = [word for word in re.findall(r"[a-z0-9]+", plain(some).replace("'", "")) if word]
    picked = data.draw(st.permutations(spoken))[:3]
    query = " ".join(word[: data.draw(st.integers(1, len(word)))] for word in picked)
    found = search(query, n=len(titles))
    slow = [
        place
        for place, title in enumerate(read)
        if all(re.search(rf"(?<![a-z0-9]){word}", title) for word in query.split())
    ]
    assert sorted(found) == slow
    assert search(query, n) == found[:n]


@cache
def load_movielens_titles():
    """Return titles, how they are read, and the search among them, once for all examples."""
    titles = load_movielens().movies["title"]
    titles = [title for title in titles[::40] if title.isascii() and "_" not in title]
    search = TitleSearch(range(len(titles)), titles, [7] * len(titles))
    return titles, [plain(title).replace("'", "") for title in titles], search
