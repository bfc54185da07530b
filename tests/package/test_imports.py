"""Nobody waits for what they do not use: which modules an import brings along, without a clock."""

import inspect
import json
import subprocess
import sys
from typing import get_overloads

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
    assert "alslib.recommending.export" in own
    assert not own & {"alslib.cluster.spread_ratings", "alslib.recommending.widgets"}
    _, own = loaded_by("from alslib import widgets")
    assert "alslib.recommending.widgets" in own


def test_an_unknown_name_is_an_error_that_names_it():
    with pytest.raises(AttributeError, match="module 'alslib' has no attribute 'LatentASL'"):
        _ = alslib.LatentASL
    with pytest.raises(ImportError, match="LatentASL"):
        exec("from alslib import LatentASL")


def public_functions(name):
    """Return what can be called behind a public name: a function, or the methods of a class."""
    thing = getattr(alslib, name)
    if not inspect.isclass(thing):
        return [thing] if inspect.isfunction(thing) else []
    members = [value for key, value in inspect.getmembers(thing) if key[0] != "_"]
    members = [getattr(value, "fget", value) for value in [*members, thing.__init__]]
    members = [getattr(value, "__func__", value) for value in members]  # of class methods
    own = filter(inspect.isfunction, members)
    return [function for function in own if function.__module__.startswith("alslib.")]


@pytest.mark.parametrize("name", alslib.__all__)
def test_every_public_function_says_the_types_of_what_it_takes_and_returns(name):
    for function in public_functions(name):
        for typed in get_overloads(function) or [function]:
            taken = inspect.signature(typed).parameters.keys() - {"self", "cls"}
            returned = set() if typed.__name__ == "__init__" else {"return"}
            assert taken | returned <= typed.__annotations__.keys(), typed.__qualname__
