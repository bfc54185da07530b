"""Loops that threads share."""

import threading
from itertools import pairwise

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alslib.kernels.threads import N_STRETCHES, each_stretch, equal_stretches


@pytest.fixture(params=[1, 2, 5])
def n_threads(request, monkeypatch):
    monkeypatch.setattr(numba, "get_num_threads", lambda: request.param)
    return request.param


def test_every_stretch_is_done_once_and_results_are_in_order(n_threads):
    by = []

    def kernel(first, last, start):
        by.append(threading.get_ident())
        return start + first, last

    assert each_stretch(kernel, np.array([0, 3, 3, 7, 8]), 10) == [
        (10, 3),
        (13, 3),
        (13, 7),
        (17, 8),
    ]
    assert 1 <= len(set(by)) <= n_threads


def test_all_threads_work_at_the_same_time(n_threads):
    """Each waits until as many as there are threads have begun: with fewer that would be never."""
    together = threading.Barrier(n_threads, timeout=60)
    borders = np.arange(n_threads + 1)
    assert len(each_stretch(lambda first, last: together.wait(), borders)) == n_threads


@pytest.mark.parametrize("error", [MemoryError, KeyboardInterrupt])
def test_an_error_in_any_thread_is_raised_and_nothing_new_is_begun(error, n_threads):
    begun, failed, threads = [], threading.Event(), set(threading.enumerate())

    def kernel(first, last):
        begun.append(first)
        if first == 0:
            failed.set()
            raise error
        failed.wait(60)

    with pytest.raises(error):
        each_stretch(kernel, np.arange(1001))
    assert len(begun) < 1000
    assert set(threading.enumerate()) == threads


@given(
    st.lists(st.integers(0, 40), min_size=1, max_size=300),
    st.floats(1, 1e5),
    st.floats(0, 1e5),
)
def test_stretches_cover_all_rows_and_none_is_much_more_work_than_another(
    counts, per_rating, per_row
):
    counts = 100 * np.array(counts, np.int64)
    borders = equal_stretches(np.append(0, np.cumsum(counts)), per_rating, per_row)
    assert (borders[0], borders[-1]) == (0, len(counts))
    assert np.all(np.diff(borders) >= 0)
    work = per_rating * counts + per_row
    of_stretches = [work[first:last].sum() for first, last in pairwise(borders)]
    assert len(of_stretches) == min(N_STRETCHES, 1 + int(work.sum() / 2e6))
    share = work.sum() / len(of_stretches)
    assert max(of_stretches) <= share + work.max() + 1e-6 * work.sum()
