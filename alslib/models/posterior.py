"""After lesson 6: what the ratings leave open.

ALS finds the one set of biases, factors and features that makes L smallest: the most probable one,
if the errors and the distances from the priors are Gaussian. Others are nearly as probable, and
where those predict different ratings, nobody knows better. Gibbs sampling walks among them: it
draws one block after the other from its distribution, all others held fixed, and the mean of what
the draws predict errs less than the prediction of the most probable one.

A block's distribution is Gaussian, and its mean is what the block's update finds. So a draw takes
no new algebra: add noise to the ratings and to the priors, as much as the model says there is, and
update.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import scipy

from alslib import kernels
from alslib._params import check_integer, check_number
from alslib.data.rated import Kind
from alslib.data.ratings import CSR, Ratings, check_ratings
from alslib.kernels.inputs import Pair, Targets
from alslib.models.factors import solve_rows
from alslib.models.feature_matrix import design_matrix
from alslib.models.features import FeatureALS

if TYPE_CHECKING:
    from alslib.models.feature_matrix import Features

_KINDS: tuple[Kind, Kind] = ("item", "user")
# Sweeps of plain ALS, which take the chain to where it is to walk.
_APPROACH = 10
# Steps that leave γ, τ, γ_f and τ_f as they are. What ALS finds lies nearer to its priors than
# draws do: precisions drawn from that would be too large, and hold everything there for long.
_HELD = 10
# The precision of slopes where a chain starts.
_OF_SLOPES = 30.0
# The model's arrays of rows, of their priors and of their features.
_WHICH = ("", "prior_", "feature_")


def sample_posterior(
    model: FeatureALS,
    ratings: Ratings,
    n_samples: int = 240,
    burn_in: int = 60,
    noise_freedom: float = 20.0,
    random_state: int = 0,
    *,
    slopes: bool = False,
    item_features: Features | None = None,
    user_features: Features | None = None,
) -> Iterator[FeatureALS]:
    """Draw sets of parameters, each as often as it is probable given the ratings.

    Precisions need not be chosen. λ is drawn with the rest, γ and τ are drawn for users and for
    items, γ_f and τ_f for each table of features; the model's are where the chain starts from. The
    noise may differ from user to user and from item to item: the error of a rating has the
    precision λ x_m y_n, with x and y around 1. Before any rating is seen each precision is
    Gamma(1, 1) distributed, which says next to nothing of ratings that are some stars apart; bring
    others, such as per cents, to such a scale first.

    Slopes are drawn where they are asked for, which ALS does not have. To some people a film that
    everybody likes is much better than the next one, to others hardly: user m adds (1 + a_m) b_n to
    the mean instead of b_n. The slopes a are Gaussian around 0 before any rating is seen. Their
    precision is drawn, too, and grows with the number of ratings as γ does.

    Parameters
    ----------
    model : FeatureALS
        Says how many factors there are, how the ridges grow, and where to start; stays as it is.
        Its γ is above 0. Without features it is a `LatentALS` that is sampled.
    ratings : Ratings
        The training ratings, without weights.
    n_samples : int
        How many to hand over; at least 1. Draws resemble the one before.
    burn_in : int
        How many are drawn and thrown away first, while the chain still knows where it came from.
    noise_freedom : float
        ν: x_m and y_n are Gamma distributed with mean 1 and variance 2/ν before any rating is seen.
        Above 0; with infinity the noise is alike everywhere.
    random_state : int
        Seed of the start and of all draws.
    slopes : bool
        Whether items' biases may count more for one user than for another. A draw then has one
        factor more than ``model``: the last one of an item is b_n, and that of a user a_m.
    item_features, user_features : table, matrix, or list of these, optional
        As in `FeatureALS.fit`. The work grows with the cube of the number of features, or of rated
        items or users where these are fewer: some thousands are the most that is reasonable.

    Returns
    -------
    iterator of FeatureALS
        Always the same model, whose biases, factors and features are the next draw; copy what is to
        stay.

    Raises
    ------
    TypeError, ValueError
        If a parameter, the ratings or the features will not do; at the call.

    References
    ----------
    Salakhutdinov and Mnih, "Bayesian probabilistic matrix factorization using Markov chain Monte
    Carlo", ICML 2008. Papandreou and Yuille, "Gaussian sampling by local perturbations", NIPS 2010
    (a draw as the solution of a perturbed system). Koren, "Collaborative filtering with temporal
    dynamics", KDD 2009 (items' biases times a number of the user's).

    Examples
    --------
    >>> from alslib import make_ratings
    >>> ratings = make_ratings(50, 40, 800, random_state=0).ratings
    >>> draws = sample_posterior(FeatureALS(n_factors=2), ratings, n_samples=100)
    >>> predicted = [draw.predict(3, 5) for draw in draws]
    >>> len(predicted), bool(np.std(predicted) > 0)
    (100, True)
    """
    if not isinstance(model, FeatureALS):
        raise TypeError(f"model must be a FeatureALS, got {type(model).__name__}")
    check_number("gamma", model.gamma, above=0)  # noise around a prior needs one
    check_integer("n_samples", n_samples, least=1)
    check_integer("burn_in", burn_in, least=0)
    check_integer("random_state", random_state, least=0)
    if noise_freedom != np.inf:
        check_number("noise_freedom", noise_freedom, above=0)
    if not isinstance(slopes, bool):
        raise TypeError(f"slopes must be True or False, got {slopes!r}")
    check_ratings(ratings)
    if ratings.weights is not None:
        raise ValueError("these ratings have weights; how noisy each is, is drawn here")
    features = {"item_features": item_features, "user_features": user_features}
    chain = Chain(model, ratings, features, noise_freedom, slopes, random_state)
    return chain.draws(n_samples, burn_in)


class DrawnRows(NamedTuple):
    """The users, or the items, and what is drawn of them.

    Attributes
    ----------
    kind : {"user", "item"}
    view : CSR
        Their ratings less the mean, in stars.
    growth : ndarray of float64, shape (n,)
        By what each row's γ and τ are multiplied.
    rated : ndarray of bool, shape (n,)
        Which of them have ratings.
    matrix : csr_array, shape (n, n_features)
    regression : Regression
        Of those with ratings; the others follow their priors, and have no say in them.
    noise : ndarray of float64, shape (n,)
        x_m, or y_n.
    precision : Pair
        γ and τ, each an array of length 1.
    of_tables : Pair
        γ_f and τ_f, one number for each table.
    """

    kind: Kind
    view: CSR
    growth: np.ndarray
    rated: np.ndarray
    matrix: scipy.sparse.csr_array
    regression: Regression
    noise: np.ndarray
    precision: Pair
    of_tables: Pair


class Chain:
    """A walk among sets of parameters; each step draws all of them once."""

    def __init__(self, model, ratings, features, noise_freedom, slopes, random_state):
        self.rng = np.random.default_rng(random_state)
        self.noise_freedom = noise_freedom
        # The last factor of items is their bias, and what it meets are the users' slopes.
        self.slope = slice(model.n_factors, None if slopes else model.n_factors)
        self.of_slopes = _OF_SLOPES
        params = model.get_params() | {
            "n_factors": model.n_factors + slopes,
            "random_state": random_state,
            "joint": True,
            "cg_steps": None,
        }
        start = FeatureALS(**params).initialise(ratings, **features)
        blocks = start.blocks(ratings)
        for _ in range(_APPROACH):
            for update in blocks.values():
                update()
        self.state = start.as_fitted()
        for which in _WHICH:
            self._of("user", which).factors[:, self.slope] = 0
            self._repeat_item_bias(which)
        self.lam = self.state.lam
        self.sides = [self._rows(ratings, kind, features[f"{kind}_features"]) for kind in _KINDS]

    def _rows(self, ratings, kind, features) -> DrawnRows:
        state, ids = self.state, getattr(ratings, f"{kind}_ids")
        view = ratings.by_user if kind == "user" else ratings.by_item
        matrix, names = design_matrix(features, f"{kind}_features", ids)
        counts = np.diff(view.indptr)
        rated, growth = counts > 0, state.ridge_growth(counts)
        tables = np.repeat(np.arange(len(names)), [len(columns) for columns in names])
        return DrawnRows(
            kind,
            view._replace(data=ratings.decode(view.data) - state.mean_),
            growth,
            rated,
            matrix,
            Regression(matrix[rated], growth[rated], tables),
            np.ones(len(ids)),
            Pair(np.array([float(state.gamma)]), np.array([float(state.tau)])),
            Pair(*(np.full(len(names), p) for p in (state.gamma_features, state.tau_features))),
        )

    def draws(self, n_samples: int, burn_in: int) -> Iterator[FeatureALS]:
        """Yield the model after each step that follows the first ones."""
        for i in range(burn_in + n_samples):
            self.step(precisions=i >= _HELD)
            if i >= burn_in:
                yield self.state

    def step(self, precisions: bool = True) -> None:
        """Draw everything once, one block after the other."""
        for rows, columns in (self.sides, self.sides[::-1]):
            if precisions:
                self._draw_precisions(rows)
            self._draw_features(rows)
            self._draw_rows(rows, columns)
        self._draw_noise()

    def _of(self, kind, which) -> Pair:
        """Return two of the model's arrays, which are written in place."""
        return Pair(*(getattr(self.state, f"{kind}_{which}{part}_") for part in Pair._fields))

    def _repeat_item_bias(self, which) -> None:
        bias, factors = self._of("item", which)
        factors[:, self.slope] = bias[:, None]

    def _parts(self, rows) -> Iterator[tuple[np.ndarray, ...]]:
        """Return what is drawn of the rows: first of the biases, then of the factors."""
        arrays = (self._of(rows.kind, which) for which in _WHICH)
        parts = ((bias, factors[:, : self.slope.start]) for bias, factors in arrays)
        return zip(*parts, rows.precision, rows.of_tables, strict=True)

    def _normal(self, like: np.ndarray) -> np.ndarray:
        return self.rng.standard_normal(like.shape)

    def _draw_features(self, rows) -> None:
        """Draw what each feature contributes; the priors follow."""
        if not rows.matrix.shape[1]:
            return
        for learned, prior, drawn, precision, of_tables in self._parts(rows):
            drawn[:] = rows.regression.draw(learned[rows.rated], precision, of_tables, self.rng)
            prior[:] = rows.matrix @ drawn
        if rows.kind == "item":
            self._repeat_item_bias("feature_")
            self._repeat_item_bias("prior_")

    def _draw_rows(self, rows, columns) -> None:
        """Draw each row's bias and factors: its half-step, with noise in ratings and priors.

        With slopes a user meets the bias of an item as one factor more. An item meets 1 + a there,
        and looks for its bias as a factor, too. All factors of a half-step have the ridge τ, so
        that one is measured in a unit in which τ is its precision.
        """
        precision = self.lam * rows.noise[rows.view.rows()] * columns.noise[rows.view.indices]
        noisy = rows.view.data + self._normal(precision) / np.sqrt(precision)
        view = rows.view._replace(data=noisy.astype(np.float32))
        weights = (precision / self.lam).astype(np.float32)
        gamma, tau = rows.precision
        unit = np.ones(self.state.n_factors, np.float32)
        if rows.kind == "user":
            bias_apart, of_slope, follow = True, self.of_slopes, 0
        else:
            bias_apart, of_slope, follow = self.slope.start == self.state.n_factors, gamma, 1
        unit[self.slope] = np.sqrt(tau / of_slope)
        met = self._of(columns.kind, "")
        met = met._replace(factors=met.factors.copy())
        met.factors[:, self.slope] += follow
        met.factors[:] *= unit
        ridge = [part * rows.growth for part in rows.precision]
        around = self._of(rows.kind, "prior_")
        prior = [
            (centre.T + self._normal(centre).T / np.sqrt(h)).T.astype(centre.dtype)
            for centre, h in zip((around.bias, around.factors / unit), ridge, strict=True)
        ]
        learned = self._of(rows.kind, "")
        n_singular = solve_rows(
            view,
            weights,
            lambda view, weights: (view, Targets(0.0, 1.0, 0.0, weights)),
            met,
            np.zeros((self.state.n_factors,) * 2),
            Pair(bias_apart, True),
            *(h / self.lam for h in ridge),
            *prior,
            learned.bias if bias_apart else np.zeros_like(learned.bias),
            learned.factors,
        )
        if n_singular:
            raise FloatingPointError(f"{n_singular} normal matrices are not positive definite")
        learned.factors[:] *= unit
        if not bias_apart:
            learned.bias[:] = learned.factors[:, -1]

    def _draw_precisions(self, rows) -> None:
        """Draw γ, τ, γ_f and τ_f, and that of slopes, from their Gamma distributions.

        They are given how far all lies apart.
        """
        root = np.sqrt(rows.growth[rows.rated])
        for learned, prior, features, precision, of_tables in self._parts(rows):
            precision[0] = self._precision(root * (learned - prior)[rows.rated].T)
            for table in range(len(of_tables)):
                of_tables[table] = self._precision(features[rows.regression.tables == table])
        if rows.kind == "user":
            slopes = self._of("user", "").factors[rows.rated, self.slope]
            self.of_slopes = self._precision(root * slopes.T)

    def _precision(self, deviations: np.ndarray) -> float:
        """Draw the precision of Gaussian numbers around 0, where Gamma(1, 1) was its prior."""
        return self.rng.gamma(1 + deviations.size / 2, 1 / (1 + np.sum(deviations**2) / 2))

    def _draw_noise(self) -> None:
        """Draw λ, then how noisy each item's and each user's ratings are beside it."""
        of_items, of_users = self.sides
        users, items = of_users.view.rows(), of_users.view.indices
        predicted = np.empty(len(users))
        learned = self._of("user", ""), self._of("item", "")
        kernels.latent.expected_ratings(users, items, 0.0, *learned, predicted)
        squares = (of_users.view.data - predicted) ** 2
        by_both = of_users.noise[users] * of_items.noise[items] * squares
        self.lam = self.rng.gamma(1 + squares.size / 2, 1 / (1 + by_both.sum() / 2))
        if self.noise_freedom == np.inf:
            return
        for rows, mine, others, theirs in (
            (of_items, items, of_users, users),
            (of_users, users, of_items, items),
        ):
            heard = self.lam * others.noise[theirs] * squares
            shape = self.noise_freedom + np.diff(rows.view.indptr)
            rate = self.noise_freedom + np.bincount(mine, heard, len(rows.noise))
            rows.noise[:] = self.rng.gamma(shape / 2, 2 / rate)


class Regression:
    """Draws what features contribute, given where the rows that have them lie.

    Row n lies at S_n F plus noise of precision p w_n, and feature k of table t at 0 plus noise of
    precision r_t. With noise of these sizes added to the rows, and F0 drawn from the priors, the F
    that minimises

        Σ_n p w_n ‖x_n − S_n F‖² + Σ_k r_t(k) ‖F_k − F0_k‖²

    is a draw from the distribution of F. One of two equal systems is solved, the smaller one: with
    p S'WS + R, as many rows as features, or with S R⁻¹S' + (pW)⁻¹. All that stays the same from
    draw to draw is made once.

    Parameters
    ----------
    matrix : csr_array, shape (n, n_features)
        S.
    growth : ndarray of float64, shape (n,)
        w_n.
    tables : ndarray of int, shape (n_features,)
        t(k), ascending from 0.
    """

    def __init__(self, matrix: scipy.sparse.csr_array, growth: np.ndarray, tables: np.ndarray):
        self.matrix, self.growth, self.tables = matrix, growth, tables
        n_rows, n_features = matrix.shape
        self.by_features = n_features <= n_rows
        if self.by_features:
            self.gram = (matrix.multiply(growth[:, None]).T @ matrix).toarray()
        else:
            blocks = [matrix[:, tables == table] for table in np.unique(tables)]
            self.grams = [(block @ block.T).toarray() for block in blocks]

    def draw(
        self, rows: np.ndarray, precision: float, of_tables: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """Return F.

        Parameters
        ----------
        rows : ndarray, shape (n,) or (n, K)
            x.
        precision : float
            p.
        of_tables : ndarray of float64, shape (n_tables,)
            r.
        rng : Generator

        Returns
        -------
        ndarray of float64, shape (n_features,) or (n_features, K)
        """
        weights, ridge = precision * self.growth, of_tables[self.tables]
        around = (rng.standard_normal((len(ridge), *rows.shape[1:])).T / np.sqrt(ridge)).T
        noisy = rows + (rng.standard_normal(rows.shape).T / np.sqrt(weights)).T
        missing = noisy - self.matrix @ around
        if self.by_features:
            system = precision * self.gram
            system[np.diag_indices_from(system)] += ridge
            return around + _solve(system, self.matrix.T @ (weights * missing.T).T)
        system = sum(gram / r for gram, r in zip(self.grams, of_tables, strict=True))
        system[np.diag_indices_from(system)] += 1 / weights
        return around + ((self.matrix.T @ _solve(system, missing)).T / ridge).T


def _solve(system, right):
    return scipy.linalg.cho_solve(scipy.linalg.cho_factor(system, overwrite_a=True), right)
