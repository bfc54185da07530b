import functools
import http.server
import os
import shutil
import threading
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
import yaml
from bs4 import BeautifulSoup
from hypothesis import settings
from notebooks import CEILING

from alslib import Ratings

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
LESSONS = [name for name in NAMES if name.startswith("lessons/")]
EXERCISES = [name for name in NAMES if name.startswith("exercises/0")]


def pytest_addoption(parser):
    parser.addoption(
        "--screenshots",
        action="store_true",
        help="keep pictures of pages in _build/screenshots",
    )


# A kernel is compiled at its first call, whatever example that falls on.
settings.register_profile("alslib", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("alslib")


def pytest_collection_modifyitems(items):
    """Mark the tests that need a browser, so that they can be left out: ``-m "not browser"``."""
    for item in items:
        if "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")


@pytest.fixture
def tiny():
    """Three users and three movies, ids with gaps, small enough to check with a pencil."""
    return Ratings(
        users=[10, 10, 30, 30, 20],
        items=["Up", "Heat", "Heat", "Jaws", "Up"],
        values=[5.0, 3.0, 4.0, 1.5, 2.0],
    )


@pytest.fixture(scope="session")
def medium():
    """Sixty users and forty movies with biases, for tests that need some data."""
    rng = np.random.default_rng(1)
    filled = rng.random((60, 40)) < 0.25
    users, items = np.nonzero(filled)
    stars = 3.5 + rng.normal(0, 0.5, 60)[users] + rng.normal(0, 0.7, 40)[items]
    stars += rng.normal(0, 0.4, len(users))
    return Ratings(users, items, np.clip(np.round(2 * stars) / 2, 0.5, 5))


@pytest.fixture(scope="session")
def chromium():
    """A headless Chromium; without one the test is skipped, or fails where CI is set."""
    try:
        from playwright.sync_api import sync_playwright

        program = shutil.which("chromium") or shutil.which("google-chrome")
        if not program:
            raise ImportError("no chromium on the PATH")
    except ImportError as missing:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"NOT LOOKED AT: {missing}")
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=flags)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def new_context(chromium):
    """Open a window of its own, which waits for what never comes, and not for what comes slowly."""

    def opened(**options):
        context = chromium.new_context(**options)
        context.set_default_timeout(1000 * CEILING)
        return context

    return opened


@pytest.fixture(scope="session")
def built():
    """The folder of the built book."""
    if not (HTML / f"{TOC['root']}.html").is_file():
        pytest.fail("there is no book in _build/html: run `make book` first")
    return HTML


@pytest.fixture(scope="session")
def pages(built):
    """Every HTML file of the book, parsed, but the redirecting start page and the lost page."""
    files = [path for path in built.rglob("*.html") if "_static" not in path.parts]
    return {
        path: BeautifulSoup(path.read_text("utf-8"), "html.parser")
        for path in files
        if path not in (HTML / "index.html", HTML / "404.html")
    }


class Site(http.server.SimpleHTTPRequestHandler):
    """A web server that has the book in the folder of its real address."""

    def translate_path(self, path):
        """Return the file of an address."""
        return super().translate_path(path.removeprefix(BASE))

    def log_message(self, *args):
        """Say nothing on the terminal."""


@pytest.fixture(scope="session")
def addresses(built):
    """Where the book can be opened: on a web server, and from the disk."""
    handler = functools.partial(Site, directory=built)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield {"http": f"http://127.0.0.1:{server.server_port}{BASE}", "file": built.as_uri()}
        server.shutdown()


@pytest.fixture(scope="session")
def tabs(new_context):
    """One tab for each scheme: whatever a page needs is compiled and kept for the next page."""
    return {scheme: new_context().new_page() for scheme in ("http", "file")}


@pytest.fixture
def visit(tabs, addresses):
    """Open pages of the book, and hear of everything that goes wrong on them.

    What a test has done to a tab, to its permissions, and to what it keeps is undone at the end.
    """
    hearing = []

    def open_page(scheme="http", width=1280, colours="light"):
        page, trouble = tabs[scheme], []
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=colours)
        home = addresses[scheme]
        heard = {
            "console": lambda m: trouble.append(m.text) if m.type == "error" else None,
            "pageerror": lambda error: trouble.append(str(error)),
            "requestfailed": lambda request: trouble.append(f"failed: {request.url}"),
            "response": lambda r: (
                trouble.append(f"{r.status}: {r.url}") if r.status >= 400 else None
            ),
            "request": lambda r: (
                None if r.url.startswith((home, "data:")) else trouble.append(r.url)
            ),
        }
        for event, listener in heard.items():
            page.on(event, listener)
        hearing.append((page, heard))

        def go(name):
            page.goto(f"{home}/{name}.html")
            if page.locator("article .math").count():
                page.wait_for_function(
                    "window.MathJax && MathJax.startup && MathJax.startup.promise"
                )
                page.evaluate("MathJax.startup.promise")
            return page

        return go, trouble

    yield open_page
    for page, heard in hearing:
        for event, listener in heard.items():
            page.remove_listener(event, listener)
        page.evaluate("localStorage.clear(); sessionStorage.clear()")
        page.goto("about:blank")
        page.emulate_media(media="null", forced_colors="null")
        page.context.clear_permissions()


RULES_OF_COLOUR = ["color-contrast", "link-in-text-block"]  # the others look the same in the dark
LOOK = """async ([part, rulesOfColour, onlyColours]) => {
    const PLACES = ".cell_input, .cell_output, .admonition, .sd-card-body, article";
    const known = new Set();
    const kinds = (code) => {
        const place = code.closest(PLACES)?.className + code.parentElement.className;
        return [code, ...code.querySelectorAll("span")].map((word) => place + word.className);
    };
    const repeated = [...document.querySelectorAll("pre")].filter((code) => {
        const fresh = kinds(code).filter((kind) => !known.has(kind));
        fresh.forEach((kind) => known.add(kind));
        return !fresh.length;
    });
    // What is not looked at is taken out meanwhile: axe measures all that is there.
    const taken = [...repeated, ...document.querySelectorAll("mjx-math")].map((parent) => {
        const children = [...parent.childNodes];
        parent.replaceChildren();
        return [parent, children];
    });
    const exclude = ["mjx-math", "th:has(math)", ...repeated];

    const speaks = (element) => [...element.childNodes].some(
        (child) => child.nodeType === Node.TEXT_NODE && child.data.trim());
    // Two look alike if they, and all that is around them, have the same names, style and role.
    const looks = new Map([[null, 0]]);
    const numbers = new Map(); // of looks, because their descriptions are long
    const lookOf = (element) => {
        if (!looks.has(element)) {
            const style = getComputedStyle(element);
            const look = [
                lookOf(element.parentElement), element.localName, element.className,
                speaks(element), style.color, style.backgroundColor, style.backgroundImage,
                style.opacity, style.fontSize, style.fontWeight, style.textDecorationLine,
                style.textShadow,
            ].join();
            numbers.set(look, numbers.get(look) ?? numbers.size + 1);
            looks.set(element, numbers.get(look));
        }
        return looks.get(element);
    };
    const coloured = [...document.querySelectorAll(`${part}, ${part} *`)].filter(
        (element) => element.checkVisibility()
            && (speaks(element) || element.matches("a, input, select")));
    const firsts = new Map(coloured.toReversed().map((element) => [lookOf(element), element]));

    // No rule that is asked for reads style sheets, which axe would load with wrong addresses.
    const general = { resultTypes: ["violations", "incomplete"], preload: { assets: ["media"] } };
    const look = (include, options) => axe.run({ include, exclude }, { ...general, ...options });
    const colours = { runOnly: rulesOfColour, elementRef: true };
    const found = [await look([...firsts.values()], colours)];
    if (!onlyColours) {
        const rules = Object.fromEntries(rulesOfColour.map((rule) => [rule, { enabled: false }]));
        found.push(await look([part], { rules }));
    }
    const looked = found.every(({ passes }) => passes.length);
    // Where axe cannot tell, because something lies over the first, it looks at all that are alike.
    const unsure = new Set(found[0].incomplete.flatMap(
        ({ nodes }) => nodes.map(({ element }) => lookOf(element))));
    const others = coloured.filter(
        (element) => unsure.has(lookOf(element)) && firsts.get(lookOf(element)) !== element);
    if (others.length) found.push(await look(others, colours));
    taken.forEach(([parent, children]) => parent.replaceChildren(...children));
    const violations = found.flatMap((run) => run.violations).flatMap(
        ({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 150)}`));
    return { looked, violations };
}"""


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
