"""Products with a sparse matrix: what features say of rows, and rows of features (lesson 6)."""

from alslib.kernels.compiling import njit


@njit
def multiply(first, last, indptr, indices, data, columns, out):
    """Write some rows of S X: of each row of S, with its entries as numbers, the sum of rows of X.

    Four at a time, so that a sum is read and written once for all of them, and yet one after the
    other: results do not depend on where a row is cut.
    """
    n_columns = columns.shape[1]
    for row in range(first, last):
        total = out[row]
        total[:] = 0.0
        begin, end = indptr[row], indptr[row + 1]
        last_four = end - (end - begin) % 4
        for p in range(begin, last_four, 4):
            a_0, a_1, a_2, a_3 = data[p], data[p + 1], data[p + 2], data[p + 3]
            x_0, x_1 = columns[indices[p]], columns[indices[p + 1]]
            x_2, x_3 = columns[indices[p + 2]], columns[indices[p + 3]]
            for k in range(n_columns):
                total[k] = total[k] + a_0 * x_0[k] + a_1 * x_1[k] + a_2 * x_2[k] + a_3 * x_3[k]
        for p in range(last_four, end):
            a, x = data[p], columns[indices[p]]
            for k in range(n_columns):
                total[k] += a * x[k]
