"""The modules of the explorables, in a browser, without a page around them."""

import pytest

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
