"""The figures that move, on the pages of the lessons. What they compute: tests/explorables."""

import gzip
import json
import re

import nbformat
import pytest
from outline import LESSONS, ROOT

from alslib.explorables import EXPLORABLES

CODE = re.compile(r"<script>(.*)\nalsExplorables\.start\((.*)\);\n</script>", re.DOTALL)


def placed():
    """Return (lesson, explorable, HTML) for all that are committed."""
    for lesson in LESSONS:
        for cell in nbformat.read(ROOT / f"{lesson}.ipynb", as_version=4).cells:
            for output in cell.get("outputs", []):
                html = output.get("data", {}).get("text/html", "")
                if html.startswith('<div class="als-explorable"'):
                    yield lesson, re.search('data-name="(.*?)"', html)[1], html


PLACED = list(placed())
PAGES = sorted({lesson for lesson, _, _ in PLACED})
every_page = pytest.mark.parametrize("name", PAGES)
MOUNTED = ".als-explorable[data-live]"
ON_PAGES = {"recommender"}  # in the text, once or more: test_recommender_on_pages.py


def test_every_explorable_stands_in_one_lesson():
    assert sorted([*ON_PAGES, *(name for _, name, _ in PLACED)]) == list(EXPLORABLES)


@pytest.mark.parametrize(("name", "html"), [placed[1:] for placed in PLACED])
def test_an_explorable_is_light(name, html):
    script, call = CODE.search(html).groups()
    shown, data = json.loads(f"[{call}]")
    assert shown == name
    assert len(gzip.compress(script.encode())) < 30_000
    assert len(gzip.compress(json.dumps(data).encode())) < 60_000


@every_page
@pytest.mark.parametrize("scheme", ["http", "file"])
def test_it_takes_the_place_of_its_figure(visit, name, scheme):
    go, trouble = visit(scheme)
    page = go(name)
    assert page.locator(MOUNTED).count() == sum(lesson == name for lesson, _, _ in PLACED)
    for explorable in page.locator(MOUNTED).all():
        figure = explorable.locator("xpath=ancestor::*[contains(@class, 'output')][1]/..//img")
        assert figure.count() == 1 and not figure.is_visible()
    assert trouble == []


@every_page
def test_where_no_script_runs_its_figure_stands(new_context, addresses, name):
    page = new_context(java_script_enabled=False).new_page()
    page.goto(f"{addresses['file']}/{name}.html")
    places = page.locator(".als-explorable:empty")
    assert places.count() and not page.locator(MOUNTED).count()
    for explorable in places.all():
        figure = explorable.locator("xpath=ancestor::*[contains(@class, 'output')][1]/..//img")
        assert figure.is_visible() and len(figure.get_attribute("alt")) > 40


@every_page
def test_on_paper_its_figure_stands(visit, name):
    go, _ = visit()
    page = go(name)
    page.locator(MOUNTED).first.wait_for()
    page.emulate_media(media="print")
    for explorable in page.locator(MOUNTED).all():
        figure = explorable.locator("xpath=ancestor::*[contains(@class, 'output')][1]/..//img")
        assert figure.is_visible() and not explorable.is_visible()


@every_page
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_screen_readers_and_thin_eyes_find_nothing_wrong(visit, complaints, name, colours):
    go, _ = visit(colours=colours)
    page = go(name)
    page.locator(MOUNTED).first.wait_for()
    assert complaints(page, ".als-explorable") == []


@every_page
def test_every_control_has_a_name(visit, name):
    go, _ = visit()
    page = go(name)
    page.locator(MOUNTED).first.wait_for()
    controls = page.locator(f"{MOUNTED} :is(input, select, button)").all()
    spoken = [control.aria_snapshot() for control in controls if control.is_visible()]
    # A line with a colon in the name is quoted once more.
    assert spoken and [text for text in spoken if not re.match(r"""- '?\w+ ".""", text)] == []


@every_page
def test_in_the_dark_it_stands_on_the_page_and_not_on_a_light_card(visit, name):
    go, _ = visit(colours="dark")
    page = go(name)
    page.locator(MOUNTED).first.wait_for()
    behind = """place => {
        const paint = (element) => getComputedStyle(element).backgroundColor;
        const clear = (element) => paint(element) === "rgba(0, 0, 0, 0)";
        const parts = [place, ...place.querySelectorAll(".als-picture > svg")];
        for (let box = place; !box.matches("article"); box = box.parentElement) parts.push(box);
        return parts.filter((part) => !clear(part)).map((part) => part.outerHTML.slice(0, 80));
    }"""
    for explorable in page.locator(MOUNTED).all():
        assert explorable.evaluate(behind) == []


CUT_OFF = """place => [...place.querySelectorAll("*")]
    .filter((part) => part.checkVisibility() && !part.closest("svg, .als-unseen"))
    .filter((part) => {
        const { left, right } = part.getBoundingClientRect();
        return left < 0 || right > innerWidth;
    }).map((part) => part.outerHTML.slice(0, 80))"""
TINY = """place => [...place.querySelectorAll("button, select, input")]
    .filter((control) => control.checkVisibility())
    .map((control) => [control, (control.closest("label") ?? control).getBoundingClientRect()])
    .filter(([, { width, height }]) => width < 24 || height < 24)
    .map(([control]) => control.outerHTML.slice(0, 80))"""


@every_page
def test_it_fits_a_small_phone_and_a_thumb(visit, name):
    go, _ = visit(width=320)
    page = go(name)
    for explorable in page.locator(MOUNTED).all():
        assert explorable.evaluate(CUT_OFF) == []
        assert explorable.evaluate(TINY) == []


@every_page
def test_everything_moves_by_keyboard_and_says_so(visit, name):
    go, trouble = visit()
    page = go(name)
    for explorable in page.locator(MOUNTED).all():
        said, heard = explorable.locator(".als-said").first, set()
        for control in explorable.locator("input, select, button").all():
            if not control.count():  # another has taken it away: a rating that is hidden, its slot
                continue
            for key in ["Home", "End", "Space", "Escape"]:
                control.press(key)
                heard.add(said.text_content())
                shown = explorable.text_content()
                assert "NaN" not in shown and "undefined" not in shown
        assert len(heard) > 1
        # When the hand rests, it is spoken.
        explorable.get_by_role("status").filter(has_text=said.text_content()).first.wait_for()
    assert trouble == []
