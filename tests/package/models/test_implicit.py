"""The model of who chose what: dense weighted least squares over all pairs, one by one."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from oracles import assert_each_block_lowers, dense
from sklearn.base import clone
from strategies import ratings as random_ratings

from alslib import ImplicitALS, LatentALS, Ratings, Recommender, fold_in, grid_search

FLOAT32 = 2e-6


@st.composite
def models(draw):
    return ImplicitALS(
        n_factors=draw(st.integers(1, 5)),
        lam=draw(st.floats(1.5, 40)),
        tau=draw(st.floats(0.1, 20)),
        n_sweeps=3,
        tol=0,
    )


def weights_and_preferences(model, ratings):
    chosen = dense(ratings)[1]
    return np.where(chosen, model.lam, 1.0), chosen.astype(float)


def objective_by_hand(model, ratings):
    """Return L with every pair of a user and an item written out."""
    weights, preferences = weights_and_preferences(model, ratings)
    users, items = (x.astype(np.float64) for x in (model.user_factors_, model.item_factors_))
    errors = preferences - users @ items.T
    ridge = model.tau * (np.sum(users**2) + np.sum(items**2))
    return (np.sum(weights * errors**2) + ridge) / 2


@given(random_ratings(), models())
def test_objective_is_the_formula_of_the_book(ratings, model):
    model.fit(ratings, progress=False)
    assert model.objective(ratings) == pytest.approx(objective_by_hand(model, ratings), rel=1e-5)


@given(random_ratings(), models())
def test_objective_falls_after_every_block_update(ratings, model):
    model.initialise(ratings)
    assert_each_block_lowers(lambda: objective_by_hand(model, ratings), model, ratings, FLOAT32)


def random_choices(n_users, n_items, seed):
    users, items = np.nonzero(np.random.default_rng(seed).random((n_users, n_items)) < 0.3)
    return Ratings(users, items, np.ones(len(users)))


@settings(max_examples=300)
@given(
    st.builds(random_choices, st.integers(4, 12), st.integers(8, 40), st.integers(0, 999)),
    st.integers(-1, 3),
    st.floats(-2, 2).map(lambda power: 1 + 10**power),
    st.floats(-9, -3).map(lambda power: 10**power),
)
@example(random_choices(10, 2, 341), 1, 2.83, 1.4e-5)
@example(random_choices(5, 9, 924), 3, 16.3, 1.4e-7)
@example(random_choices(5, 10, 817), 2, 1.49, 6.9e-8)
@example(random_choices(2, 20, 72), 1, 3.93, 3.1e-6)
def test_hardly_a_ridge_and_as_many_factors_as_rows_raise_nothing_but_an_error(
    ratings, more, lam, tau
):
    """Where V'V is singular, the rounding of float32 alone would say where the factors go."""
    n_factors = max(1, min(ratings.n_users, ratings.n_items) + more)
    model = ImplicitALS(n_factors, lam=lam, tau=tau, tol=0).initialise(ratings)
    without_factors = lam / 2 * ratings.n_ratings
    value = objective_by_hand(model, ratings)
    try:
        for _ in range(8):
            for update in model.blocks(ratings).values():
                update()
                before, value = value, objective_by_hand(model, ratings)
                assert value <= before + 1e-5 * without_factors
    except FloatingPointError as error:
        assert "too small" in str(error)


def test_more_factors_than_items_need_a_ridge_and_an_error_says_so(medium):
    with pytest.raises(FloatingPointError, match=r"tau = 1e-08 is too small for 64 factors: V'V"):
        ImplicitALS(64, tau=1e-8).fit(medium)
    history = ImplicitALS(64, tau=1e-2, tol=0).fit(medium).history_
    assert all(after.objective < before.objective for before, after in pairwise(history))


@pytest.mark.parametrize("options", [{"tau": 1e-300}, {"lam": 1e300}])
def test_what_floating_point_cannot_do_is_a_floating_point_error(medium, options):
    with pytest.raises(FloatingPointError, match="is too small"):
        ImplicitALS(64, **options).fit(medium)


@given(random_ratings(), models(), st.integers(0, 1))
def test_every_block_is_the_weighted_ridge_regression_on_all_pairs(ratings, model, n_sweeps_before):
    model.initialise(ratings)
    for _ in range(n_sweeps_before):
        for update in model.blocks(ratings).values():
            update()
    weights, preferences = weights_and_preferences(model, ratings)
    for side, update in model.blocks(ratings).items():
        other = {"item_factors": "user_factors_", "user_factors": "item_factors_"}[side]
        design = getattr(model, other).astype(np.float64)
        by_row = (weights, preferences) if side == "user_factors" else (weights.T, preferences.T)
        expected = [
            np.linalg.solve(
                (design.T * w) @ design + model.tau * np.eye(model.n_factors), design.T @ (w * p)
            )
            for w, p in zip(*by_row, strict=True)
        ]
        update()
        np.testing.assert_allclose(getattr(model, f"{side}_"), expected, atol=1e-4)


@pytest.mark.parametrize("width", [1, 8, 15, 16, 17, 33])
def test_every_width_is_solved_exactly(medium, width):
    model = ImplicitALS(width, n_sweeps=3, tol=0).fit(medium)
    weights, preferences = weights_and_preferences(model, medium)
    items = model.item_factors_.astype(np.float64)
    for user in range(medium.n_users):
        normal = (items.T * weights[user]) @ items + model.tau * np.eye(width)
        expected = np.linalg.solve(normal, items.T @ (weights[user] * preferences[user]))
        np.testing.assert_allclose(model.user_factors_[user], expected, atol=2e-6)


@settings(max_examples=20)
@given(random_ratings(), models())
def test_how_something_was_rated_makes_no_difference(ratings, model):
    users, items, values = ratings.triples()
    other = clone(model).fit(Ratings(users, items, 5.5 - values), progress=False)
    model.fit(ratings, progress=False)
    assert np.array_equal(model.item_factors_, other.item_factors_)


def test_what_similar_users_chose_comes_first():
    """Two groups of users and of items; everybody has all items of the group but one."""
    users, items = np.divmod(np.arange(40 * 20), 20)
    own_group = users // 20 == items // 10
    left_out = (users % 10) + 10 * (users // 20)
    chosen = own_group & (items != left_out)
    ratings = Ratings(users[chosen], items[chosen], np.ones(chosen.sum()))
    model = ImplicitALS(2, tau=0.1).fit(ratings)
    lists = Recommender(model, ratings).recommend_all(n=1)
    expected = (lists.user_ids % 10) + 10 * (lists.user_ids // 20)
    assert np.array_equal(np.concatenate(lists.item_ids), expected)


def test_a_user_folded_in_again_gets_the_same_factors(medium):
    model = ImplicitALS(6, n_sweeps=4, tol=0).fit(medium)
    recommender = Recommender(model, medium)
    for index, user in enumerate(medium.user_ids):
        items, _ = medium.by_user.row(index)
        again = fold_in(model, medium.item_ids[items], np.ones(len(items)))
        np.testing.assert_allclose(again.factors, model.user_factors_[index], atol=2e-6)
        assert again.bias == 0
        explained = recommender.explain(user, medium.item_ids[0])
        assert explained.ratings["share"].sum() == pytest.approx(explained.score, abs=1e-9)
        expected = model.predict(user, medium.item_ids[0])
        assert explained.score == pytest.approx(expected, abs=1e-5)


def test_somebody_who_chose_nothing_prefers_nothing(medium):
    model = ImplicitALS(3).fit(medium)
    assert not fold_in(model, [], []).factors.any()
    assert model.predict(-1, medium.item_ids[0]) == 0
    assert model.predict(medium.user_ids[0], -1) == 0


def test_an_item_that_nobody_chose_has_no_factors(medium):
    some = medium.triples()[1] != medium.item_ids[5]
    model = ImplicitALS(4).fit(medium.select(some))
    assert not model.item_factors_[5].any()


def test_predictions_are_inner_products_and_clipped_on_request(medium):
    model = ImplicitALS(8, lam=40, tau=0.01).fit(medium)
    everything = model.predict(medium.user_ids[:, None], medium.item_ids)
    expected = model.user_factors_ @ model.item_factors_.T
    np.testing.assert_allclose(everything, expected, atol=1e-6)
    assert everything.min() < 0 or everything.max() > 1
    clipped = model.predict(medium.user_ids[:, None], medium.item_ids, clip=True)
    np.testing.assert_allclose(clipped, np.clip(expected, 0, 1), atol=1e-6)
    assert isinstance(model.predict(medium.user_ids[0], medium.item_ids[0], clip=True), float)


@pytest.mark.parametrize("cg_steps", [None, 2])
def test_results_do_not_depend_on_the_number_of_threads(medium, cg_steps, on_threads):
    fits = []
    for n_threads in (1, 4):
        on_threads(n_threads)
        fits.append(ImplicitALS(20, n_sweeps=4, tol=0, cg_steps=cg_steps).fit(medium))
    one, many = fits
    assert one.user_factors_.tobytes() == many.user_factors_.tobytes()
    assert [s.objective for s in one.history_] == [s.objective for s in many.history_]


def test_errors_in_stars_are_not_recorded(medium):
    history = ImplicitALS(2, n_sweeps=2, tol=0).fit(medium).history_
    assert np.isnan([[s.train_rmse, s.validation_rmse] for s in history]).all()


def test_saving_and_loading_gives_the_same_predictions(medium, tmp_path):
    model = ImplicitALS(3).fit(medium)
    model.save(tmp_path / "model.npz")
    loaded = ImplicitALS.load(tmp_path / "model.npz")
    users, items, _ = medium.triples()
    assert np.array_equal(model.predict(users, items), loaded.predict(users, items))
    assert loaded.objective(medium) == model.objective(medium)
    with pytest.raises(ValueError, match="holds a ImplicitALS, not a LatentALS"):
        LatentALS.load(tmp_path / "model.npz")


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"lam": 1}, ValueError, "lam must be greater than 1, got 1"),
        ({"lam": "40"}, TypeError, "lam must be a number, got '40'"),
        ({"tau": 0}, ValueError, "tau must be greater than 0, got 0"),
        ({"n_factors": -1}, ValueError, "n_factors must be at least 0, got -1"),
        ({"n_sweeps": 0}, ValueError, "n_sweeps must be at least 1, got 0"),
    ],
)
def test_a_wrong_hyperparameter_is_named(medium, wrong, error, message):
    with pytest.raises(error) as raised:
        ImplicitALS().set_params(**wrong).fit(medium)
    assert message in str(raised.value)


def test_validation_ratings_are_refused_with_the_cure(medium):
    with pytest.raises(ValueError, match=r"no validation RMSE; judge its lists.*ndcg_at_k"):
        ImplicitALS().fit(medium, validation=medium)
    with pytest.raises(ValueError, match=r"no validation RMSE"):
        grid_search(ImplicitALS(), {"tau": [1, 2]}, medium, medium, progress=False)
