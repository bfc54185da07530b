"""Every compiled loop of the course, and nothing else.

The sections follow the lessons. A kernel takes plain arrays, does one thing, and has an oracle in
``tests/`` that computes the same thing another way. Two rules keep results identical whatever the
number of threads: ``prange`` runs only over rows that do not touch each other, and whatever is
summed over rows is first written to an array and then added up in a fixed order.

A stored rating is a small code; its value is ``offset + step * data[p]`` (see `alslib.ratings`).
"""

import numpy as np
from numba import njit, prange

from alslib._llvm import (
    FLOAT32_LANES,
    FLOAT64_LANES,
    TILE_ROWS,
    add_outer_products,
    inner_product,
    prefetch,
)

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

# Ratings gathered at a time: with 64 factors they fill half of a processor's first-level cache.
_BLOCK = 64
# Blocks whose sum may stay in float32 before it moves on to float64: 512 ratings.
_BLOCKS_PER_FLUSH = 8


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

    ``columns`` holds the fixed factors, padded with zeros to a width that is a multiple of 16;
    ``parts`` are the borders between stretches of rows with about equal work. A row's normal
    matrix and right side, divided by λ, are

        [ n + g   s'    ] [b]   [Σ e   + g c]      n ratings, e = r − μ − (bias of the column),
        [ s       A + hI] [u] = [Σ e v + h p]      s = Σ v,  A = B + Σ v v',

    with B = ``base``, flat, what all rows have in common (zeros but for implicit feedback), g =
    ``bias_ridge[row]``, h = ``factor_ridge[row]`` and the prior means c = ``bias_prior[row]`` and
    p = ``factor_prior[row]``, at which a row without ratings stays.
    Eliminating b first leaves a system of the size of u. A matrix that is not positive definite
    leaves its row as it was and is counted in ``singular[part]``.
    """
    width = columns.shape[1]
    for part in prange(len(parts) - 1):
        gathered = np.empty(_BLOCK * width, np.float32)
        weights = np.empty(_BLOCK * 2, np.float32)
        # Rows of A, then s, then Σ e v: the sum of a few blocks, and of all of them.
        partial = np.zeros((width + 2) * width, np.float32)
        total = np.empty((width + 2) * width, np.float64)
        solution = np.empty(width, np.float64)
        singular[part] = 0
        for row in range(parts[part], parts[part + 1]):
            begin, end = indptr[row], indptr[row + 1]
            if begin == end:
                if solve_bias:
                    row_bias[row] = bias_prior[row]
                if solve_factors:
                    row_factors[row] = factor_prior[row]
                continue
            total[: width * width] = base
            total[width * width :] = 0.0
            error_sum = bias_ridge[row] * bias_prior[row]
            n_pending = 0
            for first in range(begin, end, _BLOCK):
                n_block = min(_BLOCK, end - first)
                for q in range(n_block):
                    column = indices[first + q]
                    ahead = np.int64(indices[min(first + q + _BLOCK, len(indices) - 1)])
                    prefetch(column_bias, ahead)
                    for k in range(0, width, FLOAT32_LANES):
                        prefetch(columns, ahead * width + k)
                    error = offset + step * data[first + q] - mean - column_bias[column]
                    error_sum += error
                    weights[2 * q] = 1.0
                    weights[2 * q + 1] = error
                    for k in range(width):
                        gathered[q * width + k] = columns[column, k]
                _add_block(gathered, weights, n_block, width, partial)
                n_pending += 1
                if n_pending == _BLOCKS_PER_FLUSH or first + n_block == end:
                    n_pending = 0
                    _flush(partial, total, width)
            shrunk = 1.0 / (end - begin + bias_ridge[row])
            if solve_factors:
                if solve_bias:
                    _eliminate_bias(total, width, error_sum, shrunk, solution)
                else:
                    _subtract_bias(total, width, row_bias[row], solution)
                for k in range(width):
                    total[k * width + k] += factor_ridge[row]
                for k in range(row_factors.shape[1]):
                    solution[k] += factor_ridge[row] * factor_prior[row, k]
                if not _cholesky_solve(total, width, solution):
                    singular[part] += 1
                    continue
                for k in range(row_factors.shape[1]):
                    row_factors[row, k] = solution[k]
            if solve_bias:
                explained = 0.0
                for k in range(row_factors.shape[1]):
                    explained += total[width * width + k] * row_factors[row, k]
                row_bias[row] = (error_sum - explained) * shrunk


@njit(cache=True)
def _add_block(gathered, weights, n, width, partial):
    """Add the outer products of ``n`` gathered rows, and their sums weighted by 1 and by e."""
    for j in range(0, width, FLOAT32_LANES):
        for i in range(0, j + FLOAT32_LANES, TILE_ROWS):
            at = i * width + j
            add_outer_products(
                partial, at, width, gathered, i, width, gathered, j, width, n, TILE_ROWS, 1
            )
        sums = width * width + j
        add_outer_products(partial, sums, width, weights, 0, 2, gathered, j, width, n, 2, 1)


@njit(cache=True)
def _flush(partial, total, width):
    """Move what is on or above the diagonal, and the two vectors below it, to float64."""
    for i in range(width + 2):
        first = i - i % FLOAT32_LANES if i < width else 0
        for p in range(i * width + first, (i + 1) * width):
            total[p] += partial[p]
            partial[p] = 0.0


@njit(cache=True)
def _eliminate_bias(total, width, error_sum, shrunk, side):
    """Take the row of b out of the system: A − s s' / (n + g), and Σ e v − s Σ e / (n + g)."""
    s = width * width
    for i in range(width):
        share = total[s + i] * shrunk
        for j in range(i - i % TILE_ROWS, width):
            total[i * width + j] -= share * total[s + j]
        side[i] = total[s + width + i] - share * error_sum


@njit(cache=True)
def _subtract_bias(total, width, bias, side):
    """Write the right side of the factors alone, the bias being known: Σ e v − s b."""
    s = width * width
    for i in range(width):
        side[i] = total[s + width + i] - total[s + i] * bias


@njit(cache=True)
def _cholesky_solve(a, width, x):
    """Solve a symmetric system in place; return whether its matrix is positive definite.

    ``a`` is flat, row after row, and only its upper triangle is read; ``x`` enters as the right
    side and leaves as the solution; ``width`` is a multiple of 8. The factor U with U'U = A is
    made eight rows at a time: all rows above are subtracted from the eight in one go, then the
    eight from each other. Golub and Van Loan, Matrix Computations, 4th ed., section 4.2.
    """
    for start in range(0, width, TILE_ROWS):
        for j in range(start, width, FLOAT64_LANES):
            add_outer_products(
                a, start * width + j, width, a, start, width, a, j, width, start, TILE_ROWS, -1
            )
        for k in range(start, start + TILE_ROWS):
            above = start * width
            for j in range(start, width, FLOAT64_LANES):
                add_outer_products(
                    a,
                    k * width + j,
                    width,
                    a,
                    above + k,
                    width,
                    a,
                    above + j,
                    width,
                    k - start,
                    1,
                    -1,
                )
            pivot = a[k * width + k]
            if not pivot > 0.0:  # NaN is not
                return False
            scale = 1.0 / np.sqrt(pivot)
            for j in range(start, width):
                a[k * width + j] *= scale
            x[k] *= scale
            for j in range(k + 1, width):
                x[j] -= a[k * width + j] * x[k]
    for k in range(width - 1, -1, -1):
        after = k + 1
        x[k] = (x[k] - _dot(a, k * width + after, x, after, width - after)) / a[k * width + k]
    return True


# "reassoc" lets LLVM add in several lanes at once: always the same ones, whatever the thread.
@njit(cache=True, fastmath={"reassoc", "contract"})
def _dot(a, i, b, j, n):
    """Return the inner product of ``a[i:i + n]`` and ``b[j:j + n]`` in float64."""
    total = 0.0
    for k in range(n):
        total += np.float64(a[i + k]) * np.float64(b[j + k])
    return total


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

    ``rows`` and ``columns`` hold the factors, padded with zeros to a multiple of 16.
    """
    width = columns.shape[1]
    row_factors = rows.reshape(-1)
    column_factors = columns.reshape(-1)
    for part in prange(len(parts) - 1):
        for row in range(parts[part], parts[part + 1]):
            plain = 0.0
            clipped = 0.0
            for p in range(indptr[row], indptr[row + 1]):
                column = np.int64(indices[p])
                rating = offset + step * data[p]
                predicted = mean + row_bias[row] + column_bias[column]
                predicted += inner_product(
                    row_factors, row * width, column_factors, column * width, width
                )
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
    """Write Σ v v' over each stretch of rows, on and above the diagonal, to a row of ``out``.

    ``columns`` is padded as for `latent_half_step`; the caller adds up the stretches in order.
    """
    width = columns.shape[1]
    vectors = columns.reshape(-1)
    for part in prange(len(parts) - 1):
        weights = np.zeros(_BLOCK * 2, np.float32)
        partial = np.zeros((width + 2) * width, np.float32)
        total = np.zeros((width + 2) * width, np.float64)
        for first in range(parts[part], parts[part + 1], _BLOCK):
            n_block = min(_BLOCK, parts[part + 1] - first)
            _add_block(vectors[first * width :], weights, n_block, width, partial)
            _flush(partial, total, width)
        out[part] = total[: width * width]


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
