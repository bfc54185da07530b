"""Lesson 7: what should I watch?

A fitted model predicts μ + b_m + b_n + u_m · v_n. For a list the movie's bias may be damped: the
score μ + b_m + α b_n + u_m · v_n follows esteem and taste (α = 1) or taste alone (α = 0).
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from alslib import kernels
from alslib._params import check_integer, check_number
from alslib.data.ids import Unknown, known_indices
from alslib.data.ratings import Ratings, check_ratings
from alslib.kernels.threads import each_stretch
from alslib.models.base import check_same_fit
from alslib.models.factors import FactorALS
from alslib.models.features import FeatureALS
from alslib.models.implicit import ImplicitALS
from alslib.recommending.calibration import Calibration
from alslib.recommending.new_user import (
    ItemProfile,
    Profile,
    check_model,
    check_profile,
    fold_in,
    solve_row,
)

# Candidates scored at a time, and users: vectors of those stay in the cache while these pass by.
_PANEL = 256
_GROUP = 64
# Factors that can move no prediction by more than this share of the scale have learned nothing: too
# heavy a ridge shrinks them in every sweep. On MovieLens a fit that learns moves some by a tenth.
_NOTHING = 1e-3


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
        α b_n, the item's esteem; with a `PopularityPrior` α f_n.
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


class _Side(NamedTuple):
    """The users, or the items: what the model has learned of them, and how often they occur."""

    kind: str
    ids: np.ndarray
    bias: np.ndarray
    factors: np.ndarray
    counts: np.ndarray


class Recommender:
    """Top-N lists, whom to tell, what is similar, and why: from a fitted model and the ratings.

    Parameters
    ----------
    model : LatentALS, FeatureALS or ImplicitALS
        Fitted. When it is fitted again, make another recommender: this one raises a RuntimeError
        from then on.
    ratings : Ratings
        What the users have seen and how often items were rated: the training ratings, or others
        by users and of items that the model knows, in whichever numbering.
    calibration : Calibration, optional
        By how many stars predictions are off, as `calibrate` has measured it for a model with the
        same settings; `predict_interval` and ``caution`` need it.

    Raises
    ------
    RuntimeError
        If the model is not fitted.
    TypeError, ValueError
        If the model has no factors, these are not ratings, or they have ids that the model does not
        know.

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

    def __init__(self, model: FactorALS, ratings: Ratings, calibration: Calibration | None = None):
        self._as_made = check_model(model)
        check_ratings(ratings)
        if not isinstance(calibration, Calibration | None):
            raise TypeError(
                f"calibration must be a Calibration, got {type(calibration).__name__}; "
                "Recommender.calibrate measures one"
            )
        self.model = model
        self.ratings = _renumbered(ratings, self._as_made)
        self.calibration = calibration
        self._item_variances = np.full(len(self._as_made.item_ids_), np.nan)  # until asked for

    def profile(self, user: int | str) -> Profile:
        """Return what follows from the ratings of a user; see `fold_in` for somebody new.

        Raises
        ------
        KeyError
            If the user is unknown.
        """
        model = self._fitted
        index = self._user_index(user)
        prior = (0.0, np.zeros(model.n_factors))
        if isinstance(model, FeatureALS):
            prior = model.user_prior_bias_[index], model.user_prior_factors_[index].astype(float)
        ratings = self.ratings
        rated = _row(ratings, ratings.by_user, ratings.weights, index)
        return solve_row(model, "user", *rated, *prior)

    def recommend(
        self,
        user: int | str | Profile,
        n: int = 10,
        *,
        alpha: float = 1.0,
        caution: float = 0.0,
        min_ratings: int = 1,
        exclude_seen: bool = True,
        among: ArrayLike | None = None,
        exclude: ArrayLike | None = None,
        unknown: Unknown = "raise",
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
        caution : float
            c: take c standard deviations off each score, of what is unknown about the person and
            the item; below 0 for a list that dares. Needs a `calibration`.
        min_ratings : int
            Leave out items with fewer ratings; 0 lets in those that nobody rated.
        exclude_seen : bool
            Leave out what the user has rated.
        among : array_like of ids, optional
            Choose among these items only, such as those of one genre.
        exclude : array_like of ids, optional
            Leave out these items, too, such as those out of stock.
        unknown : {"raise", "ignore"}
            What to do with ids in `among` and `exclude` that the model does not know: say so, or
            go on as if they were not there. Among unknown items alone there is nothing to list.

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
            If an argument is out of range, `among` or `exclude` names an unknown item, the profile
            follows from another fit, or there is caution without a calibration.
        """
        profile, items = self._as_profile(user), self._items
        self._check_alpha(alpha, items)
        check_number("caution", caution, least=-np.inf)
        candidates = _candidates(items, n, min_ratings, among, exclude, unknown)
        if exclude_seen:
            candidates = np.setdiff1d(candidates, profile.items, assume_unique=True)
        scores = self._scores_for(profile, candidates, alpha)
        if caution:
            sigma = self._calibrated().sigma
            scores -= caution * sigma * np.sqrt(self._variances(profile, candidates))
        return _table(items, candidates, "score", scores, n)

    def predict_interval(
        self, user: int | str | Profile, items: ArrayLike, share: float = 0.8
    ) -> pd.DataFrame:
        """Return between which stars a share of the ratings lies that people like this would give.

        An interval is the prediction ± q s, cut off where the scale ends, with ::

            s² = 1 + z' C z + mean of y_m' C_n y_m ,   z = (1, v_n) ,   y_m = (1, u_m) .

        The 1 is how ratings scatter around what they ought to be. C is the covariance of this
        person's bias and factors, the inverse of `Profile.precision`, and C_n that of the item's,
        from those who rated it; the mean is over all users m who rated anything. q is the
        `Calibration.quantile` of the share.

        Parameters
        ----------
        user : id or Profile
        items : array_like of ids, shape (n,)
        share : float
            Which share of ratings; between 0 and 1. It holds for all people together: some are
            harder to predict than others.

        Returns
        -------
        DataFrame
            Columns item_id, predicted, low and high, in stars, in the order of the items.

        Raises
        ------
        KeyError
            If the user or an item is unknown.
        TypeError
            If the model predicts no stars.
        ValueError
            If there is no calibration, the share is not between 0 and 1, or a bias has neither a
            ridge nor a rating, so that it could be anything.
        """
        profile, model = self._as_profile(user), self._fitted
        q = self._calibrated().quantile(share)
        rows = known_indices(model.item_ids_, items, "item", KeyError)
        predicted = self._scores_for(profile, rows, 1.0)
        width = q * np.sqrt(1 + self._variances(profile, rows))
        ends = {"predicted": predicted, "low": predicted - width, "high": predicted + width}
        return pd.DataFrame(
            {"item_id": model.item_ids_[rows]}
            | {name: values.clip(*model.scale_) for name, values in ends.items()}
        )

    def calibrate(self, known: Ratings | None, hidden: Ratings) -> Calibration:
        """Measure by how many stars predictions are off, on people whom the model does not know.

        Each is folded in with what is known of them, and their hidden ratings are predicted. The
        result is for another recommender, whose model has the same settings and was fitted to these
        people as well; or for this one.

        Parameters
        ----------
        known : Ratings or None
            Who has no known ratings is a stranger; with None that is everybody.
        hidden : Ratings
            Of the same people; all of items that the model knows.

        Raises
        ------
        TypeError, ValueError
            If the model predicts no stars, was fitted to one of these people, or does not know an
            item.

        Examples
        --------
        >>> from alslib import LatentALS, fold_in, make_ratings, train_test_split
        >>> ratings = make_ratings(200, 50, 4000, n_factors=2).ratings
        >>> new = ratings.triples()[0] >= 100
        >>> old, settings = ratings.select(~new), {"n_factors": 2, "n_sweeps": 5}
        >>> known, hidden = train_test_split(ratings.select(new), 0.5, random_state=0)
        >>> without_them = Recommender(LatentALS(**settings).fit(old), old)
        >>> calibration = without_them.calibrate(known, hidden)
        >>> recommender = Recommender(LatentALS(**settings).fit(ratings), ratings, calibration)
        >>> me = fold_in(recommender.model, [0], [4.0])
        >>> recommender.predict_interval(me, [1]).round(1)
           item_id  predicted  low  high
        0        1        3.7  2.5   5.0
        """
        for part in (hidden,) if known is None else (known, hidden):
            check_ratings(part)
        model, ratings = self._fitted, self.ratings
        people = hidden.user_ids[hidden.user_counts > 0]
        met = np.isin(people, ratings.user_ids[ratings.user_counts > 0])
        if met.any():
            raise ValueError(
                f"the model was fitted to {met.sum()} of these {len(people)} people, the first is "
                f"{people[met][0]}; take others"
            )
        ratios = []
        for person in people:
            profile = fold_in(model, [], [])
            if known is not None and person in known.user_ids:
                items, stars, weights = _row(
                    known, known.by_user, known.weights, known.user_index(person)
                )
                profile = fold_in(model, known.item_ids[items], stars, weights=weights)
            items, stars = hidden.of_user(person)
            rows = known_indices(model.item_ids_, items, "item", ValueError)
            off = stars - self._scores_for(profile, rows, 1.0)
            ratios.append(np.abs(off) / np.sqrt(1 + self._variances(profile, rows)))
        return Calibration(np.sort(np.concatenate(ratios)))

    def recommend_all(
        self,
        n: int = 10,
        *,
        users: ArrayLike | None = None,
        alpha: float = 1.0,
        min_ratings: int = 1,
        exclude_seen: bool = True,
        among: ArrayLike | None = None,
        exclude: ArrayLike | None = None,
        unknown: Unknown = "raise",
    ) -> TopN:
        """Return the lists of many users at once, in parallel and without a users × items matrix.

        Scores are the ones that the fitted rows give, in float32; a list is that of `recommend` but
        for what rounding can change, and, of a fit with ``joint=False`` or ``cg_steps`` that has
        not settled, what solving for bias and factors together would change.

        Parameters
        ----------
        users : array_like of ids, shape (n_users,), optional
            For whom; by default everybody in the ratings.
        n, alpha, min_ratings, exclude_seen, among, exclude
            As in `recommend`.
        unknown : {"raise", "ignore"}
            As in `recommend`; an unknown user that is ignored gets no list.

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
        model, catalogue = self._fitted, self._items
        rows = np.arange(len(model.user_ids_))
        if users is not None:
            rows = self._user_indices(users, unknown)
        self._check_alpha(alpha, catalogue)
        candidates = _candidates(catalogue, n, min_ratings, among, exclude, unknown)
        n = min(n, len(candidates))
        indptr, indices, _ = self.ratings.by_user
        items = np.empty((len(rows), n), np.int32)
        scores = np.empty((len(rows), n), np.float32)
        counts = np.zeros(len(rows), np.int64)
        if n:
            groups = np.append(np.arange(0, len(rows), _GROUP), len(rows))
            each_stretch(
                kernels.lists.top_items,
                groups,
                _padded(model.user_factors_[rows], 1.0, len(rows)),
                _panels(catalogue, candidates, alpha),
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

    def users_for(
        self,
        item: int | str | ItemProfile,
        n: int = 10,
        *,
        alpha: float = 1.0,
        min_ratings: int = 1,
        exclude_seen: bool = True,
        among: ArrayLike | None = None,
        exclude: ArrayLike | None = None,
        unknown: Unknown = "raise",
    ) -> pd.DataFrame:
        """Return the users with the highest scores of an item: whom to tell about it.

        The score μ + α b_m + b_n + u_m · v_n damps the bias of what is ranked, as in `recommend`:
        here the user's. With α = 1 it is the predicted rating, and whoever rates everything highly
        comes first; with α = 0 those to whose taste the item is most. As in `recommend_all`, b_m
        and u_m are those of the fit.

        Parameters
        ----------
        item : id or ItemProfile
            An item of the ratings, or a new one from `fold_in_item`.
        n : int
            How many users; at least 1.
        alpha : float
            α, the weight of the user's bias in the score.
        min_ratings : int
            Leave out users with fewer ratings; 0 lets in those who rated nothing.
        exclude_seen : bool
            Leave out who has rated the item.
        among, exclude : array_like of ids, optional
            Choose among these users only; leave out these users, too.
        unknown : {"raise", "ignore"}
            What to do with ids in `among` and `exclude` that the model does not know, as in
            `recommend`.

        Returns
        -------
        DataFrame
            Columns user_id, score (stars) and n_ratings (of the user), best first, with the rank
            from 1 as index; of equal scores the lower id comes first.

        Raises
        ------
        KeyError
            If the item is unknown.
        TypeError, ValueError
            As in `recommend`.
        """
        users, items = self._users, self._items
        self._check_alpha(alpha, users)
        candidates = _candidates(users, n, min_ratings, among, exclude, unknown)
        if isinstance(item, ItemProfile):
            check_profile(self._fitted, item)
            raters, bias, factors = item.users, item.bias, item.factors
        else:
            index = self._item_index(item)
            raters, _ = self.ratings.by_item.row(index)
            bias, factors = items.bias[index], items.factors[index].astype(np.float64)
        if exclude_seen:
            candidates = np.setdiff1d(candidates, raters, assume_unique=True)
        scores = self._scores(users, candidates, alpha * users.bias[candidates], bias, factors)
        return _table(users, candidates, "score", scores, n)

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
        profile, items = self._as_profile(user), self._items
        self._check_alpha(alpha, items)
        index = self._item_index(item)
        factors = items.factors[index].astype(np.float64)
        score = self._scores_for(profile, np.array([index]), alpha)
        shares = _inner_products(profile.shares, factors)
        order = np.argsort(-shares, kind="stable")
        return Explanation(
            score=float(score[0]),
            mean=self._fitted.mean_,
            user_bias=profile.bias,
            item_bias=float(alpha * self._item_bias(profile)[index]),
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
        item: int | str | ItemProfile,
        n: int = 10,
        *,
        min_ratings: int = 1,
        centred: bool = False,
        among: ArrayLike | None = None,
        exclude: ArrayLike | None = None,
        unknown: Unknown = "raise",
    ) -> pd.DataFrame:
        """Return the items whose factors point the same way: the largest cosines.

        Parameters
        ----------
        item : id or ItemProfile
        n, min_ratings, among, exclude, unknown
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
            If there is nothing to compare: the item's factors are zero, because nobody rated it,
            say, or the model has run no sweep, or its factors move no prediction by a thousandth of
            the scale. Or if an argument is out of range.
        """
        items = self._items
        others = _candidates(items, n, min_ratings, among, exclude, unknown)
        if isinstance(item, ItemProfile):
            check_profile(self._fitted, item)
            factors, name = item.factors, "this profile"
        else:
            index = self._item_index(item)
            factors, name = items.factors[index], f"item {item!r}"
            others = others[others != index]
        return self._closest(items, others, factors, name, centred, n)

    def similar_users(
        self,
        user: int | str | Profile,
        n: int = 10,
        *,
        min_ratings: int = 1,
        centred: bool = False,
        among: ArrayLike | None = None,
        exclude: ArrayLike | None = None,
        unknown: Unknown = "raise",
    ) -> pd.DataFrame:
        """Return the users whose factors point the same way: the largest cosines.

        Parameters
        ----------
        user : id or Profile
        n, min_ratings, among, exclude, unknown
            As in `users_for`.
        centred : bool
            Subtract the mean of all the users' factors from each first.

        Returns
        -------
        DataFrame
            Columns user_id, similarity (from −1 to 1) and n_ratings, as in `similar`.

        Raises
        ------
        KeyError
            If the user is unknown.
        ValueError
            As in `similar`, and if the profile follows from another fit.
        """
        users = self._users
        others = _candidates(users, n, min_ratings, among, exclude, unknown)
        if isinstance(user, Profile):
            factors, name = self._as_profile(user).factors, "this profile"
        else:
            index = self._user_index(user)
            factors, name = users.factors[index], f"user {user!r}"
            others = others[others != index]
        return self._closest(users, others, factors, name, centred, n)

    def item_variances(self, items: ArrayLike) -> np.ndarray:
        """Return how uncertain items are: the mean of y_m' C_n y_m of `predict_interval`.

        Parameters
        ----------
        items : array_like of ids, shape (n,)

        Returns
        -------
        ndarray of float64, shape (n,)
            In stars², where ratings scatter by one star.

        Raises
        ------
        KeyError
            If an item is unknown.
        """
        return self._variances_of_items(
            known_indices(self._fitted.item_ids_, items, "item", KeyError)
        )

    @property
    def _fitted(self) -> FactorALS:
        """Return the model as it was when this recommender was made, if it still is."""
        check_same_fit(self.model, self._as_made, "this recommender")
        return self._as_made

    @property
    def _users(self) -> _Side:
        model, counts = self._fitted, self.ratings.user_counts
        return _Side("user", model.user_ids_, model.user_bias_, model.user_factors_, counts)

    @property
    def _items(self) -> _Side:
        model, counts = self._fitted, self.ratings.item_counts
        return _Side("item", model.item_ids_, model.item_bias_, model.item_factors_, counts)

    def _as_profile(self, user) -> Profile:
        if not isinstance(user, Profile):
            return self.profile(user)
        check_profile(self._fitted, user)
        return user

    def _check_alpha(self, alpha, side) -> None:
        check_number("alpha", alpha)
        with np.errstate(over="ignore"):
            largest = np.float32(alpha * np.abs(side.bias).max())
        if not np.isfinite(largest):
            raise ValueError(f"alpha = {alpha:g} times the biases is too large for scores")

    def _item_bias(self, profile) -> np.ndarray:
        return self._items.bias if profile.item_bias is None else profile.item_bias

    def _scores_for(self, profile, rows, alpha) -> np.ndarray:
        """Return the scores of items for a user."""
        bias = alpha * self._item_bias(profile)[rows]
        return self._scores(self._items, rows, bias, profile.bias, profile.factors)

    def _scores(self, side, rows, damped, bias, factors) -> np.ndarray:
        """Return the scores of these rows, with damped biases, for one row of the other side."""
        taste = _inner_products(side.factors[rows].astype(np.float64), factors)
        return self._fitted.mean_ + bias + damped + taste

    def _calibrated(self) -> Calibration:
        if self.calibration is None:
            raise ValueError(
                "how far off predictions are has not been measured: make the recommender with a "
                "calibration"
            )
        return self.calibration

    def _variances(self, profile, rows) -> np.ndarray:
        """Return the variances of what ratings of items ought to be, where they scatter by 1."""
        of_items, z = self._variances_of_items(rows), _with_one(self._items.factors[rows])
        return np.einsum("ik,kl,il->i", z, _covariance(profile), z) + of_items

    def _variances_of_items(self, rows) -> np.ndarray:
        """Return what is unknown about these items, for the mean user; each is worked out once."""
        model, found = self._fitted, self._item_variances
        if isinstance(model, ImplicitALS):
            raise TypeError("an ImplicitALS predicts no stars, so it has no error in stars")
        missing = rows[np.isnan(found[rows])]
        if len(missing):
            y = _with_one(model.user_factors_[self.ratings.user_counts > 0])
            second_moment = y.T @ y / len(y)
            weights, no_prior = self.ratings.weights_by_item(), (0.0, np.zeros(model.n_factors))
            for row in missing:
                rated = _row(self.ratings, self.ratings.by_item, weights, row)
                profile = solve_row(model, "item", *rated, *no_prior)
                found[row] = np.sum(_covariance(profile) * second_moment)
        return found[rows]

    def _closest(self, side, rows, vector, name, centred, n) -> pd.DataFrame:
        """Return those of the rows whose factors have the largest cosines with a vector."""
        self._check_learned()
        if not vector.any():
            raise ValueError(f"the factors of {name} are zero: nothing to compare")
        factors, vector = side.factors.astype(np.float64), vector.astype(np.float64)
        some = factors.any(axis=1)
        if centred:
            mean = factors[some].mean(axis=0)
            factors, vector = factors - mean, vector - mean
        lengths = np.where(some, np.linalg.norm(factors, axis=1), 0.0) * np.linalg.norm(vector)
        rows = rows[lengths[rows] > 0]
        cosines = _inner_products(factors[rows], vector) / lengths[rows]
        return _table(side, rows, "similarity", cosines, n)

    def _check_learned(self) -> None:
        """Refuse to compare factors that are noise."""
        model = self._fitted
        if len(model.history_) < 2:
            raise ValueError(
                "the model has completed no sweep: its factors are the noise that a fit starts from"
            )
        width = 1.0 if isinstance(model, ImplicitALS) else np.ptp(model.scale_)
        longest_user, longest_item = (
            np.linalg.norm(side.factors, axis=1).max(initial=0.0)
            for side in (self._users, self._items)
        )
        if not float(longest_user) * float(longest_item) > _NOTHING * width:
            raise ValueError(
                f"the factors have learned nothing that could be compared: none moves a prediction "
                f"by {_NOTHING:g} of its scale; fit with a lighter tau"
            )

    def _user_index(self, user) -> int:
        return int(self._user_indices([user], "raise")[0])

    def _user_indices(self, users, unknown) -> np.ndarray:
        cure = "; for somebody new make a profile: fold_in(model, items, values)"
        found = known_indices(self._fitted.user_ids_, users, "user", KeyError, cure, unknown)
        return found[found >= 0]

    def _item_index(self, item) -> int:
        return int(known_indices(self._fitted.item_ids_, [item], "item", KeyError)[0])


def _renumbered(ratings, model) -> Ratings:
    """Return the ratings as the model numbers users and items; it must know all of them."""
    renumbered = ratings.with_ids(model.user_ids_, model.item_ids_)
    for kind, known, ids in (
        ("user", model.user_ids_, renumbered.user_ids),
        ("item", model.item_ids_, renumbered.item_ids),
    ):
        new = np.setdiff1d(ids, known, assume_unique=True)
        if len(new):
            raise ValueError(
                f"the model does not know {len(new)} {kind} ids of these ratings, the first is "
                f"{new[0]}; model.update(ratings) learns what is new"
            )
    return renumbered


def _row(ratings, view, weights, index) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the indices, values and weights of one row of a view; weights are in its order."""
    others, data = view.row(index)
    start, stop = view.indptr[index : index + 2]
    w = np.ones(len(others)) if weights is None else weights[start:stop].astype(np.float64)
    return others, ratings.decode(data).astype(np.float64), w


def _covariance(profile) -> np.ndarray:
    try:
        return np.linalg.inv(profile.precision)
    except np.linalg.LinAlgError as singular:
        raise ValueError("a bias that has no ridge and no rating could be anything") from singular


def _candidates(side, n, min_ratings, among, exclude, unknown) -> np.ndarray:
    """Return the indices of the rows that may be listed, ascending: here is every filter."""
    check_integer("n", n, least=1)
    check_integer("min_ratings", min_ratings, least=0)
    allowed = side.counts >= min_ratings
    for named, kept in ((among, True), (exclude, False)):
        if named is not None:
            found = known_indices(side.ids, named, side.kind, ValueError, unknown=unknown)
            marked = np.zeros(len(allowed), np.bool_)
            marked[found[found >= 0]] = True
            allowed &= marked == kept
    return np.flatnonzero(allowed)


def _table(side, rows, name, values, n) -> pd.DataFrame:
    """Return the n rows with the largest values, best first, as it is shown."""
    best = np.argsort(-values, kind="stable")[:n]  # of equals the earlier first
    rows = rows[best]
    return pd.DataFrame(
        {f"{side.kind}_id": side.ids[rows], name: values[best], "n_ratings": side.counts[rows]},
        index=pd.RangeIndex(1, len(rows) + 1, name="rank"),
    )


def _panels(side, candidates, alpha) -> np.ndarray:
    """Return the candidates' factors and damped biases in the order that the kernel reads."""
    n_panels = -(-len(candidates) // _PANEL)
    vectors = _padded(side.factors[candidates], alpha * side.bias[candidates], n_panels * _PANEL)
    return np.ascontiguousarray(vectors.reshape(n_panels, _PANEL, -1).swapaxes(1, 2))


def _padded(factors, last, n_rows) -> np.ndarray:
    """Return rows of factors and one number more, with zeros up to whole fours of columns."""
    n_given, n_factors = factors.shape
    vectors = np.zeros((n_rows, (n_factors + 4) // 4 * 4), np.float32)
    vectors[:n_given, :n_factors] = factors
    vectors[:n_given, n_factors] = last
    return vectors


def _with_one(factors) -> np.ndarray:
    """Return the rows (1, v) in float64."""
    return np.column_stack([np.ones(len(factors)), factors.astype(np.float64)])


def _inner_products(rows, vector) -> np.ndarray:
    """Return the inner product of every row with a vector, the same for rows that are the same.

    A matrix product adds up its last rows in another order than the others, so that rounding, which
    differs between processors, would decide which of two equal items comes first.
    """
    return np.einsum("ik,k->i", rows, vector)
