"""Lesson 4: which tastes do this user and this movie share?

The latent-factor model predicts μ + b_m + b_n + u_m · v_n and minimises

    L = λ/2 Σ_Ω w_mn (r_mn − μ − b_m − b_n − u_m · v_n)²
      + γ/2 (Σ c_m b_m² + Σ c_n b_n²) + τ/2 (Σ c_m ‖u_m‖² + Σ c_n ‖v_n‖²),

where c = 1 unless the ridge grows with the number of ratings: c = (number of ratings)^ridge_power.
The weights w_mn are 1 unless the ratings have others; a rating of weight w counts w times in every
number of ratings, so that weights 2 and 3 are the same as two and three equal ratings.

In another unit of the ratings, s times as large, the same model has s b, √s u and √s v, and L is
s² times as large if τ is s times as large, γ and λ as they were. So τ/λ has the unit of the
ratings, and γ/λ has none.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from alslib._params import check_number
from alslib.data.rated import RatingsToFit
from alslib.data.ratings import CSR
from alslib.kernels.inputs import Pair, Targets
from alslib.models.base import check_belongs
from alslib.models.factors import Explain, FactorALS, Kind

# What a model has that nobody has told otherwise; `FeatureALS` has them, too.
N_FACTORS = 32
LAM = 1.0
RIDGE_POWER = 0.4
N_SWEEPS = 30
TOL = 1e-5

_TAU = 3.0  # for ratings from 0.5 to 5 stars
_WIDTH = 4.5  # of their scale


class LatentALS(FactorALS):
    """Latent-factor model with biases, fitted by alternating least squares.

    With the movies held fixed, L falls apart into one ridge regression per user, which the update
    solves exactly; and likewise for movies with the users held fixed. By default a user's bias and
    factors are solved for together, as one system of K + 1 unknowns::

        minimise  λ/2 Σ_{n∈Ω(m)} (r_mn − μ − b_n − b_m − u_m · v_n)² + γ/2 b_m² + τ/2 ‖u_m‖².

    L never rises but for the rounding of float32, and results do not depend on the number of
    threads, bit for bit. μ is the mean of the training ratings.

    Parameters
    ----------
    n_factors : int
        K, the number of factors; at least 0. With 0 this is `BiasALS`.
    lam : float
        λ, precision of the ratings; above 0. Only γ/λ and τ/λ matter.
    gamma : float
        γ, precision of the biases around 0; at least 0.
    tau : float, optional
        τ, precision of the factors around 0; above 0. A light τ overfits while L falls and falls.
        By default 3 for ratings from 0.5 to 5 stars, and in proportion for a scale of another
        width, because τ/λ has the unit of the ratings: 60 for ratings from 10 to 100 per cent. Of
        counts or hours, where one number is a thousand times the next, take logarithms first.
    ridge_power : float
        Multiply γ and τ by (number of ratings)^ridge_power in each row; from 0 (every row alike)
        to 1 (each rating brings its own ridge, as in Zhou et al.).
    joint : bool
        Solve for a row's bias and factors together; otherwise one after the other, both exact.
    n_sweeps : int
        Largest number of sweeps; at least 1.
    tol : float
        Stop when a sweep lowers L by less than this share of L; 0 runs on while L falls at all.
    random_state : int
        Seed of the factors that the first sweep starts from.
    cg_steps : int, optional
        Instead of solving for a row's factors, go so many steps of conjugate gradients from where
        the last sweep left them; at least 1. With many factors a sweep with 3 steps takes a
        fraction of the time, and a fit few sweeps more. Rows are then nearly at their minima, and
        not at them; those that `update` names are solved for all the same.

    Attributes
    ----------
    mean_ : float
        μ, in stars.
    user_bias_ : ndarray of float64, shape (n_users,)
        b_m in stars; 0 for users without ratings.
    item_bias_ : ndarray of float64, shape (n_items,)
        b_n in stars; 0 for items without ratings.
    user_factors_ : ndarray of float32, shape (n_users, n_factors)
        u_m, one row a user; 0 for users without ratings.
    item_factors_ : ndarray of float32, shape (n_items, n_factors)
        v_n, one row an item; 0 for items without ratings.
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
    42(8), 2009, equation 5. Zhou, Wilkinson, Schreiber and Pan, "Large-scale parallel
    collaborative filtering for the Netflix Prize", AAIM 2008 (the ridge that grows with the
    number of ratings). Takács, Pilászy and Tikk, "Applications of the conjugate gradient method for
    implicit feedback collaborative filtering", RecSys 2011.

    Examples
    --------
    >>> from alslib import Ratings
    >>> users = ["ann", "ann", "bob", "bob", "cat"]
    >>> ratings = Ratings(users, ["Heat", "Up", "Heat", "Up", "Up"], [5.0, 1.0, 1.0, 5.0, 5.0])
    >>> model = LatentALS(n_factors=1, tau=0.1).fit(ratings)
    >>> round(model.predict("cat", "Heat"), 1)
    1.8
    """

    def __init__(
        self,
        n_factors: int = N_FACTORS,
        lam: float = LAM,
        gamma: float = 1.0,
        tau: float | None = None,
        ridge_power: float = RIDGE_POWER,
        joint: bool = True,
        n_sweeps: int = N_SWEEPS,
        tol: float = TOL,
        random_state: int = 0,
        cg_steps: int | None = None,
    ):
        self.n_factors = n_factors
        self.lam = lam
        self.gamma = gamma
        self.tau = tau
        self.ridge_power = ridge_power
        self.joint = joint
        self.n_sweeps = n_sweeps
        self.tol = tol
        self.random_state = random_state
        self.cg_steps = cg_steps

    def blocks(self, ratings: RatingsToFit) -> dict[str, Callable[[], None]]:
        """Return the block updates, users last; see `ALSModel.blocks`.

        So a fit ends with every user solved for with the movies as they stay, like a new user.
        """
        fitted = check_belongs(self, ratings)
        users, items = fitted._sides()
        rated_by_users, raters_of_items = ratings.rated_by("user"), ratings.rated_by("item")
        parts = {"bias": Pair(True, False), "factors": Pair(False, True)}
        if fitted.joint:
            parts = {"bias_and_factors": Pair(True, True)}
        of_items = {
            f"item_{name}": fitted._half_step(ratings, raters_of_items, items, users, solve)
            for name, solve in parts.items()
        }
        of_users = {
            f"user_{name}": fitted._half_step(ratings, rated_by_users, users, items, solve)
            for name, solve in parts.items()
        }
        return of_items | of_users

    def fold_in_system(
        self, kind: Kind, columns: np.ndarray, values: np.ndarray, weights: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the least squares problem of a row; see `FactorALS.fold_in_system`."""
        root = np.sqrt(weights)
        bias, factors = self.facing(kind)
        design = np.column_stack([np.ones(len(columns)), factors[columns]])
        target = values - self.mean_ - bias[columns]
        ridge = np.repeat([self.gamma, self.tau], [1, self.n_factors]) / self.lam
        ridge = np.diag(ridge * self.ridge_growth(weights.sum()))
        return root[:, None] * design, root * target, ridge

    def _explained(self, ratings) -> tuple[Explain, float]:
        return RatingsExplained(ratings.offset, ratings.step, self.mean_), self.lam

    def _ridge(self, counts) -> Pair:
        growth = self.ridge_growth(counts)
        return Pair(self.gamma * growth, self.tau * growth)

    def ridge_growth(self, counts: np.ndarray | float) -> np.ndarray | float:
        """Return n^a for rows whose ratings weigh n; a row without any counts as 1."""
        return np.where(counts > 0, counts, 1.0) ** float(self.ridge_power)

    def _unit(self) -> float:
        lowest, highest = self.scale_
        return (highest - lowest) / _WIDTH or 1.0  # ratings that are all alike have no unit

    def _settle(self) -> None:
        if self.tau is None:
            self.tau = _TAU * self._unit()

    def _check_params(self) -> None:
        super()._check_params()
        if self.tau is not None:
            check_number("tau", self.tau, above=0)
        check_number("gamma", self.gamma)
        check_number("ridge_power", self.ridge_power)
        if self.ridge_power > 1:
            raise ValueError(f"ridge_power must be at most 1, got {self.ridge_power!r}")
        if not isinstance(self.joint, bool | np.bool_):
            raise TypeError(f"joint must be True or False, got {self.joint!r}")


class RatingsExplained(NamedTuple):
    """What biases and factors of a `LatentALS` have to explain: the ratings, less their mean."""

    offset: float
    step: float
    mean: float

    def __call__(self, view: CSR, weights: np.ndarray) -> tuple[CSR, Targets]:
        """Return some rows as they are, and how to read them."""
        return view, Targets(*self, weights)
