"""What a model learns does not hang on the unit of the ratings: stars, per cent, −10 to 10."""

import numpy as np
import pytest

from alslib import (
    BiasALS,
    FeatureALS,
    ImplicitALS,
    LatentALS,
    Ratings,
    fold_in,
    load_movielens,
    make_ratings,
    movie_features,
)

MODELS = [
    BiasALS(n_sweeps=3),
    LatentALS(4, n_sweeps=3),
    LatentALS(4, n_sweeps=3, joint=False, ridge_power=0),
    FeatureALS(4, n_sweeps=3),
    ImplicitALS(4, n_sweeps=3),
]
every_model = pytest.mark.parametrize("model", MODELS, ids=str)
with_factors = pytest.mark.parametrize("model", MODELS[1:4], ids=str)


@pytest.fixture(scope="module")
def triples():
    return make_ratings(60, 40, 900, n_factors=2, random_state=3).ratings.triples()


def fitted(model, triples, factor=1.0, shift=0.0):
    users, items, values = triples
    ratings = Ratings(users, items, factor * values + shift)
    features = {}
    if isinstance(model, FeatureALS):
        rng = np.random.default_rng(0)
        features["item_features"] = rng.integers(0, 2, (ratings.n_items, 3))
    copy = type(model)(**model.get_params())
    return copy.fit(ratings, progress=False, **features), ratings


@every_model
def test_four_times_the_ratings_give_four_times_the_predictions_bit_for_bit(model, triples):
    """Powers of two change no digit, and the root of four is one."""
    users, items, _ = triples
    (one, ratings), (four, fourfold) = (fitted(model, triples, factor) for factor in (1, 4))
    if isinstance(model, ImplicitALS):  # learns who chose what, whatever the rating
        assert np.array_equal(four.item_factors_, one.item_factors_)
        return
    assert np.array_equal(four.item_bias_, 4 * one.item_bias_)
    assert np.array_equal(four.predict(users, items), 4 * one.predict(users, items))
    assert four.objective(fourfold) == 16 * one.objective(ratings)


@with_factors
def test_factors_grow_with_the_root_of_the_unit_and_their_ridge_with_the_unit(model, triples):
    (one, _), (four, _) = (fitted(model, triples, factor) for factor in (1, 4))
    assert np.array_equal(four.user_factors_, 2 * one.user_factors_)
    assert four.as_fitted().tau == 4 * one.as_fitted().tau
    assert four.tau is None  # for the next fit, of other ratings perhaps


@with_factors
@pytest.mark.parametrize(
    ("factor", "shift"),
    [(20, 0), (1 / 4.5, -0.5 / 4.5), (20 / 4.5, -10 - 10 / 4.5), (1e-6, 0), (1e6, -3e6)],
    ids=["per cent", "0 to 1", "-10 to 10", "millionths", "millions"],
)
def test_on_any_scale_predictions_are_the_same_but_for_rounding(model, triples, factor, shift):
    users, items, _ = triples
    one, _ = fitted(model, triples)
    other, _ = fitted(model, triples, factor, shift)
    back = (other.predict(users, items) - shift) / factor
    assert np.abs(back - one.predict(users, items)).max() < 2e-4


@with_factors
def test_a_new_user_and_a_saved_model_have_the_ridge_of_the_fit(model, triples, tmp_path):
    (one, ratings), (four, _) = (fitted(model, triples, factor) for factor in (1, 4))
    given = list(ratings.item_ids[:3])
    profile = fold_in(one, given, [0.5, 4.0, 5.0])
    fourfold = fold_in(four, given, [2.0, 16.0, 20.0])
    assert np.allclose(fourfold.factors, 2 * profile.factors, rtol=1e-6)
    assert np.isclose(fourfold.bias, 4 * profile.bias)
    four.save(tmp_path / "model")
    loaded = type(model).load(tmp_path / "model")
    assert loaded.get_params() == four.get_params()
    again = fold_in(loaded, given, [2.0, 16.0, 20.0])
    assert np.array_equal(again.factors, fourfold.factors)


@with_factors
def test_ratings_that_are_all_alike_can_be_fitted(model):
    users, items = [1, 1, 2, 2, 3], [1, 2, 1, 2, 1]
    model, _ = fitted(model, (np.array(users), np.array(items), np.full(5, 3.0)))
    assert np.array_equal(model.predict(users, items), np.full(5, 3.0))


def test_on_real_stars_the_defaults_are_the_numbers_of_the_book():
    movielens = load_movielens()
    ratings = Ratings.from_frame(movielens.ratings)
    features = movie_features(movielens.movies)
    model = FeatureALS(2, n_sweeps=1).fit(ratings, progress=False, item_features=features)
    told = FeatureALS(2, n_sweeps=1, tau=3, tau_features=30)
    told.fit(ratings, progress=False, item_features=features)
    assert model.as_fitted().tau == 3 and model.as_fitted().tau_features == 30
    assert np.array_equal(model.item_factors_, told.item_factors_)
