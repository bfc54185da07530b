"""The bias-only model minimises L exactly, whatever the data, and predicts by stated rules."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import assert_each_block_lowers, bias_minimiser, bias_objective, dense
from strategies import ratings as random_ratings

from alslib import BiasALS, Ratings, rmse, train_test_split, train_validation_test_split

precisions = st.floats(0.01, 100)


def objective_by_hand(model, ratings):
    return bias_objective(
        ratings, model.mean_, model.user_bias_, model.item_bias_, model.lam, model.gamma
    )


@given(random_ratings(), precisions, precisions)
def test_objective_is_the_formula_of_the_book(ratings, lam, gamma):
    model = BiasALS(lam, gamma, n_sweeps=2).fit(ratings)
    assert model.objective(ratings) == pytest.approx(objective_by_hand(model, ratings), rel=1e-12)


@given(random_ratings(), precisions, precisions)
def test_objective_falls_after_every_block_update(ratings, lam, gamma):
    model = BiasALS(lam, gamma).initialise(ratings)
    assert_each_block_lowers(lambda: objective_by_hand(model, ratings), model, ratings, 1e-12)


@given(random_ratings(), precisions, precisions, st.integers(0, 3))
def test_gradient_of_a_block_is_zero_after_its_update(ratings, lam, gamma, n_updates):
    """Finite differences of the dense objective, at a point reached by one to four updates."""
    model = BiasALS(lam, gamma).initialise(ratings)
    names = list(model.blocks(ratings)) * 2
    for name in names[: n_updates + 1]:
        model.blocks(ratings)[name]()
    block = getattr(model, f"{name}_")
    h = 1e-3
    for i in range(len(block)):
        here = block[i]
        block[i] = here + h
        above = objective_by_hand(model, ratings)
        block[i] = here - h
        below = objective_by_hand(model, ratings)
        block[i] = here
        # For a parabola the central difference is exact; its curvature sets the scale.
        curvature = lam * dense(ratings)[1].sum() + gamma
        assert abs(above - below) / (2 * h) < 1e-7 * curvature


@settings(max_examples=30)
@given(random_ratings(), st.floats(0.5, 5))
def test_enough_sweeps_reach_the_dense_solution(ratings, gamma):
    model = BiasALS(gamma=gamma).initialise(ratings)
    # A fit would stop where L, flat around its lowest point, no longer falls in floating point.
    for _ in range(400):
        for update in model.blocks(ratings).values():
            update()
    user_bias, item_bias = bias_minimiser(ratings, ratings.mean, 1.0, gamma)
    np.testing.assert_allclose(model.user_bias_, user_bias, atol=1e-8)
    np.testing.assert_allclose(model.item_bias_, item_bias, atol=1e-8)


def test_one_sweep_by_hand():
    """Ann gave 5 and 3, Bob gave 1, so μ = 3; with λ = γ = 1 two ratings are divided by 3."""
    ratings = Ratings(["ann", "ann", "bob"], ["Heat", "Up", "Up"], [5.0, 3.0, 1.0])
    model = BiasALS(lam=1, gamma=1, n_sweeps=1).fit(ratings)
    ann, bob = (2 + 0) / (2 + 1), -2 / (1 + 1)
    np.testing.assert_allclose(model.user_bias_, [ann, bob], rtol=1e-15)
    heat, up = (2 - ann) / 2, ((0 - ann) + (-2 - bob)) / 3
    np.testing.assert_allclose(model.item_bias_, [heat, up], rtol=1e-15)
    assert model.predict("ann", "Up", clip=False) == pytest.approx(3 + ann + up)


@given(random_ratings(), precisions, precisions, st.floats(0.1, 10))
def test_only_the_ratio_of_the_precisions_matters(ratings, lam, gamma, factor):
    one = BiasALS(lam, gamma, n_sweeps=3, tol=0).fit(ratings)
    other = BiasALS(factor * lam, factor * gamma, n_sweeps=3, tol=0).fit(ratings)
    np.testing.assert_allclose(one.user_bias_, other.user_bias_, atol=1e-10)
    np.testing.assert_allclose(one.item_bias_, other.item_bias_, atol=1e-10)


def test_relabelling_users_and_movies_relabels_the_biases(medium):
    users, items, values = medium.triples()
    relabelled = Ratings(1000 - users, items * 7 % 41, values)  # 41 is prime: a permutation
    one, other = BiasALS().fit(medium), BiasALS().fit(relabelled)
    np.testing.assert_allclose(
        one.predict(users, items), other.predict(1000 - users, items * 7 % 41), rtol=1e-12
    )


def test_synthetic_biases_are_recovered_as_the_data_grows():
    """Known truth, no rounding, no clipping: the error shrinks like 1/√n per movie."""
    rng = np.random.default_rng(0)
    noise, errors = 0.3, []
    for n_users in (100, 1600):
        user_bias, item_bias = rng.normal(0, 0.5, n_users), rng.normal(0, 0.5, 50)
        users, items = np.divmod(np.arange(n_users * 50), 50)
        values = 3 + user_bias[users] + item_bias[items] + rng.normal(0, noise, len(users))
        model = BiasALS(gamma=0.1).fit(Ratings(users, items, values))
        found = model.item_bias_ - model.item_bias_.mean()
        errors.append(rmse(item_bias - item_bias.mean(), found))
        assert errors[-1] == pytest.approx(noise / np.sqrt(n_users), rel=0.35)
    assert errors[1] < 0.4 * errors[0]


def test_history_records_what_predict_and_the_objective_say(medium):
    train, validation, _ = train_validation_test_split(medium)
    model = BiasALS(gamma=0.01, n_sweeps=5, tol=0).fit(train, validation=validation)
    users, items, _ = train.triples()
    assert not np.array_equal(model.predict(users, items), model.predict(users, items, clip=False))
    history = pd.DataFrame(model.history_)
    assert list(history["sweep"]) == [0, 1, 2, 3, 4, 5]
    assert history["objective"].is_monotonic_decreasing
    assert history["objective"].iloc[-1] == model.objective(train)
    for part, column in ((train, "train_rmse"), (validation, "validation_rmse")):
        users, items, values = part.triples()
        values = values.astype(np.float64)
        expected = np.sqrt(np.mean((values - model.predict(users, items)) ** 2))
        assert history[column].iloc[-1] == pytest.approx(expected, rel=1e-12)
        at_start = np.sqrt(np.mean((values - train.mean) ** 2))
        assert history[column].iloc[0] == pytest.approx(at_start, rel=1e-12)
    assert (history["seconds"].iloc[1:] > 0).all()


def test_history_without_validation_says_so(medium):
    assert np.isnan(BiasALS(n_sweeps=1).fit(medium).history_[-1].validation_rmse)


def test_fit_stops_when_the_objective_has_stopped_falling(medium):
    model = BiasALS(n_sweeps=500, tol=1e-4).fit(medium)
    fall = -np.diff([sweep.objective for sweep in model.history_])
    relative = fall / [sweep.objective for sweep in model.history_[:-1]]
    assert len(model.history_) < 500
    assert relative[-1] < 1e-4 <= relative[:-1].min()


@pytest.mark.parametrize("tol", [0, 1e-6])
def test_fit_stops_where_nothing_is_left_to_gain(tol):
    model = BiasALS(tol=tol, n_sweeps=500).fit(Ratings([1, 2], [1, 2], [4.0, 4.0]))
    assert len(model.history_) == 2


def test_a_long_fit_shows_a_bar_unless_told_not_to(medium, bars_at_once, capsys):
    BiasALS(n_sweeps=3, tol=0).fit(medium)
    assert "3/3" in capsys.readouterr().err
    BiasALS(n_sweeps=3, tol=0).fit(medium, progress=False)
    assert capsys.readouterr().err == ""
    stopped = len(BiasALS(n_sweeps=500, tol=1e-4).fit(medium).history_) - 1
    # How wide a bar is depends on the terminal.
    assert re.search(rf"100%\|█+\| {stopped}/{stopped} ", capsys.readouterr().err)


def test_a_fit_can_be_watched_and_left_between_sweeps(medium):
    model = BiasALS(n_sweeps=10, tol=0)
    for record in model.fit_iter(medium):
        if record.sweep == 3:
            break
    assert len(model.history_) == 4
    same = BiasALS(n_sweeps=3, tol=0).fit(medium)
    np.testing.assert_array_equal(model.user_bias_, same.user_bias_)
    np.testing.assert_array_equal(model.item_bias_, same.item_bias_)


def test_an_interrupted_fit_leaves_a_usable_model(medium, monkeypatch):
    model = BiasALS(n_sweeps=10, tol=0)
    original, calls = BiasALS._squared_errors, []

    def interrupted(self, ratings):
        calls.append(None)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return original(self, ratings)

    monkeypatch.setattr(BiasALS, "_squared_errors", interrupted)
    with pytest.raises(KeyboardInterrupt):
        model.fit(medium)
    assert [sweep.sweep for sweep in model.history_] == [0, 1, 2]
    assert np.isfinite(model.predict(*medium.triples()[:2])).all()


def test_results_do_not_depend_on_the_number_of_threads(medium, on_threads):
    fits = []
    for n_threads in (1, 4):
        on_threads(n_threads)
        fits.append(BiasALS().fit(medium))
    one, two = fits
    assert one.user_bias_.tobytes() == two.user_bias_.tobytes()
    assert one.item_bias_.tobytes() == two.item_bias_.tobytes()
    without_time = [[sweep[:4] for sweep in model.history_] for model in fits]
    assert repr(without_time[0]) == repr(without_time[1])


def test_movies_and_users_without_training_ratings_have_no_bias(medium):
    train = medium.select(medium.by_user.indices != 7)
    model = BiasALS().fit(train)
    assert train.item_counts[7] == 0 and model.item_bias_[7] == 0
    assert np.count_nonzero(model.item_bias_ == 0) == 1


def test_what_is_unknown_is_left_out_of_the_prediction(tiny):
    model = BiasALS().fit(tiny)
    mean, user, item = model.mean_, model.user_bias_[0], model.item_bias_[1]
    predicted = model.predict([10, 10, 99, 99], ["Jaws", "new", "Jaws", "new"], clip=False)
    np.testing.assert_allclose(predicted, [mean + user + item, mean + user, mean + item, mean])


def test_predictions_stay_on_the_scale_unless_asked(medium):
    model = BiasALS(gamma=0.01).fit(medium)
    model.user_bias_[0] = 9.0
    assert model.predict(0, 0) == 5.0
    assert model.predict(0, 0, clip=False) > 9


def test_predict_broadcasts_and_keeps_shapes(tiny):
    model = BiasALS().fit(tiny)
    assert isinstance(model.predict(10, "Up"), float)
    grid = model.predict(tiny.user_ids[:, None], tiny.item_ids[None, :])
    assert grid.shape == (3, 3)
    assert grid[0, 2] == model.predict(10, "Up")
    assert model.predict([], []).shape == (0,)


def test_float_ratings_and_half_star_codes_give_the_same_fit(medium):
    users, items, values = medium.triples()
    coded, plain = Ratings(users, items, values), Ratings(users, items, values * np.pi)
    assert plain.by_user.data.dtype == np.float32 != coded.by_user.data.dtype
    np.testing.assert_allclose(
        BiasALS().fit(plain).user_bias_, np.pi * BiasALS().fit(coded).user_bias_, atol=1e-6
    )


def test_a_better_model_than_the_mean_on_held_back_ratings(medium):
    train, test = train_test_split(medium)
    users, items, values = test.triples()
    mean_only = rmse(values, np.full(len(values), train.mean))
    assert rmse(values, BiasALS().fit(train).predict(users, items)) < 0.75 * mean_only
