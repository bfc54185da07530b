"""Lesson 7: what should I watch?

A fitted model predicts μ + b_m + b_n + u_m · v_n. For a list the movie's bias may be damped: the
score μ + b_m + α b_n + u_m · v_n follows fame and taste (α = 1) or taste alone (α = 0).
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from alslib import kernels
from alslib._params import check_integer, check_number
from alslib.data.ids import known_indices
from alslib.data.ratings import Ratings
from alslib.models.base import check_belongs, check_same_fit
from alslib.models.factors import FactorALS
from alslib.models.features import FeatureALS
from alslib.recommending.new_user import Profile, check_model, solve_profile

# Candidates scored at a time: their vectors stay in the cache while a group of users passes by.
_PANEL = 256


class Explanation(NamedTuple):
    """The parts of one score; they sum to it.

    Attributes
    ----------
    score : float
        In stars; with α = 1 the prediction before it is clipped.
    mean : float
        μ.
    user_bias : float
        b_m, the user's generosity.
    item_bias : float
        α b_n, the item's fame.
    prior : float
        What the user's features add; 0 without features.
    ratings : DataFrame
        One row a rating of the user, the largest share first: item_id, rating, and share, what
        this rating adds to u_m · v_n.
    """

    score: float
    mean: float
    user_bias: float
    item_bias: float
    prior: float
    ratings: pd.DataFrame


class TopN(NamedTuple):
    """Lists for many users.

    Attributes
    ----------
    user_ids : ndarray of shape (n_users,)
    item_ids : list of ndarray
        One list a user, best first; shorter than asked for where there is no more to recommend.
    scores : list of ndarray of float64
        The scores of these items.
    """

    user_ids: np.ndarray
    item_ids: list[np.ndarray]
    scores: list[np.ndarray]


class Recommender:
    """Top-N lists, explanations and similar items, from a fitted model and the ratings.

    Parameters
    ----------
    model : LatentALS, FeatureALS or ImplicitALS
        Fitted. When it is fitted again, make another recommender: this one raises a RuntimeError
        from then on.
    ratings : Ratings
        What the users have seen and how often items were rated: the training ratings, or others
        under the same ids.

    Examples
    --------
    >>> from alslib import LatentALS, fold_in
    >>> users = ["ann", "ann", "bob", "bob", "cat", "cat"]
    >>> items = ["Alien", "Aliens", "Alien", "Up", "Up", "Cars"]
    >>> ratings = Ratings(users, items, [5.0, 5.0, 1.0, 5.0, 5.0, 4.0])
    >>> model = LatentALS(2, tau=0.1).fit(ratings)
    >>> recommender = Recommender(model, ratings)
    >>> me = fold_in(model, ["Aliens"], [5.0])
    >>> recommender.recommend(me, n=1, alpha=0).item_id.tolist()
    ['Alien']
    """

    def __init__(self, model: FactorALS, ratings: Ratings):
        self._as_made = check_belongs(check_model(model), ratings)
        self.model = model
        self.ratings = ratings

    def profile(self, user: int | str) -> Profile:
        """Return what follows from the ratings of a user; see `fold_in` for somebody new.

        Raises
        ------
        KeyError
            If the user is unknown.
        """
        model = self._fitted
        index = self._user_index(user)
        items, data = self.ratings.by_user.row(index)
        prior = (0.0, np.zeros(model.n_factors))
        if isinstance(model, FeatureALS):
            prior = model.user_prior_bias_[index], model.user_prior_factors_[index].astype(float)
        values = self.ratings.decode(data).astype(np.float64)
        start, stop = self.ratings.by_user.indptr[index : index + 2]
        weights = np.ones(len(items))
        if self.ratings.weights is not None:
            weights = self.ratings.weights[start:stop].astype(np.float64)
        return solve_profile(model, items, values, weights, *prior)

    def recommend(
        self,
        user: int | str | Profile,
        n: int = 10,
        *,
        alpha: float = 1.0,
        min_ratings: int = 1,
        exclude_seen: bool = True,
        among: ArrayLike | None = None,
    ) -> pd.DataFrame:
        """Return the items with the highest scores.

        Items are filtered first and ranked then, so that a filter never shortens the list while
        there is anything left to recommend.

        Parameters
        ----------
        user : id or Profile
            A user of the ratings, or somebody new from `fold_in`.
        n : int
            How many; at least 1.
        alpha : float
            α, the weight of the item's bias in the score: 1 for the predicted rating, less for a
            more personal list.
        min_ratings : int
            Leave out items with fewer ratings; 0 lets in those that nobody rated.
        exclude_seen : bool
            Leave out what the user has rated.
        among : array_like of ids, optional
            Choose among these items only, such as those of one genre.

        Returns
        -------
        DataFrame
            Columns item_id, score (stars) and n_ratings, best first, with the rank from 1 as index;
            fewer than n rows if there are no more items. Of equal scores the lower id comes first.

        Raises
        ------
        KeyError
            If the user is unknown.
        TypeError, ValueError
            If an argument is out of range, or `among` names an unknown item.
        """
        profile = self._as_profile(user)
        candidates = self._candidates(n, alpha, min_ratings, among)
        if exclude_seen:
            candidates = np.setdiff1d(candidates, profile.items, assume_unique=True)
        scores = self._scores(profile, candidates, alpha)
        best = _largest(scores, n)
        return self._table(candidates[best], "score", scores[best])

    def recommend_all(
        self,
        n: int = 10,
        *,
        users: ArrayLike | None = None,
        alpha: float = 1.0,
        min_ratings: int = 1,
        exclude_seen: bool = True,
        among: ArrayLike | None = None,
    ) -> TopN:
        """Return the lists of many users at once, in parallel and without a users × items matrix.

        Scores are the ones that the fitted rows give, in float32; a list is that of `recommend` but
        for what rounding can change, and, of a fit with ``joint=False`` that has not settled, what
        solving for bias and factors together would change.

        Parameters
        ----------
        users : array_like of ids, shape (n_users,), optional
            For whom; by default everybody in the ratings.
        n, alpha, min_ratings, exclude_seen, among
            As in `recommend`.

        Returns
        -------
        TopN

        Raises
        ------
        KeyError
            If a user is unknown.
        TypeError, ValueError
            As in `recommend`.
        """
        model = self._fitted
        rows = np.arange(len(model.user_ids_)) if users is None else self._user_indices(users)
        candidates = self._candidates(n, alpha, min_ratings, among)
        n = min(n, len(candidates))
        indptr, indices, _ = self.ratings.by_user
        items = np.empty((len(rows), n), np.int32)
        scores = np.empty((len(rows), n), np.float32)
        counts = np.zeros(len(rows), np.int64)
        if n:
            kernels.lists.top_items(
                _padded(model.user_factors_[rows], 1.0, len(rows)),
                self._panels(candidates, alpha),
                candidates,
                rows,
                indptr if exclude_seen else np.zeros_like(indptr),
                indices,
                items,
                scores,
                counts,
            )
        found = np.arange(n) < counts[:, None]
        shifted = scores[found] + np.repeat(model.mean_ + model.user_bias_[rows], counts)
        borders = np.cumsum(counts)[:-1]
        return TopN(
            model.user_ids_[rows],
            np.split(model.item_ids_[items[found]], borders)[: len(rows)],
            np.split(shifted, borders)[: len(rows)],
        )

    def explain(
        self, user: int | str | Profile, item: int | str, alpha: float = 1.0
    ) -> Explanation:
        """Take one score apart: how much of it is due to each rating of the user?

        The user's factors are a sum with one term for each rating, and so is u · v_n.

        Parameters
        ----------
        user : id or Profile
        item : id
        alpha : float
            α, as in `recommend`.

        Returns
        -------
        Explanation

        Raises
        ------
        KeyError
            If the user or the item is unknown.
        """
        self._check_alpha(alpha)
        profile = self._as_profile(user)
        index = self._item_index(item)
        factors = self._fitted.item_factors_[index].astype(np.float64)
        shares = _inner_products(profile.shares, factors)
        order = np.argsort(-shares, kind="stable")
        return Explanation(
            score=float(self._scores(profile, np.array([index]), alpha)[0]),
            mean=self._fitted.mean_,
            user_bias=profile.bias,
            item_bias=float(alpha * self._fitted.item_bias_[index]),
            prior=float(profile.prior_share @ factors),
            ratings=pd.DataFrame(
                {
                    "item_id": profile.item_ids[order],
                    "rating": profile.values[order],
                    "share": shares[order],
                }
            ),
        )

    def similar(
        self,
        item: int | str,
        n: int = 10,
        *,
        min_ratings: int = 1,
        centred: bool = False,
        among: ArrayLike | None = None,
    ) -> pd.DataFrame:
        """Return the items whose factors point the same way: the largest cosines.

        Parameters
        ----------
        item : id
        n, min_ratings, among
            As in `recommend`.
        centred : bool
            Subtract the mean of all the items' factors from each first.

        Returns
        -------
        DataFrame
            Columns item_id, similarity (from −1 to 1) and n_ratings, the most similar first, with
            the rank from 1 as index. An item without factors is similar to none.

        Raises
        ------
        KeyError
            If the item is unknown.
        ValueError
            If the item's factors are zero, because nobody rated it, say, or an argument is out of
            range.
        """
        index = self._item_index(item)
        candidates = self._candidates(n, 1.0, min_ratings, among)
        factors = self._fitted.item_factors_.astype(np.float64)
        lengths = np.linalg.norm(factors, axis=1)
        if lengths[index] == 0:
            raise ValueError(f"the factors of item {item!r} are zero: nothing to compare")
        if centred:
            factors -= factors[lengths > 0].mean(axis=0)
            lengths = np.where(lengths > 0, np.linalg.norm(factors, axis=1), 0.0)
        candidates = candidates[(lengths[candidates] > 0) & (candidates != index)]
        cosines = _inner_products(factors[candidates], factors[index])
        cosines = cosines / (lengths[candidates] * lengths[index])
        best = _largest(cosines, n)
        return self._table(candidates[best], "similarity", cosines[best])

    @property
    def _fitted(self) -> FactorALS:
        """Return the model as it was when this recommender was made, if it still is."""
        check_same_fit(self.model, self._as_made, "this recommender")
        return self._as_made

    def _as_profile(self, user) -> Profile:
        if not isinstance(user, Profile):
            return self.profile(user)
        if len(user.factors) != self._fitted.n_factors:
            raise ValueError(
                f"this profile has {len(user.factors)} factors, the model {self._fitted.n_factors}"
            )
        return user

    def _candidates(self, n, alpha, min_ratings, among) -> np.ndarray:
        """Return the indices of the items that may be recommended, ascending."""
        check_integer("n", n, least=1)
        self._check_alpha(alpha)
        check_integer("min_ratings", min_ratings, least=0)
        allowed = self.ratings.item_counts >= min_ratings
        if among is not None:
            chosen = np.zeros(len(allowed), np.bool_)
            chosen[known_indices(self._fitted.item_ids_, among, "item", ValueError)] = True
            allowed &= chosen
        return np.flatnonzero(allowed)

    def _check_alpha(self, alpha) -> None:
        check_number("alpha", alpha)
        with np.errstate(over="ignore"):
            largest = np.float32(alpha * np.abs(self._fitted.item_bias_).max())
        if not np.isfinite(largest):
            raise ValueError(f"alpha = {alpha:g} times the biases is too large for scores")

    def _scores(self, profile, items, alpha) -> np.ndarray:
        model = self._fitted
        taste = _inner_products(model.item_factors_[items].astype(np.float64), profile.factors)
        return model.mean_ + profile.bias + alpha * model.item_bias_[items] + taste

    def _panels(self, candidates, alpha) -> np.ndarray:
        """Return the candidates' factors and damped biases in the order that the kernel reads."""
        n_panels = -(-len(candidates) // _PANEL)
        factors = self._fitted.item_factors_[candidates]
        bias = alpha * self._fitted.item_bias_[candidates]
        vectors = _padded(factors, bias, n_panels * _PANEL)
        return np.ascontiguousarray(vectors.reshape(n_panels, _PANEL, -1).swapaxes(1, 2))

    def _table(self, items, name, values) -> pd.DataFrame:
        return pd.DataFrame(
            {
                "item_id": self._fitted.item_ids_[items],
                name: values,
                "n_ratings": self.ratings.item_counts[items],
            },
            index=pd.RangeIndex(1, len(items) + 1, name="rank"),
        )

    def _user_index(self, user) -> int:
        return int(self._user_indices([user])[0])

    def _user_indices(self, users) -> np.ndarray:
        cure = "; for somebody new make a profile: fold_in(model, items, values)"
        return known_indices(self._fitted.user_ids_, users, "user", KeyError, cure)

    def _item_index(self, item) -> int:
        return int(known_indices(self._fitted.item_ids_, [item], "item", KeyError)[0])


def _padded(factors, last, n_rows) -> np.ndarray:
    """Return rows of factors and one number more, with zeros up to whole fours of columns."""
    n_given, n_factors = factors.shape
    vectors = np.zeros((n_rows, (n_factors + 4) // 4 * 4), np.float32)
    vectors[:n_given, :n_factors] = factors
    vectors[:n_given, n_factors] = last
    return vectors


def _inner_products(rows, vector) -> np.ndarray:
    """Return the inner product of every row with a vector, the same for rows that are the same.

    A matrix product adds up its last rows in another order than the others, so that rounding, which
    differs between processors, would decide which of two equal items comes first.
    """
    return np.einsum("ik,k->i", rows, vector)


def _largest(values, n) -> np.ndarray:
    """Return the places of the n largest values, the largest first, of equals the earlier first."""
    return np.argsort(-values, kind="stable")[:n]
