"""Two worker processes of a Dask cluster against two threads of one process, and against Spark.

    python benchmarks/cluster.py                      # 25 million
    python benchmarks/cluster.py --ratings 100 --spark-sweeps 0

Draws the files of `from_disk.py`, has a cluster of two processes with a thread each deal them out,
and reads them into this process as well. Then both fit the same model, one sweep of the one after
one of the other, so that a busy machine slows both. The bits of the two fits are compared.

After that a part of the ratings is held back, and Spark's ALS fits the rest with so many sweeps
(`--spark-sweeps`; 0 leaves Spark out). Then the cluster fits the same files with the same ridge,
until its error on what was held back is no larger than that of Spark.
"""

import resource
import tempfile
import time
from pathlib import Path

import numba
import numpy as np
import psutil
from from_disk import N_FACTORS, alone, draw, options, record
from peers import DAMPING, N_THREADS, RIDGE, Spark

RESULTS = Path(__file__).with_name("results") / "cluster.json"
N_WORKERS = N_THREADS
HELD_BACK = 0.05  # of the ratings, for the race
MOST_SWEEPS = 30
LOWEST, HIGHEST = 0.5, 5.0


def main():
    chosen = options(__doc__, n_sweeps=5, spark_sweeps=5)
    with tempfile.TemporaryDirectory(dir=chosen.folder) as folder:
        folder = Path(folder)
        alone(draw, folder / "parquet", chosen.n_ratings)
        facts = in_turns(folder / "parquet", chosen.sweeps)
        print(facts)
        if chosen.spark_sweeps:
            hold_back(folder)
            spark = alone(spark_fits, folder, chosen.spark_sweeps)
            ours = alone(we_fit, folder, spark["rmse"])
            facts["race"] = {"spark": spark, "ours": ours}
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
        seconds, cpu = {way: [] for way in ways}, {way: [] for way in ways}
        moved, on_line = [], []
        for _ in range(n_sweeps + 1):
            for way, records in sweeps.items():
                before, line = spread.bytes_moved, line_bytes()
                start, start_cpu = time.perf_counter(), cpu_seconds()
                next(records)
                seconds[way].append(time.perf_counter() - start)
                cpu[way].append(cpu_seconds() - start_cpu)
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
            "cpu_seconds": cpu,
            "bytes_moved": moved,
            "bytes_on_line": on_line,
            "peak_bytes_of_workers": list(spread.client.run(peak_bytes).values()),
            "peak_bytes_of_client": own_peak,
            "train_rmse": one.history_[-1].train_rmse,
        }


def hold_back(folder):
    """Divide the files of a folder into those to train on and those to validate with."""
    from pyarrow import parquet

    for part in ("training", "validation"):
        (folder / part).mkdir()
    for number, path in enumerate(sorted((folder / "parquet").iterdir())):
        table = parquet.read_table(path)
        held = np.random.default_rng([2, number]).random(len(table)) < HELD_BACK
        parquet.write_table(table.filter(~held), folder / "training" / path.name)
        parquet.write_table(table.filter(held), folder / "validation" / path.name)


class SparkOnFiles(Spark):
    """Spark reads the files, takes the biases off and measures the error, all by itself."""

    def prepare(self, folder):
        from pyspark.sql import functions as f

        self.start()
        # By default 200, whose fixed costs are most of a small fit.
        self.spark.conf.set("spark.sql.shuffle.partitions", 4 * N_THREADS)
        ratings = self.spark.read.parquet(str(folder))
        self.mean = ratings.agg(f.avg("rating")).first()[0]
        left = ratings.withColumn("left", f.col("rating") - self.mean)
        self.biases = {}
        for row in ("movie_id", "user_id"):
            bias = f.sum("left") / (f.count("left") + DAMPING)
            self.biases[row] = left.groupBy(row).agg(bias.alias(f"{row}_bias")).persist()
            left = left.join(self.biases[row], row)
            left = left.withColumn("left", f.col("left") - f.col(f"{row}_bias"))
        names = {"user": "user_id", "item": "movie_id"}
        columns = [f.col(theirs).alias(ours) for ours, theirs in names.items()]
        self.keep(left.select(*columns, f.col("left").cast("float").alias("rating")))

    def rmse(self, folder):
        """Return the error of the clipped predictions; of rows that are new the biases are 0."""
        from pyspark.sql import functions as f

        table = self.spark.read.parquet(str(folder))
        for row, biases in self.biases.items():
            table = table.join(biases, row, "left")
        table = table.withColumnsRenamed({"user_id": "user", "movie_id": "item"})
        terms = [
            f.coalesce(f.nanvl(f.col(name).cast("double"), f.lit(0.0)), f.lit(0.0))
            for name in ("user_id_bias", "movie_id_bias", "prediction")
        ]
        predicted = f.lit(self.mean) + terms[0] + terms[1] + terms[2]
        clipped = f.greatest(f.least(predicted, f.lit(HIGHEST)), f.lit(LOWEST))
        error = f.avg(f.pow(clipped - f.col("rating"), 2))
        return float(self.model.transform(table).agg(error).first()[0] ** 0.5)


def spark_fits(folder, n_sweeps):
    """Have Spark fit, once with one sweep and once with more."""
    spark = SparkOnFiles()
    start = time.perf_counter()
    spark.prepare(folder / "training")
    prepared = time.perf_counter() - start
    spark.fit(N_FACTORS, 1)  # Java compiles what is called often
    seconds = {}
    for n in (1, n_sweeps):
        start = time.perf_counter()
        spark.fit(N_FACTORS, n)
        seconds[n] = time.perf_counter() - start
    rmse = spark.rmse(folder / "validation")
    _, peak = spark.usage()
    spark.spark.stop()
    return {
        "prepare_seconds": prepared,
        "n_sweeps": n_sweeps,
        "seconds_of_fit": seconds[n_sweeps],
        "seconds_of_sweep": (seconds[n_sweeps] - seconds[1]) / (n_sweeps - 1),
        "rmse": rmse,
        "peak_bytes_of_java": peak,
    }


def we_fit(folder, target):
    """Fit on a cluster until the error on what was held back is no larger than the target."""
    import pandas as pd

    from alslib import LatentALS, SpreadRatings

    validation = pd.read_parquet(folder / "validation")
    chosen = {"gamma": RIDGE, "tau": RIDGE, "ridge_power": 1, "tol": 0}
    start = time.perf_counter()
    with SpreadRatings.from_pieces(folder / "training", cluster=N_WORKERS) as spread:
        prepared = time.perf_counter() - start
        LatentALS(N_FACTORS, **chosen, n_sweeps=1).fit(spread, progress=False)  # as Spark did
        model = LatentALS(N_FACTORS, **chosen, n_sweeps=MOST_SWEEPS)
        seconds, rmse = [], []
        start = time.perf_counter()
        for _ in model.fit_iter(spread):
            seconds.append(time.perf_counter() - start)
            predicted = model.predict(validation["user_id"], validation["movie_id"])
            rmse.append(float(np.sqrt(np.square(predicted - validation["rating"]).mean())))
            if rmse[-1] <= target:
                break
            start = time.perf_counter()
        return {
            "prepare_seconds": prepared,
            "seconds_of_sweeps": seconds,  # the first is that of the start
            "rmse": rmse,
            "peak_bytes_of_workers": list(spread.client.run(peak_bytes).values()),
        }


def cpu_seconds():
    """Return what all threads of this process and of those that it started have used so far."""
    here = psutil.Process()
    return sum(sum(p.cpu_times()[:2]) for p in (here, *here.children(recursive=True)))


def line_bytes():
    """What processes of this machine have sent to each other so far: the loopback of Linux."""
    return psutil.net_io_counters(pernic=True)["lo"].bytes_sent


def peak_bytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main()
