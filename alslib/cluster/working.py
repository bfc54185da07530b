"""Work on rows that other processes hold: what they do not have yet is sent to them, once."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import dask
import numba
import numpy as np
from distributed import CancelledError, Client, Future, KilledWorker
from distributed.comm import CommClosedError

from alslib.data.rated import RatedRows

# Arrays that were not asked for in so many calls are forgotten: the blocks of a sweep are fewer,
# together with its errors.
_CALLS = 12
# What is raised where a worker was lost: by its tasks, or because one was just talking to it.
_LOST = CancelledError, KilledWorker, CommClosedError, TimeoutError
# How often workers may be lost before a block gives up.
_ATTEMPTS = 20
# Smaller ones travel with what is to be done.
_BYTES = 1 << 10


class Partitions(Protocol):
    """Who knows where the partitions of one side are."""

    def futures(self) -> list[Future]:
        """Return the future of each, a pair of a `CSR` and the weights of its ratings."""

    def replace_lost(self) -> None:
        """Make those anew that no worker has, and no worker can make from what there is."""

    def forget(self) -> None:
        """Let go of all partitions; the workers then do, too."""


class RowsOnWorkers(RatedRows):
    """The rows of one side, in partitions that workers hold.

    Parameters
    ----------
    counts : ndarray of float64, shape (n_rows,)
    stretches : list of slice
        The rows of each partition.
    partitions : Partitions
    desk : Desk
    """

    def __init__(
        self, counts: np.ndarray, stretches: list[slice], partitions: Partitions, desk: Desk
    ):
        self.counts = counts
        self._stretches, self._partitions, self._desk = stretches, partitions, desk

    def each(self, work, fixed, given, written) -> list:
        """Have the workers do it; see `RatedRows.each`."""
        tasks = [
            (
                [array[rows] for array in given],
                [((rows.stop - rows.start, *array.shape[1:]), array.dtype) for array in written],
            )
            for rows in self._stretches
        ]
        results = self._desk.do(work, fixed, self._partitions, tasks)
        for rows, (_, found) in zip(self._stretches, results, strict=True):
            for array, part in zip(written, found, strict=True):
                array[rows] = part
        return [value for value, _ in results]

    def forget(self) -> None:
        """Let the workers forget these rows."""
        self._partitions.forget()


@dataclass
class _Kept:
    """An array that workers have, and where: a future, and which part of its result (or None)."""

    array: np.ndarray
    place: tuple[Future, int | None]
    # The call that last asked for it, by its number, and what kind of call that was.
    call: int
    kind: tuple


class Desk:
    """Gives work to the workers, and remembers which arrays they have, to compare others with.

    Attributes
    ----------
    bytes_sent, bytes_received : int
        Of arrays; one that is sent to all workers counts for each.
    """

    def __init__(self, client: Client):
        self.client = client
        self.bytes_sent = self.bytes_received = 0
        # By partition (None: for all), type and shape.
        self._kept: dict[tuple, list[_Kept]] = {}
        self._call, self._kind = 0, ()

    def do(
        self, work: Callable, fixed: Sequence, partitions: Partitions, tasks: list
    ) -> list[tuple[Any, list]]:
        """Return, for each partition, what the work returned and the arrays it has written.

        Workers that are lost take along what was sent to them: then it is sent again, to others.

        Raises
        ------
        ConnectionError
            If the scheduler is lost, or workers are again and again. Where none is left, this waits
            until one comes.
        Exception
            What the work has raised.
        """
        self._call += 1
        for attempt in range(_ATTEMPTS):
            try:
                if attempt:
                    self.forget()
                    self.client.wait_for_workers(1)
                    partitions.replace_lost()
                return self._try(work, fixed, partitions.futures(), tasks)
            except (*_LOST, OSError) as error:
                if self.client.status != "running":
                    raise ConnectionError(
                        "the scheduler is gone; a fit with a checkpoint goes on from its last sweep"
                    ) from error
                if not isinstance(error, _LOST):
                    raise
        raise ConnectionError(f"workers were lost {_ATTEMPTS} times in a row during one block")

    def forget(self) -> None:
        """Let the workers forget what was sent to them, and what they have sent."""
        self._kept.clear()

    def _try(self, work, fixed, partitions, tasks) -> list[tuple[Any, list]]:
        self._kind = work, partitions[0].key, *tasks[0][1]  # and shapes and types of what it writes
        n_threads, holders = self.client.nthreads(), self.client.who_has(partitions)
        homes = homes_of([holders.get(partition.key, ()) for partition in partitions], n_threads)
        everywhere = _Packed(fixed, functools.partial(self._send, None, None, len(n_threads)))
        futures = []
        for partition, home, (given, written) in zip(partitions, homes, tasks, strict=True):
            there = _Packed(given, functools.partial(self._send, partition.key, home, 1))
            arguments = (
                work,
                partition,
                everywhere.template,
                there.template,
                written,
                [everywhere.found, there.found],
            )
            futures.append(submit(self.client, home, _run, *arguments))
        results = self.client.gather(futures)
        for partition, future, (_, arrays) in zip(partitions, futures, results, strict=True):
            for part, array in enumerate(arrays):
                self.bytes_received += array.nbytes
                self._keep(partition.key, array, (future, part))
        self._forget_old()
        return results

    def _send(
        self, partition: str | None, home: str | None, n_workers: int, array: np.ndarray
    ) -> tuple[Future, int | None]:
        """Return where the home of a partition, or every worker, finds an array."""
        array = np.ascontiguousarray(array)
        for kept in self._kept.get(_form(partition, array), ()):
            if _same_bytes(kept.array, array):
                kept.call, kept.kind = self._call, self._kind
                return kept.place
        self.bytes_sent += n_workers * array.nbytes
        array = array.copy()  # the next sweep writes where this is
        return self._keep(partition, array, (send(self.client, array, home), None))

    def _keep(self, partition: str | None, array: np.ndarray, place: tuple) -> tuple:
        kept = _Kept(array, place, self._call, self._kind)
        self._kept.setdefault(_form(partition, array), []).append(kept)
        return place

    def _forget_old(self) -> None:
        """Forget what the same kind of call asked for last time and does not any more."""
        for form, some in list(self._kept.items()):
            self._kept[form] = [
                kept
                for kept in some
                if kept.call == self._call
                or (kept.call > self._call - _CALLS and kept.kind != self._kind)
            ]
            if not self._kept[form]:
                del self._kept[form]


def homes_of(holders: Sequence[Iterable[str]], n_threads: Mapping[str, int]) -> list[str | None]:
    """Give every partition to a worker: to one that holds it, unless that has its share already.

    Dask by itself brings partitions to whoever has nothing to do just then, and there they stay:
    all others then wait for the worker that has most of them.

    Parameters
    ----------
    holders : sequence of iterables of str
        The workers that hold each partition, if any does.
    n_threads : mapping from str to int
        Threads of each worker.

    Returns
    -------
    list of str or None
        None for all if there are no workers.
    """
    n_in_all = sum(n_threads.values())
    room = {worker: -(-len(holders) * n // n_in_all) for worker, n in sorted(n_threads.items())}
    homes: list[str | None] = []
    for those in holders:
        with_room = [worker for worker in sorted(those) if room.get(worker)]
        homes.append(max(with_room, key=room.__getitem__, default=None))
        if with_room:
            room[homes[-1]] -= 1
    for place, home in enumerate(homes):
        if home is None and room:
            homes[place] = max(room, key=room.__getitem__)
            room[homes[place]] -= 1
    return homes


def submit(client: Client, worker: str | None, function: Callable, *arguments) -> Future:
    """Have a worker do something, or another one if this is lost."""
    return client.submit(
        function,
        *arguments,
        workers=worker,
        allow_other_workers=worker is not None,
        pure=False,
    )


def send(client: Client, value: Any, worker: str | None = None) -> Future:
    """Bring a value to a worker, if possible to this one, from which others can get it.

    As the result of a task that has it inside, and not by `Client.scatter`: the scheduler sends it
    again where the worker is lost, and nothing waits for ever for a worker that is being killed.
    """
    with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 TiB"}):
        return submit(client, worker, _itself, value)


def _itself(value: Any) -> Any:
    # Made ready once, where it arrives, and not again by every task that reads it.
    return _ready(value) if isinstance(value, np.ndarray) else value


class _Slot(NamedTuple):
    """Stands where an array was that is sent apart."""

    number: int


class _Zeros(NamedTuple):
    """Stands where an array was in which there is nothing but zeros."""

    shape: tuple[int, ...]
    dtype: np.dtype


class _Packed:
    """Values with their larger arrays taken out.

    Attributes
    ----------
    template : tuple
        The values, with something that stands for each array.
    found : list of tuple
        Where workers find the arrays, from `send`.
    """

    def __init__(self, values: Sequence, send: Callable[[np.ndarray], tuple]):
        self.found: list[tuple] = []
        self._send = send
        self.template = tuple(map(self._pack, values))

    def _pack(self, value):
        if isinstance(value, tuple):
            return _like(value, map(self._pack, value))
        if not isinstance(value, np.ndarray) or value.nbytes < _BYTES:
            return value
        if not value.any():
            return _Zeros(value.shape, value.dtype)
        self.found.append(self._send(value))
        return _Slot(len(self.found) - 1)


def _unpacked(template: Any, arrays: list[np.ndarray]) -> Any:
    if isinstance(template, _Slot):
        return arrays[template.number]
    if isinstance(template, _Zeros):
        return np.zeros(*template)
    if isinstance(template, tuple):
        return _like(template, (_unpacked(value, arrays) for value in template))
    return _ready(template) if isinstance(template, np.ndarray) else template


def _like(value: tuple, fields: Iterable) -> tuple:
    """Return a tuple of the same type, which may have names for its fields."""
    return type(value)(*fields) if hasattr(value, "_fields") else tuple(fields)


def _ready(array: np.ndarray) -> np.ndarray:
    """Return an array as kernels know it; what comes over a wire may not be writeable."""
    return np.require(array, requirements=["C", "A", "W"])


def _run(work, partition, fixed, given, written, found) -> tuple[Any, list[np.ndarray]]:
    """Do some work where a partition is; see `RatedRows.each`."""
    arrays = [
        [_ready(held if part is None else held[1][part]) for held, part in some] for some in found
    ]
    fixed, given = map(_unpacked, (fixed, given), arrays)
    view, weights = partition
    out = [np.empty(shape, dtype) for shape, dtype in written]
    n_threads = numba.get_num_threads()
    numba.set_num_threads(1)  # a worker has a thread for each partition that it works on
    try:
        value = work(type(view)(*map(_ready, view)), _ready(weights), *fixed, *given, *out)
    finally:
        numba.set_num_threads(n_threads)
    return value, out


def _form(partition: str | None, array: np.ndarray) -> tuple:
    return partition, array.dtype, array.shape


def _same_bytes(one: np.ndarray, other: np.ndarray) -> bool:
    return np.array_equal(one.view(np.uint8), other.view(np.uint8))
