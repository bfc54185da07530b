"""Without an extra the package works, and what needs the extra says how to install it."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from alslib._extras import REPOSITORY

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


def hide(*modules):
    """Code that makes modules look as if they were not installed."""
    return f"import sys; sys.modules.update(dict.fromkeys({modules!r}));"


@pytest.mark.parametrize(
    ("hidden", "extra", "use"),
    [
        ("matplotlib", "plots", "from alslib import plots"),
        ("IPython", "plots", "from alslib import plots"),
        ("PIL", "plots", "from alslib import plots"),
        ("ipywidgets", "widgets", "from alslib import widgets"),
        (
            "pyarrow",
            "parquet",
            "from alslib import Ratings; Ratings.from_pieces('ratings.parquet')",
        ),
        ("dask", "cluster", "from alslib import SpreadRatings"),
        ("distributed", "cluster", "from alslib import SpreadRatings"),
        (
            "powerlaw",
            "plots",
            "import alslib as a; d = a.sample_power_law(200, 2.5, random_state=17);"
            "a.compare_distributions(d, a.fit_power_law(d))",
        ),
    ],
)
def test_a_missing_library_names_the_extra_for_a_checkout_and_for_colab(hidden, extra, use):
    stopped = run(hide(hidden) + use)
    assert stopped.returncode == 1
    _, error = stopped.stderr.rsplit("ImportError: ", 1)
    assert hidden in error
    assert f'pip install -e ".[{extra}]"' in error
    assert f'pip install "alslib[{extra}] @ git+{REPOSITORY}"' in error
    assert extra in PROJECT["project"]["optional-dependencies"]


def test_the_repository_named_is_that_of_the_project():
    assert PROJECT["project"]["urls"]["Repository"] == REPOSITORY


def test_the_demo_refuses_ipywidgets_7():
    stopped = run(
        "import ipywidgets; ipywidgets.__version__ = '7.7.1'; import alslib.recommending.widgets"
    )
    assert stopped.returncode == 1
    assert "ipywidgets is 7.7.1, and has to be 8 or newer" in stopped.stderr
    assert 'pip install -e ".[widgets]"' in stopped.stderr


def test_the_package_works_without_any_extra():
    used = (
        "import alslib as a; r = a.Ratings([1, 1, 2], [1, 2, 1], [1.0, 2.0, 3.0]);"
        "print(a.BiasALS().fit(r).predict([2], [2]))"
    )
    done = run(
        hide("IPython", "PIL", "dask", "ipywidgets", "matplotlib", "powerlaw", "pyarrow") + used
    )
    assert done.returncode == 0, done.stderr
