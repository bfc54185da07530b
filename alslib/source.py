"""Reading the package from a lesson: the code that runs is the code that is shown."""

import inspect
from collections.abc import Callable


def show_source(what: Callable) -> None:
    """Print the source of a function, a method, a class or a compiled kernel.

    Parameters
    ----------
    what : callable
        Such as `Ratings.select` or `alslib.kernels.rows.group_by_row`.

    Raises
    ------
    TypeError
        If this is nothing that was written in Python.
    """
    print(inspect.getsource(what), end="")
