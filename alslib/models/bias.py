"""Lesson 3: how generous is this user, how good is this movie?

The bias-only model predicts μ + b_m + b_n and minimises

    L = λ/2 Σ_Ω w_mn (r_mn − μ − b_m − b_n)² + γ/2 (Σ b_m² + Σ b_n²),

where w_mn is the weight of a rating, 1 unless the ratings have other weights.
"""

from collections.abc import Callable

import numpy as np

from alslib import kernels
from alslib._params import check_number
from alslib.data.rated import RatingsToFit
from alslib.kernels.inputs import Targets
from alslib.kernels.threads import each_stretch, equal_stretches
from alslib.models.base import ALSModel, check_belongs

# Operations for a rating: to read it, and to add up its error.
_PER_RATING = 10


class BiasALS(ALSModel):
    """Bias-only model, fitted by alternating least squares.

    Each half of a sweep is exact: with the movies' biases held fixed, L falls apart into one
    parabola per user, and the update jumps to its lowest point::

        b_m = λ Σ_{n∈Ω(m)} (r_mn − μ − b_n) / (λ |Ω(m)| + γ),

    and likewise for movies with the users' biases held fixed. L therefore never rises. Results do
    not depend on the number of threads, bit for bit. μ is the mean of the training ratings. A
    rating of weight w counts w times, in each of these sums and numbers.

    Parameters
    ----------
    lam : float
        λ, precision of the ratings; above 0. Only γ/λ matters.
    gamma : float
        γ, precision of the biases around 0; at least 0. It acts like γ/λ extra ratings, each equal
        to what would be predicted without this bias.
    n_sweeps : int
        Largest number of sweeps; at least 1.
    tol : float
        Stop when a sweep lowers L by less than this share of L; 0 runs on while L falls at all.

    Attributes
    ----------
    mean_ : float
        μ, in stars.
    user_bias_ : ndarray of float64, shape (n_users,)
        b_m in stars; 0 for users without ratings.
    item_bias_ : ndarray of float64, shape (n_items,)
        b_n in stars; 0 for items without ratings.
    user_ids_, item_ids_ : ndarray
        The id of each index.
    scale_ : tuple of float
        The lowest and the highest rating, to which predictions are clipped.
    history_ : list of Sweep
        The objective, the errors and the seconds of every sweep.

    Notes
    -----
    Threads may use one model while another fits it: they see the fit before until the new one is
    done.

    References
    ----------
    Koren, Bell and Volinsky, "Matrix factorization techniques for recommender systems", Computer
    42(8), 2009, equations 3 and 5, without the factors.

    Examples
    --------
    >>> from alslib import Ratings
    >>> ratings = Ratings(["ann", "ann", "bob"], ["Heat", "Up", "Up"], [5.0, 4.0, 2.0])
    >>> model = BiasALS(gamma=1.0).fit(ratings)
    >>> round(model.predict("bob", "Heat"), 2)
    3.43
    """

    def __init__(self, lam: float = 1.0, gamma: float = 4.0, n_sweeps: int = 30, tol: float = 1e-6):
        self.lam = lam
        self.gamma = gamma
        self.n_sweeps = n_sweeps
        self.tol = tol

    def blocks(self, ratings: RatingsToFit) -> dict[str, Callable[[], None]]:
        """Return the two block updates, users first; see `ALSModel.blocks`."""
        fitted = check_belongs(self, ratings)
        users, items = fitted.user_bias_, fitted.item_bias_
        of_users, of_items = ratings.rated_by("user"), ratings.rated_by("item")
        return {
            "user_bias": lambda: fitted._half_step(ratings, of_users, items, users),
            "item_bias": lambda: fitted._half_step(ratings, of_items, users, items),
        }

    def _half_step(self, ratings, of_rows, fixed_bias, free_bias) -> None:
        fixed = self._target(ratings), fixed_bias, float(self.lam), float(self.gamma)
        of_rows.each(_solve, fixed, (), (free_bias,))

    def _target(self, ratings) -> tuple[float, float, float]:
        return ratings.offset, ratings.step, self.mean_

    def _check_params(self) -> None:
        super()._check_params()
        check_number("gamma", self.gamma)

    def _array_layout(self, n_users, n_items) -> dict[str, tuple[type, tuple[int, ...]]]:
        return {
            "user_bias_": (np.float64, (n_users,)),
            "item_bias_": (np.float64, (n_items,)),
        }

    def _start_parameters(self, ratings) -> None:
        self.user_bias_ = np.zeros(ratings.n_users)
        self.item_bias_ = np.zeros(ratings.n_items)

    def _penalty(self, ratings) -> float:
        squares = np.sum(self.user_bias_**2) + np.sum(self.item_bias_**2)
        return float(self.gamma / 2 * squares)

    def _squared_errors(self, ratings) -> tuple[float, float]:
        per_user = np.empty((ratings.n_users, 2))
        fixed = self._target(ratings), self.item_bias_, self.scale_
        ratings.rated_by("user").each(_measure, fixed, (self.user_bias_,), (per_user,))
        plain, clipped = per_user.sum(axis=0)
        return float(plain), float(clipped)

    def _predict_known(self, users, items) -> np.ndarray:
        return self.mean_ + self.user_bias_[users] + self.item_bias_[items]


def _solve(view, weights, target, column_bias, lam, gamma, row_bias) -> None:
    borders = equal_stretches(view.indptr, _PER_RATING)
    given = view, Targets(*target, weights), column_bias, lam, gamma
    each_stretch(kernels.bias.half_step, borders, *given, row_bias)


def _measure(view, weights, target, column_bias, scale, row_bias, out) -> None:
    borders = equal_stretches(view.indptr, _PER_RATING)
    given = view, Targets(*target, weights), row_bias, column_bias, scale
    each_stretch(kernels.bias.squared_errors, borders, *given, out)
