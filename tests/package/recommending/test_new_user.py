"""Somebody new is one small ridge regression, and what each rating adds can be told apart."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import prior_ridge
from strategies import ratings as random_ratings

from alslib import (
    BiasALS,
    FeatureALS,
    ImplicitALS,
    LatentALS,
    fold_in,
    fold_in_item,
    implicit_feedback,
)
from alslib.recommending.new_user import solve_row

precisions = st.floats(0.3, 10)


@st.composite
def fits(draw):
    ratings = draw(random_ratings())
    options = {name: draw(precisions) for name in ("lam", "gamma", "tau")}
    options |= {"n_factors": draw(st.integers(0, 4)), "n_sweeps": draw(st.integers(1, 4))}
    return ratings, options


@given(fits(), st.booleans())
def test_a_user_of_the_fit_gets_their_own_row_again(fit, with_features):
    ratings, options = fit
    features = implicit_feedback(ratings) if with_features else None
    model = FeatureALS(**options, tol=0, gamma_features=1.0, tau_features=1.0)
    model.fit(ratings, user_features=features, item_features=implicit_feedback(ratings).T)
    for index, user in enumerate(ratings.user_ids):
        row = features[[index]] if with_features else None
        profile = fold_in(model, *ratings.of_user(user), features=row)
        assert profile.bias == pytest.approx(model.user_bias_[index], abs=2e-5)
        np.testing.assert_allclose(profile.factors, model.user_factors_[index], atol=2e-5)


@given(fits(), st.integers(0, 6), st.integers(0, 99))
def test_a_profile_is_the_dense_ridge_regression(fit, n_rated, seed):
    ratings, options = fit
    model = LatentALS(**options).fit(ratings)
    rng = np.random.default_rng(seed)
    items = rng.permutation(ratings.n_items)[:n_rated]
    values = rng.uniform(*model.scale_, len(items))
    prior = rng.normal(size=model.n_factors + 1)
    weights = rng.uniform(0.2, 4, len(items))
    profile = solve_row(model.as_fitted(), "user", items, values, weights, prior[0], prior[1:])
    design = np.column_stack([np.ones(len(items)), model.item_factors_[items]])
    penalty = np.array([model.gamma] + [model.tau] * model.n_factors) / model.lam
    penalty *= (weights.sum() or 1) ** model.ridge_power
    target = values - model.mean_ - model.item_bias_[items]
    root = np.sqrt(weights)
    bias, *factors = prior_ridge(root[:, None] * design, root * target, penalty, prior)
    assert profile.bias == pytest.approx(bias, abs=1e-9)
    np.testing.assert_allclose(profile.factors, factors, atol=1e-9)
    total = profile.shares.sum(axis=0) + profile.prior_share
    np.testing.assert_allclose(total, factors, atol=1e-9)
    growth = (weights.sum() or 1) ** model.ridge_power
    precision = (design.T @ (weights[:, None] * design) + np.diag(penalty)) / growth
    np.testing.assert_allclose(profile.precision, precision, rtol=1e-12, atol=1e-12)


@given(fits(), st.integers(1, 6), st.integers(0, 99))
def test_an_item_profile_is_the_dense_ridge_regression_on_the_users(fit, n_raters, seed):
    ratings, options = fit
    features = implicit_feedback(ratings).T
    model = FeatureALS(**options, gamma_features=1.0, tau_features=1.0)
    model.fit(ratings, item_features=features)
    rng = np.random.default_rng(seed)
    users = rng.permutation(ratings.n_users)[:n_raters]
    values, weights = rng.uniform(*model.scale_, len(users)), rng.uniform(0.2, 4, len(users))
    profile = fold_in_item(
        model, ratings.user_ids[users], values, features=features[[0]], weights=weights
    )
    (prior_bias,), (prior_factors,) = model.item_prior(features[[0]])
    design = np.column_stack([np.ones(len(users)), model.user_factors_[users]])
    penalty = np.array([model.gamma] + [model.tau] * model.n_factors) / model.lam
    penalty *= weights.astype(np.float32).astype(float).sum() ** model.ridge_power
    root = np.sqrt(weights.astype(np.float32).astype(float))
    target = root * (values - model.mean_ - model.user_bias_[users])
    prior = np.r_[prior_bias, prior_factors]
    bias, *factors = prior_ridge(root[:, None] * design, target, penalty, prior)
    assert profile.bias == pytest.approx(bias, abs=1e-9)
    np.testing.assert_allclose(profile.factors, factors, atol=1e-9)
    assert list(profile.user_ids) == list(ratings.user_ids[users])


@pytest.mark.parametrize("kind", [LatentALS, ImplicitALS])
def test_an_item_of_the_fit_gets_its_own_row_again_after_a_step_of_the_items(medium, kind):
    model = kind(3, tau=1.0, n_sweeps=3, tol=0).fit(medium)
    next(iter(model.blocks(medium).values()))()
    for index, item in enumerate(medium.item_ids):
        raters, data = medium.by_item.row(index)
        profile = fold_in_item(model, medium.user_ids[raters], medium.decode(data))
        assert profile.bias == pytest.approx(model.item_bias_[index], abs=2e-5)
        np.testing.assert_allclose(profile.factors, model.item_factors_[index], atol=2e-5)
        assert repr(profile).startswith(f"ItemProfile({len(raters)} ratings"), item


def test_an_item_that_somebody_unknown_rates_or_somebody_twice_is_refused(medium):
    model = LatentALS(2, n_sweeps=1).fit(medium)
    user = medium.user_ids[0]
    with pytest.raises(ValueError, match="unknown user"):
        fold_in_item(model, [-7], [3.0])
    with pytest.raises(ValueError, match=f"user {user} rates more than once"):
        fold_in_item(model, [user, user], [3.0, 4.0])
    with pytest.raises(ValueError, match="2 users need as many ratings"):
        fold_in_item(model, medium.user_ids[:2], [3.0])
    assert len(fold_in_item(model, [-7, user], [3.0, 4.0], unknown="ignore").users) == 1


def test_the_share_of_a_rating_is_what_goes_when_its_surprise_goes(medium):
    """Linear in the errors: with the others as expected, only this rating moves the factors."""
    model = LatentALS(3).fit(medium)
    items = medium.item_ids[:5]
    expected = model.mean_ + model.item_bias_[:5]
    surprises = np.array([0.4, -0.3, 0.2, 0.1, -0.2])
    whole = fold_in(model, items, expected + surprises)
    alone = fold_in(model, items, expected + surprises * [1, 0, 0, 0, 0])
    np.testing.assert_allclose(alone.factors, whole.shares[0], atol=1e-12)


def test_a_stranger_is_average(medium):
    model = LatentALS(3).fit(medium)
    stranger = fold_in(model, [], [])
    assert stranger.bias == 0 and not stranger.factors.any()
    assert stranger.shares.shape == (0, 3) and len(stranger.item_ids) == 0


def test_a_stranger_with_features_lies_on_their_prior(medium):
    features = np.random.default_rng(0).random((medium.n_users, 2))
    model = FeatureALS(3, gamma_features=1, tau_features=1).fit(medium, user_features=features)
    stranger = fold_in(model, [], [], features=[[[3.0, 4.0]]])
    bias, factors = model.user_prior([[[3.0, 4.0]]])
    assert stranger.bias == bias[0] == pytest.approx(np.dot([0.6, 0.8], model.user_feature_bias_))
    assert np.array_equal(stranger.factors, factors[0])
    assert np.array_equal(stranger.prior_share, factors[0])
    with pytest.raises(ValueError, match="features of one user, please, got 2 rows"):
        fold_in(model, [], [], features=np.ones((2, 2)))


def test_a_profile_shows_what_was_rated(tiny):
    model = LatentALS(2).fit(tiny)
    assert repr(fold_in(model, ["Heat"], [2.5])).startswith("Profile(1 ratings {Heat: 2.5}, bias -")
    several = repr(fold_in(model, ["Up", "Heat", "Jaws"], [5, 4, 3]))
    assert "3 ratings {Up: 5, Heat: 4, Jaws: 3}" in several


@pytest.mark.parametrize(
    ("items", "values", "error", "message"),
    [
        (["Heat", "Ran"], [3, 4], ValueError, "1 of 2 item ids are unknown, the first is 'Ran'"),
        (["Ran"], [3], ValueError, "unknown item 'Ran'"),
        ([3], [3], TypeError, "item ids are strings in these ratings, got integers"),
        ("Heat", 3, ValueError, r"item ids must be a column, got shape \(\)"),
        (["Heat", "Heat"], [3, 4], ValueError, "item Heat is rated more than once"),
        (["Heat", "Up"], [3], ValueError, r"2 items need as many ratings, got shape \(1,\)"),
        (["Heat"], 3, ValueError, r"1 items need as many ratings, got shape \(\)"),
        (["Heat"], ["3"], TypeError, "ratings must be numbers, got <U1"),
        (["Heat"], [np.nan], ValueError, "1 of 1 ratings are not on the scale from 1.5 to 5"),
        (["Heat", "Up"], [3, 10], ValueError, "1 of 2 ratings are not on the scale .* first is 10"),
        (["Heat"], np.ma.masked_array([3], [True]), ValueError, "1 of 1 ratings are masked"),
    ],
)
def test_ratings_that_make_no_profile_are_refused(tiny, items, values, error, message):
    model = LatentALS(2).fit(tiny)
    with pytest.raises(error, match=message):
        fold_in(model, items, values)


def test_a_model_must_have_factors_and_be_fitted_and_know_the_features(tiny):
    with pytest.raises(TypeError, match=r"model must be a LatentALS, .* got BiasALS"):
        fold_in(BiasALS().fit(tiny), ["Up"], [3])
    with pytest.raises(RuntimeError, match="not fitted yet"):
        fold_in(LatentALS(), ["Up"], [3])
    with pytest.raises(ValueError, match="a LatentALS knows no features"):
        fold_in(LatentALS(1).fit(tiny), ["Up"], [3], features=np.ones((1, 1)))
