"""The half-step and the errors of the models with factors (lessons 4, 6 and 8)."""

import numpy as np

from alslib.kernels.compiling import njit
from alslib.kernels.llvm import (
    PANEL_ROWS,
    TILE_COLUMNS,
    TILE_ROWS,
    add_outer_products,
    prefetch,
    subtract_outer_products,
)

# Ratings gathered at a time, few enough for a processor's first-level cache. Only their sum is left
# in float32.
_BLOCK = 128
# How many ratings ahead their factors are asked for, so that they have come when they are needed.
_AHEAD = 64
# float32 numbers in a cache line, the least that memory hands over.
_LINE = 16
# Columns of a tile of float64.
_DOUBLES = TILE_COLUMNS // 2


@njit
def half_step(first, last, view, targets, columns, base, ridge, prior, solve, learned):
    """Set every row's bias, factors or both to the exact minimiser of L, the columns held fixed.

    In plain NumPy, for one row: `alslib.reference.bias_and_factors`, `factors` and `bias`, and for
    implicit feedback `chosen`.

    ``columns`` holds the fixed biases and factors, ``learned`` those of the rows, and ``solve``
    says which of these are looked for. A row's normal matrix and right side, divided by λ, are

        [ n + g   s'    ] [b]   [Σ e   + g c]      n ratings, e = r − μ − (bias of the column),
        [ s       A + hI] [u] = [Σ e v + h p]      s = Σ v,  A = B + Σ v v',

    where each rating counts as often as its weight says, if the ``targets`` have weights, so that n
    is their sum. B = ``base`` is what all rows have in common (zeros but for implicit feedback), g
    and h are the ``ridge`` and c and p the ``prior`` of the row's bias and factors: there a row
    without ratings stays. Eliminating b first leaves a system of the size of u. A matrix that is
    not positive definite leaves its row as it was; how many are not is returned.
    """
    indptr, indices, data = view
    offset, step, mean, weights = targets
    column_bias, column_factors = columns
    bias_ridge, factor_ridge = ridge
    bias_prior, factor_prior = prior
    solve_bias, solve_factors = solve
    row_bias, row_factors = learned
    n_factors = column_factors.shape[1]
    width = whole_tiles(n_factors)
    # A row for each rating: its v, then 1, then e, times the root of its weight. Their outer
    # products sum to all we need.
    gathered = np.zeros((_BLOCK, width + TILE_COLUMNS), np.float32)
    total = np.zeros((width + 2, width))  # the rows of A, then s, then Σ e v
    # Factors that are all zero make K a multiple of four.
    solution = np.empty((n_factors + PANEL_ROWS - 1) // PANEL_ROWS * PANEL_ROWS)
    n_singular = 0
    for row in range(first, last):
        begin, end = indptr[row], indptr[row + 1]
        if begin == end:
            if solve_bias:
                row_bias[row] = bias_prior[row]
            if solve_factors:
                for k in range(n_factors):
                    row_factors[row, k] = factor_prior[row, k]
            continue
        _start_total(base, total)
        n_ratings = 0.0
        error_sum = bias_ridge[row] * bias_prior[row]
        for start in range(begin, end, _BLOCK):
            n_block = min(_BLOCK, end - start)
            for q in range(n_block):
                ahead = indices[min(start + q + _AHEAD, len(indices) - 1)]
                _prefetch_row(column_bias, column_factors, np.int64(ahead))
                column = indices[start + q]
                weight = weights[start + q] if len(weights) else np.float32(1)
                root = np.sqrt(weight)
                error = offset + step * data[start + q] - mean - column_bias[column]
                n_ratings += weight
                error_sum += weight * error
                for k in range(n_factors):
                    gathered[q, k] = root * column_factors[column, k]
                gathered[q, width] = root
                gathered[q, width + 1] = root * error
            add_block(gathered, n_block, n_factors, total)
        shrunk = 1.0 / (n_ratings + bias_ridge[row])
        if solve_factors:
            if solve_bias:
                _eliminate_bias(total, error_sum, shrunk, solution)
            else:
                _subtract_bias(total, row_bias[row], solution)
            for k in range(len(solution)):
                total[k, k] += factor_ridge[row]
            for k in range(n_factors):
                solution[k] += factor_ridge[row] * factor_prior[row, k]
            if not cholesky_solve(total, solution):
                n_singular += 1
                continue
            for k in range(n_factors):
                row_factors[row, k] = solution[k]
        if solve_bias:
            explained = 0.0
            for k in range(n_factors):
                explained += total[width, k] * row_factors[row, k]
            row_bias[row] = (error_sum - explained) * shrunk
    return n_singular


@njit(forceinline=True)
def _prefetch_row(column_bias, columns, column):
    """Start loading a column's bias and factors into the cache, and do not wait for them."""
    n_factors = columns.shape[1]
    prefetch(column_bias, column)
    for k in range(0, n_factors, _LINE):
        prefetch(columns, column * n_factors + k)
    if n_factors > 0:  # a row need not start with a cache line, and then ends in one more
        prefetch(columns, column * n_factors + n_factors - 1)


@njit
def _start_total(base, total):
    """Set A to B on and above the diagonal, where alone it is read, and all else to zero."""
    n_factors = len(base)
    for i in range(len(total)):
        for j in range(total.shape[1]):
            total[i, j] = base[i, j] if i <= j < n_factors else 0.0


@njit(inline="always")
def whole_tiles(n_factors):
    """Return how many columns the tiles have that ``n_factors`` columns need."""
    return (n_factors + TILE_COLUMNS - 1) // TILE_COLUMNS * TILE_COLUMNS


@njit
def add_block(gathered, n, n_factors, total):
    """Add the outer products of ``n`` gathered ratings to float64 totals.

    They are summed in float32, tile by tile. Of the symmetric A only the tiles that
    reach the diagonal or lie right of it are made.
    """
    width = total.shape[1]
    for i in range(0, n_factors, TILE_ROWS):
        for j in range(i - i % TILE_COLUMNS, width, TILE_COLUMNS):
            add_outer_products(total, i, j, gathered, n, TILE_ROWS)
    for j in range(0, width, TILE_COLUMNS):
        add_outer_products(total, width, j, gathered, n, 2)


@njit(fastmath={"reassoc", "contract"}, forceinline=True)
def dot(a, b, n):
    """Return the inner product of the first ``n`` numbers of ``a`` and ``b``."""
    total = a.dtype.type(0)
    for k in range(n):
        total += a[k] * b[k]
    return total


@njit
def _eliminate_bias(total, error_sum, shrunk, side):
    """Take the row of b out of the system: A − s s' / (n + g), and Σ e v − s Σ e / (n + g)."""
    width = total.shape[1]
    for i in range(len(side)):
        share = total[width, i] * shrunk
        for j in range(i, len(side)):
            total[i, j] -= share * total[width, j]
        side[i] = total[width + 1, i] - share * error_sum


@njit
def _subtract_bias(total, bias, side):
    """Write the right side of the factors alone, the bias being known: Σ e v − s b."""
    width = total.shape[1]
    for i in range(len(side)):
        side[i] = total[width + 1, i] - total[width, i] * bias


@njit
def cholesky_solve(a, x):
    """Solve a symmetric system in place; return whether its matrix is positive definite.

    Of ``a`` only what is on and above the diagonal counts. ``x``, whose length is a multiple of
    four, enters as the right side and leaves as the solution; ``a`` is at least as large, in whole
    tiles. The triangle R with R'R = A is made four rows at a time: what the rows above contribute
    is subtracted from all four in one go, tile by tile, then R's corner on the diagonal is made,
    and with it the rest of the four rows. The diagonal keeps 1 / R_ii, so that nothing is divided
    twice. Golub and Van Loan, Matrix Computations, 4th ed., section 4.2.
    """
    n = len(x)
    for i in range(0, n, PANEL_ROWS):
        for j in range(i - i % _DOUBLES, n, _DOUBLES):
            subtract_outer_products(a, i, j, a, i, PANEL_ROWS)
        if not _make_corner(a, x, i):
            return False
        _make_rest(a, x, i)
    for i in range(n - PANEL_ROWS, -1, -PANEL_ROWS):
        _substitute_back(a, x, i)
    return True


@njit
def _make_corner(a, x, i):
    """Make R's corner of the four rows from row i on, and solve R'y = x for these."""
    for r in range(i, i + PANEL_ROWS):
        for s in range(i, r):
            for c in range(r, i + PANEL_ROWS):
                a[r, c] -= a[s, r] * a[s, c]
            x[r] -= a[s, r] * x[s]
        if not a[r, r] > 0.0:  # NaN is not
            return False
        a[r, r] = 1.0 / np.sqrt(a[r, r])
        for c in range(r + 1, i + PANEL_ROWS):
            a[r, c] *= a[r, r]
        x[r] *= a[r, r]
    return True


@njit(forceinline=True)
def _right_of_corner(a, i, n):
    """Return the four rows from row i on, from where their corner ends."""
    right = i + PANEL_ROWS
    return a[i, right:n], a[i + 1, right:n], a[i + 2, right:n], a[i + 3, right:n]


# Written out for four rows, so that one loop over the columns reads and writes each number once.
@njit(fastmath={"contract"})
def _make_rest(a, x, i):
    """Make the four rows from row i on right of their corner, and take them out of R'y = x."""
    row_0, row_1, row_2, row_3 = _right_of_corner(a, i, len(x))
    scale_0, r_01, r_02, r_03 = a[i, i], a[i, i + 1], a[i, i + 2], a[i, i + 3]
    scale_1, r_12, r_13 = a[i + 1, i + 1], a[i + 1, i + 2], a[i + 1, i + 3]
    scale_2, r_23 = a[i + 2, i + 2], a[i + 2, i + 3]
    scale_3 = a[i + 3, i + 3]
    y_0, y_1, y_2, y_3 = x[i], x[i + 1], x[i + 2], x[i + 3]
    rest = x[i + PANEL_ROWS :]
    for c in range(len(rest)):
        new_0 = row_0[c] * scale_0
        new_1 = (row_1[c] - r_01 * new_0) * scale_1
        new_2 = (row_2[c] - r_02 * new_0 - r_12 * new_1) * scale_2
        new_3 = (row_3[c] - r_03 * new_0 - r_13 * new_1 - r_23 * new_2) * scale_3
        row_0[c], row_1[c], row_2[c], row_3[c] = new_0, new_1, new_2, new_3
        rest[c] -= y_0 * new_0 + y_1 * new_1 + y_2 * new_2 + y_3 * new_3


# "reassoc" lets LLVM add in several lanes at once: always the same ones, whatever the thread.
@njit(fastmath={"reassoc", "contract"})
def _substitute_back(a, x, i):
    """Solve R x = y for the four rows from row i on, those below being solved."""
    row_0, row_1, row_2, row_3 = _right_of_corner(a, i, len(x))
    rest = x[i + PANEL_ROWS :]
    sum_0 = sum_1 = sum_2 = sum_3 = 0.0
    for c in range(len(rest)):
        sum_0 += row_0[c] * rest[c]
        sum_1 += row_1[c] * rest[c]
        sum_2 += row_2[c] * rest[c]
        sum_3 += row_3[c] * rest[c]
    x[i] -= sum_0
    x[i + 1] -= sum_1
    x[i + 2] -= sum_2
    x[i + 3] -= sum_3
    for r in range(i + PANEL_ROWS - 1, i - 1, -1):
        for c in range(r + 1, i + PANEL_ROWS):
            x[r] -= a[r, c] * x[c]
        x[r] *= a[r, r]


@njit
def squared_errors(first, last, view, targets, rows, columns, scale, out):
    """Sum the squared errors of each row, as `alslib.kernels.bias.squared_errors` does."""
    indptr, indices, data = view
    offset, step, mean, weights = targets
    row_bias, row_factors = rows
    column_bias, column_factors = columns
    lowest, highest = scale
    n_factors = column_factors.shape[1]
    for row in range(first, last):
        plain = 0.0
        clipped = 0.0
        for p in range(indptr[row], indptr[row + 1]):
            column = indices[p]
            rating = offset + step * data[p]
            predicted = mean + row_bias[row] + column_bias[column]
            predicted += dot(row_factors[row], column_factors[column], n_factors)
            weight = weights[p] if len(weights) else 1.0
            plain += weight * (rating - predicted) ** 2
            clipped += weight * (rating - min(max(predicted, lowest), highest)) ** 2
        out[row, 0] = plain
        out[row, 1] = clipped


@njit
def expected_ratings(users, items, mean, of_users, of_items, out):
    """Write ``mean + b_m + b_n + u_m · v_n`` for each pair of a user and an item index."""
    user_bias, user_factors = of_users
    item_bias, item_factors = of_items
    for i in range(len(users)):
        user, item = users[i], items[i]
        total = mean + user_bias[user] + item_bias[item]
        for k in range(user_factors.shape[1]):
            total += user_factors[user, k] * item_factors[item, k]
        out[i] = total


@njit
def gram(first, last, columns):
    """Return Σ v v' over a stretch of rows, right on and above the diagonal."""
    n_factors = columns.shape[1]
    width = whole_tiles(n_factors)
    gathered = np.zeros((_BLOCK, width + TILE_COLUMNS), np.float32)
    total = np.zeros((width + 2, width))
    for start in range(first, last, _BLOCK):
        n_block = min(_BLOCK, last - start)
        for q in range(n_block):
            for k in range(n_factors):
                gathered[q, k] = columns[start + q, k]
        add_block(gathered, n_block, n_factors, total)
    return total[:n_factors, :n_factors]
