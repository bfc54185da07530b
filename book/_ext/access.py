"""What screen readers stumble over in the pages as Sphinx and the theme make them.

Each of these was found by axe-core, which the tests run on every page; `book/_templates` holds one
more. When one of them is mended upstream, its lines here can go.
"""

from __future__ import annotations

import re
from typing import Any

from bs4 import BeautifulSoup
from docutils import nodes
from sphinx.application import Sphinx

# The corner of a table of pandas, and of one in Markdown whose first column needs no name.
EMPTY_HEADER = re.compile(r"<th\b([^>]*)>((?:\s|</?p>)*)</th>")
# Roles of docutils that are deprecated, or that promise children of another kind.
ROLES = re.compile(
    r'(?<=<div class="citation" )(id="[^"]*") role="doc-biblioentry"'
    r'|role="list" (?=class="citation-list")'
)


def mend_body(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document
) -> None:
    """Turn empty headings of tables into plain cells, and take wrong roles off citations."""
    if "body" in context:
        body = EMPTY_HEADER.sub(r"<td\1>\2</td>", context["body"])
        context["body"] = ROLES.sub(lambda role: role[1] or "", body)


def name_toggles(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document
) -> None:
    """Let each arrow in the table of contents say what it unfolds."""
    unnamed = context.get("generate_toctree_html")
    if unnamed is None:
        return

    def named(*args: Any, **kwargs: Any) -> BeautifulSoup | str:
        contents = unnamed(*args, **kwargs)
        for summary in contents.select("summary") if contents else ():
            page = summary.find_parent("li").a.get_text(strip=True)
            summary["aria-label"] = f"Pages below {page}"
        return contents

    context["generate_toctree_html"] = named


def setup(app: Sphinx) -> dict[str, bool]:
    """Register both with Sphinx, after the theme."""
    app.connect("html-page-context", mend_body, priority=900)
    app.connect("html-page-context", name_toggles, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
