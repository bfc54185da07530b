"""A scheduler and its workers, looked at before any work: are they there, and are they like us?"""

from __future__ import annotations

import hashlib
import logging
import platform
import warnings
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import Any

from distributed import Client, LocalCluster

import alslib

# Until a scheduler has answered that there is.
_SECONDS = 10
# Asked of a worker, which may not have the package.
_QUESTION = "__import__('alslib.cluster.connecting').cluster.connecting.versions()"


def connect(cluster: Client | str | int | None, until: ExitStack) -> Client:
    """Return a client of a cluster whose workers have what we have.

    Parameters
    ----------
    cluster : Client, str, int or None
        A client; the address of a scheduler; or how many worker processes to start on this machine,
        by default one for each processor.
    until : ExitStack
        What is started here ends with it.

    Raises
    ------
    ConnectionError
        If no scheduler answers at the address, or it has no workers.
    TypeError
        If it is something else.
    RuntimeError
        If a worker has no alslib, or another version of it, of Python, NumPy or numba.
    """
    if isinstance(cluster, Client):
        client = cluster
    elif isinstance(cluster, str):
        client = until.enter_context(_client_at(cluster))
    elif cluster is None or (isinstance(cluster, int) and not isinstance(cluster, bool)):
        started = LocalCluster(
            n_workers=cluster,
            threads_per_worker=1,
            dashboard_address=":0",
            host="127.0.0.1",
            # What the others say of a worker that is lost, or of the end, is no error: a fit that
            # cannot go on raises one.
            silence_logs=logging.CRITICAL,
        )
        # What workers have done comes from them, and not through the scheduler: all are here.
        client = until.enter_context(Client(until.enter_context(started), direct_to_workers=True))
    else:
        raise TypeError(
            "cluster must be a client, the address of a scheduler or a number of processes, got "
            f"{cluster!r}"
        )
    _check_workers(client)
    return client


def _client_at(address: str) -> Client:
    try:
        return Client(address, timeout=_SECONDS)
    except (OSError, ValueError) as error:
        raise ConnectionError(f"no scheduler answers at {address!r}: {error}") from error


def _check_workers(client: Client) -> None:
    """Refuse workers on which the same functions might be others."""
    answers = client.run(eval, _QUESTION, on_error="return")
    if not answers:
        raise ConnectionError("this cluster has no workers yet")
    ours = versions()
    for worker, theirs in answers.items():
        if isinstance(theirs, Exception):
            raise RuntimeError(
                f"the worker {worker} has no alslib that could be imported: {theirs}"
            ) from theirs
        for name, here in ours.items():
            if theirs[name] == here:
                continue
            if name == "processor":
                warnings.warn(
                    f"the worker {worker} has a processor ({theirs[name]}) of another kind than "
                    f"this one ({here}): last bits will depend on who has solved for what",
                    stacklevel=4,
                )
            else:
                raise RuntimeError(
                    f"the worker {worker} has {name} {theirs[name]}, and here it is {here}"
                )


def versions() -> dict[str, Any]:
    """Return all that decides what bits come out of a kernel."""
    from llvmlite import binding

    return {
        "Python": platform.python_version(),
        "NumPy": version("numpy"),
        "numba": version("numba"),
        "alslib": f"{version('alslib')} ({_digest_of_sources()})",
        "processor": binding.get_host_cpu_name(),
    }


def _digest_of_sources() -> str:
    """Return a number for the package as it is, whatever it calls its version."""
    digest = hashlib.blake2b(digest_size=6)
    root = Path(alslib.__file__).parent
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()
