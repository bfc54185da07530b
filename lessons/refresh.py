"""Execute notebooks in place, so that their outputs are those of a fresh run.

    python lessons/refresh.py lessons/*.ipynb

This is what `make refresh` does. An output that says what the one before it said is left as it
was, so that a notebook in which nothing has changed is not touched: pictures differ in a few bytes
from one machine to the next, and what a cell is excused for (times, sizes of memory) differs from
run to run. To get such outputs afresh, clear one of them first.
"""

import io
import re
import sys
from base64 import b64decode
from pathlib import Path

import nbformat
import numpy as np
from nbclient import NotebookClient
from nbformat import NotebookNode
from PIL import Image

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
EXCUSED = "nbval-ignore-output"
# The tag of a figure that shows measured times: what its text says is compared all the same.
DRAWN_FROM_EXCUSED = "measured"
# Largest difference of any two pixels of pictures that look alike, of 255: the last bits of what is
# drawn move the grey at the edge of a line, and nothing else.
ALIKE = 16
# The coordinates of an SVG and the data of an explorable are rounded. Where a number lies between
# two roundings, the processor decides which of them is written; a last zero is not written.
ROUNDED, COARSEST = r"-?\d+\.\d+", 0.01
DRAWN = "<svg", '<div class="als-explorable'


def refresh(path: Path) -> None:
    """Execute one notebook, and write it back only if every cell ran and something has changed."""
    before = nbformat.read(path, as_version=4)
    notebook = nbformat.read(path, as_version=4)
    # The client would leave in a notebook what differs from run to run: into how many pieces the
    # output of a cell falls, the numbers of widgets, and times.
    NotebookClient(
        notebook,
        timeout=None,
        record_timing=False,
        coalesce_streams=True,
        store_widget_state=False,
        resources={"metadata": {"path": path.parent}},
    ).execute()
    unchanged = {True: [], False: []}  # by whether a cell is excused
    one_machine = True
    for cell, old in zip(notebook.cells, before.cells, strict=True):
        if cell.cell_type != "code":
            continue
        for output in cell.outputs:
            output.get("data", {}).pop(WIDGET_VIEW, None)
        excused = bool({EXCUSED, DRAWN_FROM_EXCUSED} & {*cell.metadata.get("tags", [])})
        if len(cell.outputs) == len(old.outputs) and all(
            says_the_same(new, was, excused)
            for new, was in zip(cell.outputs, old.outputs, strict=True)
        ):
            unchanged[excused].append((cell, old))
        elif excused:
            one_machine = False
    # A table and the plot of its numbers come from one run: all that is excused is kept, or none.
    for cell, old in unchanged[False] + (unchanged[True] if one_machine else []):
        cell.outputs = old.outputs
    if notebook != before:
        nbformat.write(notebook, path)


def says_the_same(new: NotebookNode, old: NotebookNode, excused: bool) -> bool:
    """Tell whether two outputs say and show the same; of excused ones, whether they could."""
    (text, pictures), (old_text, old_pictures) = parts(new), parts(old)
    if excused:
        # A column is as wide as its numbers, and so are the spaces in front of its name.
        words, old_words = (
            re.sub(r"\d[\d.,]*", " 0 ", said).split() for said in (text, old_text)
        )
        return words == old_words
    return text == old_text and all(map(look_alike, pictures, old_pictures))


def parts(output: NotebookNode) -> tuple[str, list[str]]:
    """Return all that an output says, and its pictures, of which the text keeps the kinds."""
    words, pictures = dict(sorted(output.get("data", {}).items())), []
    for kind, said in words.items():
        if kind == "image/png" or said.startswith(DRAWN):
            words[kind] = ""
            pictures.append(said)
    text = repr((output.output_type, output.get("name"), output.get("text"), words))
    return text, pictures


def look_alike(one: str, other: str) -> bool:
    """Tell whether two pictures, SVG, explorable or encoded PNG, show the same."""
    if one.startswith(DRAWN):
        (shape, numbers), (old_shape, old_numbers) = map(drawn, (one, other))
        return shape == old_shape and all(map(one_rounding_apart, numbers, old_numbers))
    a, b = (
        np.asarray(Image.open(io.BytesIO(b64decode(code))).convert("RGB"), float)
        for code in (one, other)
    )
    return a.shape == b.shape and np.abs(a - b).max() < ALIKE


def drawn(html: str) -> tuple[str, list[str]]:
    """Return an SVG without its coordinates, or an explorable without its data, and these."""
    code, start, data = html.rpartition("\nalsExplorables.start(")
    return code + start + re.sub(ROUNDED, "0", data), re.findall(ROUNDED, data)


def one_rounding_apart(one: str, other: str) -> bool:
    """Tell whether two numbers differ by one in the last digit that is written, or not at all."""
    digits = max(len(number.partition(".")[2]) for number in (one, other))
    return abs(float(one) - float(other)) < 1.5 * min(10**-digits, COARSEST)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        refresh(Path(name))
