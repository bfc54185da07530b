"""On a cluster a fit has the bits that it has here, or says before any work why it cannot."""

import asyncio

import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from distributed import Client, LocalCluster
from oracles import assert_same_fit
from processes import processes, worker, worker_without_the_package

from alslib import BiasALS, FeatureALS, ImplicitALS, LatentALS, Ratings, SpreadRatings
from alslib.cluster import connecting, working


@pytest.fixture(scope="module")
def client():
    with (
        processes() as start,
        LocalCluster(n_workers=0, dashboard_address=":0", silence_logs=50) as started,
        Client(started) as client,
    ):
        for _ in range(2):
            start(worker, started.scheduler_address)
        client.wait_for_workers(2)
        yield client


@pytest.fixture(scope="module")
def spread(folder, client):
    with SpreadRatings.from_pieces(folder, cluster=client) as spread:
        yield spread


MODELS = [
    BiasALS(n_sweeps=3),
    LatentALS(5, n_sweeps=3),
    LatentALS(5, n_sweeps=3, cg_steps=2),
    LatentALS(5, joint=False, n_sweeps=3),
    LatentALS(0, n_sweeps=3),
    LatentALS(5, n_sweeps=50, tol=1e-3),
    ImplicitALS(5, lam=4, n_sweeps=3),
    FeatureALS(5, n_sweeps=3),
]


def test_what_is_known_of_the_ratings_is_what_one_machine_knows(spread, table):
    here = Ratings.from_frame(table)
    assert spread.shares_index_with(here)
    assert (spread.mean, spread.scale, spread.n_ratings) == (here.mean, here.scale, here.n_ratings)
    assert (spread.offset, spread.step) == (here.offset, here.step)
    for kind in ("user", "item"):
        np.testing.assert_array_equal(spread.rated_by(kind).counts, here.rated_by(kind).counts)
    assert "9,000 ratings, 300 users × 200 items, 0.5–5, 2 workers" in repr(spread)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_a_fit_has_the_same_bits(spread, table, model):
    here = Ratings.from_frame(table)
    chosen = np.random.default_rng(0).random(here.n_ratings) < 0.1
    validation = None if isinstance(model, ImplicitALS) else here.select(chosen)
    more = {}
    if isinstance(model, FeatureALS):
        features = np.random.default_rng(0).integers(0, 2, (here.n_items, 4))
        more["item_features"] = features
    one, other = (type(model)(**model.get_params()) for _ in range(2))
    assert_same_fit(other.fit(spread, validation, **more), one.fit(here, validation, **more))
    if model.n_sweeps > 3:
        assert len(one.history_) < model.n_sweeps, "it stops early"


@pytest.mark.parametrize("model", MODELS[:6], ids=lambda model: type(model).__name__)
def test_a_fit_to_weighted_ratings_has_the_same_bits(client, folder, table, model):
    here = Ratings.from_frame(table, weight="weight", scale=(0, 6))
    more = {"weight": "weight", "scale": (0, 6), "cluster": client, "n_partitions": 3}
    one, other = (type(model)(**model.get_params()) for _ in range(2))
    with SpreadRatings.from_pieces(folder, **more) as spread:
        assert (spread.mean, spread.total_weight) == (here.mean, here.total_weight)
        assert_same_fit(other.fit(spread), one.fit(here))


@pytest.mark.parametrize("ending", ["csv", "csv.gz"])
def test_files_of_text_and_tables_of_dask_are_read_too(client, table, tmp_path, ending):
    here = Ratings.from_frame(table.astype({"user_id": str}))
    for number in range(3):
        table[number::3].astype({"user_id": str}).assign(
            user_id=lambda t: "u" + t["user_id"]
        ).to_csv(tmp_path / f"part-{number}.{ending}", index=False)
    with SpreadRatings.from_pieces(tmp_path, cluster=client, n_partitions=2) as spread:
        assert spread.user_ids.tolist() == ["u" + user for user in here.user_ids]
        assert spread.mean == here.mean
    names = {"user": "u", "item": "i", "rating": "r"}
    renamed = table.rename(columns={"user_id": "u", "movie_id": "i", "rating": "r"})
    with SpreadRatings.from_pieces(
        dd.from_pandas(renamed, npartitions=3), **names, cluster=client, n_partitions=7
    ) as spread:
        fitted = LatentALS(3, n_sweeps=2).fit(spread)
    assert_same_fit(fitted, LatentALS(3, n_sweeps=2).fit(Ratings.from_frame(table)))


def test_what_workers_have_is_not_sent_again(spread):
    n_factors, moved, before = 8, [], spread.bytes_moved
    for _ in LatentALS(n_factors, n_sweeps=6, tol=0).fit_iter(spread):
        moved.append(spread.bytes_moved - before)
        before = spread.bytes_moved
    # Both workers get all users, then all items, with their biases and factors; these come back
    # once, and two errors of each user. What is fixed has gone before.
    everything = (spread.n_users + spread.n_items) * (8 + 4 * n_factors)
    assert moved[2:] == [3 * everything + 16 * spread.n_users] * 5


def test_what_no_sweep_asks_for_any_more_is_forgotten(spread):
    kept = []
    for _ in LatentALS(8, n_sweeps=6, tol=0).fit_iter(spread):
        kept.append(sum(map(len, spread._desk._kept.values())))
    assert len(set(kept[-3:])) == 1
    before = sum(map(len, spread._desk._kept.values()))
    LatentALS(9, n_sweeps=6, tol=0).fit(spread)
    assert sum(map(len, spread._desk._kept.values())) == before


@pytest.mark.parametrize(
    ("holders", "n_threads", "homes"),
    [
        # Who holds them keeps them.
        (["a", "b", "b", "a"], {"a": 1, "b": 1}, ["a", "b", "b", "a"]),
        # Nobody gets more than a share, by threads; who is new gets one.
        (["a", "a", "a", "a"], {"a": 1, "b": 1}, ["a", "a", "b", "b"]),
        (["a", "a", "a", "b"], {"a": 1, "b": 3}, ["a", "b", "b", "b"]),
        # Lost, with somebody who is lost, and in two places.
        (["", "c", "ba", "a"], {"a": 1, "b": 1}, ["b", "b", "a", "a"]),
        (["a", ""], {}, [None, None]),
    ],
)
def test_every_worker_has_its_share_of_the_partitions(holders, n_threads, homes):
    assert working.homes_of(holders, n_threads) == homes


def test_partitions_stay_where_they_are(spread, client):
    def where():
        futures = [f for kind in spread._rows.values() for f in kind._partitions.futures()]
        return {key: sorted(workers) for key, workers in client.who_has(futures).items()}

    LatentALS(2, n_sweeps=1).fit(spread)
    before = where()
    LatentALS(2, n_sweeps=8, tol=0).fit(spread)
    assert where() == before


def test_nothing_stays_with_the_workers_of_somebody_else(folder, client):
    before = set(client.futures)
    with SpreadRatings.from_pieces(folder, cluster=client) as spread:
        LatentALS(2, n_sweeps=1).fit(spread)
        assert set(client.futures) - before
    client.sync(asyncio.sleep, 0)  # what is let go of is forgotten by the client's own thread
    assert set(client.futures) <= before


def broken(**columns):
    whole = pd.DataFrame({"user_id": [1, 2, 3], "movie_id": [5, 6, 7], "rating": [3.5, 4, 1]})
    return dd.from_pandas(whole.assign(**columns), npartitions=2)


@pytest.mark.parametrize(
    ("pieces", "error", "message"),
    [
        (broken(rating=[1, np.nan, 2]), ValueError, "1 of .* ratings are NaN"),
        (broken(user_id=[1, 1, 1], movie_id=[5, 6, 5]), ValueError, "repeat a .user, item. pair"),
        (broken(user_id=[1.5, 1, 1]), TypeError, "user ids must be integers or strings"),
        (broken().drop(columns="rating"), ValueError, r"no column \['rating'\] in this table"),
    ],
)
def test_ratings_that_will_not_do_are_refused(client, pieces, error, message):
    with pytest.raises(error, match=message):
        SpreadRatings.from_pieces(pieces, cluster=client)


@pytest.mark.parametrize(
    ("pieces", "message"),
    [
        (["ratings.txt"], "ratings.txt does not end in .parquet, .csv, .csv.gz"),
        (["a.csv", "b.parquet"], "files of one kind, please, not .csv, .parquet"),
        ([], "there are no files"),
    ],
)
def test_files_that_will_not_do_are_refused(client, pieces, message):
    with pytest.raises(ValueError, match=message):
        SpreadRatings.from_pieces(pieces, cluster=client)


def test_there_is_a_partition_at_least(client, folder):
    with pytest.raises(ValueError, match="n_partitions must be at least 1, got 0"):
        SpreadRatings.from_pieces(folder, cluster=client, n_partitions=0)


def test_partitions_of_another_data_set_are_refused(spread, table):
    other = Ratings.from_frame(table[table["user_id"] != 17])
    with pytest.raises(ValueError, match="number their users and items differently"):
        LatentALS(2).fit(spread, other)
    model = LatentALS(2, n_sweeps=1).fit(other)
    with pytest.raises(ValueError, match="differently from those of the fit"):
        model.objective(spread)


@pytest.mark.parametrize("cluster", ["tcp://127.0.0.1:9", "nowhere"])
def test_a_scheduler_that_does_not_answer_is_named(cluster, folder, monkeypatch):
    monkeypatch.setattr(connecting, "_SECONDS", 1)
    with pytest.raises(ConnectionError, match=f"no scheduler answers at '{cluster}'"):
        SpreadRatings.from_pieces(folder, cluster=cluster)


def test_something_else_is_no_cluster(folder):
    with pytest.raises(TypeError, match="a client, the address of a scheduler or a number"):
        SpreadRatings.from_pieces(folder, cluster=[2])


def test_a_worker_with_another_version_is_refused_before_any_work(client, folder, monkeypatch):
    ours = connecting.versions()
    monkeypatch.setattr(connecting, "versions", lambda: ours | {"numba": "0.1"})
    with pytest.raises(RuntimeError, match=r"has numba .*, and here it is 0\.1"):
        SpreadRatings.from_pieces(folder, cluster=client)
    monkeypatch.setattr(connecting, "versions", lambda: ours | {"processor": "z80"})
    with (
        pytest.warns(UserWarning, match="processor .* of another kind than this one .z80."),
        SpreadRatings.from_pieces(folder, cluster=client),
    ):
        pass


def test_a_worker_without_the_package_is_named(folder):
    with (
        processes() as start,
        LocalCluster(n_workers=0, dashboard_address=":0", silence_logs=50) as started,
        Client(started) as client,
    ):
        with pytest.raises(ConnectionError, match="no workers yet"):
            SpreadRatings.from_pieces(folder, cluster=client)
        address = started.scheduler_address
        start(worker_without_the_package, address)
        client.wait_for_workers(1)
        with pytest.raises(RuntimeError, match="has no alslib that could be imported"):
            SpreadRatings.from_pieces(folder, cluster=address)
