"""Products with a sparse matrix: what features say of rows, and rows of features (lesson 6)."""

from alslib.kernels.compiling import njit


@njit
def multiply(first, last, indptr, indices, data, columns, out):
    """Write some rows of S X: of each row of S, with its entries as numbers, the sum of rows of X.

    Eight at a time, so that a sum is read and written once for all of them. The eight are added in
    the type of ``data`` and ``columns``, all else in that of ``out``, in the order of the entries:
    results do not depend on how rows are shared among threads.
    """
    n_columns = columns.shape[1]
    for row in range(first, last):
        total = out[row]
        total[:] = 0.0
        begin, end = indptr[row], indptr[row + 1]
        last_eight = end - (end - begin) % 8
        for p in range(begin, last_eight, 8):
            a_0, a_1, a_2, a_3 = data[p], data[p + 1], data[p + 2], data[p + 3]
            a_4, a_5, a_6, a_7 = data[p + 4], data[p + 5], data[p + 6], data[p + 7]
            x_0, x_1 = columns[indices[p]], columns[indices[p + 1]]
            x_2, x_3 = columns[indices[p + 2]], columns[indices[p + 3]]
            x_4, x_5 = columns[indices[p + 4]], columns[indices[p + 5]]
            x_6, x_7 = columns[indices[p + 6]], columns[indices[p + 7]]
            for k in range(n_columns):
                four = a_0 * x_0[k] + a_1 * x_1[k] + a_2 * x_2[k] + a_3 * x_3[k]
                total[k] += four + (a_4 * x_4[k] + a_5 * x_5[k] + a_6 * x_6[k] + a_7 * x_7[k])
        for p in range(last_eight, end):
            a, x = data[p], columns[indices[p]]
            for k in range(n_columns):
                total[k] += a * x[k]
