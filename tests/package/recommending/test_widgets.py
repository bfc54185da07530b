"""The demo shows what its visitor knows; in a browser it works by mouse and by keyboard alone."""

import html
import json
import logging
import os
import re
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import ipywidgets
import nbformat
import numpy as np
import pytest
from cinema import recommender_of, small_cinema
from notebooks import CEILING
from outline import SCREENSHOTS

from alslib import (
    Calibration,
    ImplicitALS,
    OwnRatings,
    Recommender,
    Visitor,
    load_movielens,
    widgets,
)

CINEMA = small_cinema()
RECOMMENDER = recommender_of(CINEMA)


@pytest.fixture
def demo(tmp_path):
    return widgets.Demo(Visitor(RECOMMENDER, CINEMA), folder=tmp_path)


def rate(demo, query, stars):
    demo.query.value = query
    demo.stars.value = stars
    demo.rate.click()


def text(field):
    bare = html.unescape(re.sub("<[^>]*>", " ", field.value))
    return bare.replace("\N{NO-BREAK SPACE}", " ")


def test_the_list_is_the_visitors(demo):
    assert demo.visitor.trending()["title"].iloc[0] in text(demo.movies)
    rate(demo, "matrix", 4.5)
    demo.alpha.value, demo.min_ratings.value, demo.genre.value = 0.05, 25, "Drama"
    expected = demo.visitor.recommend(alpha=0.05, min_ratings=25, genre="Drama")
    shown = re.findall(r"<li>(.*?)<small>score (.*?) ★ · ([\d,]+) rating", demo.movies.value)
    assert [(html.unescape(title), score, n) for title, score, n in shown] == [
        (row.title, f"{row.score:.2f}", str(row.n_ratings)) for row in expected.itertuples()
    ]
    demo.genre.value, demo.min_ratings.value = "Comedy", demo.min_ratings.max
    assert "No movie passes the filters." in demo.movies.value


def test_the_list_is_by_choice_or_by_stars_and_then_as_cautious_as_one_likes():
    calibration = Calibration(np.array([0.2, 0.4, 0.6, 0.8]))
    sure = Recommender(RECOMMENDER.model, RECOMMENDER.ratings, calibration)
    choices = ImplicitALS(3, lam=4, tau=5).fit(RECOMMENDER.ratings)
    demo = widgets.Demo(Visitor(sure, CINEMA, choices), folder=None)
    rate(demo, "matrix", 5)
    rate(demo, "amelie", 0.5)

    def assert_shows(**options):
        expected = demo.visitor.recommend(min_ratings=demo.min_ratings.value, **options)
        unit = " ★" if options["by"] == "stars" else ""
        facts = [
            f"score {row.score:.2f}{unit} · {row.predicted:.1f} ★ predicted, "
            f"8 in 10 such ratings lie from {row.low:.1f} to {row.high:.1f} · "
            for row in expected.itertuples()
        ]
        shown = text(demo.movies)
        places = [shown.index(fact) for fact in facts]
        assert places == sorted(places) and len(places) == 10
        titles = re.findall("<li>(.*?)<small>", demo.movies.value)
        assert list(map(html.unescape, titles)) == expected["title"].tolist()
        return expected["title"].tolist()

    by_choice = assert_shows(by="choice")
    assert demo.caution.disabled
    demo.by.value = "stars"
    assert not demo.caution.disabled
    by_stars = assert_shows(by="stars")
    demo.caution.value = 2.0
    careful = assert_shows(by="stars", caution=2.0)
    assert len({tuple(by_choice), tuple(by_stars), tuple(careful)}) == 3
    labels = [label for label, _ in demo.caution.options]
    assert labels[2:6] == [
        "− 1 standard deviation",
        "− 0.5 standard deviations",
        "as predicted",
        "+ 0.5 standard deviations",
    ]


def test_an_interview_asks_what_the_visitor_is_asked():
    choices = ImplicitALS(3, lam=4, tau=5).fit(RECOMMENDER.ratings)
    demo = widgets.Demo(Visitor(RECOMMENDER, CINEMA, choices), folder=None)
    alone = Visitor(RECOMMENDER, CINEMA, choices)
    assert demo.skip.disabled
    demo.ask.click()
    for stars in (4.0, None, 2.5, None):
        item = alone.next_question()
        assert demo.hits.value == item
        assert text(demo.message) == f" How many stars for {alone.title(item)}? "
        if stars is None:
            alone.skip(item)
            demo.skip.click()
        else:
            alone.rate(item, stars)
            demo.stars.value = stars
            demo.rate.click()
    assert demo.visitor.ratings == alone.ratings and demo.visitor.unseen == alone.unseen
    demo.query.value = "alien"  # an own wish ends the questions
    assert demo.skip.disabled
    demo.stars.value = 3.0
    demo.rate.click()
    assert "You gave" in text(demo.message)
    for item in CINEMA.movies["movie_id"]:
        if item not in demo.visitor.ratings:
            demo.visitor.skip(item)
    demo.ask.click()
    assert "no other movie" in text(demo.message) and demo.skip.disabled
    assert demo.errors.value == ""


def test_a_question_that_a_file_answers_is_over():
    choices = ImplicitALS(3, lam=4, tau=5).fit(RECOMMENDER.ratings)
    demo = widgets.Demo(Visitor(RECOMMENDER, CINEMA, choices), folder=None)
    demo.ask.click()
    answered = Visitor(RECOMMENDER, CINEMA)
    answered.rate(demo.hits.value, 4.0)
    demo.upload.set_trait("value", uploaded(answered.preferences().encode()))
    assert demo.skip.disabled
    demo.skip.click()  # one that was already on its way
    assert demo.errors.value == ""
    assert demo.visitor.ratings == answered.ratings and not demo.visitor.unseen


def test_a_question_does_not_stand_beside_an_earlier_search():
    choices = ImplicitALS(3, lam=4, tau=5).fit(RECOMMENDER.ratings)
    demo = widgets.Demo(Visitor(RECOMMENDER, CINEMA, choices), folder=None)
    demo.query.value = "matrix"
    demo.ask.click()
    assert demo.query.value == ""
    assert demo.hits.value == demo.visitor.next_question()
    assert "How many stars" in text(demo.message) and not demo.skip.disabled


def test_the_ends_of_the_slider_are_called_what_they_are(demo):
    labels = [label for label, _ in demo.alpha.options]
    assert (labels[0], labels[-1]) == ("acclaimed (α = 1)", "personal (α = 0.05)")
    assert not [label for label in labels[1:-1] if "p" in label]


def test_reasons_are_told(demo):
    rate(demo, "matrix", 5)
    rate(demo, "amelie", 0.5)
    because = [demo.visitor.because(item) for item in demo.visitor.recommend()["item_id"]]
    reasons = [
        f"{row.title} {row.rating:g} ★ ({row.share:+.2f})"
        for table in because
        for row in table.itertuples()
    ]
    assert reasons
    for reason in reasons:
        assert reason in text(demo.movies)


def test_ratings_are_edited_and_deleted_in_their_rows(demo):
    rate(demo, "matrix", 4.5)
    rate(demo, "alien", 2)
    first, second = demo.rows.children
    first.stars.value = 1.0
    assert demo.visitor.ratings == {10: 1.0, 60: 2.0}
    assert demo.rows.children[0] is first, "a row that is built anew loses the focus"
    rate(demo, "matrix", 3)
    assert first.stars.value == 3.0
    first.delete.click()
    assert demo.rows.children == (second,)
    assert demo.visitor.ratings == {60: 2.0}
    second.delete.click()
    assert "Trending" in demo.movies.value


def test_a_movie_that_is_rated_already_comes_with_its_rating(demo):
    rate(demo, "matrix", 4.5)
    demo.query.value = "alien"
    assert demo.stars.label == "choose"
    demo.query.value = "matrix"
    assert demo.stars.value == 4.5


def test_the_button_says_what_is_missing(demo):
    demo.rate.click()
    assert "Type a title first" in demo.message.value
    demo.query.value = "matrix"
    demo.rate.click()
    assert "Choose a rating first" in demo.message.value
    demo.query.value = "no such film"
    assert "No movie here" in demo.message.value


def test_titles_are_shown_and_not_obeyed(demo):
    rate(demo, "matrix", 5)
    demo.genre.value = "Horror"
    assert "<b>Evil" in html.unescape(demo.movies.value)
    assert "<b>Evil" not in demo.movies.value
    rate(demo, "evil", 5)
    for field in (demo.movies, demo.message, demo.download):
        assert "<b>Evil" not in field.value
    demo.query.value = "evil"
    demo.stars.value = 1.0
    demo.rate.click()
    assert 'You gave <b>Evil & "quoted"</b> (1990) 1 ★.' in text(demo.message)


@pytest.mark.parametrize(
    ("method", "action"),
    [
        ("search", lambda demo: setattr(demo.query, "value", "mat")),
        ("rate", lambda demo: rate(demo, "alien", 5)),
        ("recommend", lambda demo: rate(demo, "alien", 5)),
        ("because", lambda demo: setattr(demo.alpha, "value", 0.05)),
        ("rate", lambda demo: setattr(demo.rows.children[0].stars, "value", 1.0)),
        ("delete", lambda demo: demo.rows.children[0].delete.click()),
        ("trending", lambda demo: demo.rows.children[0].delete.click()),
        ("save", lambda demo: demo.save.click()),
    ],
)
def test_an_error_in_a_callback_is_shown_and_logged(demo, caplog, monkeypatch, method, action):
    def explode(*_, **__):
        raise RuntimeError("the <projector> is on fire")

    rate(demo, "matrix", 4.5)
    assert demo.errors.value == ""
    with monkeypatch.context() as patch, caplog.at_level(logging.ERROR):
        patch.setattr(demo.visitor, method, explode)
        action(demo)
    assert "RuntimeError: the &lt;projector&gt; is on fire" in demo.errors.value
    assert "in explode" in demo.errors.value, "the traceback says where"
    assert "RuntimeError: the <projector> is on fire" in caplog.text
    assert "Traceback" in caplog.text
    demo.query.value = "amelie"
    assert demo.errors.value == "", "an error that is over stays on the screen"


def test_an_error_is_not_wiped_out_by_what_follows_from_the_same_click(demo, monkeypatch):
    class Fragile(dict):
        def get(self, item, default=None):
            assert item != 10, "the projector is on fire"
            return super().get(item, default)

    def load(_):
        demo.visitor.ratings = Fragile({10: 1.0, 60: 1.0})
        return OwnRatings()

    rate(demo, "matrix", 5)
    rate(demo, "alien", 5)
    demo.save.click()
    monkeypatch.setattr(demo.visitor, "loads", load)
    demo.open_file.click()  # both rows follow; the first fails, the second does not
    assert [row.stars.value for row in demo.rows.children] == [1.0, 1.0]
    assert "the projector is on fire" in demo.errors.value
    demo.genre.value = "Drama"
    assert demo.errors.value == ""


def test_ratings_are_saved_and_opened_in_the_folder(demo, tmp_path):
    rate(demo, "matrix", 4.5)
    demo.save.click()
    assert "1 rating saved in preferences.json" in demo.message.value
    rate(demo, "matrix", 1)
    demo.open_file.click()
    assert "1 rating read." in demo.message.value
    assert demo.visitor.ratings == {10: 4.5}
    demo.file_name.value = "missing.json"
    demo.open_file.click()
    assert "missing.json could not be read: No such file" in demo.message.value
    (tmp_path / "folder.json").mkdir()
    demo.file_name.value = "folder.json"
    demo.save.click()
    assert "could not be written" in demo.message.value


@pytest.mark.parametrize(
    "name", ["", "mine.txt", "../mine.json", "/tmp/mine.json", "a/b.json", "a\\b.json", ".."]
)
def test_no_other_place_of_the_disk_is_touched(demo, tmp_path, name):
    demo.file_name.value = name
    for button in (demo.save, demo.open_file):
        button.click()
        assert "without a folder" in demo.message.value
    assert list(tmp_path.iterdir()) == []


def test_a_page_on_the_web_has_no_access_to_the_disk():
    demo = widgets.Demo(Visitor(RECOMMENDER, CINEMA), folder=None)
    shown = list(demo.children)
    while shown:
        field = shown.pop()
        assert field not in (demo.file_name, demo.save, demo.open_file)
        shown += getattr(field, "children", ())


def uploaded(content):
    file = {"name": "p.json", "type": "", "size": len(content), "content": memoryview(content)}
    return ({**file, "last_modified": datetime.now(UTC)},)


def test_a_file_can_be_uploaded_and_is_refused_in_plain_words(demo):
    rate(demo, "alien", 2)
    entries = [{"item_id": item, "title": "T & T", "rating": 5} for item in (10, 11)]
    file = {"format": "alslib-preferences", "version": 1, "ratings": entries}
    refused = {**file, "version": 2}
    for content, ratings, said in [
        (refused, {60: 2.0}, "version 2; only version 1 can be read. Your ratings are as they"),
        (file, {10: 5.0}, "1 rating read. T & T is not known here and was left out."),
    ]:
        demo.upload.set_trait("value", uploaded(json.dumps(content).encode()))
        assert demo.visitor.ratings == ratings
        assert said in text(demo.message)
        assert demo.upload.value == ()
    assert len(demo.rows.children) == 1


def test_of_an_upload_from_elsewhere_what_is_doubtful_is_chosen(demo):
    rate(demo, "film 3", 2)
    content = (
        "Name,Year,Letterboxd URI,Rating\nThe Matrix,1999,u,4.5\nAliens,1987,u,2\n"
        "Alien,1980,u,1\n<b>Else & more</b>,1990,u,3\nAlien,1979,u,\n"
    )
    demo.upload.set_trait("value", uploaded(content.encode()))
    assert demo.visitor.ratings == {10: 4.5}
    assert "1 rating read. 2 to choose. <b>Else & more</b> (1990) is not" in html.unescape(
        demo.message.value
    )
    shown = "".join(getattr(field, "value", "") for field in demo.unclear.children)
    assert "Left out: 1 line without a rating." in shown
    assert "&lt;b&gt;Else &amp; more&lt;/b&gt; (1990)" in shown
    menus = [field for field in demo.unclear.children if isinstance(field, ipywidgets.Dropdown)]
    assert [menu.description for menu in menus] == [
        "Aliens (1987), 2\N{NO-BREAK SPACE}★",
        "Alien (1980), 1\N{NO-BREAK SPACE}★",
    ]
    demo.unclear.rate.click()
    assert "Choose a movie first." in text(demo.message)
    assert demo.visitor.ratings == {10: 4.5}
    menus = [field for field in demo.unclear.children if isinstance(field, ipywidgets.Dropdown)]
    assert menus[0].options == (("none of these", ""), ("Aliens (1986)", 70))
    menus[0].value = 70
    demo.unclear.rate.click()
    assert demo.visitor.ratings == {10: 4.5, 70: 2.0}
    assert "1 rating taken." in text(demo.message)
    assert len(demo.rows.children) == 2
    (menu,) = (one for one in demo.unclear.children if isinstance(one, ipywidgets.Dropdown))
    assert menu.description.startswith("Alien (1980)")


# In a browser

NOTEBOOK = """
import sys
import numpy as np
from IPython.display import HTML, display
from alslib import Calibration, ImplicitALS, LatentALS, Ratings, Recommender, Visitor
from alslib import load_movielens, widgets

class Faulty(Visitor):
    def search(self, query, n):
        if query == "explode":
            raise RuntimeError("the projector is on fire")
        return super().search(query, n)

movielens = load_movielens()
ratings = Ratings.from_frame(movielens.ratings)
model = LatentALS(8, tau=2, n_sweeps=5).fit(ratings)
choices = ImplicitALS(8, lam=4, tau=40, n_sweeps=3).fit(ratings)
recommender = Recommender(model, ratings, Calibration(np.array([0.5, 1.0, 1.5])))
demo = widgets.Demo(Faulty(recommender, movielens, choices))
display(HTML(f"<p id='python'>{sys.prefix}</p>"))
demo
"""


@pytest.fixture(scope="module")
def voila(tmp_path_factory):
    """Serve the notebook: address, working folder, file with the log."""
    folder = tmp_path_factory.mktemp("voila")
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(NOTEBOOK)],
        metadata={"kernelspec": {"name": "python3", "display_name": "", "language": "python"}},
    )
    nbformat.write(notebook, folder / "demo.ipynb")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "voila", "demo.ipynb", "--no-browser", f"--port={port}"]
    # No settings and kernels of whoever runs the tests.
    own = dict.fromkeys(("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR"), str(folder / "j"))
    log = folder / "log"
    with log.open("w") as file:
        environment = os.environ | own | {"TQDM_DISABLE": "1"}
        server = subprocess.Popen(command, cwd=folder, env=environment, stdout=file, stderr=file)
        try:
            hangs = time.monotonic() + CEILING
            while "running at" not in log.read_text():
                assert server.poll() is None and time.monotonic() < hangs, log.read_text()
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}", folder, log
        finally:
            server.terminate()
            server.wait()


@pytest.fixture(scope="module")
def visit(new_context, voila):
    """The demo in a browser that reaches no other host, what it asked them for, and its errors."""
    address, _, _ = voila
    context = new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    foreign, trouble = [], []

    def gate(route):
        if route.request.url.startswith((address, "data:", "blob:")):
            route.continue_()
        else:
            foreign.append(route.request.url)
            route.abort()

    page.route("**/*", gate)
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.goto(address)
    page.get_by_text("Trending").wait_for()
    yield page, foreign, trouble
    context.close()


@pytest.fixture
def page(visit):
    return visit[0]


def listed(page):
    entries = page.locator(".alslib-demo ol li").all_text_contents()
    return [entry.replace("\N{NO-BREAK SPACE}", " ") for entry in entries]


def wait_for_hits(page, n):
    """Wait until the list of titles is that of the whole query."""
    page.wait_for_function(
        "n => document.querySelectorAll('.alslib-demo select[size] option').length === n", arg=n
    )


def wait_for_another_list(page, old):
    page.wait_for_function(
        """old => {
            const entries = [...document.querySelectorAll(".alslib-demo ol li")];
            const now = entries.map((entry) => entry.textContent.replaceAll("\\u00a0", " "));
            return now.join() !== old.join();
        }""",
        arg=old,
    )


def test_the_kernel_is_the_python_of_the_tests(page):
    assert page.locator("#python").text_content() == sys.prefix


def test_by_mouse(page):
    page.get_by_label("Movie", exact=True).click()
    page.get_by_label("Movie", exact=True).press_sequentially("the matr")
    wait_for_hits(page, 3)
    page.get_by_label("Found").select_option(label="Matrix, The (1999)")
    page.get_by_label("Rating").select_option(label="4.5 ★")
    page.get_by_role("button", name="Rate it").click()
    page.get_by_text("You gave Matrix, The (1999) 4.5 ★.").wait_for()
    page.get_by_text("For you").wait_for()
    acclaimed = listed(page)
    assert len(acclaimed) == 10
    assert not any("Matrix, The (1999) score" in entry for entry in acclaimed), "it has been seen"
    assert any("Because you rated Matrix, The (1999) 4.5 ★ (+" in entry for entry in acclaimed)

    slider = page.locator(".noUi-target").first.bounding_box()
    page.mouse.click(slider["x"] + slider["width"] - 1, slider["y"] + slider["height"] / 2)
    page.get_by_text("personal (α = 0.05)").wait_for()
    wait_for_another_list(page, acclaimed)
    page.locator(".noUi-state-tap").wait_for(state="detached")
    page.mouse.click(slider["x"] + 1, slider["y"] + slider["height"] / 2)
    page.get_by_text("acclaimed (α = 1)").wait_for()

    page.get_by_label("Matrix, The (1999)").select_option(label="1 ★")
    page.get_by_text("You gave Matrix, The (1999) 1 ★.").wait_for()
    page.get_by_role("button", name="Delete").click()
    page.get_by_text("Your rating of Matrix, The (1999) is deleted.").wait_for()
    page.get_by_text("Trending").wait_for()


def test_by_keyboard_alone(page):
    def focused():
        return page.evaluate("document.activeElement.title || document.activeElement.textContent")

    def tab_to(what):
        for _ in range(25):
            page.keyboard.press("Tab")
            if page.evaluate(what):
                return
        pytest.fail(f"Tab never came to {what}; it is at {focused()!r}")

    active = "document.activeElement"
    page.locator("body").evaluate("document.activeElement.blur()")
    tab_to(f"{active}.placeholder?.startsWith('begin to type')")
    page.keyboard.type("matrix re")
    wait_for_hits(page, 2)
    tab_to(f"{active}.tagName === 'SELECT' && {active}.size > 1")
    page.keyboard.press("ArrowDown")
    tab_to(f"{active}.tagName === 'SELECT' && {active}.textContent.startsWith('choose')")
    page.keyboard.press("5")
    page.keyboard.press("Tab")
    assert "Rate it" in focused()
    page.keyboard.press("Enter")
    page.get_by_text("You gave Matrix Revolutions, The (2003) 5 ★.").wait_for()
    page.get_by_text("For you").wait_for()
    assert "Rate it" in focused(), "the focus has been lost"
    acclaimed = listed(page)
    assert len(acclaimed) == 10

    tab_to(f"{active}.classList.contains('noUi-handle')")
    page.keyboard.press("End")
    page.get_by_text("personal (α = 0.05)").wait_for()
    wait_for_another_list(page, acclaimed)
    page.keyboard.press("Home")
    page.get_by_text("acclaimed (α = 1)").wait_for()

    page.locator("body").evaluate("document.activeElement.blur()")
    tab_to(f"{active}.title === 'Delete your rating of Matrix Revolutions, The (2003)'")
    page.keyboard.press("Space")
    page.get_by_text("Your rating of Matrix Revolutions, The (2003) is deleted.").wait_for()
    page.get_by_text("Trending").wait_for()
    assert page.evaluate(f"{active}.placeholder").startswith("begin to type")


def test_keys_are_the_demos_and_not_shortcuts_of_the_notebook_around_it(page):
    """JupyterLab hears each key at the document, once the fields are done with it.

    To a menu, a button or a slider it would else do what it does to a cell: D, D deletes the cell.
    """
    page.evaluate("""() => {
        window.heard = [];
        document.addEventListener("keydown", (event) => heard.push(event.key));
    }""")
    for kind in ("input[type=text]", "select", "button:enabled", ".noUi-handle", "a"):
        page.locator(".alslib-demo").locator(kind).first.focus()
        page.keyboard.press("Shift")  # does nothing, but is a key
    assert page.evaluate("heard") == []
    page.get_by_label("Genre").press("Control+s")
    assert page.evaluate("heard") == ["Control", "s"], "the notebook can still be saved"


def test_the_focus_is_seen_wherever_it_is(page):
    page.get_by_label("Movie", exact=True).fill("alien")
    wait_for_hits(page, 8)
    page.get_by_label("Movie", exact=True).focus()
    seen = set()
    while page.evaluate("Boolean(document.activeElement.closest('.alslib-demo'))"):
        name, outline = page.evaluate("""() => {
            const field = document.activeElement;
            const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(field);
            return [field.tagName, `${outlineStyle} ${outlineWidth} ${outlineColor}`];
        }""")
        assert outline == "solid 2px rgb(0, 114, 178)", name
        seen.add(name)
        page.keyboard.press("Tab")
    assert {"INPUT", "SELECT", "BUTTON", "DIV", "A"} <= seen


def test_no_slider_is_cut_off_or_moves_under_the_hand(page):
    page.get_by_label("Movie", exact=True).fill("fargo")
    page.locator("select[size] option", has_text="Fargo (1996)").wait_for(state="attached")
    page.get_by_label("Rating", exact=True).select_option(label="5 ★")
    page.get_by_role("button", name="Rate it").click()
    page.get_by_text("You gave Fargo (1996) 5 ★.").wait_for()
    page.get_by_label("First comes").select_option("what you would rate highest")
    page.locator(".noUi-target[disabled]").wait_for(state="detached")
    for width in (1280, 300):
        page.set_viewport_size({"width": width, "height": 900})
        for slider in page.locator(".alslib-demo .widget-hslider").all():
            handle, said = slider.locator(".noUi-handle"), slider.locator(".widget-readout")
            handle.press("Home")
            tracks, texts = set(), []
            for place in range(7):
                page.wait_for_function(
                    "([handle, place]) => Number(handle.ariaValueNow) === place",
                    arg=[handle.element_handle(), place],
                )
                texts.append(said.text_content())
                tracks.add(slider.locator(".noUi-target").bounding_box()["width"])
                assert said.evaluate("said => said.scrollWidth <= said.clientWidth"), texts
                assert slider.evaluate("slider => slider.scrollWidth <= slider.clientWidth"), texts
                handle.press("ArrowRight")
            assert len(set(texts)) == 7
            assert len(tracks) == 1 and tracks.pop() >= 100
    page.get_by_label("First comes").select_option("what you would pick and like")
    page.get_by_role("button", name="Delete").click()
    page.get_by_text("Trending").wait_for()


def test_the_list_is_not_pushed_away_by_many_ratings(page):
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("0 ratings saved").wait_for()
    movies = load_movielens().movies.head(60)
    lines = [f"{item},4" for item in movies["movie_id"]]
    with page.expect_file_chooser() as chooser:
        page.locator(".alslib-demo .widget-upload").click()
    content = "\n".join(["movieId,rating", *lines]).encode()
    chooser.value.set_files({"name": "r.csv", "mimeType": "text/csv", "buffer": content})
    page.get_by_text("60 ratings read.").wait_for()
    page.wait_for_function("document.querySelectorAll('.alslib-row').length === 60")
    first = page.locator(".alslib-row").first
    assert first.bounding_box()["height"] >= 28, "rows are squeezed"
    last = page.get_by_role("button", name="Delete").last
    last.focus()
    assert last.evaluate("""last => {
        const { x, y, width, height } = last.getBoundingClientRect();
        return last.contains(document.elementFromPoint(x + width / 2, y + height / 2));
    }"""), "the last row cannot be reached"
    above = first.locator("xpath=..").bounding_box()
    assert above["height"] <= 300
    page.get_by_role("button", name="Open", exact=True).click()
    page.get_by_text("0 ratings read.").wait_for()


def test_files_on_disk_and_by_upload(page, voila):
    _, folder, _ = voila
    page.get_by_role("button", name="Save").click()
    page.get_by_text("0 ratings saved in preferences.json.").wait_for()
    file = json.loads((folder / "preferences.json").read_text("utf-8"))
    assert file["ratings"] == []
    file["ratings"] = [{"item_id": 1, "title": "Toy Story (1995)", "rating": 4}]
    content = {"name": "mine.json", "mimeType": "application/json"}
    content["buffer"] = json.dumps(file).encode()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Upload").click()
    chooser.value.set_files(content)
    page.get_by_text("1 rating read.").wait_for()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert json.loads(Path(download.value.path()).read_text("utf-8")) == file
    page.get_by_role("button", name="Open").click()
    page.get_by_text("0 ratings read.").wait_for()
    page.get_by_text("Trending").wait_for()
    rows = "Name,Year,Letterboxd URI,Rating\nHeat,1995,u,4\nStar Wars,1977,u,5\nX Y,1901,u,1\n"
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Upload").click()
    chooser.value.set_files(
        {"name": "ratings.csv", "mimeType": "text/csv", "buffer": rows.encode()}
    )
    page.get_by_text("1 rating read. 1 to choose. X Y (1901) is not known here").wait_for()
    menu = page.get_by_label("Star Wars (1977), 5 ★")
    menu.select_option("Star Wars: Episode IV - A New Hope (1977)")
    page.get_by_role("button", name="Rate the chosen").click()
    page.get_by_text("1 rating taken.").wait_for()
    page.get_by_label("Star Wars: Episode IV - A New Hope (1977)", exact=True).wait_for()
    for width in (1280, 400):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_an_error_is_seen_in_the_browser_and_in_the_log_of_the_server(page, voila):
    _, _, log = voila
    page.get_by_label("Movie", exact=True).fill("explode")
    page.get_by_text("RuntimeError: the projector is on fire").wait_for()
    assert page.get_by_text("Traceback").is_visible()
    assert "RuntimeError: the projector is on fire" in log.read_text()
    page.get_by_label("Movie", exact=True).fill("alien")
    page.get_by_text("Traceback").wait_for(state="hidden")


def test_it_fits_any_screen_and_asked_for_nothing_that_it_needs(visit):
    page, foreign, trouble = visit
    for query, stars in [("pulp fic", 5), ("fargo", 4.5), ("titanic", 1.5), ("star wa", 4)]:
        page.get_by_label("Movie", exact=True).fill(query)
        name = page.locator("select[size] option", has_text=query).first.text_content()
        page.get_by_label("Rating").select_option(label=f"{stars:g} ★")
        page.get_by_role("button", name="Rate it").click()
        page.get_by_text(f"You gave {name} {stars:g} ★.").wait_for()
    page.get_by_text("Because you rated").first.wait_for()
    for width in (1280, 400):
        page.set_viewport_size({"width": width, "height": 900})
        page.screenshot(path=SCREENSHOTS / f"widget-{width}.png", full_page=True)
        for field in page.locator(".alslib-demo").locator("input, select, button, a, li").all():
            box = field.bounding_box()
            assert box["x"] + box["width"] <= width, field.evaluate("field => field.outerHTML")
    # Voila's template asks a CDN for style sheets of icons, of which the demo has none.
    assert {urlsplit(url).path.rpartition("/")[2] for url in foreign} <= {
        "all.min.css",
        "v4-shims.min.css",
    }
    assert trouble == []
