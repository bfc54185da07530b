"""Nobody waits for what they do not use: which modules an import brings along, without a clock."""

import ast
import json
import subprocess
import sys
from pathlib import Path

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
    assert not own & {"alslib.exercises", "alslib.power_law", "alslib.synthetic"}


def test_the_lists_of_public_names_agree():
    """One list is for `from alslib import *`, one for editors, one says what to import."""
    tree = ast.parse(Path(alslib.__file__).read_text("utf-8"))
    (for_editors,) = (node.body for node in tree.body if isinstance(node, ast.If))
    told = {(name.name, node.module) for node in for_editors for name in node.names}
    assert told == {
        (name, f"alslib.{module}") for module, names in alslib._MODULES.items() for name in names
    }
    assert [name for name, _ in sorted(told)] == sorted(alslib.__all__)
    assert len(set(alslib.__all__)) == len(alslib.__all__)


def test_every_public_name_is_there_and_listed():
    namespace = {}
    exec("from alslib import *", namespace)
    assert set(alslib.__all__) <= set(namespace)
    assert set(alslib.__all__) <= set(dir(alslib))
    for name in alslib.__all__:
        assert namespace[name] is getattr(alslib, name)


def test_an_unknown_name_is_an_error_that_names_it():
    with pytest.raises(AttributeError, match="module 'alslib' has no attribute 'LatentASL'"):
        _ = alslib.LatentASL
    with pytest.raises(ImportError, match="LatentASL"):
        exec("from alslib import LatentASL")
