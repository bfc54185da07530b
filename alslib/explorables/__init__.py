"""Figures that a reader moves by hand, on a page without kernel or server.

An explorable is a small ES module in this folder. It exports ``mount(element, data)``, which fills
an empty element, and the functions that compute what it shows, which the tests compare with the
package. All share ``shared.js`` and ``shared.css``; a large one has parts in a folder of its name,
and may have a style beside it.

A page from a disk may load neither modules nor JSON. So module and data become one plain script:
`explore` puts it into the output of a cell, where it works without the kernel once it is shown;
``book/_ext/explorables.py`` puts it beside the pages, for data that are too large for an output.
"""

from __future__ import annotations

import json
import posixpath
import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from alslib._extras import needed_for

with needed_for("drawing figures", extra="plots"):
    from IPython.display import publish_display_data
    from matplotlib.figure import Figure

    from alslib import plots

__all__ = ["EXPLORABLES", "bundle", "explore", "script", "style"]

_FOLDER = Path(__file__).parent
EXPLORABLES = tuple(sorted(path.stem for path in _FOLDER.glob("*.js") if path.stem != "shared"))
_IMPORT = re.compile(r'^import \{([^}]*)\} from "(\.\.?/[\w/]+)\.js";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:const|function) (\w+))", re.MULTILINE)
_NOT_KNOWN = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)


def explore(name: str, figure: Figure, alt: str, **data: Any) -> None:
    """Show a figure, and in its place, where scripts run, one that can be moved.

    The cell has two outputs: the figure, which is its first state and stays where scripts do not
    run, as on GitHub, and on paper; and the explorable, which hides the figure.

    Parameters
    ----------
    name : str
        One of `EXPLORABLES`.
    figure : matplotlib.figure.Figure
        The first state. It is closed.
    alt : str
        What a reader who cannot see the figure needs to know.
    **data
        What the head of the module asks for: numbers, strings, lists, dicts, or arrays of any
        shape. Floats should be as rounded as they are shown.

    Raises
    ------
    ValueError
        If there is no such explorable, a number is not finite, or `alt` is blank.
    """
    live = script(name, data)
    plots.show(figure, alt)
    html = (
        f'<div class="als-explorable" data-name="{name}"></div>'
        f"<style>{style(name)}</style><script>{live}</script>"
    )
    publish_display_data(data={"text/html": html, "text/plain": f"An explorable: {name}"})


def script(name: str, data: Any) -> str:
    """Return the plain script that fills the places of an explorable on a page.

    Raises
    ------
    ValueError
        If there is no such explorable, or a number is not finite.
    """
    if name not in EXPLORABLES:
        raise ValueError(f"no explorable {name!r}; there are {', '.join(EXPLORABLES)}")
    text = json.dumps(
        data, default=_plain, allow_nan=False, ensure_ascii=False, separators=(",", ":")
    ).replace("<", "\\u003c")  # no title can end the script
    return f"{bundle(name)}\nalsExplorables.start({json.dumps(name)}, {text});\n"


def style(name: str) -> str:
    """Return the style that all explorables share, and what one adds to it."""
    paths = (_FOLDER / f"{part}.css" for part in ("shared", name))
    return "".join(path.read_text("utf-8") for path in paths if path.exists())


@cache
def bundle(name: str) -> str:
    """Return a module with all that it imports as one plain script, for pages and for tests.

    The script leaves behind ``alsExplorables[name]`` with all that the module exports, and
    ``alsExplorables.start``.

    Raises
    ------
    ValueError
        If a module imports what the other does not export, if modules import each other, or if
        one uses a form other than ``import { … } from "./….js";``, ``export const`` and ``export
        function``.
    """
    exported: dict[str, list[str]] = {}
    done: list[str] = []

    def add(module: str, *importing: str) -> None:
        """Add a module once, after those that it imports."""
        if module in importing:
            raise ValueError(f"modules import each other: {' > '.join((*importing, module))}")
        if module in exported:
            return

        def linked(statement: re.Match[str]) -> str:
            names, place = statement.groups()
            other = posixpath.normpath(posixpath.join(posixpath.dirname(module), place))
            add(other, *importing, module)
            missing = {name.strip() for name in names.split(",")} - {"", *exported[other]}
            if missing:
                raise ValueError(f"{other}.js does not export what {module}.js asks for: {missing}")
            return f"const {{{names}}} = modules[{json.dumps(other)}];"

        source = _IMPORT.sub(linked, (_FOLDER / f"{module}.js").read_text("utf-8"))
        exported[module] = _EXPORT.findall(source)
        source = _EXPORT.sub("", source)
        if unknown := _NOT_KNOWN.search(source):
            raise ValueError(f"{module}.js: no known form of import or export: {unknown[0]}")
        returned = f"return {{ {', '.join(exported[module])} }};"
        done.append(f"modules[{json.dumps(module)}] = (() => {{\n{source}{returned}\n}})();\n")

    add("shared")
    add(name)
    return f"""(() => {{
"use strict";
const modules = {{}};
{"".join(done)}globalThis.alsExplorables ??= {{}};
alsExplorables.start = modules.shared.start;
alsExplorables[{json.dumps(name)}] = modules[{json.dumps(name)}];
}})();"""


def _plain(value: Any) -> Any:
    """Return arrays and their numbers as JSON knows them."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} cannot be shown on a page")
