"""Lesson 8: a list for somebody of whom we know next to nothing, and for the same person later.

What most people like is a good list for a stranger, and fold-in into an `ImplicitALS` for somebody
with many ratings. `PopularityPrior` makes one list of both, whose taste grows with what is known.
"""

from __future__ import annotations

import numpy as np

from alslib._params import check_number
from alslib.data.ids import look_up
from alslib.data.ratings import Ratings, check_ratings
from alslib.models.implicit import ImplicitALS


class PopularityPrior:
    """What is expected of somebody who has said nothing: that they like what most people like.

    The score of an item is f_n + d · v_n. f_n is the share of the users with ratings who liked it,
    v_n are its factors in an `ImplicitALS`, and d is the taste of this person, which minimises ::

        λ/2 Σ_Ω w_n (1 − f_n − d · v_n)² + ρ/2 (Σ_n (d · v_n)² + τ ‖d‖²).

    So a rating says how much more this person likes the item than people do, the more firmly the
    higher it is: w_n = (r_n / liked)². In the fit an item that a user has not rated is a zero of
    precision 1, as if everything had been considered. A newcomer has not been asked yet, so here
    the zeros count ρ < 1, and more the more has been rated::

        ρ = share + growth · |Ω|, at most 1.

    Without ratings d = 0, and the list is the same for everybody.

    Parameters
    ----------
    ratings : Ratings
        From these the shares f_n are counted.
    liked : float
        From how many stars on an item was liked; above 0.
    share : float
        ρ of a stranger; above 0 and at most 1.
    growth : float
        How much ρ grows with each rating; at least 0.

    Attributes
    ----------
    item_ids : ndarray of shape (n_items,)
        The items, ascending.
    liked_share : ndarray of float64, shape (n_items,)
        f_n, between 0 and 1.

    Raises
    ------
    TypeError, ValueError
        If these are not ratings, a number is out of range, or the scale goes below 0.

    Notes
    -----
    What a person rates is taken for their choice. Where a site chooses what people are asked to
    rate, as MovieLens did with the first ratings of its early users, that misleads, and the list of
    what most people like is better. The defaults were chosen on MovieLens latest-small; the
    benchmarks of the book have lists for people of this and of another data set, in both orders.

    Examples
    --------
    >>> from alslib import Recommender, fold_in
    >>> users = ["ann", "ann", "bob", "bob", "cat", "cat", "dan"]
    >>> items = ["Alien", "Aliens", "Alien", "Aliens", "Up", "Cars", "Up"]
    >>> ratings = Ratings(users, items, [5.0, 5.0, 4.0, 4.0, 5.0, 4.0, 4.0])
    >>> model = ImplicitALS(2, tau=0.1).fit(ratings)
    >>> prior = PopularityPrior(ratings)
    >>> prior.liked_share.tolist()
    [0.5, 0.5, 0.25, 0.5]
    >>> me = fold_in(model, ["Alien"], [5.0], prior=prior)
    >>> Recommender(model, ratings).recommend(me, n=1).item_id.tolist()
    ['Aliens']
    """

    def __init__(
        self,
        ratings: Ratings,
        *,
        liked: float = 4.0,
        share: float = 0.05,
        growth: float = 0.001,
    ):
        check_ratings(ratings)
        check_number("liked", liked, above=0)
        check_number("share", share, above=0)
        if share > 1:
            raise ValueError(f"share must be at most 1, got {share!r}")
        check_number("growth", growth)
        if ratings.scale[0] < 0:
            raise ValueError(
                f"ratings below 0 cannot be weighed: the scale begins at {ratings.scale[0]:g}"
            )
        self.liked = float(liked)
        self.share = float(share)
        self.growth = float(growth)
        self.item_ids = ratings.item_ids
        indptr, _, data = ratings.by_item
        rows = np.repeat(np.arange(ratings.n_items), np.diff(indptr))[ratings.decode(data) >= liked]
        self.liked_share = np.bincount(rows, minlength=ratings.n_items) / ratings.n_raters

    def __repr__(self) -> str:
        return f"PopularityPrior({len(self.item_ids)} items)"

    def shares_of(self, model: ImplicitALS) -> np.ndarray:
        """Return f_n of the items of a model, in its order; 0 for those that nobody here rated.

        Raises
        ------
        ValueError
            If the model does not know an item.
        """
        places = look_up(model.item_ids_, self.item_ids, "items of the prior")
        if (places < 0).any():
            raise ValueError(
                f"the model does not know {np.sum(places < 0)} items of the prior, the first is "
                f"{self.item_ids[places < 0][0]}"
            )
        shares = np.zeros(len(model.item_ids_))
        shares[places] = self.liked_share
        return shares

    def fold_in_system(
        self,
        model: ImplicitALS,
        shares: np.ndarray,
        items: np.ndarray,
        values: np.ndarray,
        weights: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the least squares problem of d, as `FactorALS.fold_in_system` that of u.

        The shares are those of `shares_of`.
        """
        root = np.sqrt(weights) * values / self.liked
        rho = min(1.0, self.share + self.growth * len(items))
        target = root * (1 - shares[items])
        ridge = rho / model.lam * model.of_all_pairs("user")
        return root[:, None] * model.item_factors_[items], target, ridge
