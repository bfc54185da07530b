"""What a teacher asks of grading: names, points, a platform's table, limits, one version.

``test_exercises.py`` grades a class with the bundle of lesson 1, cheats among it. Here checks and
notebooks are small.
"""

import csv
import io
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import bundle
import grade
import nbformat
import pytest
from gradebook import Gradebook
from nbformat.v4 import new_code_cell, new_notebook

EXERCISES = Path(__file__).parents[2] / "exercises"
NAME = "01_data_structures"
CHECKS = """
import gc

from exercise_checks import hint, passed


def check_1(one):
    return passed("Yes.") if one == 1 else hint("other", "No.")


def check_2(two):
    return passed("Yes.") if two() == 2 else hint("other", "No.")


def check_3(three):
    gc.collect()  # what is left of another kernel
    return passed("Yes.") if three == 3 else hint("other", "No.")
"""
RIGHT = ["one = 1", "def two():\n    return 2", "three = 3"]
ENDLESS = "while True: pass"


def hand_in(path, *cells):
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(new_notebook(cells=[new_code_cell(cell) for cell in cells]), path)


def graded(folder, *arguments, csv_name="marks.csv"):
    """Grade what lies in a folder, in processes of their own, and return the rows of the table."""
    (folder / "checks.py").write_text(CHECKS)
    command = [sys.executable, EXERCISES / "grade.py", *arguments]
    command += ["--checks", "checks.py", "--csv", csv_name]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return read(folder / csv_name)


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def complaint(capsys, *arguments):
    """Return why the script does not even begin."""
    with pytest.raises(SystemExit) as stopped:
        grade.main([str(argument) for argument in arguments])
    assert stopped.value.code == 2
    return " ".join(capsys.readouterr().err.split())


@pytest.fixture
def no_kernels(monkeypatch, tmp_path):
    """Everybody has passed the tasks that stand in the notebook; nothing is run."""

    def grade_quickly(notebook, *_):
        return dict.fromkeys(json.loads(notebook or "[]"), ("passed", "", "")), ""

    monkeypatch.setattr(grade, "grade", grade_quickly)
    monkeypatch.chdir(tmp_path)
    Path("checks.py").write_text(CHECKS)

    def run(passed, *options):
        for path, tasks in passed.items():
            (tmp_path / "in" / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "in" / path).write_text(json.dumps(tasks))
        grade.main(["in", "--checks", "checks.py", *options])
        return read(tmp_path / "marks.csv")

    return run


# What a submission is called


@pytest.mark.parametrize(
    ("files", "names"),
    [
        ("ada ben", "ada ben"),
        ("ada/ex1 ben/ex1", "ada ben"),
        ("ada/mine ben/other", "ada ben"),
        ("week1/ada week1/ben week2/ada", "week1/ada week1/ben week2/ada"),
        ("ada/ex1 ada/copy ben/ex1", "ada/copy ada/ex1 ben/ex1"),
        ("ada/deep/ex1 ben/ex1 eve", "ada/deep ben eve"),
        ("ada ada/ex1", "ada ada/ex1"),
        ("ada/.ipynb_checkpoints/ex1 ada/ex1 ben/ex1", "ada ben"),
    ],
)
def test_a_submission_is_called_as_its_file_or_as_its_folder(tmp_path, files, names):
    for file in files.split():
        hand_in(tmp_path / f"{file}.ipynb")
    found = grade.named([tmp_path])
    assert sorted(found) == names.split()
    assert all(path.suffix == ".ipynb" and path.exists() for path in found.values())
    assert len(grade.named([*found.values(), *found.values()])) == len(found)


def test_a_folder_for_each_student_gives_each_a_row(no_kernels):
    rows = no_kernels({f"{name}_assignsubmission_file/ex1.ipynb": "1" for name in ("A_1", "B_2")})
    assert [row["submission"][:3] for row in rows] == ["A_1", "B_2"]


# Points


def test_tasks_have_weights_and_the_class_a_maximum(no_kernels):
    class_ = {"ada.ipynb": "123", "ben.ipynb": "13", "cem.ipynb": "2", "dia.ipynb": ""}

    def points(*options):
        rows = no_kernels(class_, *options)
        return [row["points"] for row in rows], {row["out of"] for row in rows}

    assert points() == (["3", "2", "1", "0"], {"3"})
    assert points("--points", "2,1,0.5") == (["3.5", "2.5", "1", "0"], {"3.5"})
    assert points("--points", "2,1,3", "--out-of", "100") == (
        ["100", "83.33", "16.67", "0"],
        {"100"},
    )


@pytest.mark.parametrize(
    ("points", "why"),
    [
        ("1,2", "--points has 2 numbers for 3 tasks"),
        ("1,2,x", "could not convert string to float: 'x'"),
        ("1,-1,1", "no task can be worth less than nothing"),
        ("0,0,0", "nor all of them nothing"),
    ],
)
def test_points_that_do_not_fit_are_refused(tmp_path, capsys, points, why):
    hand_in(tmp_path / "ada.ipynb")
    (tmp_path / "checks.py").write_text(CHECKS)
    options = ["--checks", tmp_path / "checks.py", "--points", points]
    assert why in complaint(capsys, tmp_path, *options)


def test_a_folder_without_notebooks_is_refused(tmp_path, capsys):
    (tmp_path / "checks.py").write_text(CHECKS)
    assert "no notebooks" in complaint(capsys, tmp_path, "--checks", tmp_path / "checks.py")


# Tables of a learning platform, as it writes them

WORKSHEET = """\
Identifier,"Full name","Email address",Status,Grade,"Maximum grade","Grade can be changed",\
"Last modified (submission)","Last modified (grade)","Feedback comments"
"Participant 17","Ada Lovelace",ada@uni.example,"Submitted for grading",,100.00,Yes,\
"Monday, 3 November 2025, 9:12 AM",-,"Two
lines"
"Participant 18","Ben Mô",ben@uni.example,"Submitted for grading",,100.00,Yes,-,-,
"Participant 19","Ben Mô",other@uni.example,"No submission",,100.00,Yes,-,-,
"""
MOODLE = """\
"First name","Last name","ID number","Email address","Assignment: Essay (Real)",Exercise 1 (Real)
Ada,Lovelace,s01,ada@uni.example,7.00,-
Ben,Mô,s02,ben@uni.example,-,-
Cem,Kaya,s03,cem@uni.example,-,1.00
"""
CANVAS = """\
Student,ID,SIS User ID,SIS Login ID,Section,Essay (31),Exercise 1 (32),Current Score
,,,,,Manual Posting,,
    Points Possible,,,,,10.00,3.00,(read only)
"Lovelace, Ada",23,s01,lovelacea,CS-1,7.00,,70
"Mô, Ben",4711,s02,mob,CS-1,,,0
"Student, Test",99,,abc,CS-1,,,
"""


def cells(text, delimiter=","):
    return list(csv.reader(io.StringIO(text), delimiter=delimiter))


def filled(name):
    return cells(Path(f"{name}_filled.csv").read_text("utf-8"))


def test_moodles_worksheet_is_filled_by_the_number_in_the_name(no_kernels):
    Path("worksheet.csv").write_text("\ufeff" + WORKSHEET, "utf-8")
    class_ = {
        "Ada Lovelace_17_assignsubmission_file_/ex.ipynb": "123",
        "Ben Mô_18_assignsubmission_file_/ex.ipynb": "1",
    }
    rows = no_kernels(class_, "--out-of", "100", "--fill", "worksheet.csv")
    expected = cells(WORKSHEET)
    expected[1][4], expected[2][4] = "100", "33.33"
    assert filled("worksheet") == expected
    assert [row["Email address"] for row in rows] == ["ada@uni.example", "ben@uni.example"]


def test_moodles_gradebook_is_filled_by_name_number_or_address(no_kernels):
    Path("grades.csv").write_text(MOODLE.replace(",", ";"), "utf-8")
    class_ = {"Ada Lovelace_1_assignsubmission_file_": "12", "S02": "3", "cem@uni.example": ""}
    class_ = {f"{name}.ipynb": tasks for name, tasks in class_.items()}
    rows = no_kernels(class_, "--fill", "grades.csv", "--column", "exercise 1 (real)")
    assert [row["ID number"] for row in rows] == ["s01", "s02", "s03"]
    expected = cells(MOODLE)
    for row, points in zip(expected[1:], "210", strict=True):
        row[-1] = points
    assert cells(Path("grades_filled.csv").read_text("utf-8"), ";") == expected


def test_canvas_gets_one_column_and_loses_no_grade(no_kernels):
    Path("canvas.csv").write_text(CANVAS, "utf-8")
    class_ = {"lovelaceada_23_4711_ex1.ipynb": "123", "moben_LATE_4711_4712_ex1-1.ipynb": "1"}
    no_kernels(class_, "--fill", "canvas.csv", "--column", "Exercise 1 (32)")
    expected = [[*row[:5], row[6]] for row in cells(CANVAS)]
    expected[3][5], expected[4][5] = "3", "1"
    assert filled("canvas") == expected
    no_kernels(class_, "--fill", "canvas.csv", "--column", "Numbers", "--points", "2,2,2")
    column = [row[5] for row in filled("canvas")]
    assert column == ["Numbers", "", "6", "6", "2", ""]  # the maximum of a new one is said


def test_points_go_to_nobody_when_it_is_not_clear_to_whom(no_kernels, capsys):
    Path("worksheet.csv").write_text(WORKSHEET, "utf-8")
    class_ = {  # two of a name, two from one person, and a stranger
        "Ben Mô.ipynb": "123",
        "Ada Lovelace_17_assignsubmission_file_a.ipynb": "123",
        "Ada Lovelace_17_assignsubmission_file_b.ipynb": "1",
        "zoe.ipynb": "1",
    }
    rows = no_kernels(class_, "--out-of", "100", "--fill", "worksheet.csv")
    assert filled("worksheet") == cells(WORKSHEET)
    remark = "whose it is does not follow from worksheet.csv"
    assert [row["remark"] for row in rows] == [remark] * 4
    assert "0 of 4 submissions entered" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("table", "column", "out_of", "why"),
    [
        (WORKSHEET, None, 3, "a maximum of 100.00 points, and the tasks together 3"),
        (CANVAS, "Exercise 1 (32)", 5, "a maximum of 3.00 points, and the tasks together 5"),
        (CANVAS, None, 3, "say which --column of table.csv gets the points: one of Student, ID"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(tmp_path, table, column, out_of, why):
    (tmp_path / "table.csv").write_text(table, "utf-8")
    with pytest.raises(ValueError, match=re.escape(why)):
        Gradebook(tmp_path / "table.csv", column, out_of)


# Limits, and several at a time


def test_what_never_ends_or_kills_its_kernel_costs_its_own_task(tmp_path):
    stubborn = f"""
import os, signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
def two():
    os.fork()  # the child has the connection to the grader, too
    {ENDLESS}"""
    hand_in(tmp_path / "in" / "ada.ipynb", *RIGHT[:2], ENDLESS, RIGHT[2])
    hand_in(tmp_path / "in" / "ben.ipynb", stubborn, "import os; os._exit(0)", *RIGHT[::2])
    ada, ben = graded(tmp_path, "in", "--step-timeout", "5", "--jobs", "2", "--timeout", "90")
    assert [ada[f"task {n}"] for n in (1, 2, 3)] == ["passed"] * 3
    assert ada["remark"] == "more than 5 seconds, at code cell 3"
    assert [ben[f"task {n}"] for n in (1, 2, 3)] == ["passed", "", "passed"]
    assert ben["remark"] == "the kernel died, at code cell 2; more than 5 seconds, at task 2"


def test_several_at_a_time_make_the_same_table(tmp_path):
    signal = f"""
import time
from pathlib import Path
def tell(name):
    (Path({str(tmp_path)!r}) / name).touch()
def wait_for(name):
    while not (Path({str(tmp_path)!r}) / name).exists():
        time.sleep(0.01)
"""
    kill = f"import psutil\nfor p in psutil.Process().parents()[:2]:\n    p.kill()\n{ENDLESS}"
    # Ada ends while Ben runs, and Cem begins then; he also ends those that watch over him.
    hand_in(tmp_path / "in" / "ada.ipynb", f"{signal}wait_for('ben')", *RIGHT)
    ben = f"{signal}tell('ben')\nwait_for('cem')"
    hand_in(tmp_path / "in" / "ben.ipynb", ben, *RIGHT[:2], "three = 4")
    hand_in(tmp_path / "in" / "cem.ipynb", f"{signal}tell('cem')", *RIGHT, kill)
    rows = graded(tmp_path, "in", "--jobs", "2", csv_name="parallel.csv")
    assert [row["submission"] for row in rows] == ["ada", "ben", "cem"]
    assert [row["points"] for row in rows] == ["3", "2", "0"]
    assert rows[2]["remark"] == "grading stopped: it was killed, at code cell 5"
    assert rows == graded(tmp_path, "in", csv_name="serial.csv")


# One version


def test_the_notebook_of_a_bundle_installs_the_version_it_was_made_with(tmp_path):
    commit = "1f" * 20
    with zipfile.ZipFile(bundle.bundle(NAME, tmp_path, commit)) as archive:
        packed = archive.read(f"{NAME}/{NAME}.ipynb").decode()
        record = json.loads(archive.read(f"{NAME}/bundle.json"))
    plain = (EXERCISES / f"{NAME}.ipynb").read_text("utf-8")
    assert packed.count(f"recsys-from-scratch@{commit}") == 1
    assert packed.replace(f"@{commit}", "") == plain
    assert record["commit"] == commit and record["install"].endswith(f"scratch@{commit}")
    assert record["install"].startswith("alslib[course] @ git+https://")


def git(folder, *arguments):
    who = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"]
    command = ["git", "-C", folder, *who, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_the_version_is_the_last_commit_that_changed_the_package(tmp_path):
    assert bundle.revision(tmp_path) is None  # no clone
    git(tmp_path, "init", "--quiet")
    (tmp_path / "alslib").mkdir()
    for file in ("alslib/a.py", "pyproject.toml"):
        (tmp_path / file).write_text("1")
    (tmp_path / "exercises" / "checks").mkdir(parents=True)
    (tmp_path / "exercises" / "checks" / "b.py").write_text("1")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "-m", "package")
    first = git(tmp_path, "rev-parse", "HEAD")
    (tmp_path / "README.md").write_text("1")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "-m", "something else")
    assert bundle.revision(tmp_path) == first
    (tmp_path / "alslib" / "a.py").write_text("2")
    assert bundle.revision(tmp_path) is None  # nobody could install this


def test_grading_with_another_version_is_refused_and_told_what_to_install(tmp_path):
    with zipfile.ZipFile(bundle.bundle(NAME, tmp_path, "1f" * 20)) as archive:
        archive.extractall(tmp_path)
    record = tmp_path / NAME / "bundle.json"
    hand_in(tmp_path / "ada.ipynb")
    command = [sys.executable, tmp_path / NAME / "grade.py", tmp_path / "ada.ipynb"]
    record.write_text(record.read_text().replace('"fingerprint": "', '"fingerprint": "0'))
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2 and not (tmp_path / "marks.csv").exists()
    said = " ".join(done.stderr.split())
    assert "made with another alslib than the one in" in said
    assert f"pip install '{json.loads(record.read_text())['install']}'" in said


def test_the_number_of_the_code_is_that_of_the_code_alone(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    for folder, newline in ((one, "\n"), (other, "\r\n")):
        (folder / "deep").mkdir(parents=True)
        for name in ("a.py", "deep/b.py", "_01_x.py"):
            (folder / name).write_text("x = 1\ny = 2\n", newline=newline)
    (other / "_01_x.py").write_text("the checks of an exercise are in its bundle")
    (other / "notes.txt").write_text("no code")
    assert grade.fingerprint(one) == grade.fingerprint(other)
    (other / "deep" / "b.py").write_text("x = 2\n")
    assert grade.fingerprint(one) != grade.fingerprint(other)


def test_a_notebook_that_is_not_the_bundles_is_told(no_kernels, monkeypatch):
    monkeypatch.setattr(grade, "commit_of_bundle", lambda _: '"2"')
    rows = no_kernels({"new.ipynb": ["1", "2"], "old.ipynb": ["1"], "none.ipynb": []})
    told = {row["submission"]: row["remark"] for row in rows}
    assert told == {"new": "", "old": "not made from the notebook in the bundle", "none": ""}


def test_the_teachers_plan_has_every_lesson_and_the_time_of_its_exercise():
    page = (EXERCISES.parent / "book" / "teach.md").read_text("utf-8")
    row = r"^\| ([\d, ]+) \| \[.*\]\(\.\./lessons/(\w+)\.ipynb\) .* (\d+) min \|$"
    rows = re.findall(row, page, re.MULTILINE)
    weeks, names, minutes = zip(*rows, strict=True)
    assert ", ".join(weeks) == ", ".join(str(week) for week in range(1, 12))
    lessons = EXERCISES.parent / "lessons"
    assert list(names) == sorted(path.stem for path in lessons.glob("*.ipynb"))
    (half_way,) = re.findall(r'fourth lesson ends with\n?.*"(.*)"', page)
    fourth = nbformat.read(lessons / f"{names[3]}.ipynb", as_version=4)
    assert any(f"## {half_way}" in cell.source for cell in fourth.cells)
    for name, stated in zip(names, minutes, strict=True):
        assert f"*About {stated} minutes." in (EXERCISES / f"{name}.ipynb").read_text("utf-8")
