"""Print the whole book into one PDF, with Chromium: this is what `make pdf` does.

Sphinx puts all pages on one, with the outputs that are committed, and Chromium prints it. LaTeX
would be a heavier way to the same end, and shows neither code nor tables of pandas as the pages do.
What is folded up is opened by the page itself: see ``_static/unfold_on_paper.js``.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from browser import chromium

ROOT = Path(__file__).parent.parent
BUILT = ROOT / "_build" / "singlehtml"
PDF = ROOT / "_build" / "recsys-from-scratch.pdf"
MARGINS = {"top": "18mm", "bottom": "18mm", "left": "16mm", "right": "16mm"}


def build_one_page() -> Path:
    """Build the book on one page, and return the page."""
    program = Path(sys.executable).with_name("jupyter-book")
    command = [program, "build", ROOT, "--builder", "singlehtml", "--all", "--quiet"]
    subprocess.run(command, check=True)
    # Its links are those of a page at the top, but it is written in the folder of the first page.
    return shutil.copy(BUILT / "book" / "intro.html", BUILT / "index.html")


def print_page(source: Path, target: Path) -> None:
    """Let Chromium print a page that has formulas."""
    with chromium() as browser:
        page = browser.new_page()
        page.goto(source.as_uri())
        page.wait_for_function("window.MathJax && MathJax.startup && MathJax.startup.promise")
        page.evaluate("MathJax.startup.promise")
        page.pdf(path=target, format="A4", margin=MARGINS, outline=True, tagged=True)


if __name__ == "__main__":
    print_page(build_one_page(), PDF)
    print(f"{PDF.relative_to(ROOT)}: {PDF.stat().st_size / 1e6:.0f} MB")
