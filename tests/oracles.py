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
