"""Lesson 7: one person's ratings in a file, which the demo on the page of the lesson reads, too.

    {"format": "alslib-preferences", "version": 1,
     "ratings": [{"item_id": 318, "title": "Shawshank Redemption, The (1994)", "rating": 4.5}]}

The title is there for people who open the file; only the id and the rating are read.
"""

import json
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

FORMAT = "alslib-preferences"
VERSION = 1


class PreferencesError(ValueError):
    """A file of preferences is refused; the message says why in plain words."""


class Preference(NamedTuple):
    """One rating.

    Attributes
    ----------
    item_id : int or str
    title : str
    rating : float
        In stars.
    """

    item_id: int | str
    title: str
    rating: float


def to_json(preferences: Sequence[Preference]) -> str:
    """Write preferences as the text of a file."""
    content = {
        "format": FORMAT,
        "version": VERSION,
        "ratings": [preference._asdict() for preference in preferences],
    }
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def from_json(
    content: str, known: Collection[int | str], levels: Collection[float]
) -> tuple[list[Preference], list[Preference]]:
    """Read preferences from the content of a file.

    Parameters
    ----------
    content : str
    known : set of ids
        The items that can be rated.
    levels : sequence of float
        The ratings that can be given, in stars.

    Returns
    -------
    known, unknown : list of Preference
        The ratings of items that are known, and of others; both in the order of the file.

    Raises
    ------
    PreferencesError
        If it is no such file or of another version, a rating is not on the scale, or an item is
        rated twice.
    """
    preferences = [
        _preference(number, entry) for number, entry in enumerate(_entries(content), start=1)
    ]
    off = [preference for preference in preferences if preference.rating not in levels]
    if off:
        raise PreferencesError(
            f"{len(off)} of {len(preferences)} ratings in this file are not on the scale "
            f"{_listed(levels)}; the first is {off[0].rating:g} for {_named(off[0])}."
        )
    seen = set()
    for preference in preferences:
        if preference.item_id in seen:
            raise PreferencesError(f"This file rates {_named(preference)} more than once.")
        seen.add(preference.item_id)
    return (
        [preference for preference in preferences if preference.item_id in known],
        [preference for preference in preferences if preference.item_id not in known],
    )


def _entries(content: str) -> list[Any]:
    """Return what the file lists as ratings, if it is a file of preferences."""
    try:
        file = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise PreferencesError(f"This is not a JSON file: {error}.") from error
    if not isinstance(file, dict) or file.get("format") != FORMAT:
        raise PreferencesError(
            f'This file holds no preferences: it does not say "format": "{FORMAT}".'
        )
    version = file.get("version")
    if version != VERSION or isinstance(version, bool):  # to Python True is 1
        raise PreferencesError(
            f"These are preferences of version {version!r}; only version {VERSION} can be read."
        )
    if not isinstance(file.get("ratings"), list):
        raise PreferencesError('This file has no list of "ratings".')
    return file["ratings"]


def _preference(number: int, entry: Any) -> Preference:
    """Check the types of one entry."""
    if not isinstance(entry, dict):
        raise PreferencesError(f"Rating {number} of this file is no object in braces.")
    item, rating = entry.get("item_id"), entry.get("rating")
    if isinstance(item, bool) or not isinstance(item, int | str):
        raise PreferencesError(f'Rating {number} of this file has no "item_id".')
    if isinstance(rating, bool) or not isinstance(rating, int | float):
        raise PreferencesError(f'Rating {number} of this file has no number as "rating".')
    return Preference(item, str(entry.get("title", "")), rating)


def _named(preference: Preference) -> str:
    return preference.title or f"movie {preference.item_id}"


def _listed(levels: Collection[float]) -> str:
    return ", ".join(f"{level:g}" for level in levels)
