"""Made from exercises/source/11_results_to_trust.ipynb by `make exercises`: edit that."""

from exercise_checks import hint, letters, passed


def check_1(flaws):
    named = letters(flaws, "ABCDEFGH")
    if not named or len(set(named)) < len(named):
        return hint("letters", 'Letters are wanted, each at most once, such as "AB".')
    sound = {
        "A": "A: a split at random answers an easier question than a split by time, but "
        "it answers it for both models. And with a fixed seed anybody can repeat it.",
        "B": "B: the ratings that choose are a part of `train`. What do they know of the "
        "test?",
        "C": "C: the genres of all movies are used, those of the test as well. But they "
        "were known before anybody rated.",
        "E": "E: `inner` learns and `validation` chooses; then all of `train` is learned "
        "from. Is there anything of the test in that?",
        "H": "H: a prediction above five stars is nonsense, and both models are clipped.",
    }
    for letter, why in sound.items():
        if letter in named:
            return hint(f"sound-{letter}", why)
    if "D" not in named:
        return hint(
            "leak",
            "There is one more, and it is the largest. Whose stars are in each of the "
            "things that the new model is told?",
        )
    if "F" not in named:
        return hint(
            "chosen",
            "There is one more. It may cost next to nothing in this run. Who has decided "
            "what, and with the help of which ratings?",
        )
    if "G" not in named:
        return hint(
            "other-ratings",
            "There is one more. Two errors are compared. Are they errors on the same "
            "ratings?",
        )
    return passed(
        "A leak, a choice by the test, and two different exams. None of them is a slip "
        "of arithmetic: each line does what its author wanted it to do."
    )


import numpy as np

from alslib import (
    FeatureALS,
    Ratings,
    load_movielens,
    movie_features,
    rmse,
    train_test_split,
)
from exercise_checks import apart


def check_2(compare, rng):
    movielens = load_movielens()
    whole = Ratings.from_frame(movielens.ratings)
    some = rng.permutation(whole.n_users)[:200]
    train, test = train_test_split(
        whole.select(np.isin(whole.by_user.rows(), some)), 0.2, random_state=0
    )
    users, items, stars = test.triples()

    def asked(these):
        # The test with other stars: nobody can know them, so they can change nothing.
        other = test.select(np.ones(test.n_ratings, dtype=bool))
        other.by_user.data[:] = test.by_user.data[these]
        by_item = np.argsort(test.by_user.indices, kind="stable")
        other.by_item.data[:] = other.by_user.data[by_item]
        return [np.asarray(p, float) for p in compare(train, other, movielens.movies)]

    first = asked(np.arange(len(stars)))
    if len(first) != 2 or any(p.ndim != 1 for p in first):
        return hint("two", "Two arrays are wanted: without esteem, and then with it.")
    if any(len(p) != len(stars) for p in first):
        return hint(
            "other-ratings",
            f"The test has {len(stars)} ratings, and there are {len(first[0])} and "
            f"{len(first[1])} predictions. Both models have to answer all of them.",
        )
    if not all(np.isfinite(p).all() for p in first):
        return hint("nan", "Some predictions are not numbers.")
    if np.allclose(first[0], first[1]):
        return hint(
            "same",
            "Both models predict the same. The second one should know the esteem of "
            "each movie, as far as `train` tells it.",
        )
    shuffled = [asked(rng.permutation(len(stars))) for _ in range(2)]
    if not all(
        np.allclose(a, b, atol=1e-6) for a, b in zip(first, shuffled[0], strict=True)
    ):
        if all(np.allclose(a, b, atol=1e-6) for a, b in zip(*shuffled, strict=True)):
            return hint(
                "chosen",
                "When the stars of the test are shuffled, other settings are chosen. So "
                "it is the test that chooses.",
            )
        return hint(
            "leak",
            "When the stars of the test are shuffled, the predictions change. Some of "
            "what the model is told has been made from them.",
        )
    model = FeatureALS(0, gamma=2, gamma_features=3, n_sweeps=4)
    model.fit(train, progress=False, item_features=movie_features(movielens.movies))
    usual = rmse(stars, model.predict(users, items))
    plain, ours = (rmse(stars, p) for p in first)
    if ours < usual - 0.008 or plain < usual - 0.008:
        return hint(
            "elsewhere",
            f"Your errors are {plain:.3f} and {ours:.3f}, and that is too good to be "
            "true. Are there stars of the test in something that was made outside of "
            "your function, of `ratings`, say?",
        )
    if plain > usual + 0.03:
        return hint(
            "baseline",
            f"Genres and decades alone should reach about {usual:.3f}, and you get "
            f"{plain:.3f}. A weak baseline is a flaw as well.",
        )
    told = f"With esteem the error is {apart(ours, plain, 'that without', 'stars', 3)}."
    return passed(
        f"{told} A movie's own ratings are in its esteem, so in training the feature "
        "explains more than it can ever explain of a rating that is yet to come."
    )


def check_3(interval, rng):
    counts = rng.permutation(np.repeat([5, 20, 60, 120], [60, 60, 20, 10]))
    oddness = rng.normal(0, 0.3, len(counts)) + 0.006 * counts
    users = np.repeat(rng.permutation(1000)[: len(counts)], counts)
    saved = np.repeat(oddness, counts) + rng.normal(0, 0.5, len(users))
    order = rng.permutation(len(users))
    users, saved = users[order], saved[order]
    ends = np.asarray(
        interval(saved.copy(), users.copy(), np.random.default_rng(0)), float
    )
    if ends.shape != (2,) or not np.isfinite(ends).all():
        return hint("two", "Two numbers are wanted: the lower end and the upper one.")
    low, high = ends
    if low > high:
        return hint("order", "The lower end comes first.")
    _, who = np.unique(users, return_inverse=True)
    sums, sizes = np.bincount(who, saved), np.bincount(who)
    drawn = np.random.default_rng(1).integers(0, len(sums), (8000, len(sums)))
    means = sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    of_people = (sums / sizes)[drawn].mean(axis=1)
    a, b = np.quantile(means, [0.025, 0.975])
    width, middle = (high - low) / (b - a), (low + high) / 2
    if abs(middle - of_people.mean()) < abs(middle - means.mean()) - 0.05 * (b - a):
        return hint(
            "people-alike",
            "This lies around the mean over people, in which somebody with five ratings "
            "weighs as much as somebody with a hundred.",
        )
    if not low < saved.mean() < high:
        return hint("beside", "The mean itself does not lie between the two ends.")
    if width > 3:
        return hint(
            "single",
            "Between these ends lie single ratings, or single people. It is the mean of "
            "all that is asked about.",
        )
    if 0.9 < width < 1.12 and abs(middle - (a + b) / 2) < 0.15 * (b - a):
        return passed(
            "Whoever draws ratings one by one gets an interval that is too narrow, the "
            "more so the more a person's ratings are alike. It would have called "
            "certain what these people cannot tell."
        )
    by_rating = 2 * 1.96 * saved.std() / np.sqrt(len(saved)) / (b - a)
    if abs(width / by_rating - 1) < 0.15:
        return hint(
            "by-rating",
            "This is as narrow as if ratings were drawn one by one. Draw people, each "
            "with all of their ratings.",
        )
    if 0.4 < width < 0.62:
        return hint(
            "one-error",
            "About half as wide as it should be: is this one standard error to either "
            "side? Or the middle two thirds of the means?",
        )
    if 0.75 < width <= 0.9:
        return hint(
            "ninety",
            "A little too narrow. Outside of it should lie a fortieth of the means on "
            "either side.",
        )
    return hint(
        "other",
        "Not this interval. Draw as many people as there are, add up their `saved` and "
        "their numbers of ratings, and divide.",
    )


from alslib import BiasALS, grid_search, k_fold, make_ratings


def folds(ratings, seed, learns="train", chooses="validation", clip=True):
    """Return the RMSE of five folds by the protocol of the benchmarks, or by another one."""
    errors, gammas = [], {"gamma": [2.0, 3.0, 4.0, 5.0]}
    for train, test in k_fold(ratings, 5, seed):
        inner, validation = train_test_split(train, 0.1, random_state=0)
        if chooses == "test":
            inner, validation = train, test
        found = grid_search(BiasALS(), gammas, inner, validation, progress=False)
        users, items, stars = test.triples()
        model = found.model.fit(train if learns == "train" else inner, progress=False)
        errors.append(rmse(stars, model.predict(users, items, clip=clip)))
    return np.array(errors)


def with_one_gamma(ratings, seed, gamma):
    errors = []
    for train, test in k_fold(ratings, 5, seed):
        users, items, stars = test.triples()
        model = BiasALS(gamma=gamma).fit(train, progress=False)
        errors.append(rmse(stars, model.predict(users, items)))
    return np.array(errors)


def check_4(five_errors, rng):
    seed = int(rng.integers(1, 1000))
    world = make_ratings(
        150, 100, 2_500, user_bias_sd=0.7, noise_sd=1.1, random_state=seed
    ).ratings
    answer = np.asarray(five_errors(world, seed), float)
    right = folds(world, seed)
    if answer.size == 1 and abs(answer.item() - right.mean()) < 2e-4:
        return hint("mean", "The mean is right. Each of the five is wanted.")
    if answer.shape != (5,):
        return hint("five", "Five numbers are wanted, one for each fold.")

    def are(errors):
        return bool(np.allclose(answer, errors, rtol=0, atol=2e-4))

    if are(right):
        return passed(
            "A description is complete when somebody else gets the same digits from it. "
            "How many papers that you have read say what was done with the predictions "
            "above five stars?"
        )
    if are(folds(world, 0)):
        return hint(
            "seed", "These are the folds of seed 0. `seed` says which are asked for."
        )
    if are(right**2):
        return hint("square", "These are squares of errors. The root is missing.")
    if are(folds(world, seed, chooses="test")):
        return hint(
            "test-chooses",
            "γ and the number of sweeps have been chosen on the test ratings, which "
            "should be met once.",
        )
    if are(folds(world, seed, learns="inner")):
        return hint(
            "a-tenth-missing",
            "The model that meets the test has not seen the tenth that chose. What "
            "happens after the choice?",
        )
    if are(folds(world, seed, clip=False)):
        return hint("not-clipped", "Some predictions lie outside of the scale.")
    if any(are(with_one_gamma(world, seed, gamma)) for gamma in (1, 2, 3, 4, 5)):
        return hint("one-gamma", "The same γ in all folds: nothing has been chosen.")
    if np.all(answer < right - 0.02):
        return hint(
            "too-low",
            "These are lower than they can be. Are they errors on ratings that the "
            "model has learned from?",
        )
    if np.abs(answer - right).max() < 0.03:
        return hint(
            "near",
            f"You are off by up to {np.abs(answer - right).max():.4f}. Go through the "
            "description word by word: which folds, which tenth, what is chosen, what is "
            "fitted again?",
        )
    return hint("other", "Not these errors. Begin with one fold and a fixed γ.")
