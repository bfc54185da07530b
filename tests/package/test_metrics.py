import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import (
    mean_absolute_error,
    ndcg_score,
    precision_score,
    recall_score,
    root_mean_squared_error,
)

from alslib import (
    Ratings,
    catalogue_coverage,
    mae,
    ndcg_at_k,
    novelty,
    precision_at_k,
    recall_at_k,
    rmse,
)

pairs = st.lists(st.tuples(st.floats(0, 5), st.floats(0, 5)), min_size=1, max_size=30)


def test_by_hand():
    """Errors 1, −1 and 4: squares 1, 1, 16; absolute values 1, 1, 4."""
    assert rmse([4, 2, 5], [3, 3, 1]) == pytest.approx(np.sqrt(18 / 3))
    assert mae([4, 2, 5], [3, 3, 1]) == 2


@given(pairs)
def test_same_as_scikit_learn(pairs):
    actual, predicted = np.array(pairs).T
    assert rmse(actual, predicted) == pytest.approx(root_mean_squared_error(actual, predicted))
    assert mae(actual, predicted) == pytest.approx(mean_absolute_error(actual, predicted))


def test_float32_ratings_lose_no_digits():
    actual = np.full(1000, 3.5, np.float32)
    assert rmse(actual, actual.astype(np.float64) + 1e-9) == pytest.approx(1e-9, rel=1e-6)


@pytest.mark.parametrize("metric", [rmse, mae])
def test_strings_are_not_taken_for_numbers(metric):
    with pytest.raises(TypeError, match="actual must be numbers, got <U3"):
        metric(["4.5"], [3.0])


@pytest.mark.parametrize("metric", [rmse, mae])
@pytest.mark.parametrize(
    ("actual", "predicted", "message"),
    [
        ([1, 2], [1], r"shapes differ: actual \(2,\), predicted \(1,\)"),
        ([], [], "nothing to compare"),
        ([1.0, np.nan], [1.0, 2.0], "1 of 2 errors are not finite"),
    ],
)
def test_what_cannot_be_compared_is_refused(metric, actual, predicted, message):
    with pytest.raises(ValueError, match=message):
        metric(actual, predicted)


def test_lists_by_hand():
    """Ann finds 2 of her 3 at places 1 and 3 of 3; Bob finds his one at place 2 of 3."""
    recommended = [["Heat", "Up", "Jaws"], ["Up", "Heat"]]
    relevant = [["Jaws", "Heat", "Alien"], ["Heat"]]
    assert precision_at_k(recommended, relevant, 3) == pytest.approx((2 / 3 + 1 / 3) / 2)
    assert recall_at_k(recommended, relevant, 3) == pytest.approx((2 / 3 + 1) / 2)
    ann = (1 + 1 / 2) / (1 + 1 / np.log2(3) + 1 / 2)
    bob = 1 / np.log2(3)
    assert ndcg_at_k(recommended, relevant, 3) == pytest.approx((ann + bob) / 2)
    assert recall_at_k(recommended, relevant, 1) == pytest.approx((1 / 3 + 0) / 2)
    assert catalogue_coverage(recommended, ["Up", "Heat", "Jaws", "Alien"]) == 3 / 4


def test_novelty_by_hand():
    """Of four users all rated 1, two rated 2, one rated 3: 0, 1 and 2 bits."""
    ratings = Ratings([1, 2, 3, 4, 1, 2, 4], [1, 1, 1, 1, 2, 2, 3], [3.0] * 7)
    assert novelty([[1, 2], [3]], ratings) == pytest.approx((0 + 1 + 2) / 3)
    nobody_rated_3 = ratings.select(ratings.triples()[1] != 3)
    assert novelty([[3]], nobody_rated_3) == 2  # counts as rated once
    assert novelty([[1, 2], [3]], ratings.with_ids(users=[5, 6, 7])) == pytest.approx(1)


@given(st.integers(0, 10_000), st.integers(1, 8), st.booleans())
def test_lists_judged_as_scikit_learn_does(seed, k, as_strings):
    rng = np.random.default_rng(seed)
    n_users, n_items = 5, 9
    scores = np.array([rng.permutation(n_items) for _ in range(n_users)])
    truth = rng.random((n_users, n_items)) < 0.3
    truth[:, 0] = True  # scikit-learn has another rule for users without a relevant item
    order = np.argsort(-scores, axis=1)
    names = np.array(list("abcdefghi")) if as_strings else 7 * np.arange(n_items)
    recommended, relevant = names[order], [names[row] for row in truth]
    top = np.zeros_like(truth)
    np.put_along_axis(top, order[:, :k], True, axis=1)
    mean = {"average": "samples", "zero_division": 0}
    assert ndcg_at_k(recommended, relevant, k) == pytest.approx(ndcg_score(truth, scores, k=k))
    assert recall_at_k(recommended, relevant, k) == pytest.approx(recall_score(truth, top, **mean))
    precision = precision_score(truth, top, **mean)
    assert precision_at_k(recommended, relevant, k) == pytest.approx(precision)


def test_users_with_nothing_to_find_are_left_out():
    assert recall_at_k([[1, 2], [3]], [[1], []], 2) == 1


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([[1]], [[1]], 0), ValueError, "k must be at least 1, got 0"),
        (([[1]], [[1]], 2.0), TypeError, "k must be an integer, got 2.0"),
        (([], [], 1), ValueError, "recommended is empty"),
        (([1, 2], [[1]], 1), ValueError, "recommended must hold one list of ids a user"),
        ((["Up"], [["Up"]], 1), ValueError, "recommended must hold one list of ids a user"),
        (([[[1]]], [[1]], 1), ValueError, "recommended must hold one list of ids a user"),
        (([[1]], [[1], [2]], 1), ValueError, "1 recommended lists, but relevant items of 2"),
        (([[1, 2, 1]], [[1]], 1), ValueError, "recommended[0] names an item twice: 1 repeats"),
        (([[1]], [[3, 3]], 1), ValueError, "relevant[0] names an item twice: 1 repeats"),
        (([[1]], [[]], 1), ValueError, "no user has a relevant item"),
        (([[1]], [["1"]], 1), TypeError, "must be of one kind"),
        (([[1], ["1"]], [[1], [1]], 1), TypeError, "recommended ids must be of one kind"),
        (([[1.5]], [[1]], 1), TypeError, "recommended ids"),
    ],
)
@pytest.mark.parametrize("metric", [precision_at_k, recall_at_k, ndcg_at_k])
def test_lists_that_cannot_be_judged_are_refused(metric, arguments, error, message):
    with pytest.raises(error) as raised:
        metric(*arguments)
    assert message in str(raised.value)


def test_coverage_and_novelty_refuse_what_they_do_not_know(tiny):
    with pytest.raises(ValueError, match="1 recommended items are not in the catalogue"):
        catalogue_coverage([["Up", "Alien"]], ["Up", "Heat"])
    with pytest.raises(ValueError, match="the catalogue is empty"):
        catalogue_coverage([["Up"]], np.array([], dtype=str))
    with pytest.raises(ValueError, match="the catalogue names an item twice"):
        catalogue_coverage([["Up"]], ["Up", "Up"])
    with pytest.raises(ValueError, match="1 recommended items are unknown"):
        novelty([["Up", "Alien"]], tiny)
    with pytest.raises(ValueError, match="no item is recommended"):
        novelty([[]], tiny)
