"""Kernels in containers and servers: no folder to write, a full disk, other threads, forks."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

import alslib

PACKAGE = Path(alslib.__file__).parent
ONE_KERNEL = """
import numpy as np
from alslib.kernels.rows import mark_present
present = np.zeros(3, bool)
mark_present(np.array([5]), 4, present)
print(present.nonzero()[0].tolist())
"""
UNCACHED = "numba cannot keep compiled functions here ({}): each process compiles them anew"


def run(code, folder=None, **environment):
    """Run code in a process of its own; return what it prints and what it complains about."""
    done = subprocess.run(
        [sys.executable, "-c", dedent(code)],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def test_without_any_folder_to_write_kernels_run_uncached_and_say_so_once(tmp_path):
    shutil.copytree(PACKAGE, tmp_path / "alslib", ignore=shutil.ignore_patterns("__pycache__"))
    for folder in [tmp_path / "alslib", *(tmp_path / "alslib").rglob("*/")]:
        (folder / "__pycache__").touch()  # a file: not even root can write into it
    nowhere = {"HOME": "/dev/null", "XDG_CACHE_HOME": "/dev/null", "NUMBA_CACHE_DIR": ""}
    printed, said = run(ONE_KERNEL, tmp_path, **nowhere)
    assert printed == "[1]\n"
    assert said.count(UNCACHED.format("no folder can be written")) == 1
    assert "NUMBA_CACHE_DIR" in said


def test_on_a_full_disk_kernels_run_uncached_and_say_so_once(tmp_path):
    """A limit of no bytes for new files refuses what a full disk does."""
    full = """
    import resource, signal
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    """
    printed, said = run(dedent(full) + ONE_KERNEL, NUMBA_CACHE_DIR=str(tmp_path))
    assert printed == "[1]\n"
    assert said.count(UNCACHED.format("File too large")) == 1


@pytest.mark.parametrize(("kind", "share"), [("nbi", 0), ("nbi", 0.5), ("nbc", 0.9)])
def test_a_damaged_cache_is_made_anew(tmp_path, kind, share):
    caches = {"NUMBA_CACHE_DIR": str(tmp_path)}
    assert run(ONE_KERNEL, **caches) == ("[1]\n", "")
    (damaged,) = tmp_path.rglob(f"*.{kind}")
    whole = damaged.stat().st_size
    os.truncate(damaged, int(share * whole))
    assert run(ONE_KERNEL, **caches) == ("[1]\n", "")
    assert damaged.stat().st_size == pytest.approx(whole, rel=0.01)


FROM_FOUR_THREADS = """
import threading
import numpy as np
from alslib import LatentALS, Recommender, make_ratings

ratings = make_ratings(400, 200, 20_000).ratings  # enough for two threads
model = LatentALS(8, n_sweeps=5).fit(ratings)
lists = Recommender(model, ratings).recommend_all(5).scores
wrong = []

def serve():
    for _ in range(10):
        again = LatentALS(8, n_sweeps=5).fit(ratings, progress=False)
        found = Recommender(again, ratings).recommend_all(5).scores
        if not np.array_equal(found, lists):
            wrong.append(found)

threads = [threading.Thread(target=serve) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(wrong))
"""


def test_fits_and_lists_from_several_threads_at_once():
    assert run(FROM_FOUR_THREADS, NUMBA_NUM_THREADS="2") == ("0\n", "")


FORKED = """
import multiprocessing
from alslib import BiasALS, LatentALS, make_ratings

ratings = make_ratings(2000, 1000, 200_000).ratings  # enough for two threads
models = BiasALS(n_sweeps=2), LatentALS(4, n_sweeps=2)

def fit(_=None):
    return [model.fit(ratings, progress=False).item_bias_.tobytes() for model in models]

if {before}:
    fit()
with multiprocessing.get_context("fork").Pool(2) as pool:
    found = pool.map(fit, range(4))
print([each == fit() for each in found])
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.parametrize("before", ["True", "False"])
def test_a_process_that_was_forked_fits_as_any_other_does(before):
    """Also after a fit: threads that had outlived it would be missing in the other process."""
    printed, _ = run(FORKED.replace("{before}", before), NUMBA_NUM_THREADS="2")
    assert printed == "[True, True, True, True]\n"
