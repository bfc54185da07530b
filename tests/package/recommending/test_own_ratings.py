"""Ratings from elsewhere: a movie is found, asked for or said to be unknown, but never guessed."""

import csv
import io
import json
import re
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cinema import recommender_of, small_cinema
from hypothesis import given
from hypothesis import strategies as st

from alslib import (
    LatentALS,
    MovieLens,
    OwnRatings,
    PreferencesError,
    Ratings,
    Visitor,
    fold_in,
    load_movielens,
    read_own_ratings,
)
from alslib.recommending.own_ratings import OwnRating
from alslib.recommending.title_match import TitleMatcher

SHARED = json.loads((Path(__file__).parents[2] / "own_ratings.json").read_text("utf-8"))
MOVIES = dict(SHARED["movies"])
HALF_STARS = [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0]


def release_of(titles, levels=HALF_STARS):
    """Return a release of these movies, in which each of these ratings was given."""
    movies = pd.DataFrame({"movie_id": list(titles), "title": list(titles.values())})
    movies = movies.assign(year=pd.array([None] * len(movies), "Int16"), genres="")
    first = next(iter(titles))
    ratings = {"user_id": range(len(levels)), "movie_id": first, "rating": levels}
    return MovieLens("shared", pd.DataFrame(ratings), movies)


RELEASE = release_of(MOVIES)


def read(lines, end="\n", before="", release=RELEASE):
    return read_own_ratings((before + end.join(lines) + end).encode(), release)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("before", ["", "\ufeff"])
@pytest.mark.parametrize("case", SHARED["cases"], ids=lambda case: case["about"])
def test_a_file_is_read_as_its_makers_say(case, end, before):
    if "refused" in case:
        with pytest.raises(PreferencesError, match=f"^{re.escape(case['refused'])}$"):
            read(case["file"], end, before=before)
        return
    own = read(case["file"], end, before=before)
    assert [[*one[:4], *one.items] for one in own.matched] == case.get("matched", [])
    assert [[*one[:4], list(one.items)] for one in own.doubtful] == case.get("doubtful", [])
    assert [[*one[:4]] for one in own.unknown] == case.get("unknown", [])
    assert not any(one.items for one in own.unknown)
    for name in ("n_by_title", "n_repeated", "n_unrated", "n_no_films", "halved"):
        assert getattr(own, name) == case.get(name, 0), name


text = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


@given(st.data(), st.sampled_from(",;\t"), st.sampled_from(["\n", "\r\n"]))
def test_a_table_says_the_same_whatever_its_columns_and_marks(data, delimiter, end):
    """Columns of others, in any order, with any marks, are what Python's writer makes of them."""
    others = st.lists(
        st.tuples(st.just("Note"), st.lists(text, min_size=3, max_size=3)), max_size=2
    )
    items, stars, years = [2, 5, 21], [4.5, 1, 3], [1999, 1995, 1966]
    columns = data.draw(
        st.permutations(
            [
                ("Name", [as_elsewhere(MOVIES[item])[0] for item in items]),
                ("RATING", stars),
                (" Year", years),
                *data.draw(others),
            ]
        )
    )
    file = io.StringIO()
    # By itself the writer leaves a "\r" bare where lines end in "\n".
    quoting = data.draw(st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]))
    writer = csv.writer(file, delimiter=delimiter, lineterminator=end, quoting=quoting)
    writer.writerow([name for name, _ in columns])
    writer.writerows(zip(*(cells for _, cells in columns), strict=True))
    own = read_own_ratings(file.getvalue().encode(), RELEASE)
    assert [(one.year, one.rating, *one.items) for one in own.matched] == [
        *zip(years, stars, items, strict=True)
    ]
    lines = file.getvalue().replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for one in own.matched:
        rest = "\n".join(lines[one.line - 1 :])
        assert one.title in rest and str(one.year) in rest


def test_stars_that_cannot_be_given_become_the_nearest_and_of_two_the_higher():
    file = ["Title,Rating", "Big,0.5", "Z,3.5", "Jack Frost,4"]
    whole = read(file, release=release_of(MOVIES, [1.0, 2, 3, 4, 5]))
    assert [one.rating for one in whole.matched] == [1, 4, 4]
    declared = read_own_ratings("\n".join(file).encode(), RELEASE, levels=[1, 2, 3, 5])
    assert [one.rating for one in declared.matched] == [1, 3, 5]
    with pytest.raises(PreferencesError, match=r"in stars up to 5, and here they go up to 10\."):
        read(["Title,Rating", "Big,0.5"], release=release_of(MOVIES, range(1, 11)))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("Title,Rating\nBig,3\nAmélie,4\n".encode("latin-1"), "Line 3 is not in UTF-8"),
        (b"PK\x03\x04ratings.csv", "a ZIP archive: unpack it"),
        (b'{"format": "alslib-pre', "not a JSON file"),
        (b"{}", "holds no preferences"),
    ],
)
def test_what_is_no_table_is_refused_in_plain_words(content, reason):
    with pytest.raises(PreferencesError, match=reason) as refusal:
        read_own_ratings(content, RELEASE)
    assert str(refusal.value).endswith(".")


# Real titles, as other sites write them

REAL = load_movielens()
TWINS = {"Hamlet (2000)", "War of the Worlds (2005)"}  # two movies each


@cache
def real_titles(few):
    """Return the titles of all movies, or only of those that the page has."""
    counts = REAL.ratings["movie_id"].value_counts()
    titles = REAL.titles()
    return titles[counts[titles.index] >= 10 if few else titles.index].to_dict()


def as_elsewhere(title):
    """Return what Letterboxd and IMDb would call a movie of MovieLens, and its year."""
    bare, year = re.fullmatch(r"(.*?)(?: \((\d{4})\))?", title).groups()
    alone = re.sub(r"( \((?:[^()]|\([^()]*\))*\))+$", "", bare)
    if behind := re.fullmatch(r"(.+), (\w{1,3}|L')", alone):
        title, article = behind.groups()
        alone = f"{article}{title}" if article == "L'" else f"{article} {title}"
    return alone, year or ""


def exported(site, movies):
    """Return the file that a site would give somebody who has seen all these."""
    names = [*zip(movies, map(as_elsewhere, movies.values()), strict=True)]
    rows = {
        "Letterboxd": [
            ("Date", "Name", "Year", "Letterboxd URI", "Rating"),
            *(("2024-05-01", name, year, "https://boxd.it/2", 4) for _, (name, year) in names),
        ],
        "IMDb": [
            ("Const", "Your Rating", "Title", "Title Type", "Year"),
            *(("tt1", 8, name.upper(), "Movie", year) for _, (name, year) in names),
        ],
        "MovieLens": [("movieId", "rating"), *((item, 4) for item in movies)],
        "titles": [("title", "rating"), *((title, 4) for title in movies.values())],
    }[site]
    file = io.StringIO()
    csv.writer(file).writerows(rows)
    return file.getvalue()


@pytest.mark.parametrize("few", [False, True])
@pytest.mark.parametrize("site", ["Letterboxd", "IMDb", "MovieLens", "titles"])
def test_no_movie_of_an_export_is_taken_for_another(site, few):
    """With all movies here, and with those of the page, which must not match what it does not have.

    What title and year cannot tell apart are twins, and one of them alone where it has no other.
    """
    movies, known = real_titles(few=False), real_titles(few)
    own = read_own_ratings(exported(site, movies).encode(), REAL, items=list(known))
    seen = list(movies)
    found = {seen[one.line - 2]: one.items[0] for one in own.matched}
    unlike = {movies[item] for item in found if found[item] != item}
    assert unlike <= (set() if site == "MovieLens" else TWINS if few else set())
    assert {movies[item] for item in known.keys() - found.keys()} <= (
        set() if site == "MovieLens" else TWINS
    )
    assert {one.rating for one in own.matched} == {4.0}
    assert len(own.doubtful) < 0.01 * len(movies)  # to ask costs somebody's time


def bare(title):
    """Return the letters of an English title, its article in front, and its year."""
    name, year = as_elsewhere(title)
    return re.sub("[^a-z0-9]", "", name.lower().replace("&", "and")), int(year)


@cache
def english():
    """Return a matcher of plain titles, and each as letters and year."""
    plain = re.compile(r"[A-Za-z0-9,.:!? &-]+ \([0-9]{4}\)")
    titles = [title for title in real_titles(few=True).values() if plain.fullmatch(title)]
    return TitleMatcher(titles, titles), {title: bare(title) for title in titles}


@given(st.data())
def test_titles_with_a_slip_of_the_pen_have_those_near_to_choose_from(data):
    """Against a slow reading of all titles: the nearest first, none of a year further away."""
    match, titles = english()
    letters, year = titles[data.draw(st.sampled_from(sorted(titles)))]
    place = data.draw(st.integers(0, len(letters) - 1))
    slip = letters[:place] + data.draw(st.sampled_from(["", "x", "ee"])) + letters[place + 1 :]
    said = year + data.draw(st.integers(-2, 2))
    found = match([slip], said)
    same = [title for title, truth in titles.items() if truth == (slip, said)]
    if same:
        assert set(found.items) == set(same) and found.certain == (len(same) == 1)
        return

    def shared(other):
        one, two = ({*zip(f" {name}", f"{name} ", strict=True)} for name in (slip, other))
        return Fraction(2 * len(one & two), len(one) + len(two))

    near = {
        title: shared(other) for title, (other, when) in titles.items() if abs(when - said) <= 1
    }
    assert not found.certain
    for title in found.items:
        within = re.search(
            r"(?<!\S)" + slip + r"(?!\S)", " ".join(re.findall(r"\w+", title.lower()))
        )
        assert near[title] >= Fraction(7, 10) or within
    shares = [near[title] for title in found.items]
    assert shares == sorted(shares, reverse=True) and len(shares) <= 5
    missed = [share for title, share in near.items() if title not in found.items]
    if len(shares) < 5:
        assert max(missed, default=0) < Fraction(7, 10)
    else:
        assert max(missed, default=0) <= shares[-1]


# What is doubtful, and what comes of it all

CINEMA = small_cinema()
RECOMMENDER = recommender_of(CINEMA)
DOUBTFUL = ["Title,Year,Rating", "Hamlet,,3.5", "Big,1988,2", "Rocky,1982,1", "Hamlet,1996,5"]


def test_what_is_chosen_is_matched_in_the_order_of_the_file_and_the_last_rating_counts():
    own = read([*DOUBTFUL, "Past Lives,2023,4"])
    assert repr(own) == "OwnRatings(2 matched, 2 doubtful, 1 unknown)"
    assert [(one.line, one.items) for one in own.doubtful] == [(2, (6, 7, 8)), (4, (30,))]
    items, stars = own.choose({4: 30, 2: 6}).items_and_stars()
    assert (items.tolist(), stars.tolist()) == ([6, 17, 30, 8], [3.5, 2, 1, 5])
    assert stars.dtype == np.float64 and np.issubdtype(items.dtype, np.integer)

    once = own.choose({2: 8})  # as the fifth line, which is later
    assert once.items_and_stars()[0].tolist() == [17, 8]
    assert once.items_and_stars()[1].tolist() == [2, 5]
    assert once.n_repeated == own.n_repeated + 1
    assert [one.line for one in once.doubtful] == [4] and once.unknown == own.unknown
    assert once.choose({4: 30}).doubtful == []
    assert own.choose({}) == own and len(own.matched) == 2  # nothing is chosen in place


@given(st.permutations(range(4)), st.sets(st.integers(0, 3)))
def test_to_choose_says_what_the_year_would_have_said(order, dated):
    """Of films whose titles are those of several, or of one; one of them is rated twice."""
    films = [("Hamlet", 1996, 8), ("The Big Sleep", 1946, 24), ("Big", 1988, 17)]
    films = [films[place % 3] for place in order]

    def file(dated):
        years = [year if place in dated else "" for place, (_, year, _) in enumerate(films)]
        lines = zip(films, years, range(1, 5), strict=True)
        return read(["Title,Year,Rating", *(f"{film[0]},{y},{r}" for film, y, r in lines)])

    by_year, half = file(range(4)), file(dated)
    by_hand = half.choose({one.line: films[one.line - 2][2] for one in half.doubtful})
    assert by_hand.doubtful == by_hand.unknown == []
    assert by_hand.n_repeated == by_year.n_repeated == 1
    for one, other in zip(by_hand.matched, by_year.matched, strict=True):
        assert (one.line, one.rating, one.items) == (other.line, other.rating, other.items)


@pytest.mark.parametrize(
    ("chosen", "reason"),
    [
        ({3: 17}, "no doubtful rating in line 3"),
        ({9: 17}, "no doubtful rating in line 9"),
        ({2: 17}, r"Hamlet in line 2 may be 6 or 7 or 8, not 17"),
    ],
)
def test_nothing_is_chosen_that_was_not_to_be_chosen(chosen, reason):
    with pytest.raises(ValueError, match=reason):
        read(DOUBTFUL).choose(chosen)


def test_a_file_of_preferences_leaves_nothing_to_choose(tmp_path):
    visitor = Visitor(RECOMMENDER, CINEMA)
    visitor.rate(60, 4.5)
    visitor.rate(10, 1.0)
    visitor.save(tmp_path / "mine.json")
    own = read_own_ratings(tmp_path / "mine.json", CINEMA)
    assert own.choose({}) == own
    assert [column.tolist() for column in own.items_and_stars()] == [[60, 10], [4.5, 1.0]]


def test_own_ratings_are_folded_in_as_if_their_ids_had_been_typed():
    model = LatentALS(3, n_sweeps=5).fit(Ratings.from_frame(CINEMA.ratings))
    own = read_own_ratings(b"Alien (1979),4.5\nThe Matrix,2", CINEMA)
    me, typed = fold_in(model, *own.items_and_stars()), fold_in(model, [60, 10], [4.5, 2.0])
    assert me.factors.tolist() == typed.factors.tolist() and me.bias == typed.bias


def test_only_what_a_model_knows_is_matched():
    file = b"Alien (1979),4.5\nAliens (1986),2\n"
    own = read_own_ratings(file, CINEMA, items=np.array([60, 10]))
    assert [one.items for one in own.matched] == [(60,)]
    assert [str(one) for one in own.doubtful + own.unknown] == ["Aliens (1986)"]
    with pytest.raises(KeyError):
        read_own_ratings(file, CINEMA, items=[60, 61])
    with pytest.raises(PreferencesError, match="None of the 2 movies in this file is known here"):
        read_own_ratings(file, CINEMA, items=[10])
    with pytest.raises(FileNotFoundError):
        read_own_ratings("ratings.csv", CINEMA)


# What a visitor makes of it


def test_a_visitor_is_rated_what_is_certain_and_chooses_the_rest(tmp_path):
    visitor = Visitor(RECOMMENDER, CINEMA)
    visitor.rate(70, 1.0)
    file = tmp_path / "ratings.csv"
    file.write_text(
        "Name,Year,Letterboxd URI,Rating\nAlien,1979,u,4.5\nAliens,1987,u,2\nX,1990,u,1\n"
    )
    own = visitor.load(file)
    assert isinstance(own, OwnRatings)
    assert visitor.ratings == {60: 4.5}
    assert own.doubtful == [OwnRating(3, "Aliens", 1987, 2.0, (70,))]
    assert [str(one) for one in own.unknown] == ["X (1990)"]
    (doubtful,) = own.doubtful
    visitor.rate(doubtful.items[0], doubtful.rating)
    assert visitor.ratings == {60: 4.5, 70: 2.0}
    before = visitor.recommend()
    for refused in ("Name,Year,Letterboxd URI,Rating\nX,1990,u,1\n", "", "Alien,11\n"):
        with pytest.raises(PreferencesError):
            visitor.loads(refused)
    assert visitor.recommend().equals(before)


def test_ids_that_are_text_are_found_in_a_file():
    movies = CINEMA.movies.assign(movie_id="m" + CINEMA.movies["movie_id"].astype(str))
    ratings = CINEMA.ratings.assign(movie_id="m" + CINEMA.ratings["movie_id"].astype(str))
    cinema = MovieLens("text", ratings, movies)
    visitor = Visitor(recommender_of(cinema), cinema)
    assert len(visitor.loads("movieId,rating\nm60,4\n60,5\n").unknown) == 1
    assert visitor.ratings == {"m60": 4.0}
