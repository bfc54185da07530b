"""The tile that sums ratings and solves rows does what its formula says; so do its neighbours."""

import ast
from pathlib import Path

import numpy as np
import pytest

from alslib import kernels

KINDS = pytest.mark.parametrize("kind", [np.float32, np.float64])


@KINDS
@pytest.mark.parametrize("n", [0, 1, 5, 8, 37, 128])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_tile_gains_its_sums_of_products_and_nothing_else_changes(kind, n, sign):
    rng = np.random.default_rng(0)
    left, right = rng.normal(size=(7, 131)).astype(kind), rng.normal(size=(5, 129)).astype(kind)
    out = rng.normal(size=(9, 6))
    expected = out.copy()
    expected[3:5, 1:3] += sign * (left[3:5, :n].astype(float) @ right[1:3, :n].T.astype(float))
    kernels.latent.add_products(out, 3, 1, left, right, n, sign)
    np.testing.assert_allclose(out, expected, rtol=1e-5, atol=2e-5)
    untouched = np.ones_like(out, bool)
    untouched[3:5, 1:3] = False
    assert np.array_equal(out[untouched], expected[untouched])


@pytest.mark.parametrize("n", [0, 1, 7, 8, 100, 127, 128])
@pytest.mark.parametrize(("height", "width"), [(2, 0), (4, 2), (12, 10), (10, 10)])
def test_a_block_adds_its_outer_products_on_and_below_the_diagonal(n, height, width):
    """Whatever an earlier block has left behind the n ratings does not count."""
    rng = np.random.default_rng(1)
    gathered = rng.normal(size=(height, 128)).astype(np.float32)
    total = rng.normal(size=(height, width))
    products = gathered[:, :n].astype(float) @ gathered[:width, :n].T.astype(float)
    expected = np.tril(total + products)
    kernels.latent.add_block(gathered, n, total)
    np.testing.assert_allclose(np.tril(total), expected, rtol=1e-5, atol=2e-5)


@KINDS
@pytest.mark.parametrize("n", [0, 1, 16, 47])
def test_inner_product_of_the_first_numbers(kind, n):
    left, right = np.random.default_rng(0).normal(size=(2, 60)).astype(kind)
    expected = left[:n].astype(float) @ right[:n]
    assert kernels.latent.dot(left, right, n) == pytest.approx(expected, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("width", [0, 2, 4, 10, 34])
def test_the_solver_reads_only_what_is_on_and_below_the_diagonal(width):
    rng = np.random.default_rng(2)
    root = rng.normal(size=(width, width + 3))
    matrix, side = root @ root.T, rng.normal(size=width)
    expected = np.linalg.solve(matrix, side)
    matrix[np.triu_indices(width, 1)] = np.nan
    assert kernels.latent.cholesky_solve(matrix, side)
    np.testing.assert_allclose(side, expected, rtol=1e-6)


@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize("pivot", [0.0, -1.0, np.nan])
def test_a_matrix_that_is_not_positive_definite_is_not_solved(place, pivot):
    matrix = np.eye(4)
    matrix[place, place] = pivot
    assert not kernels.latent.cholesky_solve(matrix, np.ones(4))


@pytest.mark.parametrize("depth", [4, 12])
def test_scores_are_inner_products_and_those_of_equals_are_equal_to_the_bit(depth):
    rng = np.random.default_rng(3)
    user, vector = rng.normal(size=(2, depth)).astype(np.float32)
    panel = np.repeat(vector[:, None], 256, axis=1)
    scores = np.empty(256, np.float32)
    kernels.lists.score_panel(user, panel, scores)
    assert scores[0] == pytest.approx(user.astype(float) @ vector, rel=1e-5)
    assert (scores == scores[0]).all()


def written_through_a_tuple(source):
    """Return the functions that write to an array which came to them inside a tuple."""
    found = []
    for function in ast.walk(ast.parse(source)):
        if not isinstance(function, ast.FunctionDef):
            continue
        parameters = {argument.arg for argument in function.args.args}
        assignments = [node for node in ast.walk(function) if isinstance(node, ast.Assign)]
        unpacked = {
            name.id
            for node in assignments
            if isinstance(node.value, ast.Name) and node.value.id in parameters
            for target in node.targets
            if isinstance(target, ast.Tuple)
            for name in target.elts
        }
        targets = [target for node in assignments for target in node.targets]
        targets += [node.target for node in ast.walk(function) if isinstance(node, ast.AugAssign)]
        for target in targets:
            if isinstance(target, ast.Subscript) and (
                isinstance(target.value, ast.Attribute)
                or getattr(target.value, "id", None) in unpacked
            ):
                found.append(function.name)
    return found


MODULES = sorted(Path(kernels.__file__).parent.glob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_no_kernel_writes_to_what_came_in_a_tuple(path):
    """Numba would lose it: in a parallel loop, and without a word."""
    assert written_through_a_tuple(path.read_text("utf-8")) == []


def test_such_a_kernel_would_be_found():
    unpacked = (
        "def f(rows, n):\n    bias, factors = rows\n    for i in range(n):\n        bias[i] = 0"
    )
    by_name = "def g(rows, n):\n    rows.bias[n] += 1"
    plain = "def h(bias, rows, n):\n    a, b = rows\n    bias[n] = a[n]"
    assert written_through_a_tuple("\n".join([unpacked, by_name, plain])) == ["f", "g"]
