"""Work on rows that other processes hold: what they do not have yet is sent to them, once."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, Protocol

import dask
import numba
import numpy as np
from distributed import CancelledError, Client, Future, KilledWorker
from distributed.comm import CommClosedError

from alslib.data.rated import RatedRows

# Arrays that were not asked for in so many calls are forgotten by the workers: the blocks of a
# sweep and its errors are fewer.
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


class Desk:
    """Gives work to the workers, and remembers which arrays they have, by their contents.

    Attributes
    ----------
    bytes_sent, bytes_received : int
        Of arrays; one that is sent to all workers counts for each.
    """

    def __init__(self, client: Client):
        self.client = client
        self.bytes_sent = self.bytes_received = 0
        self._there: dict[bytes, tuple[list, int]] = {}
        self._n_calls = 0

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
        self._n_calls += 1
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
        self._there.clear()

    def _try(self, work, fixed, partitions, tasks) -> list[tuple[Any, list]]:
        everywhere = _Packed(fixed, lambda array: self._send(array, None))
        futures = []
        for partition, (given, written) in zip(partitions, tasks, strict=True):
            there = _Packed(given, functools.partial(self._send, partition=partition))
            arguments = (
                work,
                partition,
                everywhere.template,
                there.template,
                written,
                [everywhere.found, there.found],
            )
            futures.append(self.client.submit(_run, *arguments, pure=False))
        results = self.client.gather(futures)
        for future, (_, arrays) in zip(futures, results, strict=True):
            for part, array in enumerate(arrays):
                self.bytes_received += array.nbytes
                self._there[_digest(array)] = [future, part], self._n_calls
        old = self._n_calls - _CALLS
        self._there = {key: found for key, found in self._there.items() if found[1] > old}
        return results

    def _send(self, array: np.ndarray, partition: Future | None) -> list:
        """Return where the worker of a partition, or every worker, finds an array.

        Returns
        -------
        list
            A future, and which part of its result this is, or None if it is all of it.
        """
        key = _digest(array) if partition is not None else b"everywhere" + _digest(array)
        if key in self._there:
            sent, _ = self._there[key]
        else:
            if partition is not None:
                holders = list(self.client.who_has([partition])[partition.key])
                future = send(self.client, array, holders)
                self.bytes_sent += array.nbytes
            else:
                future = send(self.client, array)
                self.bytes_sent += len(self.client.nthreads()) * array.nbytes
            sent = [future, None]
        self._there[key] = sent, self._n_calls
        return sent


def send(client: Client, value: Any, workers: list[str] | None = None) -> Future:
    """Bring a value to a worker, if possible one of these, from which others can get it.

    As the result of a task that has it inside, and not by `Client.scatter`: the scheduler sends it
    again where the worker is lost, and nothing waits for ever for a worker that is being killed.
    """
    with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 TiB"}):
        return client.submit(
            _itself, value, workers=workers or None, allow_other_workers=bool(workers), pure=False
        )


def _itself(value: Any) -> Any:
    return value


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
    found : list of list
        Where workers find the arrays, from `send`.
    """

    def __init__(self, values: Sequence, send: Callable[[np.ndarray], list]):
        self.found: list[list] = []
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


def _digest(array: np.ndarray) -> bytes:
    """Return a name for the contents of an array."""
    described = f"{array.dtype} {array.shape}".encode()
    return hashlib.blake2b(np.ascontiguousarray(array), digest_size=16).digest() + described
