"""Made from exercises/source/09_at_scale.ipynb by `make exercises`: edit that."""

import numpy as np

from exercise_checks import hint, passed


def check_1(least_seconds, rng):
    n, K = int(rng.integers(1, 9)) * 1_000_000, int(rng.choice([8, 16, 32]))
    slow_memory, slow_arithmetic = (50e9, 10e9), (2e9, 40e9)
    answer = [float(least_seconds(n, K, *m)) for m in (slow_memory, slow_arithmetic)]

    def fits(n_operations, n_bytes, both=max):
        expected = [
            both(n * n_operations / peak, n * n_bytes / bandwidth)
            for peak, bandwidth in (slow_memory, slow_arithmetic)
        ]
        return np.allclose(answer, expected, rtol=1e-6, atol=0)

    look, moved = 2 * K + 5, 13 + 4 * K
    if fits(look, moved):
        return passed(
            "Less than half an operation for each byte, whatever K is: on any machine "
            "whose corner lies further right, only memory counts here, and faster "
            "arithmetic gains nothing."
        )
    if fits(look, moved, both=lambda a, b: a + b):
        return hint(
            "one-after-the-other",
            "You let the processor wait until all bytes are there, and only then "
            "begin. The roofline lets it compute while further bytes are on their way.",
        )
    if fits(look, moved, both=min):
        return hint(
            "the-faster-one",
            "You take the shorter of the two times. But both have to be over before the look is.",
        )
    if fits(look, moved, both=lambda a, b: a) or fits(look, moved, both=lambda a, b: b):
        return hint(
            "one-limit",
            "Only one of the two speeds enters. Think of a machine where that one has no end.",
        )
    if fits(K * (K + 1) + 4 * K, moved):
        return hint(
            "half-step",
            "These are the operations of the half-step. A look builds no matrix.",
        )
    if fits(K + 6, moved) or fits(K + 5, moved):
        return hint(
            "products-only",
            "You count the multiplications of the product of two vectors. Its terms "
            "have to be added, too.",
        )
    if fits(look, 13 + 8 * K) or fits(look, 21 + 8 * K):
        return hint(
            "too-wide",
            "You move 8K bytes for each rating. Either the factors were counted in "
            "float64, or the user's own are fetched for every rating anew.",
        )
    if fits(look, 13 + K):
        return hint("one-byte", "A factor is a float32, and you give it one byte.")
    if fits(look, 4 * K) or fits(look, 8 + 4 * K):
        return hint(
            "factors-only",
            "You move the factors, but not all that else has to be fetched for each rating.",
        )
    if fits(2 * look, 2 * moved):
        return hint(
            "twice",
            "You look at every rating twice. To compute an error one view is enough.",
        )
    return hint(
        "other",
        "Not this time. Count for a single rating first: 2K + 5 operations. How many "
        "bytes? Then which of the two takes longer?",
    )


def served(row):
    # Yield a row in chunks of 64, all of them in the same buffer.
    buffer = np.empty(64, np.float32)
    for start in range(0, len(row), 64):
        chunk = buffer[: len(row) - start]
        chunk[:] = row[start : start + 64]
        yield chunk


def check_2(row_sum, rng):
    # 20 full blocks of 512, then 3 chunks, the last of them short.
    short = rng.uniform(0.5, 1.5, 20 * 512 + 2 * 64 + 10).astype(np.float32)
    exact = short.sum(dtype=np.float64)
    answer = float(row_sum(served(short)))

    def is_close(expected, tolerance=1e-4):
        return abs(answer / expected - 1) < tolerance

    last = np.concatenate(
        [short[-10:], short[-64:-10]]
    )  # what the buffer holds at the end
    kept = len(short) // 64 * last.sum(dtype=np.float64) + short[-10:].sum(
        dtype=np.float64
    )
    partials = np.add.reduceat(
        short[: 20 * 512].astype(float), np.arange(0, 20 * 512, 512)
    )
    if not is_close(exact):
        if is_close(partials.sum()):
            return hint(
                "tail",
                "The last numbers of the row are missing, those that do not fill a "
                "block. In most rows of MovieLens that is all of them.",
            )
        if answer > 3 * exact:
            return hint(
                "not-reset",
                "Much too large: what has been moved to the total is still in the "
                "block, and will be moved again.",
            )
        if is_close(kept, 2e-2):
            return hint(
                "buffer",
                "You have kept the chunks for later. They are all the same buffer, "
                "and it holds only what came last.",
            )
        return hint(
            "other",
            "Already on a row of ten thousand numbers the sum is wrong. Try "
            "`chunks_of(np.ones(700))`.",
        )
    long = (np.float32(0.1) + rng.uniform(0, 1e-5, 1_280_100)).astype(np.float32)
    exact = long.sum(dtype=np.float64)
    answer = float(row_sum(served(long)))
    error = abs(answer / exact - 1)
    if error > 1e-6:
        return hint(
            "still-single",
            f"On a row of {len(long):,} numbers the sum is off by {error:.0e} of it. "
            "Somewhere a large total still has only 24 binary digits, so what is "
            "added to it loses its last ones.",
        )
    if error < 1e-12:
        return hint(
            "all-double",
            "Every digit is right, but you have made a double of each number before "
            "adding it. Then only half as many of them fit into a register.",
        )
    by = "One double for a whole block of them is cheap"
    if float(np.float32(answer)) == answer:
        by = (
            "Without any double: what a sum loses is carried along, or never gets large"
        )
    return passed(
        f"{by}, and the error no longer grows with the row. A test with short rows "
        "could not have found this bug."
    )


from exercise_checks import letters


def check_3(seven):
    word = letters(seven, "SOW").lower()
    if len(word) != 7:
        return hint("letters", "Seven letters are asked for, each of them s, o or w.")
    if word[0] != "s":
        return hint("first", "The first letter stands in the text, with its reason.")
    if word[1] == "s":
        return hint(
            "scatter",
            "Loop 2: one user's ratings may be in two threads' hands. Both read the "
            "total, both add to what they have read, and both write it back. What is "
            "left of the first one's addition?",
        )
    if word[1] == "o":
        return hint(
            "lost-not-rounded",
            "Loop 2: it would be a matter of rounding if every addition arrived, only "
            "in another order. Does each of them arrive?",
        )
    if word[2] != "s":
        return hint(
            "reads-only",
            "Loop 3: several threads may read the same bias at the same time. Which "
            "entries are written, and by how many threads each?",
        )
    if word[3] != "w":
        return hint(
            "columns-meet",
            "Loop 4: rows are dealt out, as in loop 1. But look at what is written "
            "to, and think of two users with the same favourite movie.",
        )
    if word[4] == "w":
        return hint(
            "apart",
            "Loop 5: no two threads write to the same entry of `part`, so nothing gets lost.",
        )
    if word[4] == "s":
        return hint(
            "order-of-sums",
            "Loop 5: nothing gets lost. But which numbers are added to each other "
            "first? Compare one thread with two, in floating point.",
        )
    if word[5] != "s":
        return hint(
            "fixed-cut",
            "Loop 6: where are the cuts with two threads, and where with eight? And "
            "in which order are the parts added up?",
        )
    if word[6] != "w":
        return hint(
            "one-matrix",
            "Loop 7: each row writes its own entry of U, rightly. Where is the matrix "
            "that it is solved with, and who else is writing to it?",
        )
    return passed(
        "Ask two questions of every parallel loop: does anybody else write where I "
        "write, and does the order of a sum depend on who does it? The library is "
        "built so that both answers are no."
    )


def to_the_idlest(work, n_threads, order):
    load, thread_of = np.zeros(n_threads), np.empty(len(work), int)
    for row in order:
        thread_of[row] = np.argmin(load)
        load[thread_of[row]] += work[row]
    return thread_of


def above_bound(work, thread_of, n_threads):
    load = np.bincount(thread_of, work, minlength=n_threads)
    return load.max() / max(load.mean(), work.max()) - 1


def check_4(assign, rng):
    n_rows, n_threads, worlds = 700, 8, []
    for _ in range(3):
        work = np.round(100 * (1 + rng.pareto(1.1, n_rows)))
        work = np.sort(np.minimum(work, 0.6 * work.sum() / n_threads))
        # The two longest rows come last in the file.
        work = np.concatenate([rng.permutation(work[:-2]), work[-2:]])
        thread_of = np.asarray(assign(work.copy(), n_threads))
        if thread_of.shape != work.shape or thread_of.dtype.kind not in "iu":
            return hint(
                "one-each",
                f"One whole number is wanted for each of the {n_rows} rows: which thread gets it.",
            )
        if thread_of.min() < 0 or thread_of.max() >= n_threads:
            return hint(
                "no-such-thread",
                f"There are {n_threads} threads, 0 to {n_threads - 1}, and you give rows to others.",
            )
        worlds.append((above_bound(work, thread_of, n_threads), work, thread_of))
    above, work, thread_of = max(worlds, key=lambda world: world[0])

    def loads(threads):
        return np.sort(np.bincount(threads, work, minlength=n_threads))

    mine, rows = loads(thread_of), np.arange(n_rows)
    told = f"In the worst of three tries your makespan is {above:.1%} above the bound."
    if above <= 0.01:
        return passed(
            f"{told} Largest first is a good rule whenever things of different size "
            "are to be packed. It is never more than a third above the best "
            "assignment, and with many small rows far less."
        )
    if np.max(mine == 0):
        return hint("idle", f"{told} At least one thread has nothing to do at all.")

    def is_like(threads):
        return np.allclose(mine, loads(threads))

    largest_first = np.argsort(-work, kind="stable")
    dealt = np.empty(n_rows, int)
    dealt[largest_first] = rows % n_threads
    if is_like(rows * n_threads // n_rows) or is_like(
        np.repeat(np.arange(n_threads), -(-n_rows // n_threads))[:n_rows]
    ):
        return hint(
            "equally-many",
            f"{told} Every thread has about equally many rows. Rows differ.",
        )
    if is_like(dealt):
        return hint(
            "dealt-sorted",
            f"{told} This is what comes of dealing sorted rows out in turn, and of "
            "giving away the smallest first, too: in every round the same thread gets "
            "the largest.",
        )
    if is_like(rows % n_threads):
        return hint(
            "dealt",
            f"{told} You deal the rows out in turn, whatever they weigh.",
        )
    if is_like(to_the_idlest(work, n_threads, rows)):
        return hint(
            "late-giant",
            f"{told} Each row goes to the thread with the least to do, which is a "
            "good idea. But what if the last row is a long one?",
        )
    if (np.diff(thread_of) >= 0).all():
        return hint(
            "stretches",
            f"{told} You cut the rows into stretches of about equal work. A cut can "
            "only be made between rows, and here a single row is long.",
        )
    return hint(
        "not-below",
        f"{told} Keep a sum for each thread, and think about which row should be given away first.",
    )


from itertools import pairwise

from alslib import Ratings, load_movielens


def survived(unpack_row, packed, m, row):
    """Return the share of spoilt copies of the large arrays from which a row still comes back."""
    sound = []
    total = sum(part.nbytes for part in packed)
    for i, part in enumerate(packed):
        if 4 * part.nbytes < total:
            continue
        for start, end in pairwise(np.linspace(0, part.size, 9).astype(int)):
            content = np.ascontiguousarray(part).ravel().copy()
            stretch = content[start:end].view(np.uint8)
            stretch ^= np.uint8(0x15)
            spoilt = [*packed[:i], content.reshape(part.shape), *packed[i + 1 :]]
            try:
                columns, stars = unpack_row(tuple(spoilt), m)
                is_sound = np.array_equal(columns, row[0]) and np.array_equal(
                    stars, row[1]
                )
            except Exception:
                is_sound = False
            sound.append(is_sound)
    return np.mean(sound)


def check_5(pack, unpack_row, rng):
    # Gaps around the limits of one and of two bytes, an empty row, rows of odd length.
    rows = [
        np.cumsum([5, 1, 254, 255, 256, 1, 509, 510, 511]),
        np.sort(rng.choice(200, 7, replace=False)),
        np.array([], int),
        np.array([0, 255, 65_790, 131_326, 999_999]),
        np.sort(rng.choice(5000, 20, replace=False)),
        np.array([70_000]),
    ]
    made_up = [len(row) for row in rows], np.concatenate(rows)
    stars = np.append(rng.permutation(10), rng.integers(0, 10, len(made_up[1]) - 10))
    real = Ratings.from_frame(load_movielens().ratings).by_user
    views = []
    for counts, indices, data in (
        (*made_up, stars.astype(np.uint8)),
        (np.diff(real.indptr), real.indices, real.data),
    ):
        indptr = np.append(0, np.cumsum(counts)).astype(np.int64)
        indices = indices.astype(np.int32)
        packed = pack(indptr.copy(), indices.copy(), data.copy())
        views.append((counts, indptr, indices, data, packed))
    for counts, indptr, indices, data, packed in views:
        if not isinstance(packed, tuple | list) or not all(
            isinstance(part, np.ndarray) and part.dtype.kind in "iufb"
            for part in packed
        ):
            return hint(
                "arrays",
                "`pack` should return a tuple of NumPy arrays of numbers, so that "
                "their bytes can be counted.",
            )
        wrong_columns, wrong_stars, lengths, differences = [], [], [], []
        for m in range(len(counts)):
            columns, its_stars = (np.asarray(part) for part in unpack_row(packed, m))
            at = slice(indptr[m], indptr[m + 1])
            if len(columns) != counts[m]:
                wrong_columns.append(m)
                lengths.append(m)
            elif not np.array_equal(columns, indices[at]):
                wrong_columns.append(m)
                differences.append(columns.astype(np.int64) - indices[at])
            if not np.array_equal(its_stars, data[at]):
                wrong_stars.append(m)
        if wrong_columns:
            again = pack(indptr.copy(), indices.copy(), data.copy())
            columns = [unpack_row(again, m)[0] for m in wrong_columns]
            if all(
                np.array_equal(of_row, indices[indptr[m] : indptr[m + 1]])
                for m, of_row in zip(wrong_columns, columns, strict=True)
            ):
                return hint(
                    "elsewhere",
                    "Rows come back only until another view is packed. Something has "
                    "been kept elsewhere than in what `pack` returns.",
                )
            off = np.concatenate(differences) if differences else np.array([0])
            if wrong_columns == [2]:
                return hint(
                    "empty-row", "A row without ratings should give two empty arrays."
                )
            if lengths:
                return hint(
                    "length",
                    f"Row {lengths[0]} comes back with another number of columns than "
                    "it had. If one value of a byte means *go on*, may a gap end with "
                    "it?",
                )
            if off.any() and len(set(off.tolist())) == 1:
                return hint(
                    "shifted",
                    "All columns are shifted by the same number. Where does a row begin to count?",
                )
            if off.any() and not np.any(off % 65_536):
                return hint(
                    "wraps",
                    "Columns come out too small by multiples of 65,536: a gap did not "
                    "fit into its two bytes, and NumPy cuts off what is too much, "
                    "without a word.",
                )
            if off.any() and not np.any(off % 256):
                return hint(
                    "wraps",
                    "Columns come out too small by multiples of 256: a gap did not "
                    "fit into its byte, and NumPy cuts off what is too much, without "
                    "a word.",
                )
            if 0 not in wrong_columns:
                return hint(
                    "across-rows",
                    "Row 0 is right and later ones are not. At the border of two rows "
                    "the gap runs from one user's last movie to the next one's first.",
                )
            return hint(
                "columns",
                f"The columns of row {wrong_columns[0]} do not come back as they were.",
            )
        if any(indptr[m] % 2 == 0 for m in wrong_stars):
            return hint(
                "stars",
                "The columns are right and the stars are not. If two of them share a "
                "byte: which one is its upper half?",
            )
        if wrong_stars:
            return hint(
                "half-bytes",
                "Stars are wrong in rows that begin in the middle of a byte, after an "
                "odd number of ratings.",
            )
    size = sum(part.nbytes for part in packed) / real.indptr[-1]
    last = len(counts) - 1
    its_row = indices[indptr[last] :], data[indptr[last] :]
    if size < 0.7:
        return hint(
            "elsewhere",
            f"From {size:.2f} bytes a rating no program can tell these ratings, for "
            "they hold more information than that. Something has been kept elsewhere.",
        )
    if survived(unpack_row, packed, last, its_row) < 0.5:
        return hint(
            "whole",
            f"Everything comes back, from {size:.2f} bytes a rating. But when anything "
            "else than the last row is spoilt, the last row is, too: it cannot be "
            "unpacked without the others.",
        )
    told = f"Everything comes back, from {size:.2f} bytes a rating."
    if size < 2:
        return passed(
            f"{told} Before you use it: at K = 16 a rating moves 64 bytes of factors "
            "besides, so fewer bytes of index hardly count there. Where ratings are "
            "only read and kept, they do."
        )
    by_rating = [part for part in packed if len(part) >= real.indptr[-1]]
    if any(part.itemsize >= 4 for part in by_rating):
        return hint(
            "wide",
            f"{told} One of the arrays still has four bytes or more for each rating.",
        )
    if any(part.itemsize == 2 for part in by_rating):
        return hint(
            "two-byte-gaps",
            f"{told} Each gap has two bytes. Hardly any of them needs the second.",
        )
    if any(part.max() < 16 for part in by_rating):
        return hint(
            "star-bytes",
            f"{told} The gaps are small now. The stars still have a byte each, and "
            "use four bits of it.",
        )
    return hint(
        "not-below",
        f"{told} Print the bytes of each of your arrays: which of them is the largest "
        "for what it holds?",
    )
