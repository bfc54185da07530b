"""The modules of the explorables, in a browser, without a page around them."""

import ast

import nbformat
import pytest
from notebooks import ROOT

from alslib.explorables import bundle


@pytest.fixture(scope="session")
def module(new_context):
    """Call what a module exports: ``module("bowl")("lowest", movies, 2)``."""
    page = new_context().new_page()

    def of(name):
        page.evaluate(bundle(name))
        return lambda function, *arguments: page.evaluate(
            "([name, f, arguments]) => alsExplorables[name][f](...arguments)",
            [name, function, list(arguments)],
        )

    return of


@pytest.fixture(scope="session")
def functions_of():
    """Return the functions of some cells of a lesson: ``functions_of("09_at_scale", ids)``."""

    def of(lesson, ids, **names):
        found = names
        for cell in nbformat.read(ROOT / "lessons" / f"{lesson}.ipynb", as_version=4).cells:
            if cell.id in ids:
                body = ast.parse(cell.source).body
                functions = [part for part in body if isinstance(part, ast.FunctionDef)]
                exec(compile(ast.Module(functions, []), cell.id, "exec"), found)
        return found

    return of
