"""Lesson 3: how far off are the predictions?"""

import numpy as np
from numpy.typing import ArrayLike

from alslib._ids import refuse_masked


def rmse(actual: ArrayLike, predicted: ArrayLike) -> float:
    """Root mean squared error: √(mean of (actual − predicted)²).

    Parameters
    ----------
    actual, predicted : array_like of shape (n,), n ≥ 1
        In stars.

    Returns
    -------
    float
        In stars.

    Raises
    ------
    TypeError
        If something else than numbers is compared.
    ValueError
        If the shapes differ, there is nothing to compare, or a number is NaN, infinite or masked.
    """
    return float(np.sqrt(np.mean(_errors(actual, predicted) ** 2)))


def mae(actual: ArrayLike, predicted: ArrayLike) -> float:
    """Mean absolute error: mean of |actual − predicted|.

    Parameters, result and errors are those of `rmse`.
    """
    return float(np.mean(np.abs(_errors(actual, predicted))))


def _errors(actual, predicted) -> np.ndarray:
    for name, values in {"actual": actual, "predicted": predicted}.items():
        refuse_masked(values, f"{name} ratings")
        kind = np.asarray(values).dtype.kind
        if kind not in "iuf":
            raise TypeError(f"{name} must be numbers, got {np.asarray(values).dtype}")
    # Subtracting float32 ratings in float32 would round errors of a thousandth of a star.
    actual, predicted = np.asarray(actual, np.float64), np.asarray(predicted, np.float64)
    if actual.shape != predicted.shape:
        raise ValueError(f"shapes differ: actual {actual.shape}, predicted {predicted.shape}")
    if actual.size == 0:
        raise ValueError("there is nothing to compare")
    errors = actual - predicted
    if not np.isfinite(errors).all():
        raise ValueError(f"{np.sum(~np.isfinite(errors))} of {errors.size} errors are not finite")
    return errors
