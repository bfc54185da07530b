"""Execute notebooks in place, so that their outputs are those of a fresh run.

    python lessons/refresh.py lessons/*.ipynb

This is what `make refresh` does. An output that says what the one before it said is left as it
was, so that a notebook in which nothing has changed is not touched: pictures differ in a few bytes
from one machine to the next, and what a cell is excused for (times, sizes of memory) differs from
run to run. To get such an output afresh, clear it first.
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
# Largest difference of any two pixels of pictures that look alike, of 255: the last bits of what is
# drawn move the grey at the edge of a line, and nothing else.
ALIKE = 16


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
    for cell, old in zip(notebook.cells, before.cells, strict=True):
        if cell.cell_type != "code":
            continue
        for output in cell.outputs:
            output.get("data", {}).pop(WIDGET_VIEW, None)
        excused = EXCUSED in cell.metadata.get("tags", [])
        if len(cell.outputs) == len(old.outputs) and all(
            says_the_same(new, was, excused)
            for new, was in zip(cell.outputs, old.outputs, strict=True)
        ):
            cell.outputs = old.outputs
    if notebook != before:
        nbformat.write(notebook, path)


def says_the_same(new: NotebookNode, old: NotebookNode, excused: bool) -> bool:
    """Tell whether two outputs say and show the same; those that are excused, numbers apart."""
    (text, pictures), (old_text, old_pictures) = parts(new), parts(old)
    if excused:
        return re.sub(r"\d[\d.,]*", "0", text) == re.sub(r"\d[\d.,]*", "0", old_text)
    return text == old_text and all(map(look_alike, pictures, old_pictures))


def parts(output: NotebookNode) -> tuple[str, list[str]]:
    """Return all that an output says, and its pictures, of which the text keeps the kinds."""
    data = output.get("data", {})
    words = {
        kind: "" if kind == "image/png" else said for kind, said in sorted(data.items())
    }
    text = repr((output.output_type, output.get("name"), output.get("text"), words))
    return text, [data["image/png"]] if "image/png" in data else []


def look_alike(one: str, other: str) -> bool:
    """Tell whether two encoded pictures show the same."""
    a, b = (
        np.asarray(Image.open(io.BytesIO(b64decode(code))), float)
        for code in (one, other)
    )
    return a.shape == b.shape and np.abs(a - b).max() < ALIKE


if __name__ == "__main__":
    for name in sys.argv[1:]:
        refresh(Path(name))
