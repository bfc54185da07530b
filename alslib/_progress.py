"""Progress bars for long work."""

import io
import os
import sys
from collections.abc import Iterable
from typing import Any

from tqdm.std import tqdm  # tqdm.auto would import asyncio, with ssl, and leave widgets behind

# Work that is over sooner than this shows no bar.
SECONDS_UNTIL_SHOWN = 5.0


class _Bar(tqdm):
    """A bar whose estimates rest on what came after the first unit.

    During the first unit numba may have compiled for longer than all others take together.
    """

    _after_first: tuple[float, float] | None = None  # units done, and seconds since the start

    def update(self, n: float | None = 1) -> bool | None:
        """Count further units; those of the first call say nothing about how fast others are."""
        displayed = super().update(n)
        if not self.disable and self._after_first is None and self.n > self.initial:
            self._after_first = self.n, self.format_dict["elapsed"]
        return displayed

    def reset(self, total: float | None = None) -> None:
        """Start again from nothing."""
        self._after_first = None
        super().reset(total)

    @property
    def format_dict(self) -> dict[str, Any]:
        """What a bar is drawn from. A rate of 0 is none: tqdm writes ``?`` for it."""
        drawn = super().format_dict
        n, seconds = self._after_first or (drawn["n"], drawn["elapsed"])
        is_known = drawn["n"] > n and drawn["elapsed"] > seconds
        drawn["rate"] = (drawn["n"] - n) / (drawn["elapsed"] - seconds) if is_known else 0
        return drawn


class _CellOutput(io.TextIOBase):
    """A stream whose last line is one output of the running cell, and no output when it is blank.

    A bar that is a widget would stay in a notebook that is saved: as the text of its first moment,
    or as an error, because nobody knows the widget any more.
    """

    encoding = "utf-8"

    def __init__(self):
        self._handle = None

    def write(self, text: str) -> int:
        """Show a line in the place of the one before."""
        from IPython.display import display  # there is one, because we run in its kernel

        line = text.strip()
        if self._handle is not None:
            self._handle.update({"text/plain": line} if line else {}, raw=True)
        elif line:
            self._handle = display({"text/plain": line}, raw=True, display_id=True)
        return len(text)


def progress_bar(iterable: Iterable | None = None, *, shown: bool, **options: Any) -> tqdm:
    """Return a tqdm bar; the environment variable TQDM_DISABLE=1 hides all of them.

    It appears when the work has taken `SECONDS_UNTIL_SHOWN`, and at the next step.
    In a notebook the bar goes when the work is done, and nothing of it is saved.

    Parameters
    ----------
    iterable : iterable, optional
        What to go through; without it the caller updates the bar.
    shown : bool
        Whether the caller wants to see it.
    **options
        Passed on to tqdm.
    """
    # Asked here, because tqdm asks only once, when it is imported.
    hidden = os.environ.get("TQDM_DISABLE", "") not in ("", "0")
    if _in_notebook():
        options |= {"file": _CellOutput(), "leave": False, "position": 0}
    return _Bar(iterable, disable=hidden or not shown, delay=SECONDS_UNTIL_SHOWN, **options)


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    return getattr(ipython and ipython.get_ipython(), "kernel", None) is not None
