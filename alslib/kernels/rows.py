"""From ids to compressed rows, and from rows to a part of them (lesson 1)."""

import numpy as np

from alslib.kernels.compiling import njit


@njit
def mark_present(ids, lowest, present):
    """Set ``present[id - lowest]`` for every id that occurs."""
    for i in range(len(ids)):
        present[ids[i] - lowest] = True


@njit
def translate(ids, lowest, table, out):
    """Write the dense index of every id: ``out[i] = table[ids[i] - lowest]``."""
    for i in range(len(ids)):
        out[i] = table[ids[i] - lowest]


@njit
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


@njit
def encode(values, offset, step, codes):
    """Write ``codes[i]``, the number of steps from ``offset`` to ``values[i]``."""
    for i in range(len(values)):
        codes[i] = np.uint8(np.rint((values[i] - offset) / step))


@njit
def row_pointers(rows, n_rows):
    """Count the entries of each row and return their running sum, length ``n_rows + 1``."""
    indptr = np.zeros(n_rows + 1, np.int64)
    for row in rows:
        indptr[row + 1] += 1
    for row in range(n_rows):
        indptr[row + 1] += indptr[row]
    return indptr


@njit
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


@njit
def next_places(rows, cursor):
    """Return the place of every entry in its row, and move the rows' cursors behind them."""
    places = np.empty(len(rows), np.int64)
    for i in range(len(rows)):
        places[i] = cursor[rows[i]]
        cursor[rows[i]] += 1
    return places


@njit
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


@njit
def ascend(indptr, indices):
    """Tell whether the indices of each row ascend, none of them twice."""
    for row in range(len(indptr) - 1):
        for p in range(indptr[row] + 1, indptr[row + 1]):
            if indices[p] <= indices[p - 1]:
                return False
    return True


@njit
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


@njit
def row_sums(indptr, data, weights):
    """Sum the entries of each row in float64, each as often as its weight says, if any has one.

    One after the other, so that a row's sum does not depend on what other rows there are.
    """
    sums = np.zeros(len(indptr) - 1)
    for row in range(len(sums)):
        for p in range(indptr[row], indptr[row + 1]):
            sums[row] += weights[p] * np.float64(data[p]) if len(weights) else data[p]
    return sums


@njit
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


@njit
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
