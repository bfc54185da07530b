"""The latent-factor model minimises L block by block, whatever the data."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import assert_each_block_lowers, dense, latent_objective, ridge
from strategies import ratings as random_ratings

from alslib import (
    BiasALS,
    LatentALS,
    Ratings,
    make_ratings,
    rmse,
    train_test_split,
    train_validation_test_split,
)

precisions = st.floats(0.1, 20)
n_factors = st.integers(0, 5)
powers = st.sampled_from([0.0, 0.4, 1.0])

# Factors are kept, and normal matrices summed, to the precision of float32.
FLOAT32 = 2e-6


def objective_by_hand(model, ratings):
    return latent_objective(
        ratings,
        model.mean_,
        (model.user_bias_, model.user_factors_),
        (model.item_bias_, model.item_factors_),
        model.lam,
        model.gamma,
        model.tau,
        model.ridge_power,
    )


@st.composite
def models(draw):
    return LatentALS(
        n_factors=draw(n_factors),
        lam=draw(precisions),
        gamma=draw(precisions),
        tau=draw(precisions),
        ridge_power=draw(powers),
        joint=draw(st.booleans()),
        n_sweeps=3,
        tol=0,
    )


def solved_densely(model, ratings, side, solve):
    """Return the biases and factors of one side, every row from its own dense ridge regression."""
    values, observed = dense(ratings)
    errors = values - model.mean_
    sides = {
        "user": (model.user_bias_, model.user_factors_),
        "item": (model.item_bias_, model.item_factors_),
    }
    bias, factors = sides[side]
    other_bias, other_factors = sides["item" if side == "user" else "user"]
    if side == "item":
        errors, observed = errors.T, observed.T
    bias, factors = bias.copy(), factors.astype(np.float64)
    for row, rated in enumerate(observed):
        target = errors[row, rated] - other_bias[rated]
        design = np.column_stack([np.ones(rated.sum()), other_factors[rated]])
        growth = max(rated.sum(), 1) ** model.ridge_power
        penalty = growth * np.array([model.gamma] + [model.tau] * model.n_factors) / model.lam
        if solve == "bias_and_factors":
            bias[row], *factors[row] = ridge(design, target, penalty)
        elif solve == "bias":
            known = design[:, 1:] @ factors[row]
            (bias[row],) = ridge(design[:, :1], target - known, penalty[:1])
        else:
            factors[row] = ridge(design[:, 1:], target - bias[row], penalty[1:])
    return bias, factors


@given(random_ratings(), models())
def test_objective_is_the_formula_of_the_book(ratings, model):
    model.fit(ratings, progress=False)
    assert model.objective(ratings) == pytest.approx(objective_by_hand(model, ratings), rel=FLOAT32)


@given(random_ratings(), models())
def test_objective_falls_after_every_block_update(ratings, model):
    model.initialise(ratings)
    assert_each_block_lowers(lambda: objective_by_hand(model, ratings), model, ratings, FLOAT32)


@given(random_ratings(), models(), st.integers(0, 1))
def test_every_block_is_the_dense_solution_of_its_rows(ratings, model, n_sweeps_before):
    model.initialise(ratings)
    for _ in range(n_sweeps_before):
        for update in model.blocks(ratings).values():
            update()
    for name, update in model.blocks(ratings).items():
        side, solve = name.split("_", 1)
        bias, factors = solved_densely(model, ratings, side, solve)
        update()
        # Ten times the largest difference in 1500 examples, with τ/λ from 0.005 on.
        np.testing.assert_allclose(getattr(model, f"{side}_bias_"), bias, atol=7e-6)
        np.testing.assert_allclose(getattr(model, f"{side}_factors_"), factors, atol=7e-5)


@settings(max_examples=30)
@given(random_ratings(), models(), st.data())
def test_gradient_of_a_block_is_zero_after_its_update(ratings, model, data):
    """Finite differences of the dense objective, in float64, at the updated block."""
    model.initialise(ratings)
    name = data.draw(st.sampled_from(list(model.blocks(ratings))))
    model.blocks(ratings)[name]()
    for attribute in ("user_factors_", "item_factors_"):
        setattr(model, attribute, getattr(model, attribute).astype(np.float64))
    side, solve = name.split("_", 1)
    blocks = [getattr(model, f"{side}_{part}_") for part in solve.split("_and_")]
    h = 1e-3
    for block in blocks:
        for i in np.ndindex(block.shape):
            here = block[i]
            block[i] = here + h
            above = objective_by_hand(model, ratings)
            block[i] = here - h
            below = objective_by_hand(model, ratings)
            block[i] = here
            curvature = (above + below - 2 * objective_by_hand(model, ratings)) / h**2
            # The gradient over the curvature is how far the parabola's lowest point is away.
            assert abs(above - below) / (2 * h) < 1e-5 * max(curvature, 1)


@given(random_ratings(), precisions, precisions)
def test_without_factors_every_block_is_that_of_the_bias_only_model(ratings, lam, gamma):
    bias_only = BiasALS(lam, gamma).initialise(ratings)
    model = LatentALS(0, lam, gamma, ridge_power=0).initialise(ratings)
    for side in ("item", "user", "item"):
        bias_only.blocks(ratings)[f"{side}_bias"]()
        model.blocks(ratings)[f"{side}_bias_and_factors"]()
        ours, expected = (getattr(each, f"{side}_bias_") for each in (model, bias_only))
        np.testing.assert_allclose(ours, expected, rtol=1e-10, atol=1e-13)
        assert model.objective(ratings) == pytest.approx(bias_only.objective(ratings), rel=1e-12)


def test_without_factors_a_fit_is_that_of_the_bias_only_model(medium):
    """One sets users first and the other items; the minimum is the same, and there is only one."""
    bias_only = BiasALS(gamma=1.0, n_sweeps=100, tol=0).fit(medium)
    model = LatentALS(0, gamma=1.0, ridge_power=0, n_sweeps=100, tol=0).fit(medium)
    # A fit stops where L is flat to rounding: there a bias is known to the root of that.
    np.testing.assert_allclose(model.user_bias_, bias_only.user_bias_, atol=1e-7)
    np.testing.assert_allclose(model.item_bias_, bias_only.item_bias_, atol=1e-7)


@pytest.mark.parametrize("width", [1, 7, 8, 9, 15, 16, 17, 24, 32, 33, 64, 65])
def test_every_width_is_solved_exactly(medium, width):
    """Tiles are 4 high and 16 wide: widths on both sides of their borders."""
    model = LatentALS(width, tau=3.0, n_sweeps=2, tol=0).fit(medium)
    for name, update in model.blocks(medium).items():
        side, solve = name.split("_", 1)
        bias, factors = solved_densely(model, medium, side, solve)
        update()
        np.testing.assert_allclose(getattr(model, f"{side}_bias_"), bias, atol=2e-6)
        np.testing.assert_allclose(getattr(model, f"{side}_factors_"), factors, atol=2e-6)


def test_a_movie_with_80000_ratings_is_summed_without_loss():
    """Plain float32 sums of so many terms of one sign would be off by a thousandth and more."""
    n_users, width = 80_000, 12
    rng = np.random.default_rng(0)
    users, items = np.divmod(np.arange(2 * n_users), 2)
    values = rng.integers(1, 11, len(users)) / 2
    ratings = Ratings(users, items, values)
    model = LatentALS(width, gamma=1.0, tau=1.0, ridge_power=0).initialise(ratings)
    model.user_factors_[:] = rng.normal(0.3, 0.01, model.user_factors_.shape)  # nearly collinear
    expected = solved_densely(model, ratings, "item", "bias_and_factors")
    model.blocks(ratings)["item_bias_and_factors"]()
    np.testing.assert_allclose(model.item_bias_, expected[0], rtol=1e-3)
    np.testing.assert_allclose(model.item_factors_, expected[1], atol=5e-4)


@pytest.mark.parametrize("joint", [True, False])
@pytest.mark.parametrize("cg_steps", [None, 2])
def test_results_do_not_depend_on_the_number_of_threads(medium, joint, cg_steps, on_threads):
    options = {"joint": joint, "cg_steps": cg_steps, "n_sweeps": 4, "tol": 0}
    fits = []
    for n_threads in (1, 4):
        on_threads(n_threads)
        fits.append(LatentALS(20, **options).fit(medium))
    one, many = fits
    for name in ("user_bias_", "item_bias_", "user_factors_", "item_factors_"):
        assert getattr(one, name).tobytes() == getattr(many, name).tobytes()
    assert [s.objective for s in one.history_] == [s.objective for s in many.history_]


def test_relabelling_users_and_movies_relabels_the_factors(medium):
    users, items, values = medium.triples()
    relabelled = Ratings(1000 - users, items * 7 % 41, values)  # 41 is prime: a permutation
    one, other = LatentALS(4).initialise(medium), LatentALS(4).initialise(relabelled)
    # Both start from the same vectors of the same movies.
    rows = relabelled.item_index(medium.item_ids * 7 % 41)
    other.item_factors_[rows] = one.item_factors_
    for model, of in ((one, medium), (other, relabelled)):
        for _ in range(10):
            for update in model.blocks(of).values():
                update()
    np.testing.assert_allclose(
        one.predict(users, items), other.predict(1000 - users, items * 7 % 41), atol=1e-4
    )


def test_only_the_ratios_of_the_precisions_matter(medium):
    one = LatentALS(3, lam=1, gamma=2, tau=3, n_sweeps=5, tol=0).fit(medium)
    other = LatentALS(3, lam=4, gamma=8, tau=12, n_sweeps=5, tol=0).fit(medium)
    np.testing.assert_allclose(one.user_factors_, other.user_factors_, atol=1e-6)


def test_joint_solves_lower_the_objective_at_least_as_far_per_half_step(medium):
    joint, apart = (LatentALS(4, joint=joint).initialise(medium) for joint in (True, False))
    joint.blocks(medium)["user_bias_and_factors"]()
    apart.blocks(medium)["user_bias"]()
    apart.blocks(medium)["user_factors"]()
    assert joint.objective(medium) < apart.objective(medium)


def test_hidden_factors_are_recovered_down_to_the_noise():
    """Known truth: with enough ratings the error on held-back ratings is the noise itself."""
    world = make_ratings(
        600, 300, 60_000, n_factors=3, noise_sd=0.4, half_stars=False, random_state=0
    )
    train, test = train_test_split(Ratings(world.users, world.items, world.values))
    users, items, values = test.triples()
    error = rmse(values, LatentALS(3, tau=0.5).fit(train).predict(users, items, clip=False))
    bias_only = rmse(values, BiasALS().fit(train).predict(users, items, clip=False))
    assert error < 0.45 < 0.55 < bias_only


def test_history_records_what_predict_and_the_objective_say(medium):
    train, validation, _ = train_validation_test_split(medium)
    model = LatentALS(3, gamma=0.01, tau=0.1, n_sweeps=5, tol=0).fit(train, validation=validation)
    for part, recorded in (
        (train, model.history_[-1].train_rmse),
        (validation, model.history_[-1].validation_rmse),
    ):
        users, items, values = part.triples()
        assert recorded == pytest.approx(rmse(values, model.predict(users, items)), rel=1e-7)
    assert model.history_[-1].objective == pytest.approx(model.objective(train), rel=1e-12)


def test_movies_and_users_without_ratings_have_no_factors(medium):
    some = medium.triples()[1] != medium.item_ids[5]
    model = LatentALS(4).fit(medium.select(some))
    assert not model.item_factors_[5].any() and model.item_bias_[5] == 0
    user = medium.user_ids[0]
    expected = model.mean_ + model.user_bias_[0]
    assert model.predict(user, medium.item_ids[5], clip=False) == pytest.approx(expected)
    assert model.predict(user, -1, clip=False) == pytest.approx(expected)
    assert model.predict(-1, -1) == pytest.approx(model.mean_)


def test_the_seed_decides_the_start(medium):
    one, same, other = (LatentALS(3, random_state=seed).fit(medium) for seed in (1, 1, 2))
    assert np.array_equal(one.item_factors_, same.item_factors_)
    assert not np.allclose(one.item_factors_, other.item_factors_)


def test_saving_and_loading_gives_the_same_predictions(medium, tmp_path):
    model = LatentALS(3).fit(medium)
    model.save(tmp_path / "model.npz")
    loaded = LatentALS.load(tmp_path / "model.npz")
    users, items, _ = medium.triples()
    assert np.array_equal(model.predict(users, items), loaded.predict(users, items))
    assert loaded.objective(medium) == model.objective(medium)
    assert str(loaded.history_) == str(model.history_)  # NaN is not equal to itself


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"n_factors": -1}, ValueError, "n_factors must be at least 0, got -1"),
        ({"n_factors": 2.5}, TypeError, "n_factors must be an integer, got 2.5"),
        ({"n_factors": True}, TypeError, "n_factors must be an integer, got True"),
        ({"lam": 0}, ValueError, "lam must be greater than 0, got 0"),
        ({"lam": np.nan}, ValueError, "lam must be finite, got nan"),
        ({"gamma": -1}, ValueError, "gamma must be at least 0, got -1"),
        ({"tau": 0}, ValueError, "tau must be greater than 0, got 0"),
        ({"tau": "3"}, TypeError, "tau must be a number, got '3'"),
        ({"ridge_power": -0.1}, ValueError, "ridge_power must be at least 0, got -0.1"),
        ({"ridge_power": 1.5}, ValueError, "ridge_power must be at most 1, got 1.5"),
        ({"joint": "yes"}, TypeError, "joint must be True or False, got 'yes'"),
        ({"n_sweeps": 0}, ValueError, "n_sweeps must be at least 1, got 0"),
        ({"tol": -1}, ValueError, "tol must be at least 0, got -1"),
        ({"random_state": -1}, ValueError, "random_state must be at least 0, got -1"),
        ({"random_state": None}, TypeError, "random_state must be an integer, got None"),
    ],
)
def test_a_wrong_hyperparameter_is_named_and_the_fitted_model_untouched(
    medium, wrong, error, message
):
    model = LatentALS(2).fit(medium)
    before = model.item_factors_.copy()
    model.set_params(**wrong)
    with pytest.raises(error) as raised:
        model.fit(medium)
    assert message in str(raised.value)
    assert np.array_equal(before, model.item_factors_)


@pytest.mark.parametrize("tau", [1e-300, 1e300])
def test_a_ridge_beyond_floating_point_is_refused(tau):
    """Two equal columns without a ridge: the second pivot of the Cholesky factor is zero."""
    ratings = Ratings([1, 1, 2, 2], [1, 2, 1, 2], [5.0, 1.0, 2.0, 4.0])
    model = LatentALS(8, lam=1e-10, tau=tau)
    with pytest.raises(FloatingPointError, match=r"tau / lam = \S+ is too .* \d of 2 normal"):
        model.fit(ratings)


def test_an_interrupted_fit_leaves_a_usable_model_with_its_history(medium, monkeypatch):
    model = LatentALS(3, n_sweeps=50, tol=0)
    sweeps = model.fit_iter(medium)
    records = [next(sweeps) for _ in range(3)]
    monkeypatch.setattr(LatentALS, "_squared_errors", _interrupt)
    with pytest.raises(KeyboardInterrupt):
        next(sweeps)
    monkeypatch.undo()
    assert model.history_ == records  # the very same objects
    assert model.objective(medium) < records[-1].objective
    assert np.isfinite(model.predict(*medium.triples()[:2])).all()


def _interrupt(*_):
    raise KeyboardInterrupt
