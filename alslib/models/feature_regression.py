"""What features contribute: a regression of the rows on them, by conjugate gradients (lesson 6)."""

from __future__ import annotations

import numpy as np
import scipy

from alslib import kernels
from alslib.kernels.threads import each_stretch, equal_stretches

# No column may have more left to gain than this share of itself, squared. In float64 that is finer
# than the float32 that factors are stored in; in float32, steps beyond it would follow rounding.
_RESIDUAL = {np.dtype(np.float64): 1e-9, np.dtype(np.float32): 1e-6}
# Operations of NumPy on each number of a row, beside the product.
_PER_NUMBER = 10


class FeatureRegression:
    """Moves F, and with it the prior S F of the rows x, towards the minimiser of

        precision Σ_n growth_n ‖x_n − S_n F‖² + ridge ‖F‖².

    In plain NumPy, at once and exactly: `alslib.reference.features`. Here by conjugate gradients
    for least squares, with the diagonal of the system as preconditioner; all columns of F go side
    by side, and each step lowers the sum. A step needs two products with S, one forth and one back.
    They are made on all cores, in the type of ``matrix``, and added up in float64.

    Parameters
    ----------
    matrix, back : csr_array of float32 or float64, shape (n, n_features) and (n_features, n)
        S and its transpose. In float32 errors are what the prior, whatever it was rounded to,
        leaves of the rows; in float64 the prior is made anew in each `descend`.
    growth : ndarray of float64, shape (n,)
        0 for rows that are not heard.
    precision, ridge : float
    rows, prior : ndarray of float32 or float64, shape (n, n_columns)
        x and S F; the latter is written.
    learned : ndarray of float64, shape (n_features, n_columns)
        F, which is written.

    References
    ----------
    Björck, Numerical Methods for Least Squares Problems, SIAM 1996, section 7.4.
    """

    def __init__(
        self,
        matrix: scipy.sparse.csr_array,
        back: scipy.sparse.csr_array,
        growth: np.ndarray,
        precision: float,
        ridge: float,
        rows: np.ndarray,
        prior: np.ndarray,
        learned: np.ndarray,
    ):
        self.rows, self.learned, self.ridge = rows, learned, ridge
        self.stored = self.prior = prior
        # Where it is to be exact, a prior of float64 is what moves.
        if matrix.dtype == np.float64:
            self.prior = np.empty(prior.shape)
        self.forth, self.back = ((m.indptr, m.indices, m.data) for m in (matrix, back))
        n_columns = learned.shape[1]
        self.by_rows, self.by_features = (
            equal_stretches(m.indptr, 2 * n_columns, _PER_NUMBER * n_columns)
            for m in (matrix, back)
        )
        self.all_rows, self.all_features = (
            equal_stretches(m.indptr, 0, _PER_NUMBER * n_columns) for m in (matrix, back)
        )
        self.weights = (precision * growth).astype(matrix.dtype)[:, None]
        squares = back.astype(np.float64).power(2) @ growth
        self.curvature = precision * squares[:, None] + ridge
        self.error, self.moved = np.empty(rows.shape, matrix.dtype), np.zeros(rows.shape)
        self.direction = np.zeros(learned.shape, matrix.dtype)
        self.downhill = np.empty(learned.shape)

    def descend(self, most_steps: int) -> None:
        """Take so many steps from where F is, or fewer if there is nothing to gain."""
        if self.prior is not self.stored:
            everything = *self.forth, self.learned, self.prior
            each_stretch(kernels.sparse.multiply, self.by_rows, *everything)
        enough = _RESIDUAL[self.error.dtype] ** 2
        progress = np.zeros(self.learned.shape[1])
        each_stretch(self._move, self.all_rows, progress)
        for _ in range(most_steps):
            before = progress
            progress, size = np.sum(each_stretch(self._look, self.by_features), axis=0)
            if np.all(progress <= enough * size):
                break
            keep = _ratio(progress, before)
            slope, bend = np.sum(each_stretch(self._turn, self.all_features, keep), axis=0)
            bend = bend + np.sum(each_stretch(self._try, self.by_rows), axis=0)
            step = _ratio(slope, bend)
            self.learned += step * self.direction
            each_stretch(self._move, self.all_rows, step)
        if self.prior is not self.stored:
            self.stored[:] = self.prior

    # Each of these does the rows, or the features, from `first` up to `last`.

    def _move(self, first, last, step) -> None:
        """Move the priors, and see anew what they, rounded as they are, leave of the rows."""
        part = slice(first, last)
        self.moved[part] *= step
        self.prior[part] += self.moved[part]
        np.subtract(self.rows[part], self.prior[part], out=self.error[part])
        self.error[part] *= self.weights[part]

    def _look(self, first, last) -> tuple[np.ndarray, np.ndarray]:
        """See which way is down; return how much, and how much all of F is worth, in one metric."""
        part = slice(first, last)
        kernels.sparse.multiply(first, last, *self.back, self.error, self.downhill)
        downhill, learned, curvature = self.downhill[part], self.learned[part], self.curvature[part]
        downhill -= self.ridge * learned
        return np.sum(downhill**2 / curvature, axis=0), np.sum(curvature * learned**2, axis=0)

    def _turn(self, first, last, keep) -> tuple[np.ndarray, np.ndarray]:
        """Turn downhill; return the slope of the sum, and how much of its bend is the ridge's."""
        part = slice(first, last)
        direction, downhill = self.direction[part], self.downhill[part]
        direction[:] = downhill / self.curvature[part] + keep * direction
        return np.sum(downhill * direction, axis=0), self.ridge * np.sum(direction**2, axis=0)

    def _try(self, first, last) -> np.ndarray:
        """See where the direction leads the priors; return how much of the bend is the rows'."""
        part = slice(first, last)
        kernels.sparse.multiply(first, last, *self.forth, self.direction, self.moved)
        return np.sum(self.weights[part] * self.moved[part] ** 2, axis=0)


def _ratio(above, below) -> np.ndarray:
    """Divide; a column that is solved exactly has 0 / 0, which is no step at all."""
    return np.divide(above, below, out=np.zeros_like(below), where=below > 0)
