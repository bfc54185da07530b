"""Bars can be turned off, promise nothing they cannot know, and leave nothing in a notebook."""

import io
import re

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from alslib._progress import progress_bar


@pytest.fixture
def clock(monkeypatch):
    """The time that bars see, in seconds: a list whose only number a test sets."""
    now = [1000.0]
    monkeypatch.setattr("tqdm.std.time", lambda: now[0])
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    return now


def test_a_bar_appears_when_the_work_takes_long(clock, capsys):
    for bar_after, seconds in ((False, 4.9), (True, 5.1)):
        with progress_bar(shown=True, total=2, mininterval=0) as bar:
            clock[0] += seconds
            bar.update()
            assert ("1/2" in capsys.readouterr().err) == bar_after


@pytest.mark.parametrize(
    ("shown", "variable", "seen"),
    [(True, None, True), (True, "0", True), (False, None, False), (True, "1", False)],
)
def test_a_bar_is_seen_unless_the_caller_or_the_environment_says_no(
    shown, variable, seen, bars_at_once, monkeypatch, capsys
):
    if variable is not None:
        monkeypatch.setenv("TQDM_DISABLE", variable)
    assert list(progress_bar(range(3), shown=shown)) == [0, 1, 2]
    assert ("100%" in capsys.readouterr().err) == seen


def test_nothing_is_promised_before_the_second_sweep_and_then_what_it_took(clock):
    """The first sweep compiles for 21 s; each of the others takes half a second."""
    with progress_bar(shown=True, total=51, unit="sweep", file=io.StringIO()) as bar:
        bar.update(0)
        assert "<?, ?sweep/s]" in str(bar)
        clock[0] += 21
        bar.update()
        assert "1/51 [00:21<?, ?sweep/s]" in str(bar)
        for n in range(2, 12):
            clock[0] += 0.5
            bar.update()
            assert f"{n}/51 [" in str(bar)
            assert f"<00:{(51 - n) // 2:02},  2.00sweep/s]" in str(bar)


def test_a_bar_that_starts_again_promises_nothing_again(clock):
    with progress_bar(shown=True, total=10, file=io.StringIO()) as bar:
        for _ in range(3):
            clock[0] += 1
            bar.update()
        assert "<00:07" in str(bar)
        bar.reset()
        clock[0] += 1
        assert "<?" in str(bar)


CELL = """
import os
os.environ.pop("TQDM_DISABLE", None)
from alslib import _progress

_progress.SECONDS_UNTIL_SHOWN = 0
print("before")
with _progress.progress_bar(shown=True, total=4, mininterval=0) as bar:
    for _ in range({n}):
        bar.update()
    {then}
print("after")
"""


@pytest.mark.parametrize(("n", "then"), [(4, "pass"), (2, "pass"), (2, "raise RuntimeError")])
def test_a_notebook_keeps_nothing_of_a_bar(n, then):
    """Not even when the work stops half-way, or fails."""
    notebook = new_notebook(cells=[new_code_cell(CELL.format(n=n, then=then))])
    seen = []

    class Client(NotebookClient):
        """Listen to what is sent for display meanwhile."""

        def process_message(self, message, cell, cell_index):
            seen.append(message)
            return super().process_message(message, cell, cell_index)

    Client(notebook, timeout=600, allow_errors=True).execute()
    drawn = [m["content"]["data"] for m in seen if "display_data" in m["msg_type"]]
    assert any(re.search(rf"{n}/4", data.get("text/plain", "")) for data in drawn), drawn
    nbformat.validate(notebook)
    saved = notebook.cells[0].outputs
    assert not notebook.metadata.get("widgets")
    assert saved[0].text == "before\n"
    assert [dict(o.data) for o in saved if o.output_type == "display_data"] == [{}]
    assert not any(o.get("name") == "stderr" for o in saved)
