"""The page for those who use the package outside the course: each piece of its code, run."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from alslib import load_movielens

PAGE = (Path(__file__).parents[2] / "book" / "in_use.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.*?)\n.*?```python\n(.*?)```", PAGE, re.DOTALL | re.MULTILINE))
PRINTS = {
    "Your own ratings": r"ann +Emma +3.0 2024-04-01\n",
    "Train and test from two files": r"test RMSE (0\.\d|1\.0)\d\d\n",
    "Test on what came later": r"validation RMSE (0\.9|1\.\d)\d*\n[5-9]\d% of the",
    "Ratings that do not fit into memory": r"train RMSE 0\.[5-8]\d after [1-9]\d* sweeps\n",
    "A saved model that serves": r"\n3  ",
    "A server that learns while it answers": r"[1-9].* lists meanwhile, the last from 100,000 rat",
    "An item that nobody has rated": r"predicted for user 448: [34]\.\d\d stars\n(.*\n)*1 +999999",
}


ON_A_CLUSTER = "Ratings that are spread over several machines"


def test_every_section_with_code_is_known():
    assert SECTIONS.keys() == PRINTS.keys() | {ON_A_CLUSTER}


@pytest.mark.parametrize("section", PRINTS)
def test_the_code_runs_and_prints_what_it_is_for(section, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    log = load_movielens().ratings
    for name, part in (("u1.base", log[log.index % 5 > 0]), ("u1.test", log[log.index % 5 == 0])):
        part.to_csv(name, sep="\t", header=False, index=False)
    exec(compile(SECTIONS[section], section, "exec"), {})
    assert re.search(PRINTS[section], capsys.readouterr().out)


def test_the_cluster_starts_from_a_script_and_learns_the_same(tmp_path, monkeypatch, capsys):
    """Its processes import the script again: what they should not do stands behind a guard."""
    monkeypatch.chdir(tmp_path)
    exec(compile(SECTIONS["Ratings that do not fit into memory"], "one", "exec"), {})
    for name in ("log", "fit.npz"):
        (tmp_path / name).rename(tmp_path / f"{name} of one")
    (tmp_path / "script.py").write_text(SECTIONS[ON_A_CLUSTER])
    done = subprocess.run([sys.executable, "script.py"], check=True, capture_output=True, text=True)
    assert done.stdout == capsys.readouterr().out


MISSES = """
import numba
from alslib import LatentALS, Ratings, Recommender, kernels

ratings = Ratings([1, 1], [1, 2], [3.0, 4.0])
Recommender(LatentALS().fit(ratings), ratings).recommend_all()
for module in (kernels.rows, kernels.latent, kernels.lists):
    for kernel in vars(module).values():
        kernel = getattr(kernel, "__wrapped__", kernel)
        if hasattr(kernel, "stats") and kernel.stats.cache_misses:
            raise SystemExit(f"{kernel} was compiled")
"""


def test_the_line_for_an_image_fills_the_cache(tmp_path):
    (line,) = re.findall(r'RUN python -c "(.*?)"', PAGE, re.DOTALL)
    for code in (line.replace("\\\n", ""), MISSES):
        subprocess.run(
            [sys.executable, "-c", code],
            check=True,
            env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)},
        )
