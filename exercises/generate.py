"""Make everything that an exercise consists of from its one source.

    python exercises/generate.py exercises/source/*.ipynb

This is the first step of ``make exercises``; `exercises/README.md` says what a source looks like.
From ``exercises/source/NAME.ipynb`` come

- ``exercises/NAME.ipynb``, the notebook of the student;
- ``exercises/solutions/NAME.ipynb``, the page with solutions, still to be executed;
- ``exercises/checks/_NAME.py``, the checks;
- the entry of the notebook in ``_toc.yml``, and the sentence in the lesson that leads to it. An
  exercise whose name no lesson has is about the whole course: its entry is made by hand.

A source in which anything is amiss stops all of it, before any file is written.
"""

import re
import sys
import textwrap
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

ROOT = Path(__file__).parent.parent
BEGIN, END, ONE_LINE = "# BEGIN SOLUTION", "# END SOLUTION", "  # SOLUTION"
STUB = "# Your answer:\n..."
ROLES = {"task", "check", "discussion", "right", "wrong"}
# How many whole answers of each kind a task has, and how the first line of one begins.
LEAST = {"right": 1, "wrong": 3}
LABELS = {"right": "# Also right: ", "wrong": "# Hint: "}
# The name is the one that JupyterLab puts in when somebody saves: so nothing changes then.
METADATA = {
    "kernelspec": {
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
        "name": "python3",
    },
    "language_info": {"name": "python"},
}
MADE = "Made from exercises/source/{name}.ipynb by `make exercises`: edit that."
LINK = """\
The exercises of this lesson check your answers, and say what kind of mistake they see:
[open them](../exercises/{name}.ipynb).
"""
HOW = """\
Write your answers where `...` stands. The cell below an answer checks it, and says what kind of
mistake it sees, if any; nothing leaves your computer. Run the cells from top to bottom, for later
ones need those before. What you do not fill in is reported as not done yet. The last cell says which
tasks are done. When you have tried, [compare with the solutions](solutions/{name}.ipynb).
"""
HOW_FAR = """\
## How far you are

Run this cell whenever you like. It tells what the checks have said last.
"""
SOLVED = """\
Try [the exercises](../exercises/{name}.ipynb) first. Below each of them its solution is folded up,
then what its check says, then a discussion of what else would have worked.
"""


class SourceError(ValueError):
    """A source that does not say clearly what is for whom."""


def role(cell: NotebookNode) -> str:
    """Return what a cell is for, or "" if it is for everybody."""
    tags = set(cell.metadata.get("tags", []))
    if tags - ROLES or len(tags) > 1:
        raise SourceError(
            f"cell {cell.id}: tags {sorted(tags)}, but one of {sorted(ROLES)} or none"
        )
    return tags.pop() if tags else ""


def cut(cell: NotebookNode) -> tuple[str, str, list[str]]:
    """Return a task with a stub for its solution, with its solution, and the lines to be hidden."""
    stub, solved, hidden, within = [], [], [], False
    for line in cell.source.splitlines():
        bare = line.strip()
        if bare in (BEGIN, END):
            if within == (bare == BEGIN):
                raise SourceError(f"cell {cell.id}: {bare!r} out of turn")
            within = bare == BEGIN
            if within:
                stub.append(textwrap.indent(STUB, line.removesuffix(BEGIN)))
        elif within:
            solved.append(line)
            hidden.append(bare)
        elif line.endswith(ONE_LINE) and re.match(r"\s*\w+ = \S", line):
            solved.append(line.removesuffix(ONE_LINE))
            hidden.append(solved[-1].strip())
            stub.append(line.partition(" = ")[0] + " = ...")
        else:
            stub.append(line)
            solved.append(line)
    if within:
        raise SourceError(f"cell {cell.id}: no {END!r}")
    if "solution" in "\n".join([*stub, *solved]).lower():
        raise SourceError(
            f"cell {cell.id}: a marker that is not written as it should be"
        )
    if not any(hidden):
        raise SourceError(
            f"cell {cell.id} is a task, but nothing in it is marked as its solution"
        )
    return "\n".join(stub), "\n".join(solved), hidden


def tasks(source: NotebookNode) -> dict[int, dict[str, list[NotebookNode]]]:
    """Return the cells of each task by role, or say what is wrong with the source."""
    found, current = {}, {}
    for cell in source.cells:
        kind = role(cell)
        if (cell.cell_type == "markdown") != (kind == "discussion") and kind:
            raise SourceError(
                f"cell {cell.id}: a {cell.cell_type} cell cannot be a {kind}"
            )
        if not kind and cell.cell_type == "code" and "SOLUTION" in cell.source:
            raise SourceError(
                f"cell {cell.id} has a marker, but is not tagged as a task"
            )
        if kind == "task":
            cut(cell)
            if "check" in current:
                current = {}
            current.setdefault("task", []).append(cell)
        elif kind == "check" and number_of(cell):
            if "task" not in current or "check" in current:
                raise SourceError(f"cell {cell.id}: there is no task before this check")
            if number_of(cell) != len(found) + 1:
                raise SourceError(f"cell {cell.id}: task {len(found) + 1} comes next")
            found[number_of(cell)] = current
            current["check"] = [cell]
        elif kind in ("discussion", *LEAST):
            if "check" not in current:
                raise SourceError(
                    f"cell {cell.id}: this {kind} cell belongs behind a check"
                )
            current.setdefault(kind, []).append(cell)
            if kind in LEAST:
                label_of(cell, kind)
    if not found or "check" not in current:
        raise SourceError("a task without a check" if current else "no task")
    for number, parts in found.items():
        for kind, least in LEAST.items():
            if len(parts.get(kind, [])) < least:
                raise SourceError(
                    f"task {number} has too few {kind} answers: {least} or more"
                )
        if "discussion" not in parts:
            raise SourceError(f"task {number} needs a discussion of its solution")
    return found


def number_of(cell: NotebookNode) -> int:
    """Return which task a cell checks; 0 if it only helps other checks."""
    names = re.findall(r"^def check_(\d+)\(", cell.source, re.MULTILINE)
    if len(names) > 1:
        raise SourceError(f"cell {cell.id}: one check in a cell")
    return int(names[0]) if names else 0


def label_of(cell: NotebookNode, kind: str) -> str:
    """Return which hint a wrong answer should get, or in what form a right one is right."""
    label = re.match(rf"{LABELS[kind]}(.+)\n", cell.source)
    if not label or (kind == "wrong" and not re.fullmatch(r"[\w-]+", label[1])):
        raise SourceError(
            f"cell {cell.id}: a {kind} answer begins with a line {LABELS[kind] + '...'!r}"
        )
    return label[1]


def call(cell: NotebookNode) -> str:
    """Return the line with which a student calls a check."""
    parameters = re.search(r"def check_\d+\((.*?)\)", cell.source, re.DOTALL)[1]
    names = [name for name in re.findall(r"\w+", parameters) if name != "rng"]
    return f"check({', '.join([str(number_of(cell)), *names])})"


def student(source: NotebookNode, name: str) -> NotebookNode:
    """Return the notebook to be filled in."""
    tasks(source)
    cells, hidden = opening(source, name), []
    for cell in source.cells[1:]:
        kind = role(cell)
        if kind == "task":
            stub, _, lines = cut(cell)
            hidden += lines
            cells.append(new_code_cell(stub, id=cell.id))
        elif kind == "check" and number_of(cell):
            cells.append(new_code_cell(call(cell), id=cell.id))
        elif not kind:
            cells.append(copied(cell))
    cells.append(new_markdown_cell(HOW_FAR.strip(), id="how-far"))
    cells.append(new_code_cell("check()", id="overview"))
    shown = {line.strip() for cell in cells for line in cell.source.splitlines()}
    # A line of one word, such as `else:`, gives nothing away.
    leaked = [
        line for line in hidden if line in shown and len(re.findall(r"\w+", line)) > 1
    ]
    if leaked:
        raise SourceError(
            f"lines of a solution stand in the student's notebook too: {leaked}"
        )
    return new_notebook(cells=cells, metadata=source.metadata | METADATA)


def solutions(source: NotebookNode, name: str) -> NotebookNode:
    """Return the page with solutions, folded."""
    tasks(source)
    title, _, *opened = opening(source, name)
    heading = title.source.splitlines()[0].replace("# Exercises", "# Solutions")
    text = f"{heading}\n\n{SOLVED.format(name=name)}".strip()
    cells = [titled(text, name), *opened]
    for cell in source.cells[1:]:
        kind = role(cell)
        if kind == "task":
            cells.append(folded(cut(cell)[1], cell.id, "Solution"))
        elif kind == "check" and number_of(cell):
            cells.append(folded(call(cell), cell.id, "What its check says"))
        elif kind == "discussion":
            text = f"<details>\n<summary>Discussion</summary>\n\n{cell.source}\n\n</details>"
            cells.append(new_markdown_cell(text, id=cell.id))
        elif not kind:
            cells.append(copied(cell))
    for cell in cells:
        if cell.cell_type == "markdown":
            cell.source = cell.source.replace(
                "](../", "](../../"
            )  # one folder further down
    metadata = {key: value for key, value in source.metadata.items() if key != "book"}
    return new_notebook(cells=cells, metadata=metadata | METADATA)


def opening(source: NotebookNode, name: str) -> list[NotebookNode]:
    """Return the title and the cells with which every exercise opens."""
    title = source.cells[0]
    if role(title) or not title.source.startswith("# Exercises"):
        raise SourceError("the first cell is the title, '# Exercises ...'")
    # All lessons begin with the same code.
    lesson = nbformat.read(min((ROOT / "lessons").glob("*.ipynb")), as_version=4)
    colab = next(cell for cell in lesson.cells if cell.cell_type == "code")
    return [
        titled(title.source, name),
        new_markdown_cell(HOW.format(name=name).strip(), id="how"),
        new_code_cell(colab.source, id=colab.id, metadata=colab.metadata),
        new_code_cell(
            f'from alslib import checker\n\ncheck = checker("{name}")', id="checker"
        ),
    ]


def titled(text: str, name: str) -> NotebookNode:
    """Return the first cell, in which whoever edits the notebook reads what it is made from."""
    return new_markdown_cell(f"{text}\n\n<!-- {MADE.format(name=name)} -->", id="title")


def folded(code: str, name: str, prompt: str) -> NotebookNode:
    """Return a code cell that is folded up, output and all, below a line that says what it is.

    The tag folds it in the book, and what stands under `jupyter` in JupyterLab.
    """
    prompts = {"code_prompt_show": prompt, "code_prompt_hide": prompt}
    in_lab = {"source_hidden": True, "outputs_hidden": True}
    metadata = {"tags": ["hide-cell"], "mystnb": prompts, "jupyter": in_lab}
    return new_code_cell(code, id=name, metadata=metadata)


def copied(cell: NotebookNode) -> NotebookNode:
    """Return a cell that is the same for everybody, without outputs."""
    new = new_code_cell if cell.cell_type == "code" else new_markdown_cell
    return new(cell.source, id=cell.id)


def checks(source: NotebookNode, name: str) -> str:
    """Return the module with the checks."""
    tasks(source)
    parts = [f'"""{MADE.format(name=name)}"""']
    parts += [cell.source for cell in source.cells if role(cell) == "check"]
    return "\n\n\n".join(parts) + "\n"


def enter_in_toc(toc: str, name: str) -> str:
    """Return the table of contents with the exercise below its lesson."""
    entry = f"- file: exercises/{name}"
    if re.search(rf"{entry}$", toc, re.MULTILINE):
        return toc
    lesson = rf"^( *)- file: lessons/{name}$"
    entered, found = re.subn(
        lesson, rf"\g<0>\n\1  sections:\n\1    {entry}", toc, flags=re.MULTILINE
    )
    if not found:
        raise SourceError(f"_toc.yml has neither a lesson {name} nor this exercise")
    return entered


def link_from(lesson: NotebookNode, name: str) -> bool:
    """Put a sentence that leads to the exercise before the last section; tell if it was missing."""
    if any(cell.id == "exercise-notebook" for cell in lesson.cells):
        return False
    text = LINK.format(name=name).strip()
    (place,) = (
        i
        for i, cell in enumerate(lesson.cells)
        if cell.source.startswith("## Where to read more")
    )
    lesson.cells.insert(place, new_markdown_cell(text, id="exercise-notebook"))
    return True


def keep_outputs(notebook: NotebookNode, before: NotebookNode) -> None:
    """Give each cell whose code is as before what it printed then, for a fresh run to confirm."""
    printed = {(cell.id, cell.source): cell for cell in before.cells}
    for cell in notebook.cells:
        was = printed.get((cell.id, cell.source))
        if was is not None and cell.cell_type == was.cell_type == "code":
            cell.outputs = was.outputs
            cell.execution_count = was.execution_count


def main(paths: list[Path]) -> None:
    """Generate everything, or nothing if a source is broken."""
    written = {}
    toc = (ROOT / "_toc.yml").read_text("utf-8")
    for path in paths:
        name, source = path.stem, nbformat.read(path, as_version=4)
        try:
            written[ROOT / "exercises" / f"{name}.ipynb"] = student(source, name)
            written[ROOT / "exercises" / "solutions" / f"{name}.ipynb"] = solutions(
                source, name
            )
            written[ROOT / "exercises" / "checks" / f"_{name}.py"] = checks(
                source, name
            )
            toc = enter_in_toc(toc, name)
        except SourceError as error:
            sys.exit(f"{path}: {error}")
        lesson_path = ROOT / "lessons" / f"{name}.ipynb"
        if lesson_path.exists():
            lesson = nbformat.read(lesson_path, as_version=4)
            if link_from(lesson, name):
                written[lesson_path] = lesson
    written[ROOT / "_toc.yml"] = toc
    for path, content in written.items():
        if isinstance(content, str):
            path.write_text(content, "utf-8")
        else:
            if path.exists():
                keep_outputs(content, nbformat.read(path, as_version=4))
            nbformat.write(content, path)


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]])
