"""The same mathematics another way: dense, slow, and written without looking at the kernels."""

import numpy as np


def dense(ratings):
    """Return (values, observed): the full users × items matrix and where it is filled."""
    values = np.full((ratings.n_users, ratings.n_items), np.nan)
    users, items, stars = ratings.triples()
    values[ratings.user_index(users), ratings.item_index(items)] = stars
    return values, ~np.isnan(values)


def dense_by_item(ratings):
    """Return the full matrix read from the other view."""
    values = np.full((ratings.n_users, ratings.n_items), np.nan)
    for item in range(ratings.n_items):
        users, data = ratings.by_item.row(item)
        values[users, item] = ratings.decode(data)
    return values


def bias_objective(ratings, mean, user_bias, item_bias, lam, gamma):
    """Return L of the bias-only model, term by term."""
    values, observed = dense(ratings)
    errors = (values - mean - user_bias[:, None] - item_bias[None, :])[observed]
    return lam / 2 * errors @ errors + gamma / 2 * (user_bias @ user_bias + item_bias @ item_bias)


def bias_minimiser(ratings, mean, lam, gamma):
    """Return the biases at which L is smallest, from its normal equations, solved at once.

    L is a quadratic in all biases together: one row a rating, one column a user or item.
    """
    values, observed = dense(ratings)
    users, items = np.nonzero(observed)
    design = np.zeros((len(users), ratings.n_users + ratings.n_items))
    design[np.arange(len(users)), users] = 1
    design[np.arange(len(users)), ratings.n_users + items] = 1
    normal = lam * design.T @ design + gamma * np.eye(design.shape[1])
    biases = np.linalg.solve(normal, lam * design.T @ (values[observed] - mean))
    return biases[: ratings.n_users], biases[ratings.n_users :]


def latent_objective(ratings, mean, user, item, lam, gamma, tau, ridge_power=0):
    """Return L of the latent-factor model, term by term; ``user`` and ``item`` are (b, factors)."""
    values, observed = dense(ratings)
    (user_bias, user_factors), (item_bias, item_factors) = user, item
    shared = user_factors.astype(np.float64) @ item_factors.astype(np.float64).T
    errors = (values - mean - user_bias[:, None] - item_bias[None, :] - shared)[observed]
    total = lam / 2 * errors @ errors
    for (bias, factors), counts in ((user, observed.sum(1)), (item, observed.sum(0))):
        growth = np.where(counts > 0, counts, 1.0) ** ridge_power
        total += gamma / 2 * growth @ bias**2
        total += tau / 2 * growth @ (factors.astype(np.float64) ** 2).sum(1)
    return total


def ridge(design, target, penalty):
    """Return the minimiser of ‖target − design w‖² + Σ penalty w²."""
    if not len(penalty):
        return np.zeros(0)
    return np.linalg.solve(design.T @ design + np.diag(penalty), design.T @ target)


def ridge_misfit(found, design, target, penalty):
    """Return how far w is from that minimiser, as a share of what the slopes are sums of.

    However ill the equations are conditioned, it is of the size of one rounding if w is solved for
    well; w itself may then be further off.
    """
    found = np.asarray(found, float)
    slopes = design.T @ (design @ found - target) + penalty * found
    terms = np.abs(design).T @ (np.abs(design) @ np.abs(found) + np.abs(target))
    terms += penalty * np.abs(found)
    return np.max(np.abs(slopes) / np.where(terms > 0, terms, 1))


def unit_rows(*blocks):
    """Return dense blocks side by side, rows of length 1 in each block and then as a whole."""

    def scaled(block):
        lengths = np.linalg.norm(block, axis=1, keepdims=True)
        return np.divide(block, lengths, out=np.zeros(block.shape), where=lengths > 0)

    return scaled(np.hstack([scaled(np.asarray(block, float)) for block in blocks]))


def prior_ridge(design, target, penalty, prior):
    """Return the minimiser of ‖target − design w‖² + Σ penalty (w − prior)²."""
    return prior + ridge(design, target - design @ prior, penalty)


def assert_each_block_lowers(objective, model, ratings, rel):
    """Run four sweeps block by block: after no block is the objective larger than before."""
    value = objective()
    for _ in range(4):
        for name, update in model.blocks(ratings).items():
            update()
            before, value = value, objective()
            assert value <= before * (1 + rel), f"{name}: from {before} to {value}"


def assert_same_fit(there, here):
    """All that was learned has the same bits, and so have the records, but for their seconds."""
    for name, learned in vars(here).items():
        if isinstance(learned, np.ndarray):
            np.testing.assert_array_equal(getattr(there, name), learned, err_msg=name)
    assert records(there) == records(here)


def records(model):
    """Return the history as text, without seconds: equal where all bits are, and some are NaN."""
    return [str(record._replace(seconds=0)) for record in model.history_]


def conjugate_gradients(matrix, side, start, n_steps):
    """The textbook's, in float64."""
    x = start.copy()
    residual = side - matrix @ x
    direction = residual
    for _ in range(n_steps):
        if not residual.any():
            break
        size = residual @ residual / (direction @ matrix @ direction)
        x = x + size * direction
        before, residual = residual, residual - size * matrix @ direction
        direction = residual + residual @ residual / (before @ before) * direction
    return x
