"""New ratings without a fit from scratch: rows found by id, those that changed solved exactly."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from strategies import ratings as random_ratings

from alslib import (
    BiasALS,
    FeatureALS,
    ImplicitALS,
    LatentALS,
    Ratings,
    Recommender,
    fold_in,
    make_ratings,
)

MODELS = {
    "bias": BiasALS(n_sweeps=3),
    "latent": LatentALS(3, tau=1.0, n_sweeps=3),
    "separate": LatentALS(3, tau=1.0, joint=False, n_sweeps=3),
    "features": FeatureALS(3, tau=1.0, gamma_features=1.0, tau_features=1.0, n_sweeps=3),
    "implicit": ImplicitALS(3, n_sweeps=3),
}
every_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


def rows_of(model, side):
    """Return what is learned of each user, or of each item, as one row each."""
    parts = [getattr(model, f"{side}_bias_")]
    parts += list(getattr(model, f"{side}_factors_", np.zeros((len(parts[0]), 0))).T)
    return np.column_stack(parts)


def everything(model):
    arrays = {name: v.copy() for name, v in vars(model).items() if isinstance(v, np.ndarray)}
    return arrays | {"history": list(model.history_), "mean": model.mean_}


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value)


def changed(ratings, seed=0, weights=False):
    """Return ratings of the same ids, some changed: each of three users gave others."""
    users, items, values = ratings.triples()
    moved = np.isin(users, ratings.user_ids[[2, 5, 11]])
    values = np.where(moved, 5.5 - values, values)
    return Ratings(users, items, values, weights=users % 3 + 1 if weights else None)


@every_model
@pytest.mark.parametrize("weights", [False, True])
def test_named_rows_are_what_a_half_step_of_all_makes_of_them_and_no_other_moves(
    model, weights, medium
):
    start = clone(model).fit(medium)
    now = changed(medium, weights=weights)
    some = {"item": medium.item_ids[[0, 7, 39]], "user": medium.user_ids[[2, 5, 11]]}
    updated = clone(model).fit(medium).update(now, users=some["user"], items=some["item"])
    assert not np.array_equal(rows_of(updated, "item"), rows_of(start, "item"))
    assert updated.mean_ == start.mean_
    expected = start.as_fitted()
    for side, other in (("item", "user"), ("user", "item")):
        before = rows_of(expected, side)
        others_before = rows_of(expected, other)
        for name, solve in expected.blocks(now).items():
            if name.startswith(side) and not name.endswith("_features"):
                solve()
        after = rows_of(expected, side)
        named = np.isin(getattr(medium, f"{side}_ids"), some[side])
        np.testing.assert_array_equal(rows_of(updated, side)[named], after[named])
        np.testing.assert_array_equal(rows_of(updated, side)[~named], before[~named])
        np.testing.assert_array_equal(rows_of(expected, other), others_before)
        # What the other side is solved with: the named rows new, all others as they were.
        for part in ("bias", "factors"):
            if hasattr(expected, f"{side}_{part}_"):
                getattr(expected, f"{side}_{part}_")[:] = getattr(updated, f"{side}_{part}_")


@settings(max_examples=30)
@given(random_ratings(min_ratings=8), st.integers(0, 9), st.sampled_from([*MODELS.values()]))
def test_new_users_and_items_get_rows_and_old_ones_keep_theirs(whole, seed, model):
    known = np.random.default_rng(seed).random(len(whole)) < 0.6
    known[0] = True
    users, items, values = whole.triples()
    low, high = whole.scale
    scale = (low, high + (low == high))
    before = Ratings(users[known], items[known], values[known], scale)
    model = clone(model).fit(before)
    old = {side: rows_of(model, side) for side in ("user", "item")}
    now = Ratings(users, items, values, scale)
    model.update(now)
    assert model.user_ids_.tolist() == now.user_ids.tolist()
    assert model.item_ids_.tolist() == now.item_ids.tolist()
    np.testing.assert_array_equal(
        rows_of(model, "user")[now.user_index(before.user_ids)], old["user"]
    )
    np.testing.assert_array_equal(
        rows_of(model, "item")[now.item_index(before.item_ids)], old["item"]
    )
    if isinstance(model, BiasALS) or not getattr(model, "joint", True):
        return  # which `fold_in` does not solve, or solves for bias and factors together
    for user in np.setdiff1d(now.user_ids, before.user_ids):
        profile = fold_in(model, *now.of_user(user))
        found = rows_of(model, "user")[now.user_index(user)]
        np.testing.assert_allclose(found, [profile.bias, *profile.factors], atol=5e-5)
    assert Recommender(model, now).recommend_all(2).user_ids.tolist() == now.user_ids.tolist()


def genres(ids):
    kinds = [["Comedy"], ["Crime"], ["Comedy", "Crime"], []]
    rows = [dict.fromkeys(kinds[i % 4], 1) for i in range(len(ids))]
    return pd.DataFrame(rows, index=ids, columns=["Comedy", "Crime"]).fillna(0)


def test_an_item_that_came_out_today_is_predicted_from_its_features_and_in_lists(medium, tmp_path):
    model = FeatureALS(3, gamma_features=0.5, tau_features=0.5, n_sweeps=5)
    model.fit(medium, item_features=genres(medium.item_ids))
    model.save(tmp_path / "model")
    new = pd.DataFrame({"Crime": [1, 0], "Comedy": [0, 1]}, index=[99, 98])
    bias, factors = model.item_prior(new)
    expected = model.mean_ + model.user_bias_ + bias[0] + model.user_factors_ @ factors[0]
    for fitted in (model, FeatureALS.load(tmp_path / "model")):
        seen = medium.with_ids(items=[98, 99])
        fitted.update(seen, item_features=new)
        found = fitted.predict(medium.user_ids, 99, clip=False)
        np.testing.assert_allclose(found, expected, atol=1e-6)
        lists = Recommender(fitted, seen).recommend(3, n=50, min_ratings=0).item_id
        assert {98, 99} <= set(lists)
        with pytest.raises(RuntimeError, match="features are not saved"):
            fitted.blocks(seen)
        fitted.fit(seen, item_features=genres(seen.item_ids), warm_start=True)


def test_features_of_what_is_new_are_needed_and_checked(medium):
    model = FeatureALS(2, n_sweeps=2).fit(medium, item_features=genres(medium.item_ids))
    before = everything(model)
    seen = medium.with_ids(items=[98])
    with pytest.raises(ValueError, match=r"1 item ids are new, the first is 98,.*item_features"):
        model.update(seen)
    with pytest.raises(ValueError, match=r"the fit did not have the columns \['Drama'\]"):
        model.update(seen, item_features=pd.DataFrame({"Drama": [1]}, index=[98]))
    with pytest.raises(ValueError, match="lack 1 of the 1 ids"):
        model.update(seen, item_features=pd.DataFrame({"Crime": [1]}, index=[97]))
    assert_same(everything(model), before)
    assert model.blocks(medium).keys() == {
        "item_features",
        "item_bias_and_factors",
        "user_bias_and_factors",
    }


@every_model
def test_what_will_not_do_leaves_the_model_untouched(model, medium):
    model = clone(model)
    with pytest.raises(RuntimeError, match="not fitted yet"):
        model.update(medium)
    model.fit(medium)
    before = everything(model)
    users, items, values = medium.triples()
    with pytest.raises(ValueError, match="beyond those of the fit"):
        model.update(Ratings(users, items, values + 1))
    with pytest.raises(ValueError, match="unknown user 77"):
        model.update(medium, users=[77])
    with pytest.raises(TypeError, match="strings in these ratings, got integers"):
        model.update(Ratings(users.astype(str), items, values))
    with pytest.raises(TypeError, match="must be Ratings"):
        model.update(None)
    assert_same(everything(model), before)


def test_a_recommender_notices_an_update(medium):
    model = LatentALS(2, n_sweeps=2).fit(medium)
    recommender = Recommender(model, medium)
    seen = model.as_fitted()
    model.update(changed(medium), users=[2])
    with pytest.raises(RuntimeError, match="fitted anew since"):
        recommender.recommend(3)
    np.testing.assert_array_equal(
        seen.user_factors_, LatentALS(2, n_sweeps=2).fit(medium).user_factors_
    )


@every_model
def test_a_warm_start_goes_on_where_the_fit_before_has_ended(model, medium):
    longer = clone(model).set_params(n_sweeps=5, tol=0).fit(medium)
    model = clone(model).set_params(n_sweeps=3, tol=0).fit(medium)
    model.set_params(n_sweeps=2).fit(medium, warm_start=True)
    for name in ("user", "item"):
        np.testing.assert_array_equal(rows_of(model, name), rows_of(longer, name))
    assert [r.objective for r in model.history_] == [r.objective for r in longer.history_[3:]]
    assert [r.sweep for r in model.history_] == [0, 1, 2]


def test_features_keep_what_they_had_under_their_names(medium):
    model = FeatureALS(3, tau=1.0, n_sweeps=4, tol=0, gamma_features=1.0, tau_features=1.0)
    table = genres(medium.item_ids)
    longer = clone(model).set_params(n_sweeps=6).fit(medium, item_features=table)
    model.fit(medium, item_features=table).set_params(n_sweeps=2)
    records = model.fit_iter(medium, item_features=table[["Crime", "Comedy"]], warm_start=True)
    assert next(records).objective == pytest.approx(longer.history_[4].objective, rel=1e-6)
    list(records)
    np.testing.assert_allclose(model.item_factors_, longer.item_factors_, atol=1e-5)
    wider = model.fit_iter(medium, item_features=table.assign(Drama=1), warm_start=True)
    next(wider)
    assert model.item_feature_bias_[2] == 0
    np.testing.assert_allclose(model.item_feature_bias_[:2], longer.item_feature_bias_, atol=1e-5)


def test_a_warm_start_with_new_ids_is_soon_where_a_cold_one_ends():
    world = make_ratings(300, 200, 12_000, random_state=0)
    whole = Ratings(world.users, world.items, world.values)
    users, items, values = whole.triples()
    known = (users % 10 != 3) & (items % 10 != 7)
    model = LatentALS(4, tau=8.0, n_sweeps=200, tol=1e-7)
    model.fit(Ratings(users[known], items[known], values[known]))
    cold = clone(model).fit(whole)
    model.fit(whole, warm_start=True)
    assert model.history_[1].objective < cold.history_[1].objective
    assert model.history_[-1].objective == pytest.approx(cold.history_[-1].objective, rel=1e-3)


def test_a_warm_start_needs_the_same_factors_and_no_fit(medium):
    model = LatentALS(3, n_sweeps=2)
    cold = clone(model).fit(medium)
    assert_same(
        everything(model.fit(medium, warm_start=True)) | {"history": 0},
        everything(cold) | {"history": 0},
    )
    before = everything(model)
    with pytest.raises(ValueError, match="has 3 factors in the fit to start from, not 5"):
        model.set_params(n_factors=5).fit(medium, warm_start=True)
    assert_same(everything(model), before)
