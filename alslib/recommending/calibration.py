"""Lesson 7: how far off can a prediction be?

The matrix that fold-in inverts says where a prediction is uncertain, but not by how many stars, and
it takes errors for bell-shaped. Both are measured on people who were not in the fit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from alslib._params import check_number


@dataclass(frozen=True, eq=False, repr=False)
class Calibration:
    """How large errors are, each divided by the standard deviation that the model gave it.

    `Recommender.calibrate` measures it.

    Attributes
    ----------
    ratios : ndarray of float64, shape (n,)
        How far off the predictions of held-back ratings were, each divided by s of
        `Recommender.predict_interval`, the standard deviation where ratings scatter by one star; in
        stars, ascending.
    """

    ratios: np.ndarray

    def __repr__(self) -> str:
        return f"Calibration({len(self.ratios)} ratings, sigma {self.sigma:.2f})"

    @property
    def sigma(self) -> float:
        """σ, by how many stars ratings scatter: the root of the mean square of the ratios."""
        return float(np.sqrt(np.mean(self.ratios**2)))

    def quantile(self, share: float) -> float:
        """Return the q for which a share of all ratings lies within prediction ± q s.

        It is the ratio number ⌈(n + 1) · share⌉ of n, and the largest where there are not enough.
        If ratings were independent draws, the interval would hold one more of them with a
        probability of at least the share. Those of one person are not: count it on other people.

        Parameters
        ----------
        share : float
            Between 0 and 1.

        Raises
        ------
        TypeError, ValueError
            If the share is no number between 0 and 1.

        References
        ----------
        Lei, G'Sell, Rinaldo, Tibshirani and Wasserman, "Distribution-free predictive inference for
        regression", Journal of the American Statistical Association 113(523), 2018, section 5.2:
        split conformal intervals whose width varies.
        """
        check_number("share", share, above=0)
        if share >= 1:
            raise ValueError(f"share must be below 1, got {share!r}")
        n = len(self.ratios)
        return float(self.ratios[min(int(np.ceil((n + 1) * share)), n) - 1])
