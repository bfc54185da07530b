"""Made from exercises/source/08_what_rmse_hides.ipynb by `make exercises`: edit that."""

import numpy as np

from exercise_checks import hint, passed


def gain_of(hits, first=1):
    # Discounted gain of places that hit or miss; the first place may be numbered wrongly.
    return np.sum(np.asarray(hits) / np.log2(np.arange(first, first + len(hits)) + 1.0))


def nearly(answer, expected):
    return bool(np.allclose(answer, expected, rtol=1e-6))


def check_1(ndcg, rng):
    k, n = 10, 40
    order = rng.permutation(n)  # from the highest score to the lowest
    scores = np.empty(n)
    scores[order] = np.linspace(1, -5, n) + rng.uniform(0, 0.05, n)  # mostly negative
    seen = order[[0, 4, 7, 20]]
    few, many = order[[2, 8, 11, 30]], order[[2, 8, 11, 25, 26, *range(30, 40)]]
    # The tenth place of the list has the movie at 12, the eleventh, just off it, the one at 13.
    sets = (
        few,
        many,
        order[[1, 3, 6, 10, 15, 22, 35]],
        order[[5, 12, 30]],
        order[[5, 13, 30]],
    )

    def asked(k):
        return [
            float(
                ndcg(scores.copy(), rng.permutation(seen), rng.permutation(wanted), k)
            )
            for wanted in sets
        ]

    answer = asked(k)
    unseen = order[~np.isin(order, seen)]
    top = order[:k]
    as_zero = np.where(np.isin(np.arange(n), seen), 0, scores)
    lists = {
        "seen-listed": top,
        "cut-first": top[~np.isin(top, seen)],
        "worst-first": unseen[::-1][:k],
        "zero-is-high": np.argsort(-as_zero)[:k],
    }

    def judged(listed, ideal=None, first=1, capped=k):
        found = []
        for wanted in sets:
            hits = np.isin(listed, wanted)
            best = min(len(wanted), capped) if ideal is None else ideal(hits, wanted)
            found.append(gain_of(hits, first) / gain_of(np.ones(best), first))
        return found

    listed = unseen[:k]
    if nearly(answer, judged(listed)):
        if not nearly(asked(7), judged(unseen[:7], capped=7)):
            return hint("ten", "Right for k = 10. With k = 7 it is not.")
        return passed(
            "The base of the logarithm does not matter: it cancels when you divide by "
            "the best list. What must be right is where the counting of places begins."
        )
    for n_listed, name, text in (
        (
            k + 1,
            "one-too-many",
            "A favourite just behind the end of the list still counts",
        ),
        (
            k - 1,
            "one-too-few",
            "A favourite at the last place of the list does not count",
        ),
    ):
        cut = unseen[:n_listed]
        if nearly(answer, judged(cut)) or nearly(answer, judged(cut, capped=n_listed)):
            return hint(name, f"{text}. How many places has it?")
    for name, text in {
        "seen-listed": "The list still holds movies that the user has rated in "
        "training. They cannot be among the held-back favourites, so "
        "each of them wastes a place.",
        "cut-first": "The list was cut to k places before the seen movies were taken "
        "out, so it has become too short, and favourites that would have "
        "moved up are lost.",
        "worst-first": "The movies with the lowest scores come first.",
        "zero-is-high": "You have set the scores of seen movies to 0. Scores can be "
        "negative, and then 0 is a good one.",
    }.items():
        if nearly(answer, judged(lists[name])):
            return hint(name, text)
    upside_down = np.concatenate([seen, unseen[::-1]])[:k]  # with -inf for seen movies
    if nearly(answer, judged(upside_down)):
        return hint(
            "worst-first", "The lowest scores come first, seen movies above all."
        )
    if not np.isfinite(answer).all() or nearly(answer, judged(listed, first=2)):
        return hint(
            "offset",
            "The places are numbered wrongly, so the discounts are shifted. What "
            "should a hit at the very first place gain?",
        )
    if nearly(answer, judged(listed, ideal=lambda hits, wanted: hits.sum())):
        return hint(
            "best-of-found",
            "You compare with the best order of the hits that are on the list. A list "
            "that found one favourite out of many would be perfect if it stood on top.",
        )
    if nearly(answer, judged(listed, ideal=lambda hits, wanted: len(wanted))):
        return hint(
            "uncapped",
            "Right while there are at most k favourites. With more than that, not "
            "even the best possible list of k places would get 1 from you.",
        )
    if nearly(answer, judged(listed, ideal=lambda hits, wanted: k)):
        return hint(
            "always-k",
            "You compare with a list of k hits. Somebody with two favourites cannot have that many.",
        )
    if nearly(answer, judged(np.argsort(-np.delete(scores, seen))[:k])):
        return hint(
            "renumbered",
            "Taking entries out of an array moves all later ones up. What is sorted "
            "then are other numbers than the indices in `wanted`.",
        )
    everywhere = [gain_of(np.isin(unseen, wanted)) for wanted in sets]
    of_k = [gain_of(np.ones(min(len(wanted), k))) for wanted in sets]
    of_all = [gain_of(np.ones(len(wanted))) for wanted in sets]
    if nearly(answer, np.divide(everywhere, of_k)) or nearly(
        answer, np.divide(everywhere, of_all)
    ):
        return hint(
            "no-end",
            "The whole ranking counts here, to its last place. A list has k places.",
        )
    gains = [gain_of(np.isin(listed, wanted)) for wanted in sets]
    if nearly(answer, gains):
        return hint(
            "not-normalised",
            "This is the discounted gain itself, which can be above 1. The n in nDCG is missing.",
        )
    n_hits = np.array([np.isin(listed, wanted).sum() for wanted in sets])
    if nearly(answer, n_hits / k) or nearly(
        answer, n_hits / [len(wanted) for wanted in sets]
    ):
        return hint(
            "no-discount",
            "All places count alike here. That is precision or recall.",
        )
    return hint(
        "other",
        "Not this nDCG. Take the five movies of the example: write down the list "
        "first, then the places of the hits, then the gains.",
    )


def check_2(shared, user_factors, rng):
    n, n_factors, lam, tau = 60, 3, 3.5, 1.3
    V, c = rng.normal(0, 1, (n, n_factors)), rng.uniform(0.1, 2, n)
    rated = rng.choice(n, 5, replace=False)
    is_rated = np.isin(np.arange(n), rated)
    S_given = shared(V.copy(), c.copy())
    shared(rng.normal(0, 1, (n, n_factors)), c[::-1].copy())  # of other movies
    answer = np.asarray(user_factors(S_given, V[rated], c[rated], lam, tau), float)
    if answer.shape != (n_factors,):
        return hint(
            "shape",
            f"A user has {n_factors} factors here, and what came back has the shape "
            f"{answer.shape}. Each movie adds the outer product of its row of V with "
            "itself.",
        )

    def weighted(weights):
        return (V.T * weights) @ V

    S, own, eye = weighted(c), lam * V[rated].sum(axis=0), np.eye(n_factors)

    def is_from(matrix, side=own, ridge=tau):
        solved = np.linalg.solve(matrix + ridge * eye, side)
        return np.allclose(answer, solved, rtol=1e-3, atol=1e-4)

    right = weighted(np.where(is_rated, lam, c))
    if is_from(right):
        parts = S_given if isinstance(S_given, tuple | list) else [S_given]
        if sum(np.size(part) for part in parts) >= n:
            return hint(
                "too-much",
                "Right, but what `shared` returns grows with the number of movies, and "
                "so every user walks over all of them. What of it is the same for all?",
            )
        return passed(
            "It costs no more than the lesson's update. Whatever weighs the zeros may "
            "go into the shared matrix as long as it depends on the movie alone; a "
            "weight for every pair may not."
        )
    if np.size(S_given) < n_factors**2 and not isinstance(S_given, tuple | list | dict):
        return hint(
            "kept",
            "`shared` returns too little to tell the movies' factors. Was something "
            "kept elsewhere? Then it is lost as soon as `shared` is called again.",
        )
    if is_from(weighted(np.where(is_rated, lam + c, c))):
        return hint(
            "counted-twice",
            "The movies that the user rated are in the shared matrix already, as if "
            "they were zeros. That has to be taken away again.",
        )
    if is_from(weighted(c + np.where(is_rated, lam - 1, 0))):
        return hint(
            "lessons-one",
            "You take 1 away for each rated movie, as the lesson does. What have "
            "these movies added to the shared matrix here?",
        )
    if is_from(weighted(np.where(is_rated, 1 + lam - c, 1))):
        return hint(
            "all-alike",
            "In the shared matrix all movies count alike. That was right for the lesson's zeros.",
        )
    if is_from(weighted(np.where(is_rated, c**2 + lam - c, c**2))):
        return hint(
            "squared",
            "Each movie is weighted by the square of its precision: c went into both "
            "factors of the product.",
        )
    if is_from(weighted(c * is_rated + np.where(is_rated, lam - c, 0))):
        return hint(
            "no-zeros",
            "The zeros have no say. Then nothing keeps the preferences from being 1 everywhere.",
        )
    if is_from(S):
        return hint(
            "no-ones",
            "On the left all movies count as zeros, those that the user chose too.",
        )
    if is_from(right, V[rated].T @ (lam - c[rated])):
        return hint(
            "right-side",
            "The matrix is right. On the right-hand side zeros add nothing, so there "
            "is nothing to take away again.",
        )
    if is_from(right, own / lam):
        return hint(
            "no-lambda",
            "The matrix is right. λ also stands before the error of each chosen "
            "movie, and its derivative leaves it on the right-hand side, too.",
        )
    if is_from(right, ridge=0):
        return hint("no-ridge", "The penalty with τ has been dropped.")
    return hint(
        "other",
        "Not the lowest point of L. Write down the matrix with two sums, over the "
        "rated and over the unrated movies, then complete the second one to a sum "
        "over all.",
    )


from scipy.stats import binom, hypergeom


def chance_of_hit(rank, n_movies, n_sampled, k):
    return hypergeom.cdf(k - 1, n_movies - 1, np.asarray(rank) - 1, n_sampled)


def check_3(sampled_hit, rng):
    n, n_sampled, k = 40 + int(rng.integers(5)), 12, 3
    ranks = np.arange(1, n)
    answer = np.array(
        [float(sampled_hit(int(rank), n, n_sampled, k)) for rank in ranks]
    )

    def fits(expected):
        return np.allclose(answer, expected, atol=1e-6)

    right = chance_of_hit(ranks, n, n_sampled, k)
    better = ranks - 1
    if fits(right):
        return passed(
            "The chance depends on little else than which share of all movies is "
            "better. In a sample of a hundred, place 500 of 9,000 is hardly worse "
            "than place 5."
        )
    if fits(1 - right):
        return hint("missed", "This is the probability that the favourite is missed.")
    if fits(hypergeom.cdf(k, n - 1, better, n_sampled)):
        return hint(
            "one-place-more",
            "With k better movies in the sample the favourite has already fallen out of the first k.",
        )
    if fits(hypergeom.cdf(k - 1, n - 1, ranks, n_sampled)):
        return hint(
            "better-than-itself",
            "The favourite is counted among those that are better than it. Who stands "
            "at place 1 has nobody above.",
        )
    if fits(hypergeom.cdf(k - 1, n, better, n_sampled)):
        return hint(
            "in-the-bag",
            "The favourite itself lies in your bag. The sample is drawn from the other movies.",
        )
    if fits(hypergeom.cdf(k - 1, n, ranks, n_sampled)):
        return hint(
            "in-the-bag",
            "The favourite itself lies in your bag, and is counted as better than itself.",
        )
    if fits(hypergeom.cdf(k - 1, n - 1, better, n_sampled + 1)):
        return hint(
            "one-too-many",
            "You draw one movie too many. The favourite joins the sample, it is not one of the drawn.",
        )
    if fits(hypergeom.pmf(k - 1, n - 1, better, n_sampled)):
        return hint(
            "exactly",
            "This is the probability of one place exactly. The favourite may also come higher.",
        )
    if fits(binom.cdf(k - 1, n_sampled, better / (n - 1))):
        return hint(
            "drawn-twice",
            "Here a movie can be drawn twice. It makes little difference among 9,000, "
            "and a clear one among few.",
        )
    if np.isin(answer, (0, 1)).all():
        return hint(
            "on-average",
            "You say yes or no. The number of better movies in the sample varies from "
            "draw to draw; its average alone does not tell how often the favourite "
            "comes through.",
        )
    if np.abs(answer - right).max() < 0.1:
        return hint(
            "nearly",
            "Close, but not exact. Did you draw samples and count? Then it never gets quite right.",
        )
    return hint(
        "other",
        "Not this probability. The favourite comes among the first k if the sample "
        "holds few enough better movies: how many of the others are better, and how "
        "many may be drawn?",
    )


def check_4(honest, dazzling):
    both = [np.asarray(places, dtype=float) for places in (honest, dazzling)]
    for places in both:
        is_place = (places >= 1) & (places <= 9_000) & (places % 1 == 0)
        if places.shape != (5,) or not is_place.all() or len(set(places)) < 5:
            return hint(
                "places",
                "Five different whole numbers for each model, please, from 1 to "
                "9,000. Place 1 is the top of the list.",
            )
    full = [float(np.mean(places <= 10)) for places in both]
    sampled = [float(np.mean(chance_of_hit(places, 9_000, 100, 10))) for places in both]
    told = (
        f"Among all movies {full[0]:.2f} against {full[1]:.2f}, in the sample "
        f"{sampled[0]:.2f} against {sampled[1]:.2f}."
    )
    if full[1] > full[0] and sampled[0] > sampled[1]:
        return hint("swapped", f"{told} This is the other way round.")
    if max(full) == 0:
        return hint(
            "nobody-hits",
            f"{told} Among all movies neither of them has a hit, so neither is "
            "better. Which places count there?",
        )
    if full[0] <= full[1]:
        return hint(
            "honest-behind",
            f"{told} By the full measure `honest` has to be ahead, and it is not.",
        )
    if sampled[0] >= sampled[1]:
        return hint(
            "sample-agrees",
            f"{told} Both measures prefer `honest`. Its other favourites do well in the sample, too.",
        )
    if sampled[1] - sampled[0] < 0.5:
        return hint(
            "too-close",
            f"{told} The sample prefers `dazzling`, but not by enough. Which of the "
            "ten places could be worse, or better, without any change among all "
            "movies?",
        )
    return passed(
        f"{told} A top ten among a hundred asks for the best tenth of the catalogue, "
        "not for the best ten movies. Whoever knows what is famous is in the best "
        "tenth."
    )


from itertools import islice

from alslib import load_movielens, ndcg_at_k


def hide_the_newest(table, fraction):
    by_user = table.groupby("user_id")["timestamp"]
    place = by_user.rank(method="first", ascending=False)
    late = place <= np.maximum(np.round(fraction * by_user.transform("size")), 1)
    return table[~late], table[late]


def what_comes_next(rng):
    """Return the past, then of each user what is wanted, what was seen, and the famous rest."""
    table = load_movielens().ratings
    # Users, movies and times have other numbers than in the notebook, where the answers stand.
    for name in ("user_id", "movie_id"):
        numbers = 1_000_000 + rng.permutation(table[name].max() + 1)
        table = table.assign(**{name: numbers[table[name]]})
    table = table.assign(timestamp=table["timestamp"] + int(rng.integers(10**8)))
    past, late = hide_the_newest(table, 0.1)
    liked = late[late["rating"] >= 4].groupby("user_id")["movie_id"].agg(list)
    wanted = [liked.get(user, []) for user in np.unique(past["user_id"])]
    seen = past.groupby("user_id")["movie_id"].agg(set).tolist()
    known, counts = np.unique(past["movie_id"], return_counts=True)
    by_fame = known[np.argsort(-counts, kind="stable")].tolist()
    famous = [
        list(islice((n for n in by_fame if n not in rated), 10)) for rated in seen
    ]
    return past, wanted, seen, famous


def check_5(recommend, rng):
    past, wanted, seen, famous = what_comes_next(rng)
    lists = [np.asarray(movies) for movies in recommend(past.copy())]
    if len(lists) != len(seen):
        return hint(
            "everybody",
            f"There are {len(seen)} users in `past`, and each wants a list; {len(lists)} came back.",
        )
    if any(movies.shape != (10,) or len(set(movies.tolist())) < 10 for movies in lists):
        return hint("ten-each", "Each list should hold ten different movies.")
    named = np.concatenate(lists)
    known = np.unique(past["movie_id"])
    if not np.isin(named, known).all():
        if named.max() < len(known):
            return hint(
                "indices",
                "These look like indices of movies. The lists should hold their ids, "
                "as in the column `movie_id`.",
            )
        return hint(
            "not-in-past",
            "Some of the ids do not occur in `past`. Does your function look into "
            "`movielens`? What is to be predicted stands there, too.",
        )
    if any(set(a.tolist()) & rated for a, rated in zip(lists, seen, strict=True)):
        return hint(
            "seen-listed",
            "Some lists hold movies that the user has rated in `past`. Each of them "
            "wastes a place. If you did take them out: are the lists in the order of "
            "the users?",
        )
    score, of_fame = ndcg_at_k(lists, wanted), ndcg_at_k(famous, wanted)
    told = f"Your nDCG@10 is {score:.3f}."
    if score > 0.2:
        return hint(
            "too-good",
            f"{told} That is too good to be true: no model that we know of sees so far "
            "ahead. Does your function look into `movielens`? What is hidden stands "
            "there.",
        )
    if score >= 0.087:
        return passed(
            f"{told} With six hundred users luck alone moves such a number by a "
            "hundredth either way, though. How sure are you that yours is better than "
            "the next one? The bootstrap can tell."
        )
    if (
        np.mean([np.isin(a, b).mean() for a, b in zip(lists, famous, strict=True)])
        > 0.95
    ):
        return hint(
            "fame-only",
            f"{told} These are the most rated movies, for everybody. Two people with "
            "different pasts should get different lists.",
        )
    if score < 0.9 * of_fame:
        return hint(
            "below-fame",
            f"{told} A list of the most rated movies reaches {of_fame:.3f}. Does your "
            "model answer the question what people choose, and do the highest scores "
            "come first?",
        )
    return hint(
        "not-above",
        f"{told} Favourites are to be found: do you learn from favourites? And does a "
        "choice of many years ago say as much about what comes next as yesterday's?",
    )
