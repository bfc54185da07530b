"""What a visitor sees is what the ratings at that moment say, whatever happened before."""

import json
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from cinema import DAY, recommender_of, small_cinema
from hypothesis import given
from hypothesis import strategies as st

from alslib import (
    Calibration,
    ImplicitALS,
    LatentALS,
    MovieLens,
    PopularityPrior,
    PreferencesError,
    Ratings,
    Recommender,
    Visitor,
    export_json,
    fold_in,
)

CINEMA = small_cinema()
RECOMMENDER = recommender_of(CINEMA)
ITEMS = CINEMA.movies["movie_id"].tolist()
HALF_STARS = [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0]


@pytest.fixture
def visitor():
    return Visitor(RECOMMENDER, CINEMA)


def same(one, other):
    pd.testing.assert_frame_equal(one, other)


@pytest.fixture(scope="module")
def choices():
    return ImplicitALS(3, lam=4, tau=5).fit(RECOMMENDER.ratings)


rating = st.tuples(st.sampled_from(ITEMS), st.sampled_from([None, *HALF_STARS]))


@given(
    st.lists(rating, max_size=12),
    st.sampled_from([0.05, 1.0]),
    st.integers(1, 30),
    st.sampled_from([None, "Sci-Fi", "Drama"]),
)
def test_a_list_depends_on_the_ratings_and_not_on_how_they_came_about(
    actions, alpha, min_ratings, genre
):
    visitor, ratings = Visitor(RECOMMENDER, CINEMA), {}
    for item, stars in actions:  # None takes a rating back
        if stars is not None:
            visitor.rate(item, stars)
            ratings[item] = stars
        elif item in ratings:
            visitor.delete(item)
            del ratings[item]
        visitor.recommend(3)  # what is remembered must not go stale
    assert visitor.ratings == ratings
    found = visitor.recommend(5, alpha=alpha, min_ratings=min_ratings, genre=genre)
    profile = fold_in(RECOMMENDER.model, list(ratings), list(ratings.values()))
    wanted = CINEMA.movies[CINEMA.movies["genres"].str.contains(genre or "")]["movie_id"]
    expected = RECOMMENDER.recommend(
        profile, 5, alpha=alpha, min_ratings=min_ratings, among=wanted.to_numpy()
    )
    same(found[["item_id", "score", "n_ratings"]], expected)


def test_titles_have_their_year_if_there_is_one(visitor):
    assert visitor.title(10) == "Matrix, The (1999)"
    assert visitor.title(80) == "Nameless"
    assert visitor.genres == ["Action", "Comedy", "Drama", "Horror", "Sci-Fi"]


def test_search_shows_id_title_and_number_of_ratings(visitor):
    found = visitor.search("the matrix")
    assert found["title"].tolist() == ["Matrix, The (1999)", "Matrix Reloaded, The (2003)"]
    counts = CINEMA.ratings["movie_id"].value_counts()
    assert found["n_ratings"].tolist() == counts[[10, 20]].tolist()
    assert visitor.search("no such film").empty


def test_reasons_are_the_largest_shares_of_the_explanation(visitor):
    for item, stars in zip(ITEMS[:8], [5, 0.5, 4, 1, 4.5, 3, 2, 5], strict=True):
        visitor.rate(item, stars)
    for item in visitor.recommend(10)["item_id"]:
        shares = RECOMMENDER.explain(visitor.profile, item).ratings
        positive = shares[shares["share"] > 0.005]
        assert visitor.because(item, 3)["item_id"].tolist() == positive["item_id"].tolist()[:3]
        assert (visitor.because(item)["share"] > 0).all()


def test_nothing_speaks_for_a_movie_when_nothing_was_rated(visitor):
    assert visitor.because(10).empty


@pytest.mark.parametrize(("min_ratings", "genre"), [(1, None), (20, None), (1, "Sci-Fi")])
def test_trending_counts_the_ratings_of_the_last_year(visitor, min_ratings, genre):
    latest = CINEMA.ratings["timestamp"].max()
    recent, ever = Counter(), Counter()
    for row in CINEMA.ratings.itertuples():
        ever[row.movie_id] += 1
        recent[row.movie_id] += row.timestamp > latest - 365 * DAY
    visitor.rate(recent.most_common(1)[0][0], 5.0)
    genres = dict(zip(CINEMA.movies["movie_id"], CINEMA.movies["genres"], strict=True))
    expected = sorted(
        (-recent[item], -ever[item], item)
        for item in ITEMS
        if recent[item]
        and ever[item] >= min_ratings
        and item not in visitor.ratings
        and (genre is None or genre in genres[item].split("|"))
    )[:6]
    found = visitor.trending(6, min_ratings=min_ratings, genre=genre)
    told = zip(-found["n_recent"], -found["n_ratings"], found["item_id"], strict=True)
    assert list(told) == expected


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda v: v.trending(-1), ValueError, "n must be at least 1, got -1"),
        (lambda v: v.trending(2.5), TypeError, "n must be an integer, got 2.5"),
        (lambda v: v.trending(min_ratings=-1), ValueError, "min_ratings must be at least 0"),
        (lambda v: v.search("matrix", -1), ValueError, "n must be at least 1, got -1"),
        (lambda v: v.search("", 1.5), TypeError, "n must be an integer, got 1.5"),
    ],
)
def test_a_list_of_minus_one_movies_is_refused(visitor, call, error, message):
    with pytest.raises(error, match=message):
        call(visitor)


def test_without_times_every_rating_is_recent(tmp_path):
    timeless = CINEMA.ratings.drop(columns="timestamp")
    own = MovieLens("my films", timeless, CINEMA.movies)
    found = Visitor(RECOMMENDER, own).trending(5)
    assert (found["n_recent"] == found["n_ratings"]).all()
    assert repr(own).endswith("stars")
    with pytest.raises(ValueError, match="the ratings need a column timestamp"):
        export_json(tmp_path / "never.json", RECOMMENDER, own)


def test_a_mistake_is_refused_and_changes_nothing(visitor):
    visitor.rate(10, 5.0)
    before = visitor.recommend()
    for wrong in (
        lambda: visitor.rate(11, 3.0),
        lambda: visitor.rate(-1, 3.0),
        lambda: visitor.title(11),
        lambda: visitor.because(11),
        lambda: visitor.delete(20),
    ):
        with pytest.raises(KeyError, match=r"item (11|-1|20)"):
            wrong()
    for stars in (0, 5.5, 4.2, float("nan"), "5"):
        with pytest.raises(ValueError, match=r"one of 0\.5, 1, 1\.5"):
            visitor.rate(20, stars)
    with pytest.raises(ValueError, match="no genre 'Noir'; there are Action"):
        visitor.recommend(genre="Noir")
    assert visitor.ratings == {10: 5.0}
    same(visitor.recommend(), before)


def test_saved_ratings_come_back_in_their_order(visitor, tmp_path):
    for item, stars in [(40, 1), (10, 4.5), (np.int64(20), np.float32(3))]:
        visitor.rate(item, stars)
    visitor.save(tmp_path / "mine.json")
    other = Visitor(RECOMMENDER, CINEMA)
    other.rate(70, 5.0)
    assert other.load(tmp_path / "mine.json").unknown == []
    assert list(other.ratings.items()) == [(40, 1.0), (10, 4.5), (20, 3.0)]
    same(other.recommend(), visitor.recommend())
    assert [path.name for path in tmp_path.iterdir()] == ["mine.json"]
    written = json.loads((tmp_path / "mine.json").read_text("utf-8"))
    assert written["ratings"][1] == {
        "item_id": 10,
        "title": "Matrix, The (1999)",
        "rating": 4.5,
    }


def test_unknown_movies_in_a_file_are_left_out_and_named(visitor):
    entries = [{"item_id": n, "title": f"T{n}", "rating": 4.0} for n in (11, 10, 12)]
    file = {"format": "alslib-preferences", "version": 1, "ratings": entries}
    own = visitor.loads(json.dumps(file).encode("utf-8-sig"))
    assert [one.title for one in own.unknown] == ["T11", "T12"]
    assert visitor.ratings == {10: 4.0}


def test_a_refused_file_leaves_the_ratings_as_they_were(visitor, tmp_path):
    visitor.rate(10, 5.0)
    strange = {"format": "alslib-preferences", "version": 1}
    strange["ratings"] = [{"item_id": 11, "title": "T", "rating": 4.0}]
    for content in ("{}", json.dumps(strange)):
        with pytest.raises(PreferencesError):
            visitor.loads(content)
    with pytest.raises(FileNotFoundError):
        visitor.load(tmp_path / "not there.json")
    assert visitor.ratings == {10: 5.0}


def test_an_empty_file_of_preferences_empties_the_ratings(visitor):
    visitor.rate(10, 5.0)
    visitor.loads('{"format": "alslib-preferences", "version": 1, "ratings": []}')
    assert visitor.ratings == {}


def test_whole_stars_are_rated_in_whole_stars():
    whole = CINEMA.ratings.assign(rating=np.ceil(CINEMA.ratings["rating"]))
    cinema = MovieLens("whole", whole, CINEMA.movies)
    assert Visitor(recommender_of(cinema), cinema).levels == [1.0, 2.0, 3.0, 4.0, 5.0]


def test_a_visitor_can_give_what_nobody_gave_on_a_declared_scale():
    users, items, stars = CINEMA.ratings[["user_id", "movie_id", "rating"]].to_numpy().T
    stars = np.clip(np.ceil(stars), 2, 4)
    ratings = Ratings(users.astype(int), items.astype(int), stars, scale=(0.5, 5))
    recommender = Recommender(LatentALS(2, n_sweeps=1).fit(ratings), ratings)
    assert Visitor(recommender, CINEMA).levels == [1.0, 2.0, 3.0, 4.0, 5.0]


def test_a_scale_without_steps_and_items_without_titles_are_refused():
    uneven = CINEMA.ratings.assign(rating=np.random.default_rng(0).random(len(CINEMA.ratings)))
    cinema = MovieLens("uneven", uneven, CINEMA.movies)
    with pytest.raises(ValueError, match="even scale"):
        Visitor(recommender_of(cinema), cinema)
    fewer = MovieLens("fewer", CINEMA.ratings, CINEMA.movies.iloc[3:])
    with pytest.raises(ValueError, match="3 items have no title"):
        Visitor(RECOMMENDER, fewer)


def test_movies_that_nobody_rated_are_not_offered():
    movies = pd.concat([CINEMA.movies, CINEMA.movies.iloc[:1].assign(movie_id=9990)])
    cinema = MovieLens("more", CINEMA.ratings, movies)
    recommender = Recommender(RECOMMENDER.model, Ratings.from_frame(cinema.ratings))
    assert 9990 not in Visitor(recommender, cinema).search("matrix")["item_id"].tolist()


def test_lists_follow_choices_and_begin_with_fame(choices):
    visitor = Visitor(RECOMMENDER, CINEMA, choices)
    assert visitor.ways == ["choice", "stars"]
    prior, chooser = PopularityPrior(RECOMMENDER.ratings), Recommender(choices, RECOMMENDER.ratings)
    rated = {}
    for item, stars in [(60, 5.0), (70, 4.5), (10, 1.0)]:
        visitor.rate(item, stars)
        rated[item] = stars
        me = fold_in(choices, list(rated), list(rated.values()), prior=prior)
        told = chooser.recommend(me, 5, alpha=0.5, min_ratings=3)
        found = visitor.recommend(5, alpha=0.5, min_ratings=3)
        assert found["item_id"].tolist() == told["item_id"].tolist()
        np.testing.assert_array_equal(found["score"], told["score"])
        same(visitor.recommend(5, by="choice"), visitor.recommend(5))
        for item in found["item_id"]:
            because = visitor.because(item, 3)
            shares = chooser.explain(me, item).ratings
            shares = shares[shares["share"] >= 0.005]
            assert because["item_id"].tolist() == shares["item_id"].tolist()
            np.testing.assert_array_equal(because["share"], shares["share"])
    plain = Visitor(RECOMMENDER, CINEMA)
    assert plain.ways == ["stars"]
    plain.loads(visitor.preferences())
    same(visitor.recommend(5, by="stars"), plain.recommend(5))
    same(visitor.because(20, by="stars"), plain.because(20))


@pytest.mark.parametrize("by", ["choice", "stars"])
def test_recommendations_have_intervals_where_errors_were_measured(choices, by):
    model, ratings = RECOMMENDER.model, RECOMMENDER.ratings
    sure = Recommender(model, ratings, Calibration(np.array([0.1, 0.2, 0.3, 0.4])))
    visitor = Visitor(sure, CINEMA, choices)
    visitor.rate(60, 4.0)
    table = visitor.recommend(4, by=by)
    columns = ["item_id", "title", "score", "predicted", "low", "high", "n_ratings"]
    assert table.columns.tolist() == columns
    told = sure.predict_interval(visitor.profile, table["item_id"])
    for name in columns[3:6]:
        np.testing.assert_array_equal(table[name], told[name])
    assert ((table["low"] < table["high"]) & (table["low"] <= table["predicted"])).all()
    careful = visitor.recommend(40, by="stars", caution=1.0)
    told = sure.recommend(visitor.profile, 40, caution=1.0)
    assert careful["item_id"].tolist() == told["item_id"].tolist()


def test_ways_to_rank_that_there_are_not_are_refused(visitor, choices):
    for ask in (visitor.recommend, lambda by: visitor.because(10, by=by)):
        with pytest.raises(ValueError, match="by stars, got 'choice'"):
            ask(by="choice")
    both = Visitor(RECOMMENDER, CINEMA, choices)
    with pytest.raises(ValueError, match="by choice or by stars, got 'fame'"):
        both.recommend(by="fame")
    with pytest.raises(ValueError, match="rank by stars"):
        both.recommend(caution=0.5)
    with pytest.raises(TypeError, match="choices must be an ImplicitALS, got LatentALS"):
        Visitor(RECOMMENDER, CINEMA, RECOMMENDER.model)
