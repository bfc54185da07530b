"""Progress bars for long work."""

import os
from collections.abc import Iterable
from typing import Any

from tqdm.auto import tqdm


def progress_bar(iterable: Iterable | None = None, *, shown: bool, **options: Any) -> tqdm:
    """Return a tqdm bar, shown or not; the environment variable TQDM_DISABLE=1 hides all of them.

    Parameters
    ----------
    iterable : iterable, optional
        What to go through; without it the caller updates the bar.
    shown : bool
        Whether the caller wants to see it.
    **options
        Passed on to tqdm.
    """
    # Asked here, because tqdm's bar for notebooks does not look at the environment.
    hidden = os.environ.get("TQDM_DISABLE", "") not in ("", "0")
    return tqdm(iterable, disable=hidden or not shown, **options)
