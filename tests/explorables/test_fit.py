"""Lesson 9's explorable counts as the lesson does, and what it counts is what alslib holds."""

import numpy as np
import pytest

from alslib import LatentALS, make_ratings

STATES = 200


@pytest.fixture(scope="module")
def lesson(functions_of):
    """What counts operations, bytes and seconds there."""
    return functions_of("09_at_scale", ("by-hand-code", "intensity-code", "cluster-code"))


@pytest.fixture
def call(module):
    return module("fit")


def random_shape(rng):
    return [int(10 ** rng.uniform(*span)) for span in ((2, 8), (2, 7), (4, 10))]


def test_operations_bytes_and_seconds(call, lesson):
    rng = np.random.default_rng(0)
    for _ in range(STATES):
        shape = n_users, n_items, n_ratings = random_shape(rng)
        K, workers, cores = (int(2 ** rng.integers(*span)) for span in ((0, 9), (0, 9), (0, 7)))
        for rows in (n_users, n_items):
            counted = call("operations", n_ratings, rows, K)
            assert counted == pytest.approx(lesson["operations"](n_ratings, rows, K), rel=1e-12)
        assert call("intensity", K) == pytest.approx(lesson["intensity"](K), rel=1e-12)

        speed, network = rng.uniform(1e9, 1e11), rng.uniform(1e8, 1e10)
        on_paper = lesson["on_paper"](shape, workers, cores, K, speed, network)
        told = call("onPaper", shape, workers, cores, K, speed, network)
        assert told == pytest.approx(on_paper, rel=1e-12)

        core = {"speed": speed, "bandwidth": rng.uniform(1e9, 2e10)}
        roof = core["bandwidth"] * lesson["intensity"](K)
        assert call("coreSpeed", K, core) == pytest.approx(min(speed, roof), rel=1e-12)


def test_bytes_are_those_that_alslib_holds(call):
    rng = np.random.default_rng(1)
    for state in range(STATES):
        n_users, n_items = (int(n) for n in rng.integers(2, 60, 2))
        n_ratings = int(rng.integers(max(n_users, n_items), n_users * n_items + 1))
        ratings = make_ratings(n_users, n_items, n_ratings, random_state=state).ratings
        K = int(rng.integers(1, 20))
        model = LatentALS(K).initialise(ratings)
        learnt = model.user_factors_, model.item_factors_, model.user_bias_, model.item_bias_
        shape = [ratings.n_users, ratings.n_items, ratings.n_ratings]
        counted = call("budget", shape, K, 160)
        assert counted["views"] == ratings.nbytes
        assert counted["factors"] == sum(array.nbytes for array in learnt)
        assert counted["table"] == np.zeros((ratings.n_users, ratings.n_items)).nbytes
        alone = call("perMachine", shape, K, 1)
        assert alone == counted["views"] + counted["factors"]
        three = call("perMachine", shape, K, 3)
        stretches = (counted["views"] - 16) / 3 + 16  # each has two ends of its own
        assert three == pytest.approx(stretches + counted["factors"])


@pytest.mark.parametrize(
    ("function", "value", "said"),
    [
        ("size", 1_000, "< 0.1 MB"),
        ("size", 9.96e6, "10 MB"),
        ("size", 251_000_000, "251 MB"),
        ("size", 999_600_000, "1.0 GB"),
        ("size", 4e13, "40 TB"),
        ("duration", 0.0123, "12 ms"),
        ("duration", 0.504, "0.5 s"),
        ("duration", 99.4, "99 s"),
        ("duration", 327.85, "5.5 min"),
        ("duration", 7_300, "2.0 h"),
    ],
)
def test_said_with_a_unit(call, function, value, said):
    assert call(function, value) == said
