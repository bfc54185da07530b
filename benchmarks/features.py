"""What features cost: seconds of their update beside those of the rows, peak memory, and the error.

    python benchmarks/features.py                       # a million ratings and 25 million

Genres are 19 columns, of which each item has one to three; who rated what are as many columns as
there are items, and users. Every model has a process of its own, which finds the ratings in a file,
so that its peak is its own. README.md says how to read the results.
"""

import json
import statistics
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import numpy as np
from from_disk import alone
from scipy import sparse
from speed import machine

RESULTS = Path(__file__).with_name("results") / "features.json"
N_FACTORS, N_GENRES, N_SWEEPS = 32, 19, 16
# What is known, and the steps of conjugate gradients; None is exact.
KNOWN = {"genres": (None,), "who rated what": (None, 3, 1)}
# An exact sweep takes a minute at 25 million; the error after a few says nothing.
FEW_SWEEPS = {("ml-25m", "who rated what", None): 3}


def main():
    sys.stdout.reconfigure(line_buffering=True)
    results = {"date": f"{date.today()}", "machine": machine(), "n_factors": N_FACTORS, "runs": []}
    for shape in ("ml-1m", "ml-25m"):
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            alone(draw, folder, shape)
            for known, all_steps in KNOWN.items():
                for steps in all_steps:
                    n_sweeps = FEW_SWEEPS.get((shape, known, steps), N_SWEEPS)
                    facts = alone(fit, folder, known, steps, n_sweeps)
                    run = {"shape": shape, "known": known, "cg_steps": steps}
                    results["runs"].append(run | facts)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")


def draw(folder, shape):
    """Save ratings, a tenth of them held back, and the genres of all items."""
    from alslib import MOVIELENS_SHAPES, Ratings, make_ratings

    world = make_ratings(*MOVIELENS_SHAPES[shape], n_factors=16, n_features=N_GENRES)
    held_back = np.random.default_rng(0).random(len(world.values)) < 0.1
    for name, chosen in (("training", ~held_back), ("validation", held_back)):
        columns = (column[chosen] for column in (world.users, world.items, world.values))
        Ratings(*columns).save(folder / f"{name}.npz")
    sparse.save_npz(folder / "genres.npz", world.item_features)
    return {"n_training": int(np.sum(~held_back))}


def fit(folder, known, cg_steps, n_sweeps):
    """Run sweeps, and time each update."""
    from alslib import FeatureALS, Ratings, implicit_feedback, rmse

    ratings, validation = (
        Ratings.load(folder / f"{name}.npz") for name in ("training", "validation")
    )
    features = {"item_features": sparse.load_npz(folder / "genres.npz")[ratings.item_ids]}
    start = time.perf_counter()
    if known == "who rated what":
        rated = implicit_feedback(ratings)
        features = {"item_features": rated.T, "user_features": rated}
    model = FeatureALS(N_FACTORS, cg_steps=cg_steps)
    model.initialise(ratings, **features)
    blocks = model.blocks(ratings)
    prepared = time.perf_counter() - start
    seconds = np.empty((n_sweeps, len(blocks)))
    for of_sweep in seconds:
        for place, update in enumerate(blocks.values()):
            start = time.perf_counter()
            update()
            of_sweep[place] = time.perf_counter() - start
    users, items, stars = validation.triples()
    kept = np.isin(items, ratings.item_ids) & np.isin(users, ratings.user_ids)
    predicted = model.predict(users[kept], items[kept])
    # The first sweep compiles, or finds in the cache, what the others run.
    sweeps = seconds[1:]
    of_features = np.array(["features" in name for name in blocks])
    return {
        "prepare_seconds": prepared,
        "n_sweeps": n_sweeps,
        "features_seconds": statistics.median(sweeps[:, of_features].sum(axis=1)),
        "rows_seconds": statistics.median(sweeps[:, ~of_features].sum(axis=1)),
        "rmse": rmse(stars[kept], predicted),
    }


if __name__ == "__main__":
    main()
