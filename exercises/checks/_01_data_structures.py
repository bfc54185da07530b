"""Made from exercises/source/01_data_structures.ipynb by `make exercises`: edit that."""

import numpy as np

from exercise_checks import hint, passed


def same(answer, expected):
    """Tell whether an answer is this array, whatever kind of sequence it is."""
    answer = np.asarray(answer)
    return answer.shape == np.shape(expected) and bool(np.allclose(answer, expected))


def check_1(row_pointers, rng):
    # Rows 2 and 6 are empty, and the last ones, 7 and 8.
    rows = np.repeat(np.arange(7), [3, 1, 0, *rng.integers(2, 5, 3), 0])
    rng.shuffle(rows)
    counts = np.bincount(rows, minlength=9)
    ends = np.cumsum(counts)
    answer = np.asarray(row_pointers(rows.copy(), 9))
    if same(answer, [0, *ends]):
        return passed(
            "Rows without ratings have two equal neighbours, and so an empty slice, "
            "with no special case. That is why there is one more pointer than rows."
        )
    if same(answer, counts) or same(answer, [0, *counts]):
        return hint(
            "counts",
            "These are the numbers of ratings of each row. A row starts where the one "
            "before it ends, so the counts of all rows before it have to be added up.",
        )
    if same(answer, ends):
        return hint(
            "ends",
            "Each entry says where its row ends, not where it starts: everything is "
            "one place too early. What is the first slot of row 0?",
        )
    if same(answer, ends - counts):
        return hint(
            "no-last-end",
            "The starts are right, but the last row cannot be cut out: nothing says where it ends.",
        )
    if same(answer, [0, *ends[: rows.max() + 1]]):
        return hint(
            "short",
            "The last rows have no ratings, and their pointers are missing. Counting "
            "stops at the highest row that occurs; `n_rows` says how many there are.",
        )
    if same(answer, [0, *np.cumsum(counts[counts > 0])]):
        return hint(
            "skipped",
            "Rows without ratings have been skipped, so all rows behind them slide "
            "forward and get somebody else's ratings.",
        )
    return hint(
        "other",
        "Not the starts of the rows. Write down the six numbers of the example by "
        "hand, and compare them with what your function makes of it.",
    )


def check_2(group_by_row, rng):
    rows = rng.permutation(np.repeat(np.arange(5), [3, 2, 4, 0, 3]))
    columns = (
        rng.permutation(20)[: len(rows)] + 5
    )  # no column can be mistaken for a row
    data = rng.permutation(len(rows)) / 2 + 0.5
    order = np.argsort(rows, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=5))])
    indptr, indices, grouped = group_by_row(rows.copy(), columns.copy(), data.copy(), 5)
    if same(indptr[:-1], starts[1:]):
        return hint(
            "alias",
            "Each pointer stands where its row ends: it has been moved while the "
            "ratings were dealt. A slice of an array is not a copy of it, so whoever "
            "moves the one moves the other.",
        )
    if not same(indptr, starts):
        return hint(
            "pointers",
            "The pointers are still not the starts of the rows. Print them before and "
            "after the loop that deals.",
        )
    if same(indices, columns[order]) and same(grouped, data[order]):
        return passed(
            "The bug is nasty because what one looks at first, columns and ratings, "
            "is right. Only a test that reads a row back through the pointers finds "
            "it."
        )
    if same(grouped, np.floor(data[order])):
        return hint(
            "half-stars",
            "The half stars are gone: the ratings went into an array of whole "
            "numbers, and nobody warned you.",
        )
    if same(indices, rows[order]):
        return hint(
            "rows-for-columns",
            "Each rating has been stored with its row. The row is known from the "
            "stretch it lies in; it is the column that must be kept.",
        )
    last = [np.flatnonzero(rows == m)[-1] for m in (0, 1, 2, 4)]
    if same(grouped[starts[[0, 1, 2, 4]]], data[last]):
        return hint(
            "overwritten",
            "The first slot of each row holds the row's last rating. Each rating has "
            "overwritten the one before it, because the next free slot never moved on.",
        )
    if all(
        same(np.sort(grouped[starts[m] : starts[m + 1]]), np.sort(data[rows == m]))
        for m in range(5)
    ):
        return hint(
            "order",
            "Every rating is in its row, but not in the order of arrival. Transposing "
            "twice sorts only if dealing keeps the order within a pile.",
        )
    return hint(
        "other",
        "The pointers are right, but ratings are not in the rows they belong to.",
    )


def near(answer, value):
    """Tell whether a number is this one, to one part in a hundred."""
    return abs(float(answer) - value) <= 0.01 * value


def check_3(break_even):
    if near(break_even, 1 / 10):
        return passed(
            "Ratings of movies are far sparser than that. A survey with fifty "
            "questions, all of them answered, belongs in a table."
        )
    if near(break_even, 10):
        return hint(
            "percent", "That looks like a percentage. A share lies between 0 and 1."
        )
    if near(break_even, 1 / 5):
        return hint(
            "one-view",
            "Right for one view. But the ratings are kept twice, by user and by "
            "movie, and the table serves both walks.",
        )
    if near(break_even, 1 / 2):
        return hint(
            "no-index",
            "You have counted the ratings but not their indices. In compressed rows "
            "each rating has to say which column it is in.",
        )
    if near(break_even, 1 / 24) or near(break_even, 1 / 16):
        return hint(
            "wide-ratings",
            "You have given a rating four or eight bytes. The lesson stores the "
            "number of its step in one byte.",
        )
    if near(break_even, 8 / 10):
        return hint("wide-table", "The table here has one byte a cell, not eight.")
    return hint(
        "other",
        "Write d for the share: the table takes one byte for each cell, and the views "
        "take d times some number of bytes for each cell. Which number?",
    )


def check_4(newest, rng):
    counts = np.array([8, 7, 5, 20, 10, 3, 2])
    users = np.repeat([3, 5, 7, 11, 12, 40, 41], counts)
    # Everybody was active in a year of their own: the newest of all are those of the last users.
    timestamps = 1000 * np.repeat(np.arange(7), counts) + rng.permutation(len(users))
    order = rng.permutation(len(users))
    users, timestamps = users[order], timestamps[order]
    age = np.empty(len(users), dtype=int)
    n_own = np.empty(len(users), dtype=int)
    for user in np.unique(users):
        own = np.flatnonzero(users == user)
        age[own[np.argsort(-timestamps[own])]] = np.arange(len(own))
        n_own[own] = len(own)
    exact = 0.2 * n_own
    n_wanted = np.maximum(np.round(exact), 1)
    hidden = np.asarray(newest(users.copy(), timestamps.copy(), 0.2))
    if hidden.shape != users.shape or hidden.dtype != bool:
        return hint(
            "no-mask",
            "A mask is wanted: one boolean for each rating, in the order in which the ratings came.",
        )
    if same(hidden, age < n_wanted):
        more = np.asarray(newest(users.copy(), timestamps.copy(), 0.4))
        if not same(more, age < np.round(0.4 * n_own)):
            return hint(
                "fraction",
                "Right for a fifth. With `fraction` = 0.4 the wrong ratings are hidden.",
            )
        return passed(
            "On MovieLens this split is harder than one at random, and closer to the "
            "truth. Note what it does not do: one person's past may still be later "
            "than another's future."
        )
    by_user = {user: hidden[users == user] for user in np.unique(users)}
    if same(~hidden, age < n_wanted) or same(hidden, age >= n_wanted):
        return hint("inverted", "Marked are those to be kept. True means hidden.")
    if same(hidden, n_own - 1 - age < n_wanted):
        return hint(
            "oldest",
            "You have hidden the oldest ratings. Then a model learns from the future "
            "and is asked about the past.",
        )
    if same(hidden, age < np.where(np.round(exact) == 0, n_own, np.round(exact))):
        return hint(
            "minus-zero",
            "Somebody with two ratings has both of them hidden. The number of their "
            "newest comes out as 0, and `[-0:]` is not the last none: it is `[0:]`.",
        )
    if same(hidden, age < n_wanted + 1) or same(hidden, age < n_wanted - 1):
        return hint(
            "off-by-one",
            "Everybody's newest are hidden, but one too many of each, or one too few.",
        )
    if any(own.all() for own in by_user.values()):
        return hint(
            "global",
            "Some people have all of their ratings hidden, and others none: the "
            "newest of all ratings are not the newest of each person.",
        )
    if same(hidden, age < np.round(exact)) or same(hidden, age < np.floor(exact)):
        return hint(
            "none-left",
            "Somebody with two ratings has none to be judged on. At least one of "
            "everybody's ratings is to be hidden.",
        )
    if any(
        same(hidden, age < np.maximum(cut(exact), 1)) for cut in (np.floor, np.ceil)
    ):
        return hint(
            "rounding",
            "Nearly: for some people the number of ratings is off by one. Is it "
            "rounded, or cut off, or raised to the next whole number?",
        )
    if same(
        [own.sum() for own in by_user.values()], np.maximum(np.round(0.2 * counts), 1)
    ):
        return hint(
            "not-newest",
            "Everybody has the right number of hidden ratings, but they are not the "
            "newest. Is the order of the file taken for the order in time, or drawn "
            "at random?",
        )
    return hint(
        "other",
        "These are not everybody's newest ratings. Try it on a single user first.",
    )


from alslib import Ratings, load_movielens, rmse, train_validation_test_split


def split(rng):
    """Return training ratings, half of them, and the triples of the validation part."""
    users, items, stars = Ratings.from_frame(load_movielens().ratings).triples()
    # Nobody has the number that stands beside the answers in the notebook.
    users, items = (1 + rng.permutation(ids.max())[ids - 1] for ids in (users, items))
    whole = Ratings(users, items, stars)
    seed = int(rng.integers(1000))
    train, validation, _ = train_validation_test_split(whole, random_state=seed)
    fewer = train.select(np.arange(train.n_ratings) % 2 == 0)
    return train, fewer, validation.triples()


def check_5(predict, rng):
    train, fewer, (users, items, stars) = split(rng)
    answer = np.asarray(predict(train, users.copy(), items.copy()))
    if answer.shape != stars.shape:
        return hint(
            "one-each",
            f"There are {len(stars)} pairs of a user and a movie, and each wants one "
            f"number; what came back has the shape {answer.shape}.",
        )
    if not np.isfinite(answer).all():
        return hint(
            "nan",
            f"{np.sum(~np.isfinite(answer))} of the predictions are not numbers. "
            "Movies without a rating in `train` have no mean: 0/0 is nan, and one nan "
            "spoils the mean of all errors.",
        )
    if np.ptp(answer) == 0:
        return hint(
            "constant",
            f"Your validation RMSE is {rmse(stars, answer):.4f} stars, with the same "
            "number for everybody. Movies differ, and so do people: begin with either.",
        )
    # With every other rating taken away, whoever learns from train says something else.
    if np.array_equal(answer, np.asarray(predict(fewer, users.copy(), items.copy()))):
        return hint(
            "leak",
            "The predictions stay the same when half of `train` is taken away. So "
            "they come from somewhere else, perhaps from `ratings`, where the answers "
            "are.",
        )
    error = rmse(stars, answer)
    told = f"Your validation RMSE is {error:.4f} stars."
    if error < 0.93:
        return passed(
            f"{told} Adding the two offsets counts some stars twice, since generous "
            "people and good movies go together. Lesson 3 takes them apart."
        )
    one_per_movie = len(set(zip(items.tolist(), answer.tolist(), strict=True))) == len(
        set(items)
    )
    one_per_user = len(set(zip(users.tolist(), answer.tolist(), strict=True))) == len(
        set(users)
    )
    if one_per_movie:
        return hint(
            "movie-only", f"{told} Everybody gets the same stars for a movie. Who asks?"
        )
    if one_per_user:
        return hint(
            "user-only",
            f"{told} A person gets the same stars for all movies. For what?",
        )
    if answer.mean() > 5:
        return hint(
            "mean-twice",
            f"{told} The predictions are {answer.mean():.1f} stars on average: two "
            "means have been added up, and both contain the mean of all ratings.",
        )
    return hint(
        "not-below",
        f"{told} Better is possible: how far can a mean of one or two ratings be "
        "trusted? And may a prediction lie outside the scale?",
    )
