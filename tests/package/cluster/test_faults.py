"""Real processes are killed in the middle of a fit, and no bit of it changes."""

import itertools
import threading
import time

import numpy as np
import pytest
from distributed import Client, LocalCluster
from oracles import assert_same_fit
from processes import processes, scheduler, worker

from alslib import LatentALS, Ratings, SpreadRatings
from alslib.cluster.working import Desk

N_KILLS = 10
MODEL = {"n_factors": 6, "n_sweeps": 6, "tol": 0}


@pytest.fixture(scope="module")
def here(table):
    """The fit on one machine."""
    return LatentALS(**MODEL).fit(Ratings.from_frame(table))


@pytest.fixture
def start():
    with processes() as start:
        yield start


class Workers:
    """Two workers of a cluster; whoever is killed gets a successor."""

    def __init__(self, start, client):
        self._start, self._client = start, client
        self._names = map(str, itertools.count())
        self.there, self.killed = {}, []
        for _ in range(2):
            self._begin()
        client.wait_for_workers(2)

    def _begin(self):
        name, address = next(self._names), self._client.scheduler.address
        self.there[name] = self._start(worker, address, "--name", name)

    def choose(self, rng):
        """Return one that is at work; if there is none, as soon as there is."""
        self._client.wait_for_workers(1)
        known = self._client.scheduler_info(n_workers=-1)["workers"].values()
        names = sorted({str(worker["name"]) for worker in known} & self.there.keys())
        return names[rng.integers(len(names))] if names else None

    def kill(self, name):
        process = self.there.pop(name)
        process.kill()
        process.join()
        self.killed.append(process.pid)
        self._begin()


@pytest.mark.parametrize("direct", [False, True], ids=["through the scheduler", "direct"])
def test_workers_that_are_killed_change_no_bit(folder, here, start, monkeypatch, direct):
    rng, begin = np.random.default_rng(0), Desk.do
    with (
        LocalCluster(n_workers=0, dashboard_address=":0", silence_logs=50) as started,
        Client(started, direct_to_workers=direct) as client,
    ):
        workers = Workers(start, client)

        def do(desk, *work):
            """Kill a worker soon after a piece of work has begun."""
            name = workers.choose(rng) if len(workers.killed) < N_KILLS else None
            if name is None:
                return begin(desk, *work)
            soon = threading.Timer(rng.uniform(0, 0.1), workers.kill, [name])
            soon.start()
            try:
                return begin(desk, *work)
            finally:
                soon.join()

        with SpreadRatings.from_pieces(folder, cluster=client) as spread:
            monkeypatch.setattr(Desk, "do", do)
            assert_same_fit(LatentALS(**MODEL).fit(spread, progress=False), here)
    assert len(set(workers.killed)) == N_KILLS


def a_cluster(start, file):
    """Start a scheduler and two workers; return the scheduler and its address."""
    begun = start(scheduler, file)
    for _ in range(2):
        start(worker, "--scheduler-file", file)
    while not file.exists() or not file.read_text().endswith("}"):
        time.sleep(0.05)
        assert begun.is_alive()
    with Client(scheduler_file=str(file)) as client:
        client.wait_for_workers(2)
        return begun, client.scheduler.address


def test_after_the_scheduler_is_killed_a_fit_goes_on_from_its_checkpoint(
    folder, here, tmp_path, start, monkeypatch
):
    model, path = LatentALS(**MODEL), tmp_path / "checkpoint"
    begun, address = a_cluster(start, tmp_path / "first")
    with SpreadRatings.from_pieces(folder, cluster=address) as spread:
        begin, calls = Desk.do, itertools.count(1)

        def do(desk, *work):
            if next(calls) == 8:  # in the third sweep
                begun.kill()
            return begin(desk, *work)

        monkeypatch.setattr(Desk, "do", do)
        with pytest.raises(ConnectionError, match="goes on from its last sweep"):
            model.fit(spread, progress=False, checkpoint=path)
    monkeypatch.undo()
    assert not hasattr(model, "mean_")
    assert 1 <= len(LatentALS.load(path).history_) - 1 < MODEL["n_sweeps"]

    _, address = a_cluster(start, tmp_path / "second")
    with SpreadRatings.from_pieces(folder, cluster=address, n_partitions=3) as spread:
        assert_same_fit(model.fit(spread, progress=False, checkpoint=path), here)


def fit_there(folder, address, path):
    with SpreadRatings.from_pieces(folder, cluster=address) as spread:
        LatentALS(**MODEL).fit(spread, progress=False, checkpoint=path)


def test_after_the_client_is_killed_another_goes_on(folder, here, tmp_path, start):
    path = tmp_path / "checkpoint"
    _, address = a_cluster(start, tmp_path / "cluster")
    client = start(fit_there, folder, address, path)
    while not path.exists() or len(LatentALS.load(path).history_) < 2:  # until a sweep is done
        time.sleep(0.01)
        assert client.is_alive(), "it has ended by itself"
    client.kill()
    client.join()
    with SpreadRatings.from_pieces(folder, cluster=address) as spread:
        assert_same_fit(LatentALS(**MODEL).fit(spread, progress=False, checkpoint=path), here)
