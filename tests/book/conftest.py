from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from outline import HTML, ROOT

RULES_OF_COLOUR = ["color-contrast", "link-in-text-block"]  # the others look the same in the dark
LOOK = Path(__file__).with_name("look.js").read_text("utf-8")


@pytest.fixture(scope="session")
def pages(built):
    """Every HTML file of the book, parsed, but the redirecting start page and the lost page."""
    files = [path for path in built.rglob("*.html") if "_static" not in path.parts]
    return {
        path: BeautifulSoup(path.read_text("utf-8"), "html.parser")
        for path in files
        if path not in (HTML / "index.html", HTML / "404.html")
    }


@pytest.fixture(scope="session")
def complaints():
    """Ask axe-core what is wrong with a page, or a part of it: WCAG 2.2 AA and good practice.

    Of a formula the drawn letters are left out, and of code each kind of word is looked at once in
    each kind of place: there are thousands of both, which would take minutes. So would the colours
    of thousands of elements: of those that look alike, the first is measured. A heading of a table
    that is a formula is left out, too: screen readers read its hidden MathML, which axe does not
    count as text.
    """
    axe = ROOT / "book" / "_vendor" / "node_modules" / "axe-core" / "axe.min.js"
    if not axe.is_file():
        pytest.fail("axe-core is not installed: run `make book` first")

    def look(page, part="html", only_colours=False):
        if not page.evaluate("'axe' in window"):
            page.add_script_tag(path=axe)
        found = page.evaluate(LOOK, [part, RULES_OF_COLOUR, only_colours])
        assert found["looked"], "axe did not look"
        return found["violations"]

    return look
