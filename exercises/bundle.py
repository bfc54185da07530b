"""Pack what a teacher needs to hand out and grade an exercise: one zip file for each.

    python exercises/bundle.py exercises/source/*.ipynb

This is the last step of ``make exercises``. The files are in ``_build/grading``, and the same
content gives the same file. The solutions are not among it: what is graded beside them could read
them.
"""

import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent


def bundle(name: str, folder: Path) -> Path:
    """Write the bundle of an exercise into a folder, and return its path."""
    contents = {
        f"{name}.ipynb": ROOT / "exercises" / f"{name}.ipynb",
        "checks.py": ROOT / "exercises" / "checks" / f"_{name}.py",
        "grade.py": ROOT / "exercises" / "grade.py",
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for inside, file in contents.items():
            # Without a date of its own, a file in a zip always has the same bytes.
            entry = zipfile.ZipInfo(f"{name}/{inside}")
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, file.read_bytes())
    return path


if __name__ == "__main__":
    for source in sys.argv[1:]:
        bundle(Path(source).stem, ROOT / "_build" / "grading")
