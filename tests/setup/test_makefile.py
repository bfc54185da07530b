"""What make sets up is quiet; it never destroys what stood, cleans up, and serves where it can."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

ROOT = Path(__file__).parents[2]
PINNED = ("requirements.txt", "requirements-dev.txt", "requirements-lowest.txt")

# Stands in for uv, without a network: knows a few packages, and fails at the call that it is told.
UV = """#!/bin/sh
echo call >> calls
case "$*" in
  *"--extra dev"*) packages="numba==2 sphinx==7" ;;
  *"--extra course"*) packages="numba==2" ;;
  *) packages="numba==1" ;;
esac
if [ "$(wc -l < calls)" -eq FAILING ]; then echo "no network" >&2; exit 2; fi
while [ "$1" != --output-file ]; do shift; done
printf '%s\\n' $packages > "$2"
"""


# Stands in for Python while an environment is made: its pip notes what it is asked for, and its uv
# finds no packages.
PYTHON = """#!/bin/sh
case "$*" in
  "-m venv "*)
    mkdir -p "$3/bin"
    printf '#!/bin/sh\\necho "$@" >> asked\\n' > "$3/bin/python"
    printf '#!/bin/sh\\nexit UV\\n' > "$3/bin/uv"
    chmod +x "$3"/bin/*
esac
"""


@pytest.fixture
def make(tmp_path):
    """Run make in a folder that has the files to be locked, and an environment that is ready."""
    for name in ("Makefile", "pyproject.toml", *PINNED):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / ".make").mkdir()
    (tmp_path / ".venv" / "bin").mkdir(parents=True)

    def run(*arguments):
        command = ["make", "-o", ".make/venv", "-o", ".make/book", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)

    return run


def pretend_uv(folder, failing=0):
    uv = folder / ".venv" / "bin" / "uv"
    uv.write_text(UV.replace("FAILING", str(failing)))
    uv.chmod(0o755)


@pytest.mark.parametrize("failing", [1, 2, 3, 4])
def test_a_lock_that_fails_leaves_every_file_as_it_was(make, tmp_path, failing):
    pretend_uv(tmp_path, failing)
    done = make("lock")
    assert done.returncode != 0
    assert "no network" in done.stderr
    for name in PINNED:
        assert (tmp_path / name).read_bytes() == (ROOT / name).read_bytes()


@pytest.mark.parametrize("uv_fails", [True, False])
def test_pip_installs_where_uv_finds_no_packages(tmp_path, uv_fails):
    for name in ("Makefile", "pyproject.toml", *PINNED):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "python").write_text(PYTHON.replace("UV", str(int(uv_fails))))
    (tmp_path / "python").chmod(0o755)
    command = ["make", "PYTHON=./python", ".make/venv"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    asked = (tmp_path / "asked").read_text().splitlines()
    (uv,) = (line for line in (ROOT / "requirements-dev.txt").read_text().split() if "uv==" in line)
    assert asked[0].endswith(f"install {uv}")
    assert [line.split()[-2:] for line in asked[1:]] == uv_fails * [["-r", "requirements-dev.txt"]]


def test_a_lock_keeps_the_comments_and_pins_each_package_once(make, tmp_path):
    pretend_uv(tmp_path)
    done = make("lock")
    assert done.returncode == 0, done.stderr
    packages = {}
    for name in PINNED:
        old, new = ((folder / name).read_text().splitlines() for folder in (ROOT, tmp_path))
        comments = [line for line in old if line.startswith("#")]
        assert comments and new[: len(comments)] == comments
        packages[name] = new[len(comments) :]
    assert packages == {
        "requirements.txt": ["numba==2", "-e ."],
        "requirements-dev.txt": ["-r requirements.txt", "sphinx==7"],
        "requirements-lowest.txt": ["numba==1", "-e ."],
    }


def test_clean_leaves_what_was_there_before(make, tmp_path):
    before = {path for path in tmp_path.rglob("*") if path.name not in {".make", ".venv", "bin"}}
    for made in (
        ".venv-lowest/bin",
        "_build/html",
        "book/_static/vendor",
        "book/_vendor/node_modules",
        "book/_ext/__pycache__",
        "alslib/data/__pycache__",
        "alslib.egg-info",
        "exercises/.ruff_cache",
        "lessons/.ipynb_checkpoints",
        ".hypothesis",
        ".pytest_cache",
        ".ruff_cache",
    ):
        (tmp_path / made).mkdir(parents=True)
        (tmp_path / made / "file").touch()
    done = make("clean")
    assert done.returncode == 0, done.stderr
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == before


def test_kernels_of_the_environment_start_without_a_warning(tmp_path):
    notebook = tmp_path / "notebook.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell("1 + 1")]), notebook)
    command = [sys.executable, ROOT / "lessons" / "refresh.py", notebook]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "encryption" not in done.stderr


def test_two_books_are_served_at_once_and_each_says_where(make, tmp_path):
    (tmp_path / ".venv" / "bin" / "python").symlink_to(sys.executable)
    (tmp_path / "_build" / "html").mkdir(parents=True)
    (tmp_path / "_build" / "html" / "index.html").write_text("the book")
    servers = [
        subprocess.Popen(
            ["make", "-o", ".make/book", "serve"],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        for _ in range(2)
    ]
    try:
        said = [next(line for line in server.stdout if "http://" in line) for server in servers]
        first, second = (re.search(r"http://127\.0\.0\.1:\d+/", line)[0] for line in said)
        assert first != second
        for address in (first, second):
            with urlopen(address) as answer:
                assert answer.read() == b"the book"
    finally:
        for server in servers:
            os.killpg(server.pid, signal.SIGTERM)
            server.communicate()
