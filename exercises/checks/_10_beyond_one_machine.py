"""Made from exercises/source/10_beyond_one_machine.ipynb by `make exercises`: edit that."""

import numpy as np

from exercise_checks import hint, passed


def check_1(bytes_of_sweep, rng):
    sizes = [
        (int(rng.integers(3, 9)), int(rng.integers(200, 300)), n_items, K, b)
        for n_items, K, b in ((70, 8, 4), (110, 13, 8), (90, 32, 2))
    ]
    # The default for the first one.
    answer = [float(bytes_of_sweep(*sizes[0][:4]))]
    answer += [float(bytes_of_sweep(*size)) for size in sizes[1:]]

    def fits(total, row=lambda K, b: 8 + b * K):
        expected = [total(W, M, N, row(K, b)) for W, M, N, K, b in sizes]
        return np.allclose(answer, expected, rtol=1e-9, atol=0)

    def right(W, M, N, row):
        return (W + 1) * (M + N) * row + 16 * M

    if fits(right):
        return passed(
            "The number of ratings is not in it. Ten times as many ratings of the same "
            "users and movies cost ten times the arithmetic and not one byte more."
        )
    if fits(right, row=lambda K, b: 8 + 4 * K):
        return hint(
            "always-four",
            "Right for float32. But `bytes_of_number` may be another number than 4.",
        )
    if fits(right, row=lambda K, b: b * (K + 1)):
        return hint(
            "bias-as-factor",
            "You give a bias as many bytes as a factor. It has 8, whatever a factor has.",
        )
    if fits(right, row=lambda K, b: b * K):
        return hint("no-bias", "You move the factors. The biases have to go along.")
    if fits(right, row=lambda K, b: 8 + K):
        return hint("numbers", "You count the factors, not the bytes that they take.")
    mistakes = {
        "a-copy-short": (
            lambda W, M, N, row: W * (M + N) * row + 16 * M,
            "You count every row as often as there are workers. It goes to each of them, "
            "also to the one that has solved for it, and it has to come back besides.",
        ),
        "one-copy": (
            lambda W, M, N, row: 2 * (M + N) * row + 16 * M,
            "You send every row of the model once, as if to one worker. Whose ratings "
            "does a worker hold, and of which movies may they be?",
        ),
        "all-send-all": (
            lambda W, M, N, row: 2 * W * (M + N) * row + 16 * M,
            "You let every worker send back all rows. It has new ones for its own users "
            "and movies only.",
        ),
        "only-back": (
            lambda W, M, N, row: (M + N) * row + 16 * M,
            "You count what comes back. Before that the workers have to get something.",
        ),
        "sent-again": (
            lambda W, M, N, row: right(W, M, N, row) + W * N * row,
            "You send the movies twice: for the errors, and for the users of the next "
            "sweep. Have they changed in between?",
        ),
        "one-side": (
            lambda W, M, N, row: (W * N + M) * row + 16 * M,
            "This is the step of the users, with the errors. A sweep has one of the "
            "movies as well.",
        ),
        "no-errors": (
            lambda W, M, N, row: (W + 1) * (M + N) * row,
            "The two half-steps are right. The errors are missing: what comes back in step 3?",
        ),
        "one-sum": (
            lambda W, M, N, row: (W + 1) * (M + N) * row + 8 * M,
            "You let one sum come back for each user. There are two.",
        ),
        "sum-of-worker": (
            lambda W, M, N, row: (W + 1) * (M + N) * row + 16 * W,
            "You let two sums come back from each worker. That would be less, but step 3 "
            "says for whom they are. Task 3 will tell why.",
        ),
        "sums-of-all": (
            lambda W, M, N, row: (W + 1) * (M + N) * row + 16 * W * M,
            "You let every worker send two sums for every user. A worker knows the "
            "errors of its own users only.",
        ),
        "sums-of-movies": (
            lambda W, M, N, row: (W + 1) * (M + N) * row + 16 * (M + N),
            "You let sums of errors come back for the movies, too. The users' are "
            "enough: every rating is in one of them.",
        ),
        "table": (
            lambda W, M, N, row: (W + 1) * M * N * row + 16 * M,
            "You multiply users by movies, as for a full table. The model has a row for "
            "each user and one for each movie.",
        ),
    }
    for name, (total, message) in mistakes.items():
        if fits(total):
            return hint(name, message)
    return hint(
        "other",
        "Not these bytes. Take the steps one by one: how many rows go out, to how many "
        "workers, and how many come back? How many bytes has a row?",
    )


def loads(work, borders):
    return np.diff(np.concatenate([[0], np.cumsum(work)])[borders])


def worlds_of_rows(rng):
    """Return rows of work and a number of stretches, by what is hard about them."""
    # No row has as much as half of a share of eight.
    skewed = np.minimum(np.sort(np.round(20 * (1 + rng.pareto(1.1, 400)))), 1000)
    giant = rng.integers(1, 9, 61)
    giant[30] = 1000
    return {
        # Old movies come first in the file, and have more ratings.
        "skewed": (
            np.append(rng.permutation(skewed[200:]), rng.permutation(skewed[:200])),
            8,
        ),
        "mixed": (rng.permutation(skewed), 8),
        "giant": (giant, 8),
        "ones": (np.ones(15, int), 8),
        "zeros": (np.append([0, 0, 0, *rng.integers(1, 9, 30)], [0, 0]), 4),
        "few": (np.array([2, 5, 3]), 5),
    }


def check_2(equal_work, rng):
    worlds, found = worlds_of_rows(rng), {}
    for name, (work, n) in worlds.items():
        borders = np.asarray(equal_work(work.copy(), n), float)
        if borders.shape != (n + 1,):
            return hint(*wrong_shape(borders, len(work), n, name))
        if name == "skewed" and abs(borders[-1] / work.sum() - 1) < 1e-6:
            return hint(
                "amounts",
                "You return amounts of work. A border is the number of a row: at which "
                "row is that amount reached?",
            )
        if np.any(borders != np.round(borders)):
            return hint(
                "between-rows",
                "Borders are whole numbers: no row is cut in two.",
            )
        if borders[-1] == len(work) - 1:
            return hint(
                "last-row",
                "The last row is in no stretch: a border is the row behind the last one "
                "of its stretch.",
            )
        if borders[0] != 0 or borders[-1] != len(work):
            return hint(
                "ends",
                "The first border is 0 and the last one the number of rows, or some rows "
                f"are with nobody. Yours are {borders[0]:g} and {borders[-1]:g} for "
                f"{len(work)} rows.",
            )
        if np.any(np.diff(borders) < 0):
            return hint("descend", "Your borders go back somewhere.")
        found[name] = borders.astype(int)

    def is_fair(work, n, borders):
        return loads(work, borders).max() <= (work.sum() / n + work.max()) * (1 + 1e-9)

    unfair = [
        name for name, world in worlds.items() if not is_fair(*world, found[name])
    ]
    if not unfair:
        return passed(
            "A border costs nothing, and it is chosen once for the whole fit. What is "
            "left is the largest single row, and no cut between rows makes that shorter."
        )
    work, n = worlds[unfair[0]]
    load = loads(work, found[unfair[0]])
    told = (
        f"For {len(work)} rows and {n} stretches your largest has {load.max() / load.mean():.1f} "
        "times the mean."
    )
    if all(np.ptp(np.diff(found[name])) <= 1 for name in ("skewed", "mixed", "giant")):
        return hint(
            "equally-many",
            f"{told} Every stretch has equally many rows. Rows differ in what they have to do.",
        )
    mixed, n_mixed = worlds["mixed"]
    if "mixed" in unfair and any(
        is_fair(rows, n_mixed, found["mixed"])
        for rows in (np.sort(mixed), np.sort(mixed)[::-1])
    ):
        return hint(
            "sorted",
            f"{told} Your borders would be right if the rows were sorted by their work. "
            "They come in the order of the file.",
        )
    if all(
        np.argmax(loads(worlds[name][0], found[name])) == worlds[name][1] - 1
        for name in unfair
    ):
        return hint(
            "the-rest",
            f"{told} It is the last one, which gets what the others have left. Is each "
            "of them cut below its share, and who makes up for that?",
        )
    return hint(
        "not-equal",
        f"{told} Add up the work from the first row on. When a third of all stretches "
        "is over, how much of the sum should be?",
    )


def wrong_shape(borders, n_rows, n, name):
    """Return which hint an answer gets that has not the form of borders."""
    if name not in ("skewed", "mixed") and borders.ndim == 1 and len(borders) <= n:
        return (
            "fewer",
            f"For {n_rows} rows {n + 1} borders are wanted, and there are {len(borders)}. "
            "Where a stretch is empty, a border comes twice.",
        )
    if borders.shape in ((n, 2), (2, n)):
        return (
            "pairs",
            "You return where each stretch begins and where it ends. As one ends where "
            f"the next begins, {n + 1} borders say it all.",
        )
    if borders.shape == (n_rows,):
        return (
            "of-each-row",
            "You say of each row to which stretch it belongs. Borders are wanted: the "
            "row at which each stretch begins, and the end.",
        )
    if borders.shape == (n,) and borders.sum() == n_rows:
        return (
            "sizes",
            "You say how many rows each stretch has. Borders are the sums of these.",
        )
    if borders.shape == (n - 1,):
        return (
            "inner",
            "These are the cuts between stretches. The 0 at the beginning and the "
            "number of rows at the end belong to the borders, too.",
        )
    if borders.shape == (n,):
        return (
            "one-missing",
            f"{n} stretches have {n + 1} borders, and you return {n}: one end is missing.",
        )
    return (
        "number",
        f"{n + 1} borders are wanted for {n} stretches, and what you return has the "
        f"shape {borders.shape}.",
    )


from exercise_checks import letters


def world_in_pieces(rng, n_pieces):
    """Return a view, V, borders with an empty piece, and an order."""
    n_rows, n_items = 6 * n_pieces, 40
    counts = rng.integers(2, 9, n_rows)
    counts[4] = 0
    indptr = np.append(0, np.cumsum(counts))
    rows = [np.sort(rng.choice(n_items, n, replace=False)) for n in counts]
    view = indptr, np.concatenate(rows), rng.normal(size=indptr[-1])
    # The second piece has more rows than the others, and the last but one has none.
    borders = np.append(
        0, np.sort(rng.choice(np.arange(9, n_rows), n_pieces - 2, False))
    )
    borders = np.append(np.insert(borders, n_pieces - 2, borders[-1]), n_rows)
    # The empty piece is neither the first nor the last to come.
    order = rng.permutation(n_pieces - 1)
    while n_pieces - 2 in (order[0], order[-1]):
        order = rng.permutation(n_pieces - 1)
    order = np.insert(order, 1, n_pieces - 1)
    return view, rng.normal(size=(n_items, 3)), borders, order


def solved(indptr, indices, data, V):
    """Return a row for each row, which hangs on its own ratings and on nothing else."""
    U = np.empty((len(indptr) - 1, V.shape[1]))
    for m in range(len(U)):
        own = slice(indptr[m], indptr[m + 1])
        terms = data[own, None] * V[indices[own]]
        U[m] = (1 + terms.sum(axis=0)) / (3 + len(terms))
    return U


def what_was_asked(calls, view, V, borders, order):
    """Return a hint about what `solve` was given, or None."""
    indptr, indices, data = view
    pieces = []
    for piece in range(len(borders) - 1):
        start, end = borders[piece], borders[piece + 1]
        own = slice(indptr[start], indptr[end])
        pointers = indptr[start : end + 1] - indptr[start]
        pieces.append((pointers, indices[own], data[own]))
    asked = []
    for pointers, columns, values, factors in calls:
        found = [
            i
            for i, piece in enumerate(pieces)
            if all(map(np.array_equal, piece, (pointers, columns, values)))
        ]
        if factors.shape != V.shape or not np.array_equal(factors, V):
            return hint(
                "part-of-V",
                "You hand over a part of `V`. Cut are the rows of the view; any of them "
                "may have rated any movie.",
            )
        if len(columns) == len(indices):
            return hint(
                "everything",
                "A worker gets the ratings of all rows. It should get those of its own piece only.",
            )
        if len(pointers) and pointers[0] != 0:
            return hint(
                "not-from-0",
                "The pointers still point into the whole view. In a piece its first row "
                "begins at 0.",
            )
        if not found and any(
            np.array_equal(piece[0][:-1], pointers)
            and np.array_equal(piece[1], columns)
            for piece in pieces
        ):
            return hint(
                "a-pointer-short",
                "A piece of n rows needs n + 1 pointers: the last one says where its "
                "last row ends.",
            )
        if len(pointers) and len(columns) == len(pointers) - 1 != pointers[-1]:
            return hint(
                "rows-for-ratings",
                "You cut `indices` and `data` at numbers of rows. Where in them does row "
                "`borders[i]` begin?",
            )
        if not found:
            return hint(
                "other-rows",
                f"You ask for {len(pointers) - 1} rows with {len(columns)} ratings, and "
                "that is none of the pieces, or not its ratings.",
            )
        asked += [i for i in found if len(pieces[i][1])]
    wanted = [i for i in order if len(pieces[i][1])]
    if asked != wanted and sorted(asked) == sorted(wanted):
        return hint(
            "own-order",
            "All pieces are asked for, but not in the order of `order`. Here it makes "
            "no difference; on a cluster nobody waits for the slowest.",
        )
    if asked != wanted:
        return hint(
            "missing",
            f"{len(wanted)} pieces have rows, and you ask for {len(asked)}. Each "
            "should be asked for once.",
        )
    return None


def check_3(in_pieces, same_bits, rng):
    for n_pieces in (5, 7):
        world, calls = world_in_pieces(rng, n_pieces), []
        view, V, borders, order = world

        def solve(*arrays, calls=calls):
            calls.append([np.array(array) for array in arrays])
            return solved(*calls[-1])

        given = [
            tuple(part.copy() for part in view),
            V.copy(),
            borders.copy(),
            order.copy(),
        ]
        try:
            answer = np.asarray(in_pieces(solve, *given))
        except Exception:
            # What was asked for says more than the error to which it has led.
            told = what_was_asked(calls, *world) if calls else None
            if told and told.hint not in ("missing", "own-order"):
                return told
            raise
        told = what_was_asked(calls, *world)
        if told:
            return told
        right = solved(*view, V)
        if answer.shape != right.shape:
            return hint(
                "shape",
                f"{right.shape[0]} rows of {right.shape[1]} factors are wanted, and what "
                f"you return has the shape {answer.shape}.",
            )
        if np.array_equal(answer, right):
            continue
        ranges = [np.arange(borders[i], borders[i + 1]) for i in order]
        if np.array_equal(answer, right[np.concatenate(ranges)]):
            return hint(
                "as-they-came",
                "The rows stand in the order in which the pieces came. Where does a "
                "piece belong?",
            )
        if np.allclose(answer, right, rtol=1e-5, atol=1e-6):
            return hint(
                "rounded",
                "Right to several digits, but not in all bits. What type has the array "
                "into which you write?",
            )
        wrong = np.flatnonzero(np.any(answer != right, axis=1))
        return hint(
            "places",
            f"Row {wrong[0]}, and {len(wrong) - 1} more, are not what `solve` has returned for them.",
        )
    return which_bits(same_bits)


def which_bits(same_bits):
    """Return the verdict on the letters."""
    named = letters(same_bits, "ABCDEF")
    if not named or len(set(named)) < len(named):
        return hint("letters", 'Letters are wanted, each once at most, such as "BD".')
    other = {
        "B": "B: when two parts of a row's sum are added in another order than one by one, "
        "what is rounded away is something else. And tomorrow another worker is first.",
        "C": "C: now two runs agree. But do three workers add up as two do, or as one?",
        "D": "D: with another number of workers other users are added up together first. "
        "Which order of additions has one machine?",
    }
    for letter, why in other.items():
        if letter in named:
            return hint(f"not-{letter}", why)
    same = {
        "A": "A is missing: by whom, and in which order, are the ratings of a row added up there?",
        "E": "E is missing: is there any sum in it whose order hangs on the workers?",
        "F": "F is missing: does a row come out differently if somebody else solves for "
        "it, from the same ratings in the same order?",
    }
    for letter, why in same.items():
        if letter not in named:
            return hint(f"also-{letter}", why)
    return passed(
        "Cut between sums, and never through one. For this reason a worker sends two sums "
        "for each user: the error has the same bits on one machine and on forty."
    )


def worlds_to_win(rng):
    """Return what is given in each world; all seconds are exact, so that a tie is one."""
    unit, scale = 2.0**-20, 2.0 ** rng.integers(-3, 4)

    def world(alone, threads, for_each, max_workers):
        table = (np.arange(10 * max_workers) + 1) * int(for_each * 2**20)

        def bytes_of(n_workers):
            return table[
                np.asarray(n_workers, int)
            ]  # and for too many there is no entry

        return alone * scale, threads * scale, unit * scale, bytes_of, max_workers

    limit = int(rng.integers(60, 100))
    return [
        world(64, 10, 0.1875, limit),
        world(64, 10.25, 0.25, limit),  # level with eight workers
        world(64, 8, 1.5, limit),  # never
        world(64, 20, 1, limit),  # from five on, and no longer with sixty
        world(64, 12, 0.25, 7),  # the last one that may be tried
        world(64, 20, 0.5, limit),
    ]


def first_below(alone, threads, per_byte, bytes_of, limit, time=None, tie=False):
    for n in range(1, limit + 1):
        seconds = time(n) if time else alone / n + per_byte * bytes_of(n)
        if seconds < threads or (tie and seconds == threads):
            return n
    return np.inf


def fastest(alone, threads, per_byte, bytes_of, limit, wins=True):
    seconds = [alone / n + per_byte * bytes_of(n) for n in range(1, limit + 1)]
    best = int(np.argmin(seconds))
    return best + 1 if seconds[best] < threads or not wins else np.inf


def mistakes_in_winning():
    """Return for each kind of mistake the answer that it leads to, and what to say."""

    def timed(time):
        return lambda a, t, s, b, n: first_below(
            a, t, s, b, n, time=lambda w: time(a, t, s, b, w)
        )

    no_bytes = "You divide the computing and leave out what is sent."
    line = (
        "You divide the sending among the workers, too. But it all goes through the "
        "client's one line."
    )
    once = (
        "You count the bytes of one worker, for any number of them. With more workers "
        "there are more bytes."
    )
    thread = (
        "You compare with one thread. The machine has others, and they would not idle "
        "while the cluster works."
    )
    each = (
        "You divide the time of all threads among the workers, as if each of them had "
        "so many. A worker has one."
    )
    best = (
        "This is the number of workers that is fastest. Asked for is the smallest that "
        "wins: whoever has won with eight need not pay for eighteen."
    )
    tie = "Somewhere your cluster is level with the machine. That is not yet less time."
    last = "You never try `max_workers` itself. What does `range` leave out?"
    return {
        "no-bytes": (timed(lambda a, t, s, b, w: a / w), no_bytes),
        "many-lines": (timed(lambda a, t, s, b, w: (a + s * b(w)) / w), line),
        "bytes-of-one": (timed(lambda a, t, s, b, w: a / w + s * b(1)), once),
        "one-thread": (lambda a, t, s, b, n: first_below(a, a, s, b, n), thread),
        "threads-each": (timed(lambda a, t, s, b, w: t / w + s * b(w)), each),
        "fastest": (fastest, best),
        "fastest-anyway": (lambda *given: fastest(*given, wins=False), best),
        "level": (lambda *given: first_below(*given, tie=True), tie),
        "last-not-tried": (
            lambda a, t, s, b, n: first_below(a, t, s, b, n - 1),
            last,
        ),
    }


def check_4(workers_to_win, rng):
    worlds, answer = worlds_to_win(rng), []
    for alone, threads, per_byte, bytes_of, limit in worlds:
        asked = []

        def counted(n_workers, asked=asked, bytes_of=bytes_of, limit=limit):
            asked.append(np.max(n_workers))
            return bytes_of(n_workers)

        try:
            found = workers_to_win(alone, threads, per_byte, counted, limit)
        except Exception:
            if not asked or asked[-1] <= limit:
                raise
            found = np.inf
        if asked and max(asked) > limit:
            return hint(
                "no-end",
                f"You try {max(asked)} workers where there are {limit} at most. Where there "
                "is no winner, the search has to end all the same.",
            )
        answer.append(float(found))
    right = np.array([first_below(*world) for world in worlds])
    if np.array_equal(answer, right):
        return passed(
            "Such a number belongs beside every curve of a speed-up. A program can be made "
            "to scale by being slow: the slower a worker computes, the less its bytes weigh."
        )
    if np.all(np.isinf(answer)):
        return hint(
            "never",
            "By your count no cluster ever wins. Is the computing divided among the workers? "
            "And are seconds for a byte multiplied by bytes?",
        )
    wins = np.isfinite(right)
    if np.array_equal(np.array(answer)[wins], right[wins]):
        return hint(
            "no-winner",
            f"Right wherever there is a winner. Where there is none you return {answer[2]:g}, "
            "and whoever reads that takes it for a number of workers.",
        )
    for name, (way, message) in mistakes_in_winning().items():
        if np.array_equal(answer, [way(*world) for world in worlds]):
            return hint(name.removesuffix("-anyway"), message)
    if all(
        n == np.inf or (n in range(1, limit + 1) and a / n + s * b(n) < t)
        for n, (a, t, s, b, limit) in zip(answer, worlds, strict=True)
    ):
        return hint(
            "more-is-better",
            "You find winners, but not the smallest, or none where there is one. Does a "
            "cluster that wins with five workers still win with sixty? A search may leave "
            "out nothing that lies between.",
        )
    which = np.flatnonzero(np.array(answer) != right)[0]
    alone, threads, per_byte, bytes_of, limit = worlds[which]
    return hint(
        "other",
        f"With {alone:g} seconds alone, {threads:g} of threads and {per_byte * bytes_of(1):g} of "
        f"sending for one worker you return {answer[which]:g}. Make a table of the seconds for "
        "1, 2, 3 … workers.",
    )


def worlds_of_errors(rng):
    worlds = []
    for share, n in ((0.3, 500), (0.65, 400), (0.0, 300)):
        stars = rng.integers(1, 11, n) / 2
        predicted = np.clip(stars + rng.normal(0, 0.8, n), 1.5, 5) + 0.1
        predicted[rng.permutation(n)[: round(share * n)]] = np.nan
        worlds.append((predicted, stars, 3.7 + 0.1 * rng.random()))
    return worlds


def root_mean_square(errors):
    return float(np.sqrt(np.mean(np.square(errors))))


def check_5(two_errors, rng):
    worlds, answers = worlds_of_errors(rng), []
    for predicted, stars, mean in worlds:
        answer = two_errors(predicted.copy(), stars.copy(), mean)
        answers.append(np.asarray(answer, float))
        if answers[-1].shape != (3,):
            return hint("three", "Three numbers are wanted: two errors, and a share.")
    left, everything, share = np.transpose(answers)

    def are(column, way):
        expected = []
        for predicted, stars, mean in worlds:
            known = ~np.isnan(predicted)
            expected.append(way(predicted, stars, mean, known))
        return np.allclose(column, expected, rtol=1e-9, atol=1e-12, equal_nan=True)

    def of_left(p, s, m, k):
        return root_mean_square((s - p)[k])

    def of_all(p, s, m, k):
        return root_mean_square(s - np.where(k, p, m))

    def left_out(p, s, m, k):
        return np.mean(~k)

    if are(left, of_left) and are(everything, of_all) and are(share, left_out):
        return passed(
            "The third number belongs beside the first one, always. Two models that drop "
            "different ratings have sat different exams, and the one that drops more of "
            "the hard ones looks better."
        )
    if np.isnan(answers).any():
        return hint(
            "nan",
            "One of your numbers is NaN. A sum with a single NaN in it is NaN, and nothing "
            "equals NaN, not even itself.",
        )
    if are(left, of_all) and are(everything, of_left):
        return hint(
            "swapped",
            "Both errors are right, in the other order. The first is of the ratings that are kept.",
        )
    if are(share, lambda p, s, m, k: np.mean(k)):
        return hint(
            "share-of-known",
            "Your share is that of the ratings which are kept. Asked for is what is left out.",
        )
    if are(share, lambda p, s, m, k: 100 * np.mean(~k)):
        return hint(
            "percent", "Your share is in percent. It should lie between 0 and 1."
        )
    if are(share, lambda p, s, m, k: np.sum(~k)):
        return hint(
            "count", "The third number is how many are left out, not which share."
        )
    if are(share, lambda p, s, m, k: np.sum(~k) / np.sum(k)):
        return hint(
            "ratio",
            "You divide what is left out by what is kept. A share is a part of all.",
        )
    if are(left, lambda *w: of_left(*w) ** 2) or are(
        everything, lambda *w: of_all(*w) ** 2
    ):
        return hint("squares", "These are means of squares. The root is missing.")
    if are(left, lambda p, s, m, k: np.mean(np.abs(s - p)[k])):
        return hint(
            "absolute", "You take absolute errors. An RMSE is of their squares."
        )
    if are(left, lambda p, s, m, k: np.sqrt(np.sum((s - p)[k] ** 2) / len(s))):
        return hint(
            "divided-by-all",
            "In the first error you add up the squares of those that are kept, and divide "
            "by the number of all. So whatever is dropped counts as predicted without any error.",
        )
    if are(left, lambda p, s, m, k: root_mean_square(s - np.nan_to_num(p))):
        return hint(
            "zeros-kept",
            "The first error counts ratings without a prediction, as if they were predicted 0 stars.",
        )
    if not are(left, of_left):
        return hint(
            "first",
            "The first error is not that of the ratings with a prediction. Keep these, of both arrays.",
        )
    others = {
        "zeros": (
            lambda p, s, m, k: root_mean_square(s - np.nan_to_num(p)),
            "For the second error you predict 0 stars where nothing is known. Nobody can give 0.",
        ),
        "own-mean": (
            lambda p, s, m, k: root_mean_square(s - np.where(k, p, s.mean())),
            "You fill in the mean of the test ratings. Nobody knows it when predictions are made.",
        ),
        "mean-of-predictions": (
            lambda p, s, m, k: root_mean_square(s - np.where(k, p, np.nanmean(p))),
            "You fill in the mean of the predictions. Those are for known users and movies; "
            "`mean` is that of the training ratings.",
        ),
        "mean-everywhere": (
            lambda p, s, m, k: root_mean_square(s - m),
            "Your second error predicts the mean for all ratings, also where there is a prediction.",
        ),
        "averaged-roots": (
            lambda p, s, m, k: (
                np.mean(k) * root_mean_square((s - p)[k])
                + (np.mean(~k) * root_mean_square((s - m)[~k]) if np.any(~k) else 0)
            ),
            "You average two roots. What can be averaged are mean squares; the root comes last.",
        ),
        "same": (
            of_left,
            "Your second error is the first one once more. It should count all ratings.",
        ),
    }
    for name, (way, message) in others.items():
        if are(everything, way):
            return hint(name, message)
    unknown = [(s - m)[np.isnan(p)] for p, s, m in worlds[:2]]
    if np.allclose(everything[:2], [root_mean_square(e) for e in unknown]):
        return hint(
            "only-unknown",
            "Your second error is that of the ratings without a prediction. It should count all.",
        )
    return hint(
        "other",
        "Not these three. Take four ratings, one of them without a prediction, and go "
        "through them by hand.",
    )
