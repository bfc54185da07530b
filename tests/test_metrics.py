import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import mean_absolute_error, root_mean_squared_error

from alslib import mae, rmse

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
