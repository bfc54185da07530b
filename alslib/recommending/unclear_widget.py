"""Lesson 7: what a file of ratings leaves to choose in the demo, and what is not known there."""

from __future__ import annotations

import dataclasses
import html
from collections.abc import Callable, Hashable

from alslib._extras import needed_for
from alslib.recommending.own_ratings import OwnRating, OwnRatings

with needed_for("the demo", extra="widgets"):
    import ipywidgets

_NONE = ""  # a menu whose value is None shows a blank

_STYLE = """<style>
.alslib-unclear .widget-dropdown { flex-wrap: wrap; height: auto; align-items: center; }
.alslib-unclear .widget-label { flex: 1 1 12em; width: auto; height: auto; white-space: normal; }
.alslib-unclear select { flex: 1 1 16em; min-width: 0; height: 28px; }
.alslib-demo summary { cursor: pointer; min-height: 24px; }
</style>"""


class Unclear(ipywidgets.VBox):
    """A menu for each doubtful rating, one button for all of them, and the unknown movies, folded.

    Parameters
    ----------
    title_of : callable
        Returns the title of an item.

    Attributes
    ----------
    rate : Button
        To be pressed when something is chosen; see `take`.
    """

    def __init__(self, title_of: Callable[[Hashable], str]):
        self._title_of = title_of
        self._own = OwnRatings()
        self._menus: list[ipywidgets.Dropdown] = []
        self.rate = ipywidgets.Button(description="Rate the chosen", layout={"width": "10em"})
        super().__init__()
        self.add_class("alslib-unclear")

    def show(self, own: OwnRatings) -> None:
        """Show what a file leaves to choose, in place of what another one did."""
        self._own = own
        self._menus = [self._menu(one) for one in own.doubtful]
        head = ipywidgets.HTML(f"{_STYLE}{_paragraph(_remarks(own))}")
        which = [ipywidgets.HTML("<b>Which movie is it?</b>"), *self._menus, self.rate]
        unknown = [ipywidgets.HTML(_folded(own.unknown))]
        self.children = [
            head, *(which if own.doubtful else []), *(unknown if own.unknown else [])
        ]  # fmt: skip

    def take(self) -> dict[Hashable, float]:
        """Return what is chosen, movies with their ratings, and leave the rest to choose."""
        pairs = [*zip(self._own.doubtful, self._menus, strict=True)]
        chosen = {menu.value: one.rating for one, menu in pairs if menu.value != _NONE}
        rest = [one for one, menu in pairs if menu.value == _NONE]
        self.show(dataclasses.replace(self._own, doubtful=rest))
        return chosen

    def _menu(self, one: OwnRating) -> ipywidgets.Dropdown:
        name = f"{one}, {one.rating:g}\N{NO-BREAK SPACE}★"
        return ipywidgets.Dropdown(
            description=name,
            tooltip=name,
            options=[
                ("none of these", _NONE),
                *((self._title_of(item), item) for item in one.items),
            ],
            value=_NONE,
            style={"description_width": "auto"},
            layout={"width": "auto"},
        )


def _remarks(own: OwnRatings) -> str:
    """Say what was done to the ratings of a file, where it was anything."""
    left_out = [
        f"{n} {what.format('' if n == 1 else 's')}"
        for n, what in (
            (own.n_repeated, "earlier rating{} of a movie rated again"),
            (own.n_unrated, "line{} without a rating"),
            (own.n_no_films, "line{} about series, episodes or games"),
        )
        if n
    ]
    return " ".join(
        text
        for said, text in (
            (own.halved, "Ratings from 1 to 10 are halved."),
            (own.n_by_title, f"Found by the title alone, without a year: {own.n_by_title}."),
            (left_out, f"Left out: {', '.join(left_out)}."),
        )
        if said
    )


def _paragraph(text: str) -> str:
    return f"<p>{text}</p>" if text else ""


def _folded(unknown: list[OwnRating]) -> str:
    entries = "".join(f"<li>{html.escape(str(one))}</li>" for one in unknown)
    return f"<details><summary>Not known here: {len(unknown)}</summary><ul>{entries}</ul></details>"
