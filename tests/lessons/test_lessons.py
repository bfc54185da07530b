"""What every lesson promises, and the proof that the notebook tests can fail.

The notebooks themselves are run by `notebooks.py`, which compares every printed number with the
committed one.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from xml.etree import ElementTree

import nbformat
import pytest
import yaml
from ipykernel.kernelspec import get_kernel_dict
from nbformat.v4 import new_code_cell, new_notebook, new_output
from notebooks import LESSONS, MACHINES, SOLUTIONS, has, run
from pybtex.database import parse_file
from pybtex.richtext import Text
from refresh import refresh

ROOT = Path(__file__).parents[2]
# All that somebody reads: lessons, exercises, solutions.
NOTEBOOKS = [*LESSONS, *sorted({*ROOT.glob("exercises/*.ipynb"), *SOLUTIONS})]
REFERENCES = parse_file(ROOT / "book" / "references.bib").entries
EXCUSED = "nbval-ignore-output"
CHOICE = r'<details class="choice">\n<summary>[^\n]+</summary>\n\n\*(Yes|No)\.\* (.+)\n\n</details>'


def read(path):
    return nbformat.read(path, as_version=4)


def code_cells(path):
    return [cell for cell in read(path).cells if cell.cell_type == "code"]


def prose(path):
    return "\n\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")


def outputs(path):
    return [(cell.id, output) for cell in code_cells(path) for output in cell.outputs]


every_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)


def test_there_are_lessons():
    assert [path.stem[:2] for path in LESSONS] == [f"{i:02}" for i in range(1, len(LESSONS) + 1)]
    assert len(LESSONS) >= 3


@every_lesson
def test_lesson_opens_and_closes_as_all_lessons_do(lesson):
    text = prose(lesson)
    assert text.startswith("# ")
    for part in (
        "What you will build",
        "What you need",
        "## What went wrong for others",
        "## What we can now do",
        "## Exercise",
        "## Where to read more",
        "(https://doi.org/",
    ):
        assert part in text, f"{part!r} is missing"


@every_lesson
def test_lesson_asks_three_questions_before_its_exercise(lesson):
    text = prose(lesson)
    questions = text[text.index("## Check yourself") : text.index("## Exercise\n")]
    found = re.findall(
        r"^\*\*(\d)\.\*\* .*?\n\n<details>\n<summary>Answer to (\d)</summary>\n.*?\n</details>$",
        questions,
        re.M | re.S,
    )
    assert found == [("1", "1"), ("2", "2"), ("3", "3")]
    assert f"](../exercises/{lesson.name})" in text


@every_lesson
def test_a_question_before_a_result_has_one_right_choice_and_reasons_for_all(lesson):
    questions = [c.source for c in read(lesson).cells if 'class="choice"' in c.source]
    for question in questions:
        asked, *choices = re.split(r'\n\n(?=<details class="choice">)', question)
        assert re.match(r"\*\*Predict\.\*\* .*\?", asked, re.S), question
        found = [re.fullmatch(CHOICE, choice.strip(), re.S) for choice in choices]
        assert all(found), question
        assert [right[1] for right in found].count("Yes") == 1 < len(found) <= 4, question
        assert min(len(right[2].split()) for right in found) >= 5, question


@every_lesson
def test_cells_that_draw_are_folded(lesson):
    for cell in code_cells(lesson):
        draws = "plots.show(" in cell.source
        assert not draws or "hide-input" in cell.metadata.get("tags", []), cell.id


@every_lesson
def test_lesson_was_run_top_to_bottom_without_complaint(lesson):
    counts = [cell.execution_count for cell in code_cells(lesson)]
    assert counts == list(range(1, len(counts) + 1))
    for cell_id, output in outputs(lesson):
        assert output.output_type != "error", cell_id
        assert output.get("name") != "stderr", cell_id


@pytest.mark.parametrize(
    "path",
    [*LESSONS, *sorted((ROOT / "exercises").rglob("*.ipynb"))],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_saving_in_jupyterlab_does_not_rename_the_kernel(path):
    assert read(path).metadata.kernelspec == {
        "display_name": get_kernel_dict()["display_name"],
        "language": "python",
        "name": "python3",
    }


@every_lesson
def test_few_cells_are_excused_from_comparison(lesson):
    excused = [cell.id for cell in code_cells(lesson) if EXCUSED in cell.metadata.get("tags", [])]
    assert len(excused) <= len(code_cells(lesson)) / 10, excused


@every_lesson
def test_cells_are_short_and_import_public_names_only(lesson):
    for cell in code_cells(lesson):
        assert len(cell.source.splitlines()) <= 25, cell.id
        assert not re.search(r"\._[a-z]|(from|import) alslib\.|import alslib", cell.source), cell.id


@every_lesson
def test_the_first_cell_installs_the_package_on_colab_and_is_the_same_everywhere(lesson):
    first = code_cells(lesson)[0]
    assert first.source == code_cells(LESSONS[0])[0].source
    assert first.metadata["tags"] == ["remove-cell"]
    repository = yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]["url"]
    assert f'"alslib[plots,widgets] @ git+{repository}"' in first.source


@every_lesson
def test_every_figure_has_alternative_text_that_is_compared(lesson):
    for cell_id, output in outputs(lesson):
        for kind in output.get("data", {}):
            if kind.startswith("image/"):
                alt = output.metadata.get(kind, {}).get("alt", "")
                assert len(alt) > 40, f"the figure of cell {cell_id} does not say what it shows"
                assert output.data["text/plain"] == alt, cell_id
            if kind == "text/html" and "<svg" in output.data[kind]:
                alt = ElementTree.fromstring(output.data[kind]).get("aria-label", "")
                assert len(alt) > 40, f"the figure of cell {cell_id} does not say what it shows"
                assert output.data["text/plain"] == alt, cell_id


# What only MyST understands: a role, a directive in either fence, a link that takes its words from
# its target, a label. JupyterLab, Colab, VS Code and GitHub show all of these as they stand.
RAW = re.compile(r"\{[\w:-]+\}`|^ *[`:]{3,}\{|\[\]\(|^\([\w-]+\)=|^%", re.MULTILINE)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_plain_reader_sees_nothing_raw(path):
    """Wherever a notebook can be opened, its text reads like text."""
    assert RAW.findall(prose(path)) == []


@pytest.mark.parametrize(
    "raw",
    [
        "at {glue:text}`rmse:.3f` stars",
        "by {cite:t}`hu2008`",
        ":::{dropdown} Answer",
        "```{demo}",
        "from [](01.ipynb)",
        "(here)=",
    ],
)
def test_what_is_raw_is_found(raw):
    assert RAW.search(f"Some text.\n{raw}")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_the_book_folds_is_folded_in_jupyterlab(path):
    for cell in code_cells(path):
        tags = set(cell.metadata.get("tags", []))
        folded = {
            "source_hidden": bool(tags & {"hide-input", "hide-cell", "remove-cell"}),
            "outputs_hidden": bool(tags & {"hide-output", "hide-cell"}),
        }
        in_lab = cell.metadata.get("jupyter", {})
        assert {key: in_lab.get(key, False) for key in folded} == folded, cell.id


@every_lesson
def test_citations_agree_with_the_list_of_references(lesson):
    """Author and year stand in the text, as everywhere; the link says which entry is meant."""
    entries = {e.fields.get("doi"): e for e in REFERENCES.values()}
    cited = re.findall(
        r"\[([^\]]+?),? \(?(\d{4})\)?\]\(https://doi\.org/(.+?)\)(?!\w)", prose(lesson)
    )
    assert len(cited) == prose(lesson).count("(https://doi.org/") > 0
    for names, year, doi in cited:
        authors = entries[doi].persons["author"]
        surnames = [str(Text.from_latex(" ".join(a.prelast_names + a.last_names))) for a in authors]
        if len(authors) > 3 or "others" in surnames:
            assert names == f"{surnames[0]} et al."
        else:
            assert re.split(", | and ", names) == surnames
        assert year == entries[doi].fields["year"]


@every_lesson
def test_prose_states_no_measured_number_by_hand(lesson):
    """Two decimals outside formulas and code look like a measurement: print it."""
    not_said = r"\$\$.*?\$\$|\$[^$]*\$|`[^`]*`|```.*?```|\(https:.*?\)"
    text = re.sub(not_said, "", prose(lesson), flags=re.DOTALL)
    assert re.findall(r"\d+\.\d{2,}", text) == []


# --- the proof of the proof: a wrong formula or a wrong number must not stay green ---


def reddened_by_a_run(folder, lesson):
    """Run strict nbval on a copy of a lesson, and return the ids of the cells that failed.

    Modules in `folder` come before the installed ones.
    """
    copy = folder / lesson.name
    (right,) = run([copy], modules=folder).values()
    ids = [cell.id for cell in code_cells(copy)]
    return [name for name, well in zip(ids, right, strict=True) if not well]


@pytest.mark.parametrize(
    ("lesson", "module", "right", "wrong", "reddened"),
    [
        (
            "01_data_structures",
            "data/ratings.py",
            "part.by_item = CSR(*kernels.rows.transpose(*part.by_user, self.n_items))",
            "part.by_item = self.by_item",  # the leak of the lesson
            {"split-who", "leak-rmse", "leak-check"},
        ),
        (
            "02_power_laws",
            "power_law.py",
            "alpha * mean_log + np.log(zeta(alpha, x_min))",
            "alpha * mean_log + np.log(x_min ** (1 - alpha) / (alpha - 1))",  # as if continuous
            {"mle-fit", "planted", "real-fits", "bootstrap"},
        ),
        (
            "03_bias_only",
            "kernels/bias.py",
            "lam * total / (lam * count + gamma)",
            "lam * total / (lam * count)",
            {"by-hand-check", "numba-check", "falling-code"},
        ),
        (
            "04_latent_factors",
            "kernels/latent.py",
            "side[i] = total[width + 1, i] - total[width, i] * bias",
            "side[i] = total[width + 1, i]",  # factors that explain the bias once more
            {"library-check", "falling-code"},
        ),
        (
            "05_reading_embeddings",
            "recommending/recommender.py",
            "_inner_products(factors[rows], vector) / lengths[rows]",
            "_inner_products(factors[rows], vector)",  # long vectors come first again
            {"toy-story", "centring-code"},
        ),
        (
            "06_item_features",
            "models/features.py",
            "(self.tau, self.tau_features)),",
            "(self.tau_features, self.tau)),",  # one ridge for another
            {"fast-code", "falling-code"},
        ),
        (
            "07_new_user",
            "models/latent.py",
            "target = values - self.mean_ - bias[columns]",
            "target = values - self.mean_",  # a newcomer who is blamed for the esteem of the movies
            {"slow-check", "own-row-code"},
        ),
        (
            "08_what_rmse_hides",
            "models/implicit.py",
            "return shared / (self.lam - 1)",
            "return shared",  # the zeros count as much as the ones
            {"slow", "falling"},
        ),
        (
            "09_at_scale",
            "kernels/latent.py",
            "range(i - i % TILE_COLUMNS, width, TILE_COLUMNS)",
            # One tile on the diagonal is left out.
            "range((i + TILE_ROWS) // TILE_COLUMNS * TILE_COLUMNS, width, TILE_COLUMNS)",
            {"agree-code"},
        ),
        (
            "10_beyond_one_machine",
            "cluster/working.py",
            "[array[rows] for array in given]",
            "[array[: rows.stop - rows.start] for array in given]",  # the first rows' own, for all
            {"cluster-bits", "kill"},
        ),
    ],
)
def test_a_wrong_formula_turns_its_lesson_red(tmp_path, lesson, module, right, wrong, reddened):
    lesson = ROOT / "lessons" / f"{lesson}.ipynb"
    notebook = read(lesson)
    last = max(i for i, cell in enumerate(notebook.cells) if cell.id in reddened)
    notebook.cells = notebook.cells[: last + 1]  # what follows would only take time
    # And so would 25 million ratings, on whose number no cell named above depends.
    for cell in notebook.cells:
        cell.source = cell.source.replace('SHAPE = "ml-25m"', 'SHAPE = "ml-1m"')
    nbformat.write(notebook, tmp_path / lesson.name)
    shutil.copytree(ROOT / "alslib", tmp_path / "alslib")
    sabotaged = tmp_path / "alslib" / module
    source = sabotaged.read_text()
    assert source.count(right) == 1
    sabotaged.write_text(source.replace(right, wrong))
    failed = reddened_by_a_run(tmp_path, lesson)
    assert reddened <= set(failed)
    assert "imports" not in failed, "the copy must fail for its formula, not for lack of a module"


def test_an_edited_number_turns_exactly_its_cell_red(tmp_path):
    lesson = ROOT / "lessons" / "03_bias_only.ipynb"
    notebook = read(lesson)
    (place,) = (i for i, cell in enumerate(notebook.cells) if cell.id == "folds-refit")
    cell = notebook.cells[place]
    notebook.cells = notebook.cells[: place + 1]  # what follows would only take time
    text = cell.outputs[0].text
    last_digit = re.search(r"mean test RMSE of bias-only ALS: 0\.\d{3}(\d)", text)
    digit = str((int(last_digit[1]) + 1) % 10)
    cell.outputs[0].text = text[: last_digit.start(1)] + digit + text[last_digit.end(1) :]
    nbformat.write(notebook, tmp_path / lesson.name)
    assert reddened_by_a_run(tmp_path, lesson) == ["folds-refit"]


@pytest.mark.parametrize(
    ("drawn", "right"), [("0.37", True), ("0.38", False), ("0.37, 0.37", False)]
)
def test_an_explorable_may_differ_by_a_rounding_and_no_more(tmp_path, drawn, right):
    show = """
    from IPython.display import publish_display_data
    html = '<div class="als-explorable"></div><script>\\nalsExplorables.start("a", [0.36])</script>'
    publish_display_data({"text/html": html, "text/plain": "An explorable"})
    """
    html = (
        f'<div class="als-explorable"></div><script>\nalsExplorables.start("a", [{drawn}])</script>'
    )
    data = {"text/html": html, "text/plain": "An explorable"}
    shown = [new_output("display_data", data)]
    cell = new_code_cell(dedent(show), execution_count=1, outputs=shown)
    nbformat.write(new_notebook(cells=[cell]), tmp_path / "a.ipynb")
    assert list(run([tmp_path / "a.ipynb"]).values()) == [[right]]


def test_kernels_that_start_at_the_same_time_cannot_take_each_others_ports(tmp_path):
    """They have none. Where ports were scarce, 14 of 50 kernels died at their start."""
    code = """
    from ipykernel.connect import get_connection_info
    print(get_connection_info(unpack=True)["transport"])"""
    said = [new_output("stream", text="ipc\n")]
    cell = new_code_cell(dedent(code).strip(), execution_count=1, outputs=said)
    nbformat.write(new_notebook(cells=[cell]), tmp_path / "a.ipynb")
    (right,) = run([tmp_path / "a.ipynb"]).values()
    assert right == [True]


CAREFUL_AND_CARELESS = {
    "fit": """
        import numpy as np
        from alslib import LatentALS, Ratings, load_movielens
        ratings = Ratings.from_frame(load_movielens().ratings[:20_000])
        model = LatentALS(8, n_sweeps=3, tol=0).fit(ratings)
        error = model.history_[-1].train_rmse""",
    "rounded": 'print(f"{error:.3f}")',
    "two digits too many": 'print(f"{error:.9f}")',
    "second key": 'print(np.argsort(-ratings.item_counts, kind="stable")[:200])',
    "ties": "print(np.argsort(-ratings.item_counts)[:200])",
}


COMPILED_SUM = """
import numpy as np
from numba import njit

@njit(fastmath=True)
def inner_product(a, b):
    total = np.float32(0)
    for i in range(len(a)):
        total += a[i] * b[i]
    return total

inner_product(np.ones(9, np.float32), np.ones(9, np.float32))
(code,) = inner_product.inspect_asm().values()
print(next(register for register in ("zmm", "ymm", "xmm") if register in code), "vfmadd" in code)
"""


@pytest.mark.parametrize(
    ("machine", "compiled"),
    [("x86-64-v2", "xmm False"), ("x86-64-v3", "ymm True"), ("x86-64-v4", "zmm True")],
)
def test_a_pretended_machine_has_the_registers_and_instructions_of_that_one(machine, compiled):
    """The name of a processor alone would leave numba with all that this one can do."""
    needed, told = MACHINES[machine]
    if not has(needed):
        pytest.skip(f"cannot be pretended here, for want of {needed}")
    command = [sys.executable, "-c", COMPILED_SUM]
    seen = subprocess.run(
        command, env=os.environ | told, capture_output=True, text=True, check=True
    )
    assert seen.stdout.strip() == compiled


def test_another_machine_reddens_what_hangs_on_a_tie_or_on_the_last_digits(tmp_path):
    path = tmp_path / "a.ipynb"
    cells = [new_code_cell(dedent(code).strip()) for code in CAREFUL_AND_CARELESS.values()]
    nbformat.write(new_notebook(cells=cells), path)
    refresh(path)
    (right,) = run([path]).values()
    assert right == [True] * len(cells)
    (right,) = run([path], machine="shaken").values()
    wrong = [name for name, well in zip(CAREFUL_AND_CARELESS, right, strict=True) if not well]
    assert wrong == ["two digits too many", "ties"]
