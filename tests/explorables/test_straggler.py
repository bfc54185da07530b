"""Lesson 10's explorable cuts rows and deals out pieces as the lesson does."""

from itertools import pairwise

import numpy as np
import pytest

STATES = 50


@pytest.fixture(scope="module")
def lesson(functions_of):
    """What cuts and deals out there."""
    return functions_of("10_beyond_one_machine", ("straggler", "slow-worker"), np=np)


@pytest.fixture
def call(module):
    return module("straggler")


def heavy_tailed(rng):
    """Work of some rows, a few of which have most of it."""
    return np.floor(10 + rng.pareto(1.2, int(rng.integers(100, 400)))).astype(int)


@pytest.mark.parametrize(
    "python, script", [("borders_by_rows", "bordersByRows"), ("borders_by_work", "bordersByWork")]
)
def test_borders_and_stretches(call, lesson, python, script):
    rng = np.random.default_rng(0)
    for _ in range(STATES):
        work, n_parts = heavy_tailed(rng), int(rng.integers(1, 65))
        borders = lesson[python](work, n_parts)
        assert call(script, work.tolist(), n_parts) == borders.tolist()
        assert call("stretches", work.tolist(), borders.tolist()) == [
            work[start:stop].sum() for start, stop in pairwise(borders)
        ]


def test_pieces_go_to_whoever_is_done_first(call, lesson):
    rng = np.random.default_rng(1)
    for _ in range(STATES):
        pieces = rng.uniform(0.1, 2, int(rng.integers(1, 100)))
        speeds = rng.choice([0.25, 0.5, 1], int(rng.integers(1, 20)))
        done = call("dealtOut", pieces.tolist(), speeds.tolist())
        assert max(one["end"] for one in done) == lesson["finish"](pieces, speeds)
        for worker in range(len(speeds)):
            own = [one for one in done if one["worker"] == worker]
            assert all(one["end"] == next_["start"] for one, next_ in pairwise(own))
            assert not own or own[0]["start"] == 0
