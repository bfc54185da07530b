"""What a fit needs of ratings, wherever they are: sizes, and work done on each of their rows.

The rows of a half-step do not depend on each other. So a model says what is to be done with some
rows, and whoever holds them has it done: with all at once where they are in memory, and with one
stretch after the other where they lie in a file; or other processes, each with its own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from alslib import kernels
from alslib.kernels.inputs import ALIKE

if TYPE_CHECKING:
    from alslib.data.ratings import CSR

Kind = Literal["user", "item"]


class RatedRows(ABC):
    """The ratings of one side: a row for each user, or for each item.

    Attributes
    ----------
    counts : ndarray of float64, shape (n_rows,)
        The sum of the weights of each row; without weights, its number of ratings.
    """

    counts: np.ndarray

    @abstractmethod
    def each(
        self,
        work: Callable[..., Any],
        fixed: Sequence[Any],
        given: Sequence[np.ndarray],
        written: Sequence[np.ndarray],
    ) -> list[Any]:
        """Do some work on all rows, stretch by stretch, and return what it returned for each.

        Parameters
        ----------
        work : callable
            A function of a module, so that another process finds it, called as
            ``work(view, weights, *fixed, *given, *written)``: with a `CSR` of some rows alone, the
            weights of their ratings (none if all count the same), and of the arrays these rows.
            It must set all of what it writes, and change nothing else.
        fixed : sequence
            The same for all rows.
        given, written : sequence of ndarray, shape (n_rows, …)
            What the work reads, and what it sets.
        """


class RowsHere(RatedRows):
    """The rows of a view in this process.

    Parameters
    ----------
    view : CSR
    weights : ndarray of float32, shape (n_ratings,), or None
        In the order of the view.
    """

    def __init__(self, view: CSR, weights: np.ndarray | None):
        self.view = view
        self.weights = ALIKE if weights is None else weights
        self.counts = counts_of(view, self.weights)

    def each(self, work, fixed, given, written) -> list:
        """Do the work in this thread; see `RatedRows.each`."""
        return [
            work(
                part,
                self.weights[entries] if len(self.weights) else self.weights,
                *fixed,
                *(array[rows] for array in (*given, *written)),
            )
            for rows, entries, part in self.view.stretches()
        ]


def counts_of(view: CSR, weights: np.ndarray) -> np.ndarray:
    """Return the sum of the weights of each row, or where there are none, how many ratings."""
    if len(weights):
        return kernels.rows.row_sums(view.indptr, weights, ALIKE)
    return np.diff(view.indptr).astype(np.float64)


class RatingsToFit(ABC):
    """Ratings as a fit sees them: in memory, in a file, or with other processes.

    Attributes
    ----------
    user_ids, item_ids : ndarray of shape (n_users,) and (n_items,)
        The id of each index, ascending.
    offset, step : float
        A stored rating ``data`` has the value ``offset + step * data``.
    scale : tuple of float
        The lowest and the highest rating that can be given.
    """

    user_ids: np.ndarray
    item_ids: np.ndarray
    offset: float
    step: float
    scale: tuple[float, float]

    @property
    @abstractmethod
    def n_ratings(self) -> int:
        """Number of ratings."""

    @property
    @abstractmethod
    def mean(self) -> float:
        """Mean of all ratings, each as often as it weighs (μ in the book)."""

    @abstractmethod
    def rated_by(self, kind: Kind) -> RatedRows:
        """Return what each user rated, or by whom each item was rated."""

    @property
    def n_users(self) -> int:
        """Number of users, with or without ratings."""
        return len(self.user_ids)

    @property
    def n_items(self) -> int:
        """Number of items, with or without ratings."""
        return len(self.item_ids)

    @property
    def total_weight(self) -> float:
        """Sum of the weights; without weights, the number of ratings."""
        return float(self.rated_by("user").counts.sum())

    def shares_index_with(self, other: RatingsToFit) -> bool:
        """Tell whether both number the same users and the same items alike."""
        return np.array_equal(self.user_ids, other.user_ids) and np.array_equal(
            self.item_ids, other.item_ids
        )


def mean_of(offset: float, step: float, sums: np.ndarray, total_weight: float) -> float:
    """Return the mean of ratings from the sums of what each user's stored ratings weigh.

    First of each user, then of all: so the result is the same whoever has added up which users.
    """
    return offset + step * (float(sums.sum()) / total_weight)


def sum_stored(view: CSR, weights: np.ndarray, sums: np.ndarray) -> None:
    """Set the sum of each row's stored ratings, each as often as it weighs."""
    sums[:] = kernels.rows.row_sums(view.indptr, view.data, weights)


def sum_weights(view: CSR, weights: np.ndarray, counts: np.ndarray) -> None:
    """Set the sum of each row's weights."""
    counts[:] = counts_of(view, weights)
