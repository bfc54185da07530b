"""Power laws: known exponents are recovered, and the tests tell other tails apart."""

import warnings

import numpy as np
import powerlaw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import zeta
from scipy.stats import chi2, zipf

from alslib import (
    compare_distributions,
    degree_counts,
    fit_power_law,
    goodness_of_fit,
    power_law,
    sample_power_law,
)
from alslib.power_law import _replicate


def geometric(size, mean, seed):
    return np.random.default_rng(seed).geometric(1 / mean, size)


def lognormal(size, mu, sigma, seed):
    draws = np.random.default_rng(seed).lognormal(mu, sigma, size)
    return np.maximum(np.rint(draws), 1).astype(np.int64)


def with_body(n_tail, alpha, x_min, n_body, seed):
    """Draw a power law from x_min on above a flat body below it."""
    rng = np.random.default_rng(seed)
    return np.append(rng.integers(1, x_min, n_body), sample_power_law(n_tail, alpha, x_min, rng))


# Sampling


@pytest.mark.parametrize(("alpha", "x_min"), [(1.7, 1), (2.5, 3), (4.0, 20)])
def test_samples_follow_the_discrete_power_law(alpha, x_min):
    n = 40_000
    draws = sample_power_law(n, alpha, x_min, random_state=0)
    for x in [x_min, x_min + 1, 2 * x_min + 1, 10 * x_min, 3000 * x_min]:
        expected = zeta(alpha, x) / zeta(alpha, x_min)
        error = np.sqrt(expected * (1 - expected) / n)
        assert abs(np.mean(draws >= x) - expected) <= 4 * error + 1e-12
    assert draws.min() == x_min


def test_samples_repeat_with_the_seed_and_stay_exact_for_the_heaviest_tails():
    draws = sample_power_law(1000, 1.05, random_state=1)
    assert np.array_equal(draws, sample_power_law(1000, 1.05, random_state=1))
    assert draws.max() == 2**53


# Fitting


@pytest.mark.parametrize(("alpha", "x_min"), [(1.6, 1), (2.2, 1), (2.7, 8), (3.8, 30)])
def test_fit_maximises_the_zeta_likelihood(alpha, x_min):
    degrees = sample_power_law(3000, alpha, x_min, random_state=2)

    def loss(a):
        return -np.sum(np.log(degrees**-a / zeta(a, x_min)))

    oracle = minimize_scalar(loss, bounds=(1.01, 8), method="bounded", options={"xatol": 1e-9}).x
    fit = fit_power_law(degrees, x_min)
    assert fit.alpha == pytest.approx(oracle, abs=1e-5)
    curvature = (loss(oracle + 1e-3) - 2 * loss(oracle) + loss(oracle - 1e-3)) / 1e-6
    assert fit.standard_error == pytest.approx(1 / np.sqrt(curvature), rel=1e-3)


@pytest.mark.parametrize("seed", range(5))
def test_known_exponent_of_scipys_zipf_is_recovered_within_its_error_bars(seed):
    degrees = zipf(2.3).rvs(5000, random_state=seed)
    fit = fit_power_law(degrees, x_min=1)
    assert abs(fit.alpha - 2.3) < 3 * fit.standard_error
    assert fit.standard_error < 0.03


def test_error_bars_cover_the_truth_as_often_as_they_should():
    rng = np.random.default_rng(3)
    fits = [fit_power_law(sample_power_law(500, 2.5, 5, rng), x_min=5) for _ in range(300)]
    deviations = np.array([(fit.alpha - 2.5) / fit.standard_error for fit in fits])
    # 68.3 % within one standard error and 95.4 % within two; 3 binomial deviations of 300 trials.
    assert np.mean(np.abs(deviations) < 1) == pytest.approx(0.683, abs=0.08)
    assert np.mean(np.abs(deviations) < 2) == pytest.approx(0.954, abs=0.04)
    assert np.mean(deviations) == pytest.approx(0, abs=3 / np.sqrt(300))


@pytest.mark.parametrize("seed", range(4))
def test_x_min_is_found_near_the_planted_one_and_alpha_with_it(seed):
    fit = fit_power_law(with_body(n_tail=3000, alpha=2.5, x_min=20, n_body=6000, seed=seed))
    assert 18 <= fit.x_min <= 40
    assert abs(fit.alpha - 2.5) < 4 * fit.standard_error


@pytest.mark.parametrize(
    "degrees",
    [
        with_body(n_tail=200, alpha=2.2, x_min=6, n_body=100, seed=5),
        # the largest gap is at 10, which nobody has
        np.repeat([1, 6, 7, 8, 9, 400], [9, 3, 3, 3, 40, 3]),
    ],
    ids=["dense", "sparse"],
)
def test_ks_distance_is_the_largest_gap_over_all_whole_numbers(degrees):
    fit = fit_power_law(degrees, x_min=6)
    tail = degrees[degrees >= 6]
    x = np.arange(6, tail.max() + 2)
    data = np.array([np.mean(tail >= value) for value in x])
    model = zeta(fit.alpha, x) / zeta(fit.alpha, 6)
    assert fit.ks_distance == pytest.approx(np.abs(data - model).max(), abs=1e-12)
    assert fit.ccdf(x) == pytest.approx(len(tail) / len(degrees) * model)
    assert np.isnan(fit.ccdf(5))


@pytest.mark.parametrize("seed", [0, 1])
def test_fit_agrees_with_the_powerlaw_library_where_that_is_exact(seed):
    degrees = with_body(n_tail=400, alpha=2.3, x_min=8, n_body=300, seed=seed)
    fit = fit_power_law(degrees)
    library = powerlaw.Power_Law(
        data=degrees[degrees >= fit.x_min],
        xmin=fit.x_min,
        discrete=True,
        estimate_discrete=False,
        parameter_ranges={"alpha": [1.01, 6]},
    )
    assert fit.alpha == pytest.approx(library.alpha, abs=2e-3)
    assert fit.ks_distance == pytest.approx(library.D, abs=2e-3)


def test_zero_degrees_enter_no_tail_but_count_among_all():
    degrees = sample_power_law(400, 2.5, random_state=20)
    without, with_zeros = (
        fit_power_law(degrees),
        fit_power_law(np.append(degrees, np.zeros(100, int))),
    )
    assert (with_zeros.alpha, with_zeros.x_min) == (without.alpha, without.x_min)
    assert with_zeros.standard_error == without.standard_error
    assert (with_zeros.n, with_zeros.n_tail) == (without.n + 100, without.n_tail)
    p_value = goodness_of_fit(
        np.append(degrees, np.zeros(100, int)), with_zeros, 30, progress=False
    )
    assert p_value > 0.1


# Is it a power law?


def test_bootstrap_lets_a_true_power_law_pass():
    degrees = with_body(n_tail=600, alpha=2.5, x_min=10, n_body=600, seed=7)
    assert goodness_of_fit(degrees, fit_power_law(degrees), 60, progress=False) > 0.1


def test_bootstrap_p_values_are_spread_evenly_when_the_power_law_is_true():
    rng = np.random.default_rng(8)
    p_values = []
    for _ in range(40):
        degrees = sample_power_law(150, 2.5, 2, rng)
        p_values.append(goodness_of_fit(degrees, fit_power_law(degrees, 2), 40, rng, False))
    assert 0.3 < np.mean(p_values) < 0.7
    assert np.mean(np.array(p_values) < 0.1) < 0.25


@pytest.mark.parametrize(
    "degrees", [geometric(3000, 20, seed=9), lognormal(3000, 3, 0.7, seed=9)], ids=["geo", "logn"]
)
def test_bootstrap_rejects_what_is_not_a_power_law(degrees):
    fit = fit_power_law(degrees, x_min=20)
    assert goodness_of_fit(degrees, fit, 40, progress=False) == 0


def test_bootstrap_chooses_x_min_anew_in_each_replicate_unless_it_was_given():
    degrees = with_body(n_tail=300, alpha=2.5, x_min=10, n_body=300, seed=10)
    chosen = fit_power_law(degrees)
    given_ = fit_power_law(degrees, x_min=chosen.x_min)
    assert chosen.ks_distance == given_.ks_distance
    # A free x_min lets replicates come closer to their fits, so the same distance is rarer.
    assert goodness_of_fit(degrees, chosen, 100, progress=False) < goodness_of_fit(
        degrees, given_, 100, progress=False
    )


def test_bootstrap_replicates_have_the_fitted_tail_above_the_observed_body():
    degrees = with_body(n_tail=300, alpha=2.5, x_min=10, n_body=500, seed=21)
    fit = fit_power_law(degrees, x_min=10)
    rng = np.random.default_rng(22)
    replicates = [np.repeat(*_replicate(*degree_counts(degrees), fit, rng)) for _ in range(400)]
    assert {len(replicate) for replicate in replicates} == {800}
    tail_sizes = [np.sum(replicate >= 10) for replicate in replicates]
    spread = np.sqrt(300 * 500 / 800)
    assert np.mean(tail_sizes) == pytest.approx(300, abs=4 * spread / np.sqrt(400))
    assert np.std(tail_sizes) == pytest.approx(spread, rel=0.15)
    pooled = np.concatenate(replicates)
    refit = fit_power_law(pooled, x_min=10)
    assert abs(refit.alpha - fit.alpha) < 4 * refit.standard_error
    for value in range(1, 10):
        assert np.mean(pooled == value) == pytest.approx(np.mean(degrees == value), abs=0.006)


def test_bootstrap_repeats_with_the_seed():
    degrees = sample_power_law(200, 2.5, random_state=11)
    fit = fit_power_law(degrees)
    p_values = {goodness_of_fit(degrees, fit, 30, seed, progress=False) for seed in (4, 4)}
    assert len(p_values) == 1


def test_likelihood_ratio_prefers_the_exponential_for_exponential_data():
    degrees = geometric(3000, 25, seed=12)
    table = compare_distributions(degrees, fit_power_law(degrees, x_min=10))
    row = table.loc["exponential"]
    assert row.log_likelihood_ratio < 0
    assert row.favoured == "exponential"
    # P(X = x) = p (1 - p)^x gives λ = -log(1 - 1/25)
    assert row.parameters["Lambda"] == pytest.approx(-np.log(1 - 1 / 25), rel=0.08)


def test_likelihood_ratio_does_not_call_lognormal_data_a_power_law():
    degrees = lognormal(3000, 3, 1, seed=13)
    row = compare_distributions(degrees, fit_power_law(degrees, x_min=10)).loc["lognormal"]
    assert row.favoured == "lognormal"
    assert row.parameters["mu"] == pytest.approx(3, abs=0.25)
    assert row.parameters["sigma"] == pytest.approx(1, abs=0.15)


def test_likelihood_ratio_favours_no_rival_for_a_true_power_law():
    degrees = sample_power_law(2000, 2.3, x_min=5, random_state=14)
    table = compare_distributions(degrees, fit_power_law(degrees, x_min=5))
    assert table.favoured["exponential"] == "power law"
    assert set(table.favoured) <= {"power law", "undecided"}
    assert list(table.index) == ["lognormal", "truncated power law", "exponential"]
    nested = table.loc["truncated power law"]  # Wilks: twice the log-ratio is χ² with one degree
    assert nested.p_value == pytest.approx(
        chi2.sf(2 * abs(nested.log_likelihood_ratio), 1), abs=1e-9
    )


def test_likelihood_ratio_is_the_difference_of_log_likelihoods():
    degrees = geometric(500, 25, seed=15)
    fit = fit_power_law(degrees, x_min=10)
    row = compare_distributions(degrees, fit).loc["exponential"]
    tail, rate = degrees[degrees >= 10], row.parameters["Lambda"]
    power_law = np.log(tail**-fit.alpha / zeta(fit.alpha, 10))
    exponential = np.log((1 - np.exp(-rate)) * np.exp(-rate * (tail - 10.0)))
    assert row.log_likelihood_ratio == pytest.approx(np.sum(power_law - exponential))


def test_what_the_library_says_about_a_failed_fit_reaches_the_table(monkeypatch):
    class Complaining(powerlaw.Exponential):
        def fit(self, data=None):
            super().fit(data)
            warnings.warn("No valid fits found for distribution exponential.", stacklevel=1)

    monkeypatch.setattr(powerlaw, "Exponential", Complaining)
    degrees = geometric(500, 25, seed=16)
    table = compare_distributions(degrees, fit_power_law(degrees, x_min=10))
    assert "No valid fits" in table.warning["exponential"]
    assert table.warning["lognormal"] == ""


@pytest.mark.parametrize(
    "degrees",
    [
        sample_power_law(52, 3.5, random_state=3),
        np.append(np.zeros(100, int), sample_power_law(55, 2.5, random_state=1)),
    ],
)
def test_a_short_tail_is_bootstrapped_all_the_same(degrees):
    p_value = goodness_of_fit(degrees, fit_power_law(degrees), 20, progress=False)
    assert 0 <= p_value <= 1


def test_a_tail_too_short_for_any_replicate_is_an_error_that_says_so(monkeypatch):
    monkeypatch.setattr(power_law, "_MOST_DRAWS", 1)
    degrees = sample_power_law(52, 3.5, random_state=3)
    with pytest.raises(
        ValueError, match=r"of 52 degrees is too short to be bootstrapped: .*no tail"
    ):
        goodness_of_fit(degrees, fit_power_law(degrees), 200, progress=False)


# Bad input


def test_bad_parameters_are_refused_and_named():
    degrees = sample_power_law(100, 2.5, random_state=18)
    with pytest.raises(ValueError, match="no tail to fit: 100 degrees with 1 distinct"):
        fit_power_law(np.full(100, 7))
    with pytest.raises(ValueError, match="at least 50 degrees"):
        fit_power_law([1, 2, 3])
    with pytest.raises(ValueError, match="fewer than 2 distinct degrees at or above x_min"):
        fit_power_law(degrees, x_min=degrees.max())
    with pytest.raises(ValueError, match="x_min must be a whole number"):
        fit_power_law(degrees, x_min=0)
    with pytest.raises(ValueError, match="min_tail"):
        fit_power_law(degrees, min_tail=1)
    with pytest.raises(ValueError, match="falls as fast as"):
        fit_power_law(np.repeat([1000, 1001], [999, 1]))
    with pytest.raises(ValueError, match="alpha"):
        sample_power_law(10, 1.0)
    with pytest.raises(ValueError, match="n_bootstrap"):
        goodness_of_fit(degrees, fit_power_law(degrees), 0)


@pytest.mark.parametrize("function", [goodness_of_fit, compare_distributions])
def test_a_fit_of_other_degrees_is_refused(function):
    degrees = sample_power_law(100, 2.5, random_state=19)
    with pytest.raises(ValueError, match="the fit belongs to other degrees"):
        function(degrees[:-1], fit_power_law(degrees))


@settings(max_examples=25)
@given(st.lists(st.integers(0, 200), min_size=60, max_size=120))
def test_fit_of_any_degrees_is_finite_or_a_clear_error(degrees):
    try:
        fit = fit_power_law(degrees)
    except ValueError as error:
        assert "no tail to fit" in str(error) or "falls as fast" in str(error)
    else:
        assert np.isfinite([fit.alpha, fit.standard_error, fit.ks_distance]).all()
        assert 1 <= fit.x_min < max(degrees)
