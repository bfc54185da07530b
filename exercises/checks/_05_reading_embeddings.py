"""Made from exercises/source/05_reading_embeddings.ipynb by `make exercises`: edit that."""

import tracemalloc

import numpy as np

from exercise_checks import hint, passed


def check_1(spread, rng):
    mixture = rng.normal(0, 1, (4, 4))
    U = rng.normal(0, 1, (2500, 4)) @ mixture + 2 * rng.normal(0, 1, 4)
    V = rng.normal(0, 1, (2000, 4))
    tracing = tracemalloc.is_tracing()
    tracemalloc.start()
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    try:
        answer = np.asarray(spread(U.copy(), V.copy()), float)
        peak = tracemalloc.get_traced_memory()[1] - before
    finally:  # an answer may be open or raise an error, and tracing slows everything down
        if not tracing:
            tracemalloc.stop()
    if answer.shape != (len(V),):
        return hint(
            "shape",
            f"One number for each of the {len(V)} movies is wanted, not an array of "
            f"shape {answer.shape}.",
        )
    off = U - U.mean(axis=0)
    C, second_moment = off.T @ off / len(U), U.T @ U / len(U)

    def is_like(value):
        return np.allclose(answer, value, rtol=2e-3, atol=1e-9)

    def quadratic(matrix):
        return np.sum((V @ matrix) * V, axis=1)

    if is_like(np.sqrt(quadratic(C))):
        if peak > 8e6:
            return hint(
                "table",
                "The numbers are right. But on the way you had arrays of "
                f"{peak / 1e6:.0f} MB, about as much as the table. Of a product of "
                "movies with movies only the diagonal is wanted: can it be had "
                "without the rest?",
            )
        return passed(
            "All that the users have to say is in K × K numbers. The same C gives the "
            "correlation of two movies over the users, which task 3 has a use for."
        )
    if is_like(np.sqrt(quadratic(second_moment))):
        return hint(
            "not-centred",
            "The mean user has not been taken away. What all users like alike is no division.",
        )
    if is_like(quadratic(C)):
        return hint("variance", "This is in squared stars. It is the variance.")
    if is_like(np.sqrt(quadratic(C * len(U)))):
        return hint(
            "sum",
            "A sum over the users where a mean belongs: the measure would grow with "
            "every new user.",
        )
    if is_like(np.sqrt(quadratic(np.diag(np.diag(C))))):
        return hint(
            "diagonal",
            "The variances of the tastes are right, but tastes go together: "
            "multiplied out, the square has products of different factors, too.",
        )
    lengths = np.linalg.norm(V, axis=1)
    if abs(np.corrcoef(answer, lengths)[0, 1]) > 0.999:
        return hint(
            "length",
            "This goes by the length of the movie's vector alone. Users differ more "
            "in some directions than in others.",
        )
    return hint(
        "other",
        "Not the standard deviation of the products. Try it on three users and one "
        "movie with two factors, where the table is easily made.",
    )


def cosine(v, w):
    return v @ w / np.sqrt((v @ v) * (w @ w))


def check_2(survives, rng):
    V = rng.normal(0, 1, (30, 5)) + 0.5

    def says(claim):
        return bool(
            survives(claim, V.copy(), np.random.default_rng(rng.integers(1000)))
        )

    def angle_to(n):
        return lambda V: cosine(V[0], V[n])

    def entries(V):
        return np.arange(1, 7) @ V[:6] @ np.arange(1, 6)

    def mean_length(V):
        return np.linalg.norm(V.mean(axis=0))

    # By chance the rounding of an angle may be the same before and after, but not that of twelve.
    angles = [says(angle_to(n)) for n in range(1, 13)]
    if not any(angles) and says(entries):
        return hint(
            "inverted",
            "The answers are the wrong way round: an angle is said to be lost, and a "
            "single entry kept.",
        )
    if says(entries):
        return hint(
            "no-turn",
            "A claim about the factors one by one is said to survive. Is it asked "
            "about the turned factors?",
        )
    if not all(angles):
        if all(says(lambda V, n=n: np.round(angle_to(n)(V), 6)) for n in range(1, 13)):
            return hint(
                "exact",
                "An angle is said to be lost, and only because of rounding. Two "
                "numbers that should be equal may differ in the last digits.",
            )
        if says(mean_length):
            return hint(
                "movies-moved",
                "The movies have changed places. It is the axes that are to be "
                "turned: which side of the array are they on?",
            )
        return hint(
            "no-rotation",
            "An angle between two movies is said to be lost. What you do to the "
            "factors is no rotation: a rotation keeps angles and lengths, and L with "
            "them.",
        )
    if not says(lambda V: np.linalg.norm(V[4])):
        return hint(
            "lengths",
            "The length of a movie's vector is said to be lost. Angles and lengths "
            "both survive a turn.",
        )
    if says(lambda V: np.abs(V).max()) and says(lambda V: np.abs(V[3]).sum()):
        return hint(
            "axes-kept",
            "The largest entry is said to survive. Swapping axes or changing their "
            "signs is a turn, but a tame one: every new axis should be a mixture of "
            "all the old ones.",
        )
    if says(lambda V: V[:, -1].std()) or says(lambda V: V[:, 2].std()):
        return hint(
            "some-axes",
            "A claim about one of the axes is said to survive. Do all of them take "
            "part in your turn?",
        )
    kept = (
        lambda V: np.linalg.norm(V[4]),
        lambda V: np.linalg.norm(V[4] - V[5]),
        lambda V: np.linalg.svd(V - V.mean(axis=0))[1][0],
        lambda V: np.argmax(V @ V[0]),
        mean_length,
    )
    lost = (
        lambda V: 1e-3 * V[0, 0],
        lambda V: 1e3 * V[:, 0].mean(),
        lambda V: np.abs(V[6] - V[7]).sum(),
        lambda V: np.corrcoef(V[:, 1], np.arange(len(V)))[0, 1],
    )
    if all(says(claim) for claim in kept) and not any(says(claim) for claim in lost):
        return passed(
            "Lengths, distances, angles, neighbours and principal directions survive. "
            "It is a necessary test only: what survives a turn may still change with "
            "another split or another τ."
        )
    return hint(
        "other",
        "Most claims are judged rightly, but not all. How closely must two numbers "
        "agree to be called the same, and does that depend on how large they are?",
    )


def check_3(make_neighbours, rng):
    n_factors = 4
    U, V = rng.normal(0, 1, (40, n_factors)), rng.normal(0, 1, (25, n_factors))
    cosines = [(abs(cosine(V[0], V[j]) + 0.2), j) for j in range(1, 25)]
    i, j = 0, min(cosines)[1]  # a little more than a right angle
    old = cosine(V[i], V[j])
    new_U, new_V = map(np.asarray, make_neighbours(U.copy(), V.copy(), i, j))
    if new_U.shape != U.shape or new_V.shape != V.shape:
        return hint(
            "shape",
            f"Two arrays of the old shapes are wanted, {U.shape} and {V.shape}, and "
            f"came as {new_U.shape} and {new_V.shape}.",
        )
    change = np.abs(new_U @ new_V.T - U @ V.T).max()
    # What has been done to each side, if it was a matrix.
    of_users = np.linalg.lstsq(U, new_U, rcond=None)[0]
    of_movies = np.linalg.lstsq(V, new_V, rcond=None)[0]
    eye = np.eye(n_factors)
    if change < 1e-4 * np.abs(U @ V.T).max():
        new = cosine(new_V[i], new_V[j])
        if new > 0.99:
            return passed(
                "A cosine between movies is not in the predictions. It is there "
                "because the ridge prefers one R to all others; with another penalty "
                "the same predictions would have other neighbours."
            )
        if np.allclose(new, old, atol=1e-6):
            return hint(
                "angle-kept",
                "The predictions are the same, and so is the angle. A rotation and a "
                "common factor keep all angles; R may do more than that.",
            )
        if new < old:
            return hint(
                "apart",
                "The predictions are the same, but the cosine has gone down from "
                f"{old:.2f} to {new:.2f}. You pull along the direction in which the "
                "two differ.",
            )
        return hint(
            "not-enough",
            f"The predictions are the same, and the cosine has gone up from {old:.2f} "
            f"to {new:.2f}. Nearly: how strongly do you pull?",
        )
    told = f"Predictions change by up to {change:.1f} stars."
    if np.allclose(of_users, eye, atol=1e-6) or np.allclose(of_movies, eye, atol=1e-6):
        return hint(
            "one-side",
            f"{told} Only one side has been changed, and the other has not been told.",
        )
    if np.linalg.matrix_rank(of_movies, tol=1e-6) < n_factors:
        return hint(
            "collapsed",
            f"{told} What you do to the movies cannot be undone: in some direction "
            "nothing is left of them. It needs an inverse.",
        )
    if np.allclose(of_users, of_movies, rtol=1e-3, atol=1e-6):
        return hint(
            "same-side",
            f"{told} Both sides have been pulled in the same way. That is right for a "
            "rotation only.",
        )
    if np.allclose(of_users @ of_movies, eye, atol=1e-4):
        return hint(
            "transposed",
            f"{told} One matrix is the inverse of the other, so nearly. Write out U' "
            "times the transpose of V' and look at which of them is transposed.",
        )
    return hint(
        "predictions",
        f"{told} Whatever the movies gain in one direction, the users have to lose there.",
    )


from functools import cache

from alslib import Ratings, load_movielens, movie_features


@cache
def rated_movies():
    """Return who rated which movie, by its place, with how many stars, and the movies' genres."""
    movielens = load_movielens()
    users, items, stars = Ratings.from_frame(movielens.ratings).triples()
    known, index = np.unique(items, return_inverse=True)
    genres = movie_features(movielens.movies, decade=False).loc[known].to_numpy(float)
    return users, index, stars, genres


def check_4(neighbours, rng):
    users, index, stars, table = rated_movies()
    renamed = rng.permutation(len(table))
    ratings = Ratings(
        rng.permutation(users.max() + 1)[users], 10 * renamed[index] + 7, stars
    )
    popular = np.flatnonzero(ratings.item_counts >= 50)
    lists = np.asarray(neighbours(ratings, popular.copy()))
    if lists.shape != (len(popular), 5):
        return hint(
            "shape",
            f"A row of five for each of {len(popular)} movies is wanted, not an array "
            f"of shape {lists.shape}.",
        )
    if lists.dtype.kind not in "iu":
        return hint("indices", "Indices of movies are wanted, which are whole numbers.")
    if lists.max() >= ratings.n_items:
        return hint(
            "ids",
            "These look like ids of movies. Inside, the course counts movies by index, from 0 on.",
        )
    if lists.max() < len(popular):
        return hint(
            "places",
            "These look like places in `popular`, not like indices of movies. Which "
            "movie stands at place 0?",
        )
    if (lists == popular[:, None]).any():
        return hint(
            "itself",
            "Some movie is its own neighbour. Nothing is nearer, and nothing is less "
            "of a discovery.",
        )
    if not np.isin(lists, popular).all():
        return hint(
            "rare",
            "Some neighbours have fewer than 50 ratings. About these the ratings say too little.",
        )
    if (np.diff(np.sort(lists, axis=1), axis=1) == 0).any():
        return hint("twice", "Some list names a movie twice.")
    genres = table[np.argsort(renamed)[popular]]
    shared, counts = genres @ genres.T, genres.sum(axis=1)
    overlap = shared / np.maximum(counts[:, None] + counts - shared, 1)
    found = np.take_along_axis(overlap, np.searchsorted(popular, lists), axis=1).mean()
    by_lot = overlap[~np.eye(len(popular), dtype=bool)].mean()
    told = f"The overlap is {found:.3f}."
    if found > 0.5:
        return hint(
            "too-good",
            f"{told} That is too good to be true. Somewhere the genres of these very "
            "movies have been looked up, or ratings compared with those of `movielens`.",
        )
    if found >= 0.34:
        return passed(
            f"{told} Whether somebody has seen a movie tells more about its kind than "
            "how they liked it. Lesson 8 learns from that alone."
        )
    if found < 0.8 * by_lot:
        return hint(
            "farthest",
            f"{told} Movies drawn by lot reach {by_lot:.3f}. Are these the nearest, "
            "or the farthest?",
        )
    share = np.bincount(lists.ravel()).max() / len(popular)
    if share > 0.2:
        return hint(
            "hubs",
            f"{told} One movie stands in {share:.0%} of all lists. Something that is "
            "large for well-known movies, whatever they are like, has not been "
            "divided out.",
        )
    if found < 1.1 * by_lot:
        return hint(
            "by-lot",
            f"{told} Movies drawn by lot reach {by_lot:.3f} as well. Are your "
            "similarities made from the ratings that were handed over, and their rows "
            "in the order of `popular`?",
        )
    return hint(
        "not-reached",
        f"{told} How people rated is one half of what `ratings` holds. What is the other half?",
    )
