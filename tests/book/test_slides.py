"""Slides are made from the lessons by a rule, and load nothing from elsewhere."""

import re
import subprocess
import sys

import nbformat
import pytest
import slides
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from outline import ROOT

LESSONS = sorted((ROOT / "lessons").glob("*.ipynb"))


def picture(alt):
    data, metadata = {"image/png": "iVBORw0KGgo="}, {"image/png": {"alt": alt}}
    return new_code_cell(outputs=[new_output("display_data", data, metadata=metadata)])


def shown(*cells):
    """Return what can be read on the slides of a small lesson."""
    first = "# Cakes\n\n**What you will build.** Cake.\n\n**What you need.** Eggs."
    first = new_markdown_cell(first)
    cells = [new_markdown_cell(cell) if isinstance(cell, str) else cell for cell in cells]
    made = slides.slides(new_notebook(cells=[first, *cells]))
    texts = [BeautifulSoup(slide, "html.parser").get_text(" ") for slide in made]
    return [" ".join(text.replace("¶", "").split()) for text in texts]


def test_the_first_slide_is_the_title_and_what_is_built():
    assert shown() == ["Cakes What you will build. Cake."]


def test_formulas_in_boxes_tables_and_figures_stand_below_their_heading():
    formulas = "## Dough\n\nText.\n\n$$\na = b\n$$\n\n$$\n\\boxed{a}\n$$\n\n$$\\boxed{b}$$\n"
    table = new_output("display_data", {"text/html": "<table><tr><td>1</td></tr></table>"})
    printed = new_output("stream", text="printed")
    two = "Text.\n\n## Oven\n\nText.\n\n| hot |\n|---|\n| 5 |\n\n## Plate\n\nText."
    told = shown(formulas, new_code_cell("x", outputs=[table, printed]), two, picture("A cake."))
    assert [re.sub(r" ?[$\\]+(boxed)? ?", "", text) for text in told[1:]] == [
        "Dough{a}{b}",
        "Dough 1",
        "Oven hot 5",
        "Plate",
    ]


def test_predictions_and_the_end_are_shown_whole_and_no_solution():
    choice = "<details class='choice'>\n<summary>Yes</summary>\n\nNo.\n\n</details>"
    predict = f"**Predict.** Will it rise?\n\n{choice}"
    end = ["## What we can now do\n\nBake [bread](02_bread.ipynb).", "## Exercise\n\nBake it."]
    assert shown("## Rise", predict, *end, picture("The solution.")) == [
        "Cakes What you will build. Cake.",
        "Rise Predict. Will it rise? Yes No.",
        "What we can now do Bake bread.",
    ]


@pytest.fixture(scope="module")
def made():
    subprocess.run([sys.executable, ROOT / "book" / "slides.py", *LESSONS], check=True)
    return slides.BUILT


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_is_shown_with_all_its_figures_and_boxes(made, new_context, path):
    lesson = nbformat.read(path, as_version=4)
    text = "\n".join(cell.source for cell in lesson.cells)
    end = next(i for i, cell in enumerate(lesson.cells) if cell.source.startswith("## Exercise"))
    outputs = [out for cell in lesson.cells[:end] for out in cell.get("outputs", [])]
    figures = sum("image/png" in out.get("data", {}) for out in outputs)
    moving = sum("als-explorable" in out.get("data", {}).get("text/html", "") for out in outputs)
    page = new_context(viewport={"width": 1280, "height": 720}).new_page()
    asked, errors = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto((made / path.name).with_suffix(".html").as_uri())
    page.wait_for_function("window.MathJax && MathJax.startup && MathJax.startup.promise")
    page.evaluate("MathJax.startup.promise")
    assert not errors and all(url.startswith(("file:", "data:")) for url in asked)
    assert page.locator("img").count() == figures
    assert page.locator(".als-explorable:not(:empty)").count() == moving
    assert page.locator("img:visible").count() == figures - moving
    assert page.locator("img:not([alt]), img[alt='']").count() == 0
    assert page.locator("mjx-merror").count() == 0
    assert page.locator("mjx-menclose").count() >= text.count(r"\boxed")
    headings = page.locator("h1, h2").all_inner_texts()
    assert len(headings) == page.locator("section").count() >= 8
    for _ in headings:
        page.keyboard.press("ArrowRight")
    last = "document.querySelector('section:last-child').getBoundingClientRect().top"
    page.wait_for_function(f"Math.abs({last}) < 50")  # it may be a little higher than the window
    page.keyboard.press("ArrowLeft")
    page.wait_for_function(f"{last} > innerHeight - 50")
    page.context.close()


def test_what_moves_on_a_slide_keeps_its_keys(made, new_context):
    page = new_context(viewport={"width": 1280, "height": 720}).new_page()
    page.goto((made / "04_latent_factors.html").as_uri())
    slide = page.locator("section:has(.als-explorable)").first
    slide.scroll_into_view_if_needed()
    slider, top = slide.locator("input[type=range]").first, "slide => slide.offsetTop - scrollY"
    slider.focus()
    before, place = slider.input_value(), slide.evaluate(top)
    page.keyboard.press("ArrowRight")
    assert slider.input_value() != before and slide.evaluate(top) == place
    slide.locator("input[type=checkbox]").first.press("Space")
    assert not slide.locator("input[type=checkbox]").first.is_checked()
    assert slide.evaluate(top) == place
    page.context.close()
