"""Every compiled loop of the course, and nothing else.

The sections follow the lessons. A kernel takes plain arrays, does one thing, and has an oracle in
``tests/`` that computes the same thing another way. Two rules keep results identical whatever the
number of threads: ``prange`` runs only over rows that do not touch each other, and whatever is
summed over rows is first written to an array and then added up in a fixed order.

A stored rating is a small code; its value is ``offset + step * data[p]`` (see `alslib.ratings`).
"""

import numpy as np
from numba import njit, prange

from alslib._llvm import prefetch

# --- from ids to compressed rows (alslib.ratings) ---


@njit(cache=True)
def mark_present(ids, lowest, present):
    """Set ``present[id - lowest]`` for every id that occurs."""
    for i in range(len(ids)):
        present[ids[i] - lowest] = True


@njit(cache=True)
def translate(ids, lowest, table, out):
    """Write the dense index of every id: ``out[i] = table[ids[i] - lowest]``."""
    for i in range(len(ids)):
        out[i] = table[ids[i] - lowest]


@njit(cache=True)
def distinct_values(values, limit):
    """Return the distinct values in order of appearance, or one more than ``limit`` of them.

    Consecutive ratings are often equal and there are few distinct ones, so a linear search that
    starts with the last hit beats a hash table.
    """
    found = np.empty(limit + 1, values.dtype)
    n_found = 0
    hit = 0
    for value in values:
        if n_found > 0 and found[hit] == value:
            continue
        hit = 0
        while hit < n_found and found[hit] != value:
            hit += 1
        if hit == n_found:
            found[n_found] = value
            n_found += 1
            if n_found > limit:
                break
    return found[:n_found]


@njit(cache=True)
def encode(values, offset, step, codes):
    """Write ``codes[i]``, the number of steps from ``offset`` to ``values[i]``."""
    for i in range(len(values)):
        codes[i] = np.uint8(np.rint((values[i] - offset) / step))


@njit(cache=True)
def row_pointers(rows, n_rows):
    """Count the entries of each row and return their running sum, length ``n_rows + 1``."""
    indptr = np.zeros(n_rows + 1, np.int64)
    for row in rows:
        indptr[row + 1] += 1
    for row in range(n_rows):
        indptr[row + 1] += indptr[row]
    return indptr


@njit(cache=True)
def group_by_row(rows, columns, data, n_rows):
    """Counting sort of unordered triples into compressed rows; O(nnz), stable within a row."""
    indptr = row_pointers(rows, n_rows)
    indices = np.empty(len(rows), np.int32)
    sorted_data = np.empty_like(data)
    cursor = indptr[:-1].copy()
    for i in range(len(rows)):
        p = cursor[rows[i]]
        cursor[rows[i]] = p + 1
        indices[p] = columns[i]
        sorted_data[p] = data[i]
    return indptr, indices, sorted_data


@njit(cache=True)
def transpose(indptr, indices, data, n_columns):
    """Turn compressed rows into compressed columns; each column comes out sorted by row."""
    out_indptr = row_pointers(indices, n_columns)
    out_indices = np.empty_like(indices)
    out_data = np.empty_like(data)
    cursor = out_indptr[:-1].copy()
    for row in range(len(indptr) - 1):
        for p in range(indptr[row], indptr[row + 1]):
            q = cursor[indices[p]]
            cursor[indices[p]] = q + 1
            out_indices[q] = row
            out_data[q] = data[p]
    return out_indptr, out_indices, out_data


@njit(cache=True)
def count_repeats(indptr, indices):
    """Count entries equal to their left neighbour in a row, and return where the first one is.

    In rows sorted by index these are exactly the duplicate pairs.
    """
    n_repeats = 0
    first = -1
    for row in range(len(indptr) - 1):
        for p in range(indptr[row] + 1, indptr[row + 1]):
            if indices[p] == indices[p - 1]:
                if n_repeats == 0:
                    first = p
                n_repeats += 1
    return n_repeats, first


@njit(cache=True)
def keep_entries(indptr, indices, data, keep):
    """Return the compressed rows that hold only the entries marked in ``keep``."""
    n_kept = 0
    for flag in keep:
        n_kept += flag
    out_indptr = np.zeros_like(indptr)
    out_indices = np.empty(n_kept, indices.dtype)
    out_data = np.empty(n_kept, data.dtype)
    q = 0
    for row in range(len(indptr) - 1):
        for p in range(indptr[row], indptr[row + 1]):
            if keep[p]:
                out_indices[q] = indices[p]
                out_data[q] = data[p]
                q += 1
        out_indptr[row + 1] = q
    return out_indptr, out_indices, out_data


@njit(cache=True)
def sample_per_row(indptr, n_wanted, uniforms, chosen):
    """Mark ``n_wanted[row]`` entries of each row, every subset of that size equally likely.

    Selection sampling: an entry is taken with probability (still wanted) / (still to come), so
    exactly the wanted number is taken without sorting or extra memory. Knuth, The Art of Computer
    Programming, vol. 2, section 3.4.2, Algorithm S.
    """
    for row in range(len(indptr) - 1):
        wanted = n_wanted[row]
        for p in range(indptr[row], indptr[row + 1]):
            take = uniforms[p] * (indptr[row + 1] - p) < wanted
            chosen[p] = take
            wanted -= take


# --- bias-only ALS (alslib.bias) ---


@njit(cache=True, parallel=True)
def bias_half_step(indptr, indices, data, offset, step, mean, column_bias, lam, gamma, row_bias):
    """Set every row's bias to the exact minimiser of L with the columns' biases held fixed."""
    for row in prange(len(indptr) - 1):
        total = 0.0
        for p in range(indptr[row], indptr[row + 1]):
            total += offset + step * data[p] - mean - column_bias[indices[p]]
        count = indptr[row + 1] - indptr[row]
        # A row without ratings has no data to move it away from its prior mean, zero.
        row_bias[row] = lam * total / (lam * count + gamma) if count > 0 else 0.0


@njit(cache=True, parallel=True)
def bias_squared_errors(
    indptr, indices, data, offset, step, mean, row_bias, column_bias, lowest, highest, out
):
    """Sum the squared errors of each row: of the plain prediction, and of the clipped one.

    ``out`` has shape (n_rows, 2); the caller adds up its columns, in an order that no thread
    can change.
    """
    for row in prange(len(indptr) - 1):
        plain = 0.0
        clipped = 0.0
        for p in range(indptr[row], indptr[row + 1]):
            rating = offset + step * data[p]
            predicted = mean + row_bias[row] + column_bias[indices[p]]
            plain += (rating - predicted) ** 2
            clipped += (rating - min(max(predicted, lowest), highest)) ** 2
        out[row, 0] = plain
        out[row, 1] = clipped


# --- latent-factor ALS (alslib.latent) ---

# Ratings gathered at a time. Only their sum is left in float32; with 64 factors they fill a
# processor's first-level cache.
_BLOCK = 128
# How many ratings ahead their factors are asked for, so that they have come when they are needed.
_AHEAD = 64
# float32 numbers in a cache line, the least that memory hands over.
_LINE = 16
# Tiles read gathered ratings by eights, one vector register of float32, to be quick at the end too.
_LANES = 8


@njit(cache=True, parallel=True)
def latent_half_step(
    indptr,
    indices,
    data,
    offset,
    step,
    mean,
    column_bias,
    columns,
    base,
    parts,
    bias_ridge,
    factor_ridge,
    bias_prior,
    factor_prior,
    solve_bias,
    solve_factors,
    row_bias,
    row_factors,
    singular,
):
    """Set every row's bias, factors or both to the exact minimiser of L, the columns held fixed.

    ``columns`` holds the fixed factors; ``parts`` are the borders between stretches of rows with
    about equal work. A row's normal matrix and right side, divided by λ, are

        [ n + g   s'    ] [b]   [Σ e   + g c]      n ratings, e = r − μ − (bias of the column),
        [ s       A + hI] [u] = [Σ e v + h p]      s = Σ v,  A = B + Σ v v',

    with B = ``base`` what all rows have in common (zeros but for implicit feedback), g =
    ``bias_ridge[row]``, h = ``factor_ridge[row]`` and the prior means c = ``bias_prior[row]`` and
    p = ``factor_prior[row]``, at which a row without ratings stays.
    Eliminating b first leaves a system of the size of u. A matrix that is not positive definite
    leaves its row as it was and is counted in ``singular[part]``.
    """
    n_factors = columns.shape[1]
    width = n_factors + n_factors % 2  # tiles are two wide: an odd K gets a factor that is all zero
    for part in prange(len(parts) - 1):
        # A column for each rating: its v, then 1, then e. Their outer products sum to all we need.
        gathered = np.zeros((width + 2, _BLOCK), np.float32)
        total = np.zeros((width + 2, width))  # the rows of A, then s, then Σ e v
        solution = np.empty(width)
        singular[part] = 0
        for row in range(parts[part], parts[part + 1]):
            begin, end = indptr[row], indptr[row + 1]
            if begin == end:
                if solve_bias:
                    row_bias[row] = bias_prior[row]
                if solve_factors:
                    row_factors[row] = factor_prior[row]
                continue
            _start_total(base, total)
            error_sum = bias_ridge[row] * bias_prior[row]
            for first in range(begin, end, _BLOCK):
                n_block = min(_BLOCK, end - first)
                for q in range(n_block):
                    ahead = indices[min(first + q + _AHEAD, len(indices) - 1)]
                    _prefetch_row(column_bias, columns, np.int64(ahead))
                    column = indices[first + q]
                    error = offset + step * data[first + q] - mean - column_bias[column]
                    error_sum += error
                    for k in range(n_factors):
                        gathered[k, q] = columns[column, k]
                    gathered[width, q] = 1.0
                    gathered[width + 1, q] = error
                _add_block(gathered, n_block, total)
            shrunk = 1.0 / (end - begin + bias_ridge[row])
            if solve_factors:
                if solve_bias:
                    _eliminate_bias(total, error_sum, shrunk, solution)
                else:
                    _subtract_bias(total, row_bias[row], solution)
                for k in range(width):
                    total[k, k] += factor_ridge[row]
                for k in range(n_factors):
                    solution[k] += factor_ridge[row] * factor_prior[row, k]
                if not _cholesky_solve(total, solution):
                    singular[part] += 1
                    continue
                for k in range(n_factors):
                    row_factors[row, k] = solution[k]
            if solve_bias:
                explained = 0.0
                for k in range(n_factors):
                    explained += total[width, k] * row_factors[row, k]
                row_bias[row] = (error_sum - explained) * shrunk


@njit(cache=True, forceinline=True)
def _prefetch_row(column_bias, columns, column):
    """Start loading a column's bias and factors into the cache, and do not wait for them."""
    n_factors = columns.shape[1]
    prefetch(column_bias, column)
    for k in range(0, n_factors, _LINE):
        prefetch(columns, column * n_factors + k)
    if n_factors > 0:  # a row need not start with a cache line, and then ends in one more
        prefetch(columns, column * n_factors + n_factors - 1)


@njit(cache=True)
def _start_total(base, total):
    """Set A to B on and below the diagonal, where alone it is read, and all else to zero."""
    for i in range(len(base)):
        for j in range(i + 1):
            total[i, j] = base[i, j]
    for i in range(len(base), len(total)):
        for j in range(total.shape[1]):
            total[i, j] = 0.0


@njit(cache=True)
def _add_block(gathered, n, total):
    """Add the outer products of ``n`` gathered ratings, summed in float32, to float64 totals.

    Tile by tile, and of the symmetric A only the tiles on and below the diagonal.
    """
    height, width = total.shape
    padded = (n + _LANES - 1) // _LANES * _LANES
    for q in range(n, padded):
        for i in range(height):
            gathered[i, q] = 0.0
    for i in range(0, height, 2):
        for j in range(0, min(i + 2, width), 2):
            _add_products(total, i, j, gathered, gathered, padded, 1)


# "reassoc" lets LLVM add in several lanes at once: always the same ones, whatever the thread. A
# call for each tile would cost as much as a short sum: "forceinline" puts the loop where it is
# called.
@njit(cache=True, fastmath={"reassoc", "contract"}, forceinline=True)
def _add_products(out, i, j, left, right, n, sign):
    """Add, to a tile of two rows and two columns, ``sign`` times its sums of ``n`` products.

    For r and c in 0, 1: ``out[i + r, j + c] += sign * left[i + r, :n] @ right[j + c, :n]``. Each
    of the four numbers read in the loop is used twice, and the sums stay in registers.
    """
    left_0, left_1, right_0, right_1 = left[i], left[i + 1], right[j], right[j + 1]
    sum_00 = sum_01 = sum_10 = sum_11 = left.dtype.type(0)
    for q in range(n):
        sum_00 += left_0[q] * right_0[q]
        sum_01 += left_0[q] * right_1[q]
        sum_10 += left_1[q] * right_0[q]
        sum_11 += left_1[q] * right_1[q]
    out[i, j] += sign * sum_00
    out[i, j + 1] += sign * sum_01
    out[i + 1, j] += sign * sum_10
    out[i + 1, j + 1] += sign * sum_11


@njit(cache=True, fastmath={"reassoc", "contract"}, forceinline=True)
def _dot(a, b, n):
    """Return the inner product of the first ``n`` numbers of ``a`` and ``b``."""
    total = a.dtype.type(0)
    for k in range(n):
        total += a[k] * b[k]
    return total


@njit(cache=True)
def _eliminate_bias(total, error_sum, shrunk, side):
    """Take the row of b out of the system: A − s s' / (n + g), and Σ e v − s Σ e / (n + g)."""
    width = len(side)
    for i in range(width):
        share = total[width, i] * shrunk
        for j in range(i + 1):
            total[i, j] -= share * total[width, j]
        side[i] = total[width + 1, i] - share * error_sum


@njit(cache=True)
def _subtract_bias(total, bias, side):
    """Write the right side of the factors alone, the bias being known: Σ e v − s b."""
    width = len(side)
    for i in range(width):
        side[i] = total[width + 1, i] - total[width, i] * bias


@njit(cache=True)
def _cholesky_solve(a, x):
    """Solve a symmetric system in place; return whether its matrix is positive definite.

    Of ``a`` only what is on and below the diagonal is read; ``x``, whose length is even, enters as
    the right side and leaves as the solution. The factor C with C C' = A is made two columns at a
    time: all columns to the left are subtracted from the two in one go, by the tile that also sums
    ratings, then the first of the two from the second. The diagonal keeps 1 / C_ii, so that nothing
    is divided twice. Golub and Van Loan, Matrix Computations, 4th ed., section 4.2.
    """
    width = len(x)
    for j in range(0, width, 2):
        for i in range(j, width, 2):
            _add_products(a, i, j, a, a, j, -1)
        if not a[j, j] > 0.0:  # NaN is not
            return False
        scale_0 = 1.0 / np.sqrt(a[j, j])
        below = a[j + 1, j] * scale_0
        pivot = a[j + 1, j + 1] - below * below
        if not pivot > 0.0:
            return False
        scale_1 = 1.0 / np.sqrt(pivot)
        a[j, j], a[j + 1, j], a[j + 1, j + 1] = scale_0, below, scale_1
        for i in range(j + 2, width):
            a[i, j] *= scale_0
            a[i, j + 1] = (a[i, j + 1] - a[i, j] * below) * scale_1
    for i in range(width):  # C y = x
        x[i] = (x[i] - _dot(a[i], x, i)) * a[i, i]
    for i in range(width - 1, -1, -1):  # C' x = y
        found = x[i] * a[i, i]
        x[i] = found
        for k in range(i):
            x[k] -= a[i, k] * found
    return True


@njit(cache=True, parallel=True)
def latent_squared_errors(
    indptr,
    indices,
    data,
    offset,
    step,
    mean,
    row_bias,
    column_bias,
    rows,
    columns,
    parts,
    lowest,
    highest,
    out,
):
    """Sum the squared errors of each row, as `bias_squared_errors` does.

    ``rows`` and ``columns`` hold the factors.
    """
    n_factors = columns.shape[1]
    for part in prange(len(parts) - 1):
        for row in range(parts[part], parts[part + 1]):
            plain = 0.0
            clipped = 0.0
            for p in range(indptr[row], indptr[row + 1]):
                column = indices[p]
                rating = offset + step * data[p]
                predicted = mean + row_bias[row] + column_bias[column]
                predicted += _dot(rows[row], columns[column], n_factors)
                plain += (rating - predicted) ** 2
                clipped += (rating - min(max(predicted, lowest), highest)) ** 2
            out[row, 0] = plain
            out[row, 1] = clipped


@njit(cache=True)
def expected_ratings(users, items, mean, user_bias, item_bias, user_factors, item_factors, out):
    """Write ``mean + b_m + b_n + u_m · v_n`` for each pair of a user and an item index."""
    for i in range(len(users)):
        user, item = users[i], items[i]
        total = mean + user_bias[user] + item_bias[item]
        for k in range(user_factors.shape[1]):
            total += user_factors[user, k] * item_factors[item, k]
        out[i] = total


# --- implicit feedback (alslib.implicit) ---


@njit(cache=True, parallel=True)
def gram(columns, parts, out):
    """Write Σ v v' over each stretch of rows to ``out[part]``, on and below the diagonal.

    The caller adds up the stretches in order.
    """
    n_factors = columns.shape[1]
    width = n_factors + n_factors % 2
    for part in prange(len(parts) - 1):
        gathered = np.zeros((width, _BLOCK), np.float32)
        total = np.zeros((width, width))
        for first in range(parts[part], parts[part + 1], _BLOCK):
            n_block = min(_BLOCK, parts[part + 1] - first)
            for q in range(n_block):
                for k in range(n_factors):
                    gathered[k, q] = columns[first + q, k]
            _add_block(gathered, n_block, total)
        out[part] = total[:n_factors, :n_factors]


# --- top-N lists (alslib.recommend) ---

# Users scored side by side: so many share each panel of candidates while it is in the cache.
_GROUP = 64
# Scores looked through at a time: mostly none of them is worth a closer look.
_GLANCE = 32


@njit(cache=True, parallel=True)
def top_items(users, panels, candidates, rows, seen_indptr, seen, out_items, out_scores, n_found):
    """Find every user's candidates with the highest inner products, without those already seen.

    ``users`` has shape (n_users, depth), with ``depth`` a multiple of 4. ``panels`` holds the
    vectors of the ascending ``candidates``, padded with zeros: ``panels[panel, k, n]`` is element
    k of the n-th candidate of a panel. What ``users[i]`` has seen is row ``rows[i]`` of the
    compressed rows ``seen_indptr, seen``. The rows of ``out_items`` and ``out_scores`` come out
    best first, of equals the lower item first, ``n_found[i]`` of them.
    """
    n_users = len(users)
    n_panels, _, size = panels.shape
    n_wanted = out_items.shape[1]
    for group in prange((n_users + _GROUP - 1) // _GROUP):
        scores = np.empty(size, np.float32)
        begin, end = group * _GROUP, min((group + 1) * _GROUP, n_users)
        # The score to beat: none, until a list is full.
        to_beat = np.full(_GROUP, -np.inf, np.float32)
        n_found[begin:end] = 0
        for panel in range(n_panels):
            for user in range(begin, end):
                _score(users[user], panels[panel], scores)
                of_user = seen[seen_indptr[rows[user]] : seen_indptr[rows[user] + 1]]
                for start in range(0, size, _GLANCE):
                    n_better = 0
                    for n in range(start, start + _GLANCE):
                        n_better += scores[n] > to_beat[user - begin]
                    if n_better == 0:
                        continue
                    first = panel * size
                    for n in range(start, min(start + _GLANCE, len(candidates) - first)):
                        item, score = candidates[first + n], scores[n]
                        if score > to_beat[user - begin] and not _contains(of_user, item):
                            n_found[user] = _insert(
                                item, score, out_items[user], out_scores[user], n_found[user]
                            )
                            if n_found[user] == n_wanted:
                                to_beat[user - begin] = out_scores[user, n_wanted - 1]


@njit(cache=True, fastmath={"contract"})
def _score(user, panel, scores):
    """Write the inner product of a user's vector with each vector of a panel.

    Four elements at a time, so that a score is read and written once for four products.
    """
    scores[:] = 0.0
    for k in range(0, len(user), 4):
        u_0, u_1, u_2, u_3 = user[k], user[k + 1], user[k + 2], user[k + 3]
        p_0, p_1, p_2, p_3 = panel[k], panel[k + 1], panel[k + 2], panel[k + 3]
        for n in range(len(scores)):
            scores[n] += u_0 * p_0[n] + u_1 * p_1[n] + u_2 * p_2[n] + u_3 * p_3[n]


@njit(cache=True)
def _contains(ascending, wanted):
    at = np.searchsorted(ascending, wanted)
    return at < len(ascending) and ascending[at] == wanted


@njit(cache=True)
def _insert(item, score, items, scores, n_found):
    """Put an item in its place in a list, push out the last if it is full; return its length."""
    place = min(n_found, len(items) - 1)
    while place > 0 and scores[place - 1] < score:
        items[place], scores[place] = items[place - 1], scores[place - 1]
        place -= 1
    items[place], scores[place] = item, score
    return min(n_found + 1, len(items))


# --- synthetic worlds (alslib.synthetic) ---


@njit(cache=True)
def alias_table(weights):
    """Build the table that draws index ``i`` with probability ``weights[i] / sum`` in O(1).

    Cut the weights into ``n`` equal cells of at most two owners each: cell ``i`` belongs to ``i``
    up to ``threshold[i]``, and to ``alias[i]`` beyond. Vose, "A linear algorithm for generating
    random numbers with a given distribution", IEEE Transactions on Software Engineering 17, 1991.
    """
    n = len(weights)
    threshold = weights * (n / weights.sum())
    alias = np.arange(n).astype(np.int32)
    pending = np.empty(n, np.int64)  # small ones stacked from the left, large ones from the right
    n_small = 0
    n_large = 0
    for i in range(n):
        if threshold[i] < 1.0:
            pending[n_small] = i
            n_small += 1
        else:
            n_large += 1
            pending[n - n_large] = i
    while n_small > 0 and n_large > 0:
        n_small -= 1
        small = pending[n_small]
        large = pending[n - n_large]
        alias[small] = large
        threshold[large] -= 1.0 - threshold[small]
        if threshold[large] < 1.0:
            n_large -= 1
            pending[n_small] = large
            n_small += 1
    # Whoever is left has exactly its own cell, but for rounding.
    for k in range(n_small):
        threshold[pending[k]] = 1.0
    for k in range(n - n_large, n):
        threshold[pending[k]] = 1.0
    return threshold, alias


@njit(cache=True)
def fill_rows(indptr, n_given, indices, weights, threshold, alias, rng):
    """Fill each row with distinct columns, drawn by weight without replacement, and sort it.

    The first ``n_given[row]`` entries of a row are there already. Draws that hit a column twice are
    repeated; a row that has cost as many tries as there are columns is finished by a race: every
    column not drawn yet gets an exponential arrival time with its weight as rate, and the earliest
    win. Both give the same distribution, and the race forgets nothing, because an exponential
    waiting time has no memory. Efraimidis and Spirakis, "Weighted random sampling with a
    reservoir", Information Processing Letters 97, 2006.
    """
    n_columns = len(weights)
    drawn_by = np.full(n_columns, -1)
    arrival = np.empty(n_columns)
    for row in range(len(indptr) - 1):
        p = indptr[row] + n_given[row]
        stop = indptr[row + 1]
        for q in range(indptr[row], p):
            drawn_by[indices[q]] = row
        n_tries = 0
        while p < stop and n_tries < n_columns:
            n_tries += 1
            x = rng.random() * n_columns
            column = int(x)
            if x - column >= threshold[column]:
                column = alias[column]
            if drawn_by[column] != row:
                drawn_by[column] = row
                indices[p] = column
                p += 1
        if p < stop:
            for column in range(n_columns):
                taken = drawn_by[column] == row
                arrival[column] = np.inf if taken else rng.standard_exponential() / weights[column]
            indices[p:stop] = np.argpartition(arrival, stop - p - 1)[: stop - p]
        indices[indptr[row] : stop].sort()
