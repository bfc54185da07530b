"""Made from exercises/source/02_power_laws.ipynb by `make exercises`: edit that."""

import numpy as np

from exercise_checks import hint, passed


def same(answer, expected):
    """Tell whether an answer is this array, whatever kind of sequence it is."""
    answer = np.asarray(answer)
    return answer.shape == np.shape(expected) and bool(np.allclose(answer, expected))


def check_1(at_least, rng):
    degrees = rng.permutation(np.repeat([0, 1, 3, 7, 20], rng.integers(2, 9, 5)))
    values, counts = np.unique(degrees, return_counts=True)
    answer_values, shares = at_least(degrees.copy())
    if same(answer_values, values[1:]):
        return hint(
            "no-zeros",
            "The degree 0 is missing. A logarithmic axis has no place for it, but the "
            "movies without ratings still belong to the catalogue, and to the number "
            "you divide by.",
        )
    if not same(answer_values, values):
        return hint(
            "values",
            "The first array should hold each degree that occurs once, in ascending order.",
        )
    right = np.array([np.mean(degrees >= value) for value in values])
    if same(shares, right):
        return passed(
            "The curve begins at 1 and never reaches 0, so every point of it can be "
            "drawn on a logarithmic axis. With `larger than` in place of `or larger` "
            "the last point could not."
        )
    if same(shares, right * len(degrees)):
        return hint(
            "not-a-share", "These are numbers of movies. A share is one of all of them."
        )
    if same(shares, right - counts / len(degrees)):
        return hint(
            "larger-only",
            "These are the shares that are larger. The movies with exactly that "
            "degree are missing, and so the last point is 0.",
        )
    if same(shares, np.cumsum(counts) / len(degrees)):
        return hint(
            "from-the-left",
            "The shares grow. You have added up from the left: these degrees are as large or smaller.",
        )
    if same(shares, counts / len(degrees)):
        return hint(
            "exactly",
            "These are the shares with exactly that degree. Add up those of all larger ones too.",
        )
    if same(shares, right / right.sum()):
        return hint(
            "divided-by-sum",
            "The shares add up to 1, and they should not: a movie with 7 ratings is "
            "among those with 3 or more as well. Divide by the number of movies.",
        )
    return hint(
        "other",
        "Not these shares. Try the four degrees of the example, which give 1, 3/4, 1/4.",
    )


def check_2(seen_from_ratings, rng):
    degrees = rng.integers(0, 9, 12)
    squares, total, n = np.sum(degrees**2), np.sum(degrees), len(degrees)
    small = float(seen_from_ratings(degrees.copy()))
    if np.isclose(small, squares / total):
        # Degrees whose squares need more room than the type they are kept in.
        large = np.full(4, 60_000, dtype=np.int32)
        if not np.isclose(float(seen_from_ratings(large)), 60_000):
            return hint(
                "overflow",
                "Right for small degrees. The square of 60,000 does not fit into an "
                "int32, though, and NumPy wraps round without a warning.",
            )
        return passed(
            "It is the mean plus the variance divided by the mean, so the two "
            "averages agree only if all movies have equally many ratings. Your "
            "friends have more friends than you do, for the same reason."
        )
    if np.isclose(small, total / n):
        return hint(
            "over-movies",
            "This is the average over movies. A line of the file hits a movie with "
            "many ratings more often than one with few.",
        )
    if np.isclose(small, squares / n):
        return hint(
            "not-normalised",
            "Each movie is weighted by its degree, as it should be, but then divide "
            "by the sum of the weights, which is the number of ratings, not of movies.",
        )
    if np.isclose(small, np.sqrt(squares / n)):
        return hint(
            "root",
            "This is a root mean square. No root is needed: find d with chance d / sum.",
        )
    if np.isclose(small, np.median(np.repeat(degrees, degrees))):
        return hint(
            "median",
            "Weighted rightly, but this is the median of what is seen, not the mean.",
        )
    return hint(
        "other",
        "Not this average. For degrees 1 and 3 there are four lines: one finds 1 and "
        "three find 3, which makes 2.5 on average.",
    )


def check_3(density, rng):
    edges = np.array([1, 2, 4, 7, 12, 20])
    counts = rng.integers(1, 50, 5)
    shares, widths = counts / counts.sum(), np.diff(edges)
    answer = density(counts.copy(), edges.copy())
    if same(answer, shares / widths):
        return passed(
            "The bins grow in proportion to x, so each share contains a factor x too "
            "many: the slope of undivided shares is α − 1. The same slip explains "
            "many a published exponent."
        )
    if same(answer, shares):
        return hint(
            "no-width",
            "These are the shares of the bins. A wide bin catches more only because it is wide.",
        )
    if same(answer, counts / widths):
        return hint(
            "not-a-share",
            "Per whole number, yes, but these are counts. Over all whole numbers a "
            "density adds up to 1.",
        )
    if same(answer, shares / np.diff(np.log(edges))) or same(
        answer, shares / np.diff(np.log10(edges))
    ):
        return hint(
            "log-width",
            "You have divided by the width on the logarithmic axis, which is the same "
            "for all bins. Ask how many whole numbers are in a bin.",
        )
    if same(answer, shares / (widths + 1)) or same(
        answer, shares / np.maximum(widths - 1, 1)
    ):
        return hint(
            "off-by-one",
            "The number of whole numbers in a bin is off by one. From 4 up to, but "
            "not including, 7: that is 4, 5, 6.",
        )
    if same(answer, counts / widths / np.sum(widths)):
        return hint(
            "divided-twice",
            "Divide by the number of draws, not by all widths together.",
        )
    return hint(
        "other",
        "Not this density. Times the number of whole numbers in each bin, it should add up to 1.",
    )


def check_4(exponential_rate, rng):
    body, tail = rng.uniform(0, 5, 150), 5 + rng.exponential(4.0, 100)
    x = rng.permutation(np.append(body, tail))
    kappa, error = (float(number) for number in exponential_rate(x.copy(), 5.0))
    right = 1 / (tail.mean() - 5)
    if np.isclose(kappa, right):
        if np.isclose(error, right / np.sqrt(len(tail))):
            return passed(
                "The tail remembers nothing: beyond any point it looks as it did "
                "beyond x_min, only the excess counts. A power law does remember, and "
                "that is what makes it heavy."
            )
        if np.isclose(error, right / np.sqrt(len(x))):
            return hint(
                "error-of-all",
                "The rate is right. The standard error counts all numbers, but only "
                "those in the tail have taught you anything.",
            )
        if np.isclose(error, right**2 / len(tail)):
            return hint(
                "variance",
                "The rate is right. What you give as its error is one over the "
                "curvature, a variance; the standard error is its root.",
            )
        return hint(
            "error",
            "The rate is right, its standard error is not. Take the second derivative "
            "of the log-likelihood: how does it depend on the rate?",
        )
    if np.isclose(kappa, 1 / right):
        return hint(
            "inverted",
            "This is the mean excess over x_min, which is one over the rate. A tail "
            "that reaches far should have a small rate.",
        )
    if np.isclose(kappa, 1 / tail.mean()):
        return hint(
            "no-shift",
            "The tail begins at x_min, not at 0. Does the constant C contain x_min, "
            "and did it stay in the log-likelihood?",
        )
    if np.isclose(kappa, 1 / np.mean(x)) or np.isclose(kappa, 1 / (np.mean(x) - 5)):
        return hint(
            "all-numbers",
            "Numbers below x_min have been counted in. They are not in the tail.",
        )
    if np.isclose(kappa, 1 + len(tail) / np.sum(np.log(tail / 5))):
        return hint(
            "power-law",
            "This is the exponent of a power law. Derive it anew for e^(−κx).",
        )
    return hint(
        "other",
        "Not this rate. The normalised density is κ·exp(−κ(x − x_min)); what is the "
        "logarithm of it, added up over the tail?",
    )


from scipy.special import zeta

from alslib import Ratings, fit_power_law, load_movielens
from exercise_checks import apart


def degrees_among_a_third(rng):
    """Return two halves of the degrees of the movies, as a third of the users make them."""
    ratings = Ratings.from_frame(load_movielens().ratings)
    # Nobody knows these degrees: among fewer users a movie has others than in the notebook.
    counted = rng.permutation(ratings.n_users) % 3 == 0
    degrees = ratings.select(counted[ratings.by_user.rows()]).item_counts
    degrees = rng.permutation(degrees[degrees > 0])
    return degrees[::2], degrees[1::2]


def check_5(fit, rng):
    x, scores, of_law = np.arange(1, 100_001), [], []
    for _ in range(4):
        known, unseen = degrees_among_a_third(rng)
        log_p = fit(known.copy())
        if not callable(log_p):
            return hint(
                "no-function",
                "`fit` should return a function, which is then asked about degrees.",
            )
        with np.errstate(all="ignore"):
            total = float(np.sum(np.exp(log_p(x))))
            scores.append(float(np.mean(log_p(unseen))))
        if np.max(log_p(x[:50])) > 0 and np.min(log_p(x[:50])) >= 0:
            return hint(
                "no-logarithm",
                "These look like probabilities. Their logarithms are wanted, which are negative.",
            )
        if not np.isfinite(total) or total > 1.001:
            return hint(
                "not-normalised",
                f"The probabilities of 1 to 100,000 add up to {total:.3g}. A density for "
                "real numbers need not sum to 1 over whole numbers; divide by the sum.",
            )
        if not np.isfinite(scores[-1]):
            return hint(
                "memorised",
                "A degree that the first half has not shown gets probability 0, and the "
                "second half has some of these. A formula may not rule out what it has "
                "not seen.",
            )
        alpha = fit_power_law(known, x_min=1).alpha
        of_law.append(np.mean(-alpha * np.log(unseen) - np.log(zeta(alpha, 1))))
    score, of_law = float(np.mean(scores)), float(np.mean(of_law))
    gain = score - of_law
    told = f"On unseen movies you are {apart(score, of_law, 'the power law', 'a movie', 3)}."
    if gain >= 0.03:
        return passed(
            f"{told} The gain comes from the bend: popular movies run out of users to "
            "rate them. No power law has an end, and every site has."
        )
    if abs(gain) < 0.002:
        return hint(
            "power-law",
            f"{told} This is the power law itself. What does its tail get wrong?",
        )
    if gain < -0.1:
        return hint(
            "light-tail",
            f"{told} Some movies have far more ratings than your formula thinks "
            "possible. A sum of squares or an exponential alone has no heavy tail.",
        )
    if total < 0.98:
        return hint(
            "wasted",
            f"{told} Your probabilities add up to {total:.3f} only: the rest is given "
            "to degrees that do not exist.",
        )
    return hint(
        "not-above",
        f"{told} Look where the CCDF of the movies bends away from a straight line.",
    )
