"""Titles are found by the beginnings of their words, the most rated first."""

import json
import re
import unicodedata
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alslib import load_movielens
from alslib.recommending.title_search import TitleSearch

CASES = json.loads((Path(__file__).parents[2] / "title_searches.json").read_text("utf-8"))


@pytest.mark.parametrize(("query", "titles"), CASES["searches"])
def test_a_query_finds(query, titles):
    movies = CASES["movies"]
    search = TitleSearch(list(movies), list(movies), list(movies.values()))
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
