"""Figures for the book: one style, one palette, and no figure without alternative text.

The colours are those of Okabe and Ito (2008), chosen to stay apart under every common form of
colour blindness. ``ORANGE`` and ``SKY`` are light: good for areas and thick lines, too faint for
text on white.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Mapping, Sequence
from xml.etree import ElementTree

from alslib._extras import needed_for

with needed_for("drawing figures", extra="plots"):
    import matplotlib as mpl
    import matplotlib.pyplot as plt
    from cycler import cycler
    from IPython.display import publish_display_data
    from matplotlib.collections import PathCollection
    from matplotlib.figure import Figure
    from PIL import Image

__all__ = [
    "BLUE",
    "GREEN",
    "GREY",
    "ORANGE",
    "PURPLE",
    "RED",
    "SKY",
    "show",
    "use_style",
]

BLUE = "#0072B2"
ORANGE = "#E69F00"
GREEN = "#009E73"
RED = "#D55E00"  # Okabe and Ito call it vermillion
PURPLE = "#CC79A7"
SKY = "#56B4E9"
GREY = "#6B7075"

_COORDINATES = {"d", "height", "transform", "width", "x", "y"}
_SVG = "{http://www.w3.org/2000/svg}"
CSS_PIXELS_PER_INCH = 96
PNG_PIXELS_PER_CSS_PIXEL = 2  # sharp on high-density screens

_STYLE = {
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.labelsize": 11,
    "axes.prop_cycle": cycler(color=[BLUE, ORANGE, GREEN, RED, PURPLE, SKY, GREY]),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 12,
    # Opaque white: the dark mode of the book dims the picture, and a notebook in a dark editor
    # would show black labels on a black page through a transparent one.
    "axes.facecolor": "white",
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "savefig.transparent": False,
    "figure.constrained_layout.use": True,
    "figure.dpi": CSS_PIXELS_PER_INCH,
    "figure.figsize": (7.0, 4.0),
    "figure.titlesize": 12,
    "font.size": 11,
    "grid.color": "#D9DCDF",
    "grid.linewidth": 0.6,
    "legend.fontsize": 10,
    "legend.framealpha": 1.0,
    "lines.linewidth": 2.0,
    "lines.markersize": 5.0,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
}


def use_style() -> None:
    """Draw every later matplotlib figure in the style of the book.

    Sets ``matplotlib.rcParams``: colour-blind-safe colour cycle, readable sizes, white opaque
    background, thin grid behind the data, constrained layout. Calling it twice changes nothing.
    """
    mpl.rcParams.update(_STYLE)


def show(
    fig: Figure, alt: str, hover: Mapping[PathCollection, Sequence[str]] | None = None
) -> None:
    """Show a figure in a notebook as a PNG with alternative text, then close it.

    The picture has two pixels for each CSS pixel and is shown at its nominal size, so that it is
    sharp on high-density screens. The alternative text goes into the output twice: as metadata of
    the picture, from which the book takes the ``alt`` attribute, and as the plain-text form of the
    output, which the notebook tests compare. Compute the numbers in it with an f-string.

    Parameters
    ----------
    fig
        The figure.
    alt
        What a reader who cannot see the figure needs to know: the kind of plot, its axes, and what
        it shows.
    hover
        For each scatter of the figure the titles of its points, shown when a pointer rests on
        them. The figure is then an SVG in the page, which needs no script and no network.

    Raises
    ------
    ValueError
        If `alt` is empty or blank, or a scatter has more or fewer points than titles. The figure
        stays open.
    """
    if not alt.strip():
        raise ValueError("a figure needs alternative text: say in `alt` what it shows")
    if hover:
        svg = _titled_svg(fig, alt, hover)
        plt.close(fig)
        publish_display_data(data={"text/html": svg, "text/plain": alt})
        return
    png = _png(fig)
    width = round(fig.get_figwidth() * CSS_PIXELS_PER_INCH)
    plt.close(fig)
    publish_display_data(
        data={"image/png": png, "text/plain": alt},
        metadata={"image/png": {"alt": alt, "width": width}},
    )


def _png(fig: Figure) -> bytes:
    """Draw a figure as a PNG of 256 colours, which no eye tells from one of millions."""
    full, small = io.BytesIO(), io.BytesIO()
    fig.savefig(full, format="png", dpi=CSS_PIXELS_PER_INCH * PNG_PIXELS_PER_CSS_PIXEL)
    picture = Image.open(full).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    picture.save(small, format="png", optimize=True)
    return small.getvalue()


def _titled_svg(fig: Figure, alt: str, hover: Mapping[PathCollection, Sequence[str]]) -> str:
    """Draw a figure as an SVG whose points have titles."""
    for number, (dots, titles) in enumerate(hover.items()):
        n_points = len(dots.get_offsets())
        if n_points != len(titles):
            raise ValueError(f"a scatter has {n_points} points and {len(titles)} titles")
        dots.set_gid(f"hover-{number}")
    drawn = io.BytesIO()
    # Text stays text, and nothing in the file changes from one run to the next.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "alslib"}):
        fig.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None})
    ElementTree.register_namespace("", _SVG.strip("{}"))
    ElementTree.register_namespace("xlink", "http://www.w3.org/1999/xlink")
    root = ElementTree.fromstring(drawn.getvalue())
    for number, titles in enumerate(hover.values()):
        group = root.find(f".//{_SVG}g[@id='hover-{number}']")
        for point, title in zip(group.iter(f"{_SVG}use"), titles, strict=True):
            ElementTree.SubElement(point, f"{_SVG}title").text = title
    ids = []
    for element in root.iter():
        for name in _COORDINATES.intersection(element.keys()):
            element.set(name, re.sub(r"-?\d+\.\d{3,}", _hundredth, element.get(name)))
        if element.tag == f"{_SVG}g":
            element.attrib.pop("id", None)
        elif "id" in element.keys():  # noqa: SIM118, an element is not its attributes
            ids.append(element.get("id"))
    root.set("role", "img")
    root.set("aria-label", alt)
    root.set("style", "max-width: 100%; height: auto")
    svg = ElementTree.tostring(root, encoding="unicode")
    # Several figures share a page, where ids must be unique. Matplotlib's own hang on the last bits
    # of what is drawn, and so on the processor.
    figure = hashlib.sha256(alt.encode()).hexdigest()[:8]
    for number, name in enumerate(ids):
        svg = svg.replace(f'"{name}"', f'"{figure}-{number}"').replace(
            f"#{name}", f"#{figure}-{number}"
        )
    return svg


def _hundredth(number: re.Match) -> str:
    """Round a coordinate to what nobody sees any more."""
    return f"{float(number[0]):.2f}"
