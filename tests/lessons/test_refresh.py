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


def figure(grey, alt="Three bars."):
    picture = io.BytesIO()
    Image.new("L", (4, 4), grey).save(picture, "png")
    data = {"image/png": base64.b64encode(picture.getvalue()).decode(), "text/plain": alt}
    return nbformat.from_dict({"output_type": "display_data", "data": data, "metadata": {}})


@pytest.mark.parametrize(
    ("new", "old", "excused", "same"),
    [
        (stream("0.867 stars\n"), stream("0.867 stars\n"), False, True),
        (stream("0.868 stars\n"), stream("0.867 stars\n"), False, False),
        (stream("took 1.2 s\n"), stream("took 11.3 s\n"), True, True),
        (stream("took 1.2 s\n"), stream("took 1.2 ms\n"), True, False),
        (figure(100), figure(103), False, True),
        (figure(100), figure(160), False, False),
        (figure(100, alt="Two bars."), figure(100), False, False),
        (figure(100), stream("Three bars."), False, False),
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


def test_what_has_changed_is_written(tmp_path):
    path = tmp_path / "a.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell("print(1)")]), path)
    refresh(path)
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[0].source = "print(2)"
    nbformat.write(notebook, path)
    refresh(path)
    assert nbformat.read(path, as_version=4).cells[0].outputs[0].text == "2\n"
