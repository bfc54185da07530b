"""Refreshing a notebook leaves alone what still says the same, and nothing else."""

import base64
import io

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from PIL import Image
from refresh import EXCUSED, refresh, says_the_same


def stream(text):
    return nbformat.from_dict({"output_type": "stream", "name": "stdout", "text": text})


def figure(grey, alt="Three bars.", colours=None):
    """Return a grey picture; with colours it is stored as numbers of a palette."""
    picture, image = io.BytesIO(), Image.new("RGB", (4, 4), (grey, grey, grey))
    if colours is not None:
        palette = Image.new("P", (1, 1))
        palette.putpalette([level for level in colours for _ in "rgb"])
        image = image.quantize(palette=palette)
    image.save(picture, "png")
    data = {"image/png": base64.b64encode(picture.getvalue()).decode(), "text/plain": alt}
    return nbformat.from_dict({"output_type": "display_data", "data": data, "metadata": {}})


def drawing(x, title="Heat"):
    svg = f'<svg role="img"><use x="{x}" y="80"><title>{title}</title></use></svg>'
    data = {"text/html": svg, "text/plain": "One dot."}
    return nbformat.from_dict({"output_type": "display_data", "data": data, "metadata": {}})


def explorable(number, code="b = 1"):
    html = (
        f'<div class="als-explorable" data-name="bowl"></div><script>{code};\n'
        f'alsExplorables.start("bowl", [{number}]);\n</script>'
    )
    data = {"text/html": html, "text/plain": "An explorable: bowl"}
    return nbformat.from_dict({"output_type": "display_data", "data": data, "metadata": {}})


@pytest.mark.parametrize(
    ("new", "old", "excused", "same"),
    [
        (stream("0.867 stars\n"), stream("0.867 stars\n"), False, True),
        (stream("0.868 stars\n"), stream("0.867 stars\n"), False, False),
        (stream("took 1.2 s\n"), stream("took 11.3 s\n"), True, True),
        (stream("     ms\n    1.2\n"), stream("      ms\n   101.2\n"), True, True),
        (stream("took 1.2 s\n"), stream("took 1.2 ms\n"), True, False),
        (figure(100), figure(103), False, True),
        (figure(100), figure(160), False, False),
        (figure(100, colours=[100, 103]), figure(103, colours=[103, 250, 100]), False, True),
        (figure(100, colours=[100]), figure(160, colours=[160]), False, False),
        (figure(100, alt="Two bars."), figure(100), False, False),
        (figure(100), stream("Three bars."), False, False),
        (drawing("82.76"), drawing("82.77"), False, True),
        (drawing("82.76"), drawing("83.76"), False, False),
        (drawing("82.76", "Up"), drawing("82.76"), False, False),
        (drawing("82.76"), figure(100), False, False),
        (explorable("0.36"), explorable("0.37"), False, True),
        (explorable("0.36"), explorable("0.46"), False, False),
        (explorable("0.36"), explorable("0.38"), False, False),
        (explorable("0.847"), explorable("0.848"), False, True),
        (explorable("0.847"), explorable("0.857"), False, False),
        (explorable("0.85"), explorable("0.849"), False, True),
        (explorable("4"), explorable("5"), False, False),
        (explorable("0.36", "b = 2"), explorable("0.36"), False, False),
        (explorable("0.36", "b = 0.5"), explorable("0.36", "b = 0.51"), False, False),
    ],
)
def test_outputs_that_say_the_same_are_known(new, old, excused, same):
    assert says_the_same(new, old, excused) is same


def test_a_notebook_in_which_nothing_has_changed_is_not_written(tmp_path):
    path = tmp_path / "a.ipynb"
    timed = new_code_cell("import time; print(time.time())", metadata={"tags": [EXCUSED]})
    nbformat.write(new_notebook(cells=[new_code_cell("print(1 + 1)"), timed]), path)
    refresh(path)
    fresh = path.read_bytes()
    assert nbformat.read(path, as_version=4).cells[0].outputs[0].text == "2\n"
    refresh(path)
    assert path.read_bytes() == fresh


def test_times_of_one_notebook_come_from_one_run(tmp_path):
    path = tmp_path / "a.ipynb"
    tagged = {"tags": [EXCUSED]}
    measured = new_code_cell("import time; t = time.time_ns(); print(t)", metadata=tagged)
    told = new_code_cell("print(t, 'ns')", metadata=tagged)
    nbformat.write(new_notebook(cells=[measured, told]), path)
    refresh(path)
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[1].outputs = []
    nbformat.write(notebook, path)
    refresh(path)
    measured, told = (cell.outputs[0].text for cell in nbformat.read(path, as_version=4).cells)
    assert told == measured.replace("\n", " ns\n")


def test_what_has_changed_is_written(tmp_path):
    path = tmp_path / "a.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell("print(1)")]), path)
    refresh(path)
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[0].source = "print(2)"
    nbformat.write(notebook, path)
    refresh(path)
    assert nbformat.read(path, as_version=4).cells[0].outputs[0].text == "2\n"
