import os

import pytest
from browser import chromium as started
from browser import serve
from hypothesis import settings
from notebooks import CEILING
from outline import BASE, HTML, TOC

# A kernel is compiled at its first call, whatever example that falls on.
settings.register_profile("alslib", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("alslib")


def pytest_addoption(parser):
    parser.addoption(
        "--screenshots",
        action="store_true",
        help="keep pictures of pages in _build/screenshots",
    )


def pytest_collection_modifyitems(items):
    """Mark the tests that need a browser, so that they can be left out: ``-m "not browser"``.

    Those that run whole lessons come first: at the end a worker that is done would wait for them.
    """
    items.sort(key=lambda item: not item.nodeid.startswith("tests/lessons"))
    for item in items:
        if "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")


@pytest.fixture(scope="session")
def chromium():
    """A headless Chromium; without one the test is skipped, or fails where CI is set."""
    try:
        with started() as browser:
            yield browser
    except ImportError as missing:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"NOT LOOKED AT: {missing}")


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
def addresses(built):
    """Where the book can be opened: on a web server, in the folder of its address, and on disk."""
    with serve(built, BASE) as home:
        yield {"http": home, "file": built.as_uri()}


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
