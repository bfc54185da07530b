"""Progress bars for long work."""

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
    # Saying disable=False would overrule the environment.
    return tqdm(iterable, **options) if shown else tqdm(iterable, disable=True, **options)
