"""Build 25 million ratings from three columns: time against SciPy, and peak memory.

SciPy is the peer: it makes the same two views (CSR and CSC) from columns that are dense indices
already, which spares it the numbering of ids, and keeps no byte codes.

    python benchmarks/construct_ratings.py
"""

import resource
import statistics
import time
import tracemalloc

import numpy as np
from scipy import sparse

from alslib import MOVIELENS_SHAPES, BiasALS, Ratings, make_ratings

N_RUNS = 5


def seconds(build):
    start = time.perf_counter()
    build()
    return time.perf_counter() - start


def main():
    n_users, n_items, _ = shape = MOVIELENS_SHAPES["ml-25m"]
    took = time.perf_counter()
    world = make_ratings(*shape)
    print(f"made {len(world.values):,} ratings in {time.perf_counter() - took:.1f} s")
    order = np.random.default_rng(0).permutation(len(world.values))
    users, items, values = world.users[order], world.items[order], world.values[order]
    user_ids, item_ids = 3 * users + 17, 2 * items + 5  # ids with gaps, in random order
    del world, order

    def ours():
        return Ratings(user_ids, item_ids, values)

    def scipys():
        rows = sparse.coo_array((values, (users, items)), shape=(n_users, n_items)).tocsr()
        return rows, rows.tocsc()

    Ratings(user_ids[:9], item_ids[:9], values[:9])  # compile
    pairs = [(seconds(ours), seconds(scipys)) for _ in range(N_RUNS)]
    mine, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    print(f"Ratings {mine:.2f} s, SciPy {theirs:.2f} s, ratio {ratio:.2f} (medians of {N_RUNS})")

    tracemalloc.start()
    ratings = ours()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    print(
        f"{ratings.nbytes / ratings.n_ratings:.2f} bytes per rating, {ratings.nbytes / 1e6:.0f} MB"
    )
    print(f"peak while building, input apart: {peak / ratings.nbytes:.2f} × the finished structure")

    model = BiasALS(n_sweeps=10, tol=0).fit(ratings, progress=False)
    sweep = statistics.median(record.seconds for record in model.history_[2:])
    print(f"bias-only ALS: {sweep:.2f} s per sweep")
    print(
        f"largest resident size: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB"
    )


if __name__ == "__main__":
    main()
