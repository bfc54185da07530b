"""Pack what a teacher needs to hand out and grade an exercise: one zip file for each.

    python exercises/bundle.py exercises/source/*.ipynb

This is the last step of ``make exercises``. The files are in ``_build/grading``, and the same
content gives the same file. The solutions are not among it: what is graded beside them could read
them.

On Colab, the notebook of a bundle installs the package as it is now, however it is changed later.
``bundle.json`` says which one that is, and ``grade.py`` refuses to grade with another.
"""

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

from grade import fingerprint

ROOT = Path(__file__).parent.parent
PACKAGE = ("alslib", "exercises/checks", "pyproject.toml")
_ADDRESS = re.compile(r'alslib\S* @ git\+https://[^\s"\\]+')


def revision(root: Path = ROOT) -> str | None:
    """Return the commit that has changed the package last, or None if it is not what is here."""
    try:
        changed = _git(root, "status", "--porcelain", "--", *PACKAGE)
        last = _git(root, "log", "-1", "--format=%H", "--", *PACKAGE)
    except (OSError, subprocess.CalledProcessError):
        return None
    return None if changed else last or None


def _git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=True
    ).stdout.strip()


def bundle(name: str, folder: Path, commit: str | None = None) -> Path:
    """Write the bundle of an exercise into a folder, and return its path."""
    exercises = ROOT / "exercises"
    notebook = (exercises / f"{name}.ipynb").read_text("utf-8")
    address = _ADDRESS.search(notebook)[0]
    pinned = f"{address}@{commit}" if commit else address
    record = {
        "commit": commit,
        "install": f"alslib[course] {pinned.partition(' ')[2]}",
        "fingerprint": fingerprint(ROOT / "alslib", exercises / "checks"),
    }
    contents = {
        f"{name}.ipynb": notebook.replace(address, pinned).encode(),
        "checks.py": (exercises / "checks" / f"_{name}.py").read_bytes(),
        "grade.py": (exercises / "grade.py").read_bytes(),
        "gradebook.py": (exercises / "gradebook.py").read_bytes(),
        "bundle.json": json.dumps(record, indent=1).encode(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for inside, content in contents.items():
            # Without a date of its own, a file in a zip always has the same bytes.
            entry = zipfile.ZipInfo(f"{name}/{inside}")
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return path


if __name__ == "__main__":
    commit = revision()
    if commit is None:
        print(
            "The package has changes that are not committed, or is no clone: on Colab, the notebooks "
            "of these bundles will install the newest version, whichever that is then."
        )
    for source in sys.argv[1:]:
        bundle(Path(source).stem, ROOT / "_build" / "grading", commit)
