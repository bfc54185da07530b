"""The operations written in LLVM do what their formulas say."""

import numpy as np
import pytest
from numba import njit

from alslib._llvm import TILE_ROWS, add_outer_products, inner_product


@njit
def add_eight_rows(out, o, stride, left, right, n):
    add_outer_products(out, o, stride, left, 1, 9, right, 2, stride, n, TILE_ROWS, 1)


@njit
def subtract_one_row(out, o, stride, left, right, n):
    add_outer_products(out, o, stride, left, 1, 9, right, 2, stride, n, 1, -1)


@njit
def multiply(left, a, right, b, n):
    return inner_product(left, a, right, b, n)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("n", [0, 1, 5])
@pytest.mark.parametrize(
    ("kernel", "n_rows", "sign"), [(add_eight_rows, 8, 1), (subtract_one_row, 1, -1)]
)
def test_a_tile_gains_the_sum_of_its_outer_products_and_nothing_else_changes(
    kind, n, kernel, n_rows, sign
):
    rng = np.random.default_rng(0)
    lanes = 64 // np.dtype(kind).itemsize
    stride = lanes + 3
    left, right = rng.normal(size=(5, 9)).astype(kind), rng.normal(size=(6, stride)).astype(kind)
    out = rng.normal(size=(10, stride)).astype(kind)
    expected = out.copy()
    products = left[:n, 1 : 1 + n_rows].T @ right.ravel()[2 : 2 + 5 * stride].reshape(5, -1)[:n]
    expected[1 : 1 + n_rows, 1 : 1 + lanes] += sign * products[:, :lanes]
    flat = out.ravel()
    kernel(flat, stride + 1, stride, left.ravel(), right.ravel(), n)
    np.testing.assert_allclose(out, expected, rtol=1e-5, atol=1e-6)
    untouched = np.ones_like(out, bool)
    untouched[1 : 1 + n_rows, 1 : 1 + lanes] = False
    assert np.array_equal(out[untouched], expected[untouched])


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("n", [0, 16, 48])
def test_inner_product_of_slices(kind, n):
    left, right = np.random.default_rng(0).normal(size=(2, 60)).astype(kind)
    expected = left[3 : 3 + n].astype(float) @ right[5 : 5 + n]
    assert multiply(left, 3, right, 5, n) == pytest.approx(expected, rel=1e-5, abs=1e-6)
