"""A half-step that goes some way towards each row's minimum, and not all of it (lesson 9)."""

import numpy as np

from alslib.kernels.compiling import njit
from alslib.kernels.latent import dot

# Ratings whose factors are read twice in a row, the second time from the first-level cache. Only
# what they sum to is left in float32.
_BLOCK = 64
# What is left of a squared residual when it is no more than float32 rounds away in the products.
_ROUNDING = float(np.finfo(np.float32).eps) ** 2


@njit
def half_step(
    first, last, view, targets, columns, base, ridge, prior, solve, start, n_steps, learned
):
    """Take each row some conjugate gradient steps closer to the minimiser of L.

    Arguments are those of `alslib.kernels.latent.half_step`, with the factors among what is looked
    for, and ``start``, the factors from which the steps lead away. A bias that is looked for is the
    best one for the factors. What is left after eliminating it, as there, is

        (A + hI − s s' / (n + g)) u = Σ e v + h p − s (Σ e + g c) / (n + g),

    whose matrix is not made: its product with a vector is one pass over the row's ratings. As many
    steps as there are factors would solve it, but for rounding. A row whose matrix turns out not to
    be positive definite stops there; how many do is returned.

    Hestenes and Stiefel, "Methods of conjugate gradients for solving linear systems", Journal of
    Research of the National Bureau of Standards 49, 1952. Takács, Pilászy and Tikk, "Applications
    of the conjugate gradient method for implicit feedback collaborative filtering", RecSys 2011 (a
    few steps, from where the last sweep left the row).
    """
    indptr, indices, data = view
    offset, step, mean, weights = targets
    column_bias, column_factors = columns
    bias_ridge, factor_ridge = ridge
    bias_prior, factor_prior = prior
    solve_bias, _ = solve
    row_bias, row_factors = learned
    n_factors = column_factors.shape[1]
    n_common = n_factors if base.any() else 0
    numbers, counts = np.empty(_BLOCK, np.float32), np.empty(_BLOCK, np.float32)
    vector, sums = np.empty(n_factors, np.float32), np.empty(n_factors, np.float32)
    solution, shared, residual = np.empty(n_factors), np.empty(n_factors), np.empty(n_factors)
    direction, product = np.empty(n_factors), np.empty(n_factors)
    n_singular = 0
    for row in range(first, last):
        begin, end = indptr[row], indptr[row + 1]
        if begin == end:
            if solve_bias:
                row_bias[row] = bias_prior[row]
            row_factors[row] = factor_prior[row]
            continue
        known = mean if solve_bias else mean + row_bias[row]
        n_ratings = 0.0
        error_sum = bias_ridge[row] * bias_prior[row]
        vector[:] = start[row]
        solution[:] = start[row]
        residual[:] = 0.0
        shared[:] = 0.0  # s, or zeros if the bias is known
        for p in range(begin, end, _BLOCK):
            block = indices[p : min(p + _BLOCK, end)]
            inner_products(column_factors, block, vector, numbers)
            for q in range(len(block)):
                weight = weights[p + q] if len(weights) else np.float32(1)
                error = offset + step * data[p + q] - known - column_bias[block[q]]
                counts[q] = weight
                numbers[q] = weight * (error - numbers[q])
                n_ratings += weight
                error_sum += weight * error
            add_multiples(column_factors, block, numbers, sums, residual)
            if solve_bias:
                add_multiples(column_factors, block, counts, sums, shared)
        shrunk = 1.0 / (n_ratings + bias_ridge[row])
        bias = (error_sum - dot(shared, solution, n_factors)) * shrunk
        for k in range(n_factors):
            residual[k] += factor_ridge[row] * (factor_prior[row, k] - solution[k])
            residual[k] -= bias * shared[k] + dot(base[k], solution, n_common)
        direction[:] = residual
        length = dot(residual, residual, n_factors)
        least = _ROUNDING * length
        for _ in range(n_steps):
            if length == 0.0 or length < least:
                break
            vector[:] = direction
            product[:] = 0.0
            for p in range(begin, end, _BLOCK):
                block = indices[p : min(p + _BLOCK, end)]
                inner_products(column_factors, block, vector, numbers)
                if len(weights):
                    for q in range(len(block)):
                        numbers[q] *= weights[p + q]
                add_multiples(column_factors, block, numbers, sums, product)
            share = dot(shared, direction, n_factors) * shrunk
            for k in range(n_factors):
                product[k] += factor_ridge[row] * direction[k] - share * shared[k]
                product[k] += dot(base[k], direction, n_common)
            curvature = dot(direction, product, n_factors)
            if not 0.0 < curvature < np.inf:  # NaN is not
                n_singular += 1
                break
            size = length / curvature
            for k in range(n_factors):
                solution[k] += size * direction[k]
                residual[k] -= size * product[k]
            shorter = dot(residual, residual, n_factors)
            for k in range(n_factors):
                direction[k] = residual[k] + shorter / length * direction[k]
            length = shorter
        row_factors[row] = solution
        if solve_bias:
            row_bias[row] = (error_sum - dot(shared, solution, n_factors)) * shrunk
    return n_singular


# Both take four columns at a time: what these are multiplied with, or added to, is read once for
# all of them.
@njit(fastmath={"reassoc", "contract"})
def inner_products(columns, block, vector, out):
    """Write the inner product of a vector with each column of a block, all in float32."""
    n = len(block)
    for q in range(0, n - 3, 4):
        v_0, v_1 = columns[block[q]], columns[block[q + 1]]
        v_2, v_3 = columns[block[q + 2]], columns[block[q + 3]]
        sum_0 = sum_1 = sum_2 = sum_3 = np.float32(0)
        for k in range(len(vector)):
            sum_0 += v_0[k] * vector[k]
            sum_1 += v_1[k] * vector[k]
            sum_2 += v_2[k] * vector[k]
            sum_3 += v_3[k] * vector[k]
        out[q], out[q + 1], out[q + 2], out[q + 3] = sum_0, sum_1, sum_2, sum_3
    for q in range(n - n % 4, n):
        out[q] = dot(columns[block[q]], vector, len(vector))


@njit(fastmath={"reassoc", "contract"})
def add_multiples(columns, block, numbers, sums, total):
    """Add the columns of a block, times one number each, to a float64 total; see `_BLOCK`."""
    n = len(block)
    sums[:] = 0
    for q in range(0, n - 3, 4):
        v_0, v_1 = columns[block[q]], columns[block[q + 1]]
        v_2, v_3 = columns[block[q + 2]], columns[block[q + 3]]
        x_0, x_1, x_2, x_3 = numbers[q], numbers[q + 1], numbers[q + 2], numbers[q + 3]
        for k in range(len(sums)):
            sums[k] += x_0 * v_0[k] + x_1 * v_1[k] + x_2 * v_2[k] + x_3 * v_3[k]
    for q in range(n - n % 4, n):
        v_0, x_0 = columns[block[q]], numbers[q]
        for k in range(len(sums)):
            sums[k] += x_0 * v_0[k]
    for k in range(len(sums)):
        total[k] += sums[k]
