"""Recommender systems from scratch with alternating least squares: the course in code.

A public name is imported when it is first asked for, so nobody waits for what they do not use: who
reads ratings not for the compiler, who fits a model not for what only lists or power laws need.
"""

import ast
import importlib
from pathlib import Path
from typing import Any

# The one list of public names and of where they are is the stub, which editors read, too.
_STUB = ast.parse(Path(__file__).with_suffix(".pyi").read_text("utf-8"))
_MODULE_OF = {
    alias.name: statement.module
    for statement in _STUB.body
    if isinstance(statement, ast.ImportFrom)
    for alias in statement.names
}

# A star import shall not ask for an extra.
__all__ = sorted(_MODULE_OF.keys() - {"SpreadRatings", "widgets"})


def __getattr__(name: str) -> Any:
    """Import a public name, and keep it; see PEP 562."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = importlib.import_module(_MODULE_OF[name])
    # As `from home import name` does: what a folder does not hold is a module in it.
    value = getattr(home, name, None) or importlib.import_module(f"{home.__name__}.{name}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULE_OF})
