"""What features contribute, by conjugate gradients, beside dense systems."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import conjugate_gradients
from scipy.sparse import csr_array

from alslib import reference
from alslib.models.feature_regression import FeatureRegression

TYPES = {np.float32: 2e-6, np.float64: 1e-9}


@st.composite
def problems(draw):
    """Draw S, how much each row is heard, both ridges, where the rows lie, and a first F."""
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    n_rows, n_features = draw(st.integers(1, 60)), draw(st.sampled_from([1, 2, 7, 80]))
    matrix = rng.normal(size=(n_rows, n_features)) * (rng.random((n_rows, n_features)) < 0.4)
    growth = rng.uniform(0.5, 4, n_rows) * (rng.random(n_rows) < 0.8)
    precision, ridge = draw(st.floats(0.3, 9)), draw(st.floats(0.3, 9))
    n_columns = draw(st.integers(1, 3))
    # What float32 cannot hold would differ from the oracle by as much as is tested.
    matrix, rows = (
        array.astype(np.float32).astype(np.float64)
        for array in (matrix, rng.normal(size=(n_rows, n_columns)))
    )
    return matrix, growth, precision, ridge, rows, rng.normal(size=(n_features, n_columns))


def regression(problem, dtype=np.float64):
    """Return the regression of a problem, with rows and priors stored as float32."""
    matrix, growth, precision, ridge, rows, learned = problem
    rows, prior = rows.astype(np.float32), (matrix @ learned).astype(np.float32)
    parts = csr_array(matrix.astype(dtype)), csr_array(matrix.T.astype(dtype))
    return FeatureRegression(*parts, growth, precision, ridge, rows, prior, learned.copy())


def total(problem, learned):
    """Return the sum that is to fall."""
    matrix, growth, precision, ridge, rows, _ = problem
    errors = growth @ (rows - matrix @ learned) ** 2
    return precision * errors.sum() + ridge * np.sum(learned**2)


@given(problem=problems(), n_steps=st.integers(1, 3))
def test_it_goes_as_many_steps_with_the_diagonal_as_preconditioner(problem, n_steps):
    matrix, growth, precision, ridge, rows, learned = problem
    system = precision * matrix.T @ (growth[:, None] * matrix) + ridge * np.eye(len(learned))
    side = precision * matrix.T @ (growth[:, None] * rows)
    root = np.sqrt(np.diag(system))
    scaled = system / np.outer(root, root)
    expected = np.transpose(
        [
            conjugate_gradients(scaled, one / root, root * begin, n_steps) / root
            for one, begin in zip(side.T, learned.T, strict=True)
        ]
    )
    ours, rough = regression(problem), regression(problem, np.float32)
    ours.descend(n_steps)
    np.testing.assert_allclose(ours.learned, expected, atol=1e-9)
    # In float32 the first steps lead as far down; later ones are no longer quite conjugate.
    rough.descend(n_steps)
    rounding = 1e-6 * total(problem, learned)
    assert total(problem, rough.learned) == pytest.approx(total(problem, expected), abs=rounding)
    np.testing.assert_allclose(rough.stored, matrix @ rough.learned, rtol=1e-6, atol=2e-6)


@pytest.mark.parametrize("dtype", TYPES)
@given(problem=problems())
def test_each_step_lowers_the_sum(dtype, problem):
    ours = regression(problem, dtype)
    for _ in range(5):
        before = total(problem, ours.learned)
        ours.descend(1)
        assert total(problem, ours.learned) <= before * (1 + TYPES[dtype])


def test_the_prior_stays_true_through_many_rough_updates():
    """In float32 it is only ever moved, and rounded each time."""
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(50, 8)).astype(np.float32).astype(np.float64)
    rows, start = rng.normal(size=(50, 3)), np.zeros((8, 3))
    ours = regression((matrix, np.ones(50), 2.0, 0.5, rows, start), np.float32)
    for _ in range(200):
        ours.rows[:] = rng.normal(size=(50, 3))
        ours.descend(3)
    np.testing.assert_allclose(ours.stored, matrix @ ours.learned, atol=5e-6)  # of 600 roundings


@given(problems())
def test_enough_steps_are_the_formula_of_the_book(problem):
    matrix, growth, precision, ridge, rows, _ = problem
    ours = regression(problem)
    ours.descend(1000)
    expected = reference.features(rows, matrix, growth, precision, ridge)
    np.testing.assert_allclose(ours.learned, expected, atol=5e-7)
    assert ours.stored.dtype == np.float32
    np.testing.assert_allclose(ours.stored, matrix @ ours.learned, rtol=6e-8, atol=1e-12)


def test_it_stops_where_there_is_nothing_to_gain(monkeypatch):
    rng = np.random.default_rng(0)
    problem = rng.normal(size=(40, 6)), np.ones(40), 1.0, 1.0, rng.normal(size=(40, 2)), None
    ours, steps = regression((*problem[:-1], np.zeros((6, 2)))), []
    monkeypatch.setattr(ours, "_turn", lambda *a, turn=ours._turn: steps.append(a) or turn(*a))
    ours.descend(1000)
    assert 6 <= len(steps) <= 9  # in exact arithmetic one for each feature
    ours.descend(1000)
    assert len(steps) <= 10


@pytest.mark.parametrize("dtype", TYPES)
def test_rows_that_nobody_hears_leave_nothing(dtype):
    matrix, growth = np.eye(3), np.zeros(3)
    problem = matrix, growth, 2.0, 0.5, np.ones((3, 2)), np.full((3, 2), 7.0)
    ours = regression(problem, dtype)
    ours.descend(1)
    assert not ours.learned.any() and not ours.stored.any()
