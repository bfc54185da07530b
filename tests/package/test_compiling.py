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


FROM_TWO_THREADS = """
import threading
import numba, numpy as np
from alslib import LatentALS, Recommender, make_ratings

ratings = make_ratings(200, 100, 2000).ratings
model = LatentALS(4, n_sweeps=5).fit(ratings)
lists = Recommender(model, ratings).recommend_all(5).scores
wrong = []

def serve():
    for _ in range(10):
        again = LatentALS(4, n_sweeps=5).fit(ratings, progress=False)
        found = Recommender(again, ratings).recommend_all(5).scores
        if not np.array_equal(found, lists):
            wrong.append(found)

threads = [threading.Thread(target=serve) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(numba.threading_layer(), len(wrong))
"""


@pytest.mark.parametrize("layer", ["workqueue", "default"])
def test_fits_and_lists_from_several_threads_at_once(layer):
    """In the layer that is everywhere, two callers at a time would end the process."""
    printed, said = run(FROM_TWO_THREADS, NUMBA_THREADING_LAYER=layer, NUMBA_NUM_THREADS="2")
    used, wrong = printed.split()
    assert wrong == "0"
    assert layer in (used, "default")
    assert not said


FORKED = """
import multiprocessing, os
import numba
from alslib import BiasALS, Ratings

ratings = Ratings([1, 1, 2], [1, 2, 2], [5, 1, 3])

def fit(_):
    try:
        return BiasALS().fit(ratings).predict(1, 2)
    except RuntimeError as error:
        return str(error)

if {before}:
    fit(0)
with multiprocessing.get_context("fork").Pool(2) as pool:
    found = pool.map(fit, range(4))
print(len(set(found)), found[0] == BiasALS().fit(ratings).predict(1, 2), found[0])
print(numba.threading_layer())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_after_a_fork_lost_threads_are_an_error_and_no_endless_wait():
    printed, _ = run(FORKED.replace("{before}", "True"))
    if printed.split()[-1] != "omp":
        pytest.skip("threads of GNU OpenMP are not used here")
    assert printed.startswith("1 False this process was forked from one whose numba threads had")
    assert "'spawn' or 'forkserver'" in printed


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.parametrize(
    ("before", "layer"), [("False", "default"), ("True", "workqueue"), ("False", "workqueue")]
)
def test_a_fork_before_the_first_fit_and_one_of_the_simple_threads_work(before, layer):
    printed, _ = run(FORKED.replace("{before}", before), NUMBA_THREADING_LAYER=layer)
    assert printed.startswith("1 True ")
