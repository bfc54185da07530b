"""Half-steps that go a few steps of conjugate gradients towards the minimum of each row."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import assert_each_block_lowers, conjugate_gradients
from sklearn.base import clone
from strategies import weighted

from alslib import FeatureALS, ImplicitALS, LatentALS, make_ratings
from alslib.models.feature_regression import FeatureRegression

precisions = st.floats(0.3, 10)
FLOAT32 = 2e-6


@st.composite
def models(draw):
    """Draw a model of each kind, and as what it starts: features' priors are not zero then."""
    options = {
        "n_factors": draw(st.integers(0, 6)),
        "tau": draw(precisions),
        "cg_steps": draw(st.integers(1, 4)),
    }
    kind = draw(st.sampled_from([LatentALS, FeatureALS, ImplicitALS]))
    if kind is ImplicitALS:
        return kind(lam=draw(st.floats(2, 9)), **options)
    return kind(gamma=draw(precisions), joint=draw(st.booleans()), **options)


def started(model, ratings, seed):
    """Return a model in which nothing is zero, the priors of features neither."""
    features = {}
    if isinstance(model, FeatureALS):
        rng = np.random.default_rng(seed)
        features["item_features"] = rng.integers(0, 2, (ratings.n_items, 3)).astype(float)
    model.initialise(ratings, **features)
    for _ in range(2):
        for update in model.blocks(ratings).values():
            update()
    return model


def after_steps(model, ratings, kind):
    """Return where the biases and factors of all rows should be, from the rows' dense systems."""
    bias = getattr(model, f"{kind}_bias_").copy()
    factors = getattr(model, f"{kind}_factors_").astype(np.float64)
    priors = dict(zip(("user", "item"), model._priors(), strict=True))[kind]
    view, all_weights = ratings.by_user, ratings.weights
    if kind == "item":
        view, all_weights = ratings.by_item, ratings.weights_by_item()
    with_bias = not isinstance(model, ImplicitALS)
    for row in range(len(bias)):
        entries = slice(view.indptr[row], view.indptr[row + 1])
        weights = all_weights[entries].astype(np.float64)
        values = ratings.decode(view.data[entries])
        design, target, ridge = model.fold_in_system(kind, view.indices[entries], values, weights)
        prior = np.append(priors.bias[row], priors.factors[row])[0 if with_bias else 1 :]
        matrix, side = design.T @ design + ridge, design.T @ target + ridge @ prior
        u = factors[row]
        if not with_bias:
            factors[row] = conjugate_gradients(matrix, side, u, model.cg_steps)
            continue
        s = matrix[0, 1:]
        if model.joint:
            without = matrix[1:, 1:] - np.outer(s, s) / matrix[0, 0]
            of_factors = side[1:] - s * side[0] / matrix[0, 0]
            factors[row] = conjugate_gradients(without, of_factors, u, model.cg_steps)
            bias[row] = (side[0] - s @ factors[row]) / matrix[0, 0]
        else:
            of_factors = side[1:] - s * bias[row]
            factors[row] = conjugate_gradients(matrix[1:, 1:], of_factors, u, model.cg_steps)
    return bias, factors


@given(weighted(), models(), st.sampled_from(["user", "item"]), st.integers(0, 9))
def test_rows_are_where_the_textbooks_steps_lead(ratings, model, kind, seed):
    started(model, ratings, seed)
    name = next(n for n in model.blocks(ratings) if n.startswith(kind) and n.endswith("factors"))
    bias, factors = after_steps(model, ratings, kind)
    model.blocks(ratings)[name]()
    np.testing.assert_allclose(getattr(model, f"{kind}_bias_"), bias, atol=1e-5)
    np.testing.assert_allclose(getattr(model, f"{kind}_factors_"), factors, atol=1e-4)


@given(weighted(), models(), st.data())
def test_rows_without_ratings_lie_where_their_priors_are(ratings, model, data):
    """What they start from is no matter, and nobody else moves."""
    started(model, ratings, seed=0)
    keep = np.ones(len(ratings), bool)
    keep[data.draw(st.integers(1, len(ratings) - 1)) :] = False
    fewer = ratings.select(keep)
    for name, update in model.blocks(fewer).items():
        update()
        kind = name.split("_")[0]
        unrated = fewer.rated_by(kind).counts == 0
        prior = dict(zip(("user", "item"), model._priors(), strict=True))[kind]
        if name.endswith("factors"):
            learned = getattr(model, f"{kind}_factors_")
            np.testing.assert_array_equal(learned[unrated], prior.factors[unrated])
        if "bias" in name:
            learned = getattr(model, f"{kind}_bias_")
            np.testing.assert_array_equal(learned[unrated], prior.bias[unrated])


@given(weighted(), models(), st.integers(0, 9))
def test_no_update_raises_the_objective(ratings, model, seed):
    started(model, ratings, seed)
    assert_each_block_lowers(lambda: model.objective(ratings), model, ratings, FLOAT32)


@settings(max_examples=30)
@given(weighted(), models(), st.integers(0, 9))
def test_as_many_steps_as_factors_solve_every_row(ratings, model, seed):
    model.cg_steps = 3 * model.n_factors + 4  # there are three features
    exact = started(clone(model).set_params(cg_steps=None), ratings, seed)
    near = started(model, ratings, seed)
    for name in ("user_bias_", "item_bias_", "user_factors_", "item_factors_"):
        np.testing.assert_allclose(getattr(near, name), getattr(exact, name), atol=1e-4)


def test_a_fit_settles_where_one_by_exact_steps_does():
    ratings = make_ratings(300, 100, 6000, n_factors=3).ratings
    fits = [
        LatentALS(3, tau=1.0, cg_steps=steps, n_sweeps=300, tol=1e-9).fit(ratings, progress=False)
        for steps in (None, 1, 3)
    ]
    exact, *near = (fit.objective(ratings) for fit in fits)
    np.testing.assert_allclose(near, exact, rtol=1e-6)
    # One step goes less far in a sweep than there is to go.
    solved, one, _ = (fit.history_[4].objective for fit in fits)
    assert solved < one - 1


@pytest.mark.parametrize(("cg_steps", "expected"), [(1, {1}), (3, {3}), (None, {1000})])
def test_features_take_so_many_steps_at_most(monkeypatch, cg_steps, expected):
    most, descend = set(), FeatureRegression.descend

    def watched(regression, most_steps):
        most.add(most_steps)
        descend(regression, most_steps)

    monkeypatch.setattr(FeatureRegression, "descend", watched)
    ratings = make_ratings(20, 15, 120, random_state=0).ratings
    genres = np.random.default_rng(0).integers(0, 2, (15, 4))
    FeatureALS(2, cg_steps=cg_steps, n_sweeps=2).fit(ratings, item_features=genres)
    assert most == expected


def test_rows_that_update_names_are_solved_for_all_the_way():
    ratings = make_ratings(60, 40, 900, n_factors=3).ratings
    model = LatentALS(4, tau=0.1, n_sweeps=4, cg_steps=1).fit(ratings)
    before = model.user_factors_.copy()
    model.update(ratings, users=ratings.user_ids[:5])
    moved = np.abs(model.user_factors_ - before).max(axis=1)
    assert moved[:5].max() > 1e-3
    assert not moved[5:].any()
    for user in range(5):
        columns, data = ratings.by_user.row(user)
        design, target, ridge = model.fold_in_system(
            "user", columns, ratings.decode(data), np.ones(len(columns))
        )
        bias, *factors = np.linalg.solve(design.T @ design + ridge, design.T @ target)
        assert model.user_bias_[user] == pytest.approx(bias, abs=1e-5)
        np.testing.assert_allclose(model.user_factors_[user], factors, atol=1e-5)
    assert model.cg_steps == 1


def test_a_ridge_beyond_floating_point_is_refused(medium):
    """Too light a ridge is not: steps find a minimum though there are others."""
    with pytest.raises(FloatingPointError, match=r"tau / lam = \S+ is too .* normal matrices"):
        LatentALS(8, lam=1e-10, tau=1e300, cg_steps=2).fit(medium)
    light = LatentALS(8, lam=1e-10, tau=1e-300, cg_steps=2).fit(medium)
    assert np.isfinite(light.user_factors_).all()


@pytest.mark.parametrize(
    ("steps", "error", "message"),
    [
        (0, ValueError, "cg_steps must be at least 1, got 0"),
        (-3, ValueError, "cg_steps must be at least 1, got -3"),
        (2.5, TypeError, "cg_steps must be an integer, got 2.5"),
        ("3", TypeError, "cg_steps must be an integer, got '3'"),
    ],
)
@pytest.mark.parametrize("kind", [LatentALS, FeatureALS, ImplicitALS])
def test_steps_are_checked(medium, kind, steps, error, message):
    with pytest.raises(error, match=message):
        kind(cg_steps=steps).fit(medium)
