"""The formulas of the book: each is the lowest point of its part of L, and the models obey it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import unit_rows

from alslib import BiasALS, FeatureALS, ImplicitALS, LatentALS, Ratings, fold_in, reference

K = 3
seeds = st.integers(0, 2**32 - 1)


def drawn(seed, n=7):
    """Return errors, fixed factors and priors of one row, and a generator for more."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=n), rng.normal(size=(n, K)), rng.normal(), rng.normal(size=K), rng


def assert_lowest(part_of_L, found, rng):
    """Wherever one goes from the point found, a little or far, L rises."""
    lowest = part_of_L(found)
    for size in (1e-3, 1.0):
        for _ in range(5):
            step = size * rng.normal(size=np.shape(found))
            assert part_of_L(found + step) > lowest


@given(seeds)
def test_each_row_is_the_lowest_point_of_its_part_of_the_objective(seed):
    e, V, c, p, rng = drawn(seed)
    lam, gamma, tau = rng.uniform(0.5, 5, size=3)

    def part_of_L(w):
        rest = e - w[0] - V @ w[1:]
        ridge = gamma * (w[0] - c) ** 2 + tau * np.sum((w[1:] - p) ** 2)
        return lam / 2 * rest @ rest + ridge / 2

    b, u = reference.bias_and_factors(e, V, lam, gamma, tau, c, p)
    assert_lowest(part_of_L, np.r_[b, u], rng)
    u = reference.factors(e - 0.3, V, lam, tau, p)
    assert_lowest(lambda u: part_of_L(np.r_[0.3, u]), u, rng)
    b = reference.bias(e - V @ p, lam, gamma, c)
    assert_lowest(lambda b: part_of_L(np.r_[b, p]), b, rng)


@given(seeds)
def test_the_features_are_the_lowest_point_of_theirs(seed):
    _, V, _, _, rng = drawn(seed)
    S, weights = rng.random((len(V), 2)), rng.uniform(0, 2, len(V))
    tau, tau_f = rng.uniform(0.5, 5, size=2)

    def part_of_L(F):
        return tau / 2 * weights @ np.sum((V - S @ F) ** 2, axis=1) + tau_f / 2 * np.sum(F**2)

    assert_lowest(part_of_L, reference.features(V, S, weights, tau, tau_f), rng)


@given(seeds)
def test_what_was_chosen_is_the_lowest_point_over_all_pairs(seed):
    _, V, _, _, rng = drawn(seed)
    of_user = np.flatnonzero(rng.random(len(V)) < 0.5)
    lam, tau = rng.uniform([1.5, 0.5], 5)
    wanted, confidence = np.zeros(len(V)), np.ones(len(V))
    wanted[of_user], confidence[of_user] = 1, lam

    def part_of_L(u):
        return confidence @ (wanted - V @ u) ** 2 / 2 + tau / 2 * u @ u

    assert_lowest(part_of_L, reference.chosen(V, of_user, lam, tau), rng)


def errors(model, ratings, data, fixed_bias):
    return ratings.decode(data).astype(float) - model.mean_ - fixed_bias


def test_bias_only_als_obeys_the_formula(medium):
    model = BiasALS(lam=2, gamma=3, n_sweeps=1).fit(medium)
    for item in range(medium.n_items):  # the side that was updated last
        users, data = medium.by_item.row(item)
        e = errors(model, medium, data, model.user_bias_[users])
        assert model.item_bias_[item] == pytest.approx(reference.bias(e, 2, 3), abs=1e-12)


@pytest.mark.parametrize("power", [0, 0.4, 1])
@pytest.mark.parametrize("joint", [True, False])
def test_latent_factor_als_obeys_the_formula(medium, joint, power):
    model = LatentALS(K, lam=2, gamma=3, tau=4, joint=joint, ridge_power=power, n_sweeps=2)
    model.fit(medium)
    blocks = model.blocks(medium)
    for view, side, other in ((medium.by_user, "user", "item"), (medium.by_item, "item", "user")):
        fixed = getattr(model, f"{other}_factors_").astype(float)
        fixed_bias = getattr(model, f"{other}_bias_")
        bias, now = getattr(model, f"{side}_bias_"), getattr(model, f"{side}_factors_")
        for name in [name for name in blocks if name.startswith(side)]:
            before = bias.copy()
            blocks[name]()
            for row in range(len(bias)):
                columns, data = view.row(row)
                e = errors(model, medium, data, fixed_bias[columns])
                growth = reference.ridge_growth(len(e), power)
                gamma, tau, V = 3 * growth, 4 * growth, fixed[columns]
                if joint:
                    b, u = reference.bias_and_factors(e, V, 2, gamma, tau)
                    assert bias[row] == pytest.approx(b, abs=2e-5)
                elif name.endswith("bias"):
                    b, u = reference.bias(e - V @ now[row], 2, gamma), now[row]
                    assert bias[row] == pytest.approx(b, abs=2e-5)
                else:
                    u = reference.factors(e - before[row], V, 2, tau)
                np.testing.assert_allclose(now[row], u, atol=2e-5)


def test_feature_als_obeys_the_formulas(medium):
    rng = np.random.default_rng(0)
    table = (rng.random((medium.n_items, 4)) < 0.5).astype(float)
    settings = {"lam": 2, "gamma": 3, "tau": 4, "gamma_features": 5, "tau_features": 6}
    model = FeatureALS(K, **settings, n_sweeps=2).fit(medium, item_features=table)
    blocks = model.blocks(medium)
    S = unit_rows(table)
    growth = reference.ridge_growth(medium.item_counts, model.ridge_power)
    weights = np.where(medium.item_counts > 0, growth, 0)
    blocks["item_features"]()
    F = reference.features(model.item_factors_.astype(float), S, weights, 4, 6)
    np.testing.assert_allclose(model.item_feature_factors_, F, atol=1e-6)
    g = reference.features(model.item_bias_, S, weights, 3, 5)
    np.testing.assert_allclose(model.item_feature_bias_, g, atol=1e-6)
    blocks["item_bias_and_factors"]()
    for item in range(medium.n_items):
        users, data = medium.by_item.row(item)
        e = errors(model, medium, data, model.user_bias_[users])
        V, h = model.user_factors_[users].astype(float), growth[item]
        b, v = reference.bias_and_factors(e, V, 2, 3 * h, 4 * h, S[item] @ g, S[item] @ F)
        assert model.item_bias_[item] == pytest.approx(b, abs=2e-5)
        np.testing.assert_allclose(model.item_factors_[item], v, atol=2e-5)


def test_implicit_als_obeys_the_formula(medium):
    model = ImplicitALS(K, lam=4, tau=2, n_sweeps=2).fit(medium)
    V = model.item_factors_.astype(float)
    for user in range(medium.n_users):  # the side that was updated last
        u = reference.chosen(V, medium.by_user.row(user)[0], 4, 2)
        np.testing.assert_allclose(model.user_factors_[user], u, atol=2e-5)


def test_folding_in_obeys_the_formula():
    ratings = Ratings([1, 1, 2, 2, 3], [1, 2, 1, 3, 2], [5.0, 1.0, 2.0, 4.5, 3.0])
    model = LatentALS(2, gamma=2, tau=0.5).fit(ratings)
    me = fold_in(model, [1, 3], [4.0, 1.0])
    rows = model.item_factors_[[0, 2]].astype(float)
    e = np.array([4.0, 1.0]) - model.mean_ - model.item_bias_[[0, 2]]
    growth = reference.ridge_growth(2, model.ridge_power)
    b, u = reference.bias_and_factors(e, rows, 1, 2 * growth, 0.5 * growth)
    assert me.bias == pytest.approx(b) and np.allclose(me.factors, u)
