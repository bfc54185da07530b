"""A model as JSON: small, the same to the byte, and what it leaves out can be told exactly."""

import base64
import copy
import errno
import json
import os

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from alslib import (
    Calibration,
    FeatureALS,
    ImplicitALS,
    LatentALS,
    MovieLens,
    PopularityPrior,
    Ratings,
    Recommender,
    export_json,
    fold_in,
    load_movielens,
    movie_features,
)

DAY = 86_400


def export(path, model, movielens, calibration=None, **options):
    recommender = Recommender(model, Ratings.from_frame(movielens.ratings), calibration)
    export_json(path, recommender, movielens, **options)


def exported(path, *arguments, **options):
    export(path, *arguments, **options)
    return json.loads(path.read_text("ascii"))


def decoded(document):
    """Factors as whole multiples of the unit, by another way than the package's."""
    factors = document["factors"]
    words = memoryview(base64.b64decode(factors["int16"])).cast("h")
    return np.array(words, dtype=float).reshape(-1, factors["columns"]) * factors["unit"]


def small_movielens(**changes):
    """Three movies with 3, 2 and 1 ratings; the last rating is on the second of March."""
    last = int(pd.Timestamp("2001-03-02 12:00").timestamp())
    ratings = pd.DataFrame(
        {
            "user_id": [1, 2, 3, 1, 2, 3],
            "movie_id": [20, 20, 20, 10, 10, 30],
            "rating": [5.0, 4.0, 3.0, 1.0, 2.5, 4.0],
            "timestamp": [last, last - DAY, last - 9 * DAY, last - 2 * DAY, last - DAY, last],
        }
    )
    movies = pd.DataFrame(
        {
            "movie_id": [10, 20, 30],
            "title": ["Up", "Alien", "Amélie"],
            "year": pd.array([2009, 1979, None], dtype="Int16"),
            "genres": ["Comedy|Animation", "Sci-Fi", ""],
        }
    )
    return MovieLens("small", **({"ratings": ratings, "movies": movies} | changes))


@pytest.fixture
def small():
    return small_movielens()


@pytest.fixture
def small_model(small):
    return LatentALS(3, lam=2.0, gamma=1.0, tau=0.5, ridge_power=0.3).fit(
        Ratings.from_frame(small.ratings)
    )


@pytest.fixture(scope="module")
def bundled():
    movielens = load_movielens()
    ratings = Ratings.from_frame(movielens.ratings)
    features = movie_features(movielens.movies)
    return FeatureALS(32).fit(ratings, progress=False, item_features=features), movielens, ratings


def test_the_file_says_what_the_model_and_the_movies_say(tmp_path, small, small_model):
    document = exported(tmp_path / "m.json", small_model, small, min_ratings=1, recent_days=2)
    factors = decoded(document)
    del document["factors"]["int16"], document["directions"]
    rounding = np.abs(small_model.item_factors_).max() / 32_767
    np.testing.assert_allclose(factors, small_model.item_factors_, atol=rounding / 2 * 1.001)
    assert document.pop("mean") == small_model.mean_ == 3.25
    np.testing.assert_allclose(
        document["items"].pop("bias"), small_model.item_bias_, atol=0.5000001e-5
    )
    assert document == {
        "format": "alslib-model",
        "version": 2,
        "scale": [1.0, 5.0],
        "ridge": {"bias": 0.5, "factors": 0.25, "power": 0.3},
        "recent": {"days": 2, "until": "2001-03-02"},
        "genres": ["Animation", "Comedy", "Sci-Fi"],
        "items": {
            "id": [10, 20, 30],
            "title": ["Up (2009)", "Alien (1979)", "Amélie"],
            "genres": [[1, 0], [2], []],
            "n_ratings": [2, 3, 1],
            "n_recent": [1, 2, 1],
        },
        "factors": {"columns": 3, "unit": pytest.approx(rounding)},
        "interval": None,
        "choice": None,
    }


def test_the_file_says_how_uncertain_movies_are(tmp_path, small, small_model):
    calibration = Calibration(np.array([0.2, 0.4, 0.6, 0.8, 1.0]))
    path = tmp_path / "m.json"
    interval = exported(path, small_model, small, calibration, min_ratings=2)["interval"]
    recommender = Recommender(small_model, Ratings.from_frame(small.ratings))
    variance = recommender.item_variances([10, 20])
    np.testing.assert_allclose(interval.pop("variance"), variance, atol=0.50001e-4)
    assert interval == {"share": 0.8, "quantile": 1.0, "sigma": calibration.sigma}


def test_the_file_says_what_begins_with_fame_needs(tmp_path, small, small_model):
    ratings = Ratings.from_frame(small.ratings)
    model = ImplicitALS(2, lam=3.0, tau=0.7).fit(ratings)
    choice = exported(tmp_path / "m.json", small_model, small, choices=model, min_ratings=2)[
        "choice"
    ]
    np.testing.assert_allclose(decoded(choice), model.item_factors_[:2], atol=1e-4)
    V = model.item_factors_.astype(float)
    lower = ((V.T @ V + 0.7 * np.eye(2)) / 3.0)[[0, 1, 1], [0, 0, 1]]
    np.testing.assert_allclose(choice["ridge"], lower, rtol=1e-6)
    prior = PopularityPrior(ratings)
    assert choice["liked"] == [0, 2] == (3 * prior.liked_share[:2]).tolist()
    assert choice["n_users"] == 3
    assert [choice[key] for key in ("from", "share", "growth")] == [4.0, 0.05, 0.001]


def test_users_who_have_rated_nothing_are_not_counted(tmp_path, small):
    ratings = Ratings.from_frame(small.ratings).with_ids(users=[97, 98])
    recommender = Recommender(LatentALS(2).fit(ratings), ratings)
    choices = ImplicitALS(2).fit(ratings)
    export_json(tmp_path / "m.json", recommender, small, choices=choices, min_ratings=2)
    choice = json.loads((tmp_path / "m.json").read_text())["choice"]
    assert (choice["liked"], choice["n_users"]) == ([0, 2], 3)


@pytest.mark.parametrize(
    "to",
    [pl.from_pandas, pa.Table.from_pandas, lambda table: table.to_dict("list")],
    ids=["Polars", "Arrow", "dict"],
)
def test_tables_of_every_library_make_the_same_file(tmp_path, small, small_model, to):
    other = MovieLens("small", to(small.ratings), to(small.movies))
    for name, movielens in (("one", small), ("other", other)):
        export(tmp_path / name, small_model, movielens, min_ratings=1)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_only_movies_with_enough_ratings_are_there(tmp_path, small, small_model):
    document = exported(tmp_path / "m.json", small_model, small, min_ratings=2)
    assert document["items"]["id"] == [10, 20]
    np.testing.assert_allclose(decoded(document), small_model.item_factors_[:2], atol=1e-4)


def test_directions_are_those_of_the_largest_spread(tmp_path, bundled):
    model, movielens, ratings = bundled
    document = exported(tmp_path / "m.json", model, movielens)
    directions = np.array(document["directions"])
    np.testing.assert_allclose(directions @ directions.T, np.eye(2), atol=1e-3)
    factors = model.item_factors_[ratings.item_counts >= 10].astype(float)
    spread = np.linalg.svd(factors - factors.mean(axis=0), compute_uv=False)
    squares = len(factors) * (factors @ directions.T).var(axis=0)
    np.testing.assert_allclose(squares, spread[:2] ** 2, rtol=1e-3)


@pytest.mark.parametrize("tilt", [-1e-12, 0.0, 1e-12])
def test_a_direction_with_two_largest_parts_does_not_turn_round(tmp_path, small, tilt):
    """Of parts that rounding alone tells apart the first is the positive one."""
    model = LatentALS(2).fit(Ratings.from_frame(small.ratings))
    model.item_factors_ = np.array([[3.0, 3 + tilt], [-1.0, -2 - tilt], [-2.0, -1.0]])
    document = exported(tmp_path / "m.json", model, small, min_ratings=1)
    diagonal = np.sqrt(0.5)
    expected = [[diagonal, diagonal], [diagonal, -diagonal]]
    np.testing.assert_allclose(document["directions"], expected, atol=1e-3)


def test_the_bundled_ratings_make_a_small_file_the_same_each_time(tmp_path, bundled):
    model, movielens, ratings = bundled
    again = FeatureALS(32).fit(
        ratings, progress=False, item_features=movie_features(movielens.movies)
    )
    export(tmp_path / "one.json", model, movielens)
    export(tmp_path / "two.json", again, movielens)
    one = (tmp_path / "one.json").read_bytes()
    assert one == (tmp_path / "two.json").read_bytes()
    assert len(one) < 400_000
    document = json.loads(one)
    assert len(document["items"]["id"]) == (ratings.item_counts >= 10).sum()


def test_rounding_moves_no_score_by_a_thousandth_of_a_star(tmp_path, bundled):
    model, movielens, ratings = bundled
    document = exported(tmp_path / "m.json", model, movielens)
    ids = np.array(document["items"]["id"])
    rows = ratings.item_index(ids)
    rounded = copy.copy(model)
    rounded.item_factors_ = model.item_factors_.astype(float)
    rounded.item_factors_[rows] = decoded(document)
    rounded.item_bias_ = model.item_bias_.copy()
    rounded.item_bias_[rows] = document["items"]["bias"]
    rng = np.random.default_rng(0)
    furthest = 0.0
    for n_rated in rng.integers(1, 60, size=100):
        rated = rng.choice(ids, n_rated, replace=False)
        stars = rng.integers(1, 11, n_rated) / 2
        scores = []
        for each in (model, rounded):
            me = fold_in(each, rated, stars)
            taste = each.item_factors_[rows].astype(float) @ me.factors
            scores.append(me.bias + each.item_bias_[rows] + taste)
        furthest = max(furthest, np.abs(scores[0] - scores[1]).max())
    print(f"largest difference of scores: {furthest:.1e} stars")
    assert 0 < furthest < 1e-3


def test_a_model_whose_factors_are_all_zero_can_be_exported(tmp_path, small, small_model):
    small_model.item_factors_[:] = 0
    document = exported(tmp_path / "m.json", small_model, small, min_ratings=1)
    assert not decoded(document).any()


def test_the_text_can_stand_in_a_page_whatever_the_titles(tmp_path, small_model):
    movies = small_movielens().movies.assign(title=["</script><b>Up", "<!-- Alien", "A & B"])
    small = small_movielens(movies=movies)
    document = exported(tmp_path / "m.json", small_model, small, min_ratings=1)
    assert "</script><b>Up (2009)" in document["items"]["title"]
    assert "<" not in (tmp_path / "m.json").read_text("ascii")


def test_a_crash_leaves_the_old_file_as_it_was(tmp_path, small, small_model, monkeypatch):
    path = tmp_path / "m.json"
    path.write_text("old")

    def full_disk(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        export(path, small_model, small, min_ratings=1)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_model_that_predicts_no_ratings_is_refused(tmp_path, small):
    model = ImplicitALS(2).fit(Ratings.from_frame(small.ratings))
    with pytest.raises(TypeError, match=r"predicted ratings: .* got ImplicitALS"):
        export(tmp_path / "m.json", model, small)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"min_ratings": 0}, ValueError, "min_ratings must be at least 1, got 0"),
        ({"min_ratings": 2.5}, TypeError, "min_ratings must be an integer, got 2.5"),
        ({"min_ratings": 4}, ValueError, "no movie has 4 ratings"),
        ({"recent_days": 0}, ValueError, "recent_days must be at least 1, got 0"),
    ],
)
def test_options_out_of_range_are_refused(tmp_path, small, small_model, options, error, message):
    with pytest.raises(error, match=message):
        export(tmp_path / "m.json", small_model, small, **options)
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_makes_no_page_is_refused(tmp_path, small):
    ratings = Ratings.from_frame(small.ratings)
    known = Ratings([1, 2], [10, 30], [3, 4])
    named = Ratings([1, 2], ["Up", "Alien"], [3, 4])
    for of, error, message in [
        (Recommender(LatentALS(1).fit(ratings), ratings), ValueError, "must have two factors"),
        (
            Recommender(LatentALS(2).fit(known), known),
            ValueError,
            "the model does not know 1 of these 3 movies, the first is 20; fit it to these ratings",
        ),
        (
            Recommender(LatentALS(2).fit(named), named),
            TypeError,
            "movie ids are strings in these ratings, got integers",
        ),
        (LatentALS(2).fit(ratings), TypeError, "must be a Recommender, got LatentALS"),
    ]:
        with pytest.raises(error, match=message):
            export_json(tmp_path / "m.json", of, small, min_ratings=1)
    model = LatentALS(2).fit(ratings)
    with pytest.raises(TypeError, match="choices must be an ImplicitALS, got LatentALS"):
        export(tmp_path / "m.json", model, small, choices=model)
    with pytest.raises(RuntimeError, match="not fitted yet"):
        export(tmp_path / "m.json", model, small, choices=ImplicitALS(2), min_ratings=1)
    assert list(tmp_path.iterdir()) == []


def test_movies_that_do_not_belong_to_the_ratings_are_refused(tmp_path, small, small_model):
    def refused(movielens, error=ValueError):
        return pytest.raises(error, match=movielens)

    path = tmp_path / "m.json"
    with refused("2 of 3 movies have no title, the first is 10"):
        export(path, small_model, small_movielens(movies=small.movies[2:]), min_ratings=1)
    with refused("movie 30 is in the table of movies more than once"):
        twice = pd.concat([small.movies, small.movies[2:]])
        export(path, small_model, small_movielens(movies=twice), min_ratings=1)
    with refused("movielens must be a MovieLens, got DataFrame", TypeError):
        of = Recommender(small_model, Ratings.from_frame(small.ratings))
        export_json(path, of, small.ratings)
    with refused("is a folder; name a file in it", IsADirectoryError):
        export(tmp_path, small_model, small, min_ratings=1)
    assert list(tmp_path.iterdir()) == []
