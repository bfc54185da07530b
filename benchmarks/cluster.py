"""Two worker processes of a Dask cluster against two threads of one process, sweep by sweep.

    python benchmarks/cluster.py                      # 25 million
    python benchmarks/cluster.py --ratings 100

Draws the files of `from_disk.py`, has a cluster of two processes with a thread each deal them out,
and reads them into this process as well. Then both fit the same model, one sweep of the one after
one of the other, so that a busy machine slows both. The bits of the two fits are compared.
"""

import argparse
import json
import resource
import tempfile
import time
from datetime import date
from pathlib import Path

import numba
import numpy as np
from from_disk import N_FACTORS, alone, draw
from speed import machine

RESULTS = Path(__file__).with_name("results") / "cluster.json"
N_WORKERS = 2


def main():
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--ratings", type=float, default=25, help="how many, in millions")
    arguments.add_argument("--sweeps", type=int, default=5)
    arguments.add_argument("--folder", type=Path, help="where the files lie (default: temporary)")
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.folder) as folder:
        folder = Path(folder) / "parquet"
        alone(draw, folder, round(chosen.ratings * 1e6 / 2_500_000))
        facts = in_turns(folder, chosen.sweeps)
    print(json.dumps(facts, indent=1))
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    results[f"{chosen.ratings:g}"] = {"date": f"{date.today()}", "machine": machine(), **facts}
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")


def in_turns(folder, n_sweeps):
    """Return what the two ways have taken."""
    from alslib import LatentALS, Ratings, SpreadRatings

    numba.set_num_threads(N_WORKERS)
    start = time.perf_counter()
    with SpreadRatings.from_pieces(folder, cluster=N_WORKERS) as spread:
        spread_seconds = time.perf_counter() - start
        own_peak = peak_bytes()
        start = time.perf_counter()
        ratings = Ratings.from_pieces(folder, progress=False)
        read_seconds = time.perf_counter() - start
        ways = {"threads": ratings, "workers": spread}
        models = {way: LatentALS(N_FACTORS, n_sweeps=n_sweeps, tol=0) for way in ways}
        sweeps = {way: models[way].fit_iter(ways[way]) for way in ways}
        seconds, moved = {way: [] for way in ways}, []
        for _ in range(n_sweeps + 1):
            for way, records in sweeps.items():
                before, start = spread.bytes_moved, time.perf_counter()
                next(records)
                seconds[way].append(time.perf_counter() - start)
                if way == "workers":
                    moved.append(spread.bytes_moved - before)
        one, other = models.values()
        for name in ("user_factors_", "item_factors_", "user_bias_", "item_bias_"):
            assert np.array_equal(getattr(one, name), getattr(other, name)), name
        return {
            "n_ratings": spread.n_ratings,
            "n_users": spread.n_users,
            "n_items": spread.n_items,
            "n_factors": N_FACTORS,
            "n_workers": N_WORKERS,
            "spread_seconds": spread_seconds,
            "read_seconds": read_seconds,
            # The first is that of the start, the second compiles what is not compiled yet.
            "seconds": seconds,
            "bytes_moved": moved,
            "peak_bytes_of_workers": list(spread.client.run(peak_bytes).values()),
            "peak_bytes_of_client": own_peak,
            "train_rmse": one.history_[-1].train_rmse,
        }


def peak_bytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main()
