"""Seconds per sweep, peak memory and seconds to a target error: ours and its peers, side by side.

    python benchmarks/speed.py            # everything, then: python benchmarks/report.py
    python benchmarks/speed.py --quick    # two minutes: a million, K = 32, beside what is recorded

Every peer lives in its own process, on the same ratings; they take turns, so that the noise of a
shared machine hits all alike. README.md says how to read the results.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from llvmlite import binding
from peers import N_THREADS, PEERS, PeerFailed, serve

WIDTHS = (10, 32, 64, 128)
# What `--quick` measures: the exact peer that is nearest to us, and both inexact ones.
QUICK_SHAPE, QUICK_WIDTH = "ml-1m", 32
QUICK_PEERS = ("alslib", "lenskit", "cmfrec CG", "implicit CG")
RESULTS = Path(__file__).with_name("results") / "speed.json"
# As many users of ml-25m's items as make four times its ratings.
LARGER_SHAPES = {"ml-100m": (4 * 162_541, 59_047, 4 * 25_000_095)}
# The vector instructions that decide how fast a core multiplies, the widest first; and those of
# processors that numba can be told to compile for.
VECTORS = {"avx512f": "AVX-512", "avx2": "AVX2", "avx": "AVX", "sse4.2": "SSE", "neon": "NEON"}
PRETENDED = {"x86-64-v4": "AVX-512", "x86-64-v3": "AVX2", "x86-64-v2": "SSE"}
LISTS_WIDTH, TARGET_WIDTHS = 32, (32, 128)
# One repeat is a fit of one sweep and a longer one; the difference has no fixed costs in it. The
# longer one adds about LONGER_BY seconds, or as many as the first one took if these are more:
# large fixed costs vary by as much as a sweep takes. A peer repeats until it used ENOUGH seconds,
# and at least FEWEST_REPEATS times where its fixed costs are larger than a sweep.
LONGER_BY, FEWEST_SWEEPS, MOST_SWEEPS = 5, 4, 40
ENOUGH, FEWEST_REPEATS, MOST_REPEATS = 15, 3, 5
# Seconds of a sweep from which on a peer is not measured with more factors.
TOO_LONG = 15
LIST_REPEATS = 3
# Sweeps of the fits on the way to the target, each from scratch; and when to give up, in seconds.
TRIED_SWEEPS, GIVE_UP = (2, 4, 5, 6, 7, 8, 10, 12, 16, 24, 32, 48, 64), 120
# On more ratings, peers with `slow` set are left out to keep the run short: Spark's fixed costs,
# Surprise's preparation and many epochs, and solves without tiles would fill it.
MOST_RATINGS_FOR_SLOW = 2_000_000
# The target lies between two errors that are known before anything is fitted: that of the true
# biases alone and that of the whole truth. With this ridge exact peers come a third of the way on
# the million and half of it on the 25 million; a target nearer to these ends would reward the start
# that happens to end in the better optimum, and not speed.
TARGET_SHARE = 0.3
SPAWN = get_context("spawn")


class Worker:
    """A peer's process, seen from here: `worker("fit", 10, 3)` calls `Session.fit` over there."""

    def __init__(self, name, *arguments):
        blas = str(PEERS[name].blas_threads)
        os.environ.update(OPENBLAS_NUM_THREADS=blas, MKL_NUM_THREADS=blas)
        self.connection, theirs = SPAWN.Pipe()
        self.process = SPAWN.Process(target=serve, args=(theirs, name, *arguments), daemon=True)
        self.process.start()
        theirs.close()
        self.answer()

    def __call__(self, *call):
        """Have the peer's process do it, and wait for the answer."""
        self.connection.send(call)
        return self.answer()

    def answer(self):
        """Wait for what the process sends, or for its end."""
        try:
            answer = self.connection.recv()
        except EOFError:
            self.process.join()
            raise PeerFailed(f"process ended with code {self.process.exitcode}") from None
        if isinstance(answer, PeerFailed):
            self.process.join()
            raise answer
        return answer

    def close(self):
        """Let the process end."""
        if self.process.is_alive():
            self.connection.send(None)
        self.process.join()


def make_data(folder, shape):
    """Save a world with as many training ratings as the shape, and a ninth of that to validate.

    Every user and item keeps a training rating, so that no peer meets an unknown one.
    """
    from alslib import MOVIELENS_SHAPES, make_ratings

    n_users, n_items, n_training = (MOVIELENS_SHAPES | LARGER_SHAPES)[shape]
    n_validation = n_training // 9
    world = make_ratings(n_users, n_items, n_training + n_validation, n_factors=16)
    free = np.ones(len(world.values), bool)
    for ids in (world.users, world.items):
        free[np.unique(ids, return_index=True)[1]] = False
    drawn = np.random.default_rng(0).choice(np.flatnonzero(free), n_validation, replace=False)
    held_back = np.zeros(len(free), bool)
    held_back[drawn] = True
    columns = {"users": world.users, "items": world.items, "values": world.values}
    training = {name: column[~held_back] for name, column in columns.items()}
    validation = {name: column[held_back] for name, column in columns.items()}
    np.savez(folder / shape, **training, **{f"validation_{n}": c for n, c in validation.items()})

    users, items, values = validation.values()
    biases = world.mean + world.user_bias[users] + world.item_bias[items]
    only_biases, truth = (
        float(np.sqrt(np.mean((np.clip(predicted, 0.5, 5) - values) ** 2)))
        for predicted in (biases, world.expected(users, items))
    )
    return {
        "n_users": n_users,
        "n_items": n_items,
        "n_ratings": n_training,
        "rmse_of_true_biases": only_biases,
        "rmse_of_truth": truth,
        "target_rmse": only_biases + TARGET_SHARE * (truth - only_biases),
    }


def seconds_of(repeats, clock="wall"):
    """Return the median seconds of a sweep."""
    return statistics.median(repeat[clock] for repeat in repeats)


def in_turns(workers, peers, act):
    """Let each worker act once; one that fails is reported, closed and out of the race."""
    for name, worker in list(workers.items()):
        try:
            act(name, worker)
        except PeerFailed as error:
            fail(peers, name, error)
            workers.pop(name).close()


def fail(peers, name, error):
    print(f"  !! {name} FAILED: {error}")
    peers[name]["error"] = str(error)


def seconds_per_sweep(worker, width, last):
    """Measure one repeat; how long a sweep takes is judged by the last one, if there is one."""
    first = worker("fit", width, 1)
    sweep = max(last["wall"] if last else first["wall"], 1e-3)
    n_sweeps = round(max(LONGER_BY, first["wall"]) / sweep)
    n_sweeps = int(np.clip(n_sweeps, FEWEST_SWEEPS, MOST_SWEEPS))
    longer = worker("fit", width, 1 + n_sweeps)
    repeat = {clock: (longer[clock] - first[clock]) / n_sweeps for clock in ("wall", "cpu")}
    repeat |= {"fixed": first["wall"] - repeat["wall"], "peak": longer["peak"]}
    return repeat, first["wall"] + longer["wall"]


def measure_width(workers, peers, width):
    workers = {
        name: worker
        for name, worker in workers.items()
        if not any(seconds_of(repeats) > TOO_LONG for repeats in peers[name]["repeats"].values())
    }
    used = defaultdict(float)

    def act(name, worker):
        repeats = peers[name]["repeats"].setdefault(width, [])
        unsure = len(repeats) < FEWEST_REPEATS and any(r["fixed"] > r["wall"] for r in repeats)
        if used[name] < ENOUGH or unsure:
            repeat, seconds = seconds_per_sweep(worker, width, repeats[-1] if repeats else None)
            used[name] += seconds
            repeats.append(repeat)

    for _ in range(MOST_REPEATS):
        in_turns(workers, peers, act)
    for name in workers:
        repeats = peers[name]["repeats"][width]
        wall, cpu = (seconds_of(repeats, clock) for clock in ("wall", "cpu"))
        print(f"  K = {width}, {name}: {wall:.3f} s ({cpu:.3f} s CPU), {len(repeats)} repeats")


def measure_lists(workers, peers):
    """Serve lists of ten from the model that was fitted last."""
    served = defaultdict(list)

    def act(name, worker):
        served[name].append(worker("lists"))

    for _ in range(LIST_REPEATS):
        in_turns(workers, peers, act)
    for name in workers:
        if None not in served[name]:
            peers[name]["users_per_second"] = statistics.median(served[name])
            print(f"  {name}: lists for {peers[name]['users_per_second']:,.0f} users a second")


def race_to_target(workers, peers, width, target):
    """Fit with more and more sweeps, until the validation RMSE is at or below the target."""
    running = {
        name: worker
        for name, worker in workers.items()
        if PEERS[name].rates and width in peers[name]["repeats"]
    }

    def act(n_sweeps, name, worker):
        fit = worker("fit", width, n_sweeps)
        fit = {"n_sweeps": n_sweeps, "seconds": fit["wall"], "rmse": worker("validation_rmse")}
        peers[name].setdefault("to_target", {}).setdefault(width, []).append(fit)
        seconds, rmse = fit["seconds"], fit["rmse"]
        print(f"  K = {width}, {name}: {n_sweeps} sweeps, {seconds:.2f} s, RMSE {rmse:.4f}")
        if fit["rmse"] <= target or fit["seconds"] > GIVE_UP:
            del running[name]

    for n_sweeps in TRIED_SWEEPS:
        in_turns(running, peers, partial(act, n_sweeps))


def measure_shape(folder, shape, names, widths, everything=False, only_sweeps=False):
    with ProcessPoolExecutor(1, SPAWN) as pool:  # a child would inherit the peak of a large parent
        facts = pool.submit(make_data, folder, shape).result()
    print(f"{shape}-shaped: {facts}")
    peers, workers = {name: {"step": PEERS[name].step, "repeats": {}} for name in names}, {}
    for name in names:
        if PEERS[name].slow and facts["n_ratings"] > MOST_RATINGS_FOR_SLOW and not everything:
            peers[name]["left_out"] = "left out at this size; measured with --all"
            continue
        try:
            workers[name] = Worker(name, widths, folder / "ml-100k.npz", folder / f"{shape}.npz")
            peers[name]["prepare_seconds"] = workers[name]("prepare")
        except PeerFailed as error:
            fail(peers, name, error)
    for width in sorted(widths):  # the peak memory of a process never falls: narrow ones first
        measure_width(workers, peers, width)
        if width == LISTS_WIDTH and not only_sweeps:
            measure_lists(workers, peers)
    for width in [] if only_sweeps else sorted({*TARGET_WIDTHS} & {*widths}):
        race_to_target(workers, peers, width, facts["target_rmse"])
    for worker in workers.values():
        worker.close()
    return facts | {"peers": peers}


def machine():
    """Describe what the numbers depend on, without names of hosts or folders."""
    info = Path("/proc/cpuinfo").read_text().splitlines()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": next(x for x in info if x.startswith("model name")).split(": ")[1],
        "vectors": vectors(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**30),
        "system": platform.system(),
        "python": platform.python_version(),
    }


def vectors():
    """Return what the widest vector instructions of this processor are called.

    With NUMBA_CPU_NAME, NUMBA_CPU_FEATURES and OPENBLAS_CORETYPE it can pretend to be an older one,
    to numba and to most peers.
    """
    if name := os.environ.get("NUMBA_CPU_NAME"):
        if "NUMBA_CPU_FEATURES" not in os.environ:  # numba would go on using all that there are
            raise ValueError("to pretend takes NUMBA_CPU_FEATURES as well; it may be empty")
        return f"{PRETENDED.get(name, name)}, pretended"
    has = binding.get_host_cpu_features()
    return next(name for feature, name in VECTORS.items() if has.get(feature))


def kind_of_processor():
    """Name this kind of processor: what its vector instructions and who made it are called."""
    maker = machine()["processor"].split()[0].removesuffix("(R)")
    return f"{vectors()}, {maker}"


def installed(package):
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one row, compared and not recorded")
    parser.add_argument("--shapes", nargs="+", default=["ml-1m", "ml-25m"])
    parser.add_argument("--widths", nargs="+", type=int, default=WIDTHS)
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=list(PEERS), metavar="PEER")
    parser.add_argument("--all", action="store_true", help="slow peers at 25 million ratings too")
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    sys.stdout.reconfigure(line_buffering=True)  # so that a log shows how far the run is

    for runtime in ("NUMBA", "OMP", "RAYON", "LK"):
        os.environ[f"{runtime}_NUM_THREADS"] = str(N_THREADS)
    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor(1, SPAWN) as pool:
        pool.submit(make_data, Path(folder), "ml-100k").result()  # to warm up on
        if options.quick:
            compare_with_recorded(Path(folder))
        else:
            record(Path(folder), options)


def record(folder, options):
    """Measure what was asked for, and keep it beside the runs of other processors."""
    packages = sorted({PEERS[name].package for name in options.peers} | {"numba", "numpy", "scipy"})
    results = {
        "date": str(date.today()),
        "machine": machine(),
        "n_threads": N_THREADS,
        "versions": {package: installed(package) for package in packages},
        "shapes": {},
    }
    runs = json.loads(options.output.read_text()) if options.output.exists() else {}
    kind = kind_of_processor()
    last = runs.get(kind, {})  # shapes that are not measured now keep their last results
    if all(last.get(part) == results[part] for part in ("machine", "versions")):
        results["shapes"] = last["shapes"]
    for shape in options.shapes:
        results["shapes"][shape] = measure_shape(
            folder, shape, options.peers, options.widths, options.all
        )
    runs[kind] = results
    options.output.parent.mkdir(exist_ok=True)
    options.output.write_text(json.dumps(runs, indent=1) + "\n")


def compare_with_recorded(folder):
    """Measure one row, and print how many times ours each peer takes, here and where recorded."""
    here = measure_shape(folder, QUICK_SHAPE, QUICK_PEERS, [QUICK_WIDTH], only_sweeps=True)
    columns = {f"here ({kind_of_processor()})": times_ours(here, QUICK_WIDTH)}
    for kind, run in json.loads(RESULTS.read_text()).items():
        if QUICK_SHAPE in run["shapes"]:
            there = times_ours(run["shapes"][QUICK_SHAPE], str(QUICK_WIDTH))
            columns[f"recorded ({kind})"] = there
    print(f"{QUICK_SHAPE}-shaped, K = {QUICK_WIDTH}: seconds of a sweep, as multiples of ours")
    for peer in QUICK_PEERS[1:]:
        said = [f"{name} ×{times[peer]:.1f}" for name, times in columns.items() if peer in times]
        print(f"  {peer:<12}", ", ".join(said))


def times_ours(facts, width):
    """Return the median seconds of a sweep of each peer, as multiples of ours."""
    medians = {
        name: seconds_of(peer["repeats"][width])
        for name, peer in facts["peers"].items()
        if "error" not in peer and width in peer["repeats"]
    }
    return {name: seconds / medians["alslib"] for name, seconds in medians.items()}


if __name__ == "__main__":
    main()
