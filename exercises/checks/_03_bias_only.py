"""Made from exercises/source/03_bias_only.ipynb by `make exercises`: edit that."""

import numpy as np

from exercise_checks import hint, passed


def check_1(movie_bias, rng):
    e, c, lam, gamma = rng.normal(1, 1, 6), -2.0, 2.5, 4.0
    total, n = np.sum(e), len(e)
    answer = float(movie_bias(e.copy(), c, lam, gamma))

    def is_close(value):
        return bool(np.isclose(answer, value))

    if is_close((lam * total + gamma * c) / (lam * n + gamma)):
        with np.errstate(all="ignore"):
            unrated = float(movie_bias(np.array([]), c, lam, gamma))
        if not np.isclose(unrated, c):
            return hint(
                "unrated",
                "Right for a movie with ratings. One without any should get c, what "
                "was expected of it; a mean of nothing is nan.",
            )
        return passed(
            "It is a weighted mean of what the ratings say and what was expected: γ/λ "
            "imaginary ratings of c. Lesson 6 learns c from the genres."
        )
    if is_close((total + gamma * c) / (n + gamma)):
        return hint(
            "no-lambda",
            "λ is missing, so this is right for λ = 1 only. It weighs the squared "
            "errors, and the derivative keeps it, in the numerator and in the "
            "denominator.",
        )
    if is_close(lam * total / (lam * n + gamma)):
        return hint(
            "no-prior",
            "This pulls the bias towards 0, as in the lesson. The derivative of (b − c)² contains c.",
        )
    if is_close(lam * total / (lam * n + gamma) + c):
        return hint(
            "added",
            "c has been added to the lesson's bias. But the ratings already contain "
            "what makes the movie good, so with many ratings c would be counted twice.",
        )
    if is_close((lam * total + c) / (lam * n + gamma)):
        return hint(
            "prior-weight",
            "c counts once here. How many imaginary ratings of c are there?",
        )
    if is_close(lam * total + gamma * c):
        return hint(
            "sum",
            "This is a sum where a mean belongs: it grows with the number of ratings.",
        )
    if is_close((lam * total / n + gamma * c) / (lam + gamma)):
        return hint(
            "mean",
            "A mean over the ratings where the objective has a sum: a hundred ratings "
            "would weigh as much as one.",
        )
    if is_close(total / n):
        return hint(
            "no-gamma",
            "This is the plain mean of the ratings. The penalty has been dropped.",
        )
    if is_close((lam * total - gamma * c) / (lam * n + gamma)):
        return hint(
            "sign",
            "A sign went wrong: the better the movie is expected to be, the lower you put it.",
        )
    return hint(
        "other",
        "Not the lowest point of this parabola. As γ grows the bias should tend to c, "
        "and with many ratings to their mean.",
    )


from alslib import Ratings


def one_step(ratings, view, other_bias, gamma):
    left = ratings.decode(view.data) - ratings.mean - other_bias[view.indices]
    counts = np.diff(view.indptr)
    return np.bincount(view.rows(), left, len(counts)) / (counts + gamma)


def check_2(sweep, rng):
    rated = rng.random((12, 9)) < 0.5
    rated[:, 0] = rated[0] = True
    users, items = np.nonzero(rated)
    stars = rng.integers(1, 11, len(users)) / 2
    ratings, gamma = Ratings(users, items, stars), 0.7
    user_bias, item_bias = rng.normal(0, 1, 12), rng.normal(0, 1, 9)
    given = user_bias.copy(), item_bias.copy()
    users_now, items_now = sweep(ratings, *given, gamma)
    unchanged = np.array_equal(given[0], user_bias) and np.array_equal(
        given[1], item_bias
    )
    right_users = one_step(ratings, ratings.by_user, item_bias, gamma)
    right_items = one_step(ratings, ratings.by_item, right_users, gamma)
    old_items = one_step(ratings, ratings.by_item, user_bias, gamma)
    if np.shape(users_now) != (12,) or np.shape(items_now) != (9,):
        return hint(
            "axis",
            "The first array should have a bias for each user, the second one for "
            "each movie. Were the two exchanged, or did a sum run over the wrong side?",
        )
    if np.allclose(users_now, right_users) and np.allclose(items_now, right_items):
        if not unchanged:
            return hint(
                "in-place",
                "The numbers are right, but the arrays that were handed in have been "
                "overwritten. Whoever wants to compare before and after compares an "
                "array with itself.",
            )
        return passed(
            "Alternating is the point: the second block has to see what the first has "
            "just learned. All users at once is fine, for no user's parabola contains "
            "another user."
        )
    if np.allclose(users_now, right_users) and np.allclose(items_now, old_items):
        return hint(
            "simultaneous",
            "The movies are updated with the old biases of the users. Users and "
            "movies then both explain the same stars, and next time both take them "
            "back.",
        )
    if np.allclose(items_now, old_items) and np.allclose(
        users_now, one_step(ratings, ratings.by_user, old_items, gamma)
    ):
        return hint(
            "movies-first",
            "This alternates, which is the cure. The task asks for users first.",
        )
    if np.allclose(users_now, right_users) and np.allclose(items_now, item_bias):
        return hint(
            "half", "That is half a sweep: the movies still have their old biases."
        )
    if np.allclose(users_now, (user_bias + right_users) / 2):
        return hint(
            "damped",
            "Going half of the way calms the swinging, but it is no longer the lowest "
            "point of anything. There is a cure that needs no step size.",
        )
    return hint(
        "other",
        "Neither the old sweep nor an alternating one. Use `half_step` twice: what "
        "should the second call be told about the users?",
    )


def check_3(gamma_factor, rmse_factor, objective_factor):
    gamma_is, rmse_is = float(gamma_factor), float(rmse_factor)
    objective_is = float(objective_factor)
    if gamma_is in (4, 0.25):
        return hint(
            "gamma-like-a-variance",
            "A precision does change with the scale: by a quarter, for λ and γ alike. "
            "Only their ratio matters, and λ was left at 1.",
        )
    if gamma_is != 1:
        return hint(
            "gamma",
            "γ/λ is a number of imaginary ratings. Double the residuals in the "
            "update: what happens to the bias, and does the number of imaginary "
            "ratings enter it?",
        )
    if rmse_is == 4:
        return hint(
            "rmse-squared",
            "The mean of the squared errors grows so. Then comes the root.",
        )
    if rmse_is == 1:
        return hint(
            "rmse-unchanged",
            "An RMSE is measured in stars, and the stars have become smaller. The "
            "model is as good as before, the number is not: it cannot be compared "
            "across scales.",
        )
    if rmse_is != 2:
        return hint(
            "rmse",
            "If every prediction and every rating doubles, what does their difference?",
        )
    if objective_is == 2:
        return hint(
            "objective-linear", "L is made of squares: of errors, and of biases."
        )
    if objective_is == 1:
        return hint(
            "objective-unchanged",
            "The best biases double, so the squared errors grow, and so does the penalty on them.",
        )
    if objective_is != 4:
        return hint(
            "objective",
            "Put doubled errors and doubled biases into L, with the same λ and γ.",
        )
    return passed(
        "So γ may be carried from one scale to another, and an RMSE may not: a "
        "paper's error on ten stars has to be halved before it is compared with one "
        "on five."
    )


from alslib import make_ratings, rmse, train_test_split
from exercise_checks import apart


def alternate(train, gamma_users, gamma_items):
    items = np.zeros(train.n_items)
    for _ in range(20):
        users = one_step(train, train.by_user, items, gamma_users)
        items = one_step(train, train.by_item, users, gamma_items)
    return users, items


def error_of(biases, train, test):
    of_each = np.asarray(biases[0])[test.by_user.rows()]
    of_each = of_each + np.asarray(biases[1])[test.by_user.indices]
    return rmse(test.decode(test.by_user.data), train.mean + of_each)


def check_4(fit_biases, rng):
    of_users, of_items, noise = 100.0, 10.0, 60.0  # hundredths of a star
    gammas = (noise / of_users) ** 2, (noise / of_items) ** 2
    worlds, errors = [], []
    for seed in rng.choice(1000, 3, replace=False):
        world = make_ratings(
            *(500, 800, 8_000),
            mean=350,
            user_bias_sd=of_users,
            item_bias_sd=of_items,
            noise_sd=noise,
            half_stars=False,
            random_state=int(seed) + 1,
        )
        train, test = train_test_split(world.ratings, 0.3, random_state=0)
        answer = fit_biases(train, noise, of_users, of_items)
        if [np.shape(side) for side in answer] != [(train.n_users,), (train.n_items,)]:
            return hint(
                "shape",
                f"Two arrays are wanted: {train.n_users} biases of users, then "
                f"{train.n_items} of movies.",
            )
        if not all(np.isfinite(side).all() for side in answer):
            return hint(
                "nan",
                "Some biases are not numbers. Is anything divided by a count of 0?",
            )

        single = min(
            error_of(alternate(train, gamma, gamma), train, test)
            for gamma in (0.1, 0.3, 0.5, 1, 2, 3, 5, 8, 12, 20, 30, 50)
        )
        worlds.append((train, answer))
        best = error_of(alternate(train, *gammas), train, test)
        errors.append((error_of(answer, train, test), single, best))
    mine, single, best = np.mean(errors, axis=0) / 100
    told = (
        f"On average you are {apart(mine, single, 'the best single γ', 'stars', 4)}, "
        f"and {single - best:.4f} is what the right precisions gain."
    )
    if single - mine >= 0.9 * (single - best):
        return passed(
            f"{told} What is known of a world belongs into the prior. On MovieLens "
            "movies differ somewhat more than people, yet no pair of γ was reliably "
            "better than one."
        )

    def is_like(gamma_users, gamma_items):
        train, answer = worlds[0]
        other = alternate(train, gamma_users, gamma_items)
        return all(
            np.corrcoef(mine, its)[0, 1] > 0.99
            and abs(np.std(mine) / np.std(its) - 1) < 0.02
            for mine, its in zip(answer, other, strict=True)
        )

    if is_like(*gammas[::-1]):
        return hint(
            "swapped",
            f"{told} The two precisions have been exchanged: those who differ much "
            "are held firmly near 0, and those who hardly differ are left free.",
        )
    if is_like(noise / of_users, noise / of_items):
        return hint(
            "no-square",
            f"{told} You have used standard deviations. A precision is one over a variance.",
        )
    if is_like(1 / of_users**2, 1 / of_items**2):
        return hint(
            "no-lambda",
            f"{told} The noise is missing: γ alone does not count, only γ/λ does, and λ is not 1 here.",
        )
    if is_like((of_users / noise) ** 2, (of_items / noise) ** 2):
        return hint(
            "inverted",
            f"{told} The ratios are upside down: the less the movies differ, the more "
            "firmly they should be held.",
        )
    return hint(
        "not-below",
        f"{told} With λ = 1/noise² and γ = 1/sd² on each side, which ratios does `half_step` need?",
    )
