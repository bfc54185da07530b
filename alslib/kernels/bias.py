"""The half-step and the errors of the bias-only model (lesson 3)."""

from alslib.kernels.compiling import njit


@njit
def half_step(first, last, view, targets, column_bias, lam, gamma, row_bias):
    """Set every row's bias to the exact minimiser of L with the columns' biases held fixed.

    A rating counts once, or as often as its weight says, if the ``targets`` have weights.
    In plain NumPy: `alslib.reference.bias`.
    """
    indptr, indices, data = view
    offset, step, mean, weights = targets
    for row in range(first, last):
        total = count = 0.0
        for p in range(indptr[row], indptr[row + 1]):
            weight = weights[p] if len(weights) else 1.0
            total += weight * (offset + step * data[p] - mean - column_bias[indices[p]])
            count += weight
        # A row without ratings has no data to move it away from its prior mean, zero.
        row_bias[row] = lam * total / (lam * count + gamma) if count > 0 else 0.0


@njit
def squared_errors(first, last, view, targets, row_bias, column_bias, scale, out):
    """Sum the squared errors of each row: of the plain prediction, and of one clipped to the scale.

    ``out`` has shape (n_rows, 2); the caller adds up its columns, in an order that no thread
    can change.
    """
    indptr, indices, data = view
    offset, step, mean, weights = targets
    lowest, highest = scale
    for row in range(first, last):
        plain = 0.0
        clipped = 0.0
        for p in range(indptr[row], indptr[row + 1]):
            rating = offset + step * data[p]
            predicted = mean + row_bias[row] + column_bias[indices[p]]
            weight = weights[p] if len(weights) else 1.0
            plain += weight * (rating - predicted) ** 2
            clipped += weight * (rating - min(max(predicted, lowest), highest)) ** 2
        out[row, 0] = plain
        out[row, 1] = clipped
