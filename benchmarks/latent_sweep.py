"""Seconds per sweep of latent-factor ALS, and how far it is from the machine's own limit.

The limit is one large matrix product in single precision, with as many threads, in the same run.
Useful operations of a sweep, a multiplication and an addition counted as two: K(K + 1) per rating
and side for the triangle of the normal matrix, 4K for its two vectors, K³/3 per row for the solve.

    python benchmarks/latent_sweep.py [ml-1m | ml-25m]
"""

import statistics
import sys
import time

import numba
import numpy as np

from alslib import MOVIELENS_SHAPES, LatentALS, Ratings, make_ratings

WIDTHS = (10, 32, 64)
N_SWEEPS = 5
N_PRODUCT = 4000


def product_rate():
    """Operations per second of one large matrix product, the best of three."""
    matrix = np.random.default_rng(0).random((N_PRODUCT, N_PRODUCT), dtype=np.float32)
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        matrix @ matrix
        seconds.append(time.perf_counter() - start)
    return 2 * N_PRODUCT**3 / min(seconds)


def useful_operations(ratings, width):
    per_rating = width * (width + 1) + 4 * width
    return 2 * ratings.n_ratings * per_rating + (ratings.n_users + ratings.n_items) * width**3 / 3


def main():
    name = sys.argv[1] if len(sys.argv) > 1 else "ml-25m"
    world = make_ratings(*MOVIELENS_SHAPES[name], n_factors=16)
    ratings = Ratings(world.users, world.items, world.values)
    del world
    print(f"{name}-shaped: {ratings}, {numba.get_num_threads()} threads")
    for width in WIDTHS:
        model = LatentALS(width, n_sweeps=N_SWEEPS, tol=0)
        wall, cpu = [], []
        model.initialise(ratings)
        for sweep in range(N_SWEEPS + 1):
            start, start_cpu = time.perf_counter(), time.process_time()
            for update in model.blocks(ratings).values():
                update()
            if sweep:  # the first one compiles
                wall.append(time.perf_counter() - start)
                cpu.append(time.process_time() - start_cpu)
        start = time.perf_counter()
        model.objective(ratings)
        measuring = time.perf_counter() - start
        seconds = statistics.median(wall)
        limit = product_rate()
        rate = useful_operations(ratings, width) / seconds
        print(
            f"K = {width}: {seconds:.3f} s per sweep ({statistics.median(cpu):.3f} s CPU), "
            f"objective and errors {measuring:.3f} s; {rate / 1e9:.0f} of {limit / 1e9:.0f} "
            f"GF/s, {rate / limit:.0%} of the limit"
        )


if __name__ == "__main__":
    main()
