"""Reading the package from a lesson: the code that runs is the code that is shown."""

import inspect
from collections.abc import Callable

from alslib import _kernels


def show_source(what: str | Callable) -> None:
    """Print the source of a function, a method or a compiled kernel.

    Parameters
    ----------
    what : str or callable
        A function, method or class of the package, or the name of a kernel, such as
        ``"group_by_row"``.

    Raises
    ------
    ValueError
        If no kernel has this name.
    """
    if isinstance(what, str):
        kernels = vars(_kernels)
        if not hasattr(kernels.get(what), "py_func"):
            raise ValueError(f"alslib has no kernel {what!r}")
        what = kernels[what].py_func
    print(inspect.getsource(what), end="")
