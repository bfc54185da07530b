"""Lesson 7: who are you, judging by what you have rated?

Somebody new has no b_m and u_m yet. With the movies held fixed they are the solution of one system
of K + 1 equations, the same that the last half-step of the fit solved for everybody else. With the
roles exchanged it is a new movie that gets its b_n and v_n from the first who rate it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from alslib.data.columns import as_weights
from alslib.data.ids import Unknown, known_indices, refuse_masked
from alslib.models.factors import FactorALS, Kind
from alslib.models.features import FeatureALS
from alslib.models.implicit import ImplicitALS

if TYPE_CHECKING:
    from alslib.models.feature_matrix import Features
    from alslib.recommending.popularity import PopularityPrior

# Ratings shown by the repr of a profile.
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
    precision : ndarray of float64, shape (P, P)
        The inverse of the covariance of (b_m, u_m), P = K + 1, or of u_m alone, P = K, for a model
        without biases; where ratings scatter by one star. It is A of `solve_row`, divided by the
        growth of the ridge, n^a for n ratings.
    objective : float or None
        L of the fit that this follows from, by which a `Recommender` notices a profile of another
        fit; None before the first sweep.
    item_bias : ndarray of float64, shape (n_items,), or None
        What each item is worth before this person's taste is asked, from a `PopularityPrior`; None
        where that is the model's b_n.
    """

    item_ids: np.ndarray
    values: np.ndarray
    bias: float
    factors: np.ndarray
    items: np.ndarray
    shares: np.ndarray
    prior_share: np.ndarray
    precision: np.ndarray
    objective: float | None = None
    item_bias: np.ndarray | None = None

    def __repr__(self) -> str:
        return _shown(self, self.item_ids)


@dataclass(frozen=True, eq=False, repr=False)
class ItemProfile:
    """What is known of one item: ratings, and the bias and factors that follow from them.

    Attributes
    ----------
    user_ids : ndarray of shape (n,)
        Who rated it.
    values : ndarray of float64, shape (n,)
        How, in stars.
    bias : float
        b_n in stars.
    factors : ndarray of float64, shape (n_factors,)
        v_n.
    users : ndarray of int64, shape (n,)
        The indices of those who rated it.
    shares, prior_share, precision, objective
        As in `Profile`, of b_n and v_n.
    """

    user_ids: np.ndarray
    values: np.ndarray
    bias: float
    factors: np.ndarray
    users: np.ndarray
    shares: np.ndarray
    prior_share: np.ndarray
    precision: np.ndarray
    objective: float | None = None

    def __repr__(self) -> str:
        return _shown(self, self.user_ids)


def _shown(profile: Profile | ItemProfile, ids: np.ndarray) -> str:
    pairs = zip(ids[:_SHOWN], profile.values[:_SHOWN], strict=True)
    shown = [f"{other}: {value:g}" for other, value in pairs]
    more = ", …" if len(ids) > _SHOWN else ""
    return (
        f"{type(profile).__name__}({len(ids)} ratings {{{', '.join(shown)}{more}}}, "
        f"bias {profile.bias:+.2f}, {len(profile.factors)} factors)"
    )


def fold_in(
    model: FactorALS,
    items: ArrayLike,
    values: ArrayLike,
    features: Features | None = None,
    *,
    weights: ArrayLike | None = None,
    prior: PopularityPrior | None = None,
    unknown: Unknown = "raise",
) -> Profile:
    """Solve for the bias and the factors of somebody new, the items held fixed.

    Minimises λ/2 Σ (r − μ − b_n − b − u · v_n)² + γ/2 (b − c)² + τ/2 ‖u − p‖² over b and u, with c
    and p zero but for what the features say. A user of the fit, folded in with the same ratings and
    features, gets their own bias and factors again, to the rounding of float32; with
    ``joint=False`` or ``cg_steps`` only when sweeps no longer change anything.

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
    prior : PopularityPrior, optional
        For an ImplicitALS: begin with what most people like, for good lists from few ratings. What
        is minimised then stands there.
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
        If the model has no factors, or predicts stars although there is a prior, ids are of another
        kind than those of the fit, or ratings are no numbers.
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
    rated = _checked(model, "user", items, values, weights, unknown)
    return solve_row(model, "user", *rated, *_prior(model, "user", features), prior)


def fold_in_item(
    model: FactorALS,
    users: ArrayLike,
    values: ArrayLike,
    features: Features | None = None,
    *,
    weights: ArrayLike | None = None,
    unknown: Unknown = "raise",
) -> ItemProfile:
    """Solve for the bias and the factors of a new item, the users held fixed.

    `fold_in` with the roles exchanged. An item of the fit gets its own row again where sweeps no
    longer change anything: a fit ends with a step of the users, for which its rows stay.

    Parameters
    ----------
    model : LatentALS, FeatureALS or ImplicitALS
        Fitted.
    users : array_like of ids, shape (n,)
        Who rated it, each user once. None at all is allowed: that is an item that comes out today.
    values : array_like of shape (n,)
        How they rated, in stars, on the scale of the training ratings.
    features : table, matrix, or list of these, of one row, optional
        What else is known of it, as ``item_features`` of `FeatureALS.fit`.
    weights, unknown
        As in `fold_in`.

    Returns
    -------
    ItemProfile
        For `Recommender.users_for` and `Recommender.similar`.

    Raises
    ------
    RuntimeError, TypeError, ValueError
        As in `fold_in`.

    Examples
    --------
    >>> from alslib import LatentALS, Ratings
    >>> users = ["ann", "ann", "bob", "bob", "cat", "cat"]
    >>> items = ["Alien", "Aliens", "Alien", "Up", "Up", "Cars"]
    >>> model = LatentALS(2).fit(Ratings(users, items, [5.0, 5.0, 1.0, 5.0, 5.0, 4.0]))
    >>> fold_in_item(model, ["bob"], [2.0])
    ItemProfile(1 ratings {bob: 2}, bias -0.73, 2 factors)
    """
    model = check_model(model)
    rated = _checked(model, "item", users, values, weights, unknown)
    return solve_row(model, "item", *rated, *_prior(model, "item", features))


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


def solve_row(
    model: FactorALS,
    kind: Kind,
    others: np.ndarray,
    values: np.ndarray,
    weights: np.ndarray,
    prior_bias: float,
    prior_factors: np.ndarray,
    popularity: PopularityPrior | None = None,
) -> Any:
    """Return the profile of a user, or of an item, pulled towards a prior.

    With e_j = r_j − μ − b_j, z_j = (1, v_j), D the ridge and w₀ = (c, p), the solution is
    (Σ z_j z_j' + D)⁻¹ (Σ z_j e_j + D w₀): a sum with one term for each rating, and one for the
    prior. A rating of weight w has w times its z_j z_j' and z_j e_j. In plain NumPy, without
    weights: `alslib.reference.bias_and_factors`.
    """
    item_bias = None
    if popularity is None:
        design, target, ridge = model.fold_in_system(kind, others, values, weights)
    elif isinstance(model, ImplicitALS):
        item_bias = popularity.shares_of(model)
        system = popularity.fold_in_system(model, item_bias, others, values, weights)
        design, target, ridge = system
    else:
        raise TypeError(
            "a PopularityPrior is about what is chosen, which an ImplicitALS learns and a "
            f"{type(model).__name__} does not"
        )
    n_biases = design.shape[1] - model.n_factors  # one or none
    prior = np.append(prior_bias, prior_factors)[1 - n_biases :]
    A = design.T @ design + ridge
    if len(others):
        terms = np.vstack([design * target[:, None], ridge @ prior])
        terms = np.linalg.solve(A, terms.T).T
    else:  # nothing moves a stranger away from the prior
        terms = prior[None, :]
    solution = terms.sum(axis=0)
    row = {
        "values": values,
        "bias": float(solution[:n_biases].sum()),
        "factors": solution[n_biases:],
        "shares": terms[:-1, n_biases:],
        "prior_share": terms[-1, n_biases:],
        "precision": A / model.ridge_growth(weights.sum()),
        "objective": _last_objective(model),
    }
    if kind == "item":
        return ItemProfile(user_ids=model.user_ids_[others], users=others, **row)
    return Profile(item_ids=model.item_ids_[others], items=others, item_bias=item_bias, **row)


def check_profile(model: FactorALS, profile: Profile | ItemProfile) -> None:
    """Refuse a profile of another fit.

    Raises
    ------
    ValueError
    """
    if len(profile.factors) != model.n_factors:
        raise ValueError(
            f"this profile has {len(profile.factors)} factors, the model {model.n_factors}"
        )
    if isinstance(profile, ItemProfile):
        all_ids, ids, places = model.user_ids_, profile.user_ids, profile.users
    else:
        all_ids, ids, places = model.item_ids_, profile.item_ids, profile.items
    known = np.array_equal(all_ids[np.minimum(places, len(all_ids) - 1)], ids)
    if not known or profile.objective not in (None, _last_objective(model)):
        raise ValueError("this profile follows from another fit; make it anew with fold_in")


def _last_objective(model: FactorALS) -> float | None:
    """Return L after the last sweep, which no two fits share; None before the first record."""
    return model.history_[-1].objective if model.history_ else None


def _prior(model, kind, features) -> tuple[float, np.ndarray]:
    if features is None:
        return 0.0, np.zeros(model.n_factors)
    if not isinstance(model, FeatureALS):
        raise ValueError(f"a {type(model).__name__} knows no features")
    bias, factors = (model.user_prior if kind == "user" else model.item_prior)(features)
    if len(bias) != 1:
        raise ValueError(f"features of one {kind}, please, got {len(bias)} rows")
    return float(bias[0]), factors[0]


def _checked(
    model, kind, others, values, weights, unknown
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the indices, values and weights of the ratings of known ids."""
    other = "item" if kind == "user" else "user"
    ids = model.item_ids_ if kind == "user" else model.user_ids_
    indices = known_indices(ids, others, other, ValueError, unknown=unknown)
    known = indices >= 0
    values = _check_values(values, len(known), other, model.scale_)[known]
    indices = indices[known]
    repeated = indices[pd.Series(indices).duplicated()]
    if len(repeated):
        what = "is rated" if kind == "user" else "rates"
        raise ValueError(f"{other} {ids[repeated[0]]} {what} more than once")
    return indices, values, _check_weights(weights, len(known), other)[known]


def _check_values(values, n, kind, scale) -> np.ndarray:
    refuse_masked(values, "ratings")
    values = np.asarray(values)
    if values.shape != (n,):
        raise ValueError(f"{n} {kind}s need as many ratings, got shape {values.shape}")
    if n and values.dtype.kind not in "iuf":
        raise TypeError(f"ratings must be numbers, got {values.dtype}")
    values = values.astype(np.float64)
    low, high = scale
    off = ~((values >= low) & (values <= high))  # NaN is, too
    if off.any():
        raise ValueError(
            f"{off.sum()} of {n} ratings are not on the scale from {low:g} to {high:g}, "
            f"the first is {values[off][0]:g}"
        )
    return values


def _check_weights(weights, n, kind) -> np.ndarray:
    if weights is None:
        return np.ones(n)
    weights = as_weights(weights).astype(np.float64)
    if weights.shape != (n,):
        raise ValueError(f"{n} {kind}s need as many weights, got shape {weights.shape}")
    return weights
