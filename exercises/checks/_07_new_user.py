"""Made from exercises/source/07_new_user.ipynb by `make exercises`: edit that."""

import numpy as np

from exercise_checks import hint, passed


def draw_system(rng, n, n_factors):
    """Return the rows z of n movies, what is left of their ratings, and a ridge."""
    signs = rng.choice([-1, 1], (n, n_factors))
    Z = np.column_stack([np.ones(n), signs * rng.uniform(0.4, 1.4, (n, n_factors))])
    e = rng.choice([-1, 1], n) * rng.uniform(0.5, 2, n)
    return Z, e, np.diag(np.append(2.0, np.full(n_factors, 3.0)))


def close(answer, expected):
    """Tell whether an answer has this shape and these numbers, rounding apart."""
    return np.shape(answer) == np.shape(expected) and bool(
        np.allclose(answer, expected, rtol=1e-3, atol=1e-4)
    )


def check_1(one_more, rng):
    Z, e, ridge = draw_system(rng, 6, 3)
    A = Z[:5].T @ Z[:5] + ridge
    w = np.linalg.solve(A, Z[:5].T @ e[:5])
    z, e = Z[5], float(e[5])
    given = A.copy(), w.copy(), z.copy()
    new_A, new_w = one_more(*given, e)
    grown = A + np.outer(z, z)
    if np.shape(new_A) != (4, 4) or np.shape(new_w) != (4,):
        return hint(
            "shape",
            "First the new matrix, K + 1 by K + 1, then the new w, K + 1 numbers.",
        )
    untouched = all(
        np.array_equal(old, new) for old, new in zip(given, (A, w, z), strict=True)
    )
    if close(new_w, np.linalg.solve(grown, A @ w + z * e)):
        if close(new_A, A):
            return hint(
                "old-A-kept",
                "This w is right, but the matrix that goes with it is not the one you "
                "return. The rating after this one will need it.",
            )
        if not close(new_A, grown):
            return hint(
                "matrix",
                "This w is right. The matrix is not the one that belongs to it.",
            )
        if not untouched:
            return hint(
                "in-place",
                "The numbers are right, but the arrays that were handed in have been "
                "overwritten. Whoever wants to take the rating back has nothing to go "
                "back to.",
            )
        return passed(
            "The right side was not lost: it is A w. So two small arrays hold all "
            "that the ratings have said, however many they were."
        )
    off_diagonal = ~np.eye(4, dtype=bool)
    extra = np.asarray(new_A) - grown
    if close(new_A, A + z @ z):
        return hint(
            "inner",
            "One number has been added to all entries of A. What belongs there is a "
            "matrix, with zᵢ zⱼ in row i and column j.",
        )
    if close(extra[off_diagonal], np.zeros(12)) and np.diag(extra).min() > 0.1:
        return hint(
            "ridge-again",
            "The matrix has grown by more than the rating: the ridge has been added "
            "once more, and it is in A already.",
        )
    if close(new_w, np.linalg.solve(grown, z * e)):
        return hint(
            "starts-over",
            "What the earlier ratings said has been lost from the right side. It can "
            "be had from what was kept: which equation does the old w solve?",
        )
    if close(new_w, w + np.linalg.solve(grown, z * e)):
        return hint(
            "explained-twice",
            "The old w explains a part of this rating already, and here it is "
            "explained once more. If the rating is exactly as predicted, w should "
            "stay.",
        )
    if close(new_w, np.linalg.solve(A, A @ w + z * e)) or close(
        new_w, w + np.linalg.solve(A, z * (e - z @ w))
    ):
        return hint(
            "old-matrix",
            "This w has been solved for with the old matrix, which does not know the new film.",
        )
    if close(new_w, np.linalg.solve(grown, w + z * e)):
        return hint(
            "right-side",
            "You have used the old w as the old right side. It is the result of the "
            "system, not what stood there.",
        )
    if close(new_w, w + z * (e - z @ w)):
        return hint(
            "no-matrix",
            "The direction is a good one, but it is the step of a descent with a step "
            "size of 1. There is an exact one.",
        )
    return hint(
        "other",
        "Not the fold-in of all ratings. Write the system down twice, without the new "
        "rating and with it, and look at what the second has more.",
    )


from exercise_checks import letters


def check_2(most_taste, most_bias, list_stays):
    taste, bias, stays = (
        letters(answer, "ABCD") for answer in (most_taste, most_bias, list_stays)
    )
    if len(taste) != 1 or len(bias) != 1 or not stays:
        return hint(
            "letters",
            "One letter for each of the first two questions, and one or more for the third.",
        )
    if taste == "C":
        return hint(
            "obscure-taste",
            "It is tempting: who watches such a film must be special. But the model "
            "knows next to nothing about C. Which way should u go?",
        )
    if taste == "D":
        return hint(
            "loved-taste",
            "D says a lot about taste if a rating surprises. What would the model "
            "have predicted for D?",
        )
    if taste == "A":
        return hint(
            "liked-taste",
            "A has some length, but little is left of its five stars, and another "
            "film has more of both.",
        )
    if bias == "B":
        return hint(
            "shared-bias",
            "As much is left of B's five stars as of any. But who is to explain it? "
            "Here somebody shares the work with the bias.",
        )
    if bias in "AD":
        return hint(
            "loved-bias",
            "Five stars for a film that nearly everybody likes say little about how "
            "generous this person is. Compute e for all four.",
        )
    if set(stays) & set("AB"):
        return hint(
            "list-moves",
            "After one of those you name, u is clearly not zero, and so films change places.",
        )
    if set(stays) == {"D"}:
        return hint(
            "bias-in-list",
            "After D nothing has changed, true. But after another one hardly anything "
            "has changed but b. What does b do to a list?",
        )
    if set(stays) == {"C"}:
        return hint(
            "no-surprise",
            "C is right. There is another, for which no unknown has any reason to move.",
        )
    return passed(
        "So a page that wants to know somebody's taste asks about films that people "
        "disagree on, and that the model knows. Task 5 makes an art of it."
    )


def check_3(top_list, rng):
    n_films, n = 30, 8
    scores = rng.permutation(n_films) / 10 + 2
    item_ids = np.sort(rng.permutation(1000)[:n_films]) + 100
    falling = np.argsort(-scores)
    # Two of the best five have been seen, and three of the best ten are not allowed.
    seen = np.append(falling[[0, 3]], rng.choice(falling[15:], 4, replace=False))
    allowed = rng.random(n_films) < 0.7
    allowed[falling[:10]] = True
    allowed[falling[[2, 5, 7]]] = False
    right = [i for i in falling if allowed[i] and i not in seen]
    given = scores.copy(), item_ids.copy(), seen.copy(), allowed.copy()
    answer = np.asarray(top_list(*given, n))
    untouched = all(
        np.array_equal(old, new)
        for old, new in zip(given, (scores, item_ids, seen, allowed), strict=True)
    )
    if answer.ndim != 1:
        return hint("shape", "One list of ids is wanted.")

    def is_list(places):
        return np.array_equal(answer, item_ids[np.asarray(places, dtype=int)])

    shifted = np.argsort(-np.delete(scores, seen))
    allowed_left = np.delete(allowed, seen)
    if is_list(right[:n]):
        few = np.array([i in right[:3] or i in seen for i in range(n_films)])
        short = np.asarray(
            top_list(scores.copy(), item_ids.copy(), seen.copy(), few, n)
        )
        if not np.array_equal(short, item_ids[right[:3]]):
            return hint(
                "padded",
                "Right as long as there is enough to recommend. When it is not, seen "
                "or forbidden films fill the list up.",
            )
        if not untouched:
            return hint(
                "in-place",
                "The list is right, but an array that was handed in has been changed. "
                "The next list of this visitor, with another filter, will start from "
                "it.",
            )
        return passed(
            "Both bugs are of one kind: a place in a shortened array is not a place "
            "in the whole one. Filter by masks, which keep their length, and go over "
            "to places at the very end."
        )
    if any(
        is_list(places)
        for places in (
            shifted[:n][allowed[shifted[:n]]],
            shifted[allowed[shifted]][:n],
            shifted[allowed_left[shifted]][:n],
            shifted[:n][allowed_left[shifted[:n]]],
        )
    ):
        return hint(
            "shifted",
            "The films that are left out make the array shorter, and those behind "
            "them move up. A place in it then names another film.",
        )
    if np.array_equal(answer, right[:n]):
        return hint(
            "places", "These are the places of the films. Their ids are wanted."
        )
    if is_list(right[: n - 1]):
        return hint(
            "one-short",
            f"The right films in the right order, but {n - 1} in place of {n}.",
        )
    if len(answer) < n and is_list(right[: len(answer)]):
        return hint(
            "cut-first",
            "The right films in the right order, but too few: the list is cut before "
            "it is filtered.",
        )
    if is_list(right[::-1][:n]):
        return hint("lowest", "These are the films with the lowest scores.")
    if len(answer) > n:
        return hint("too-many", "The list is longer than it was asked to be.")
    if np.isin(answer, item_ids[seen]).any():
        return hint("seen", "There are films in the list that the visitor has seen.")
    if np.isin(answer, item_ids[~allowed]).any():
        return hint("not-allowed", "There are films in the list that are not allowed.")
    if np.array_equal(np.sort(answer), np.sort(item_ids[right[:n]])):
        return hint("order", "The right films, but not with the best one first.")
    return hint(
        "other",
        "Not this list. Try the six films, and follow what happens to the place of *Dune*.",
    )


def check_4(change_without, rng):
    Z, e, ridge = draw_system(rng, 5, 2)
    z = np.append(1.0, rng.choice([-1, 1], 2) * rng.uniform(0.5, 1.5, 2))
    n, A, right_side = len(e), Z.T @ Z + ridge, Z.T @ e
    w = np.linalg.solve(A, right_side)
    reduced = [A - np.outer(row, row) for row in Z]
    without = np.array(
        [np.linalg.solve(reduced[j], right_side - Z[j] * e[j]) for j in range(n)]
    )
    shares = np.array([np.linalg.solve(A, Z[j] * e[j]) for j in range(n)])
    rests = [np.arange(n) != j for j in range(n)]
    no_ridge = [np.linalg.lstsq(Z[rest], e[rest], rcond=None)[0] for rest in rests]
    answer = np.asarray(change_without(Z.copy(), e.copy(), ridge.copy(), z.copy()))
    if answer.shape != (n,):
        return hint("shape", "One number is wanted for each rating.")
    change = (without - w) @ z
    if close(answer, change):
        return passed(
            "Shares add up, changes do not. A share goes with e, the surprise in a "
            "rating; a change goes with what is left of e when the other ratings have "
            "had their say."
        )
    share, taste = shares @ z, shares[:, 1:] @ z[1:]
    if any(
        close(answer, parts) for parts in (share, -share, taste, -taste, w @ z - share)
    ):
        return hint(
            "share",
            "These are the shares. Taking a term out of the sum leaves A as it is, "
            "and A still knows that the film has been rated.",
        )
    if close(answer, -(Z @ np.linalg.solve(A, z)) * (e - Z @ w)):
        return hint(
            "own-say",
            "What is left of the rating has been measured with a w that the rating "
            "itself has helped to find.",
        )
    if close(answer, -change):
        return hint(
            "sign",
            "The sign is the other way round: the change is what comes after minus "
            "what was before.",
        )
    if close(answer, without @ z):
        return hint(
            "score",
            "This is what is left of the score without the rating. By how much has it changed?",
        )
    if close(answer, (without - w)[:, 1:] @ z[1:]):
        return hint(
            "taste-only",
            "The taste has been compared with and without the rating. Something else "
            "in the score depends on the ratings, too.",
        )
    if close(answer, [z @ np.linalg.solve(a, right_side) - z @ w for a in reduced]):
        return hint(
            "still-counted",
            "The rating has left A, but it is still in the sum on the right.",
        )
    if close(answer, no_ridge @ z - w @ z):
        return hint(
            "no-ridge",
            "Without the rating you solve a system that has no ridge. The prior stays "
            "when a rating goes.",
        )
    twice = [
        np.linalg.solve(a - ridge / n, right_side - Z[j] * e[j])
        for j, a in enumerate(reduced)
    ]
    if close(answer, (np.array(twice) - w) @ z):
        return hint(
            "ridge-shared",
            "A part of the ridge has gone with the rating. Here the ridge does not "
            "depend on how many ratings there are.",
        )
    return hint(
        "other",
        "Not these changes. For one j, fold in the ratings without it, and compare "
        "the two scores of the film.",
    )


from itertools import product

from exercise_checks import apart


def draw_films(rng):
    factors, chance = rng.normal(0, 0.7, (200, 3)), rng.uniform(0.02, 0.4, 200)
    factors[:30] = rng.normal([1.6, 1.0, 0.0], 0.2, (30, 3))
    chance[:30] = rng.uniform(0.6, 0.95, 30)
    ridge = 0.9**2 / np.array([0.4, 0.7, 0.7, 0.7]) ** 2
    return np.column_stack([np.ones(200), factors]), np.diag(ridge), chance


def error_to_expect(asked, Z, ridge, chance):
    asked = np.asarray(asked, dtype=int)
    seen = np.array(list(product([0.0, 1.0], repeat=len(asked))))
    rows = Z[asked]
    A = np.einsum("sa,ai,aj->sij", seen, rows, rows) + ridge
    likely = np.prod(np.where(seen == 1, chance[asked], 1 - chance[asked]), axis=1)
    spread = np.einsum("sij,ij->s", np.linalg.inv(A), Z.T @ Z / len(Z))
    return 0.9 * np.sqrt(likely @ spread)


def greedy(Z, ridge, weight, shrink=True):
    A, chosen = ridge.copy(), []
    for _ in range(6):
        reach = Z @ np.linalg.inv(A) @ Z.T
        gain = weight * np.sum(reach**2, axis=0) / (1 + np.diag(reach))
        gain[chosen] = -np.inf
        chosen.append(int(np.argmax(gain)))
        if shrink:
            A = A + weight[chosen[-1]] * np.outer(Z[chosen[-1]], Z[chosen[-1]])
    return chosen


def check_5(choose, rng):
    worlds = [draw_films(rng) for _ in range(3)]
    answers = [
        np.ravel(choose(Z.copy(), D.copy(), chance.copy(), 6))
        for Z, D, chance in worlds
    ]
    if any(len(asked) != 6 for asked in answers):
        return hint("count", "Six films are to be asked about, no more and no fewer.")
    if any(
        asked.dtype.kind not in "iu" or asked.min() < 0 or asked.max() >= 200
        for asked in answers
    ):
        return hint(
            "places", "The places of the films are wanted, whole numbers from 0 on."
        )
    if any(len(np.unique(asked)) < 6 for asked in answers):
        return hint(
            "repeated",
            "A film is asked about more than once. A second answer about the same "
            "film is the first one over again.",
        )

    def are(rule):
        return all(
            set(asked.tolist()) == set(np.asarray(rule(*world)).tolist())
            for asked, world in zip(answers, worlds, strict=True)
        )

    def length(Z):
        return np.linalg.norm(Z[:, 1:], axis=1)

    errors = [
        (
            error_to_expect(asked, *world),
            error_to_expect(np.argsort(-length(world[0]) * world[2])[:6], *world),
        )
        for asked, world in zip(answers, worlds, strict=True)
    ]
    mine, other = np.mean(errors, axis=0)
    gain = other - mine
    told = f"On average you are {apart(mine, other, '*both, multiplied*', 'stars', 3)}."
    if gain >= 0.04:
        return passed(
            f"{told} A good question is one whose answer does not follow from the "
            "others. A page that adapts gains nothing by looking at the stars, but it "
            "may by looking at which questions were answered."
        )
    if are(lambda Z, D, chance: np.argsort(-chance)[:6]):
        return hint(
            "well-known",
            f"{told} Everybody has seen these, but they are alike: after two answers "
            "the others tell nothing new.",
        )
    if are(lambda Z, D, chance: np.argsort(-length(Z))[:6]) or are(
        lambda Z, D, chance: greedy(Z, D, np.ones(200))
    ):
        return hint(
            "not-seen",
            f"{told} The answers would tell a lot, but hardly anybody can give them.",
        )
    if are(lambda Z, D, chance: np.argsort(-length(Z) * chance)[:6]) or are(
        lambda Z, D, chance: greedy(Z, D, chance, shrink=False)
    ):
        return hint(
            "one-by-one",
            f"{told} Each film is judged as if it were the only question. What does "
            "the second one add if the first has been answered?",
        )
    if are(lambda Z, D, chance: np.argsort(length(Z) * chance)[:6]) or gain < -0.15:
        return hint(
            "worst",
            f"{told} These films tell next to nothing. Is your order upside down?",
        )
    return hint(
        "not-below",
        f"{told} Choose one film after the other, each as the best addition to those "
        "that you have, and let `expected_error` or a formula judge.",
    )
