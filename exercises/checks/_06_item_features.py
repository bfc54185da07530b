"""Made from exercises/source/06_item_features.ipynb by `make exercises`: edit that."""

import numpy as np

from exercise_checks import hint, passed


def check_1(movie_row, rng):
    n_factors, lam, gamma, tau = 3, 2.5, 3.0, 7.0
    U, e = rng.normal(0, 1, (6, n_factors)), rng.normal(1, 1, 6)
    c, p = -1.5, rng.choice([-1, 1], n_factors) * rng.uniform(0.5, 1.5, n_factors)
    Z, start = np.column_stack([np.ones(6), U]), np.append(c, p)
    ridge = np.append(gamma, np.full(n_factors, tau))

    def solved(left=lam, right=lam, ridge=ridge, pull=ridge * start):
        return np.linalg.solve(left * Z.T @ Z + np.diag(ridge), right * Z.T @ e + pull)

    def bias(v, c=c):
        return (lam * np.sum(e - U @ v) + gamma * c) / (lam * len(e) + gamma)

    def factors(b):
        gram = lam * U.T @ U + tau * np.eye(n_factors)
        return np.linalg.solve(gram, lam * U.T @ (e - b) + tau * p)

    answer = movie_row(U.copy(), e.copy(), c, p.copy(), lam, gamma, tau)
    if np.size(answer[0]) == 1 and len(answer) == n_factors + 1:
        return hint(
            "one-vector",
            "All of it came back in one array. Two things are wanted: the bias, and "
            "then the factors.",
        )
    b, v = answer
    if np.size(b) != 1 or np.shape(v) != (n_factors,):
        return hint(
            "shape",
            "Two things are wanted: the bias, one number, and then the factors, as "
            "many as a user has.",
        )
    answer = np.append(b, v)

    def is_close(*parts):
        return bool(np.allclose(answer, np.hstack(parts), rtol=1e-3, atol=1e-3))

    all_tau = np.full(n_factors + 1, tau)
    swapped = np.append(tau, np.full(n_factors, gamma))
    if is_close(solved()):
        with np.errstate(all="ignore"):
            unrated = movie_row(
                np.zeros((0, n_factors)), np.zeros(0), c, p.copy(), lam, gamma, tau
            )
        if not np.allclose(np.hstack(unrated), start):
            return hint(
                "unrated",
                "Right for a movie with ratings. One that nobody has rated should lie "
                "exactly where its features put it, with its bias and with its "
                "factors.",
            )
        return passed(
            "The start enters like one more rating: as a value, with its precision as "
            "its weight. A new user with features is the same system with the roles "
            "exchanged, and lesson 7 solves it."
        )
    if is_close(solved(pull=0 * start)):
        return hint(
            "no-start",
            "This pulls bias and factors towards zero, as lesson 4 does. Take the "
            "derivative of (b − c)² and of ‖v − p‖² once more.",
        )
    if is_close(solved(pull=0 * start) + start):
        return hint(
            "added",
            "Lesson 4's row has been added to the start. But the ratings already "
            "contain what the features foresee, and it counts twice.",
        )
    if is_close(solved(pull=start)):
        return hint(
            "start-weight",
            "The start has entered the right side without its precision. With no "
            "ratings at all, would your equation put the movie there?",
        )
    if (
        is_close(solved(left=1.0, right=1.0))
        or is_close(solved(left=1.0))
        or is_close(solved(right=1.0))
        or is_close(solved(left=1.0, right=1.0, ridge=ridge / lam))
    ):
        return hint(
            "no-lambda",
            "λ is missing somewhere, so this is right for λ = 1 only. It weighs the "
            "ratings against the start, in both sums over the ratings.",
        )
    n = len(e)
    if is_close(solved(left=lam / n, right=lam / n)):
        return hint(
            "mean",
            "A mean over the ratings where the objective has a sum: against a mean "
            f"the start weighs {n} times as much as it should.",
        )
    if is_close(solved() - start):
        return hint(
            "only-the-way",
            "This is how far the movie moves away from its start. Then where is it?",
        )
    if is_close(solved(pull=-ridge * start)):
        return hint(
            "sign",
            "A sign went wrong: the higher the features put the movie, the lower you do.",
        )
    if is_close(solved(ridge=all_tau, pull=all_tau * start)):
        return hint(
            "one-ridge",
            "The bias is held as firmly as the factors. It has a precision of its own.",
        )
    if is_close(solved(ridge=swapped, pull=swapped * start)):
        return hint(
            "swapped",
            "The two precisions have been exchanged. Which of the unknowns comes first?",
        )
    no_factors = np.zeros(n_factors)
    if (
        is_close(bias(p), factors(bias(p)))
        or is_close(bias(no_factors), factors(bias(no_factors)))
        or is_close(bias(factors(c)), factors(c))
        or is_close(bias(factors(0)), factors(0))
    ):
        return hint(
            "one-after-the-other",
            "Each of these two is the lowest point while the other is held fixed, "
            "which is half-way down. Bias and factors of this movie are to be found "
            "together.",
        )
    if is_close(bias(no_factors), factors(0)):
        return hint(
            "apart",
            "Bias and factors both explain all of what is left, and so explain it "
            "twice. Neither knows of the other here.",
        )
    return hint(
        "other",
        "Not the lowest point of L. With K = 0 a single number should come out, the "
        "one of task 1 in exercises 3; with λ = 0 the start.",
    )


from exercise_checks import letters


def check_2(farthest_first):
    order = list(letters(farthest_first, "ABCDEF"))
    if not order or len(set(order)) < len(order):
        return hint("letters", 'Letters are wanted, each at most once, such as "DAF".')
    if "E" in order:
        return hint(
            "unrated",
            "Nobody has rated E. Which term of the update could take it away from its start?",
        )
    if "C" in order:
        return hint(
            "as-expected",
            "C has many ratings, and high ones. But what did its start predict for "
            "these people, and what is left to explain?",
        )
    if "D" in order:
        return hint(
            "both-sides",
            "Everybody likes D, whatever their taste. Add up u times e over its ratings.",
        )
    if "A" not in order:
        return hint(
            "one-rating",
            "A single rating is little, but it is not nothing: it stands against a "
            "ridge that is finite.",
        )
    if sorted(order) != ["A", "B", "F"]:
        return hint(
            "left-out",
            "A movie is missing whose ratings say clearly that it belongs elsewhere.",
        )
    if order.index("A") < max(order.index("B"), order.index("F")):
        return hint(
            "loudest",
            "The rating of A is the most surprising one of all. But it is one, and "
            "τ/λ says how many imaginary ratings at p it has to outvote.",
        )
    if order != ["B", "F", "A"]:
        return hint(
            "strong-taste",
            "People with strong tastes tell more, that is right: a rating weighs u². "
            "Add these weights up for B and for F, and compare each sum with τ.",
        )
    return passed(
        "What moves a movie is surprise, times taste, times how often. A cartoon with "
        "hundreds of ratings may be far from where cartoons start; one with two is "
        "still nearly there."
    )


def scalings(table, rows):
    """Return, in several scalings, the inner products of some rows of a table of zeros and ones."""
    chosen = table[rows]
    counts = np.maximum(chosen.sum(axis=1, keepdims=True), 1.0)
    scaled = {
        "root": chosen / np.sqrt(counts),
        "count": chosen / counts,
        "none": 1.0 * chosen,
        "columns": chosen / np.sqrt(np.maximum(table.sum(axis=0), 1)),
        "chosen-columns": chosen / np.sqrt(np.maximum(chosen.sum(axis=0), 1)),
    }
    return {name: one @ one.T for name, one in scaled.items()}


def check_3(design, rng):
    numbers = rng.permutation(np.arange(14) * 3 + 5)
    ids = np.sort(rng.permutation(numbers)[:10])
    # What the rows of the ids hold, in ascending order, and then the four others.
    years = np.array(
        [
            1990,
            1999,
            1985,
            1995,
            2013,
            1913,
            np.nan,
            np.nan,
            1986,
            1994,
            1977,
            2003,
            1999,
            2001,
        ]
    )
    genres = rng.random((14, 4)) < 0.5
    genres[:, 0] |= genres.sum(axis=1) == 0
    genres[6] = False
    ascending = np.append(ids, np.setdiff1d(numbers, ids))
    place = np.argsort(ascending)[np.searchsorted(np.sort(ascending), numbers)]
    years, genres = years[place], genres[place]
    with np.errstate(all="ignore"):
        S = np.asarray(
            design(numbers.copy(), genres.copy(), years.copy(), ids.copy()), float
        )
    if S.ndim != 2 or len(S) != 10:
        return hint(
            "shape", "One row is wanted for each of `ids`, and no other movie has one."
        )
    if not np.isfinite(S).all():
        return hint(
            "nan",
            "Some rows are not numbers. There are movies without year and without "
            "genre: what is divided by what there?",
        )
    rows = {
        "right": np.array([np.flatnonzero(numbers == i)[0] for i in ids]),
        "catalogue": np.flatnonzero(np.isin(numbers, ids)),
        "first": np.arange(10),
        "sorted": np.searchsorted(np.sort(numbers), ids),
    }
    decades = {
        "right": np.floor(years / 10),
        "rounded": np.round(years / 10),
        "one-early": np.floor((years - 1) / 10),
        "century": np.floor(years % 100 / 10),
        "unknown": np.nan_to_num(np.floor(years / 10)),
        "year": years,
        "none": np.full(14, np.nan),
    }
    found = {
        (row, decade, scale)
        for row, its_rows in rows.items()
        for decade, its_decades in decades.items()
        for scale, products in scalings(
            np.hstack([genres, its_decades[:, None] == np.unique(its_decades)]),
            its_rows,
        ).items()
        if np.allclose(S @ S.T, products, atol=1e-5)
    }
    if ("right", "right", "root") in found:
        return passed(
            "alslib finds the rows of a DataFrame by its index, and refuses one that "
            "lacks an id. A bare matrix it has to take as it comes, and rows in the "
            "wrong order are no error to it."
        )
    row, decade, scale = min(found, default=("", "", ""))
    if row in ("catalogue", "first", "sorted"):
        return hint(
            "row-order",
            "The right number of rows, but most movies get the features of another "
            "one. Whose row in the catalogue is your first?",
        )
    if decade in ("rounded", "one-early"):
        return hint(
            "decade",
            "Every row now belongs to its movie. But look at one from 1999 and one "
            "from 1990: are they in one decade?",
        )
    if decade == "century":
        return hint(
            "century",
            "1913 and 2013 do not belong to the same decade, but here they might.",
        )
    if decade == "unknown":
        return hint(
            "unknown-year",
            "The movies without a year have been given one, and now they share a "
            "decade of their own.",
        )
    if "columns" in scale:
        return hint(
            "axis",
            "You have scaled the columns. The lesson scales each movie by the number "
            "of its own features.",
        )
    if decade in ("year", "none"):
        return hint(
            "no-decades",
            "The rows are right, and so are the genres. But movies of one decade "
            "should share a column.",
        )
    if scale == "count":
        return hint(
            "no-root",
            "Rows are divided by the number of features, which makes p a mean: a "
            "movie with four genres would be held nearer to 0 than one with one.",
        )
    if scale == "none":
        return hint(
            "not-scaled",
            "The zeros and ones are right, but rows with many features are longer than others.",
        )
    return hint(
        "other",
        "Not this table. Print the row of a movie whose genres and year you know, and its number.",
    )


def check_4(split_in_time, rng):
    start, films = 1000, np.repeat(np.arange(40) * 7 + 3, 5)
    times = rng.integers(0, start, len(films))
    new = np.isin(films, films[::5][::3])
    times[new] += start
    old = np.isin(films, films[::5][1::3])  # rated before and afterwards
    times[old] += rng.integers(0, 2, old.sum()) * start
    times[np.flatnonzero(old)[::5]] = rng.integers(0, start, old.sum() // 5)
    times[np.flatnonzero(new)[::10]] = start  # a premiere at the very moment
    times[np.flatnonzero(old)[1::10]] = start
    order = rng.permutation(len(films))
    films, times, new = films[order], times[order], new[order]
    train, test = split_in_time(films.copy(), times.copy(), start)
    train, test = np.asarray(train), np.asarray(test)
    if train.shape != films.shape or test.shape != films.shape or train.dtype != bool:
        return hint(
            "masks",
            "Two masks are wanted, each as long as `movies`, with True where a rating "
            "belongs to the part.",
        )
    test = test.astype(bool)
    before = times < start

    def are(these, those):
        return np.array_equal(train, these) and np.array_equal(test, those)

    names, first_row = np.unique(films, return_index=True)
    listed_first = times[first_row][np.searchsorted(names, films)] >= start
    later_than_start = np.array([times[films == film].min() > start for film in films])
    if are(before, new):
        return passed(
            "Between the two lie ratings that belong to neither part: known movies, "
            "rated after the start. An honest split may throw data away."
        )
    if are(new, before):
        return hint("swapped", "The two masks have changed places.")
    if np.array_equal(test, ~before) or np.array_equal(
        test, np.isin(films, films[~before])
    ):
        return hint(
            "warm-movies",
            "Among the tested movies are some that had been rated before. They may "
            "have been rated again later, but they are not new.",
        )
    if np.array_equal(test, new) and np.any(train & (times > start)):
        return hint(
            "future",
            "The tested movies are the right ones. But the training part knows how "
            "movies were rated after the start, and nobody can know that on the day.",
        )
    if np.array_equal(test, listed_first):
        return hint(
            "listed-first",
            "You have taken the rating of each movie that is listed first. Ratings "
            "come in any order, so that need not be the earliest.",
        )
    if np.array_equal(test, later_than_start) or np.array_equal(train, times <= start):
        return hint(
            "boundary",
            "Nearly. Ratings given at the very moment `start` are on the wrong side.",
        )
    if np.array_equal(test, new) and np.all(before[train]):
        return hint(
            "too-few",
            "The tested movies are the right ones. But ratings are missing from the "
            "training part that had been given by then.",
        )
    if np.any(train & test):
        return hint("overlap", "Some ratings are in both parts.")
    if np.array_equal(train, before) and not np.any(test & before):
        return hint(
            "tested",
            "The training part is right. Of the movies that were rated at `start` or "
            "later, those belong into the test that have no rating before it, with "
            "all their ratings.",
        )
    return hint(
        "other",
        "Not this split. For each part, say in words which ratings belong to it; the "
        "two sentences of the task have one condition each.",
    )


from functools import cache

import pandas as pd

from alslib import FeatureALS, Ratings, load_movielens, movie_features, rmse
from exercise_checks import apart

bundled = cache(load_movielens)


@cache
def without_a_third(deal):
    """Return, for each third of the movies, what is left without it and the triples of it."""
    ratings = Ratings.from_frame(bundled().ratings)
    part = np.array(deal)[ratings.by_user.indices]
    return [
        (ratings.select(part != k), ratings.select(part == k).triples())
        for k in range(3)
    ]


def cold_error(features, deal):
    errors = []
    for left, (users, items, stars) in without_a_third(deal):
        model = FeatureALS(0, gamma_features=3, n_sweeps=3)
        model.fit(left, progress=False, item_features=features)
        errors.append(rmse(stars, model.predict(users, items)))
    return np.mean(errors)


@cache
def error_of_the_lesson(deal):
    return cold_error(movie_features(bundled().movies).to_numpy(), deal)


def catalogue(rng):
    """Return a table of movies with new numbers, some of them not out yet; and where ours are."""
    known = bundled().movies
    coming = known.iloc[rng.choice(len(known), 50, replace=False)]
    coming = coming.assign(
        movie_id=known["movie_id"].max() + np.arange(50),
        title="Another " + coming["title"],
        year=2017,
    )
    both = pd.concat([known, coming]).sort_values("movie_id", kind="stable")
    both["movie_id"] = 1_000_000 + np.cumsum(rng.integers(1, 9, len(both)))
    order = rng.permutation(len(both))
    place = np.argsort(order)[
        : len(known)
    ]  # of the movies of the ratings, in their order
    return both.iloc[order].reset_index(drop=True), place


def check_5(my_features, rng):
    movies, place = catalogue(rng)
    mine = my_features(movies.copy())
    mine = list(mine) if isinstance(mine, (list, tuple)) else [mine]
    tables = [np.asarray(table, dtype=float) for table in mine]
    if any(table.ndim == 2 and len(table) == len(place) for table in tables):
        return hint(
            "movielens",
            "Here is a row for each movie of `movielens`. But the table that was "
            "handed over has others too, and in another order: films that come out "
            "tomorrow, which nobody has rated.",
        )
    if not tables or any(
        table.ndim != 2 or len(table) != len(movies) for table in tables
    ):
        return hint(
            "shape",
            "A matrix, or each matrix of the list, should have a row for each movie "
            "of the table and a column for each feature.",
        )
    undated = movies["year"].isna().to_numpy()
    if not all(np.isfinite(table[~undated]).all() for table in tables):
        return hint(
            "unknown-film",
            "Films have entries that are not numbers. The table holds films that come "
            "out tomorrow, and all of its numbers are new: what has been looked up "
            "elsewhere is not known of them.",
        )
    if not all(np.isfinite(table).all() for table in tables):
        return hint(
            "nan",
            "Some entries are not numbers. A few movies have no year; decide what "
            "they are to have.",
        )
    tables = [table[place] for table in tables]
    deal = tuple((rng.permutation(len(place)) % 3).tolist())
    of_mine, of_lesson = cold_error(tables, deal), error_of_the_lesson(deal)
    gain = of_lesson - of_mine
    told = f"You are {apart(of_mine, of_lesson, 'genres and decades', 'stars', 4)}."
    if gain > 0.015:
        return hint(
            "too-good",
            f"{told} That is too good to be true: something in your features comes "
            "from the ratings, those that are tested among them. On the day when a "
            "film comes out there are none.",
        )
    if gain >= 0.003:
        return passed(
            f"{told} Compare it with what a few ratings of the movie itself would "
            "bring, in the lesson's table by number of ratings. Features open the "
            "door; they do not replace anybody's opinion."
        )
    if max(np.abs(table).max() for table in tables) > 10:
        return hint(
            "raw-numbers",
            f"{told} Some entries are large. Each row is scaled to length 1, so a "
            "column of years leaves next to nothing of the others; and why should a "
            "film gain evenly with its year?",
        )
    if abs(gain) < 1e-5:
        return hint(
            "the-lesson-s",
            f"{told} These tell the model just what the lesson's features tell it.",
        )
    if gain < -0.002:
        return hint(
            "worse",
            f"{told} Something that the lesson's features say has been lost, or so "
            "many columns have come in that each is learned from a few movies.",
        )
    return hint(
        "not-below",
        f"{told} Is there a hard border where none should be, or a source of "
        "knowledge that you have not used yet: the title, the number?",
    )
