"""Degrees: what the distribution functions promise."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alslib import ccdf, degree_counts, fit_power_law, log_binned_histogram

degree_lists = st.lists(st.integers(0, 3000), min_size=1, max_size=60)


@given(degree_lists)
def test_degree_counts_account_for_every_degree(degrees):
    values, counts = degree_counts(degrees)
    assert dict(zip(values.tolist(), counts.tolist(), strict=True)) == {
        value: degrees.count(value) for value in set(degrees)
    }
    assert values.tolist() == sorted(values)


@given(degree_lists)
def test_ccdf_is_the_share_of_degrees_at_least_as_large(degrees):
    values, fractions = ccdf(degrees)
    for value, fraction in zip(values, fractions, strict=True):
        assert fraction == sum(d >= value for d in degrees) / len(degrees)
    assert values.tolist() == sorted(set(degrees))


@given(degree_lists.filter(any), st.integers(1, 40))
def test_histogram_counts_every_positive_degree_once_and_integrates_to_one(degrees, per_decade):
    edges, centres, counts, density = log_binned_histogram(degrees, per_decade)
    positive = [d for d in degrees if d > 0]
    assert counts.tolist() == [
        sum(low <= d < high for d in positive) for low, high in itertools.pairwise(edges)
    ]
    assert counts.sum() == len(positive)
    assert np.sum(density * np.diff(edges)) == pytest.approx(1)
    assert np.all(np.diff(edges) >= 1)
    assert np.all((edges[:-1] <= centres) & (centres < edges[1:]))


def test_histogram_bins_grow_in_proportion_and_begin_at_powers_of_ten():
    edges = log_binned_histogram(np.arange(1, 10_000), bins_per_decade=5).edges
    assert {1, 10, 100, 1000, 10_000} <= set(edges.tolist())
    ratios = edges[1:] / edges[:-1]
    assert ratios[edges[:-1] >= 100] == pytest.approx(10 ** (1 / 5), rel=0.01)


def test_histogram_density_of_a_flat_distribution_is_flat_down_to_one():
    density = log_binned_histogram(np.arange(1, 1001)).density
    assert density == pytest.approx(1 / 1000)


@pytest.mark.parametrize(
    ("degrees", "message"),
    [
        ([], "empty"),
        ([[1, 2]], "one-dimensional"),
        ([1, 2.5, 3], "1 of 3 degrees are not whole numbers, the first at position 1: 2.5"),
        ([1, np.nan], "position 1: nan"),
        ([np.inf, 1], "position 0: inf"),
        ([3, -1, -2], "2 of 3 degrees are negative, the first at position 1: -1"),
        (["1", "2"], "whole numbers, not of type"),
        (np.array([2**63 + 5, 1], np.uint64), "fit in 64 bits, got 9223372036854775813"),
        (np.ma.masked_array([1, 2], [False, True]), "1 of 2 degrees are masked, the first at 1"),
        ([True, False], "whole numbers, not of type bool"),
    ],
)
@pytest.mark.parametrize("function", [degree_counts, ccdf, log_binned_histogram, fit_power_law])
def test_bad_degrees_are_refused_and_named(function, degrees, message):
    with pytest.raises(ValueError, match=message):
        function(degrees)


def test_whole_numbers_stored_as_floats_are_accepted():
    assert ccdf([1.0, 2.0])[0].dtype == np.int64


def test_a_histogram_without_bins_or_degrees_is_refused():
    with pytest.raises(ValueError, match="bins_per_decade"):
        log_binned_histogram([1, 2], 0)
    with pytest.raises(ValueError, match="all degrees are 0"):
        log_binned_histogram([0, 0])
