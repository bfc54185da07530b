import os
import shutil

import numpy as np
import pytest
from hypothesis import settings

from alslib import Ratings

# A kernel is compiled at its first call, whatever example that falls on.
settings.register_profile("alslib", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("alslib")


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


@pytest.fixture(scope="session")
def chromium():
    """A headless Chromium; without one the test is skipped, or fails where CI is set."""
    try:
        from playwright.sync_api import sync_playwright

        program = shutil.which("chromium") or shutil.which("google-chrome")
        if not program:
            raise ImportError("no chromium on the PATH")
    except ImportError as missing:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"NOT LOOKED AT: {missing}")
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=flags)
        yield browser
        browser.close()
