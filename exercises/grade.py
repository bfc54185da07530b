"""Grade the notebooks that students handed in.

    python grade.py submissions/*.ipynb --csv marks.csv

This file travels in the grading bundle beside ``checks.py``, the checks of the exercise. Each
notebook is run from top to bottom in a fresh kernel and an empty folder, with this Python; a cell
that stops with an error does not stop the rest. Then the checks look at what it has left behind.
They are those of the bundle, whatever the notebook prints, and they ask about other numbers than the
student saw (``--seed``).

A notebook is a program that somebody else wrote. Grade in a container or under an account that has
nothing to lose.
"""

import argparse
import csv
import json
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat.v4 import new_code_cell

# What is built in goes by names that a student cannot have taken for something else.
JUDGE = """\
def _grade(answers, path, seed):
    import builtins
    import importlib.util
    import json
    import warnings
    from exercise_checks import checks_in, judge
    spec = importlib.util.spec_from_file_location("grading_checks", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    warnings.simplefilter("ignore")
    verdicts = {{n: judge(check, answers, seed)[:] for n, check in checks_in(module).items()}}
    builtins.print("\\n{mark}" + json.dumps(verdicts))
_grade({{**globals()}}, {path!r}, {seed})
"""
MARK = "verdicts of the grading bundle: "


def grade(
    path: Path, checks: Path, seed: int, timeout: int = 300
) -> dict[str, tuple[str, str, str]]:
    """Run one notebook and return state, message and hint of each task, by its number.

    Raises
    ------
    ValueError
        If the file is no notebook, or it did not come to its end: too slow, or the kernel died.
    """
    try:
        notebook = nbformat.read(path, as_version=4)
    except Exception as error:
        raise ValueError(f"not a notebook: {error}") from None
    last = JUDGE.format(mark=MARK, path=str(checks.resolve()), seed=seed)
    notebook.cells.append(new_code_cell(last))
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            notebook,
            timeout=timeout,
            kernel_name="python3",
            allow_errors=True,
            # Without the warning that a kernel talks in the open, though only to this machine.
            extra_arguments=["--IPKernelApp.log_level=40"],
            resources={"metadata": {"path": folder}},
        )
        try:
            client.execute()
        except CellTimeoutError:
            raise ValueError(f"a cell ran for more than {timeout} seconds") from None
        except DeadKernelError:
            raise ValueError("the kernel died") from None
    printed = "".join(output.get("text", "") for output in notebook.cells[-1].outputs)
    if MARK not in printed:
        raise ValueError("the checks could not be run")
    return {
        number: tuple(verdict)
        for number, verdict in json.loads(printed.rpartition(MARK)[2]).items()
    }


def main(arguments: list[str]) -> None:
    """Grade all notebooks, print a line for each, and write the table of marks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="+", type=Path)
    here = Path(__file__).parent
    parser.add_argument("--checks", type=Path, default=here / "checks.py")
    parser.add_argument("--csv", type=Path, default=Path("marks.csv"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--timeout", type=int, default=300, help="seconds for a cell")
    options = parser.parse_args(arguments)
    rows = []
    for path in options.notebooks:
        row = {"submission": path.stem, "passed": 0, "remark": ""}
        try:
            verdicts = grade(path, options.checks, options.seed, options.timeout)
            for number, (state, _, hint) in verdicts.items():
                row[f"task {number}"] = hint or state
                row["passed"] += state == "passed"
        except Exception as error:  # whatever it is, the others want their marks
            row["remark"] = str(error) if isinstance(error, ValueError) else repr(error)
        rows.append(row)
        print(", ".join(f"{key}: {value}" for key, value in row.items() if value != ""))
    fields = list(dict.fromkeys(key for row in rows for key in row))
    with options.csv.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, sorted(fields, key=lambda key: key == "remark"))
        writer.writeheader()
        writer.writerows(
            {key: _as_text(value) for key, value in row.items()} for row in rows
        )


def _as_text(value: str | int) -> str | int:
    """Return what a spreadsheet shows and does not calculate: students choose names and hints."""
    return (
        f"'{value}"
        if str(value).startswith(("=", "+", "-", "@", "\t", "\r"))
        else value
    )


if __name__ == "__main__":
    main(sys.argv[1:])
