"""Lesson 1's explorable deals as the kernel does, and as `Ratings` keeps what was dealt."""

import numpy as np

from alslib import Ratings, kernels

STATES = 200


def random_ratings(rng):
    """Some cells of a small table in a random order, with stars and marks: keep, or hide."""
    n_users, n_movies = rng.integers(1, 7, 2)
    cells = rng.permutation(n_users * n_movies)[: rng.integers(1, n_users * n_movies + 1)]
    stars = rng.integers(1, 11, len(cells)) / 2
    return n_users, n_movies, cells // n_movies, cells % n_movies, stars


def deal(call, rows, columns, stars, n_rows, keep, passes):
    lists = (rows.tolist(), columns.tolist(), stars.tolist(), int(n_rows), keep.tolist())
    return call("dealt", *lists, passes)


def test_dealt_as_the_kernel_does_and_as_far_as_told(module):
    rng = np.random.default_rng(0)
    call = module("dealing")
    for _ in range(STATES):
        n_users, _, rows, columns, stars = random_ratings(rng)
        keep = rng.random(len(stars)) < 0.8
        step = int(rng.integers(2 * len(stars) + n_users + 1))
        passes = call("passes", step, len(stars), int(n_users))
        assert sum(passes.values()) == step
        shown = deal(call, rows, columns, stars, n_users, keep, passes)

        kept = [array[keep] for array in (rows, columns, stars)]
        indptr, indices, data = kernels.rows.group_by_row(*kept, n_users)
        in_pass = rows[: passes["counted"]][keep[: passes["counted"]]]
        assert shown["counts"] == np.bincount(in_pass, minlength=n_users).tolist()
        known = passes["added"] + (passes["added"] > 0)
        assert shown["indptr"] == indptr[:known].tolist() + [None] * (len(indptr) - known)
        n_dealt = keep[: passes["dealt"]].sum()
        _, first_indices, first_data = kernels.rows.group_by_row(
            *(array[:n_dealt] for array in kept), n_users
        )
        filled = np.array([i is not None for i in shown["indices"]], bool)
        assert len(filled) == keep.sum()
        assert [i for i in shown["indices"] if i is not None] == first_indices.tolist()
        assert [r for r in shown["data"] if r is not None] == first_data.tolist()
        if passes["dealt"] == len(stars):
            assert filled.all()
            assert shown["indices"] == indices.tolist()
            assert shown["data"] == data.tolist()
            assert shown["cursor"] == indptr[1:].tolist()
            assert columns[shown["from"]].tolist() == indices.tolist() if len(data) else True


def test_one_mark_makes_both_views_of_ratings(module):
    """Dealing again what was dealt sorts, as `Ratings` does; and a mask is `Ratings.select`."""
    rng = np.random.default_rng(1)
    call = module("dealing")
    for _ in range(STATES):
        _, _, users, movies, stars = random_ratings(rng)
        ratings = Ratings(users, movies, stars)
        rows, columns = ratings.user_index(users), ratings.item_index(movies)
        sizes = ratings.n_users, ratings.n_items
        keep = rng.random(len(stars)) < 0.7
        keep[rng.integers(len(stars))] = True
        in_order = np.lexsort((columns, rows))  # the order of by_user, in which `select` is asked
        part = ratings.select(keep[in_order])

        def all_dealt(rows, columns, stars, n_rows, keep):
            done = call("passes", 10**6, len(stars), int(n_rows))
            view = deal(call, rows, columns, stars, n_rows, keep, done)
            owners = np.repeat(np.arange(n_rows), np.diff(view["indptr"]))
            return view, owners, np.array(view["indices"]), np.array(view["data"])

        _, by, of, values = all_dealt(rows, columns, stars, sizes[0], keep)
        everything = np.ones(len(values), bool)
        by_movie, by, of, values = all_dealt(of, by, values, sizes[1], everything)
        by_user, *_ = all_dealt(of, by, values, sizes[0], everything)
        for view, csr in [(by_movie, part.by_item), (by_user, part.by_user)]:
            assert view["indptr"] == csr.indptr.tolist()
            assert view["indices"] == csr.indices.tolist()
            assert view["data"] == part.decode(csr.data).tolist()
