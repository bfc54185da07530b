"""What the book consists of, and where it is built."""

from pathlib import Path
from urllib.parse import urlsplit

import yaml

ROOT = Path(__file__).parent.parent
HTML = ROOT / "_build" / "html"
SCREENSHOTS = ROOT / "_build" / "screenshots"  # for a person to look at
CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
BASE = urlsplit(CONFIG["html"]["baseurl"]).path.rstrip("/")
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))


def files(entries):
    """Return the pages of some entries of the table of contents and of those below them."""
    for entry in entries:
        if "glob" in entry:
            yield from sorted(
                str(path.relative_to(ROOT).with_suffix("")) for path in ROOT.glob(entry["glob"])
            )
        else:
            yield entry["file"]
            yield from files(entry.get("sections", []))


NAMES = [TOC["root"], *(name for part in TOC["parts"] for name in files(part["chapters"]))]
LESSONS, SOLUTIONS, EXERCISES = (
    [name for name in NAMES if name.rpartition("/")[0] == folder]
    for folder in ("lessons", "exercises/solutions", "exercises")
)
