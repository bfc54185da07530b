"""Two worker processes of a Dask cluster against two threads of one process, sweep by sweep.

    python benchmarks/cluster.py                      # 25 million
    python benchmarks/cluster.py --ratings 100

Draws the files of `from_disk.py`, has a cluster of two processes with a thread each deal them out,
and reads them into this process as well. Then both fit the same model, one sweep of the one after
one of the other, so that a busy machine slows both. The bits of the two fits are compared.
"""

import resource
import tempfile
import time
from pathlib import Path

import numba
import numpy as np
import psutil
from from_disk import N_FACTORS, alone, draw, options, record

RESULTS = Path(__file__).with_name("results") / "cluster.json"
N_WORKERS = 2


def main():
    chosen = options(__doc__, n_sweeps=5)
    with tempfile.TemporaryDirectory(dir=chosen.folder) as folder:
        folder = Path(folder) / "parquet"
        alone(draw, folder, chosen.n_files)
        facts = in_turns(folder, chosen.sweeps)
    print(facts)
    record(RESULTS, chosen.ratings, facts)


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
        seconds, moved, on_line = {way: [] for way in ways}, [], []
        for _ in range(n_sweeps + 1):
            for way, records in sweeps.items():
                before, line = spread.bytes_moved, line_bytes()
                start = time.perf_counter()
                next(records)
                seconds[way].append(time.perf_counter() - start)
                if way == "workers":
                    moved.append(spread.bytes_moved - before)
                    on_line.append(line_bytes() - line)
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
            "bytes_on_line": on_line,
            "peak_bytes_of_workers": list(spread.client.run(peak_bytes).values()),
            "peak_bytes_of_client": own_peak,
            "train_rmse": one.history_[-1].train_rmse,
        }


def line_bytes():
    """What processes of this machine have sent to each other so far: the loopback of Linux."""
    return psutil.net_io_counters(pernic=True)["lo"].bytes_sent


def peak_bytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main()
