"""What is packed when alslib is built: all its files, terms and hints, and no half of the tests."""

import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUILD = """
import sys
from setuptools import build_meta
folder = sys.argv[1]  # setuptools writes into the list
build_meta.build_sdist(folder)
build_meta.build_wheel(folder)
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder of a fresh sdist and wheel; a copy is built, since a build leaves files behind."""
    copy, folder = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("built")
    for name in ("pyproject.toml", "MANIFEST.in", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    for name in ("alslib", "exercises/checks", "tests"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    done = subprocess.run(
        [sys.executable, "-c", BUILD, folder], cwd=copy, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def wheel(built):
    with zipfile.ZipFile(*built.glob("*.whl")) as archive:
        yield archive


def files_in(folder):
    found = {path for path in (ROOT / folder).rglob("*") if path.is_file()}
    return {
        path.relative_to(ROOT).as_posix() for path in found if path.parent.name != "__pycache__"
    }


CHECKS = files_in("exercises/checks")


def test_the_wheel_holds_every_file_of_both_packages_and_no_test(wheel):
    names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    checks = {name.replace("exercises/checks", "exercise_checks") for name in CHECKS}
    assert names == files_in("alslib") | checks
    assert "alslib/py.typed" in names


def test_the_sdist_can_be_built_again_and_holds_no_half_of_the_tests(built):
    with tarfile.open(*built.glob("*.tar.gz")) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert files_in("alslib") | CHECKS <= names
    assert {"pyproject.toml", "MANIFEST.in", "README.md", "LICENSE"} <= names
    assert not {name for name in names if name.startswith("tests")}


def test_the_metadata_tells_the_terms_of_the_bundled_ratings(wheel):
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    metadata = message_from_bytes(wheel.read(name))
    assert metadata["License-Expression"] == "MIT AND LicenseRef-MovieLens"
    assert metadata.get_all("License-File") == ["LICENSE", "alslib/data/bundled/README.md"]
    terms = wheel.read(name.replace("METADATA", "licenses/alslib/data/bundled/README.md")).decode()
    assert "GroupLens's terms" in terms


def test_a_strict_type_checker_finds_nothing_in_a_program_that_uses_the_wheel(wheel, tmp_path):
    program = ROOT / "tests" / "setup" / "typed_program.py"
    venv.create(tmp_path / "user")
    paths = {"base": str(tmp_path / "user"), "platbase": str(tmp_path / "user")}
    installed = sysconfig.get_path("purelib", "venv", paths)
    wheel.extractall(installed)
    (Path(installed) / "others.pth").write_text(sysconfig.get_path("purelib"))
    python = Path(sysconfig.get_path("scripts", "venv", paths)) / "python"
    options = ["--strict", "--config-file=", f"--cache-dir={ROOT / '.mypy_cache'}"]
    check = [sys.executable, "-m", "mypy", *options, f"--python-executable={python}", program]
    done = subprocess.run(check, cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout == "Success: no issues found in 1 source file\n", done.stdout + done.stderr
    # What it says of types is true only of a program that runs.
    run = [sys.executable, "-W", "error", program]
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
