"""Checks that answer back: what an exercise notebook calls to judge an answer.

This folder is installed as the package ``exercise_checks``, beside alslib. The checks of an exercise
are the module of its name, made from the source of the exercise by ``exercises/generate.py``, so it
is not edited here. A check is a function
``check_<task>`` whose parameters are the names of the answers it looks at, and it returns what it
found: `passed` with an insight, or one `hint` about the kind of mistake.
"""

import importlib
import inspect
import pkgutil
import re
import textwrap
import traceback
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

PASSED, NOT_YET_RIGHT, NOT_DONE_YET = "passed", "not yet right", "not done yet"
# What `check` puts before the words, to be told apart at a glance, by form and not by colour.
_SIGNS = {PASSED: "✓", NOT_YET_RIGHT: "✗", NOT_DONE_YET: "…"}


class Verdict(NamedTuple):
    """What a check found.

    Attributes
    ----------
    state : str
        ``PASSED``, ``NOT_YET_RIGHT`` or ``NOT_DONE_YET``.
    message : str
        One or two sentences for the student.
    hint : str
        The name of the hint: which kind of mistake it is. Empty for the other states.
    """

    state: str
    message: str
    hint: str = ""


class _NotDoneError(Exception):
    """There is no answer yet."""


class _AnswerError(Exception):
    """The student's own code raised an error, which is the cause."""


def passed(insight: str) -> Verdict:
    """Return the verdict on a right answer, with a thought that leads on from it."""
    return Verdict(PASSED, insight)


def hint(name: str, message: str) -> Verdict:
    """Return the verdict on a wrong answer: the kind of mistake, by name and in plain words."""
    return Verdict(NOT_YET_RIGHT, message, name)


def letters(answer: Any, among: str) -> str:
    """Return the letters that an answer names, in its order, as capitals.

    "B, then A (the others stay)" names B and A, and so does ["b", "a"]: what stands in brackets or
    behind a semicolon is a remark.

    Parameters
    ----------
    answer : str or sequence of str
    among : str
        The letters that there are, as capitals.
    """
    said = re.split("[(;]", " ".join(map(str, np.ravel(answer))).upper())[0]
    return "".join(re.findall(rf"\b[{among}]+\b", said))


def apart(value: float, other: float, name: str, unit: str, digits: int) -> str:
    """Say where a number lies beside another one, such as "0.012 stars below the lesson's".

    Parameters
    ----------
    value, other : float
    name : str
        Of the other one.
    unit : str
    digits : int
        After the point.
    """
    distance = f"{abs(value - other):.{digits}f}"
    if not float(distance):
        return f"level with {name}"
    return f"{distance} {unit} {'above' if value > other else 'below'} {name}"


def judge(
    check: Callable[..., Verdict], answers: Mapping[str, Any], seed: int = 0
) -> Verdict:
    """Run one check on the answers it asks for by name.

    Nothing that a student may have written raises an error here.

    Parameters
    ----------
    check : callable
        A parameter called ``rng`` gets a random generator; any other the answer of its name.
    answers : mapping
        Answers by name. One that is missing, None or ``...`` is not done yet; so is a function
        that returns one of these.
    seed : int
        For ``rng``. Another seed asks the same questions about other numbers.
    """
    try:
        given = {
            name: np.random.default_rng(seed)
            if name == "rng"
            else _watched(name, answers)
            for name in inspect.signature(check).parameters
        }
        return check(**given)
    except _NotDoneError as reason:
        return Verdict(NOT_DONE_YET, str(reason))
    except _AnswerError as wrapped:
        # The first frame is the wrapper's; those below it are the student's.
        error, frames = wrapped.__cause__, wrapped.__cause__.__traceback__.tb_next
        shown = "".join(
            traceback.format_exception(type(error), error, frames, chain=False)
        )
        return hint(
            "raises", f"{wrapped} The last line says which.\n\n{shown.rstrip()}"
        )
    except Exception as error:
        return hint(
            "form",
            "The answer does not have the form that the task asks for, so it could not be "
            f"compared. Python says: {error}",
        )


def load_checks(exercise: str) -> dict[int, Callable[..., Verdict]]:
    """Return the checks of an exercise such as ``"01_data_structures"``, by number of the task.

    Raises
    ------
    ValueError
        If there is no exercise of this name.
    """
    names = sorted(
        module.name[1:]
        for module in pkgutil.iter_modules(__path__)
        if module.name[0] == "_"
    )
    if exercise not in names:
        raise ValueError(
            f"there is no exercise {exercise!r}, but there are {', '.join(names)}"
        )
    return checks_in(importlib.import_module(f"{__name__}._{exercise}"))


def checks_in(module: ModuleType) -> dict[int, Callable[..., Verdict]]:
    """Return the checks of a module, by number of the task."""
    return {
        int(name.removeprefix("check_")): function
        for name, function in vars(module).items()
        if name.startswith("check_")
    }


def checker(exercise: str) -> Callable[..., None]:
    """Return the function with which a student checks an answer.

    Parameters
    ----------
    exercise : str
        Name of the exercise, such as ``"01_data_structures"``.

    Returns
    -------
    callable
        ``check(task, *answers)`` prints what is to be said about the answers to a task, and
        ``check()`` which tasks are done, as far as they have been checked since.

    Raises
    ------
    ValueError
        If there is no exercise of this name.
    """
    checks = load_checks(exercise)
    states = dict.fromkeys(checks, NOT_DONE_YET)

    def check(task: int | None = None, *answers: Any) -> None:
        if task is None:
            print(_overview(states))
            return
        names = [
            name for name in inspect.signature(checks[task]).parameters if name != "rng"
        ]
        verdict = judge(checks[task], dict(zip(names, answers, strict=True)))
        states[task] = verdict.state
        said, *trace = (
            f"{_said(task, verdict.state)}. {verdict.message}".rstrip().split("\n\n", 1)
        )
        print("\n\n".join([textwrap.fill(said, 88), *trace]))

    return check


def _said(task: int, state: str) -> str:
    return f"{_SIGNS[state]} Task {task}: {state}"


def _overview(states: Mapping[int, str]) -> str:
    """Return one line for each task, and one that sums them up."""
    n_passed = list(states.values()).count(PASSED)
    are_done = (
        f"{n_passed} of {len(states)} tasks {'is' if n_passed == 1 else 'are'} done."
    )
    if n_passed == len(states):
        are_done = f"All {n_passed} tasks are done."
    return "\n".join([*(_said(*item) for item in states.items()), are_done])


def _watched(name: str, answers: Mapping[str, Any]) -> Any:
    """Return an answer; a function among them reports its own errors and whether it is done."""
    answer = answers.get(name)
    if _is_open(answer):
        raise _NotDoneError("")
    if not callable(answer):
        return answer

    def watched(*args, **kwargs):
        try:
            result = answer(*args, **kwargs)
        except Exception as error:
            raise _AnswerError(f"Your `{name}` stopped with an error.") from error
        if _is_open(result):
            raise _NotDoneError(f"(`{name}` returns nothing so far.)")
        return result

    return watched


def _is_open(answer: Any) -> bool:
    parts = answer if isinstance(answer, tuple) else (answer,)
    return any(part is None or part is ... for part in parts)
