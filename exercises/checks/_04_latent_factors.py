"""Made from exercises/source/04_latent_factors.ipynb by `make exercises`: edit that."""

import numpy as np

from exercise_checks import hint, passed


def check_1(user_update, rng):
    n, n_factors, tau, power = 7, 3, 1.3, 0.4
    V, e = rng.normal(0, 1, (n, n_factors)), rng.normal(0, 1, n)
    lam = rng.uniform(0.3, 4, n)
    answer = np.asarray(user_update(V.copy(), e.copy(), lam.copy(), tau, power), float)
    if answer.shape == (n_factors, 1):
        return hint(
            "column",
            "The numbers stand in a column. A flat array is wanted, which is what a "
            "flat right side gives.",
        )
    if answer.shape != (n_factors,):
        return hint(
            "axis",
            f"A user with {n} ratings and {n_factors} factors should get {n_factors} "
            f"numbers, not an array of shape {answer.shape}. Over what does the sum "
            "of outer products run?",
        )
    ridge, eye = tau * n**power, np.eye(n_factors)
    plain, weighted, twice = V.T @ V, (V.T * lam) @ V, (V.T * lam**2) @ V
    right, plain_right, twice_right = V.T @ (lam * e), V.T @ e, V.T @ (lam**2 * e)

    def is_solution(matrix, side):
        return np.allclose(answer, np.linalg.solve(matrix, side), rtol=1e-3, atol=1e-5)

    if is_solution(weighted + ridge * eye, right):
        nothing = np.zeros((0, n_factors)), np.zeros(0), np.zeros(0)
        try:
            unrated = np.asarray(user_update(*nothing, tau, power), float)
        except Exception:
            unrated = np.full(n_factors, np.nan)
        if not np.allclose(unrated, 0):
            return hint(
                "unrated",
                "Right for a user with ratings. For one without any your ridge is 0 "
                "to a power, and no ridge is left to hold the factors at 0.",
            )
        return passed(
            "With equal λ this is the lesson's box, and a rating with λ = 0 is as "
            "good as absent but for the ridge that it brings. Weights cost nothing, "
            "and lesson 8 learns from clicks with them."
        )
    if is_solution(plain + ridge * eye, plain_right):
        return hint(
            "no-lambda",
            "The precisions are missing: all ratings count alike. The derivative of "
            "each square keeps the λ in front of it.",
        )
    if is_solution(plain + ridge * eye, right):
        return hint(
            "matrix-unweighted",
            "The precisions are in the right side only. The product of a factor and "
            "the user stands in the same bracket as the rating, behind the same λ.",
        )
    if is_solution(weighted + ridge * eye, plain_right):
        return hint(
            "right-unweighted",
            "The precisions are in the matrix only. What is left of the ratings "
            "stands in the same bracket, behind the same λ.",
        )
    if is_solution(twice + ridge * eye, right) or is_solution(
        twice + ridge * eye, twice_right
    ):
        return hint(
            "squared",
            "The precisions enter the matrix squared. Was V multiplied by them before "
            "the product with itself?",
        )
    if is_solution(weighted + ridge, right):
        return hint(
            "ridge-everywhere",
            "The ridge has been added to all entries of the matrix, and so it holds "
            "only the sum of the factors near 0. Which entries does τI have?",
        )
    if is_solution(weighted + tau * eye, right):
        return hint(
            "no-growth", "The ridge does not grow with the number of ratings here."
        )
    if is_solution(weighted + n * tau * eye, right) or is_solution(
        weighted + n * ridge * eye, right
    ):
        return hint(
            "ridge-per-rating",
            "The ridge has been added once for each rating. It stands behind the sum "
            "over the ratings, not in it.",
        )
    if is_solution(weighted, right):
        return hint(
            "no-ridge",
            "The ridge is missing from the matrix. With fewer ratings than factors "
            "there would be no single lowest point.",
        )
    if is_solution(weighted / n + ridge * eye, right / n):
        return hint(
            "mean",
            "A mean over the ratings where the objective has a sum: against a mean "
            f"the ridge weighs {n} times as much as it should.",
        )
    rest = (
        right - weighted @ answer
    )  # with any ridge, this is the ridge times the answer
    mine = rest @ answer / max(answer @ answer, 1e-12)
    if np.allclose(rest, mine * answer, atol=1e-4):
        return hint(
            "ridge",
            f"Both sums are right. But the ridge comes to {mine:.2f} here, for τ = "
            f"{tau}, a = {power} and {n} ratings. Only the number of ratings is "
            "raised to the power.",
        )
    return hint(
        "other",
        "Not the lowest point. Try one factor and one rating with V and e equal to 1, "
        "τ = 1 and λ = 4: it should give four fifths.",
    )


from alslib import Ratings


def check_2(update, rng):
    rated = rng.random((12, 9)) < 0.6
    rated[0] = np.arange(9) == 4  # one rating, fewer than factors
    rated[1:, :5] = rated[1] = True
    users, items = np.nonzero(rated)
    ratings = Ratings(users, items, rng.integers(1, 11, len(users)) / 2)
    U, V, tau = rng.normal(0, 1, (12, 3)), rng.normal(0, 1, (9, 3)), 0.8
    given = U.copy(), V.copy()
    answer = np.asarray(update(ratings, *given, tau), float)
    if answer.shape != U.shape:
        return hint(
            "shape",
            f"An array of shape {U.shape} is wanted, the factors of the users, not "
            f"one of shape {answer.shape}.",
        )
    stars = ratings.decode(ratings.by_user.data) - ratings.mean

    def solve_all(shares, ridge, own):
        # `shares` times the matrix is added to it, `own` times the old products is taken away.
        new = np.zeros_like(U)
        for m in range(len(U)):
            entries = slice(*ratings.by_user.indptr[m : m + 2])
            v = V[ratings.by_user.indices[entries]]
            left = stars[entries] - own * (v @ U[m])
            new[m] = np.linalg.pinv((1 + shares) * v.T @ v + ridge * np.eye(3)) @ (
                v.T @ left
            )
        return new

    def is_like(other, rows=slice(None), tolerance=1e-4):
        return np.allclose(answer[rows], other[rows], rtol=tolerance, atol=tolerance)

    if is_like(solve_all(0, tau, 0)):
        if not np.array_equal(given[0], U):
            return hint(
                "in-place",
                "The numbers are right, but the array of users that was handed in has "
                "been overwritten. Whoever wants to compare before and after compares "
                "an array with itself.",
            )
        return passed(
            "Calling an exact update twice is a test that needs no known answer: the "
            "second call must change nothing. L alone would have been a weaker alarm, "
            "for it fell in the first call."
        )
    buggy = solve_all(0, tau, 1)
    if is_like(buggy):
        return hint(
            "own-share",
            "This still swings. The residuals have the user's own share taken away "
            "already, and the new factors explain only what the old ones did not.",
        )
    if is_like(U + buggy):
        return hint(
            "held-change",
            "Close, but not the lowest point. Here the ridge holds the change near 0, "
            "and changes add up: called often enough, this update forgets the ridge.",
        )
    if is_like(solve_all(1, tau, 0), tolerance=0.01):
        return hint(
            "settled",
            "Repeating it until it rests does end somewhere, but not at the lowest "
            "point. What does each of the calls try to explain?",
        )
    if is_like((U + buggy) / 2):
        return hint(
            "damped",
            "Going half of the way calms the swinging, and comes to rest at a wrong "
            "place. An exact update needs no step size.",
        )
    if is_like(solve_all(0, 0, 0), rows=slice(1, None)):
        return hint(
            "no-ridge",
            "Now the ridge is missing from the systems. It was right as it stood.",
        )
    return hint(
        "other",
        "Neither the lowest point nor where the old update lands. The sum on the "
        "right side runs over the factors times what is left of each rating: left by "
        "what?",
    )


def check_3(best_scale, share_of_users, single_tau, rng):
    U, V = rng.normal(0, 1.5, (8, 3)), rng.normal(0, 0.7, (13, 3))
    scale, share, tau = (
        float(best_scale(U, V)),
        float(share_of_users),
        float(single_tau),
    )
    ratio = np.sum(V**2) / np.sum(U**2)

    def is_scale(value):
        return bool(np.isclose(scale, value, rtol=1e-3))

    if is_scale(ratio**-0.25) and not is_scale(ratio**0.25):
        return hint(
            "upside-down",
            "The right number for the other side: this c makes the longer side longer still.",
        )
    if is_scale(ratio**0.5) or is_scale(ratio):
        return hint(
            "root",
            "The right sums, but c goes into a length and L contains squared lengths, "
            "of both sides. Differentiate c² · Σ‖u‖² + Σ‖v‖² / c² once more.",
        )
    if is_scale((np.mean(V**2) / np.mean(U**2)) ** 0.25):
        return hint(
            "mean",
            "Means where L has sums. There are more movies than users, and every one "
            "of them is paid for.",
        )
    if not is_scale(ratio**0.25):
        lengths = [np.linalg.norm(side, axis=1).sum() for side in (U, V)]
        if is_scale((lengths[1] / lengths[0]) ** 0.5):
            return hint(
                "lengths",
                "Lengths where L has squared lengths: two users of length 1 cost less "
                "than one of length 2.",
            )
        return hint(
            "scale",
            "Only the penalty depends on c. Write it as a function of c, with the two "
            "sums of squares as constants, and set its derivative to zero.",
        )
    if np.isclose(share, 671 / 9737, rtol=0.02) or np.isclose(share, 9066 / 9737):
        return hint(
            "by-heads",
            "That is the share of the heads. What would `best_scale` return if one "
            "side had more of the squared lengths than the other, and could L be "
            "lowest then?",
        )
    if share > 1:
        return hint("percent", "A share lies between 0 and 1.")
    if share != 0.5:
        return hint(
            "share",
            "At the lowest point no scale makes L lower. What does that say about the "
            "c that `best_scale` returns there, and so about the two sums?",
        )
    if tau in (5, 10):
        return hint(
            "arithmetic",
            "A mean of the two settings, or their sum. But the model can move length "
            "from one side to the other: what matters is the lowest penalty over all "
            "c.",
        )
    if tau in (1, 9):
        return hint(
            "one-side",
            "Neither side decides alone: length moves to where it is cheaper, until "
            "both sides pay the same.",
        )
    if np.isclose(tau, 1.8):
        return hint(
            "harmonic",
            "The harmonic mean. Put the best c into 1 · c² · Σ‖u‖² + 9 · Σ‖v‖² / c² "
            "and look at what is left of 1 and 9.",
        )
    if not np.isclose(tau, 3, rtol=1e-3):
        return hint(
            "tau",
            "Put the best c into 1 · c² · Σ‖u‖² + 9 · Σ‖v‖² / c². For which single τ "
            "is the lowest value of τ · c² · Σ‖u‖² + τ · Σ‖v‖² / c² the same?",
        )
    return passed(
        "Two settings for τ are one: only their product matters, since the model is "
        "free to choose the scale. Biases have no such freedom, which is why two γ "
        "were worth having."
    )


from copy import deepcopy
from functools import cache

from alslib import make_ratings, rmse


def weighted_als(ratings, lam, tau, n_sweeps=10):
    users, items = ratings.by_user.rows(), ratings.by_user.indices
    left = ratings.decode(ratings.by_user.data) - ratings.mean
    weights = lam[users]

    def half_step(rows, design, n_rows):
        A, b = np.empty((n_rows, 2, 2)), np.empty((n_rows, 2, 1))
        for i in range(2):
            b[:, i, 0] = np.bincount(rows, weights * left * design[:, i], n_rows)
            for j in range(2):
                products = weights * design[:, i] * design[:, j]
                A[:, i, j] = np.bincount(rows, products, n_rows)
        return np.linalg.solve(A + tau * np.eye(2), b)[..., 0]

    U = np.random.default_rng(0).normal(0, 0.3, (ratings.n_users, 2))
    for _ in range(n_sweeps):
        V = half_step(items, U[users], ratings.n_items)
        U = half_step(users, V[items], ratings.n_users)
    squares = np.bincount(users, (left - np.sum(U[users] * V[items], axis=1)) ** 2)
    return U, V, squares / (ratings.user_counts - 2)


@cache
def heard_in(seed):
    """Return ratings, how far off factors are from the truth, and the best equal weights."""
    world = make_ratings(
        *(300, 150, 9_000),
        user_bias_sd=0,
        item_bias_sd=0,
        n_factors=2,
        factor_sd=1.5,
        noise_sd=0.2,
        half_stars=False,
        random_state=seed,
    )
    draw = np.random.default_rng(seed)
    calm = draw.random(300) < 0.5
    more_noise = draw.normal(0, np.where(calm, 0, 1.5)[world.users])
    ratings = Ratings(world.users, world.items, world.values + more_noise)
    truth = world.expected(np.flatnonzero(calm)[:, None], np.arange(150))

    def off(U, V, *_):
        return rmse(truth, ratings.mean + np.asarray(U)[calm] @ np.asarray(V).T)

    equal = [weighted_als(ratings, np.ones(300), tau) for tau in (0.5, 1, 1.5, 2, 3, 5)]
    return ratings, off, min(equal, key=lambda fit: off(*fit))


@cache
def predicted_by_kind_of_weights(seed):
    ratings, _, best = heard_in(seed)
    variances, rows = best[2], ratings.by_user.rows()
    stars = ratings.decode(ratings.by_user.data)
    means = np.bincount(rows, stars) / ratings.user_counts
    weights = {
        "equal": np.ones(300),
        "upside-down": variances,
        "counts": ratings.user_counts.astype(float),
        "spread-of-ratings": ratings.user_counts
        / np.bincount(rows, (stars - means[rows]) ** 2),
        "no-square": variances**-0.5,
        "sum": 1 / (variances * ratings.user_counts),
        "left-out": (variances < np.median(variances)) + 1e-6,
        "not-below": 1 / variances,
    }
    predictions = {}
    for name, lam in weights.items():
        fits = [weighted_als(ratings, lam, tau * np.mean(lam)) for tau in (0.1, 1, 3)]
        predictions[name] = [(U @ V.T).ravel() for U, V, _ in fits]
    return predictions


def check_4(fit_factors, rng):
    seed = int(rng.integers(1000)) + 1
    ratings, off, best = heard_in(seed)
    factors = fit_factors(deepcopy(ratings))  # an answer may write into its own
    if [np.shape(side) for side in factors] != [(300, 2), (150, 2)]:
        return hint(
            "shape",
            "Two arrays are wanted: two factors for each of 300 users, then two for "
            "each of 150 movies.",
        )
    if not all(np.isfinite(side).all() for side in factors):
        return hint(
            "nan",
            "Some factors are not numbers. Is `user_update` done, and is anything divided by 0?",
        )

    share = off(*factors) / off(*best)
    told = f"You are {share:.2f} times as far off as equal weights."
    if share <= 0.45:
        return passed(
            f"{told} Half of the users spoilt the movies for all. They are still "
            "heard, only with less attention, and everybody gains by it."
        )
    hints = {
        "equal": "All users still seem to weigh about the same. By how much do the "
        "residuals of an erratic user differ from those of a calm one?",
        "upside-down": "It is the erratic who weigh most. A precision is one over a variance.",
        "counts": "This looks like weights by the number of ratings. Who says much "
        "need not know what they say.",
        "spread-of-ratings": "This looks like weights by the spread of the ratings. "
        "Somebody with a strong taste spreads them, too: noise "
        "is only what a model leaves.",
        "no-square": "This looks like one over the standard deviation of the "
        "residuals. What is a precision?",
        "sum": "This looks like one over the sum of the squared residuals: who rates "
        "much has a large sum, and is heard less.",
        "left-out": "Some users seem to be left out altogether. A calm one among them "
        "has no factors at all, and counts in the error all the same.",
        "not-below": "Fit, measure what is left of each user's ratings, weigh, fit "
        "again. Then choose τ by the held-back ratings of those who seem "
        "calm.",
    }
    predictions = (np.asarray(factors[0]) @ np.asarray(factors[1]).T).ravel()
    kinds = predicted_by_kind_of_weights(seed)

    def likeness(name):
        return max(np.corrcoef(predictions, like)[0, 1] for like in kinds[name])

    nearest = max(kinds, key=likeness)
    return hint(nearest, f"{told} {hints[nearest]}")
