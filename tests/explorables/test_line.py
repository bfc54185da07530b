"""Lesson 2's explorable: laws, distances, ratios and draws as in alslib, SciPy and powerlaw."""

from dataclasses import replace

import numpy as np
import powerlaw
import pytest
from scipy import special

from alslib import ccdf, degree_counts, fit_power_law, sample_power_law

STATES = 200


@pytest.fixture
def call(module):
    return module("line")


def degrees_with_tail(rng):
    """Degrees whose tail is a power law or a lognormal, and one of their values as x_min."""
    n = int(rng.integers(60, 400))
    tail = (
        sample_power_law(n, rng.uniform(1.6, 3.5), int(rng.integers(1, 40)), rng)
        if rng.random() < 0.5
        else np.rint(rng.lognormal(rng.uniform(1, 4), rng.uniform(0.5, 1.5), n)).astype(int)
    )
    degrees = np.append(np.minimum(tail, 20_000), rng.integers(0, 20, rng.integers(1, 50)))
    return degrees, int(rng.choice(np.unique(degrees[degrees > 0])[:10]))


def tail_of(call, degrees, x_min):
    tail = call("tailOf", *(array.tolist() for array in degree_counts(degrees)), x_min)
    assert tail["n"] == np.sum(degrees >= x_min)
    return tail


def test_special_functions(call):
    rng = np.random.default_rng(0)
    for _ in range(STATES):
        s, q = rng.uniform(1.05, 8), np.floor(10 ** rng.uniform(0, 5))
        assert call("zeta", s, q) == pytest.approx(special.zeta(s, q), rel=1e-12)
        z = rng.uniform(-6, 12)
        assert call("erfc", z) == pytest.approx(special.erfc(z), rel=1e-9)


def test_distance_for_any_alpha(call):
    """From alslib's fitted law, with α moved by hand, over all whole numbers of the tail."""
    rng = np.random.default_rng(1)
    for state in range(STATES):
        degrees, x_min = degrees_with_tail(rng)
        fit = fit_power_law(degrees, x_min)
        moved = replace(fit, alpha=rng.uniform(1.1, 5)) if state % 4 else fit
        law = ["power law", x_min, moved.alpha]
        far = call("distance", tail_of(call, degrees, x_min), law)

        x = np.arange(x_min, degrees.max() + 2)
        values, shares = ccdf(degrees[degrees >= x_min])
        of_data = np.append(shares, 0)[np.searchsorted(values, x)]
        of_law = moved.ccdf(x) * fit.n / fit.n_tail
        off = np.abs(of_law - of_data)
        assert far["distance"] == pytest.approx(off.max(), rel=1e-9)
        assert off[far["x"] - x_min] == pytest.approx(off.max(), rel=1e-9)
        if moved is fit:
            assert far["distance"] == pytest.approx(fit.ks_distance, rel=1e-9)


def test_rivals(call):
    """R and p as powerlaw has them, for its lognormal and exponential."""
    rng = np.random.default_rng(2)
    for _ in range(STATES):
        degrees, x_min = degrees_with_tail(rng)
        fit = fit_power_law(degrees, x_min)
        tail = degrees[degrees >= x_min].astype(float)
        rate = float(np.log1p(1 / np.mean(tail - x_min)))
        mu, sigma = float(np.log(tail).mean()), float(np.log(tail).std() + 0.5)
        for theirs, law in [
            (
                powerlaw.Lognormal(xmin=x_min, discrete=True, parameters=[mu, sigma]),
                ["lognormal", x_min, [mu, sigma]],
            ),
            (
                powerlaw.Exponential(xmin=x_min, discrete=True, parameters=[rate]),
                ["exponential", x_min, rate],
            ),
        ]:
            likely = theirs.pdf(tail).astype(float)
            here, above = (np.array(call("shares", law, (tail + k).tolist())) for k in (0, 1))
            assert np.allclose(here - above, likely, rtol=1e-5, atol=1e-13)
            if likely.min() < 1e-13:  # what double precision does not reach
                continue
            log_own = -fit.alpha * np.log(tail) - np.log(special.zeta(fit.alpha, x_min))
            R, p = powerlaw.loglikelihood_ratio(log_own, np.log(likely), nested=False)
            own = ["power law", x_min, fit.alpha]
            shown = call("ratio", tail_of(call, degrees, x_min), own, law)
            assert shown["R"] == pytest.approx(R, abs=1e-3)
            assert shown["p"] == pytest.approx(p, abs=1e-4)


@pytest.mark.parametrize("x_min", [1, 12, 200])
def test_the_rate_of_the_exponential_is_the_most_likely(x_min):
    """The lesson's log(1 + 1 / mean) is the maximum that powerlaw searches."""
    tail = x_min - 1.0 + np.random.default_rng(x_min).geometric(0.05, 500)
    rate = np.log1p(1 / np.mean(tail - x_min))
    ranges = {"Lambda": [1e-9, 50]}
    found = powerlaw.Exponential(
        data=tail, xmin=x_min, discrete=True, parameter_ranges=ranges, verbose=0
    )
    assert rate == pytest.approx(float(found.Lambda), rel=1e-3)


def test_draws_are_those_of_alslib(call):
    """The same uniform numbers give the same draws, whatever the law's exponent."""
    rng = np.random.default_rng(3)
    for seed in range(STATES):
        alpha, x_min = rng.uniform(1.3, 5), int(rng.integers(1, 300))
        us = 1.0 - np.random.default_rng(seed).random(50)
        drawn = call("draw", ["power law", x_min, alpha], us.tolist())
        assert drawn == sample_power_law(50, alpha, x_min, seed).tolist()


def test_draws_follow_their_law(call):
    """Seeded, uniform, and as far from the CCDF as chance has it, for all three laws."""
    n, laws = 20_000, [["power law", 42, 2.73], ["lognormal", 42, [3.3, 0.9]]]
    for seed, law in enumerate([*laws, ["exponential", 42, 0.02]], start=1):
        us = call("uniform", seed, n)
        assert us == call("uniform", seed, n) != call("uniform", seed + 1, n)
        assert min(us) > 0 and max(us) <= 1
        even = np.sort(us)
        assert np.abs(even - np.arange(1, n + 1) / n).max() < 1.95 / np.sqrt(n)  # one in a thousand

        drawn = np.array(call("draw", law, us))
        values, counts = call("counted", drawn.tolist())
        assert np.array_equal((values, counts), np.unique(drawn, return_counts=True))
        far = call("distance", call("tailOf", values, counts, law[1]), law)
        assert far["distance"] < 1.95 / np.sqrt(n)
