"""The ratings of one side, as half-steps and ridges need them."""

from typing import NamedTuple

import numpy as np

from alslib import kernels
from alslib.data.ratings import CSR, Ratings
from alslib.kernels.inputs import ALIKE


class Rated(NamedTuple):
    """What the users rated, or by whom the items were rated.

    Attributes
    ----------
    view : CSR
        One row a user, or an item.
    weights : ndarray of float32, shape (n_ratings,) or (0,)
        How much each rating counts, in the order of the view; empty where all count the same.
    counts : ndarray of float64, shape (n_rows,)
        The sum of the weights of each row; without weights, its number of ratings.
    """

    view: CSR
    weights: np.ndarray
    counts: np.ndarray


def by_user(ratings: Ratings) -> Rated:
    """Return what each user rated."""
    return _rated(ratings.by_user, ratings.weights)


def by_item(ratings: Ratings) -> Rated:
    """Return by whom each item was rated."""
    return _rated(ratings.by_item, ratings.weights_by_item())


def _rated(view, weights) -> Rated:
    if weights is None:
        return Rated(view, ALIKE, np.diff(view.indptr).astype(np.float64))
    return Rated(view, weights, kernels.rows.row_sums(view.indptr, weights, ALIKE))
