"""What Jupyter Book sends along with each page, and no page shows.

- A progress bar that has come and gone leaves the state of its widget in the page, hundreds of
  kilobytes for a long lesson. On a page that shows no widget the state is dropped.
- The theme brings some two thousand icons, twice: as fonts and as a script that draws them. The
  script is emptied, for the fonts suffice, and they keep the icons that are used. Both were
  most of what a first visit to a page without formulas loaded.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from docutils import nodes
from fontTools import subset
from myst_nb.core.render import WIDGET_STATE_MIMETYPE, WIDGET_VIEW_MIMETYPE
from sphinx.application import Sphinx

# `.fa-sun:before{content:"\f185"}`, sometimes for several names of one icon.
ICON = re.compile(r'((?:\.fa-[\w-]+:before,?)+)\{content:"\\([0-9a-f]+)"\}')
# An icon that a style names by its place in the font, as a letter or escaped.
PLACE = re.compile(r"[\ue000-\uf8ff]|(?<=\\)[ef][0-9a-f]{3}")


def drop_unseen_widgets(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document
) -> None:
    """Leave the state of widgets out of a page that does not show any."""
    if WIDGET_VIEW_MIMETYPE not in context.get("body", ""):
        context["script_files"] = [
            script
            for script in context["script_files"]
            if getattr(script, "attributes", {}).get("type") != WIDGET_STATE_MIMETYPE
        ]


def icons_in_use(html: Path) -> set[int]:
    """Return the places in the fonts of all icons that pages, scripts and styles name."""
    texts = {
        kind: "\n".join(path.read_text("utf-8") for path in html.rglob(f"*.{kind}"))
        for kind in ("css", "html", "js")
    }
    named = set(re.findall(r"\bfa-[\w-]+", texts["html"] + texts["js"]))
    places = {
        int(place, 16)
        for names, place in ICON.findall(texts["css"])
        if named & set(re.findall(r"fa-[\w-]+", names))
    }
    others = PLACE.findall(ICON.sub("", texts["css"]))
    return places | {ord(place) if len(place) == 1 else int(place, 16) for place in others}


def cut_icons(app: Sphinx, failed: Exception | None) -> None:
    """Empty the script with the icons, and leave in the fonts those that are used."""
    if failed or app.builder.format != "html":
        return
    static = Path(app.outdir, "_static")
    script = static / "scripts" / "fontawesome.js"
    script.write_text("/* The icons come from the fonts: see book/_ext/ballast.py. */\n", "ascii")
    places = icons_in_use(Path(app.outdir))
    for whole in (static / "vendor" / "fontawesome" / "webfonts").glob("*.ttf"):
        options = subset.Options(flavor="woff2")
        font = subset.load_font(whole, options)
        cutter = subset.Subsetter(options)
        cutter.populate(unicodes=places)
        cutter.subset(font)
        subset.save_font(font, whole.with_suffix(".woff2"), options)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register both with Sphinx."""
    app.connect("html-page-context", drop_unseen_widgets)
    app.connect("build-finished", cut_icons)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
