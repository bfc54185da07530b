"""A program as users write it: mypy checks what it says of types, and then it is run.

Each ``type: ignore`` marks a mistake that a type checker has to see; it complains of one too many.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, assert_type

import numpy as np
import pandas as pd
import polars as pl

import alslib
from alslib import (
    CSR,
    BiasALS,
    FeatureALS,
    ImplicitALS,
    LatentALS,
    MovieLens,
    Profile,
    Ratings,
    Recommender,
    SearchResult,
    Visitor,
)

Array = np.ndarray[tuple[Any, ...], np.dtype[Any]]

COLUMNS = {
    "user_id": [1, 1, 1, 2, 2, 3, 3, 3],
    "movie_id": [10, 20, 30, 10, 30, 20, 30, 40],
    "rating": [5.0, 3.0, 1.0, 4.0, 2.0, 3.5, 4.0, 5.0],
    "timestamp": [1, 2, 3, 4, 5, 6, 7, 8],
}
MOVIES = {
    "movie_id": [10, 20, 30, 40],
    "title": ["Up", "Heat", "Alien", "Jaws"],
    "genres": ["Comedy", "Crime", "", "Horror|Sci-Fi"],
    "year": [2009, 1995, 1979, None],
}


def load() -> tuple[MovieLens, Ratings]:
    movielens = MovieLens("mine", pl.DataFrame(COLUMNS), MOVIES)
    assert_type(movielens.ratings, pd.DataFrame)
    assert_type(movielens.titles(), "pd.Series[str]")
    assert_type(alslib.load_movielens(), MovieLens)
    for table in (COLUMNS, pl.DataFrame(COLUMNS), pd.DataFrame(COLUMNS)):
        ratings = Ratings.from_frame(table, scale=(0.5, 5))
    with suppress(TypeError):
        Ratings.from_frame(Path("ratings.csv"))  # type: ignore[arg-type]
    return movielens, ratings


def look_at(ratings: Ratings) -> None:
    items, values = ratings.of_user(1)
    assert_type(items, Array)
    assert_type(values, Array)
    assert_type(ratings.user_ids, Array)
    assert_type(ratings.by_user, CSR)
    assert_type(ratings.scale, tuple[float, float])
    assert_type(ratings.step, float)
    assert_type(ratings.mean, float)
    assert_type(ratings.to_frame(), pd.DataFrame)
    assert_type(Ratings(["ann"], [1], [3.5]).select(np.array([True])), Ratings)


def fit(ratings: Ratings, movielens: MovieLens) -> tuple[LatentALS, FeatureALS]:
    train, test = alslib.train_test_split(ratings, 0.2)
    assert_type(BiasALS(gamma=2.0).fit(train, test, progress=False), BiasALS)
    assert_type(ImplicitALS(2).fit(ratings), ImplicitALS)
    model = LatentALS(2, tau=3.0, n_sweeps=3).fit(ratings)
    assert_type(model, LatentALS)
    assert_type(model.item_factors_, Array)
    assert_type(model.mean_, float)
    assert_type(model.history_[-1].train_rmse, float)
    for sweep in LatentALS(2, n_sweeps=2).fit_iter(ratings, ratings):
        assert_type(sweep.validation_rmse, float)
    assert_type(model.predict(1, 10), float)
    assert_type(model.predict([1, 2], [10, 20]), Array)
    assert_type(model.predict(1, ratings.item_ids), Array)
    assert_type(alslib.rmse([4.0], model.predict([1], [10])), float)
    genres = alslib.movie_features(movielens.movies)
    assert_type(genres, pd.DataFrame)
    rich = FeatureALS(2, n_sweeps=3)
    assert_type(rich.fit(ratings, item_features=genres), FeatureALS)
    rich.fit(ratings, item_features=[genres, np.eye(4)], user_features={"user_id": [1, 2, 3]})
    rich.fit(ratings, item_features=[genres, genres])
    rich.fit(ratings, item_features=alslib.implicit_feedback(ratings).T)
    ages = pl.DataFrame({"user_id": [1, 2, 3], "old": [True, True, False]})
    rich.fit(ratings, user_features=ages)
    assert_type(rich.user_prior_bias_, Array)
    assert_type(rich.user_feature_names_, list[list[str]])
    return model, rich


def search(ratings: Ratings) -> None:
    found = alslib.grid_search(FeatureALS(2, n_sweeps=2), {"tau": [1.0, 3.0]}, ratings, ratings)
    assert_type(found, SearchResult[FeatureALS])
    assert_type(found.trials, pd.DataFrame)
    assert_type(found.model.fit(ratings, item_features=np.eye(4)), FeatureALS)
    folds = alslib.k_fold(ratings, 2)
    assert_type(folds, Iterator[tuple[Ratings, Ratings]])


def recommend(model: LatentALS, rich: FeatureALS, ratings: Ratings, movielens: MovieLens) -> None:
    someone = alslib.fold_in(model, [10, 20], [4.0, 3.5])
    assert_type(someone, Profile)
    assert_type(someone.bias, float)
    alslib.fold_in(rich, [10], [4.0], features={"old": [True]})
    with suppress(TypeError):
        Recommender(BiasALS().fit(ratings), ratings)  # type: ignore[arg-type]
    recommender = Recommender(model, ratings)
    assert_type(recommender.recommend(1, n=2), pd.DataFrame)
    assert_type(recommender.recommend(someone, n=2), pd.DataFrame)
    visitor = Visitor(recommender, movielens)
    assert_type(visitor.levels, list[float])
    visitor.rate(10, 4.5)
    assert_type(visitor.title(10), str)
    alslib.export_json("page.json", recommender, movielens, min_ratings=1)


def keep(model: LatentALS, folder: Path) -> None:
    model.save(folder / "model.npz")
    assert_type(LatentALS.load(folder / "model.npz"), LatentALS)
    assert_type(model.get_params(), dict[str, Any])
    assert_type(model.set_params(tau=2.0), LatentALS)


def go_on(model: LatentALS, folder: Path) -> None:
    past = Ratings.from_frame(COLUMNS, time="timestamp", keep="last")
    train, _, test = alslib.time_split(past, 0.2, 0.2)
    assert_type(alslib.share_index(train, test), tuple[Ratings, ...])
    past.save(folder / "ratings.npz")
    now = Ratings.load(folder / "ratings.npz", mmap=True).with_ids(users=[4])
    assert_type(now, Ratings)
    assert_type(model.fit(now, warm_start=True), LatentALS)
    assert_type(model.update(now, users=[1]), LatentALS)
    recommender = Recommender(model, now)
    assert_type(recommender.users_for(10, n=2, exclude=[1]), pd.DataFrame)


def main() -> None:
    movielens, ratings = load()
    look_at(ratings)
    model, rich = fit(ratings, movielens)
    search(ratings)
    recommend(model, rich, ratings, movielens)
    keep(model, Path())
    go_on(model, Path())


if __name__ == "__main__":
    main()
