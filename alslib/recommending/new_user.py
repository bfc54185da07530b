"""Lesson 7: who are you, judging by what you have rated?

Somebody new has no b_m and u_m yet. With the movies held fixed they are the solution of one system
of K + 1 equations, the same that the last half-step of the fit solved for everybody else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from alslib.data.columns import as_weights
from alslib.data.ids import Unknown, known_indices, refuse_masked
from alslib.models.factors import FactorALS
from alslib.models.features import FeatureALS

if TYPE_CHECKING:
    from alslib.models.feature_matrix import Features

# Rated items shown by the repr of a profile.
_SHOWN = 3


@dataclass(frozen=True, eq=False, repr=False)
class Profile:
    """What is known of one user: ratings, and the bias and factors that follow from them.

    Attributes
    ----------
    item_ids : ndarray of shape (n,)
        The rated items.
    values : ndarray of float64, shape (n,)
        Their ratings, in stars.
    bias : float
        b_m in stars.
    factors : ndarray of float64, shape (n_factors,)
        u_m.
    items : ndarray of int64, shape (n,)
        The indices of the rated items.
    shares : ndarray of float64, shape (n, n_factors)
        What each rating adds to u_m; with the next, they sum to it.
    prior_share : ndarray of float64, shape (n_factors,)
        What the user's features add to u_m; 0 without features.
    objective : float or None
        L of the fit that this follows from, by which a `Recommender` notices a profile of another
        fit; None before the first sweep.
    """

    item_ids: np.ndarray
    values: np.ndarray
    bias: float
    factors: np.ndarray
    items: np.ndarray
    shares: np.ndarray
    prior_share: np.ndarray
    objective: float | None = None

    def __repr__(self) -> str:
        pairs = zip(self.item_ids[:_SHOWN], self.values[:_SHOWN], strict=True)
        shown = [f"{item}: {value:g}" for item, value in pairs]
        more = ", …" if len(self.item_ids) > _SHOWN else ""
        return (
            f"Profile({len(self.item_ids)} ratings {{{', '.join(shown)}{more}}}, "
            f"bias {self.bias:+.2f}, {len(self.factors)} factors)"
        )


def fold_in(
    model: FactorALS,
    items: ArrayLike,
    values: ArrayLike,
    features: Features | None = None,
    *,
    weights: ArrayLike | None = None,
    unknown: Unknown = "raise",
) -> Profile:
    """Solve for the bias and the factors of somebody new, the items held fixed.

    Minimises λ/2 Σ (r − μ − b_n − b − u · v_n)² + γ/2 (b − c)² + τ/2 ‖u − p‖² over b and u, with c
    and p zero but for what the features say. A user of the fit, folded in with the same ratings and
    features, gets their own bias and factors again, to the rounding of float32; with
    ``joint=False`` only when sweeps no longer change anything.

    Parameters
    ----------
    model : LatentALS, FeatureALS or ImplicitALS
        Fitted.
    items : array_like of ids, shape (n,)
        What they rated, each item once. None at all is allowed: that is a stranger.
    values : array_like of shape (n,)
        How they rated, in stars, on the scale of the training ratings.
    features : table, matrix, or list of these, of one row, optional
        What else is known of them, as ``user_features`` of `FeatureALS.fit`.
    weights : array_like of shape (n,), optional
        How much each rating counts, above 0, as in `Ratings`.
    unknown : {"raise", "ignore"}
        What to do with items that the model does not know: say so, or leave them out with their
        ratings. Who is left with none is a stranger.

    Returns
    -------
    Profile

    Raises
    ------
    RuntimeError
        If the model is not fitted.
    TypeError
        If the model has no factors, ids are of another kind than those of the fit, or ratings are
        no numbers.
    ValueError
        If lengths differ, an item is unknown or rated twice, a rating is not on the scale, or there
        are features that the model does not know.

    Examples
    --------
    >>> from alslib import LatentALS, Ratings
    >>> users = ["ann", "ann", "bob", "bob", "cat", "cat"]
    >>> items = ["Alien", "Aliens", "Alien", "Up", "Up", "Cars"]
    >>> model = LatentALS(2).fit(Ratings(users, items, [5.0, 5.0, 1.0, 5.0, 5.0, 4.0]))
    >>> fold_in(model, ["Aliens"], [2.0])
    Profile(1 ratings {Aliens: 2}, bias -1.12, 2 factors)
    """
    model = check_model(model)
    indices = known_indices(model.item_ids_, items, "item", ValueError, unknown=unknown)
    known = indices >= 0
    values = _check_values(values, len(known), model.scale_)[known]
    indices = indices[known]
    repeated = indices[pd.Series(indices).duplicated()]
    if len(repeated):
        raise ValueError(f"item {model.item_ids_[repeated[0]]} is rated more than once")
    weights = _check_weights(weights, len(known))[known]
    return solve_profile(model, indices, values, weights, *_prior(model, features))


def check_model(model: object) -> FactorALS:
    """Return the model as it was fitted; refuse one without factors, or one that is not fitted.

    Raises
    ------
    TypeError, RuntimeError, ValueError
    """
    if not isinstance(model, FactorALS):
        raise TypeError(
            f"model must be a LatentALS, FeatureALS or ImplicitALS, got {type(model).__name__}"
        )
    return model.as_fitted()


def solve_profile(
    model: FactorALS,
    items: np.ndarray,
    values: np.ndarray,
    weights: np.ndarray,
    prior_bias: float,
    prior_factors: np.ndarray,
) -> Profile:
    """Return the profile of someone who rated these items (indices), pulled towards a prior.

    With e_j = r_j − μ − b_j, z_j = (1, v_j), D the ridge and w₀ = (c, p), the solution is
    (Σ z_j z_j' + D)⁻¹ (Σ z_j e_j + D w₀): a sum with one term for each rating, and one for the
    prior. A rating of weight w has w times its z_j z_j' and z_j e_j. In plain NumPy, without
    weights: `alslib.reference.bias_and_factors`.
    """
    design, target, ridge = model.fold_in_system(items, values, weights)
    n_biases = design.shape[1] - model.n_factors  # one or none
    prior = np.append(prior_bias, prior_factors)[1 - n_biases :]
    if len(items):
        terms = np.vstack([design * target[:, None], ridge @ prior])
        terms = np.linalg.solve(design.T @ design + ridge, terms.T).T
    else:  # nothing moves a stranger away from the prior
        terms = prior[None, :]
    solution = terms.sum(axis=0)
    return Profile(
        item_ids=model.item_ids_[items],
        values=values,
        bias=float(solution[:n_biases].sum()),
        factors=solution[n_biases:],
        items=items,
        shares=terms[:-1, n_biases:],
        prior_share=terms[-1, n_biases:],
        objective=last_objective(model),
    )


def last_objective(model: FactorALS) -> float | None:
    """Return L after the last sweep, which no two fits share; None before the first record."""
    return model.history_[-1].objective if model.history_ else None


def _prior(model, features) -> tuple[float, np.ndarray]:
    if features is None:
        return 0.0, np.zeros(model.n_factors)
    if not isinstance(model, FeatureALS):
        raise ValueError(f"a {type(model).__name__} knows no features")
    bias, factors = model.user_prior(features)
    if len(bias) != 1:
        raise ValueError(f"features of one user, please, got {len(bias)} rows")
    return float(bias[0]), factors[0]


def _check_values(values, n_items, scale) -> np.ndarray:
    refuse_masked(values, "ratings")
    values = np.asarray(values)
    if values.shape != (n_items,):
        raise ValueError(f"{n_items} items need as many ratings, got shape {values.shape}")
    if n_items and values.dtype.kind not in "iuf":
        raise TypeError(f"ratings must be numbers, got {values.dtype}")
    values = values.astype(np.float64)
    low, high = scale
    off = ~((values >= low) & (values <= high))  # NaN is, too
    if off.any():
        raise ValueError(
            f"{off.sum()} of {n_items} ratings are not on the scale from {low:g} to {high:g}, "
            f"the first is {values[off][0]:g}"
        )
    return values


def _check_weights(weights, n_items) -> np.ndarray:
    if weights is None:
        return np.ones(n_items)
    weights = as_weights(weights).astype(np.float64)
    if weights.shape != (n_items,):
        raise ValueError(f"{n_items} items need as many weights, got shape {weights.shape}")
    return weights
