"""Reading the package from a lesson: the code that runs is the code that is shown."""

import importlib
import inspect
from collections.abc import Callable

from alslib import _kernels


def show_source(what: str | Callable) -> None:
    """Print the source of a function, a method or a compiled kernel.

    Parameters
    ----------
    what : str or callable
        A function, method or class of the package, the name of a kernel, such as
        ``"group_by_row"``, or that of an inner function with its module, such as
        ``"profile.solve_profile"``.

    Raises
    ------
    ValueError
        If there is nothing of this name.
    """
    if isinstance(what, str) and "." in what:
        what = _inner(what)
    elif isinstance(what, str):
        kernels = vars(_kernels)
        if not hasattr(kernels.get(what), "py_func"):
            raise ValueError(f"alslib has no kernel {what!r}")
        what = kernels[what].py_func
    print(inspect.getsource(what), end="")


def _inner(name: str) -> Callable:
    module, _, function = name.partition(".")
    try:
        return getattr(importlib.import_module(f"alslib.{module}"), function)
    except (ImportError, AttributeError):
        raise ValueError(f"alslib has no function {name!r}") from None
