"""The tiles that sum ratings and solve rows do what their formulas say; so do their neighbours."""

import os
import platform
import re
import subprocess
import sys

import numpy as np
import pytest
import scipy
from numba import njit

from alslib import kernels
from alslib.kernels.llvm import add_outer_products, subtract_outer_products

KINDS = pytest.mark.parametrize("kind", [np.float32, np.float64])


@pytest.mark.parametrize("n", [0, 1, 7, 100, 128])
@pytest.mark.parametrize("n_factors", [0, 1, 4, 5, 16, 17, 32])
def test_a_block_adds_its_outer_products_on_and_above_the_diagonal(n, n_factors):
    """Whatever an earlier block has left behind the n ratings does not count."""
    rng = np.random.default_rng(1)
    width = kernels.latent.whole_tiles(n_factors)
    gathered = np.zeros((128, width + 16), np.float32)
    gathered[:, :n_factors] = rng.normal(size=(128, n_factors))
    gathered[:, width : width + 2] = rng.normal(size=(128, 2))
    total = rng.normal(size=(width + 2, width))
    summed = gathered[:n].astype(float)
    expected = total + summed[:, : width + 2].T @ summed[:, :width]
    kernels.latent.add_block(gathered, n, n_factors, total)
    made = np.triu(np.ones(total.shape, bool))
    made[n_factors:width] = False  # rows of padding
    made[width:] = True
    np.testing.assert_allclose(total[made], expected[made], rtol=1e-5, atol=2e-5)


@pytest.mark.parametrize("n_rows", [2, 4, 16])
def test_a_tile_of_outer_products_is_summed_in_the_order_of_ratings_in_float32(n_rows):
    """Written as such a loop in NumPy it gives the same bits, if nothing is fused."""
    rng = np.random.default_rng(4)
    gathered = rng.integers(-8, 9, (100, 48)).astype(np.float32)  # exact, fused or not
    gathered[0] *= 2.0**20  # from here on, each sum is rounded
    total = rng.normal(size=(40, 40))
    sums = np.zeros((n_rows, 16), np.float32)
    for one in gathered:
        sums += np.outer(one[8 : 8 + n_rows], one[16:32])
    expected = total.copy()
    expected[8 : 8 + n_rows, 16:32] += sums
    _add_tile(total, 8, 16, gathered, 100, n_rows)
    assert np.array_equal(total, expected)


@njit
def _add_tile(total, i, j, gathered, n, n_rows):
    if n_rows == 2:
        add_outer_products(total, i, j, gathered, n, 2)
    elif n_rows == 4:
        add_outer_products(total, i, j, gathered, n, 4)
    else:
        add_outer_products(total, i, j, gathered, n, 16)


INNER_LOOP_OF_A_TILE = """
from numba import njit
from alslib.kernels.llvm import TILE_ROWS, add_outer_products

@njit("void(float64[:, ::1], intp, intp, float32[:, ::1], intp)")
def add_tile(total, i, j, gathered, n):
    add_outer_products(total, i, j, gathered, n, TILE_ROWS)

(text,) = add_tile.inspect_asm().values()
print(max(text.split(".LBB"), key=lambda block: block.count("vfmadd")))
"""


@pytest.mark.skipif(platform.machine() != "x86_64", reason="reads the language of x86")
@pytest.mark.parametrize(
    ("name", "features", "n_sums", "register"),
    [
        ("x86-64-v3", "", 8, "ymm"),
        ("x86-64-v3", "+avx512f,+avx512vl", 16, "zmm"),
        ("x86-64-v4", "-prefer-256-bit", 16, "zmm"),
    ],
)
def test_all_sums_of_a_tile_stay_in_registers(name, features, n_sums, register):
    """For these processors it is only compiled, so that any other can tell."""
    told = {"NUMBA_CPU_NAME": name, "NUMBA_CPU_FEATURES": features}
    done = subprocess.run(
        [sys.executable, "-c", INNER_LOOP_OF_A_TILE],
        env=os.environ | told,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    sums = set(re.findall(rf"vfmadd.*%({register}\d+)$", done.stdout, re.MULTILINE))
    assert len(sums) == n_sums
    assert not re.search(r"mm\d+, \S*\(", done.stdout)  # nothing is stored


@pytest.mark.parametrize("i", [0, 4, 12, 20])
def test_a_tile_of_the_elimination_loses_its_products_and_nothing_else_changes(i):
    a = np.random.default_rng(0).normal(size=(24, 32))
    expected = a.copy()
    expected[i : i + 4, 16:24] -= a[:i, i : i + 4].T @ a[:i, 16:24]
    _subtract_tile(a, i, 16)
    np.testing.assert_allclose(a, expected, rtol=1e-12, atol=1e-12)
    untouched = np.ones_like(a, bool)
    untouched[i : i + 4, 16:24] = False
    assert np.array_equal(a[untouched], expected[untouched])


@njit
def _subtract_tile(a, i, j):
    subtract_outer_products(a, i, j, a, i, 4)


@KINDS
@pytest.mark.parametrize("n", [0, 1, 16, 47])
def test_inner_product_of_the_first_numbers(kind, n):
    left, right = np.random.default_rng(0).normal(size=(2, 60)).astype(kind)
    expected = left[:n].astype(float) @ right[:n]
    assert kernels.latent.dot(left, right, n) == pytest.approx(expected, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("n", [0, 4, 8, 12, 36])
def test_the_solver_solves_and_heeds_only_what_is_on_and_above_the_diagonal(n):
    rng = np.random.default_rng(2)
    root = rng.normal(size=(n, n + 3))
    matrix, side = root @ root.T, rng.normal(size=n)
    expected = np.linalg.solve(matrix, side)
    width = kernels.latent.whole_tiles(n)
    whole = np.full((n + 2, width), np.nan)
    whole[:n, :n] = np.where(np.tri(n, k=-1, dtype=bool), np.nan, matrix)
    assert kernels.latent.cholesky_solve(whole, side)
    np.testing.assert_allclose(side, expected, rtol=1e-6)


@pytest.mark.parametrize("place", range(8))
@pytest.mark.parametrize("pivot", [0.0, -1.0, np.nan])
def test_a_matrix_that_is_not_positive_definite_is_not_solved(place, pivot):
    matrix = np.eye(8, 16)
    matrix[place, place] = pivot
    assert not kernels.latent.cholesky_solve(matrix, np.ones(8))


@pytest.mark.parametrize("n", [0, 1, 3, 4, 7, 64])
@pytest.mark.parametrize("n_factors", [0, 1, 5, 16, 33])
def test_columns_are_multiplied_and_added_four_at_a_time(n, n_factors):
    rng = np.random.default_rng(5)
    columns = rng.normal(size=(20, n_factors)).astype(np.float32)
    block, vector = rng.integers(0, 20, n), rng.normal(size=n_factors).astype(np.float32)
    products, sums = np.full(64, np.nan, np.float32), np.empty(n_factors, np.float32)
    kernels.conjugate_gradients.inner_products(columns, block, vector, products)
    np.testing.assert_allclose(products[:n], columns[block] @ vector, atol=1e-5)
    assert np.isnan(products[n:]).all()
    total = rng.normal(size=n_factors)
    expected = total + products[:n].astype(float) @ columns[block]
    kernels.conjugate_gradients.add_multiples(columns, block, products, sums, total)
    np.testing.assert_allclose(total, expected, atol=1e-4)


@pytest.mark.parametrize("n_columns", [0, 1, 5, 16])
def test_a_sparse_product_is_the_dense_one_wherever_it_is_cut(n_columns):
    rng = np.random.default_rng(6)
    dense = rng.normal(size=(30, 20)) * (rng.random((30, 20)) < rng.random((30, 1)))
    matrix, x = scipy.sparse.csr_array(dense), rng.normal(size=(20, n_columns))
    whole, cut = np.full((2, 30, n_columns), np.nan)
    parts = matrix.indptr, matrix.indices, matrix.data, x
    kernels.sparse.multiply(0, 30, *parts, whole)
    np.testing.assert_allclose(whole, dense @ x, rtol=1e-12, atol=1e-12)
    for first, last in ((7, 30), (0, 7)):
        kernels.sparse.multiply(first, last, *parts, cut)
    assert np.array_equal(whole, cut)


@pytest.mark.parametrize("depth", [4, 12])
def test_scores_are_inner_products_and_those_of_equals_are_equal_to_the_bit(depth):
    rng = np.random.default_rng(3)
    user, vector = rng.normal(size=(2, depth)).astype(np.float32)
    panel = np.repeat(vector[:, None], 256, axis=1)
    scores = np.empty(256, np.float32)
    kernels.lists.score_panel(user, panel, scores)
    assert scores[0] == pytest.approx(user.astype(float) @ vector, rel=1e-5)
    assert (scores == scores[0]).all()
