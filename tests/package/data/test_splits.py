"""A split deals every rating once, and both views of a part agree about it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import dense, dense_by_item
from scipy import stats
from strategies import ratings, triples

from alslib import (
    FeatureALS,
    LatentALS,
    Ratings,
    k_fold,
    leave_items_out_split,
    leave_users_out_split,
    share_index,
    time_split,
    train_test_split,
    train_validation_test_split,
)

fractions = st.floats(0.05, 0.95)


def assert_partition(whole, parts):
    """Every rating is in exactly one part; each part's views agree; ids and scale are shared."""
    values, observed = dense(whole)
    owners = np.zeros(observed.shape, int)
    for part in parts:
        assert part.shares_index_with(whole)
        assert part.scale == whole.scale
        part_values, part_observed = dense(part)
        np.testing.assert_array_equal(part_values, dense_by_item(part))
        np.testing.assert_array_equal(part_values[part_observed], values[part_observed])
        owners += part_observed
    np.testing.assert_array_equal(owners, observed)


@given(ratings(min_ratings=20), fractions, st.integers(0, 5))
def test_users_with_two_ratings_are_in_both_halves(whole, fraction, seed):
    train, test = train_test_split(whole, fraction, seed)
    assert_partition(whole, (train, test))
    counts = whole.user_counts
    np.testing.assert_array_equal(train.user_counts > 0, counts > 0)
    np.testing.assert_array_equal(test.user_counts > 0, counts > 1)
    # Half a rating of rounding, unless one rating had to be moved for the sake of the rule.
    off = np.abs(test.user_counts - fraction * counts)
    assert np.all((off <= 0.5) | (test.user_counts == 1) | (train.user_counts == 1))


@given(ratings(min_ratings=30), st.integers(0, 5))
def test_three_parts_are_a_partition_and_share_the_test_half(whole, seed):
    if whole.user_counts.max() < 3:
        return
    train, validation, test = train_validation_test_split(whole, 0.2, 0.3, seed)
    assert_partition(whole, (train, validation, test))
    in_all = (train.user_counts > 0) & (validation.user_counts > 0) & (test.user_counts > 0)
    np.testing.assert_array_equal(in_all, whole.user_counts >= 3)
    np.testing.assert_array_equal(dense(test)[0], dense(train_test_split(whole, 0.3, seed)[1])[0])


def test_validation_fraction_is_a_share_of_all_ratings():
    users, items = np.divmod(np.arange(50 * 40), 40)
    whole = Ratings(users, items, np.ones(len(users)))
    parts = train_validation_test_split(whole, validation_fraction=0.1, test_fraction=0.5)
    assert [set(part.user_counts) for part in parts] == [{16}, {4}, {20}]


@given(ratings(min_ratings=20), fractions, st.integers(0, 5))
def test_left_out_movies_have_no_training_rating(whole, fraction, seed):
    train, held_out = leave_items_out_split(whole, fraction, seed)
    assert_partition(whole, (train, held_out))
    assert not np.any((train.item_counts > 0) & (held_out.item_counts > 0))
    n_out = np.count_nonzero(held_out.item_counts)
    assert n_out == np.clip(round(fraction * whole.n_items), 1, whole.n_items - 1)


@given(
    ratings(min_ratings=20), fractions, st.lists(st.integers(0, 4), min_size=1), st.integers(0, 5)
)
def test_new_users_are_new_and_reveal_what_was_asked(whole, fraction, n_known, seed):
    try:
        train, known, hidden = leave_users_out_split(whole, fraction, n_known, seed)
    except ValueError as error:
        assert "nothing is hidden" in str(error)
        return
    assert_partition(whole, (train, hidden) if known is None else (train, known, hidden))
    new = train.user_counts == 0
    rated = whole.user_counts > 0
    n_out = np.count_nonzero(new & rated)
    assert n_out == np.clip(round(fraction * rated.sum()), 1, rated.sum() - 1)
    revealed = np.zeros(whole.n_users, int) if known is None else known.user_counts
    assert not revealed[~new].any()
    for counts, shown in zip(whole.user_counts[new], revealed[new], strict=True):
        assert shown in np.minimum(n_known, counts)


def test_each_number_and_each_rating_is_revealed_as_often_as_any_other():
    whole = Ratings(np.repeat(np.arange(400), 5), np.tile(np.arange(5), 400), np.ones(2000))
    _, known, _ = leave_users_out_split(whole, 0.75, [1, 3])
    numbers = np.bincount(known.user_counts)
    assert numbers[[1, 3]].sum() == 300
    assert stats.chisquare(numbers[[1, 3]]).pvalue > 0.01
    assert stats.chisquare(known.item_counts).pvalue > 0.01


def test_impossible_numbers_of_known_ratings_are_refused(medium):
    for n_known, error, message in [
        (-1, ValueError, "at least 0"),
        ([], TypeError, "one integer"),
        (2.5, TypeError, "one integer"),
        (10**6, ValueError, "nothing is hidden"),
    ]:
        with pytest.raises(error, match=message):
            leave_users_out_split(medium, 0.5, n_known)
    with pytest.raises(ValueError, match="only one user"):
        leave_users_out_split(Ratings([1, 1], [1, 2], [3.0, 4.0]))


@given(ratings(min_ratings=10), st.integers(2, 6), st.integers(0, 5))
def test_folds_hold_back_each_rating_once(whole, n_folds, seed):
    folds = list(k_fold(whole, n_folds, seed))
    assert_partition(whole, [test for _, test in folds])
    for train, test in folds:
        assert_partition(whole, (train, test))
    sizes = [test.n_ratings for _, test in folds]
    assert max(sizes) - min(sizes) <= 1


def test_every_subset_is_equally_likely():
    """Of four ratings two are drawn: each of the six pairs in one case in six."""
    whole = Ratings(np.zeros(4, int), np.arange(4), np.ones(4))
    pairs = [tuple(train_test_split(whole, 0.5, seed)[1].by_user.indices) for seed in range(1200)]
    found = list(np.unique(pairs, axis=0, return_counts=True)[1])
    assert len(found) == 6
    assert stats.chisquare(found).pvalue > 0.01


def test_a_seed_repeats_a_split_and_another_seed_does_not(medium):
    one, again, other = (train_test_split(medium, random_state=seed)[1] for seed in (3, 3, 4))
    np.testing.assert_array_equal(one.by_user.indices, again.by_user.indices)
    assert not np.array_equal(one.by_user.indices, other.by_user.indices)


@pytest.mark.parametrize("fraction", [0, 1, -0.1, 1.5, float("nan")])
def test_fractions_outside_zero_and_one_are_refused(medium, fraction):
    with pytest.raises(ValueError, match="test_fraction must lie between 0 and 1"):
        train_test_split(medium, fraction)
    with pytest.raises(ValueError, match="fraction must lie between 0 and 1"):
        leave_items_out_split(medium, fraction)


def test_shares_that_leave_no_training_part_are_refused(medium):
    with pytest.raises(ValueError, match=r"validation_fraction \+ test_fraction must lie"):
        train_validation_test_split(medium, 0.5, 0.5)


@pytest.mark.parametrize(
    ("n_folds", "error", "message"),
    [
        (1, ValueError, "n_folds must be at least 2"),
        (10**6, ValueError, "n_folds must be at most 602 ratings, got 1000000"),
        (2.5, TypeError, "n_folds must be an integer"),
    ],
)
def test_impossible_numbers_of_folds_are_refused_at_once(medium, n_folds, error, message):
    with pytest.raises(error, match=message):
        k_fold(medium, n_folds)


def test_one_of_two_items_is_always_left_to_learn_from():
    two = Ratings([1, 2], [1, 2], [3.0, 4.0])
    train, held_out = leave_items_out_split(two, 0.9)
    assert train.n_ratings == held_out.n_ratings == 1


def test_splits_of_nothing_are_refused():
    singles = Ratings([1, 2, 3], [1, 1, 1], [3.0, 4.0, 5.0])
    with pytest.raises(ValueError, match="no user has two ratings"):
        train_test_split(singles)
    with pytest.raises(ValueError, match="only one item is rated"):
        leave_items_out_split(singles)


@st.composite
def timed(draw):
    """Draw Ratings with times, many of them equal."""
    users, items, values = draw(triples(min_ratings=12))
    times = draw(st.lists(st.integers(0, 15), min_size=len(users), max_size=len(users)))
    return Ratings(users, items, values, times=times)


@given(timed(), st.floats(0.05, 0.4), st.floats(0.05, 0.4))
def test_one_cut_for_all_separates_earlier_from_later(whole, validation_fraction, test_fraction):
    try:
        parts = time_split(whole, validation_fraction, test_fraction)
    except ValueError as error:
        assert "a part would be empty" in str(error)
        return
    assert_partition(whole, parts)
    train, validation, test = (part.times for part in parts)
    assert train.max() < validation.min() and validation.max() < test.min()
    # A part is smaller than asked for only by what happened in the moment that the cut falls into.
    n_test = round(test_fraction * len(whole))
    assert len(test) <= n_test <= len(test) + np.sum(validation == validation.max())
    n_later = n_test + round(validation_fraction * len(whole))
    n_after_train = len(test) + len(validation)
    assert n_after_train <= n_later <= n_after_train + np.sum(train == train.max())


@given(timed(), st.floats(0.05, 0.45), st.floats(0.05, 0.45))
def test_a_cut_for_each_user_separates_earlier_from_later(whole, first, second):
    counts = whole.user_counts
    if counts.max() < 3:
        with pytest.raises(ValueError, match="a part would be empty"):
            time_split(whole, first, second, per_user=True)
        return
    parts = time_split(whole, first, second, per_user=True)
    assert_partition(whole, parts)
    train, validation, test = (part.user_counts for part in parts)
    assert np.all((train > 0) & ((validation > 0) & (test > 0) == (counts >= 3)))
    # Half a rating of rounding; what was rounded up may have to give one back to training.
    for found, fraction in ((validation, first), (test, second)):
        off = found - fraction * counts
        assert np.all((off[counts >= 3] >= -1.5) & ((off <= 0.5) | (found == 1))[counts >= 3])
    for user in whole.user_ids[counts >= 3]:
        frames = [part.to_frame() for part in parts]
        times = [frame.timestamp[frame.user_id == user] for frame in frames]
        assert times[0].max() <= times[1].min() and times[1].max() <= times[2].min()


def test_a_split_in_time_needs_times(medium):
    with pytest.raises(ValueError, match=r"no times.*from_frame"):
        time_split(medium)


def test_dates_are_times_and_a_date_is_a_cut():
    days = np.datetime64("2020-01-01") + np.arange(10)
    whole = Ratings(np.arange(10) % 3, np.arange(10), np.ones(10), times=days)
    train, validation, test = time_split(whole, 0.2, 0.3)
    assert (len(train), len(validation), len(test)) == (5, 2, 3)
    assert test.times.min() == np.datetime64("2020-01-08")
    by_hand = whole.select(whole.times < np.datetime64("2020-01-06"))
    np.testing.assert_array_equal(by_hand.times, train.times)


@given(ratings(min_ratings=4), st.data())
def test_parts_read_by_themselves_are_what_a_split_of_the_whole_makes(whole, data):
    keep = np.array(data.draw(st.lists(st.booleans(), min_size=len(whole), max_size=len(whole))))
    keep[:2] = True, False
    expected = whole.select(keep), whole.select(~keep)
    low, high = whole.scale
    alone = [Ratings(*part.triples(), scale=(low, high + (low == high))) for part in expected]
    for found, wanted in zip(share_index(*alone), expected, strict=True):
        assert found.shares_index_with(wanted)
        np.testing.assert_array_equal(dense(found)[0], dense(wanted)[0])
        np.testing.assert_array_equal(dense(found)[0], dense_by_item(found))


def test_published_folds_are_fitted_measured_and_cold_items_have_features():
    train = Ratings([1, 1, 2, 2], ["Up", "Heat", "Up", "Heat"], [5.0, 1.0, 4.5, 2.0])
    test = Ratings([2, 3, 1], ["Cars", "Up", "Ronin"], [4.0, 5.0, 0.5])
    with pytest.raises(ValueError, match="share_index"):
        LatentALS(1).fit(train, validation=test)
    train, test = share_index(train, test)
    genres = {"Up": [1, 0], "Cars": [1, 0], "Heat": [0, 1], "Ronin": [0, 1]}
    features = np.array([genres[item] for item in train.item_ids])
    model = FeatureALS(1, gamma_features=1).fit(train, validation=test, item_features=features)
    assert model.predict(1, "Cars") > model.mean_ > model.predict(1, "Ronin")
    assert np.isfinite(model.history_[-1].validation_rmse)


def test_a_rating_in_two_parts_is_refused(medium):
    with pytest.raises(ValueError, match="parts 0 and 2 are of the same user"):
        share_index(medium, Ratings([1], [99], [3.0]), medium)
    with pytest.raises(TypeError, match="integers in these ratings, got strings"):
        share_index(medium, Ratings(["ann"], [1], [3.0]))
    with pytest.raises(TypeError, match="parts must be Ratings"):
        share_index(medium, [1])
