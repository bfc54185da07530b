"""Nobody waits for what they do not use: which modules an import brings along, without a clock."""

import json
import subprocess
import sys

import pytest

import alslib

HEAVY = {"IPython", "asyncio", "matplotlib", "numba", "numpy", "pandas", "pooch", "requests"}
HEAVY |= {"scipy", "scipy.linalg", "scipy.sparse", "scipy.special", "ssl", "tqdm"}


def loaded_by(statement):
    """Return the modules, heavy ones and ours, that a fresh process has after a statement."""
    code = f"import sys, json\n{statement}\nprint(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = set(json.loads(done.stdout))
    return modules & HEAVY, {name for name in modules if name.split(".")[0] == "alslib"}


def test_importing_the_package_imports_nothing_else():
    assert loaded_by("import alslib") == (set(), {"alslib"})


def test_reading_ratings_needs_no_compiler():
    heavy, _ = loaded_by("from alslib import load_movielens; load_movielens()")
    assert "numba" not in heavy
    assert heavy == {"numpy", "pandas", "tqdm"}


def test_fitting_and_recommending_need_no_more_than_numba_and_pandas():
    least, _ = loaded_by("import numba, pandas, tqdm")
    heavy, own = loaded_by(
        "from alslib import LatentALS, Ratings, Recommender, Visitor, rmse, train_test_split"
    )
    assert heavy == least
    assert not own & {"alslib.power_law", "alslib.data.synthetic"}


def test_every_public_name_is_there_and_listed():
    namespace = {}
    exec("from alslib import *", namespace)
    assert set(alslib.__all__) <= set(namespace)
    assert set(alslib.__all__) <= set(dir(alslib))
    for name in alslib.__all__:
        assert namespace[name] is getattr(alslib, name)


def test_a_star_import_asks_for_no_extra_and_the_demo_is_there_all_the_same():
    _, own = loaded_by("from alslib import *")
    assert "alslib.recommending.export" in own and "alslib.recommending.widgets" not in own
    _, own = loaded_by("from alslib import widgets")
    assert "alslib.recommending.widgets" in own


def test_an_unknown_name_is_an_error_that_names_it():
    with pytest.raises(AttributeError, match="module 'alslib' has no attribute 'LatentASL'"):
        _ = alslib.LatentASL
    with pytest.raises(ImportError, match="LatentASL"):
        exec("from alslib import LatentASL")
