"""Every exact update of the course once more: in plain NumPy, and in the notation of the book.

One function is one boxed formula, for one row: a user with ratings r of movies whose parameters are
held fixed, or a movie with the roles exchanged. The models run compiled siblings of these
(`alslib.kernels`), which do the same for all rows at once; tests compare the two.

In all of them e, of shape (n,), is r − μ − (biases of the other side) in stars, and V, of shape
(n, K), holds the factors of what was rated. The other letters are those of the objective: λ
``lam``, γ ``gamma``, τ ``tau``, and the priors c and p, of shape (K,), where a row lies without
ratings. The sources are those that `LatentALS`, `FeatureALS` and `ImplicitALS` name.
"""

import numpy as np


def bias(e, lam, gamma, c=0.0):
    """Lesson 3: b = (λ Σ e + γ c) / (λ n + γ), the lowest point of a parabola."""
    return (lam * e.sum() + gamma * c) / (lam * len(e) + gamma)


def factors(e, V, lam, tau, p=0.0):
    """Lessons 4 and 6: u = (λ V'V + τ I)⁻¹ (λ V'e + τ p)."""
    identity = np.eye(V.shape[1])
    return np.linalg.solve(lam * V.T @ V + tau * identity, lam * V.T @ e + tau * p)


def bias_and_factors(e, V, lam, gamma, tau, c=0.0, p=0.0):
    """Lessons 4 and 7: both at once, as one system of K + 1; fold-in is this, too.

    (λ Z'Z + R) w = λ Z'e + R w₀, where w = (b, u), w₀ = (c, p), Z = [1 V] and
    R = diag(γ, τ, …, τ).
    """
    n, K = V.shape
    Z = np.column_stack([np.ones(n), V])
    R = np.diag(np.r_[gamma, np.full(K, tau)])
    start = np.r_[c, np.broadcast_to(p, K)]
    w = np.linalg.solve(lam * Z.T @ Z + R, lam * Z.T @ e + R @ start)
    return w[0], w[1:]


def features(V, S, weights, tau, tau_features):
    """Lesson 6: F = (τ S'WS + τ_f I)⁻¹ τ S'WV, all at once, over the rated movies.

    Rows of V are the movies' factors, or their biases with γ for τ; rows of S are
    their features, scaled to length 1; W = diag(weights), by which a ridge has grown.
    """
    SW, identity = S.T * weights, np.eye(S.shape[1])
    return np.linalg.solve(tau * SW @ S + tau_features * identity, tau * SW @ V)


def chosen(V, of_user, lam, tau):
    """Lesson 8: u = (V'V + (λ − 1) Σ v v' + τ I)⁻¹ λ Σ v, over the chosen v."""
    C = V[of_user]
    A = V.T @ V + (lam - 1) * C.T @ C + tau * np.eye(V.shape[1])
    return np.linalg.solve(A, lam * C.sum(axis=0))


def ridge_growth(n_ratings, power):
    """By how much the ridge of a row has grown: n^a, and 1 without ratings."""
    return np.maximum(n_ratings, 1) ** float(power)
