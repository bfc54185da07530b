from dataclasses import FrozenInstanceError, fields
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from alslib import MOVIELENS, MOVIELENS_SHAPES, Ratings, kernels, load_movielens, make_ratings
from alslib.data.who_rates_what import item_popularity, user_degrees


@pytest.fixture(scope="module")
def rich():
    """Everything switched on: factors, features, noise, real numbers."""
    return make_ratings(
        3000, 2000, 300_000, n_factors=8, n_features=12, half_stars=False, random_state=3
    )


def arrays(world):
    return {
        field.name: value.toarray() if field.name == "item_features" else value
        for field in fields(world)
        if not isinstance(value := getattr(world, field.name), float)
    }


def same(world, other, names):
    return all(np.array_equal(arrays(world)[name], arrays(other)[name]) for name in names)


@st.composite
def shapes(draw):
    n_users = draw(st.integers(1, 12))
    n_items = draw(st.integers(1, 40))
    minimum = draw(st.integers(1, n_items))
    n_ratings = draw(st.integers(n_users * minimum, n_users * n_items))
    return n_users, n_items, n_ratings, minimum


# --- pairs ---


@given(shapes(), st.integers(0, 2**32))
def test_any_feasible_request_gives_exactly_that_many_distinct_sorted_pairs(shape, seed):
    n_users, n_items, n_ratings, minimum = shape
    world = make_ratings(
        n_users, n_items, n_ratings, min_ratings_per_user=minimum, random_state=seed
    )
    assert world.users.dtype == world.items.dtype == np.int32
    assert world.values.dtype == np.float32
    assert len(world.users) == len(world.items) == len(world.values) == n_ratings
    cells = world.users.astype(np.int64) * n_items + world.items
    assert np.all(np.diff(cells) > 0)
    assert world.items.min() >= 0
    assert world.items.max() < n_items
    degrees = np.bincount(world.users, minlength=n_users)
    assert len(degrees) == n_users
    assert degrees.min() >= minimum
    if n_ratings >= n_items:
        assert len(np.unique(world.items)) == n_items


def test_every_user_has_movielens_s_twenty_ratings_or_half_the_mean():
    assert np.bincount(make_ratings(1000, 500, 50_000).users).min() == 20
    assert np.bincount(make_ratings(1000, 500, 30_000).users).min() == 15
    assert np.bincount(make_ratings(50, 500, 60).users, minlength=50).min() == 1


def test_the_minimum_is_kept_when_it_leaves_no_choice():
    everyone_twenty = make_ratings(30, 50, 600, min_ratings_per_user=20)
    assert np.array_equal(np.bincount(everyone_twenty.users), np.full(30, 20))
    full = make_ratings(7, 5, 35)
    assert np.array_equal(full.items.reshape(7, 5), np.tile(np.arange(5), (7, 1)))


def successive_sampling(weights, size):
    """Probability of each set of that size, summed over the orders in which it can be drawn."""
    chance = {}
    for order in permutations(range(len(weights)), size):
        left, p = sum(weights), 1.0
        for column in order:
            p *= weights[column] / left
            left -= weights[column]
        chance[frozenset(order)] = chance.get(frozenset(order), 0.0) + p
    return chance


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
def test_rows_draw_sets_in_proportion_to_popularity_without_replacement(size):
    """Small sizes come from repeated tries, large ones mostly from the race."""
    weights = np.array([20.0, 10.0, 5.0, 3.0, 2.0, 1.0])
    n_rows = 60_000
    indptr = np.arange(n_rows + 1) * size
    indices = np.empty(n_rows * size, np.int32)
    kernels.worlds.fill_rows(
        indptr,
        np.zeros(n_rows, np.int64),
        indices,
        weights,
        *kernels.worlds.alias_table(weights),
        np.random.default_rng(5),
    )
    chance = successive_sampling(weights, size)
    code = (2 ** indices.reshape(n_rows, size)).sum(axis=1)
    counts = np.bincount(code, minlength=64)
    observed = [counts[sum(2**column for column in chosen)] for chosen in chance]
    assert sum(observed) == n_rows
    assert chisquare(observed, n_rows * np.array(list(chance.values()))).pvalue > 1e-3


@given(st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=50))
def test_alias_table_shares_out_exactly_the_weights(weights):
    weights = np.array(weights)
    threshold, alias = kernels.worlds.alias_table(weights)
    assert np.all((threshold >= 0) & (threshold <= 1))
    share = threshold + np.bincount(alias, 1 - threshold, minlength=len(weights))
    np.testing.assert_allclose(share / len(weights), weights / weights.sum(), atol=1e-12)


def test_users_with_few_ratings_choose_items_by_popularity():
    """In a world of small users the item counts follow the weights: the two curves are used."""
    n_users, n_items, n_ratings = 40_000, 300, 80_000
    world = make_ratings(n_users, n_items, n_ratings, random_state=2)
    weights = item_popularity(n_users, n_items, n_ratings)
    few = np.bincount(world.users)[world.users] == 1
    counts = np.sort(np.bincount(world.items[few], minlength=n_items))[::-1]
    frequent = weights / weights.sum() * few.sum() > 20
    # Sorting favours the luckier of two neighbours, so neighbours are compared in groups.
    groups = np.array_split(np.flatnonzero(frequent), 12)
    observed = np.array([counts[group].sum() for group in groups])
    wanted = np.array([weights[group].sum() for group in groups])
    assert chisquare(observed, wanted / wanted.sum() * observed.sum()).pvalue > 1e-3


def test_the_number_of_a_user_or_an_item_tells_nothing_about_it(rich):
    for ids in (rich.users, rich.items):
        log_counts = np.log(np.bincount(ids))
        correlation = np.corrcoef(np.arange(len(log_counts)), log_counts)[0, 1]
        assert abs(correlation) < 4 / np.sqrt(len(log_counts))


# --- heavy tails ---


def spread(per_user, per_item):
    """Median and most ratings per user and per item, and the share of the top tenth of items."""
    top_tenth = np.sort(per_item)[::-1][: len(per_item) // 10]
    return (
        np.median(per_user),
        per_user.max(),
        np.median(per_item),
        per_item.max(),
        top_tenth.sum() / per_item.sum(),
    )


def bundled_spread():
    ratings = Ratings.from_frame(load_movielens().ratings)
    return spread(ratings.user_counts, ratings.item_counts)


@pytest.mark.parametrize(
    ("name", "release_spread"),
    [
        ("ml-latest-small-2016", bundled_spread),
        ("ml-100k", lambda: (65, 737, 27, 583, 0.427)),  # counted in the release, which is not ours
    ],
)
def test_degrees_resemble_those_of_the_release(name, release_spread):
    real = release_spread()
    world = make_ratings(*MOVIELENS_SHAPES[name])
    drawn = spread(np.bincount(world.users), np.bincount(world.items))
    assert drawn[0] == pytest.approx(real[0], rel=0.15)
    for ours, theirs in zip(drawn[1:4], real[1:4], strict=True):
        assert theirs / 1.5 < ours < theirs * 1.5
    assert drawn[4] == pytest.approx(real[4], abs=0.1)


def test_shapes_agree_with_the_facts_about_the_releases():
    """They differ in one thing: a release lists movies that nobody rated."""
    assert set(MOVIELENS_SHAPES) == set(MOVIELENS)
    for name, (n_users, n_rated_movies, n_ratings) in MOVIELENS_SHAPES.items():
        release = MOVIELENS[name]
        assert (n_users, n_ratings) == (release.n_users, release.n_ratings)
        assert 0.9 * release.n_movies < n_rated_movies <= release.n_movies


def test_activity_at_the_size_of_ml_25m_is_within_a_factor_of_two_of_the_real_one():
    degrees = user_degrees(*MOVIELENS_SHAPES["ml-25m"], minimum=20)
    assert degrees.sum() == 25_000_095
    assert degrees.min() == 20
    assert np.median(degrees) == pytest.approx(71, rel=0.1)
    assert 32_202 / 2 < degrees.max() < 32_202 * 2


# --- values ---


def test_without_noise_every_value_is_the_formula():
    world = make_ratings(60, 50, 900, n_factors=3, n_features=4, noise_sd=0, half_stars=False)
    dense = (
        world.mean
        + world.user_bias[:, None]
        + world.item_bias[None, :]
        + world.user_factors @ world.item_factors.T
    )
    np.testing.assert_allclose(world.values, dense[world.users, world.items], atol=1e-6)
    np.testing.assert_allclose(
        world.expected(world.users, world.items), dense[world.users, world.items]
    )
    assert world.noise_floor < 1e-6


def test_noise_is_as_large_as_asked(rich):
    error = rich.values - rich.expected(rich.users, rich.items)
    standard_error = 0.8 / np.sqrt(2 * len(error))
    assert rich.noise_floor == pytest.approx(0.8, abs=4 * standard_error)
    assert rich.noise_floor == pytest.approx(np.sqrt(np.mean(error**2)), rel=1e-12)
    assert error.mean() == pytest.approx(0, abs=4 * 0.8 / np.sqrt(len(error)))


def test_half_stars_are_the_real_numbers_rounded_and_clipped():
    real = make_ratings(300, 200, 9000, half_stars=False)
    stars = make_ratings(300, 200, 9000)
    assert same(real, stars, ["users", "items", "user_bias", "item_bias"])
    assert real.values.min() < 0.25
    assert real.values.max() > 5.25
    np.testing.assert_array_equal(np.unique(stars.values), np.arange(1, 11) / 2)
    inside = (real.values > 0.5) & (real.values < 5)
    assert np.abs(stars.values - real.values)[inside].max() <= 0.25
    assert np.all(stars.values[real.values <= 0.5] == 0.5)
    assert np.all(stars.values[real.values >= 5] == 5)


def test_rounding_raises_the_noise_floor_of_ratings_far_from_the_ends_of_the_scale():
    """Rounding to half stars adds a uniform error of variance 1/48."""
    narrow = {"mean": 2.75, "user_bias_sd": 0.1, "item_bias_sd": 0.1, "noise_sd": 0.3}
    world = make_ratings(1000, 500, 50_000, **narrow)
    assert world.noise_floor**2 == pytest.approx(0.3**2 + 1 / 48, rel=0.03)


def test_biases_have_the_moments_asked_for():
    world = make_ratings(
        5000, 4000, 200_000, mean=3.1, user_bias_sd=0.3, item_bias_sd=0.7, n_factors=0
    )
    assert world.mean == 3.1
    for bias, sd in ((world.user_bias, 0.3), (world.item_bias, 0.7)):
        assert bias.mean() == pytest.approx(0, abs=4 * sd / np.sqrt(len(bias)))
        assert bias.std() == pytest.approx(sd, abs=4 * sd / np.sqrt(2 * len(bias)))


def test_popular_items_are_not_better(rich):
    counts = np.bincount(rich.items)
    assert abs(np.corrcoef(np.log(counts), rich.item_bias)[0, 1]) < 4 / np.sqrt(len(counts))


@pytest.mark.parametrize("n_factors", [1, 4, 32])
@pytest.mark.parametrize("n_features", [0, 15])
def test_factor_term_has_the_standard_deviation_asked_for(n_factors, n_features):
    world = make_ratings(
        4000, 4000, 80_000, n_factors=n_factors, n_features=n_features, factor_sd=0.5
    )
    term = world.user_factors @ world.item_factors.T
    # Features are few, so the variance of what they explain is itself uncertain.
    assert term.std() == pytest.approx(0.5, rel=0.25 if n_features else 0.05)


def test_users_and_deviations_share_the_variance_one_over_tau(rich):
    variance = 0.4 * np.sqrt((1 - 0.5) / 8)
    from_features = explicit_feature_means(rich)
    for factors in (rich.user_factors, rich.item_factors - from_features):
        sampling_error = variance * np.sqrt(2 / factors.size)
        assert factors.var() == pytest.approx(variance, abs=4 * sampling_error)
    sampling_error = variance * np.sqrt(2 / rich.feature_factors.size)
    assert rich.feature_factors.var() == pytest.approx(variance, abs=4 * sampling_error)


# --- features ---


def explicit_feature_means(world):
    """p_n = F_n^{-1/2} Σ f_k, one item after the other."""
    membership = world.item_features.toarray()
    result = np.zeros_like(world.item_factors)
    for n, row in enumerate(membership):
        features = np.flatnonzero(row)
        for k in features:
            result[n] += world.feature_factors[k] / len(features) ** 0.5
    return result


def test_item_factors_lie_around_the_scaled_sum_of_their_features():
    """With a share next to one the deviations vanish, and v_n = p_n."""
    world = make_ratings(
        50, 80, 1000, n_factors=3, n_features=6, feature_share=1 - 1e-14, factor_sd=1
    )
    expected = explicit_feature_means(world)
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(world.item_factors, expected, atol=1e-5 * np.abs(expected).max())


def test_every_item_has_one_to_three_features_and_a_few_features_are_common(rich):
    assert rich.item_features.shape == (2000, 12)
    assert set(rich.item_features.data) == {1.0}
    per_item = rich.item_features.sum(axis=1)
    assert set(per_item) == {1.0, 2.0, 3.0}
    per_feature = rich.item_features.sum(axis=0)
    assert per_feature.min() >= 1
    assert per_feature[0] == per_feature.max()
    assert per_feature[0] > 4 * per_feature[-1]


def test_a_single_feature_belongs_to_every_item():
    world = make_ratings(10, 20, 100, n_factors=2, n_features=1)
    np.testing.assert_array_equal(world.item_features.toarray(), np.ones((20, 1)))


def test_a_world_of_biases_alone_has_empty_factors():
    world = make_ratings(10, 20, 100)
    assert world.user_factors.shape == (10, 0)
    assert world.item_factors.shape == (20, 0)
    assert world.feature_factors.shape == (0, 0)
    assert world.item_features.shape == (20, 0)


# --- seeds ---


def test_the_same_seed_gives_the_same_world_and_another_seed_another():
    options = {"n_factors": 2, "n_features": 3}
    first, again, other = (
        make_ratings(100, 80, 3000, random_state=seed, **options) for seed in (7, 7, 8)
    )
    for name, array in arrays(first).items():
        assert np.array_equal(array, arrays(again)[name]), name
        assert not np.array_equal(array, arrays(other)[name]), name
    generator = make_ratings(100, 80, 3000, random_state=np.random.default_rng(7), **options)
    assert same(first, generator, arrays(first))


def test_the_model_does_not_change_who_rates_what_or_the_biases():
    plain = make_ratings(100, 80, 3000)
    rich = make_ratings(100, 80, 3000, n_factors=5, n_features=3, noise_sd=0.1)
    assert same(plain, rich, ["users", "items", "user_bias", "item_bias"])


# --- the object ---


def test_ratings_hold_the_same_triples_under_the_same_indices(rich):
    users, items, values = rich.ratings.triples()
    np.testing.assert_array_equal(users, rich.users)
    np.testing.assert_array_equal(items, rich.items)
    np.testing.assert_array_equal(values, rich.values)
    np.testing.assert_array_equal(rich.ratings.user_ids, np.arange(3000))
    np.testing.assert_array_equal(rich.ratings.item_ids, np.arange(2000))
    assert rich.ratings is rich.ratings


def test_expected_broadcasts_like_a_model_s_predict(rich):
    one = rich.expected(3, 5)
    assert isinstance(one, float)
    many = rich.expected([[3], [4]], np.arange(10, dtype=np.uint8))
    assert many.shape == (2, 10)
    assert many[0, 5] == one


def test_the_truth_cannot_be_replaced(rich):
    with pytest.raises(FrozenInstanceError):
        rich.mean = 4.0


def test_repr_says_what_it_is(rich):
    assert repr(rich) == (
        "SyntheticRatings(300,000 ratings, 3,000 users × 2,000 items, 8 factors, 12 features, "
        "noise 0.8)"
    )


# --- bad input ---


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"n_users": 0}, ValueError, "n_users must be at least 1, got 0"),
        ({"n_items": 2.5}, TypeError, "n_items must be an integer, got 2.5"),
        ({"n_ratings": "many"}, TypeError, "n_ratings must be an integer, got 'many'"),
        ({"n_ratings": 1001}, ValueError, "1001 is too many: 50 users × 20 items have 1000 cells"),
        ({"n_ratings": 49}, ValueError, "49 is too few: 50 users with at least 1 each have 50"),
        (
            {"min_ratings_per_user": 9},
            ValueError,
            "400 is too few: 50 users with at least 9 each have 450",
        ),
        ({"min_ratings_per_user": 0}, ValueError, "min_ratings_per_user must be at least 1"),
        ({"mean": np.nan}, ValueError, "mean must be finite"),
        ({"mean": 1e300}, ValueError, "mean must be on the scale of half stars, 0.5 to 5, got 1e"),
        ({"mean": 1e300, "half_stars": False}, ValueError, "as large as 1e.300 do not fit in flo"),
        ({"noise_sd": 1e200, "half_stars": False}, ValueError, "do not fit in float32"),
        ({"user_bias_sd": -1}, ValueError, "user_bias_sd must be at least 0, got -1"),
        ({"item_bias_sd": "0.5"}, TypeError, "item_bias_sd must be a number"),
        ({"factor_sd": np.inf}, ValueError, "factor_sd must be finite"),
        ({"noise_sd": -0.1}, ValueError, "noise_sd must be at least 0"),
        ({"n_factors": -1}, ValueError, "n_factors must be at least 0"),
        ({"n_features": 3}, ValueError, "n_features=3 needs n_factors of at least 1"),
        ({"feature_share": 1}, ValueError, "feature_share must be below 1, got 1"),
        ({"feature_share": -0.1}, ValueError, "feature_share must be at least 0"),
    ],
)
def test_impossible_requests_say_what_is_wrong(changes, error, message):
    arguments = {"n_users": 50, "n_items": 20, "n_ratings": 400, **changes}
    with pytest.raises(error, match=message):
        make_ratings(**arguments)


def test_an_impossible_request_is_refused_before_any_work():
    """Work for this many users would not fit into memory."""
    with pytest.raises(ValueError, match="too few"):
        make_ratings(10**12, 10**9, 10**12 - 1)


@pytest.mark.parametrize(
    ("users", "items", "error", "message"),
    [
        (
            [0, 3000, -1],
            [0, 0, 0],
            ValueError,
            "users must be from 0 to 2999: 2 of 3 are not, .* 3000",
        ),
        (
            [0],
            [2000],
            ValueError,
            "items must be from 0 to 1999: 1 of 1 are not, the first is 2000",
        ),
        ([0.0], [0], TypeError, "users must be integers, got float64"),
        ([0, 1], [0, 1, 2], ValueError, "shape"),
    ],
)
def test_expected_refuses_ids_it_does_not_know(rich, users, items, error, message):
    with pytest.raises(error, match=message):
        rich.expected(users, items)
