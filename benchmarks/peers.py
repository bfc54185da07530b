"""One adapter per peer, and the process that each of them is measured in.

Packages are imported inside methods: a process loads the one peer that it measures, so its peak
memory is that peer's, and a peer that is not installed fails alone.
"""

import os
import resource
import time
import traceback
from pathlib import Path

import numpy as np

N_THREADS = 2
COLUMNS = ("users", "items", "values")
# Times the number of ratings of a row: the one form of ridge that all ALS peers for ratings know.
# Tried at 0.05 and 0.07 on the million: after 12 sweeps their errors differ by less than 0.002.
RIDGE = 0.06
# Of biases that are taken off beforehand: so many ratings of the mean are added to those of a row.
DAMPING = 5


class PeerFailed(Exception):
    """A peer is not installed, or stopped with an error."""


class Peer:
    """What every adapter has.

    `prepare(users, items, values)` brings ratings, dense int32 indices and float32 stars, into the
    peer's own form. `fit(width, n_sweeps)` starts from scratch and never stops early.
    `predict(users, items)` says what the fitted model expects, in stars. `recommend()`, where a
    peer has it, makes lists of the ten best items that a user has not rated, and returns for how
    many users.
    """

    package: str
    step: str  # what one sweep is
    slow = False  # left out at 25 million ratings unless asked for
    rates = True  # its scores are ratings
    recommend = None
    blas_threads = 1  # peers run their own threads, and BLAS within these must not run more

    def usage(self):
        """Return CPU seconds of all threads so far, and the largest resident size in bytes."""
        return time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


class AlsLib(Peer):
    package, step = "alslib", "exact, biases jointly"

    def prepare(self, users, items, values):
        from alslib import Ratings

        self.ratings = Ratings(users, items, values)

    def model_of(self, width):
        from alslib import LatentALS

        return LatentALS(width, gamma=RIDGE, tau=RIDGE, ridge_power=1)

    def fit(self, width, n_sweeps):
        self.model = self.model_of(width)
        updates = self.model.initialise(self.ratings).blocks(self.ratings).values()
        for _ in range(n_sweeps):  # `fit` also measures L and the error, which peers do not
            for update in updates:
                update()

    def predict(self, users, items):
        return self.model.predict(users, items)

    def recommend(self):
        from alslib import Recommender

        lists = Recommender(self.model, self.ratings).recommend_all(n=10, min_ratings=0)
        return len(lists.item_ids)


class AlsLibCG(AlsLib):
    step = "inexact: 3 steps of CG"

    def model_of(self, width):
        return super().model_of(width).set_params(cg_steps=3)


class AlsLibImplicit(AlsLib):
    step, rates = "exact, other objective", False

    def model_of(self, width):
        from alslib import ImplicitALS

        return ImplicitALS(width)


class LensKit(Peer):
    package, step = "lenskit", "exact, biases fixed beforehand"

    def prepare(self, users, items, values):
        import pandas as pd
        from lenskit.data import from_interactions_df

        columns = {"user_id": users, "item_id": items, "rating": values}
        self.data = from_interactions_df(pd.DataFrame(columns))

    def fit(self, width, n_sweeps):
        from lenskit.als import BiasedMFScorer
        from lenskit.training import TrainingOptions

        self.model = BiasedMFScorer(embedding_size=width, epochs=n_sweeps, regularization=RIDGE)
        self.model.train(self.data, TrainingOptions(rng=0))

    def predict(self, users, items):
        users, items = self.model.users.numbers(users), self.model.items.numbers(items)
        bias = self.model.bias
        biases = bias.global_bias + bias.user_biases[users] + bias.item_biases[items]
        return biases + products(
            self.model.user_embeddings[users], self.model.item_embeddings[items]
        )


class CmfRecCholesky(Peer):
    package, step = "cmfrec", "exact, biases jointly"
    slow, use_cg = True, False

    def prepare(self, users, items, values):
        self.matrix = sparse_matrix(users, items, values)

    def fit(self, width, n_sweeps):
        from cmfrec import CMF

        self.model = CMF(
            k=width,
            lambda_=RIDGE,
            scale_lam=True,
            niter=n_sweeps,
            nthreads=N_THREADS,
            precompute_for_predictions=False,
            verbose=False,
            use_cg=self.use_cg,
            max_cg_steps=3,
            finalize_chol=False,
        ).fit(self.matrix)

    def predict(self, users, items):
        return self.model.predict(users, items)

    def recommend(self):
        """For one user at a time: the first thousand tell how long it takes."""
        rows, n_users = self.matrix.tocsr(), min(1000, self.matrix.shape[0])
        for user in range(n_users):
            seen = rows.indices[rows.indptr[user] : rows.indptr[user + 1]]
            self.model.topN(user, n=10, exclude=seen)
        return n_users


class CmfRecCG(CmfRecCholesky):
    step = "inexact: 3 steps of CG"
    slow, use_cg = False, True


class ImplicitCholesky(Peer):
    package, step = "implicit", "exact, other objective"
    rates, slow, use_cg = False, True, False

    def prepare(self, users, items, values):
        self.matrix = sparse_matrix(users, items, values).tocsr()

    def fit(self, width, n_sweeps):
        from implicit.cpu.als import AlternatingLeastSquares

        self.model = AlternatingLeastSquares(
            width,
            iterations=n_sweeps,
            use_cg=self.use_cg,
            num_threads=N_THREADS,
            random_state=0,
        )
        self.model.fit(self.matrix, show_progress=False)

    def recommend(self):
        users = np.arange(self.matrix.shape[0])
        ids, _ = self.model.recommend(users, self.matrix, N=10, filter_already_liked_items=True)
        return len(ids)


class ImplicitCG(ImplicitCholesky):
    step = "inexact: 3 steps of CG, other objective"
    slow, use_cg = False, True


class Spark(Peer):
    package, step = "pyspark", "exact, biases fixed beforehand"
    slow = True

    def start(self):
        from pyspark.sql import SparkSession

        self.spark = (
            SparkSession.builder.master(f"local[{N_THREADS}]")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.driver.memory", "12g")
            # Every sweep adds to a lineage that is walked recursively: 40 overflow the usual stack.
            .config("spark.driver.extraJavaOptions", "-Xss64m")
            .config("spark.ui.enabled", False)
            .config("spark.ui.showConsoleProgress", False)
            .getOrCreate()
        )
        self.spark.sparkContext.setLogLevel("ERROR")

    def prepare(self, users, items, values):
        import pandas as pd

        self.start()
        self.mean, self.user_bias, self.item_bias = damped_biases(users, items, values)
        rest = values - self.mean - self.user_bias[users] - self.item_bias[items]
        frame = pd.DataFrame({"user": users, "item": items, "rating": rest.astype(np.float32)})
        self.keep(self.spark.createDataFrame(frame))

    def keep(self, frame):
        from pyspark import StorageLevel

        self.data = frame.persist(StorageLevel.MEMORY_ONLY)
        self.data.count()  # until here nothing has been done

    def fit(self, width, n_sweeps):
        from pyspark.ml.recommendation import ALS

        als = ALS(rank=width, maxIter=n_sweeps, regParam=RIDGE, seed=0)
        self.model = als.fit(self.data)

    def predict(self, users, items):
        factors = []
        for frame in (self.model.userFactors, self.model.itemFactors):
            rows = frame.orderBy("id").toPandas()
            factors.append(np.stack(rows["features"]))
        biases = self.mean + self.user_bias[users] + self.item_bias[items]
        return biases + products(factors[0][users], factors[1][items])

    def usage(self):
        """The work is done in the Java process."""
        java = self.spark.sparkContext._jvm.java.lang.ProcessHandle.current().pid()
        times = Path(f"/proc/{java}/stat").read_text().rpartition(") ")[2].split()[11:13]
        status = Path(f"/proc/{java}/status").read_text().splitlines()
        peak = next(line for line in status if line.startswith("VmHWM")).split()[1]
        return sum(map(int, times)) / os.sysconf("SC_CLK_TCK"), int(peak) * 1024


class SurpriseSVD(Peer):
    package, step = "scikit-surprise", "SGD epoch, one thread"
    slow = True

    def prepare(self, users, items, values):
        import pandas as pd
        from surprise import Dataset, Reader

        frame = pd.DataFrame({"user": users, "item": items, "rating": values})
        data = Dataset.load_from_df(frame, Reader(rating_scale=(0.5, 5)))
        self.data = data.build_full_trainset()

    def fit(self, width, n_sweeps):
        from surprise import SVD

        self.model = SVD(n_factors=width, n_epochs=n_sweeps, random_state=0).fit(self.data)

    def predict(self, users, items):
        model, n_users, n_items = self.model, self.data.n_users, self.data.n_items
        users = np.array([self.data.to_inner_uid(i) for i in range(n_users)])[users]
        items = np.array([self.data.to_inner_iid(i) for i in range(n_items)])[items]
        biases = self.data.global_mean + model.bu[users] + model.bi[items]
        return biases + products(model.pu[users], model.qi[items])


class MatrixProduct(Peer):
    """The machine's own limit, measured like a peer: a sweep is one large matrix product."""

    package, step, rates = "numpy", "one large matrix product in float32", False
    size, blas_threads = 4000, N_THREADS

    def prepare(self, users, items, values):
        self.matrix = np.random.default_rng(0).random((self.size, self.size), dtype=np.float32)

    def fit(self, width, n_sweeps):
        for _ in range(n_sweeps):
            self.matrix @ self.matrix


PEERS = {
    "alslib": AlsLib,
    "alslib CG": AlsLibCG,
    "alslib implicit": AlsLibImplicit,
    "lenskit": LensKit,
    "cmfrec Cholesky": CmfRecCholesky,
    "cmfrec CG": CmfRecCG,
    "implicit Cholesky": ImplicitCholesky,
    "implicit CG": ImplicitCG,
    "Spark": Spark,
    "Surprise SVD": SurpriseSVD,
    "limit": MatrixProduct,
}


def sparse_matrix(users, items, values):
    from scipy.sparse import coo_matrix

    return coo_matrix((values, (users, items)))


def products(left, right):
    return np.einsum("ik,ik->i", left, right)


def damped_biases(users, items, values, damping=DAMPING):
    """Return the mean and both biases as lenskit computes them, for a peer that has none."""
    mean = values.mean(dtype=np.float64)
    rest, biases = values - mean, []
    for rows in (items, users):
        biases.append(np.bincount(rows, rest) / (np.bincount(rows) + damping))
        rest -= biases[-1][rows]
    return mean, biases[1], biases[0]


class Session:
    """Runs in the process of one peer and does what the harness asks for."""

    def __init__(self, name, widths, tiny, path):
        self.peer = PEERS[name]()
        self.data = np.load(tiny)
        self.prepare()
        for width in widths:  # compile and load everything before anything is timed
            self.peer.fit(width, 1)
        if self.peer.recommend:
            self.peer.recommend()
        self.data = np.load(path)

    def prepare(self):
        """Hand the ratings to the peer; reading them from disk is not timed."""
        columns = self.columns(COLUMNS)
        start = time.perf_counter()
        self.peer.prepare(*columns)
        return time.perf_counter() - start

    def columns(self, names):
        return [self.data[name] for name in names]

    def fit(self, width, n_sweeps):
        start, (start_cpu, _) = time.perf_counter(), self.peer.usage()
        self.peer.fit(width, n_sweeps)
        wall, (cpu, peak) = time.perf_counter() - start, self.peer.usage()
        return {"wall": wall, "cpu": cpu - start_cpu, "peak": peak}

    def lists(self):
        """Return users served per second by the model fitted last, or None where a peer cannot."""
        if not self.peer.recommend:
            return None
        start = time.perf_counter()
        n_users = self.peer.recommend()
        return n_users / (time.perf_counter() - start)

    def validation_rmse(self):
        names = [f"validation_{name}" for name in COLUMNS]
        *pairs, values = self.columns(names)
        error = np.clip(self.peer.predict(*pairs), 0.5, 5) - values
        return float(np.sqrt(np.square(error).mean(dtype=np.float64)))


def serve(connection, *arguments):
    """Answer calls of `Session`'s methods; an error is printed, sent on and ends the process."""
    try:
        session = Session(*arguments)
        connection.send("ready")
        while call := connection.recv():
            method, *details = call
            connection.send(getattr(session, method)(*details))
    except Exception as error:
        traceback.print_exc()
        connection.send(PeerFailed(traceback.format_exception_only(error)[-1].splitlines()[0]))
