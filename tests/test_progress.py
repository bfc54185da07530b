"""Bars can be turned off by the caller and by the environment."""

import os
import subprocess
import sys

import pytest
from tqdm.notebook import tqdm as notebook_bar

from alslib import _progress

COUNT = "from alslib._progress import progress_bar; list(progress_bar(range(3), shown={}))"


@pytest.mark.parametrize(
    ("shown", "environment", "seen"),
    [(True, {}, True), (False, {}, False), (True, {"TQDM_DISABLE": "1"}, False)],
)
def test_a_bar_is_seen_unless_the_caller_or_the_environment_says_no(shown, environment, seen):
    clean = {name: value for name, value in os.environ.items() if name != "TQDM_DISABLE"}
    done = subprocess.run(
        [sys.executable, "-c", COUNT.format(shown)],
        env=clean | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ("100%" in done.stderr) == seen


def test_the_environment_hides_the_bar_of_notebooks_too(monkeypatch):
    monkeypatch.setattr(_progress, "tqdm", notebook_bar)
    monkeypatch.setenv("TQDM_DISABLE", "1")
    assert _progress.progress_bar(range(3), shown=True).disable
