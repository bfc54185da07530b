"""What must be known of ratings before any can be stored: ids, how many of each, the scale.

It is taken of one piece after the other, or of each by somebody else, and then put together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np

from alslib.data.columns import Coding, Levels, declared_scale
from alslib.data.ids import index_ids

if TYPE_CHECKING:
    from alslib.data.rated import RatingsToFit

_KINDS = {"i": "integers", "U": "strings"}


class Survey:
    """What is known of the ratings that have been counted.

    Attributes
    ----------
    users, items : CountedIds
    beside : dict of str to dtype
        Of times and of weights, if there are any, by their name in `Ratings`.
    n_ratings : int
    """

    def __init__(self):
        self.users, self.items = CountedIds("user ids"), CountedIds("item ids")
        self.beside: dict[str, np.dtype] = {}
        self.n_ratings = 0
        self._levels = Levels()

    def count(self, users, items, values, times, weights) -> int:
        """Take in the columns of a piece, from `as_columns`; return how many ratings it has.

        Raises
        ------
        TypeError
            If its ids or times are of another kind than those before.
        """
        self.users.add(*_counted(users))
        self.items.add(*_counted(items))
        self._levels.add(values)
        for name, column in (("times", times), ("weights", weights)):
            if column is not None:
                self._add_beside(name, column.dtype)
        self.n_ratings += len(users)
        return len(users)

    def add(self, other: Self) -> None:
        """Take in what has been found of other ratings.

        Raises
        ------
        TypeError
            As in `count`.
        """
        if other.n_ratings:
            self.users.add(other.users.ids, other.users.counts)
            self.items.add(other.items.ids, other.items.counts)
            self._levels.update(other._levels)
            for name, dtype in other.beside.items():
                self._add_beside(name, dtype)
            self.n_ratings += other.n_ratings

    def _add_beside(self, name: str, dtype: np.dtype) -> None:
        before = self.beside.setdefault(name, dtype)
        if (before.kind == "M") != (dtype.kind == "M"):
            raise TypeError(f"{name} are {dtype} here, and {before} before")
        self.beside[name] = np.promote_types(before, dtype)

    def coding(self) -> Coding:
        """Return how the ratings are stored.

        Raises
        ------
        ValueError
            If there are none.
        """
        if not self.n_ratings:
            raise ValueError("there are no ratings")
        return self._levels.coding()

    def describe(self, ratings: RatingsToFit, scale: tuple[float, float] | None) -> None:
        """Set the ids and the scale of ratings.

        Raises
        ------
        TypeError, ValueError
            If there are no ratings, or the declared scale will not do.
        """
        coding = self.coding()
        ratings.scale = declared_scale(scale, coding.given)
        ratings.offset, ratings.step = coding.offset, coding.step
        ratings.user_ids, ratings.item_ids = self.users.ids, self.items.ids

    def encode(self, users, items, values, times, weights) -> list[np.ndarray]:
        """Return users, items and values of a piece as they are stored, and what is beside.

        Raises
        ------
        ValueError
            If an id or a level has not been counted.
        """
        users, items = self.users.find(users), self.items.find(items)
        if self._levels.add(values):
            raise ValueError(CHANGED)
        columns = {"times": times, "weights": weights}
        beside = [columns[name].astype(dtype) for name, dtype in self.beside.items()]
        return [users, items, self.coding().encode(values), *beside]


CHANGED = "the second pass found other ratings than the first: they have changed between the two"


class CountedIds:
    """Ids, ascending, and how many ratings each has."""

    def __init__(self, name: str):
        self._name = name
        self._ids, self._counts = np.empty(0, np.int32), np.empty(0, np.int64)
        # Found since, and not yet among the others: each may hold some of them again.
        self._new: list[tuple[np.ndarray, np.ndarray]] = []
        self._n_new = 0

    @property
    def ids(self) -> np.ndarray:
        """The ids, shape (n,)."""
        self._merge()
        return self._ids

    @property
    def counts(self) -> np.ndarray:
        """The number of ratings of each, int64, shape (n,)."""
        self._merge()
        return self._counts

    def add(self, ids: np.ndarray, counts: np.ndarray) -> None:
        """Take in other counts, of distinct ids."""
        before = self._new[-1][0] if self._new else self._ids
        if len(before) and ids.dtype.kind != before.dtype.kind:
            here, there = (_KINDS[found.dtype.kind] for found in (ids, before))
            raise TypeError(f"{self._name} are {here} here, and {there} before")
        self._new.append((ids, counts))
        self._n_new += len(ids)
        if self._n_new > len(self._ids):  # so that an id is sorted a few times, and not each time
            self._merge()

    def _merge(self) -> None:
        if not self._new:
            return
        found = [(self._ids, self._counts), *self._new] if len(self._ids) else self._new
        ids, counts = map(np.concatenate, zip(*found, strict=True))
        order = np.argsort(ids, kind="stable")
        ids = ids[order]
        first = np.flatnonzero(np.append(True, ids[1:] != ids[:-1]))
        self._ids, self._counts = ids[first], np.add.reduceat(counts[order], first)
        self._new, self._n_new = [], 0

    def find(self, column: np.ndarray) -> np.ndarray:
        """Return the index of each id, int32; one that has not been counted is refused."""
        ids, indices = index_ids(column)
        places = np.minimum(np.searchsorted(self.ids, ids), len(self.ids) - 1)
        if not np.array_equal(self.ids[places], ids):
            raise ValueError(CHANGED)
        return places.astype(np.int32)[indices]

    def pointers(self) -> np.ndarray:
        """Return where the ratings of each begin, int64, shape (n + 1,)."""
        return np.concatenate([[0], np.cumsum(self.counts)])


def _counted(column: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    ids, indices = index_ids(column)
    return ids, np.bincount(indices, minlength=len(ids))
