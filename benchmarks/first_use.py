"""Processor seconds from the first import to the first recommendation, and what compiling costs.

    .venv/bin/python benchmarks/first_use.py && .bench/bin/python benchmarks/report.py

Each run is a process of its own: with an empty cache of compiled functions, and with a filled one.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path

from speed import machine

RESULTS = Path(__file__).parent / "results" / "first_use.json"
REPEATS = 3
# What a reader of the README does first. A function's seconds are without those of the functions
# that are compiled on the way.
PROGRAM = """
import json, time
from collections import Counter

seconds, start = {}, 0.0
def done(what):
    global start
    now = time.process_time()
    seconds[what], start = now - start, now

import alslib
done("import alslib")
import numba
from numba.core import event

class Compiling(event.Listener):
    open, own = [], Counter()

    def on_start(self, told):
        self.open.append([time.process_time(), 0.0])

    def on_end(self, told):
        begun, of_others = self.open.pop()
        spent = time.process_time() - begun
        function = told.data["dispatcher"].py_func
        ours = function.__module__.startswith("alslib")
        self.own[function.__name__ if ours else "numba's own"] += spent - of_others
        if self.open:
            self.open[-1][1] += spent

event.register("numba:compile", Compiling())
from alslib import LatentALS, Ratings, Recommender, load_movielens
done("import numba, pandas and what is used")
ratings = Ratings.from_frame(load_movielens().ratings)
done("read 100,000 ratings")
model = LatentALS().fit(ratings, progress=False)
done("fit")
Recommender(model, ratings).recommend(ratings.user_ids[0])
done("recommend")
print(json.dumps({"seconds": seconds, "compiling": Compiling.own}))
"""


def run(cache):
    """Return what one process measures of itself."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=os.environ | {"NUMBA_CACHE_DIR": str(cache)},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def main():
    runs = {"empty": [], "filled": []}
    for _ in range(REPEATS):
        with tempfile.TemporaryDirectory() as cache:
            for measured in runs.values():  # the first one fills the cache
                measured.append(run(cache))
    results = {"date": str(date.today()), "machine": machine()}
    for name, measured in runs.items():
        results[name] = {
            part: {key: statistics.median(one[part][key] for one in measured) for key in first}
            for part, first in measured[0].items()
        }
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
