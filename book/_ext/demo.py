"""The directive ``demo``: a recommender that lives on the page, without kernel or server.

It stands in a page or in a Markdown cell of a lesson, once::

    ```{demo}
    Here the page has a recommender to try.
    ```

Its text is what a reader sees who has no JavaScript, or reads the notebook elsewhere. The scripts
of ``book/_static/demo`` do the rest; only pages with a demo load them. One of them, ``data.js``,
holds the movies and is made here, by fitting the model of lesson 6 to the ratings that come with
the package. It is a script and not JSON because a page on a disk may not load JSON.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.builders import Builder
from sphinx.util.docutils import SphinxDirective
from sphinx.writers.html5 import HTML5Translator

from alslib import FeatureALS, Ratings, export_json, load_movielens, movie_features

DATA = "demo/data.js"
# In the order in which they build on each other.
SCRIPTS = (
    DATA,
    *(f"demo/{name}.js" for name in ("model", "preferences", "dom", "search", "map", "view")),
)
STYLE = "demo/demo.css"


class demo(nodes.General, nodes.Element):
    """The place of the demo (docutils writes nodes small); children are for want of JavaScript."""


class Demo(SphinxDirective):
    """Read the directive."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return the place, or refuse a second one: two would have the same ids."""
        self.assert_has_content()
        if any(self.state.document.findall(demo)):
            raise self.error("a page has room for one demo")
        return [demo("", *self.parse_content_to_nodes())]


def visit_demo(self: HTML5Translator, node: demo) -> None:
    """Open the element that view.js fills."""
    self.body.append('<div class="als-demo"><noscript>\n')


def depart_demo(self: HTML5Translator, node: demo) -> None:
    """Close it."""
    self.body.append("</noscript></div>\n")


def write_data(app: Sphinx, builder: Builder) -> None:
    """Fit the model and put it beside the other scripts, before pages are written."""
    if builder.format != "html":
        return
    movielens = load_movielens()
    model = FeatureALS(n_factors=32).fit(
        Ratings.from_frame(movielens.ratings),
        progress=False,
        item_features=movie_features(movielens.movies),
    )
    with tempfile.TemporaryDirectory() as folder:
        exported = Path(folder) / "model.json"
        export_json(exported, model, movielens)
        text = exported.read_text("ascii")
    script = Path(app.outdir, "_static", DATA)
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(f"globalThis.alsDemoData = {text};\n", "ascii")


def add_files(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document
) -> None:
    """Let a page with a demo, and no other, load the scripts and the style."""
    if doctree is not None and any(doctree.findall(demo)):
        for script in SCRIPTS:
            app.add_js_file(script, loading_method="defer")
        app.add_css_file(STYLE)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive and what it needs."""
    app.add_node(demo, html=(visit_demo, depart_demo))
    app.add_directive("demo", Demo)
    app.connect("write-started", write_data)
    app.connect("html-page-context", add_files, priority=400)  # `pages` copies the list at 500
    return {"parallel_read_safe": True, "parallel_write_safe": True}
