"""Lesson 4: which tastes do this user and this movie share?

The latent-factor model predicts μ + b_m + b_n + u_m · v_n and minimises

    L = λ/2 Σ_Ω (r_mn − μ − b_m − b_n − u_m · v_n)²
      + γ/2 (Σ c_m b_m² + Σ c_n b_n²) + τ/2 (Σ c_m ‖u_m‖² + Σ c_n ‖v_n‖²),

where c = 1 unless the ridge grows with the number of ratings: c = (number of ratings)^ridge_power.
"""

from collections.abc import Callable

import numpy as np

from alslib import kernels
from alslib._params import check_integer, check_number
from alslib.data.ratings import Ratings
from alslib.models.base import ALSModel

# Rows are dealt out to the threads in so many stretches, however many threads there are.
N_PARTS = 64


class LatentALS(ALSModel):
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
    tau : float
        τ, precision of the factors around 0; above 0. A light τ overfits while L falls and falls.
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
    After a fit in the same process, do not start others with ``multiprocessing`` by *fork*: the
    threads of numba do not survive it. Use threads, or the start methods *spawn* or *forkserver*.

    References
    ----------
    Koren, Bell and Volinsky, "Matrix factorization techniques for recommender systems", Computer
    42(8), 2009, equation 5. Zhou, Wilkinson, Schreiber and Pan, "Large-scale parallel
    collaborative filtering for the Netflix Prize", AAIM 2008 (the ridge that grows with the
    number of ratings).

    Examples
    --------
    >>> users = ["ann", "ann", "bob", "bob", "cat"]
    >>> ratings = Ratings(users, ["Heat", "Up", "Heat", "Up", "Up"], [5.0, 1.0, 1.0, 5.0, 5.0])
    >>> model = LatentALS(n_factors=1, tau=0.1).fit(ratings)
    >>> round(model.predict("cat", "Heat"), 1)
    1.8
    """

    def __init__(
        self,
        n_factors: int = 32,
        lam: float = 1.0,
        gamma: float = 1.0,
        tau: float = 3.0,
        ridge_power: float = 0.4,
        joint: bool = True,
        n_sweeps: int = 30,
        tol: float = 1e-5,
        random_state: int = 0,
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

    def blocks(self, ratings: Ratings) -> dict[str, Callable[[], None]]:
        """Return the block updates, users last; see `ALSModel.blocks`.

        So a fit ends with every user solved for with the movies as they stay, like a new user.
        """
        self._check_belongs(ratings)
        sides = {"item": (ratings.by_item, "user"), "user": (ratings.by_user, "item")}
        choices = {"bias": (True, False), "factors": (False, True)}
        if self.joint:
            choices = {"bias_and_factors": (True, True)}
        return {
            f"{side}_{name}": self._half_step(ratings, side, *other, solve)
            for side, other in sides.items()
            for name, solve in choices.items()
        }

    def _half_step(self, ratings, side, view, other_side, solve) -> Callable[[], None]:
        row_bias, row_factors = self._learned(side)
        column_bias, column_factors = self._learned(other_side)
        bias_prior, factor_prior = self._priors(side)
        counts = np.diff(view.indptr)
        growth = self._growth(counts)
        parts = _equal_parts(counts, row_factors.shape[1])
        offset, step, precision = self._targets(ratings)

        def update() -> None:
            singular = np.zeros(N_PARTS, np.int64)
            kernels.latent.half_step(
                *view,
                offset,
                step,
                self.mean_,
                column_bias,
                column_factors,
                self._base(column_factors),
                parts,
                self.gamma / precision * growth,
                self.tau / precision * growth,
                bias_prior,
                factor_prior,
                *solve,
                row_bias,
                row_factors,
                singular,
            )
            if singular.any():
                raise FloatingPointError(
                    f"tau / lam = {self.tau / self.lam:g} is too small or too large for these "
                    f"ratings: {singular.sum()} of {len(counts)} normal matrices are not positive "
                    "definite in floating point"
                )

        return update

    def _targets(self, ratings) -> tuple[float, float, float]:
        """Return offset and step of what the factors explain, and its precision."""
        return ratings.offset, ratings.step, self.lam

    def _base(self, columns) -> np.ndarray:
        """Return what the normal matrices of all rows have in common, divided by the precision."""
        return np.zeros((columns.shape[1], columns.shape[1]))

    def _fold_in_system(self, items, values) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return design, target and ridge matrix of the bias and factors of a user.

        They minimise ‖target − design (b, u)‖² + (b, u)' ridge (b, u), priors apart.
        """
        design = np.column_stack([np.ones(len(items)), self.item_factors_[items]])
        target = values - self.mean_ - self.item_bias_[items]
        ridge = np.repeat([self.gamma, self.tau], [1, self.n_factors]) / self.lam
        return design, target, np.diag(ridge * len(items) ** float(self.ridge_power))

    def _learned(self, side, kind="") -> tuple[np.ndarray, np.ndarray]:
        """Return the biases and the factors of users or items."""
        return getattr(self, f"{side}_{kind}bias_"), getattr(self, f"{side}_{kind}factors_")

    def _priors(self, side) -> tuple[np.ndarray, np.ndarray]:
        """Return where the biases and the factors of users or items lie without ratings."""
        bias, factors = self._learned(side)
        return np.zeros(bias.shape, bias.dtype), np.zeros(factors.shape, factors.dtype)

    def _check_params(self) -> None:
        super()._check_params()
        check_integer("n_factors", self.n_factors, least=0)
        check_number("gamma", self.gamma)
        check_number("tau", self.tau, above=0)
        check_number("ridge_power", self.ridge_power)
        if self.ridge_power > 1:
            raise ValueError(f"ridge_power must be at most 1, got {self.ridge_power!r}")
        if not isinstance(self.joint, bool | np.bool_):
            raise TypeError(f"joint must be True or False, got {self.joint!r}")
        check_integer("random_state", self.random_state, least=0)

    def _array_layout(self, n_users, n_items) -> dict[str, tuple[type, tuple[int, ...]]]:
        return {
            "user_bias_": (np.float64, (n_users,)),
            "item_bias_": (np.float64, (n_items,)),
            "user_factors_": (np.float32, (n_users, self.n_factors)),
            "item_factors_": (np.float32, (n_items, self.n_factors)),
        }

    def _start_parameters(self, ratings) -> None:
        self.user_bias_ = np.zeros(ratings.n_users)
        self.item_bias_ = np.zeros(ratings.n_items)
        rng = np.random.default_rng(self.random_state)
        # Products of factors this small leave the first predictions where the biases put them.
        size = np.float32(0.1 / np.sqrt(max(self.n_factors, 1)))
        self.user_factors_, self.item_factors_ = (
            size * rng.standard_normal((n_rows, self.n_factors), dtype=np.float32)
            for n_rows in (ratings.n_users, ratings.n_items)
        )

    def _penalty(self, ratings) -> float:
        squares = 0.0
        for side, counts in (("user", ratings.user_counts), ("item", ratings.item_counts)):
            (bias, factors), (bias_prior, factor_prior) = self._learned(side), self._priors(side)
            away = factors - factor_prior
            lengths = np.einsum("ik,ik->i", away, away, dtype=np.float64)
            biases = (bias - bias_prior) ** 2
            squares += self._growth(counts) @ (self.gamma * biases + self.tau * lengths)
        return float(squares / 2)

    def _growth(self, counts) -> np.ndarray:
        """Return by how much each row's ridge is multiplied; a row without ratings counts as 1."""
        return np.maximum(counts, 1) ** float(self.ridge_power)

    def _squared_errors(self, ratings) -> tuple[float, float]:
        per_user = np.empty((ratings.n_users, 2))
        offset, step, _ = self._targets(ratings)
        kernels.latent.squared_errors(
            *ratings.by_user,
            offset,
            step,
            self.mean_,
            self.user_bias_,
            self.item_bias_,
            self.user_factors_,
            self.item_factors_,
            _equal_parts(ratings.user_counts, self.n_factors),
            *self.scale_,
            per_user,
        )
        plain, clipped = per_user.sum(axis=0)
        return float(plain), float(clipped)

    def _predict_indices(self, users, items) -> np.ndarray:
        known = (users >= 0) & (items >= 0)
        both = np.empty(np.count_nonzero(known))
        kernels.latent.expected_ratings(
            users[known],
            items[known],
            self.mean_,
            self.user_bias_,
            self.item_bias_,
            self.user_factors_,
            self.item_factors_,
            both,
        )
        user_bias = np.where(users >= 0, self.user_bias_[users], 0.0)
        item_bias = np.where(items >= 0, self.item_bias_[items], 0.0)
        predicted = self.mean_ + user_bias + item_bias
        predicted[known] = both
        return predicted


def _equal_parts(counts: np.ndarray, n_factors: int) -> np.ndarray:
    """Cut the rows into stretches of about equal work; return the borders.

    A rating costs about K² operations and a row about K³/3 more for its solve.
    """
    work = np.cumsum(counts + n_factors / 3 + 1)
    inner = np.searchsorted(work, work[-1] * np.arange(1, N_PARTS) / N_PARTS)
    return np.concatenate(([0], inner, [len(counts)])).astype(np.int64)
