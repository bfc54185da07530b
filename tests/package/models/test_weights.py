"""A rating of weight 2 counts like two: in every sum, in every model."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import assert_each_block_lowers, dense, ridge, ridge_misfit
from sklearn.base import clone
from strategies import weighted

from alslib import (
    BiasALS,
    FeatureALS,
    ImplicitALS,
    LatentALS,
    Ratings,
    Recommender,
    fold_in,
    implicit_feedback,
    rmse,
    train_test_split,
)

precisions = st.floats(0.3, 10)
# Sums of products of float32.
FLOAT32 = 2e-6


def dense_weights(ratings):
    """Return the users × items matrix of weights, 0 where there is no rating."""
    weights = np.zeros((ratings.n_users, ratings.n_items))
    users, items, _ = ratings.triples()
    weights[ratings.user_index(users), ratings.item_index(items)] = ratings.weights
    return weights


def growth(weights, power):
    totals = weights.sum(axis=1)
    return np.where(totals > 0, totals, 1.0) ** power


def learned(model):
    return {name: value for name, value in vars(model).items() if isinstance(value, np.ndarray)}


MODELS = [
    BiasALS(n_sweeps=3),
    LatentALS(3, n_sweeps=3),
    LatentALS(3, n_sweeps=3, cg_steps=2),
    LatentALS(3, n_sweeps=3, joint=False, ridge_power=1.0),
    FeatureALS(3, n_sweeps=3),
    ImplicitALS(3, n_sweeps=3),
]


@pytest.mark.parametrize("model", MODELS)
def test_with_weights_of_one_nothing_changes_by_a_bit(medium, model):
    same = Ratings(*medium.triples(), weights=np.ones(len(medium)))
    plain, ones = (clone(model).fit(ratings) for ratings in (medium, same))
    for name, array in learned(plain).items():
        np.testing.assert_array_equal(getattr(ones, name), array)
    histories = ([record[:4] for record in fit.history_] for fit in (plain, ones))
    np.testing.assert_allclose(*histories, rtol=1e-12)


@given(weighted(), precisions, precisions)
def test_biases_reach_the_weighted_minimum(ratings, lam, gamma):
    model = BiasALS(lam, gamma, n_sweeps=3000, tol=0).fit(ratings)
    weights, (values, observed) = dense_weights(ratings), dense(ratings)
    assert model.mean_ == pytest.approx(np.average(values[observed], weights=weights[observed]))
    users, items = np.nonzero(observed)
    design = np.zeros((len(users), ratings.n_users + ratings.n_items))
    design[np.arange(len(users)), users] = 1
    design[np.arange(len(users)), ratings.n_users + items] = 1
    root = np.sqrt(weights[observed])
    target = root * (values[observed] - model.mean_)
    expected = ridge(root[:, None] * design, target, np.full(design.shape[1], gamma / lam))
    np.testing.assert_allclose(np.append(model.user_bias_, model.item_bias_), expected, atol=1e-5)
    errors = target - root * (design @ expected)
    smallest = lam / 2 * errors @ errors + gamma / 2 * expected @ expected
    assert model.objective(ratings) == pytest.approx(smallest, rel=1e-6, abs=1e-9)


@given(weighted(), precisions, precisions, precisions, st.sampled_from([0.0, 0.4, 1.0]))
def test_every_row_is_the_weighted_ridge_regression(ratings, lam, gamma, tau, power):
    model = LatentALS(3, lam, gamma, tau, power, n_sweeps=2, tol=0)
    model.fit(ratings)
    values, observed = dense(ratings)
    weights = dense_weights(ratings)
    ridges = growth(weights, power)
    for user, rated in enumerate(observed):
        root = np.sqrt(weights[user, rated])
        design = np.column_stack([np.ones(rated.sum()), model.item_factors_[rated]])
        target = (values[user] - model.mean_ - model.item_bias_)[rated]
        penalty = ridges[user] * np.array([gamma, tau, tau, tau]) / lam
        found = np.append(model.user_bias_[user], model.user_factors_[user])
        assert ridge_misfit(found, root[:, None] * design, root * target, penalty) < FLOAT32
    shared = model.user_factors_.astype(float) @ model.item_factors_.astype(float).T
    errors = values - model.mean_ - model.user_bias_[:, None] - model.item_bias_ - shared
    total = lam / 2 * np.sum((weights * errors**2)[observed])
    for side, ridges in (("user", growth(weights, power)), ("item", growth(weights.T, power))):
        lengths = np.sum(getattr(model, f"{side}_factors_").astype(float) ** 2, axis=1)
        total += ridges @ (gamma * getattr(model, f"{side}_bias_") ** 2 + tau * lengths) / 2
    assert model.objective(ratings) == pytest.approx(total, rel=FLOAT32)


@given(weighted(), st.floats(1.5, 20), precisions)
def test_implicit_feedback_takes_weights_as_confidence(ratings, lam, tau):
    """Hu, Koren and Volinsky: confidence 1 + α r, preference 1 where r > 0."""
    model = ImplicitALS(2, lam, tau, n_sweeps=2, tol=0).fit(ratings)
    weights = dense_weights(ratings)
    confidence, preference = 1 + (lam - 1) * weights, (weights > 0).astype(float)
    items = model.item_factors_.astype(float)
    for user in range(ratings.n_users):
        root = np.sqrt(confidence[user])
        design, target = root[:, None] * items, root * preference[user]
        assert ridge_misfit(model.user_factors_[user], design, target, tau) < FLOAT32
    users = model.user_factors_.astype(float)
    total = np.sum(confidence * (preference - users @ items.T) ** 2)
    total += tau * (np.sum(users**2) + np.sum(items**2))
    assert model.objective(ratings) == pytest.approx(total / 2, rel=2e-5)


@given(weighted(), precisions)
def test_the_objective_falls_after_every_block_of_features(ratings, ridge_of_features):
    features = implicit_feedback(ratings)
    model = FeatureALS(2, tau=1.0, gamma_features=ridge_of_features, tau_features=1.0)
    model.initialise(ratings, user_features=features, item_features=features.T)
    assert_each_block_lowers(lambda: model.objective(ratings), model, ratings, FLOAT32)


@pytest.mark.parametrize("factor", [0.25, 8])
def test_weights_times_a_number_are_lam_times_that_number(medium, factor):
    weighted = Ratings(*medium.triples(), weights=np.full(len(medium), factor))
    heavy = LatentALS(3, tau=2.0, ridge_power=0).fit(weighted)
    precise = LatentALS(3, tau=2.0, lam=factor, ridge_power=0).fit(medium)
    np.testing.assert_allclose(heavy.item_factors_, precise.item_factors_, rtol=1e-3, atol=1e-5)
    assert heavy.history_[-1].objective == pytest.approx(precise.history_[-1].objective)
    assert heavy.history_[-1].train_rmse == pytest.approx(precise.history_[-1].train_rmse)


@pytest.mark.parametrize("model", [LatentALS(3), ImplicitALS(3)])
def test_a_user_folded_in_with_the_weights_gets_their_own_row_again(medium, model):
    weights = np.random.default_rng(0).uniform(0.2, 5, len(medium))
    ratings = Ratings(*medium.triples(), weights=weights)
    model = clone(model).fit(ratings)
    recommender = Recommender(model, ratings)
    starts = ratings.by_user.indptr
    for index in range(0, 60, 7):
        own = ratings.weights[starts[index] : starts[index + 1]]
        user = ratings.user_ids[index]
        for profile in (
            recommender.profile(user),
            fold_in(model, *ratings.of_user(user), weights=own),
        ):
            np.testing.assert_allclose(profile.factors, model.user_factors_[index], atol=2e-5)
            assert profile.bias == pytest.approx(model.user_bias_[index], abs=2e-5)


def test_weights_stay_with_their_ratings_and_errors_are_weighted(medium):
    users, items, values = medium.triples()
    weights = 1 + (7 * users + 3 * items) % 11 / 4
    whole = Ratings(users, items, values, weights=weights)
    train, test = train_test_split(whole)
    for part in (train, test):
        of_users, of_items, _ = part.triples()
        np.testing.assert_array_equal(part.weights, 1 + (7 * of_users + 3 * of_items) % 11 / 4)
        by_item = part.by_item.rows(), part.by_item.indices
        expected = 1 + (7 * part.user_ids[by_item[1]] + 3 * part.item_ids[by_item[0]]) % 11 / 4
        np.testing.assert_array_equal(part.weights_by_item(), expected)
    model = LatentALS(2, n_sweeps=3).fit(train, validation=test)
    for part, found in zip((train, test), model.history_[-1][2:4], strict=True):
        of_users, of_items, stars = part.triples()
        errors = (stars - model.predict(of_users, of_items)) * np.sqrt(part.weights)
        expected = rmse(errors, np.zeros(len(part))) / np.sqrt(part.weights.mean())
        assert found == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("weights", [[1, 0], [1, -1], [1, np.nan], [1, np.inf], [1], [[1, 2]]])
def test_odd_weights_are_refused(medium, weights):
    with pytest.raises(ValueError, match="weights"):
        Ratings([1, 2], [1, 1], [3.0, 4.0], weights=weights)
    model = LatentALS(1, n_sweeps=1).fit(medium)
    with pytest.raises(ValueError, match="weights"):
        fold_in(model, medium.item_ids[:2], [3.0, 4.0], weights=weights)
    with pytest.raises(TypeError, match="weights must be numbers"):
        Ratings([1, 2], [1, 1], [3.0, 4.0], weights=["much", "little"])
