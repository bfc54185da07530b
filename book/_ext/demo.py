"""The demo: a recommender that lives on the page, without kernel or server.

It stands in a page or in a Markdown cell of a lesson, once, as plain HTML, which shows its text
wherever the notebook is read::

    <div class="als-demo">

    Here the page has a recommender to try.

    </div>

Where JavaScript runs, the scripts of ``book/_static/demo`` put the demo in place of the text; only
pages with a demo load them. One of them, ``data.js``, holds the movies and is made here, by fitting
the model of lesson 6 to the ratings that come with the package. It is a script and not JSON because
a page on a disk may not load JSON.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.builders import Builder
from sphinx.errors import ExtensionError

from alslib import FeatureALS, Ratings, export_json, load_movielens, movie_features

DATA = "demo/data.js"
# In the order in which they build on each other.
SCRIPTS = (
    DATA,
    *(f"demo/{name}.js" for name in ("model", "preferences", "dom", "search", "map", "view")),
)
STYLE = "demo/demo.css"
PLACE = '<div class="als-demo">'


def n_demos(doctree: nodes.document) -> int:
    """Return how many places for a demo a page has."""
    return sum(PLACE in raw.astext() for raw in doctree.findall(nodes.raw))


def refuse_two(app: Sphinx, doctree: nodes.document) -> None:
    """Two demos on a page would have the same ids."""
    if n_demos(doctree) > 1:
        raise ExtensionError(f"{app.env.docname}: a page has room for one demo")


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
    if doctree is not None and n_demos(doctree):
        for script in SCRIPTS:
            app.add_js_file(script, loading_method="defer")
        app.add_css_file(STYLE)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register what a page with a demo needs."""
    app.connect("doctree-read", refuse_two)
    app.connect("write-started", write_data)
    app.connect("html-page-context", add_files, priority=400)  # `pages` copies the list at 500
    return {"parallel_read_safe": True, "parallel_write_safe": True}
