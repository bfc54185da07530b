"""From files of ratings that no memory holds to a fitted model: seconds, bytes, peak memory.

    python benchmarks/from_disk.py                      # 25 million
    python benchmarks/from_disk.py --ratings 1000       # a billion: 20 GB of disk

Draws ratings with tails as heavy as ml-25m's into a folder of Parquet files, reads them piece by
piece into one file, and fits a model to what stays in that file. Every step has a process of its
own, so that its peak is its own. README.md says how to read the results.
"""

import argparse
import json
import resource
import shutil
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from speed import machine

RESULTS = Path(__file__).with_name("results") / "from_disk.json"
N_FACTORS = 32
N_TRUE_FACTORS = 8
# A file holds so many users' ratings, shuffled; all files have the same items, as liked everywhere.
# Where the number of ratings is no multiple, the last file has as many users fewer.
USERS_OF_FILE, N_ITEMS, RATINGS_OF_FILE = 16_254, 59_047, 2_500_000
MINIMUM = 20  # ratings of a user


def main():
    chosen = options(__doc__, n_sweeps=3)
    with tempfile.TemporaryDirectory(dir=chosen.folder) as folder:
        folder = Path(folder)
        steps = {
            "draw": alone(draw, folder / "parquet", chosen.n_ratings),
            "read": alone(read, folder / "parquet", folder / "ratings.npz"),
        }
        shutil.rmtree(folder / "parquet")
        steps["fit"] = alone(fit, folder / "ratings.npz", chosen.sweeps)
    record(RESULTS, chosen.ratings, steps)


def options(description, n_sweeps, **more):
    """Return what was asked for on the command line; ``more`` are numbers, and their defaults."""
    arguments = argparse.ArgumentParser(description=description.partition("\n")[0])
    arguments.add_argument("--ratings", type=float, default=25, help="how many, in millions")
    arguments.add_argument("--sweeps", type=int, default=n_sweeps)
    arguments.add_argument("--folder", type=Path, help="where the files lie (default: temporary)")
    for name, number in more.items():
        arguments.add_argument(f"--{name.replace('_', '-')}", type=int, default=number)
    chosen = arguments.parse_args()
    chosen.n_ratings = round(chosen.ratings * 1e6)
    return chosen


def record(path, millions, facts):
    """Put a run among those that are recorded, in the place of the last of this size."""
    results = json.loads(path.read_text()) if path.exists() else {}
    results[f"{millions:g}"] = {"date": f"{date.today()}", "machine": machine(), **facts}
    path.write_text(json.dumps(results, indent=1) + "\n")


def alone(step, *arguments):
    """Return what a step reports, from a process of its own, with its seconds and its peak."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        facts = pool.submit(measured, step, *arguments).result()
    print(f"{step.__name__}: {facts}", flush=True)
    return facts


def measured(step, *arguments):
    start = time.perf_counter()
    facts = step(*arguments)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "seconds": time.perf_counter() - start,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "peak_bytes": usage.ru_maxrss * 1024,
        **facts,
    }


def draw(folder, n_ratings):
    """Write the files, one group of users after the other."""
    import pyarrow as pa
    from pyarrow import parquet

    from alslib.data.who_rates_what import draw_rows, item_popularity, user_degrees
    from alslib.kernels.inputs import Pair
    from alslib.kernels.latent import expected_ratings

    folder.mkdir()
    rng = np.random.default_rng(0)
    weights = rng.permutation(item_popularity(USERS_OF_FILE, N_ITEMS, RATINGS_OF_FILE))
    items_truth = truth(N_ITEMS, rng)
    n_bytes = 0
    n_files = -(-n_ratings // RATINGS_OF_FILE)
    for number in range(n_files):
        n_here = min(RATINGS_OF_FILE, n_ratings - number * RATINGS_OF_FILE)
        n_users = round(USERS_OF_FILE * n_here / RATINGS_OF_FILE)
        rng = np.random.default_rng([1, number])
        rows = rng.permutation(user_degrees(n_users, N_ITEMS, n_here, MINIMUM))
        _, items = draw_rows(rows, weights, rng)
        users = np.repeat(np.arange(n_users, dtype=np.int32), rows)
        stars = np.empty(len(items))
        expected_ratings(users, items, 3.5, Pair(*truth(n_users, rng)), items_truth, stars)
        stars += 0.8 * rng.standard_normal(len(stars))
        stars = np.clip(np.rint(2 * stars) / 2, 0.5, 5).astype(np.float32)
        order = rng.permutation(len(items))
        users += number * USERS_OF_FILE
        columns = {"user_id": users, "movie_id": items, "rating": stars}
        path = folder / f"part-{number:05}.parquet"
        parquet.write_table(pa.table({name: c[order] for name, c in columns.items()}), path)
        n_bytes += path.stat().st_size
    return {"bytes": n_bytes, "files": n_files}


def truth(n, rng):
    """Draw biases and factors, so that a user's product with an item varies by 0.4 stars."""
    from alslib.kernels.inputs import Pair

    spread = np.sqrt(0.4 / np.sqrt(N_TRUE_FACTORS))
    return Pair(rng.normal(0, 0.45, n), rng.normal(0, spread, (n, N_TRUE_FACTORS)))


def read(folder, path):
    """Make one file of the folder."""
    from alslib import Ratings

    ratings = Ratings.from_pieces(folder, file=path, progress=False)
    return {
        "bytes": path.stat().st_size,
        "n_ratings": ratings.n_ratings,
        "n_users": ratings.n_users,
        "n_items": ratings.n_items,
    }


def fit(path, n_sweeps):
    """Fit from the file."""
    from alslib import LatentALS, Ratings

    model = LatentALS(N_FACTORS, n_sweeps=n_sweeps, tol=0)
    start = time.perf_counter()
    ratings = Ratings.load(path, mmap=True)
    loaded = time.perf_counter() - start
    model.fit(ratings, progress=False)
    return {
        "load_seconds": loaded,
        "sweep_seconds": [record.seconds for record in model.history_[1:]],
        "train_rmse": [record.train_rmse for record in model.history_],
        "bytes_of_factors": model.user_factors_.nbytes + model.item_factors_.nbytes,
    }


if __name__ == "__main__":
    main()
