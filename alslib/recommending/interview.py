"""Lesson 7: which movie should somebody new be asked about next?

An answer is worth something only if there is one. Most people have not seen most movies, so that
every movie has two numbers: the chance that the person has seen it, and by how much its rating
would narrow down what is still uncertain. The next question has the largest product.
"""

import numpy as np
from numpy.typing import ArrayLike

from alslib._params import check_integer
from alslib.data.ids import known_indices
from alslib.models.factors import FactorALS
from alslib.models.implicit import ImplicitALS
from alslib.recommending.new_user import Profile, check_model, check_profile
from alslib.recommending.recommender import Recommender

# ρ: how much of a choice it was not to rate a movie that one has not been asked about.
_CHOICE = 0.05
# Nobody is certain not to have seen a movie.
_SMALLEST_CHANCE = 1e-3


class Interview:
    """Questions to somebody new, each of which depends on the answers so far.

    Of the movies that they have not been asked about, n has been seen with the chance

        s_n = p_n + v_n · d,    d minimising  λ Σ_asked (y − s)² + ρ (Σ (v · d)² + τ ‖d‖²),

    clipped to [0.001, 1]. Here p_n is the share of all users who rated n; the v_n, λ and τ are
    those of the model of choices; y is 1 for what they rated and 0 for what they have not seen. The
    second sum is over all movies: ρ = 0.05 says how little of a choice it was not to rate them.
    Before the first answer s = p.

    A rating of n, whatever it says, takes

        fall_n = Σ_list (z · A⁻¹z_n)² / (1 + z_n · A⁻¹z_n)

    off the sum of z · A⁻¹z, to which the variance of a predicted rating is proportional, over a
    list: the `n_listed` movies not asked about that they have most probably seen. A is the matrix
    of `fold_in`, at its present ridge, and z = (1, v) with the v of the recommender's model. The
    next question is the movie with the largest s_n · fall_n.

    Parameters
    ----------
    recommender : Recommender
        From a fitted model; its ratings say what share of the users has rated an item.
    choices : ImplicitALS
        Fitted, of who rated what, with the same items; with MovieLens's small release
        ``ImplicitALS(32, lam=4, tau=40)`` does well.
    n_listed : int
        The length of the list; at least 1.
    min_ratings : int
        Do not ask about items with fewer ratings.

    Raises
    ------
    RuntimeError
        If a model is not fitted.
    TypeError
        If `recommender` or `choices` is something else, or a number is none.
    ValueError
        If the two models differ in their items, a number is out of range, or the model's gamma is
        0, which leaves what is unknown of a stranger without bounds.

    References
    ----------
    Rashid et al., "Getting to know you: learning new user preferences in recommender systems",
    IUI 2002, weigh what an item teaches with how many people know it; there both are the same for
    everybody.

    Examples
    --------
    >>> from alslib import LatentALS, Ratings, fold_in, load_movielens
    >>> movielens = load_movielens()
    >>> ratings = Ratings.from_frame(movielens.ratings)
    >>> model = LatentALS(4, n_sweeps=5).fit(ratings)
    >>> choices = ImplicitALS(8, tau=20, n_sweeps=5).fit(ratings)
    >>> interview = Interview(Recommender(model, ratings), choices)
    >>> movielens.titles()[interview.next_question(fold_in(model, [], []))]
    'Forrest Gump (1994)'
    >>> next_one = interview.next_question(fold_in(model, [], []), unseen=[356])
    >>> movielens.titles()[next_one]
    'Matrix, The (1999)'
    """

    def __init__(
        self,
        recommender: Recommender,
        choices: ImplicitALS,
        *,
        n_listed: int = 10,
        min_ratings: int = 10,
    ):
        if not isinstance(recommender, Recommender):
            raise TypeError(f"recommender must be a Recommender, got {type(recommender).__name__}")
        if not isinstance(choices, ImplicitALS):
            raise TypeError(f"choices must be an ImplicitALS, got {type(choices).__name__}")
        check_integer("n_listed", n_listed, least=1)
        check_integer("min_ratings", min_ratings, least=0)
        self._model, choices = check_model(recommender.model), choices.as_fitted()
        if not np.array_equal(choices.item_ids_, self._model.item_ids_):
            raise ValueError("the model and the choices have different items; fit both to the same")
        if getattr(self._model, "gamma", 1) == 0:
            raise ValueError("gamma = 0: without a ridge nothing is known of a stranger's bias")
        self.n_listed = n_listed
        counts = recommender.ratings.item_counts
        self._often = counts >= min_ratings
        self._shares = counts / recommender.ratings.n_raters
        self._tastes = choices.item_factors_.astype(np.float64)
        self._ridge = _CHOICE / choices.lam * choices.of_all_pairs("user")

    def next_question(
        self, profile: Profile, unseen: ArrayLike = (), *, exclude: ArrayLike = ()
    ) -> int | str | None:
        """Return the item to ask about next.

        Parameters
        ----------
        profile : Profile
            What they have rated so far, from `fold_in`.
        unseen : array_like of ids, shape (n,)
            What they have been asked about and have not seen.
        exclude : array_like of ids
            What not to ask about, either, although nothing is known of it.

        Returns
        -------
        id, or None
            Neither rated, unseen nor excluded; of equals the lower id. None if none is left.

        Raises
        ------
        TypeError, ValueError
            If an item is unknown, or the profile follows from another fit.
        """
        check_profile(self._model, profile)
        skipped = known_indices(self._model.item_ids_, unseen, "item", ValueError)
        chances = self._chances(profile.items, skipped)
        left = self._often.copy()
        excluded = known_indices(self._model.item_ids_, exclude, "item", ValueError)
        left[profile.items] = left[skipped] = left[excluded] = False
        asked = np.flatnonzero(left)
        if not len(asked):
            return None
        chances = chances[asked]
        directions = _directions(self._model, asked)
        likely = np.argsort(-chances, kind="stable")[: self.n_listed]
        falls = expected_falls(_inverse(self._model, profile), directions, directions[likely])
        best = asked[np.argmax(chances * falls)]  # the first of equals
        return self._model.item_ids_[best : best + 1].tolist()[0]

    def _chances(self, seen, unseen) -> np.ndarray:
        """Return the chance of every item that they have seen it, given which they have."""
        answered = np.concatenate([seen, unseen])
        surprise = np.repeat([1.0, 0.0], [len(seen), len(unseen)]) - self._shares[answered]
        design = self._tastes[answered]
        taste = np.linalg.solve(design.T @ design + self._ridge, design.T @ surprise)
        chances = self._shares + np.einsum("nk,k->n", self._tastes, taste)
        return np.clip(chances, _SMALLEST_CHANCE, 1.0)


def expected_falls(inverse: np.ndarray, asked: np.ndarray, listed: np.ndarray) -> np.ndarray:
    """Return how much less is uncertain over a list after one rating more, for each that may come.

    (A + z_n z_n')⁻¹ = A⁻¹ − A⁻¹z_n z_n'A⁻¹ / (1 + z_n'A⁻¹z_n): what is rated matters, not how.

    Parameters
    ----------
    inverse : ndarray of float64, shape (P, P)
        A⁻¹, symmetric.
    asked : ndarray of float64, shape (n, P)
        The z_n of the items that may be rated.
    listed : ndarray of float64, shape (m, P)
        The z of the items of the list.

    Returns
    -------
    ndarray of float64, shape (n,)
        In units of σ² nᵃ: the variance of a rating around its prediction, times what the ridge of
        their n ratings has grown by.
    """
    # Not as matrix products, which would tell apart items that are the same; see `Recommender`.
    weighted = np.einsum("np,pq->nq", asked, inverse)
    across = np.einsum("nq,mq->nm", weighted, listed)
    return np.sum(across**2, axis=1) / (1 + np.einsum("nq,nq->n", weighted, asked))


def _directions(model: FactorALS, items: np.ndarray) -> np.ndarray:
    """Return the z of these items, float64, shape (n, P): the rows of the design of `fold_in`."""
    design, _, _ = model.fold_in_system("user", items, np.zeros(len(items)), np.ones(len(items)))
    return design.astype(np.float64)


def _inverse(model: FactorALS, profile: Profile) -> np.ndarray:
    """Return A⁻¹ of a profile, float64, shape (P, P), as if every rating of it weighed 1."""
    return np.linalg.inv(model.ridge_growth(len(profile.items)) * profile.precision)
