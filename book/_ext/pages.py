"""What the pages need beyond Jupyter Book: alternative text and sizes of figures, and descriptions.

- ``alslib.plots.show`` stores the alternative text of a figure as ``alt`` in the metadata of the
  output. MyST-NB takes width and height of a picture from there, but not ``alt``; this extension
  adds it.
- A browser that knows the height of a figure keeps room for it: without, the text below would jump
  when the figure comes. MyST-NB gives it the width alone.
- A page may describe itself for search engines and for those who share its address:
  ``description`` in the front matter, or under ``book`` in the metadata of a notebook. Without one
  the first sentences of the page serve.
"""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

import imagesize
from docutils import nodes
from myst_nb.core.render import MimeData, NbElementRenderer
from sphinx.application import Sphinx

render_image_without_alt = NbElementRenderer.render_image
FIGURE = re.compile(r'src="[./]*/_images/([\w-]+\.png)"')


def render_image(self: NbElementRenderer, data: MimeData) -> list[nodes.Element]:
    """Render an image output of a cell, with the ``alt`` of the output's metadata if it has one."""
    images = render_image_without_alt(self, data)
    alt = data.output_metadata.get(data.mime_type, {}).get("alt")
    if alt:
        for image in images:
            image["alt"] = alt
    return images


def keep_room(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document
) -> None:
    """Say how large the figures are."""
    files = {name: file for file, name in app.builder.images.items()}

    def sized(figure: re.Match[str]) -> str:
        width, height = imagesize.get(Path(app.srcdir, files[figure[1]]))
        return f'{figure[0]} width="{width}" height="{height}"'

    if "body" in context:
        context["body"] = FIGURE.sub(sized, context["body"])


def add_description(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document
) -> None:
    """Put the description of a page into its head, where sphinxext.opengraph finds it too."""
    if doctree is None or context["meta"] is None:  # the search page; the edition on one page
        return
    fields = context["meta"]
    source = Path(app.env.doc2path(pagename))
    if source.suffix == ".ipynb":
        fields.update(json.loads(source.read_text("utf-8"))["metadata"].get("book", {}))
    if "description" in fields:
        description = " ".join(fields["description"].split())
        fields["og:description"] = description
        context["metatags"] += f'<meta name="description" content="{html.escape(description)}" />'


def typeset_one_page(app: Sphinx) -> None:
    """Let the edition on one page load MathJax, which Sphinx does not find out by itself."""
    if app.builder.name == "singlehtml":
        app.set_html_assets_policy("always")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register all of it with Sphinx."""
    NbElementRenderer.render_image = render_image
    app.connect("builder-inited", typeset_one_page)
    app.connect("html-page-context", keep_room)
    app.connect("html-page-context", add_description, priority=400)  # opengraph comes at 500
    return {"parallel_read_safe": True, "parallel_write_safe": True}
