"""A fit that was ended from outside goes on, and ends with the bits of one that was not."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from oracles import assert_same_fit, records

from alslib import (
    BiasALS,
    FeatureALS,
    ImplicitALS,
    LatentALS,
    Ratings,
    make_ratings,
    train_validation_test_split,
)


@pytest.fixture(scope="module")
def split():
    world = make_ratings(200, 150, 5_000, n_factors=2)
    return train_validation_test_split(world.ratings, random_state=0)


def features(ratings):
    table = np.random.default_rng(0).integers(0, 2, (ratings.n_items, 4))
    return pd.DataFrame(table, index=ratings.item_ids, columns=list("abcd"))


MODELS = [
    BiasALS(n_sweeps=6, tol=0),
    LatentALS(3, n_sweeps=6, tol=0),
    LatentALS(3, joint=False, n_sweeps=6, tol=0),
    ImplicitALS(3, lam=4, n_sweeps=6, tol=0),
    FeatureALS(3, n_sweeps=6, tol=0),
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
@pytest.mark.parametrize("ended_after", [1, 4, 6])
def test_a_fit_goes_on_from_its_last_sweep_with_the_same_bits(split, tmp_path, model, ended_after):
    train, validation, _ = split
    validation = None if isinstance(model, ImplicitALS) else validation
    more = {"item_features": features(train)} if isinstance(model, FeatureALS) else {}
    kind, params = type(model), model.get_params()
    whole = kind(**params).fit(train, validation, progress=False, **more)
    path = tmp_path / "checkpoint"
    ended = kind(**params).set_params(n_sweeps=ended_after)
    ended.fit(train, validation, progress=False, checkpoint=path, **more)
    resumed = kind(**params).fit(train, validation, progress=False, checkpoint=path, **more)
    assert_same_fit(resumed, whole)
    assert records(kind.load(path)) == records(whole)
    assert str(resumed.history_[: ended_after + 1]) == str(ended.history_), "seconds stay, too"


def test_a_fit_that_had_come_to_rest_makes_no_other_sweep(split, tmp_path):
    model = BiasALS(n_sweeps=50, tol=1e-4).fit(split[0], checkpoint=tmp_path / "checkpoint")
    assert 2 < len(model.history_) < 51
    again = BiasALS(n_sweeps=50, tol=1e-4).fit(split[0], checkpoint=tmp_path / "checkpoint")
    assert str(again.history_) == str(model.history_)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": LatentALS(3, tau=7)}, "other tau"),
        ({"model": LatentALS(4, gamma=2)}, "other n_factors, gamma"),
        ({"model": BiasALS()}, "holds a LatentALS, not a BiasALS"),
        ({"rating": 0.5}, "other ratings"),
        ({"validation": None}, "other ratings"),
        ({"damaged": True}, "damaged"),
    ],
)
def test_a_checkpoint_of_another_fit_is_refused_and_stays(split, tmp_path, change, message):
    train, validation, _ = split
    path = tmp_path / "checkpoint"
    LatentALS(3, n_sweeps=2).fit(train, validation, checkpoint=path)
    if "damaged" in change:
        path.write_bytes(path.read_bytes()[:-100])
    if "rating" in change:
        users, items, values = train.triples()
        values[7] = change["rating"] if values[7] > 3 else 5
        train = Ratings(users, items, values, train.scale).with_ids(train.user_ids, train.item_ids)
    before = path.read_bytes()
    model = change.get("model", LatentALS(3))
    with pytest.raises(ValueError, match=message):
        model.fit(train, change.get("validation", validation), checkpoint=path)
    assert path.read_bytes() == before
    assert not hasattr(model, "mean_")


class Idle(LatentALS):
    """A model whose sweeps are not to begin."""

    def blocks(self, ratings):
        def update():
            raise AssertionError("a sweep has begun")

        return {"all": update}


def test_a_checkpoint_that_cannot_be_written_is_found_before_any_sweep(split, tmp_path):
    with pytest.raises(AssertionError, match="a sweep has begun"):
        Idle(3).fit(split[0], checkpoint=tmp_path / "checkpoint")
    with pytest.raises(FileNotFoundError):
        Idle(3).fit(split[0], checkpoint=tmp_path / "nowhere" / "checkpoint")
    with pytest.raises(IsADirectoryError):
        Idle(3).fit(split[0], checkpoint=tmp_path)


def test_other_features_are_another_fit(split, tmp_path):
    train, path = split[0], tmp_path / "checkpoint"
    table = features(train)
    FeatureALS(2, n_sweeps=1).fit(train, item_features=table, checkpoint=path)
    for other in (1 - table, table[["a", "b"]], table.rename(columns={"a": "z"})):
        with pytest.raises(ValueError, match="of a fit with other"):
            FeatureALS(2).fit(train, item_features=other, checkpoint=path)


FIT = """
import sys
from alslib import LatentALS, Ratings
ratings = Ratings.load(sys.argv[1])
for record in LatentALS(8, n_sweeps=30, tol=0).fit_iter(ratings, checkpoint=sys.argv[2]):
    print(record.sweep, flush=True)
"""


def test_a_killed_process_leaves_a_checkpoint_that_is_whole(tmp_path):
    world = make_ratings(400, 300, 20_000, n_factors=2)
    data, path = tmp_path / "ratings", tmp_path / "checkpoint"
    world.ratings.save(data)
    whole = LatentALS(8, n_sweeps=30, tol=0).fit(world.ratings, progress=False)
    rng = np.random.default_rng(0)
    reached = 0
    while reached < len(whole.history_) - 1:
        command = [sys.executable, "-c", FIT, str(data), str(path)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        for line in process.stdout:
            if int(line) >= reached + rng.integers(1, 12):
                time.sleep(rng.uniform(0, 0.02))  # somewhere in a sweep, or while it is written
                os.kill(process.pid, signal.SIGKILL)
                break
        process.wait()
        process.stdout.close()
        found = LatentALS.load(path)
        assert len(found.history_) - 1 >= reached, "it has gone back"
        reached = len(found.history_) - 1
        assert records(found) == records(whole)[: reached + 1]
    np.testing.assert_array_equal(found.user_factors_, whole.user_factors_)
    assert sorted(os.listdir(tmp_path)) == ["checkpoint", "ratings"]
