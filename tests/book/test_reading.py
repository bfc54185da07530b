"""What a reader meets in a browser: on a phone, in the dark, with a screen reader, on a disk.

`make book` comes first. These tests need playwright and Chromium; where these are missing they are
skipped, but not in continuous integration.
"""

import gzip
import io
import unicodedata
from itertools import pairwise
from urllib.parse import unquote, urlsplit

import numpy as np
import pytest
from fontTools.ttLib import TTFont
from outline import EXERCISES, HTML, LESSONS, NAMES, SCREENSHOTS, SOLUTIONS
from PIL import Image
from pypdf import PdfReader

WEBFONTS = HTML / "_static" / "vendor" / "fontawesome" / "webfonts"
TALLEST = 10_000  # pixels of a page in one picture
PAPER = 672  # pixels: A4 without its margins
MOST_STOPS = 500  # of the Tab key on a page
FIRST_VISIT, OWN_PART = 1_500_000, 400_000  # bytes
COMPRESSED = {".html", ".css", ".js", ".svg", ".json"}
DRAWN_BEFORE_AND_AFTER = """() => [...document.querySelectorAll("body *")].flatMap((element) =>
    ["::before", "::after"]
        .map((which) => getComputedStyle(element, which))
        .filter(({ fontFamily, content }) => fontFamily.includes("Awesome") && content !== "none")
        .map(({ fontFamily, fontWeight, content }) => [fontFamily, fontWeight, content]))
"""


def bare(text):
    """Take out spaces, and take ligatures apart."""
    return "".join(unicodedata.normalize("NFKC", text).split())


VALUES = np.arange(256) / 255
LINEAR = np.where(VALUES <= 0.04045, VALUES / 12.92, ((VALUES + 0.055) / 1.055) ** 2.4)


def luminance(rgb):
    return LINEAR[rgb] @ [0.2126, 0.7152, 0.0722]


def contrast(one, other):
    """Contrast ratio of the Web Content Accessibility Guidelines, 1 to 21."""
    dark, light = sorted((one, other))
    return (light + 0.05) / (dark + 0.05)


# What is cut off at the right: by the page, or by a box around it that does not scroll.
CUT_OFF = """() => {
    // The boxes around an element that do not let everything out, from the nearest to the widest.
    const known = new Map([[null, []]]);
    const boxesFrom = (box) => {
        if (!known.has(box)) {
            const { overflowX } = getComputedStyle(box);
            const further = boxesFrom(box.parentElement);
            const { right, width } = box.getBoundingClientRect();
            const scrolls = ["auto", "scroll"].includes(overflowX);
            const nearest = overflowX === "visible" ? [] : [{ right, width, scrolls }];
            known.set(box, [...nearest, ...further]);
        }
        return known.get(box);
    };
    return [...document.querySelectorAll(".bd-article *")].filter((element) => {
        const nothing = !element.childElementCount && !element.textContent.trim();
        if (nothing || !element.checkVisibility()) return false;
        const { right } = element.getBoundingClientRect();
        const box = boxesFrom(element.parentElement).find(
            (box) => box.scrolls || right > box.right + 1);
        // What is for screen readers only lies in a box of one pixel.
        return box ? !box.scrolls && box.width > 1 : right > innerWidth + 1;
    }).map((element) => element.outerHTML.slice(0, 150));
}"""
# Where the Tab key has come to; whether anything lies over it; and whether there was a ring around
# the place before, which there is no longer.
NEXT_STOP = """() => {
    const rings = (marks) => marks
        .map((mark) => getComputedStyle(mark))
        .map(({ outlineStyle, boxShadow }) => outlineStyle + boxShadow)
        .join();
    const stop = document.activeElement;
    const before = globalThis.lastStop;
    const faded = before && rings(before.marks) !== before.rings;
    if (stop === document.body) return { faded };
    const marks = [stop, ...stop.querySelectorAll("*"), ...(stop.labels ?? [])];
    globalThis.lastStop = { marks, rings: rings(marks) };
    const shown = marks.find((mark) => mark.getBoundingClientRect().height > 1);
    const [{ left, right, top, bottom }] = shown.getClientRects(); // a link may have two lines
    const above = document.elementFromPoint(
        (Math.max(left, 0) + Math.min(right, innerWidth)) / 2,
        (Math.max(top, 0) + Math.min(bottom, innerHeight)) / 2,
    );
    return {
        faded,
        html: stop.outerHTML.slice(0, 150),
        covered: !marks.some((mark) => mark.contains(above)),
        idle: stop.matches("mjx-container") && stop.scrollWidth <= stop.clientWidth,
    };
}"""


def typeset(page):
    """Return how many formulas a page has, all of them typeset and without an error."""
    formulas = page.locator("article .math").count()
    assert page.locator("article .math mjx-container").count() == formulas
    # An undefined macro is no error to MathJax: it shows the name in red.
    wrong = page.locator("mjx-merror, mjx-container [style*='color: red']")
    assert wrong.all_text_contents() == []
    return formulas


def weigh(page, home):
    """Return the bytes of a first visit and those of them that no other page needs.

    Text counts as a web server sends it, compressed; pictures and fonts as they are.
    """
    loaded = page.evaluate("performance.getEntriesByType('resource').map(e => e.name)")
    weights = {}
    for url in {page.url, *loaded}:
        path = HTML / unquote(urlsplit(url.removeprefix(f"{home}/")).path)
        content = path.read_bytes()
        weights[path] = len(gzip.compress(content) if path.suffix in COMPRESSED else content)
    own = sum(weight for path, weight in weights.items() if "_static" not in path.parts)
    return sum(weights.values()), own


def contrast_in(element, strays):
    """Return the contrast of the darkest and lightest pixels, but for some per cent of strays.

    Empty margins are cut off: short lines in a wide box would be strays.
    """
    picture = Image.open(io.BytesIO(element.screenshot())).convert("RGB")
    light = luminance(np.asarray(picture))
    drawn = np.abs(light - np.median(light)) > 0.05
    light = light[np.ix_(drawn.any(axis=1), drawn.any(axis=0))]
    return contrast(*np.percentile(light, [strays, 100 - strays]))


def illegible(page):
    """Return the figures and tables of a lesson, and samples of its text, that are hard to see."""
    kinds = ", ".join(f"article .cell_output {kind}" for kind in ("img", "svg[role=img]", "table"))
    # What stands only on paper and where no script runs has to be seen there.
    page.evaluate(
        "document.querySelectorAll('.als-replaced').forEach((figure) => {"
        " figure.classList.remove('als-replaced') })"
    )
    shown = page.locator(kinds).all()
    assert shown, "there is neither a figure nor a table"
    text = [page.locator(f"article {kind}").first for kind in ("p", ".cell_input pre")]
    found = [(element, contrast_in(element, 0.1)) for element in shown]
    found += [(element, contrast_in(element, 1)) for element in text]
    return [
        (value, element.get_attribute("alt") or element.text_content()[:80])
        for element, value in found
        if value < 7
    ]


def keep_screenshot(page, name, width):
    """Keep a picture of the page for a person to look at; of a long one its beginning."""
    height = min(page.evaluate("document.documentElement.scrollHeight"), TALLEST)
    clip = {"x": 0, "y": 0, "width": width, "height": height}
    path = SCREENSHOTS / name
    page.screenshot(path=path, full_page=True, clip=clip, type="jpeg", quality=60)
    with Image.open(path) as picture:
        assert picture.size == (width, height)


@pytest.mark.parametrize("name", [*NAMES, "search", "404"])
def test_a_page_opens_is_light_and_readable_by_everyone(
    visit, addresses, complaints, pytestconfig, name
):
    go, trouble = visit()
    page = go(name)
    assert trouble == []
    typeset(page)
    first_visit, own = weigh(page, addresses["http"])
    print(f"{first_visit / 1e3:.0f} kB on a first visit, {own / 1e3:.0f} kB of it the page itself")
    assert first_visit < FIRST_VISIT and own < OWN_PART
    # No colour is on its way: from one scheme to the other, or where something is unfolded.
    page.add_style_tag(content="* { transition: none !important; animation: none !important }")
    page.evaluate("document.querySelectorAll('article details').forEach((e) => { e.open = true })")
    for colours in ("light", "dark"):
        page.set_viewport_size({"width": 1280, "height": 900})
        page.emulate_media(color_scheme=colours)
        page.wait_for_selector(f"html[data-theme={colours}]")
        assert complaints(page, only_colours=colours == "dark") == []
        assert name not in LESSONS or illegible(page) == []
        for width in (1280, 768, 320):
            page.set_viewport_size({"width": width, "height": 900})
            if pytestconfig.getoption("screenshots"):
                keep_screenshot(page, f"{name.replace('/', '-')}-{width}-{colours}.jpeg", width)
            assert page.evaluate("document.documentElement.scrollWidth") == width
            assert page.evaluate(CUT_OFF) == []
    assert trouble == []  # again, because trouble may come late


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", [NAMES[0], LESSONS[3], EXERCISES[3]])
def test_the_tab_key_leads_through_a_page_and_shows_where_it_is(visit, name, width):
    go, _ = visit(width=width)
    page = go(name)
    page.wait_for_load_state("networkidle")
    # No ring is on its way, and no place.
    page.add_style_tag(
        content="* { transition: none !important; scroll-behavior: auto !important }"
    )
    stops = []
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        stops.append(page.evaluate(NEXT_STOP))
        if "html" not in stops[-1]:
            break
    assert 30 < len(stops) < MOST_STOPS, "the focus is caught, or finds nothing"
    # Whether a place had a ring shows at the next one.
    unmarked = [a["html"] for a, b in pairwise(stops) if not b["faded"]]
    assert unmarked == []
    assert [stop["html"] for stop in stops if stop.get("covered")] == []
    assert [stop["html"] for stop in stops if stop.get("idle")] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_page_opens_from_the_disk(visit, pages, name):
    go, trouble = visit("file")
    page = go(name)
    page.wait_for_load_state("networkidle")
    assert trouble == []
    assert typeset(page) == len(pages[HTML / f"{name}.html"].select("article .math"))


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_search_finds_a_word_of_the_glossary(visit, scheme):
    go, trouble = visit(scheme)
    page = go("search")
    page.wait_for_load_state("networkidle")
    page.goto(f"{page.url}?q=shrinkage")
    page.wait_for_selector("#search-results li a")
    page.wait_for_load_state("networkidle")
    found = page.locator("#search-results li a").evaluate_all("links => links.map(a => a.href)")
    assert any("glossary.html" in link for link in found)
    # A page from the disk may not read the pages that were found.
    assert bool(page.locator("#search-results .context").count()) == (scheme == "http")
    assert trouble == []


def test_every_icon_is_in_the_fonts_that_were_cut(visit):
    fonts = {
        (family, weight): set(TTFont(WEBFONTS / f"{file}.woff2").getBestCmap())
        for (family, weight), file in {
            ("Font Awesome 6 Free", "900"): "fa-solid-900",
            ("Font Awesome 6 Free", "400"): "fa-regular-400",
            ("Font Awesome 6 Brands", "400"): "fa-brands-400",
        }.items()
    }
    go, _ = visit()
    drawn = set()
    for name in (NAMES[0], LESSONS[0], "book/notation", "book/api", "search"):
        for family, weight, letters in go(name).evaluate(DRAWN_BEFORE_AND_AFTER):
            font = fonts[family.split(",")[0].strip('"'), weight]
            places = {ord(letter) for letter in letters if letter >= "\ue000"}
            assert places <= font, (name, letters)
            drawn |= places
    assert len(drawn) > 10


@pytest.mark.parametrize("name", [*LESSONS, "book/cheat_sheet"])
def test_nothing_is_cut_off_on_paper(visit, name):
    go, _ = visit(width=PAPER)
    page = go(name)
    page.emulate_media(media="print")
    cut = page.locator("article :is(pre, table, mjx-container[display='true'])").evaluate_all(
        "all => all.filter((e) => e.getBoundingClientRect().right > innerWidth"
        " || e.scrollWidth > e.clientWidth + 1).map((e) => e.textContent.slice(0, 80))"
    )
    assert cut == []
    pressed = page.locator(".bd-sidebar-primary, .als-explorable, .copybtn")
    assert not pressed.filter(visible=True).count()


@pytest.mark.parametrize("name", [LESSONS[3], SOLUTIONS[3]])
def test_what_is_folded_is_printed_and_folded_again(visit, name):
    go, trouble = visit()
    page = go(name)
    folds = page.locator("article details")
    folds.last.locator("summary").first.click()  # what a reader has opened stays open
    before = folds.evaluate_all("all => all.map((fold) => fold.open)")
    assert before == [False] * (folds.count() - 1) + [True]
    pdf = page.pdf(format="A4")
    assert folds.evaluate_all("all => all.map((fold) => fold.open)") == before
    # Formulas are drawn with letters of their own; where a line ends, there is no space.
    within = folds.locator("p:not(:has(.math)):not(.admonition-title), .cell_input pre")
    texts = within.all_text_contents()
    sheets = PdfReader(io.BytesIO(pdf)).pages
    printed = bare("".join(sheet.extract_text() for sheet in sheets))

    def found(text):
        """In one piece, or in two: code is read after the rest of its sheet, and comes between."""
        words = text.split()
        return any(
            bare("".join(words[:cut])) in printed and bare("".join(words[cut:])) in printed
            for cut in (0, *range(4, len(words) - 3))
        )

    assert len(texts) >= folds.count() / 2
    assert [text for text in texts if not found(text)] == []
    assert trouble == []


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_stars_and_map_are_seen_where_the_system_sets_the_colours(visit, colours):
    go, _ = visit(colours=colours)
    page = go(NAMES[0])
    page.emulate_media(forced_colors="active")
    for kind in (".als-entry .als-five", ".als-picture"):
        assert contrast_in(page.locator(kind).first, strays=1) >= 3, kind


def test_a_copy_button_copies_code_and_no_prompt(visit):
    go, trouble = visit()
    page = go(LESSONS[0])
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    block = page.locator("article .cell_input div.highlight").first
    block.hover()
    block.locator("button.copybtn").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.strip() == block.locator("pre").inner_text().strip() != ""
    assert trouble == []


def test_the_button_switches_to_dark_mode_and_the_choice_is_kept(visit):
    go, trouble = visit()
    page = go(LESSONS[0])
    html = page.locator("html")
    for _ in range(3):  # the button goes round: as the system, light, dark
        page.locator("button.theme-switch-button").first.click()
        if html.get_attribute("data-theme") == "dark":
            break
    assert html.get_attribute("data-theme") == "dark"
    assert go(LESSONS[-1]).locator("html").get_attribute("data-theme") == "dark"
    assert trouble == []
