"""Schedulers, workers and clients as processes of their own, which a test can kill."""

import os
import sys
from contextlib import contextmanager
from multiprocessing import get_context

# Forked from a process that has imported what they need, they are there within a second.
FORKED = get_context("forkserver")
FORKED.set_forkserver_preload(
    [
        "alslib.cluster.spread_ratings",
        "distributed.cli.dask_scheduler",
        "distributed.cli.dask_worker",
    ]
)


@contextmanager
def processes():
    """Give a function that calls another one in a process; all of them end with the block."""
    started = []

    def start(function, *arguments):
        process = FORKED.Process(target=_silently, args=(function, *map(str, arguments)))
        process.start()
        started.append(process)
        return process

    try:
        yield start
    finally:
        for process in started:
            process.kill()
            process.join()


def _silently(function, *arguments):
    """What those say who lose each other is no part of a test's report."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    function(*arguments)


def scheduler(file):
    from distributed.cli.dask_scheduler import main

    main(["--scheduler-file", file, "--port", "0", "--host", "127.0.0.1", "--no-dashboard"])


def worker(*arguments):
    """A worker that nobody starts again when it dies."""
    from distributed.cli.dask_worker import main

    main([*arguments, "--no-nanny", "--nthreads", "1", "--no-dashboard"])


def worker_without_the_package(*arguments):
    for name in list(sys.modules):
        if name.partition(".")[0] == "alslib":
            sys.modules[name] = None
    worker(*arguments)
