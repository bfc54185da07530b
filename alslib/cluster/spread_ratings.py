"""Ratings in partitions of users and of items, each with a worker of a Dask cluster."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Iterable
from contextlib import ExitStack
from os import PathLike
from typing import Self

import numpy as np
import pandas as pd

from alslib import kernels
from alslib._extras import needed_for
from alslib._params import check_integer
from alslib.data.columns import as_columns
from alslib.data.pieces import ending_of, files_of
from alslib.data.rated import Kind, RatingsToFit, mean_of, sum_stored, sum_weights
from alslib.data.ratings import CSR
from alslib.data.survey import Survey
from alslib.data.two_passes import in_order, placed
from alslib.kernels.inputs import ALIKE

with needed_for("a cluster", extra="cluster"):
    import dask
    import dask.dataframe as dd
    from distributed import Client, Future, as_completed, wait

    from alslib.cluster.connecting import connect
    from alslib.cluster.working import Desk, RowsOnWorkers, send

# Partitions of each side for each thread of the workers: with one each, all wait for the slowest.
_FOR_EACH_THREAD = 4
# A row costs as much as so many ratings: its solve, and what is sent for it.
_COST_OF_A_ROW = 10


class SpreadRatings(RatingsToFit):
    """Ratings that no process holds all of, to be fitted where they are.

    A model takes them in the place of `Ratings`, and learns the same, bit for bit. Here there are
    only the ids, a few numbers for each user and item, and what the model learns. ``user_ids``,
    ``item_ids``, ``offset``, ``step`` and ``scale`` are as those of `Ratings`.

    Made by `from_pieces`; a context manager, at whose end the workers are told to forget them.

    Attributes
    ----------
    client : Client
        Of the cluster, whose workers can be watched through it.
    """

    client: Client

    @classmethod
    def from_pieces(
        cls,
        pieces: str | PathLike[str] | Iterable[str | PathLike[str]] | dd.DataFrame,
        user: Hashable = "user_id",
        item: Hashable = "movie_id",
        rating: Hashable = "rating",
        *,
        weight: Hashable | None = None,
        scale: tuple[float, float] | None = None,
        cluster: Client | str | int | None = None,
        n_partitions: int | None = None,
    ) -> Self:
        """Have the workers read ratings and deal them out among themselves.

        In two passes, as in `Ratings.from_pieces`: of the first only ids and counts come here. The
        second numbers the ratings, and Dask's shuffle brings each to the partition of its user, and
        then once more to that of its item.

        Parameters
        ----------
        pieces : path, list of paths, or table of Dask
            A folder of files, one file, or several, Parquet or CSV, where all workers find them; or
            a table of Dask's.
        user, item, rating, weight, scale
            As in `Ratings.from_frame`.
        cluster : Client, str or int, optional
            A client of Dask; the address of a scheduler; or the number of processes to start here.
            By default as many as this machine has processors.
        n_partitions : int, optional
            Of each side; by default four for each thread of the workers.

        Raises
        ------
        ConnectionError
            If no scheduler answers, or it has no workers.
        RuntimeError
            If a worker has no alslib, or other versions of what decides the last bits.
        TypeError, ValueError
            As in `Ratings.from_frame`; and if a user rated an item twice.
        """
        if n_partitions is not None:
            check_integer("n_partitions", n_partitions, least=1)
        ratings = object.__new__(cls)
        with ExitStack() as until:
            ratings.client = connect(cluster, until)
            names = {"user": user, "item": item, "rating": rating, "weight": weight}
            ratings._spread(_as_table(pieces, names), names, scale, n_partitions)
            ratings._until = until.pop_all()
        return ratings

    def _spread(self, table: dd.DataFrame, names, scale, n_partitions) -> None:
        survey = Survey()
        counted = [dask.delayed(_counted)(part, names) for part in table.to_delayed()]
        for _, part in as_completed(self.client.compute(counted), with_results=True):
            survey.add(part)
        survey.describe(self, scale)
        self._n_ratings = survey.n_ratings
        if n_partitions is None:
            n_partitions = _FOR_EACH_THREAD * sum(self.client.nthreads().values())
        self._desk, self._rows = Desk(self.client), {}
        for kind in ("user", "item"):
            partitions = _Partitions(self.client, table, names, survey, kind, n_partitions)
            counts = np.diff(partitions.indptr).astype(np.float64)
            rows = RowsOnWorkers(counts, partitions.stretches, partitions, self._desk)
            if "weights" in survey.beside:
                rows.each(sum_weights, (), (), (counts,))
            self._rows[kind] = rows
        sums = np.empty(self.n_users)
        self._rows["user"].each(sum_stored, (), (), (sums,))
        self._mean = mean_of(self.offset, self.step, sums, self.total_weight)

    @property
    def n_ratings(self) -> int:
        """Number of ratings."""
        return self._n_ratings

    @property
    def mean(self) -> float:
        """Mean of all ratings, each as often as it weighs (μ in the book)."""
        return self._mean

    @property
    def bytes_moved(self) -> int:
        """Bytes of arrays that were sent and came back, of all work so far.

        What is for all workers counts for each of them. On their way through the scheduler the same
        bytes may pass a line more than once, which is not counted; nor is what is around them.
        """
        return self._desk.bytes_sent + self._desk.bytes_received

    def rated_by(self, kind: Kind) -> RowsOnWorkers:
        """Return what each user rated, or by whom each item was rated, as a fit reads it."""
        return self._rows[kind]

    def close(self) -> None:
        """Have the workers forget the ratings, and end what was started for them."""
        for rows in self._rows.values():
            rows.forget()
        self._desk.forget()
        self._until.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def __repr__(self) -> str:
        low, high = self.scale
        workers = len(self.client.nthreads())
        return (
            f"SpreadRatings({self.n_ratings:,} ratings, {self.n_users:,} users × "
            f"{self.n_items:,} items, {low:g}–{high:g}, {workers} workers)"
        )


class _Partitions:
    """The partitions of one side; see `alslib.cluster.working.Partitions`.

    Attributes
    ----------
    indptr : ndarray of int64, shape (n_rows + 1,)
        Where each row would begin, were they in one place.
    stretches : list of slice
        The rows of each partition.
    """

    def __init__(self, client: Client, table, names, survey: Survey, kind: Kind, n: int):
        mine, others = survey.users, survey.items
        if kind == "item":
            mine, others = others, mine
        self.indptr = mine.pointers()
        self._borders = _borders(self.indptr, n)
        self.stretches = [slice(*ends) for ends in itertools.pairwise(self._borders)]
        self._client, self._table, self._names = client, table, names
        self._survey, self._kind = survey, kind
        self._n_columns = len(others.ids)
        self._spread()

    def futures(self) -> list[Future]:
        """Return the future of each partition."""
        return self._futures

    def forget(self) -> None:
        """Let go of all partitions; the workers then do, too."""
        self._futures = []

    def replace_lost(self) -> None:
        """Spread the ratings again, if a partition is lost together with what it was made of."""
        if any(future.status not in ("finished", "pending") for future in self._futures):
            self._spread()

    def _spread(self) -> None:
        with self._client.as_current():
            survey = send(self._client, self._survey)
            encoded = [
                dask.delayed(_encoded)(part, self._names, survey, self._kind)
                for part in self._table.to_delayed()
            ]
            table = dd.from_delayed(encoded, meta=_table_of(self._survey, []), verify_meta=False)
            # By plain tasks: what a worker takes along when it is lost, others can do again. Dask's
            # default, worker to worker, sometimes waits for ever then (seen with version 2026.8).
            dealt = table.set_index("row", divisions=self._borders, shuffle_method="tasks")
            built = [
                dask.delayed(_built)(
                    part,
                    self.indptr[rows.start : rows.stop + 1] - self.indptr[rows.start],
                    rows.start,
                    self._n_columns,
                )
                for part, rows in zip(dealt.to_delayed(), self.stretches, strict=True)
            ]
            self._futures = self._client.compute(built)
        wait(self._futures)
        for future in self._futures:
            if future.status == "error":
                future.result()


def _as_table(pieces, names) -> dd.DataFrame:
    """Return the columns of pieces as a table of Dask's, of which nothing is read yet."""
    wanted = [name for name in names.values() if name is not None]
    if isinstance(pieces, dd.DataFrame):
        table, called = pieces, "this table"
    else:
        some = [pieces] if isinstance(pieces, str | PathLike) else pieces
        files = [file for path in some for file in files_of(path)]
        endings = {ending_of(path) for path in files}
        if not files:
            raise ValueError("there are no files")
        if len(endings) > 1:
            raise ValueError(f"files of one kind, please, not {', '.join(sorted(endings))}")
        paths, called = [str(path) for path in files], str(files[0])
        if endings == {".parquet"}:
            table = dd.read_parquet(paths)
        else:
            whole = {"blocksize": None} if endings == {".csv.gz"} else {}
            table = dd.read_csv(paths, **whole)
    missing = [name for name in wanted if name not in table.columns]
    if missing:
        raise ValueError(f"no column {missing} in {called}; it has {list(table.columns)}")
    return table[wanted]


def _borders(indptr: np.ndarray, n_partitions: int) -> list[int]:
    """Cut rows into stretches of about equal work; return where they begin and end."""
    n_rows = len(indptr) - 1
    work = indptr + _COST_OF_A_ROW * np.arange(n_rows + 1)
    inner = np.searchsorted(work, work[-1] * np.arange(1, n_partitions) / n_partitions)
    return np.unique([0, *inner, n_rows]).tolist()


# What runs on workers.


def _columns(part: pd.DataFrame, names) -> tuple:
    """Return users, items, values, times (none) and weights of a part of the table."""
    users, items, values, weights = (
        None if name is None else part[name] for name in names.values()
    )
    return as_columns(users, items, values, None, weights, keep=None)


def _counted(part: pd.DataFrame, names) -> Survey:
    survey = Survey()
    if len(part):
        survey.count(*_columns(part, names))
    return survey


def _encoded(part: pd.DataFrame, names, survey: Survey, kind: Kind) -> pd.DataFrame:
    """Return the ratings of a part as they are stored."""
    if not len(part):
        return _table_of(survey, [])
    users, items, *rest = survey.encode(*_columns(part, names))
    sides = (users, items) if kind == "user" else (items, users)
    return _table_of(survey, [*sides, *rest])


def _table_of(survey: Survey, columns: list) -> pd.DataFrame:
    types = [np.int32, np.int32, survey.coding().dtype, *survey.beside.values()]
    columns = columns or [np.empty(0)] * len(types)
    names = ["row", "column", "data", *survey.beside]
    return pd.DataFrame(
        {n: column.astype(t) for n, column, t in zip(names, columns, types, strict=True)}
    )


def _built(part: pd.DataFrame, indptr, first_row: int, n_columns: int) -> tuple[CSR, np.ndarray]:
    """Return a partition: a view of its rows, and the weights of its ratings."""
    rows = part.index.to_numpy() - np.int32(first_row)
    found = placed([[rows, *(part[name].to_numpy() for name in part.columns)]], indptr)
    indices, data, *beside = in_order(indptr, found, n_columns)
    n_repeats, _ = kernels.rows.count_repeats(indptr, indices)
    if n_repeats:
        raise ValueError(
            f"{n_repeats} ratings or more repeat a (user, item) pair; make one rating of each pair"
        )
    return CSR(indptr, indices, data), *(beside or [ALIKE])
