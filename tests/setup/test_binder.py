"""What Binder and students install is enough to run lessons, and no more; nothing is built here."""

import ast
import json
import os
import platform
import re
import subprocess
import sys
import tomllib
from functools import cache
from importlib import metadata
from pathlib import Path

import nbformat
import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
NOTEBOOKS = [*ROOT.glob("lessons/*.ipynb"), *ROOT.glob("exercises/**/*.ipynb")]
LEVEL_3 = "avx avx2 bmi1 bmi2 f16c fma abm movbe xsave"


def lines(name):
    text = (ROOT / name).read_text("utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def pins(name):
    """The pinned packages of a file that are for this machine and Python, by name."""
    wanted = [Requirement(line) for line in lines(name) if not line.startswith("-")]
    here = [package for package in wanted if not package.marker or package.marker.evaluate()]
    return {normal(package.name): str(package.specifier) for package in here}


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


sources_of_modules = cache(metadata.packages_distributions)


def imported(notebook):
    """The top-level modules that the cells of a notebook import."""
    cells = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    source = re.sub(r"^(\s*)%.*", r"\1pass", "\n".join(cells), flags=re.MULTILINE)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module.split(".")[0]


def test_repo2docker_accepts_the_repository():
    command = [sys.executable, "-m", "repo2docker", "--no-build", "--debug"]
    command += ["--user-id", "1000", "--user-name", "jovyan", str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    dockerfile = done.stdout + done.stderr
    assert "requirements.txt" in dockerfile
    assert "requirements-dev.txt" not in dockerfile
    assert "./postBuild" in dockerfile
    assert "3.11" in dockerfile
    assert "R2D_ENTRYPOINT" in dockerfile and "/start" in dockerfile


@pytest.mark.parametrize("script", ["postBuild", "start"])
def test_scripts_can_be_run(script):
    assert os.access(ROOT / script, os.X_OK)


# One cache for all nodes


def started(command, path, **environment):
    """Run a command as Binder does, on a processor whose flags a `grep` in `path` tells."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
    clean["PATH"] = f"{path}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [ROOT / "start", *command], env=clean | environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def pretend(folder, flags):
    """Put a `grep` into a folder that finds these flags, whatever the processor has."""
    (folder / "grep").write_text(f"#!/bin/sh\necho 'flags\t\t: fpu {flags} sse'\n")
    (folder / "grep").chmod(0o755)
    return folder


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (LEVEL_3, True),
        (f"{LEVEL_3} avx512f avx512dq", True),
        (LEVEL_3.replace("avx2", "avx2_vnni"), False),
        (LEVEL_3.replace("fma ", ""), False),
        ("", False),
    ],
)
def test_a_processor_is_taken_for_level_3_if_it_has_all_of_that(flags, named, tmp_path):
    environment = started(["env"], pretend(tmp_path, flags)).splitlines()
    told = [line for line in environment if line.startswith("NUMBA_")]
    assert sorted(told) == (["NUMBA_CPU_FEATURES=", "NUMBA_CPU_NAME=x86-64-v3"] if named else [])


def test_arguments_pass_through_as_they_are(tmp_path):
    command = [sys.executable, "-c", "import sys; print(sys.argv[1:])", "a b", "*", ""]
    assert started(command, pretend(tmp_path, "")) == "['a b', '*', '']\n"


# Two kernels on a host of another name and with other features.
ON_A_HOST = """
import json, sys
import llvmlite.binding as llvm

llvm.get_host_cpu_name = lambda: sys.argv[1]
told = llvm.get_host_cpu_features()
told["avx512f"] = sys.argv[1] == "skylake-avx512"
llvm.get_host_cpu_features = lambda: told

import numpy as np
from alslib import CSR, kernels
from alslib.kernels.inputs import Targets

indptr = kernels.rows.row_pointers(np.zeros(3, np.int32), 1)
view = CSR(indptr, np.zeros(3, np.int32), np.ones(3, np.uint8))
given = view, Targets(0.5, 0.5, 0.0), np.zeros(1), 1.0, 1.0
kernels.bias.half_step(0, 1, *given, np.zeros(1))
used = [kernels.rows.row_pointers, kernels.bias.half_step]
print(json.dumps([sum(kernel.stats.cache_misses.values()) for kernel in used]))
"""


@pytest.mark.skipif(platform.machine() != "x86_64", reason="other processors have other levels")
@pytest.mark.parametrize(("flags", "compiled_again"), [(LEVEL_3, [0, 0]), ("", [1, 1])])
def test_what_one_node_has_compiled_the_others_use(flags, compiled_again, tmp_path):
    """The second case shows that the first one proves something: left alone, each compiles."""
    path, cache = pretend(tmp_path, flags), {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}

    def on(host):
        return json.loads(started([sys.executable, "-c", ON_A_HOST, host], path, **cache))

    assert on("haswell") == [1, 1]
    assert on("skylake-avx512") == compiled_again


def test_requirements_are_pinned_and_end_in_the_package():
    packages = lines("requirements.txt")
    assert packages[-1] == "-e ."
    first, *more = lines("requirements-dev.txt")
    assert first == "-r requirements.txt"
    *lowest, last = lines("requirements-lowest.txt")
    assert last == "-e ."
    assert all("==" in line for line in [*packages[:-1], *more, *lowest])
    assert not any("://" in line for line in [*packages, *more, *lowest])


def test_nothing_that_only_builds_or_tests_is_installed_to_run_a_lesson():
    needless = {"jupyter-book", "jupyter-repo2docker", "myst-nb", "nbval", "playwright", "pytest"}
    needless |= {"ruff", "scikit-learn", "sphinx", "uv", "voila"}
    assert needless <= set(pins("requirements-dev.txt"))
    assert not needless & set(pins("requirements.txt"))


def test_both_pinned_files_name_the_same_versions():
    run, dev = pins("requirements.txt"), pins("requirements-dev.txt")
    assert {name: run[name] for name in run.keys() & dev.keys()} == {
        name: dev[name] for name in run.keys() & dev.keys()
    }


def unpinned(path):
    """The packages that a notebook imports and that are not there after requirements.txt."""
    needed = set(imported(nbformat.read(path, as_version=4))) - sys.stdlib_module_names
    assert "alslib" in needed
    own = {"alslib", "exercise_checks"}
    for module in needed - own - {"google"}:  # google.colab is looked for, not needed
        packages = {normal(name) for name in sources_of_modules()[module]}
        if not packages & set(pins("requirements.txt")):
            yield from packages


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_notebook_imports_is_pinned_or_its_first_cell_says_how_to_get_it(path):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extra = {normal(Requirement(line).name) for line in project["optional-dependencies"]["cluster"]}
    missing = set(unpinned(path))
    assert missing <= extra
    start = nbformat.read(path, as_version=4).cells[0].source
    assert bool(missing) == ('`%pip install --quiet "alslib[cluster]"`' in start)


def test_binder_executes_all_lessons_that_run_there_as_they_are():
    (pattern,) = re.findall(r"execute (\S+)", (ROOT / "postBuild").read_text("utf-8"))
    executed = sorted(ROOT.glob(pattern))
    assert executed == sorted(
        path for path in ROOT.glob("lessons/*.ipynb") if not set(unpinned(path))
    )


def test_a_lesson_runs_with_the_packages_of_requirements_txt_alone(tmp_path):
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    (packages,) = environment.glob("lib/python*/site-packages")
    for name in pins("requirements.txt"):
        package = metadata.distribution(name)
        for file in package.files:
            # One package may share a folder with another, so that files are linked one by one.
            if file.parts[0] not in ("..", "__pycache__"):
                link = packages / file
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(package.locate_file(file))
    (packages / "alslib.pth").write_text(str(ROOT))
    # A program of its own settings, without what the session that runs the tests has set.
    settings = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TQDM_DISABLE": "1"}
    if "NUMBA_CACHE_DIR" in os.environ:
        settings["NUMBA_CACHE_DIR"] = os.environ["NUMBA_CACHE_DIR"]
    lesson = ROOT / "lessons" / "01_data_structures.ipynb"
    execute = "from nbclient.cli import main; main()"  # as `jupyter execute`, which postBuild calls
    command = [environment / "bin" / "python", "-c", execute, lesson]
    command += ["--output", str(tmp_path / "executed")]
    done = subprocess.run(command, env=settings, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    executed = nbformat.read(tmp_path / "executed.ipynb", as_version=4)
    assert any(cell.get("outputs") for cell in executed.cells)


def test_the_lowest_versions_tested_are_those_that_the_package_allows():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    tested = pins("requirements-lowest.txt")
    for line in [
        *project["dependencies"],
        *extras["cluster"],
        *extras["parquet"],
        *extras["plots"],
        *extras["widgets"],
    ]:
        (bound,) = Requirement(line).specifier
        assert bound.operator == ">=", f"{line} has no lower bound, and nothing else"
        least = tested[normal(Requirement(line).name)].removeprefix("==")
        assert least in bound, line
        assert re.sub(r"(\.0)+$", "", least) == re.sub(r"(\.0)+$", "", bound.version), line
