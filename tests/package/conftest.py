import numba
import numpy as np
import pytest

from alslib import Ratings, _progress
from alslib.kernels import threads


@pytest.fixture
def tiny():
    """Three users and three movies, ids with gaps, small enough to check with a pencil."""
    return Ratings(
        users=[10, 10, 30, 30, 20],
        items=["Up", "Heat", "Heat", "Jaws", "Up"],
        values=[5.0, 3.0, 4.0, 1.5, 2.0],
    )


@pytest.fixture(scope="session")
def medium():
    """Sixty users and forty movies with biases, for tests that need some data."""
    rng = np.random.default_rng(1)
    filled = rng.random((60, 40)) < 0.25
    users, items = np.nonzero(filled)
    stars = 3.5 + rng.normal(0, 0.5, 60)[users] + rng.normal(0, 0.7, 40)[items]
    stars += rng.normal(0, 0.4, len(users))
    return Ratings(users, items, np.clip(np.round(2 * stars) / 2, 0.5, 5))


@pytest.fixture
def on_threads(monkeypatch):
    """Return what lets so many threads share every loop, however short it is."""
    monkeypatch.setattr(threads, "_WORTHWHILE", 1)
    return lambda n: monkeypatch.setattr(numba, "get_num_threads", lambda: n)


@pytest.fixture
def bars_at_once(monkeypatch):
    """Let bars appear at the first step, whatever the session that runs the tests has set."""
    monkeypatch.setattr(_progress, "SECONDS_UNTIL_SHOWN", 0)
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
