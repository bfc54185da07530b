"""Every exercise answers back: the right answer, no answer, and each wrong one kept with its task.

The notebooks themselves are run by ``pytest --nbval`` (see the Makefile). These tests run the code
of the sources in one process, which is quick.
"""

import contextlib
import copy
import csv
import importlib.util
import inspect
import io
import os
import re
import subprocess
import sys
import tracemalloc
import zipfile
from functools import cache
from pathlib import Path

import nbformat
import numpy as np
import psutil
import pytest
import yaml
from elsewhere import elsewhere
from exercise_checks import (
    NOT_DONE_YET,
    NOT_YET_RIGHT,
    PASSED,
    apart,
    hint,
    judge,
    letters,
    load_checks,
    passed,
)
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from ruff import find_ruff_bin

from alslib import checker

ROOT = Path(__file__).parents[2]
EXERCISES = ROOT / "exercises"
SOURCES = sorted((EXERCISES / "source").glob("*.ipynb"))
NAMES = [path.stem for path in SOURCES]
SEEDS = (0, 1, 2)


def load(script):
    """Import a script of the folder of exercises."""
    spec = importlib.util.spec_from_file_location(script, EXERCISES / f"{script}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


generate = load("generate")


@cache
def read(path):
    return nbformat.read(path, as_version=4)


def source(name):
    return read(EXERCISES / "source" / f"{name}.ipynb")


def run(notebook):
    """Run the code cells in one namespace, without a kernel, and return it and what was printed."""
    namespace, printed = {"__name__": "__main__"}, io.StringIO()
    with contextlib.redirect_stdout(printed):
        for cell in notebook.cells:
            if cell.cell_type == "code" and cell.id != "colab":
                exec(compile(cell.source, cell.id, "exec"), namespace)
    return namespace, printed.getvalue()


def formatted(code, path):
    """Return code as `make exercises` would write it to this path."""
    ruff = [find_ruff_bin(), "format", "--stdin-filename", path, "-"]
    return subprocess.run(ruff, input=code, capture_output=True, text=True, check=True).stdout


@cache
def solved(name):
    return run(generate.solutions(source(name), name))


def verdicts(name, number, answers):
    """Judge answers with each seed, or once if the check draws nothing, as seeds are for that."""
    check = load_checks(name)[number]
    seeds = SEEDS if "rng" in inspect.signature(check).parameters else SEEDS[:1]
    here = [judge(check, answers, seed) for seed in seeds]
    with elsewhere(**answers) as remote:
        there = judge(check, remote, seeds[0])
    # Sizes of memory, in megabytes, include what it took to hand the answer over.
    assert re.sub(r"\d+ MB", "", there.message) == re.sub(r"\d+ MB", "", here[0].message)
    assert (there.state, there.hint) == (here[0].state, here[0].hint)
    return here


every_exercise = pytest.mark.parametrize("name", NAMES)
TASKS = [(name, number) for name in NAMES for number in generate.tasks(source(name))]
RIGHT, WRONG = (
    [
        pytest.param(name, number, cell, id=f"{name}-{cell.id}")
        for name, number in TASKS
        for cell in generate.tasks(source(name))[number][kind]
    ]
    for kind in ("right", "wrong")
)


# What every exercise promises


def test_every_lesson_has_its_exercise():
    assert {path.stem for path in (ROOT / "lessons").glob("*.ipynb")} <= set(NAMES)


@every_exercise
def test_an_exercise_has_three_to_five_tasks(name):
    assert 3 <= len(load_checks(name)) <= 5


@every_exercise
def test_what_is_committed_is_what_the_source_says(name):
    """In notebooks layout aside, which is the formatter's: code and text are the same."""

    def content(notebook):
        return [(cell.id, cell.cell_type, "".join(cell.source.split())) for cell in notebook.cells]

    student = generate.student(source(name), name)
    assert content(read(EXERCISES / f"{name}.ipynb")) == content(student)
    page = generate.solutions(source(name), name)
    assert content(read(EXERCISES / "solutions" / f"{name}.ipynb")) == content(page)
    committed = EXERCISES / "checks" / f"_{name}.py"
    assert committed.read_text("utf-8") == formatted(generate.checks(source(name), name), committed)


@every_exercise
def test_the_students_notebook_shows_no_solution_and_no_output(name):
    student = read(EXERCISES / f"{name}.ipynb")
    text = "\n".join(cell.source for cell in student.cells)
    assert "SOLUTION" not in text and "# Hint" not in text and "def check_" not in text
    shown = {line.strip() for line in text.splitlines()}
    for number, parts in generate.tasks(source(name)).items():
        hidden = [line for cell in parts["task"] for line in generate.cut(cell)[2]]
        assert not [line for line in hidden if line in shown and " " in line], number
    assert all(not cell.get("outputs") for cell in student.cells)


@every_exercise
def test_an_untouched_notebook_runs_and_says_not_done_yet_for_each_task(name):
    _, printed = run(generate.student(source(name), name))
    said = re.findall(r"^… Task (\d+): not done yet\b", printed, re.MULTILINE)
    assert [int(number) for number in said] == 2 * list(load_checks(name))  # the last cell, too
    assert "right" not in printed and "passed" not in printed
    assert not tracemalloc.is_tracing()  # which would make all that comes later slow


@pytest.mark.parametrize(("name", "number"), TASKS)
def test_the_reference_solution_passes_and_says_something(name, number):
    answers, _ = solved(name)
    for verdict in verdicts(name, number, answers):
        assert verdict.state == PASSED, verdict.message
        assert len(verdict.message) > 40


def in_place_of_the_solution(name, cell):
    """Return the answers of the page with solutions, but for one that a cell gives anew."""
    answers = dict(solved(name)[0])
    exec(compile(cell.source, cell.id, "exec"), answers)
    return answers


@pytest.mark.parametrize(("name", "number", "cell"), RIGHT)
def test_a_right_answer_of_another_form_passes_too(name, number, cell):
    for verdict in verdicts(name, number, in_place_of_the_solution(name, cell)):
        assert verdict.state == PASSED, verdict.message


def test_compensated_summation_is_not_praised_for_a_double():
    name, number = "09_at_scale", 2
    praise = {
        cell.id: verdicts(name, number, in_place_of_the_solution(name, cell))[0].message
        for cell in generate.tasks(source(name))[number]["right"]
    }
    doubles = {cell for cell, message in praise.items() if message.startswith("One double")}
    assert doubles == {"right-2-each-chunk"}
    assert verdicts(name, number, solved(name)[0])[0].message.startswith("One double")


@pytest.mark.parametrize(("name", "number", "cell"), WRONG)
def test_a_wrong_answer_gets_its_hint_and_no_other(name, number, cell):
    for verdict in verdicts(name, number, in_place_of_the_solution(name, cell)):
        assert (verdict.state, verdict.hint) == (NOT_YET_RIGHT, generate.label_of(cell, "wrong"))
        message = verdict.message
        assert message.endswith((".", "?")) and len(message) < 320, message


@pytest.mark.parametrize(("name", "number"), TASKS)
def test_wrong_answers_are_of_three_kinds_at_least(name, number):
    wrong = generate.tasks(source(name))[number]["wrong"]
    kinds = {generate.label_of(cell, "wrong") for cell in wrong} - {"other", "form", "raises"}
    assert len(kinds) >= 3


@every_exercise
def test_hints_name_no_exception_and_shout_nothing(name):
    code = (EXERCISES / "checks" / f"_{name}.py").read_text("utf-8")
    assert not re.search(r"\w(Error|Exception)\b|!\"|assert ", code)


@every_exercise
def test_verdicts_put_no_sign_before_what_is_above_or_below(name):
    code = (EXERCISES / "checks" / f"_{name}.py").read_text("utf-8")
    assert not re.search(r":\+[^}]*\}[^.]*\b(above|below|over|under)\b", code)


@every_exercise
def test_cells_that_a_student_sees_are_short(name):
    for cell in read(EXERCISES / f"{name}.ipynb").cells:
        assert cell.cell_type == "markdown" or len(cell.source.splitlines()) <= 25, cell.id


@every_exercise
def test_exercises_import_public_names_only(name):
    text = "\n".join(cell.source for cell in source(name).cells if cell.cell_type == "code")
    text = text.replace("from exercise_checks import hint, passed", "")
    assert not re.search(r"alslib\._|(from|import) alslib\.|import alslib", text)


# How the book has them


@every_exercise
def test_the_lesson_leads_to_its_exercise_and_the_book_has_it(name):
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
    chapters = {c.get("file"): c for part in toc["parts"] for c in part["chapters"]}
    lesson = ROOT / "lessons" / f"{name}.ipynb"
    if not lesson.exists():  # it is about the whole course
        assert f"exercises/{name}" in chapters
        return
    (cell,) = (cell for cell in read(lesson).cells if cell.id == "exercise-notebook")
    assert f"](../exercises/{name}.ipynb)" in cell.source
    assert chapters[f"lessons/{name}"]["sections"] == [{"file": f"exercises/{name}"}]


@every_exercise
def test_solutions_are_folded(name):
    for cell in read(EXERCISES / "solutions" / f"{name}.ipynb").cells:
        kinds = {generate.role(c) for c in source(name).cells if c.id == cell.id}
        if kinds & {"task", "check"}:
            assert cell.metadata.tags == ["hide-cell"]
        if "discussion" in kinds:
            assert cell.source.startswith("<details>\n<summary>Discussion</summary>\n\n")


# What a student sees


def see(check, *answers):
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        check(*answers)
    return printed.getvalue()


def test_a_student_sees_one_or_two_sentences():
    check = checker("01_data_structures")
    assert see(check, 3, ...) == "… Task 3: not done yet.\n"
    assert see(check, 3, 10) == (
        "✗ Task 3: not yet right. That looks like a percentage. A share lies between 0 and 1.\n"
    )
    assert see(check, 3, 0.1).startswith("✓ Task 3: passed. ")


def test_a_student_sees_which_tasks_are_done():
    check = checker("01_data_structures")
    undone = [f"… Task {number}: not done yet" for number in (1, 2, 3, 4, 5)]
    assert see(check).splitlines() == [*undone, "0 of 5 tasks are done."]
    see(check, 1, lambda rows, n_rows: [])
    see(check, 3, 0.1)
    told = ["✗ Task 1: not yet right", undone[1], "✓ Task 3: passed", *undone[3:]]
    assert see(check).splitlines() == [*told, "1 of 5 tasks is done."]
    see(check, 3, 10)
    assert see(check).splitlines()[2] == "✗ Task 3: not yet right"


@every_exercise
def test_with_all_solutions_all_tasks_are_done(name):
    answers, _ = solved(name)
    assert see(answers["check"]).splitlines()[-1] == f"All {len(load_checks(name))} tasks are done."


def test_an_unknown_exercise_is_told_which_there_are():
    with pytest.raises(ValueError, match="no exercise 'nonsense'") as refused:
        checker("nonsense")
    assert all(name in str(refused.value) for name in NAMES)


def test_a_function_that_returns_nothing_is_not_done_yet():
    said = see(checker("01_data_structures"), 1, lambda rows, n_rows: None)
    assert said == "… Task 1: not done yet. (`row_pointers` returns nothing so far.)\n"


def test_an_error_in_the_students_code_is_shown_without_our_part_of_the_trace():
    def row_pointers(rows, n_rows):
        return rows[n_rows * 100]

    said = see(checker("01_data_structures"), 1, row_pointers)
    assert said.startswith("✗ Task 1: not yet right. Your `row_pointers` stopped with an error.")
    assert "IndexError" in said.splitlines()[-1]
    assert said.count("File ") == 1 and "alslib" not in said


def test_an_answer_of_another_form_is_no_crash():
    for answer in ("a tenth", [1, 2], object(), lambda: 1, {}):
        assert re.match("[✗…] Task 3: not ye", see(checker("01_data_structures"), 3, answer))


@pytest.mark.parametrize(
    ("name", "number", "function"),
    [("01_data_structures", 5, "predict"), ("04_latent_factors", 4, "fit_factors")],
)
def test_an_answer_that_overwrites_the_ratings_spoils_no_later_verdict(name, number, function):
    def overwrite(ratings, *_):
        ratings.by_user.data[:] = ratings.by_item.data[:] = 0

    check, (answers, _) = load_checks(name)[number], solved(name)
    assert judge(check, answers | {function: overwrite}).state == NOT_DONE_YET
    assert judge(check, answers).state == PASSED


@pytest.mark.parametrize(
    ("answer", "read"),
    [
        ("BFA", "BFA"),
        ("BFA (C D E stay)", "BFA"),
        ("b, then f, then a; C, D and E stay", "BFA"),
        (["B", "f", "A"], "BFA"),
        (np.array(["BF", "A"]), "BFA"),
        ("film B", "B"),
        ("(none)", ""),
        (5, ""),
    ],
)
def test_letters_are_read_without_the_remarks(answer, read):
    assert letters(answer, "ABCDEF") == read


def test_a_distance_has_a_direction_in_place_of_a_sign():
    assert apart(1.2, 1.25, "the best", "stars", 3) == "0.050 stars below the best"
    assert apart(1.2552, 1.25, "the best", "stars", 4) == "0.0052 stars above the best"
    assert apart(1.25004, 1.25, "the best", "stars", 3) == "level with the best"


def test_a_missing_answer_is_not_done_yet_and_a_seed_changes_the_numbers():
    drawn = []

    def check_1(answer, rng):
        drawn.append(rng.random())
        return passed("yes") if answer else hint("no", "No.")

    assert judge(check_1, {}).state == NOT_DONE_YET
    assert judge(check_1, {"answer": (1, ...)}).state == NOT_DONE_YET
    assert judge(check_1, {"answer": 1}, seed=0) == (PASSED, "yes", "")
    assert judge(check_1, {"answer": 0}, seed=1) == (NOT_YET_RIGHT, "No.", "no")
    assert drawn[0] != drawn[1]


def test_the_numbers_to_be_reproduced_are_the_published_ones():
    table = (ROOT / "benchmarks" / "README.md").read_text("utf-8")
    published = dict(re.findall(r"^\| (\S+ \| [a-z ]+) \| (\d\S* ± \S+) \|", table, re.MULTILINE))
    text = "\n".join(cell.source for cell in source("11_results_to_trust").cells)
    assert published["ml-latest-small-2016 | bias only"] in text
    models = ("bias only", "latent factors")
    random_folds = [float(published[f"ml-100k | {model}"].split()[0]) for model in models]
    assert " and ".join(f"{error:.3f}" for error in random_folds) in text


# The generator, on sources that are broken


def small(**changes):
    """Return a source with one task, with some of its cells changed or left out."""
    name = NAMES[0]
    wrong = [new_code_cell(f"# Hint: h{i}\nx = {i}", metadata={"tags": ["wrong"]}) for i in "123"]
    cells = {
        "title": new_markdown_cell("# Exercises 1: small"),
        "given": new_code_cell("given = 1"),
        "task": new_code_cell("x = 40 + 2  # SOLUTION", metadata={"tags": ["task"]}),
        "check": new_code_cell(
            'def check_1(x):\n    return passed("")', metadata={"tags": ["check"]}
        ),
        "discussion": new_markdown_cell("Why.", metadata={"tags": ["discussion"]}),
    }
    cells["right"] = new_code_cell("# Also right: a sum\nx = 42", metadata={"tags": ["right"]})
    cells |= {f"wrong{i}": cell for i, cell in enumerate(wrong)}
    cells = {key: copy.deepcopy(cell) for key, cell in cells.items()}
    for key, change in changes.items():
        if change is None:
            del cells[key]
        elif isinstance(change, list):
            cells[key].metadata["tags"] = change
        else:
            cells[key].source = change
    return generate.student(new_notebook(cells=list(cells.values())), name)


def test_a_small_source_becomes_a_notebook():
    *_, given, task, check, _, overview = (cell.source for cell in small().cells)
    assert [given, task, check, overview] == ["given = 1", "x = ...", "check(1, x)", "check()"]


def test_a_block_is_replaced_at_its_indentation_and_the_rest_stays():
    block = "# BEGIN SOLUTION\n    c = 2 * b\n    return c\n    # END SOLUTION"
    task = f"def f(a):\n    b = a\n    {block}"
    assert small(task=task).cells[-4].source == "def f(a):\n    b = a\n    # Your answer:\n    ..."


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"task": "x = 40 + 2"}, "nothing in it is marked"),
        ({"task": "# BEGIN SOLUTION\nx = 40 + 2"}, "no '# END SOLUTION'"),
        ({"task": "x = 40 + 2\n# END SOLUTION"}, "out of turn"),
        ({"task": "# BEGIN SOLUTION\n# BEGIN SOLUTION\nx = 1\n# END SOLUTION"}, "out of turn"),
        ({"task": "# BEGIN SOLUTION\n# END SOLUTION"}, "nothing in it is marked"),
        ({"task": "#BEGIN SOLUTION\nx = 40 + 2\n#END SOLUTION"}, "not written as it should be"),
        ({"task": "# Begin solution\nx = 40 + 2\n# End solution"}, "not written as it should be"),
        ({"task": "x = 40 + 2 # SOLUTION\ny = 1  # SOLUTION"}, "not written as it should be"),
        ({"task": "print(40 + 2)  # SOLUTION"}, "not written as it should be"),
        ({"task": []}, "not tagged as a task"),
        ({"task": [], "given": "x = 42"}, "not tagged as a task"),
        ({"task": None}, "no task before this check"),
        ({"given": "x = 40 + 2"}, "stand in the student's notebook too"),
        ({"check": []}, "belongs behind a check"),
        ({"check": None}, "belongs behind a check"),
        ({"check": "def check_2(x):\n    pass"}, "task 1 comes next"),
        ({"wrong0": None}, "too few wrong answers: 3"),
        ({"wrong0": "x = 1"}, "begins with a line '# Hint: ...'"),
        ({"wrong0": "# Hint: two words\nx = 1"}, "begins with a line '# Hint: ...'"),
        ({"wrong0": []}, "too few wrong answers: 3"),
        ({"right": None}, "too few right answers: 1"),
        ({"right": "x = 42"}, "begins with a line '# Also right: ...'"),
        ({"discussion": None}, "needs a discussion"),
        ({"discussion": ["wrong"]}, "cannot be a wrong"),
        ({"task": ["tsak"]}, "tags"),
        ({"task": ["task", "wrong"]}, "tags"),
        ({"title": "# Something else"}, "the first cell is the title"),
    ],
)
def test_a_broken_source_is_an_error_and_never_a_leak(changes, complaint):
    with pytest.raises(generate.SourceError, match=re.escape(complaint)):
        small(**changes)


def test_nothing_is_written_when_a_source_is_broken(tmp_path):
    broken = copy.deepcopy(source(NAMES[0]))
    task = next(cell for cell in broken.cells if generate.role(cell) == "task")
    task.source = task.source.replace(generate.BEGIN, "").replace(generate.END, "")
    nbformat.write(broken, tmp_path / f"{NAMES[0]}.ipynb")
    student = EXERCISES / f"{NAMES[0]}.ipynb"
    before = student.stat().st_mtime_ns
    command = [sys.executable, EXERCISES / "generate.py", *SOURCES, tmp_path / f"{NAMES[0]}.ipynb"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert f"{NAMES[0]}.ipynb: cell {task.id}" in done.stderr and "Traceback" not in done.stderr
    assert student.stat().st_mtime_ns == before


# Grading


def fill_in(name, answers):
    """Return a student's notebook in which the answers to some tasks stand."""
    notebook = copy.deepcopy(read(EXERCISES / f"{name}.ipynb"))
    for number, answer in answers.items():
        (asked,) = generate.tasks(source(name))[number]["task"]
        (cell,) = (cell for cell in notebook.cells if cell.id == asked.id)
        cell.source = answer
    return notebook


# Whoever has one of these in a notebook has replaced what the grader might have relied on.
FORGERIES = """
import atexit, builtins, json, os, sys, tracemalloc
import alslib, exercise_checks, exercise_checks.remote, numpy as np

MARKS = {str(n): ["passed", "", ""] for n in range(1, 6)}
FORGED = "verdicts of the grading bundle: " + json.dumps(MARKS)
exercise_checks.judge = lambda *_: exercise_checks.Verdict("passed", "")
exercise_checks._is_open = lambda answer: False
for module in list(sys.modules.values()):
    for name in ("same", "near", "passed", "hint"):
        if module.__name__.startswith("exercise_checks") and hasattr(module, name):
            setattr(module, name, lambda *_: exercise_checks.Verdict("passed", ""))
np.allclose = np.isclose = np.array_equal = lambda *_, **__: True
np.random.default_rng = lambda seed: None
alslib.rmse = lambda *_: 0.0
atexit.register(lambda: os.write(1, FORGED.encode()))
# It looks for the grader's pipes, too.
for parent in (os.getppid(), os.getpid()):
    for number in (1, 2, 3, 4, 5):
        try:
            with open(f"/proc/{parent}/fd/{number}", "w") as pipe:
                for task, verdict in MARKS.items():
                    pipe.write(json.dumps({"task": task, "verdict": verdict}) + "\\n")
        except OSError:
            pass
"""
FORGED_JSON = """
def dumps(value, *options, dumps=json.dumps, **named):
    is_verdict = isinstance(value, dict) and {1, "1", "dict"} & set(value)
    return dumps(MARKS if is_verdict else value, *options, **named)
json.dumps = dumps
builtins.print = lambda *_, **__: sys.stdout.write(FORGED)
"""
FORGED_SERVICE = """
import socket
def serve(port, token):
    with socket.create_connection(("127.0.0.1", port)) as connection:
        stream = connection.makefile("rwb")
        connection.sendall(token.encode())
        while stream.read(8):
            reply = {"dict": [{"tuple": ["value", {"array": ["|O8", [1], "AAAAAAAAAAA="]}]}]}
            content = json.dumps(reply).encode()
            stream.write(len(content).to_bytes(8) + content)
            stream.write((1 << 60).to_bytes(8))
            stream.flush()
exercise_checks.remote.serve = serve
"""
# Children of three kinds: of the kernel, in a session of its own, and an orphan.
LEAVES_CHILDREN = """
import subprocess, sys
WAIT = "import time; time.sleep(1000) # {marker}"
subprocess.Popen([sys.executable, "-c", WAIT])
subprocess.Popen([sys.executable, "-c", WAIT], start_new_session=True)
START = "import subprocess, sys; subprocess.Popen(sys.argv[1:], start_new_session=True)"
subprocess.run([sys.executable, "-c", START, sys.executable, "-c", WAIT])
"""
# What the next notebook would find.
LEAVES_FILES = """
from pathlib import Path
for other in Path({folder!r}).glob("*.ipynb"):
    other.write_text("nothing")
for place in (Path.cwd(), Path.home(), Path.home() / ".ipython" / "profile_default" / "startup"):
    place.mkdir(parents=True, exist_ok=True)
    for name in ("sitecustomize", "json", "numpy", "startup"):
        (place / f"{{name}}.py").write_text("raise SystemExit('from another notebook')")
"""


def running(marker):
    """Return the processes in whose command a word stands."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if marker in " ".join(process.info["cmdline"] or []):
            found.append(process)
    return found


def marks(folder):
    """A class hands in lesson 1; the teacher has the bundle."""
    name = "01_data_structures"
    parts = generate.tasks(source(name))
    right = {number: generate.cut(cells["task"][0])[1] for number, cells in parts.items()}
    wrong = {number: cells["wrong"][0].source for number, cells in parts.items()}
    cheating = (
        right[1]
        + "\n\nclass passed(str): pass\ncheck = lambda *answers: print('✓ Task 2: passed.')"
        + "\nimport exercise_checks\nexercise_checks.PASSED = 'passed'"
    )
    marker = f"left-behind-{folder}"
    children = LEAVES_CHILDREN.format(marker=marker)
    files = LEAVES_FILES.format(folder=str(folder))
    dies_later = (  # when the answer to task 5 is there, too
        "import os\ndef newest(users, timestamps, fraction):\n"
        "    return os._exit(1) if 'predict' in globals() else None"
    )
    submissions = {
        "=1+1": fill_in(name, {1: "dict = list = str = print = 'mine'\n" + right[1]}),
        "ada": fill_in(name, right),
        "ben": fill_in(name, wrong | {1: right[1], 3: "break_even = ..."}),
        "cem": fill_in(name, {1: cheating, 2: "def group_by_row(:", 4: "1 / 0"}),
        "eve": fill_in(name, wrong | {5: wrong[5] + FORGERIES + children + files}),
        "eva": fill_in(name, wrong | {5: wrong[5] + FORGERIES + FORGED_JSON}),
        "evi": fill_in(name, wrong | {5: wrong[5] + FORGERIES + FORGED_SERVICE}),
        "fay": fill_in(name, right | {4: dies_later}),
    }
    for student, notebook in submissions.items():
        nbformat.write(notebook, folder / f"{student}.ipynb")
    (folder / "dia.ipynb").write_text("my laptop broke")
    with zipfile.ZipFile(load("bundle").bundle(name, folder)) as archive:
        archive.extractall(folder)
    home = folder / "home"
    command = [sys.executable, folder / name / "grade.py", *sorted(folder.glob("*.ipynb"))]
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, "HOME": str(home)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    with (folder / "marks.csv").open(encoding="utf-8") as file:
        rows = {row.pop("submission"): row for row in csv.DictReader(file)}
    return rows, wrong, running(marker), list(home.rglob("*.py"))


def test_whatever_happens_to_one_submission_the_others_get_their_marks(tmp_path, monkeypatch):
    grader = load("grade")
    verdicts = {
        "odd": ({"1": None}, ""),
        "broken": RuntimeError("no room on disk"),
        "well": ({"1": ("passed", "", "")}, ""),
    }

    def grade(student, *_):
        if isinstance(verdicts[student], Exception):
            raise verdicts[student]
        return verdicts[student]

    for student in verdicts:
        (tmp_path / f"{student}.ipynb").write_text(student)
    paths = [tmp_path / f"{student}.ipynb" for student in (*verdicts, "gone")]
    verdicts[""] = ({}, "not a notebook")
    (tmp_path / "checks.py").write_text("def check_1(x): ...")
    options = ["--checks", tmp_path / "checks.py", "--csv", tmp_path / "marks.csv"]
    monkeypatch.setattr(grader, "grade", grade)
    grader.main([str(argument) for argument in (*paths, *options)])
    rows = list(csv.DictReader((tmp_path / "marks.csv").read_text("utf-8").splitlines()))
    assert [row["points"] for row in rows] == ["0", "0", "1", "0"]
    assert "TypeError" in rows[0]["remark"]
    assert rows[1]["remark"] == "RuntimeError('no room on disk')"
    assert rows[3]["remark"] == "not a notebook"


# One test, because grading takes long, and two workers would each do it.
def test_the_bundle_grades_a_class(tmp_path, subtests):
    rows, wrong, left_running, left_files = marks(tmp_path)
    assert list(rows) == ["'=1+1", "ada", "ben", "cem", "dia", "eva", "eve", "evi", "fay"]
    tasks = [f"task {number}" for number in wrong]
    hints = {n: re.match(r"# Hint: ([\w-]+)", answer)[1] for n, answer in wrong.items()}
    with subtests.test("right answers, wrong ones and missing ones"):
        assert [rows["ada"][task] for task in tasks] == ["passed"] * 5
        expected = {**hints, 1: "passed", 3: "not done yet"}
        assert [rows["ben"][task] for task in tasks] == list(expected.values())
        counts = ["1", "5", "1", "1", "0", "0", "0", "0", "4"]
        assert [row["points"] for row in rows.values()] == counts
        assert {row["out of"] for row in rows.values()} == {"5"}
    with subtests.test("a cell that breaks spoils its task only, printing passed does not help"):
        assert [rows["cem"][task] for task in tasks] == ["passed"] + ["not done yet"] * 4
    with subtests.test("a file that is no notebook is said to be none"):
        assert rows["dia"]["remark"].startswith("not a notebook") and not rows["dia"]["task 1"]
    with subtests.test("the kernel has no say in its verdicts, whatever is replaced in it"):
        assert [rows["eve"][task] for task in tasks] == list(hints.values())
        assert not any(rows[name]["points"] != "0" for name in ("eva", "evi"))
    with subtests.test("an answer at which the kernel dies costs its own task"):
        assert [rows["fay"][task] for task in tasks] == ["passed"] * 3 + ["", "passed"]
        assert rows["fay"]["remark"] == "the kernel died, at task 4"
    with subtests.test("nothing is left of a notebook, neither processes nor files"):
        assert left_running == [] and left_files == []
    with subtests.test("the teacher's page shows what the script writes"):
        page = (ROOT / "book" / "teach.md").read_text("utf-8")
        text = page[page.index("| submission |") :].split("\n\n")[0]
        table = [line.strip("|").split("|") for line in text.splitlines()]
        head, _, *told = [[cell.strip() for cell in line] for line in table]
        assert [line[0] for line in told] == ["ada", "ben", "dia"]
        for student, *cells in told:
            assert dict(zip(head[1:], cells, strict=True)) == {
                key: value.split(":")[0] for key, value in rows[student].items()
            }


def test_a_notebook_that_never_ends_or_ends_its_grader_gets_a_row_and_leaves_nothing(tmp_path):
    marker = f"left-behind-{tmp_path}"
    ends = {
        "endless": "while True:\n    print('x' * 10**6)",
        "killer": "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\nwhile True: pass",
    }
    for student, end in ends.items():
        code = LEAVES_CHILDREN.format(marker=marker) + end
        nbformat.write(new_notebook(cells=[new_code_cell(code)]), tmp_path / f"{student}.ipynb")
    (tmp_path / "checks.py").write_text("def check_1(x): ...")
    options = ["--checks", "checks.py", "--timeout", "12"]
    command = [sys.executable, EXERCISES / "grade.py", "endless.ipynb", "killer.ipynb", *options]
    subprocess.run(command, cwd=tmp_path, check=True)
    with (tmp_path / "marks.csv").open(encoding="utf-8") as file:
        endless, killer = (row["remark"] for row in csv.DictReader(file))
    assert endless.startswith("more than 12 seconds")
    assert killer.startswith(("grading stopped: it was killed, at code cell 1", "more than 12"))
    assert running(marker) == []


@every_exercise
def test_where_notebooks_are_graded_there_is_no_solution(name, tmp_path):
    with zipfile.ZipFile(load("bundle").bundle(name, tmp_path)) as archive:
        packed = {file.split("/", 1)[1]: archive.read(file) for file in archive.namelist()}
    scripts = ["checks.py", "grade.py", "gradebook.py"]
    assert sorted(packed) == sorted([f"{name}.ipynb", *scripts, "bundle.json"])
    assert packed[f"{name}.ipynb"] == (EXERCISES / f"{name}.ipynb").read_bytes()


def test_the_same_content_makes_the_same_bundle(tmp_path):
    pack = load("bundle").bundle
    assert (
        pack(NAMES[0], tmp_path / "a").read_bytes() == pack(NAMES[0], tmp_path / "b").read_bytes()
    )
