"""Make a page of slides from each lesson, for a teacher to talk to: `make slides` does it.

    python book/slides.py lessons/*.ipynb

Nothing is written for the slides, so they say what the lesson says. A rule chooses what stands on
them. The first slide is the title and what the reader will build. Then come, below the heading of
their section, each figure, each table, the boxed formulas, and each question to predict an answer
to; at last what we can now do, and the questions to check oneself. The rest is for you to say.
Figures that can be moved on the page of the lesson can be moved on the slide.

A slide fills the window. Arrow keys, the space bar and a finger go from one to the next; a printer
puts each on a sheet. The pages are in ``_build/slides`` and ask nobody for anything, so they can be
read from a disk.
"""

import html
import re
import shutil
import sys
from pathlib import Path

import nbformat
from nbconvert.filters import markdown2html
from nbformat import NotebookNode

ROOT = Path(__file__).parent.parent
MATHJAX = ROOT / "book" / "_static" / "vendor" / "mathjax"
BUILT = ROOT / "_build" / "slides"
WHOLE, SOLVED = ("What we can now do", "Check yourself"), "Exercise"
EXPLORABLE = '<div class="als-explorable"'
BOXED = re.compile(r"\$\$(?:(?!\$\$).)*?\\boxed(?:(?!\$\$).)*\$\$", re.DOTALL)
TABLE = re.compile(r"(?:^\|.*\n?){3,}", re.MULTILINE)
PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}: slides</title>
<link rel="stylesheet" href="slides.css">
<script>
MathJax = {{
  tex: {{inlineMath: [["$", "$"]]}},
  options: {{menuOptions: {{settings: {{inTabOrder: false}}}}}}
}};
</script>
<script defer src="mathjax/es5/tex-chtml.js"></script>
<script defer src="slides.js"></script>
</head>
<body>
<main>
{slides}
</main>
</body>
</html>
"""


def slides(lesson: NotebookNode) -> list[str]:
    """Return what stands on each slide of a lesson, as HTML."""
    first, *others = lesson.cells
    opening, _, _ = first.source.partition("**What you need.**")
    found, heading = [_text(opening)], ""
    for cell in others:
        if cell.cell_type == "markdown":
            before, *sections = re.split(r"^## ", cell.source, flags=re.MULTILINE)
            parts = [(heading, before), *(part.partition("\n")[::2] for part in sections)]
            shown = [(title, part) for title, text in parts for part in _from_text(title, text)]
            heading = parts[-1][0]
        else:
            shown = [(heading, part) for part in _from_outputs(cell.outputs)]
        found += [f"{_text(f'## {title}')}\n{part}" for title, part in shown if title != SOLVED]
    return found


def _from_text(heading: str, source: str) -> list[str]:
    """Return a question to predict, the tables, and the boxed formulas all on one."""
    if heading in WHOLE and source.strip():
        return [_text(source)]
    if source.startswith("**Predict.**"):
        return [_text(source)]
    tables = [_text(table) for table in TABLE.findall(source)]
    boxed = BOXED.findall(source)
    return [*tables, *([_text("\n\n".join(boxed))] if boxed else [])]


def _from_outputs(outputs: list[NotebookNode]) -> list[str]:
    """Return the figures and the tables of a cell, one that moves together with its first state."""
    found = []
    for output in outputs:
        data = output.get("data", {})
        markup = data.get("text/html", "")
        if "image/png" in data:
            alt = html.escape(output.metadata.get("image/png", {}).get("alt", ""))
            found.append(
                f'<img alt="{alt}" src="data:image/png;base64,{data["image/png"].strip()}">'
            )
        elif markup.startswith(EXPLORABLE):
            figure = found.pop()
            found.append(f'<div class="output">{figure}</div>\n<div class="output">{markup}</div>')
        elif markup:
            found.append(f'<div class="output">{markup}</div>')
    return found


def _text(source: str) -> str:
    """Return Markdown as HTML, without links to other lessons, which have no page here."""
    return markdown2html(re.sub(r"\[([^]]*)\]\((?!https?:)[^)]*\)", r"\1", source))


def main(paths: list[Path]) -> None:
    """Write a page for each lesson, and what the pages need beside them."""
    shutil.rmtree(BUILT, ignore_errors=True)
    shutil.copytree(MATHJAX, BUILT / "mathjax")
    for name in ("slides.css", "slides.js"):
        shutil.copy(ROOT / "book" / "_slides" / name, BUILT)
    for path in paths:
        lesson = nbformat.read(path, as_version=4)
        title = lesson.cells[0].source.splitlines()[0].removeprefix("# ")
        sections = [f"<section>\n{slide}\n</section>" for slide in slides(lesson)]
        page = PAGE.format(title=html.escape(title), slides="\n".join(sections))
        (BUILT / f"{path.stem}.html").write_text(page, "utf-8")


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]])
