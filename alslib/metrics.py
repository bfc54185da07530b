"""Lesson 3: how far off are the predictions?"""

import numpy as np


def rmse(actual, predicted) -> float:
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
    ValueError
        If the shapes differ, there is nothing to compare, or a number is NaN or infinite.
    """
    return float(np.sqrt(np.mean(_errors(actual, predicted) ** 2)))


def mae(actual, predicted) -> float:
    """Mean absolute error: mean of |actual − predicted|.

    Parameters, result and errors are those of `rmse`.
    """
    return float(np.mean(np.abs(_errors(actual, predicted))))


def _errors(actual, predicted) -> np.ndarray:
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
