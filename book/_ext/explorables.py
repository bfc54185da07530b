"""Explorables in the text of a page, whose data are too large for the output of a cell.

A place for one stands in a page or in a Markdown cell of a lesson as plain HTML, which shows its
text wherever the notebook is read::

    <div class="als-explorable" data-name="recommender">

    Here the page has a recommender to try.

    </div>

Where scripts run, one script and one style for each name, made here, put the explorable in place
of the text; only pages with such a place load them. (`alslib.explore` shows all others.)
"""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.builders import Builder
from sphinx.errors import ExtensionError

from alslib import (
    Calibration,
    FeatureALS,
    ImplicitALS,
    MovieLens,
    Ratings,
    Recommender,
    export_json,
    leave_users_out_split,
    load_movielens,
    movie_features,
)
from alslib.explorables import script, style

FOLDER = "explorables"
# One that is shown by a cell is empty, and has its script beside it.
PLACE = re.compile(r'<div class="als-explorable" data-name="([^"]*)">(?!</div>)')


def fitted() -> tuple[Recommender, ImplicitALS, MovieLens]:
    """Fit the models of lessons 6 and 8 to the ratings that come with the package.

    How far off the stars are is measured on a third of the people, with a fit to the others.
    """
    movielens = load_movielens()
    ratings = Ratings.from_frame(movielens.ratings)
    features = movie_features(movielens.movies)

    def of_stars(part: Ratings, calibration: Calibration | None = None) -> Recommender:
        model = FeatureALS(n_factors=32).fit(part, progress=False, item_features=features)
        return Recommender(model, part, calibration)

    others, known, hidden = leave_users_out_split(ratings, 1 / 3, [0, 1, 2, 5, 10, 20])
    calibration = of_stars(others).calibrate(known, hidden)
    choices = ImplicitALS(32, lam=4, tau=40).fit(ratings, progress=False)
    return of_stars(ratings, calibration), choices, movielens


def recommender() -> dict[str, Any]:
    """Return what the page needs of the models."""
    of_stars, choices, movielens = fitted()
    with tempfile.TemporaryDirectory() as folder:
        exported = Path(folder) / "model.json"
        export_json(exported, of_stars, movielens, choices=choices)
        return json.loads(exported.read_text("ascii"))


DATA = {"recommender": recommender}


def places(doctree: nodes.document) -> list[str]:
    """Return the names of the explorables for which a page has a place."""
    return [name for raw in doctree.findall(nodes.raw) for name in PLACE.findall(raw.astext())]


def check_places(app: Sphinx, doctree: nodes.document) -> None:
    """Refuse a name without data, and two places of a name, which would have the same ids."""
    named = places(doctree)
    for name in named:
        if name not in DATA:
            raise ExtensionError(f"{app.env.docname}: nothing makes data for {name!r}")
        if named.count(name) > 1:
            raise ExtensionError(f"{app.env.docname}: a page has room for one {name}")


def write_files(app: Sphinx, builder: Builder) -> None:
    """Put scripts and styles beside the others, before pages are written."""
    if builder.format != "html":
        return
    folder = Path(app.outdir, "_static", FOLDER)
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in DATA.items():
        (folder / f"{name}.js").write_text(script(name, data()), "utf-8")
        (folder / f"{name}.css").write_text(style(name), "utf-8")


def add_files(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document
) -> None:
    """Let a page with a place, and no other, load what fills it."""
    if doctree is not None:
        for name in dict.fromkeys(places(doctree)):  # the edition on one page has some twice
            app.add_js_file(f"{FOLDER}/{name}.js", loading_method="defer")
            app.add_css_file(f"{FOLDER}/{name}.css")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register what a page with a place needs."""
    app.connect("doctree-read", check_places)
    app.connect("write-started", write_files)
    app.connect("html-page-context", add_files, priority=400)  # `pages` copies the list at 500
    return {"parallel_read_safe": True, "parallel_write_safe": True}
