"""What the models of lessons 4, 6 and 8 share: one vector for each user and each item.

All of them predict μ + b_m + b_n + u_m · v_n, some with less of it, and solve for the biases and
the factors of one side at a time, by the same half-step. They differ in what that explains, in the
ridges, and in where a row lies without ratings.
"""

from abc import abstractmethod
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from alslib import kernels
from alslib._params import check_integer
from alslib.data.rated import Kind, RatedRows, RatingsToFit
from alslib.data.ratings import CSR
from alslib.kernels.inputs import Pair, Targets
from alslib.kernels.threads import N_STRETCHES, each_stretch, equal_stretches
from alslib.models.base import ALSModel

# From some rows and their weights to what their biases and factors have to explain.
Explain = Callable[[CSR, np.ndarray], tuple[CSR, Targets]]

_KINDS: tuple[Kind, Kind] = ("user", "item")
_LINE = 64  # bytes of a cache line


class Side(NamedTuple):
    """The users, or the items, as a half-step sees them.

    Attributes
    ----------
    learned : Pair
        Biases, float64, shape (n,), and factors, float32, shape (n, K). A half-step writes them.
    prior : Pair
        Where they lie without ratings; likewise.
    """

    learned: Pair
    prior: Pair


class FactorALS(ALSModel):
    """Base of the models with factors."""

    n_factors: int
    tau: float | None
    random_state: int
    cg_steps: int | None

    user_factors_: np.ndarray
    item_factors_: np.ndarray

    @abstractmethod
    def fold_in_system(
        self, kind: Kind, columns: np.ndarray, values: np.ndarray, weights: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the least squares problem of one user, or of one item.

        Priors apart, w minimises ‖target − design w‖² + w' ridge w. It is (b, u), the bias and the
        factors, with P = K + 1; of a model without biases it is u alone, with P = K.

        Parameters
        ----------
        kind : {"user", "item"}
        columns : ndarray of int, shape (n,)
            The indices of what the user rated, or of those who rated the item.
        values : ndarray of float64, shape (n,)
            The ratings, in stars.
        weights : ndarray of float64, shape (n,)
            How much each counts: its row of the design and its target are multiplied by the root.

        Returns
        -------
        design : ndarray of float64, shape (n, P)
        target : ndarray of float64, shape (n,)
        ridge : ndarray of float64, shape (P, P)
        """

    def facing(self, kind: Kind) -> Pair:
        """Return the biases and the factors of the other side: of the items for a user."""
        users, items = self._learned()
        return items if kind == "user" else users

    @abstractmethod
    def _explained(self, ratings: RatingsToFit) -> tuple[Explain, float]:
        """Return what tells what biases and factors have to explain, and its precision."""

    @abstractmethod
    def _ridge(self, counts: np.ndarray) -> Pair:
        """Return the ridges of rows whose ratings weigh so much, float64, shape (n,)."""

    def ridge_growth(self, counts: np.ndarray | float) -> np.ndarray | float:
        """Return by what the ridges of rows are multiplied whose ratings weigh so much."""
        return np.ones_like(counts)

    def _unit(self) -> float:
        """Return how large a unit products of factors are counted in."""
        return 1.0

    def _base(self, columns: np.ndarray) -> np.ndarray:
        """Return what the normal matrices of all rows have in common, divided by the precision."""
        return np.zeros((columns.shape[1], columns.shape[1]))

    def _learned(self) -> tuple[Pair, Pair]:
        """Return biases and factors of the users and of the items."""
        users = Pair(self.user_bias_, self.user_factors_)
        items = Pair(self.item_bias_, self.item_factors_)
        return users, items

    def _row_arrays(self, side) -> list[str]:
        return [f"{side}_bias_", f"{side}_factors_"]

    def _priors(self) -> tuple[Pair, Pair]:
        """Return where biases and factors of users and of items lie without ratings."""
        users, items = (
            Pair(*(np.zeros(array.shape, array.dtype) for array in learned))
            for learned in self._learned()
        )
        return users, items

    def _sides(self) -> tuple[Side, Side]:
        """Return the users and the items."""
        users, items = map(Side, self._learned(), self._priors())
        return users, items

    def _half_step(
        self, ratings: RatingsToFit, of_rows: RatedRows, rows: Side, columns: Side, solve: Pair
    ) -> Callable[[], None]:
        """Return the update of the rows' biases, factors or both, with the columns held fixed."""
        explain, precision = self._explained(ratings)
        with np.errstate(over="ignore"):  # a ridge beyond floating point is found below
            ridge = Pair(*(part / precision for part in self._ridge(of_rows.counts)))
        # What is not solved for is held fixed, too.
        given = [array for array, free in zip(rows.learned, solve, strict=True) if not free]
        written = [array for array, free in zip(rows.learned, solve, strict=True) if free]
        work, options = solve_rows, ()
        if self.cg_steps is not None and solve.factors:
            work, options = approach_rows, (self.cg_steps,)
            given = [rows.learned.factors, *given]  # where steps start

        def update() -> None:
            base = self._base(columns.learned.factors)
            fixed = explain, columns.learned, base, solve, *options
            n_singular = sum(of_rows.each(work, fixed, (*ridge, *rows.prior, *given), written))
            if n_singular:
                n_rows = len(of_rows.counts)
                raise FloatingPointError(
                    f"tau / lam = {self.tau / self.lam:g} is too small or too large for these "
                    f"ratings: {n_singular} of {n_rows} normal matrices are not positive "
                    "definite in floating point"
                )

        return update

    def _check_params(self) -> None:
        super()._check_params()
        check_integer("n_factors", self.n_factors, least=0)
        check_integer("random_state", self.random_state, least=0)
        if self.cg_steps is not None:
            check_integer("cg_steps", self.cg_steps, least=1)

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
        size = np.float32(0.1 * np.sqrt(self._unit() / max(self.n_factors, 1)))
        self.user_factors_, self.item_factors_ = (
            rng.standard_normal(dtype=np.float32, out=_aligned(n_rows, self.n_factors))
            for n_rows in (ratings.n_users, ratings.n_items)
        )
        for factors in (self.user_factors_, self.item_factors_):
            factors *= size  # in place: with many users they weigh as much as their ratings

    def _penalty(self, ratings) -> float:
        squares = 0.0
        for side, kind in zip(self._sides(), _KINDS, strict=True):
            away = side.learned.factors - side.prior.factors
            lengths = np.einsum("ik,ik->i", away, away, dtype=np.float64)
            ridge = self._ridge(ratings.rated_by(kind).counts)
            squares += ridge.bias @ (side.learned.bias - side.prior.bias) ** 2
            squares += ridge.factors @ lengths
        return float(squares / 2)

    def _squared_errors(self, ratings) -> tuple[float, float]:
        per_user = np.empty((ratings.n_users, 2))
        users, items = self._learned()
        fixed = self._explained(ratings)[0], items, self.scale_
        ratings.rated_by("user").each(_measure, fixed, users, (per_user,))
        plain, clipped = per_user.sum(axis=0)
        return float(plain), float(clipped)

    def _predict_known(self, users, items) -> np.ndarray:
        predicted = np.empty(len(users))
        kernels.latent.expected_ratings(users, items, self.mean_, *self._learned(), predicted)
        return predicted


def _aligned(n_rows: int, n_columns: int) -> np.ndarray:
    """Return room for float32 that begins with a cache line, so that whole ones are read."""
    n_bytes = 4 * n_rows * n_columns
    memory = np.empty(n_bytes + _LINE, np.uint8)
    start = -memory.ctypes.data % _LINE
    return memory[start : start + n_bytes].view(np.float32).reshape(n_rows, n_columns)


def solve_rows(view, weights, explain, columns, base, solve, *rows) -> int:
    """Solve for some rows; return how many normal matrices are not positive definite.

    ``rows`` are their ridges divided by the precision, their priors, and what they have learned,
    biases before factors, but what is held fixed before what is written.
    """
    ridge, prior, (one, other) = (Pair(*rows[i : i + 2]) for i in (0, 2, 4))
    # The one of the two that is held fixed comes first: it is given, and not written.
    learned = Pair(other, one) if solve == (True, False) else Pair(one, other)
    view, targets = explain(view, weights)
    n_vectors = columns.factors.shape[1] + 1
    # A rating adds a matrix to the sums, of which half is made, and a row is solved for.
    borders = equal_stretches(view.indptr, n_vectors**2, n_vectors**3 / 3)
    given = view, targets, columns, base, ridge, prior, solve, learned
    return sum(each_stretch(kernels.latent.half_step, borders, *given))


def approach_rows(view, weights, explain, columns, base, solve, cg_steps, *rows) -> int:
    """Bring some rows nearer to their solutions; return how many normal matrices forbid it.

    ``rows`` are those of `solve_rows`, and before what they have learned the factors that they
    start from.
    """
    ridge, prior, learned = (Pair(*rows[i : i + 2]) for i in (0, 2, 5))
    view, targets = explain(view, weights)
    # The residual at the start, and after each step, reads a rating's factors twice.
    per_rating = 4 * (columns.factors.shape[1] + 1) * (1 + cg_steps)
    borders = equal_stretches(view.indptr, per_rating)
    given = view, targets, columns, base, ridge, prior, solve, rows[4], cg_steps, learned
    return sum(each_stretch(kernels.conjugate_gradients.half_step, borders, *given))


def _measure(view, weights, explain, columns, scale, row_bias, row_factors, out) -> None:
    """Set the squared errors of some rows, of the plain and of the clipped predictions."""
    view, targets = explain(view, weights)
    borders = equal_stretches(view.indptr, columns.factors.shape[1] + 10)
    rows = Pair(row_bias, row_factors)
    given = view, targets, rows, columns, scale
    each_stretch(kernels.latent.squared_errors, borders, *given, out)


def gram(columns: np.ndarray) -> np.ndarray:
    """Return the sum of v v' over all rows, in float64, in an order no thread changes."""
    borders = np.linspace(0, len(columns), N_STRETCHES + 1).astype(np.int64)
    upper = np.triu(sum(each_stretch(kernels.latent.gram, borders, columns)))
    return upper + np.triu(upper, 1).T
