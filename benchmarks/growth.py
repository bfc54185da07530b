"""How cost grows: seconds of a sweep and peak memory, from 100 thousand to 100 million ratings.

    python benchmarks/growth.py           # half an hour, then: python benchmarks/report.py

Ours and its peers take turns as in speed.py, in the environment of that. Beyond, `from_disk.py`
goes on to a billion.
"""

import json
import os
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from pathlib import Path

from peers import N_THREADS, PEERS
from speed import SPAWN, installed, machine, make_data, measure_shape

N_FACTORS = 32
NAMES = ("alslib", "lenskit", "cmfrec CG", "implicit CG")
SHAPES = {
    "ml-100k": NAMES,
    "ml-1m": NAMES,
    "ml-10m": NAMES,
    "ml-25m": NAMES,
    # A process of lenskit's would hold some 11 GB of it, beside those of the others.
    "ml-100m": tuple(name for name in NAMES if name != "lenskit"),
}
RESULTS = Path(__file__).with_name("results") / "growth.json"


def main():
    sys.stdout.reconfigure(line_buffering=True)
    for runtime in ("NUMBA", "OMP", "RAYON", "LK"):
        os.environ[f"{runtime}_NUM_THREADS"] = str(N_THREADS)
    packages = sorted({PEERS[name].package for name in NAMES} | {"numba", "numpy"})
    results = {
        "date": str(date.today()),
        "machine": machine(),
        "n_threads": N_THREADS,
        "n_factors": N_FACTORS,
        "versions": {package: installed(package) for package in packages},
        "shapes": {},
    }
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        with ProcessPoolExecutor(1, SPAWN) as pool:
            pool.submit(make_data, folder, "ml-100k").result()  # to warm up on
        for shape, names in SHAPES.items():
            facts = measure_shape(folder, shape, names, [N_FACTORS], only_sweeps=True)
            results["shapes"][shape] = facts
            if shape != "ml-100k":
                (folder / f"{shape}.npz").unlink()
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
