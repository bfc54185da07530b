"""Who rates what in a synthetic world."""

import numpy as np

from alslib.kernels.compiling import njit


@njit
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


@njit
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
            earliest = np.argsort(arrival)
            for q in range(stop - p):
                indices[p + q] = earliest[q]
        indices[indptr[row] : stop].sort()
