"""How long a lesson takes to read, said below its title.

The estimate is made from what the page shows when it opens: text, code and figures. What is folded,
such as an answer or a solution, comes on top.
"""

from __future__ import annotations

import json
import re
from typing import Any

from sphinx.application import Sphinx

# Text with formulas in it is read slower than a novel, and code slower than text.
WORDS_A_MINUTE, LINES_A_MINUTE, FIGURES_A_MINUTE = 170, 12, 1.5
FOLD = re.compile(r"<details.*?</details>", re.DOTALL)
CODE_FOLDED = {"hide-input", "hide-cell", "remove-input", "remove-cell"}
OUTPUT_FOLDED = {"hide-output", "hide-cell", "remove-output", "remove-cell"}


def is_figure(output: dict[str, Any]) -> bool:
    """Say whether an output is a picture, as pixels or as lines."""
    data = output.get("data", {})
    return any(kind.startswith("image/") for kind in data) or "<svg" in "".join(
        data.get("text/html", "")
    )


def minutes_to_read(notebook: dict[str, Any]) -> float:
    """Return the estimate for a notebook, in minutes."""
    words = lines = figures = 0
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        tags = set(cell["metadata"].get("tags", []))
        if cell["cell_type"] == "markdown":
            words += len(FOLD.sub("", source).split())
        elif cell["cell_type"] == "code":
            if not tags & CODE_FOLDED:
                lines += sum(1 for line in source.splitlines() if line.strip())
            if not tags & OUTPUT_FOLDED:
                figures += sum(map(is_figure, cell["outputs"]))
    return words / WORDS_A_MINUTE + lines / LINES_A_MINUTE + figures / FIGURES_A_MINUTE


def say_how_long(app: Sphinx, docname: str, source: list[str]) -> None:
    """Put the estimate, rounded to five minutes, below the title of a lesson."""
    if docname.startswith("lessons/"):
        notebook = json.loads(source[0])
        title = notebook["cells"][0]
        minutes = 5 * round(minutes_to_read(notebook) / 5)
        heading, rest = "".join(title["source"]).split("\n\n", 1)
        title["source"] = f"{heading}\n\n*About {minutes} minutes to read.*\n\n{rest}"
        source[0] = json.dumps(notebook)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register it with Sphinx."""
    app.connect("source-read", say_how_long)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
