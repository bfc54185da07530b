"""Lesson 2: does the tail of a degree distribution follow a power law?

The power law here is the discrete one, P(X = x) = x^-α / ζ(α, x_min) for whole numbers x ≥ x_min,
where ζ(α, q) = Σ_{k≥0} (q + k)^-α is Hurwitz's zeta function. Fit, standard error, choice of x_min
and bootstrap follow Clauset, Shalizi and Newman, "Power-law distributions in empirical data", SIAM
Review 51 (2009); the rival distributions and the likelihood-ratio test come from the ``powerlaw``
library of Alstott, Bullmore and Plenz (PLOS ONE 2014).

The power law itself is fitted here rather than by the library, because the bootstrap repeats that
fit hundreds of times. Two sums per value of x_min say all that the likelihood needs to know, so one
fit takes hundredths of a second. It can also stay exact where the library approximates or restricts
by default: α ≤ 3, the continuous formula from x_min = 10 on, KS distance at observed values only.
The tests hold the two against each other.
"""

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import zeta

from alslib._extras import needed_for
from alslib._progress import progress_bar
from alslib.degrees import degree_counts, sums_from_the_right

# Exponents are searched in this interval: at 1 the law stops being normalisable; above 50 a tail is
# over after one value, and x^-α leaves the range of float64 for the largest degrees we care for.
ALPHA_BOUNDS = (1.0, 50.0)
# A replicate without a tail is drawn again, so often at the most.
_MOST_DRAWS = 100
LARGEST_DRAW = 2**53  # whole numbers are exact in float64 up to here


class NoTailError(ValueError):
    """The degrees have no tail that a power law can be fitted to."""


@dataclass(frozen=True)
class PowerLawFit:
    """A discrete power law fitted to the tail of a degree distribution.

    Attributes
    ----------
    alpha : float
        Exponent α of P(X = x) ∝ x^-α.
    standard_error : float
        Standard error of α for the given x_min (Clauset et al. 2009, eq. 3.6). It knows nothing of
        the uncertainty of x_min itself.
    x_min : int
        Smallest degree of the tail.
    n_tail, n : int
        Number of degrees in the tail, and of all degrees.
    ks_distance : float
        Largest distance between the cumulative distributions of tail and fit, over all whole
        numbers.
    x_min_given : bool
        Whether x_min was given by the caller rather than chosen.
    min_tail : int
        Smallest tail that was considered when x_min was chosen.
    """

    alpha: float
    standard_error: float
    x_min: int
    n_tail: int
    n: int
    ks_distance: float
    x_min_given: bool
    min_tail: int

    def ccdf(self, x: ArrayLike) -> NDArray[np.float64]:
        """Fitted share of all degrees that are x or more, for x ≥ x_min (NaN below).

        It starts at n_tail / n, so that it can be drawn over `ccdf` of the same degrees.
        """
        x = np.asarray(x, dtype=np.float64)
        tail = zeta(self.alpha, np.maximum(x, self.x_min)) / zeta(self.alpha, self.x_min)
        return np.where(x >= self.x_min, self.n_tail / self.n * tail, np.nan)


def sample_power_law(
    size: int,
    alpha: float,
    x_min: int = 1,
    random_state: int | np.random.Generator | None = None,
) -> NDArray[np.int64]:
    """Draw from the discrete power law, exactly: P(X = x) = x^-α / ζ(α, x_min).

    Parameters
    ----------
    size : int
        Number of draws.
    alpha : float
        Exponent, greater than 1.
    x_min : int
        Smallest value, 1 or more.
    random_state : int, numpy.random.Generator or None
        Seed or generator; None draws a fresh seed.

    Returns
    -------
    int64 array, shape (size,)
        The draws. Values above 2^53, which float64 cannot tell apart, are returned as 2^53; for
        α = 2 this concerns one draw in 10^16.

    Raises
    ------
    ValueError
        If `alpha` or `x_min` is out of range.
    """
    low, high = ALPHA_BOUNDS
    if not low < alpha <= high:
        raise ValueError(f"alpha must lie in ({low}, {high}], not {alpha}")
    x_min = _checked_x_min(x_min)
    # Inversion: X ≥ x exactly when U ≤ P(X ≥ x), so X is the largest x with P(X ≥ x) ≥ U.
    u = 1.0 - np.random.default_rng(random_state).random(size)  # in (0, 1]
    table = zeta(alpha, np.arange(x_min, x_min + 4096, dtype=np.float64)) / zeta(alpha, x_min)
    draws = x_min - 1 + np.searchsorted(-table, -u, side="right")
    far = np.flatnonzero(u <= table[-1])  # beyond the table: bisection between whole numbers
    below = np.full(far.size, x_min + 4095, dtype=np.int64)
    above = np.full(far.size, LARGEST_DRAW + 1, dtype=np.int64)
    while np.any(above - below > 1):
        middle = (below + above) // 2
        reached = zeta(alpha, middle.astype(np.float64)) / zeta(alpha, x_min) >= u[far]
        below, above = np.where(reached, middle, below), np.where(reached, above, middle)
    draws[far] = below
    return draws.astype(np.int64)


def fit_power_law(
    degrees: ArrayLike, x_min: int | None = None, *, min_tail: int = 50
) -> PowerLawFit:
    """Fit a discrete power law to the tail of a degree distribution.

    For a given x_min, α maximises the likelihood (Clauset et al. 2009, eq. 3.5), exactly. If x_min
    is not given, every distinct degree with at least `min_tail` degrees at or above it is tried,
    and the one whose tail lies closest to its fitted power law in Kolmogorov–Smirnov distance is
    taken.

    A fit is always found. Whether a power law is a good description is another question: see
    `goodness_of_fit` and `compare_distributions`.

    Parameters
    ----------
    degrees : array_like of int, shape (n,)
        Ratings per user or per movie. Degrees of 0 lie below every x_min and never enter a tail.
    x_min : int, optional
        Smallest degree of the tail, 1 or more; chosen by KS distance if not given.
    min_tail : int
        Smallest tail to consider when choosing; shorter ones give unreliable exponents.

    Returns
    -------
    PowerLawFit
        Exponent with standard error, x_min, size of the tail and KS distance.

    Raises
    ------
    ValueError
        If the degrees are unusable, no tail holds two distinct values and `min_tail` degrees, or
        the tail falls as fast as x^-50, which no power law worth the name does.
    """
    if min_tail < 2:
        raise ValueError(f"min_tail must be 2 or more, not {min_tail}")
    return _fit(*degree_counts(degrees), None if x_min is None else _checked_x_min(x_min), min_tail)


def goodness_of_fit(
    degrees: ArrayLike,
    fit: PowerLawFit,
    n_bootstrap: int = 200,
    random_state: int | np.random.Generator | None = 0,
    progress: bool = True,
) -> float:
    """Return the p-value of the power law by semi-parametric bootstrap.

    The method of Clauset et al. 2009, section 4.1. Each replicate has as many degrees as the data.
    Each of them comes from the fitted power law with probability n_tail / n, and otherwise from the
    observed degrees below x_min. The replicate is fitted as the data was, choice of x_min included.
    The p-value is the share of replicates that lie at least as far from their own fit as the data
    from its fit. A replicate without a tail to fit, as happens when the tail is short, is drawn
    again. Below 0.1, Clauset et al. rule the power law out; a large p-value does not prove it,
    least of all for a short tail.

    Parameters
    ----------
    degrees : array_like of int, shape (n,)
        The degrees that were fitted.
    fit : PowerLawFit
        What `fit_power_law` returned for them.
    n_bootstrap : int
        Replicates. The p-value is accurate to about 1 / (2 √n_bootstrap).
    random_state : int, numpy.random.Generator or None
        Seed or generator.
    progress : bool
        Whether to show a progress bar.

    Returns
    -------
    float
        p-value between 0 and 1, a multiple of 1 / `n_bootstrap`.

    Raises
    ------
    ValueError
        If the fit does not belong to the degrees, `n_bootstrap` is not positive, or the tail is too
        short to be bootstrapped.
    """
    if n_bootstrap < 1:
        raise ValueError(f"n_bootstrap must be 1 or more, not {n_bootstrap}")
    values, counts = _of_fit(degrees, fit)
    x_min = fit.x_min if fit.x_min_given else None
    rng = np.random.default_rng(random_state)
    n_further = 0
    for _ in progress_bar(range(n_bootstrap), shown=progress, desc="bootstrap"):
        n_further += _refit(values, counts, fit, x_min, rng).ks_distance >= fit.ks_distance
    return n_further / n_bootstrap


def compare_distributions(
    degrees: ArrayLike, fit: PowerLawFit, significance: float = 0.1
) -> pd.DataFrame:
    """Compare the power law with rival distributions on the same tail by likelihood ratios.

    The rivals are fitted by the ``powerlaw`` library to the degrees ≥ ``fit.x_min``. The p-value is
    Vuong's for rivals that do not contain the power law, and that of the χ² test for the truncated
    power law x^-α e^(-λx), which does contain it (λ = 0) and therefore never fits worse.

    Parameters
    ----------
    degrees : array_like of int, shape (n,)
        The degrees that were fitted.
    fit : PowerLawFit
        What `fit_power_law` returned for them.
    significance : float
        A sign of R with a larger p-value is called undecided.

    Returns
    -------
    DataFrame, index ``distribution`` (lognormal, truncated power law, exponential)
        ``log_likelihood_ratio`` R (positive speaks for the power law), ``p_value`` (how easily
        chance alone gives such an R), ``favoured``, ``parameters`` of the rival, and ``warning``:
        what the library had to say about its fit, empty if nothing.

    Raises
    ------
    ImportError
        If the ``powerlaw`` library is not installed.
    ValueError
        If the fit does not belong to the degrees.
    """
    values, counts = _of_fit(degrees, fit)
    with needed_for("comparing distributions", extra="plots"):
        import powerlaw  # heavy to import, too

    in_tail = values >= fit.x_min
    tail = np.repeat(values[in_tail], counts[in_tail]).astype(np.float64)
    log_power_law = -fit.alpha * np.log(tail) - np.log(zeta(fit.alpha, fit.x_min))
    rivals = {
        "lognormal": powerlaw.Lognormal,
        "truncated power law": powerlaw.Truncated_Power_Law,
        "exponential": powerlaw.Exponential,
    }
    rows = []
    for name, rival in rivals.items():
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            ranges = (
                {"alpha": [0, ALPHA_BOUNDS[1]]} if rival.name == "truncated_power_law" else None
            )
            fitted = rival(data=tail, xmin=fit.x_min, discrete=True, parameter_ranges=ranges)
            ratio, p_value = powerlaw.loglikelihood_ratio(
                log_power_law.copy(),  # the library writes into its arguments
                fitted.loglikelihoods(tail),
                nested=rival.name == "truncated_power_law",
            )
        # λ is a rate per rating, a few thousandths for degrees in the hundreds; the library's alarm
        # for "within 0.01 of the bound 0" does not know that. Everything else it says is passed on.
        notes = [str(w.message) for w in caught if "edge of parameter range" not in str(w.message)]
        winner = "power law" if ratio > 0 else name
        rows.append(
            {
                "distribution": name,
                "log_likelihood_ratio": float(ratio),
                "p_value": float(p_value),
                "favoured": winner if p_value < significance else "undecided",
                "parameters": {key: float(value) for key, value in fitted.parameters.items()},
                "warning": "; ".join(dict.fromkeys(notes)),
            }
        )
    return pd.DataFrame(rows).set_index("distribution")


def _fit(
    values: NDArray[np.int64], counts: NDArray[np.int64], x_min: int | None, min_tail: int
) -> PowerLawFit:
    """Fit from degree counts. All candidates for x_min are fitted at once, as arrays."""
    n_from = sums_from_the_right(counts)
    log_from = sums_from_the_right(counts * np.log(np.maximum(values, 1)))  # zeros enter no tail
    if x_min is None:
        starts = np.flatnonzero((n_from >= min_tail) & (values >= 1) & (values < values[-1]))
        if starts.size == 0:
            raise NoTailError(
                f"no tail to fit: {n_from[0]} degrees with {values.size} distinct values; at least "
                f"{min_tail} degrees of at least 2 distinct positive values are needed"
            )
        candidates = values[starts].astype(np.float64)
    else:
        starts = np.searchsorted(values, [x_min])
        if starts[0] >= values.size - 1:
            raise NoTailError(f"fewer than 2 distinct degrees at or above x_min = {x_min}")
        candidates = np.array([x_min], dtype=np.float64)
    alphas = _most_likely_alpha(log_from[starts] / n_from[starts], candidates)

    distances = np.empty(starts.size)
    for i, (start, first, alpha) in enumerate(zip(starts, candidates, alphas, strict=True)):
        # Between observed degrees the data's P(X ≥ x) is flat and the model's falls: the distance
        # is largest at an observed degree or just above one.
        tail = values[start:].astype(np.float64)
        norm = zeta(alpha, first)
        model = zeta(alpha, tail) / norm
        data = n_from[start:] / n_from[start]
        just_above = model - tail**-alpha / norm - np.append(data[1:], 0.0)
        distances[i] = max(np.abs(model - data).max(), np.abs(just_above).max())

    best = int(distances.argmin())
    alpha, first, n_tail = alphas[best], candidates[best], int(n_from[starts[best]])
    if alpha > ALPHA_BOUNDS[1] - 1e-3:
        raise NoTailError(
            f"the tail from x_min = {first:.0f} on falls as fast as x^-{ALPHA_BOUNDS[1]:.0f} or "
            "faster: it is no power law"
        )
    # Eq. 3.6: the curvature of the log-likelihood per degree is the second derivative of log ζ.
    step = 1e-3 * (alpha - 1.0)
    log_zeta = np.log(zeta(alpha + step * np.array([-1.0, 0.0, 1.0]), first))
    curvature = (log_zeta[0] - 2 * log_zeta[1] + log_zeta[2]) / step**2
    return PowerLawFit(
        alpha=float(alpha),
        standard_error=float(1.0 / np.sqrt(n_tail * curvature)),
        x_min=int(first),
        n_tail=n_tail,
        n=int(n_from[0]),
        ks_distance=float(distances[best]),
        x_min_given=x_min is not None,
        min_tail=min_tail,
    )


def _refit(values, counts, fit, x_min, rng) -> PowerLawFit:
    """Fit a replicate, the first of those drawn that has a tail."""
    for _ in range(_MOST_DRAWS):
        try:
            return _fit(*_replicate(values, counts, fit, rng), x_min, fit.min_tail)
        except NoTailError as error:
            reason = error
    raise ValueError(
        f"the tail of {fit.n_tail} degrees is too short to be bootstrapped: in {_MOST_DRAWS} "
        f"replicates running, {reason}"
    )


def _replicate(
    values: NDArray[np.int64], counts: NDArray[np.int64], fit: PowerLawFit, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Draw counts of as many degrees: the tail from the fit, the rest from those below x_min."""
    n_tail = rng.binomial(fit.n, fit.n_tail / fit.n)
    tail_values, tail_counts = np.unique(
        sample_power_law(n_tail, fit.alpha, fit.x_min, rng), return_counts=True
    )
    body = values < fit.x_min
    if not body.any():
        return tail_values, tail_counts
    body_counts = rng.multinomial(fit.n - n_tail, counts[body] / counts[body].sum())
    drawn = body_counts > 0
    return (
        np.append(values[body][drawn], tail_values),
        np.append(body_counts[drawn], tail_counts),
    )


def _most_likely_alpha(
    mean_log: NDArray[np.float64], x_min: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Minimise α · mean(log x) + log ζ(α, x_min), convex in α, by golden-section search."""

    def loss(alpha: NDArray[np.float64]) -> NDArray[np.float64]:
        return alpha * mean_log + np.log(zeta(alpha, x_min))

    golden = (np.sqrt(5.0) - 1.0) / 2.0
    low = np.full(mean_log.shape, ALPHA_BOUNDS[0])
    high = np.full(mean_log.shape, ALPHA_BOUNDS[1])
    left, right = high - golden * (high - low), low + golden * (high - low)
    loss_left, loss_right = loss(left), loss(right)
    for _ in range(42):  # 49 · 0.618^42 < 1e-7
        in_left = loss_left < loss_right
        low, high = np.where(in_left, low, left), np.where(in_left, right, high)
        kept, loss_kept = np.where(in_left, left, right), np.where(in_left, loss_left, loss_right)
        new = np.where(in_left, high - golden * (high - low), low + golden * (high - low))
        loss_new = loss(new)
        left, right = np.where(in_left, new, kept), np.where(in_left, kept, new)
        loss_left = np.where(in_left, loss_new, loss_kept)
        loss_right = np.where(in_left, loss_kept, loss_new)
    return (low + high) / 2.0


def _of_fit(degrees: ArrayLike, fit: PowerLawFit) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Degree counts, after checking that `fit` was made from them."""
    values, counts = degree_counts(degrees)
    n, n_tail = int(counts.sum()), int(counts[values >= fit.x_min].sum())
    if (n, n_tail) != (fit.n, fit.n_tail):
        raise ValueError(
            f"the fit belongs to other degrees: it has {fit.n_tail} of {fit.n} at or above "
            f"x_min = {fit.x_min}, these have {n_tail} of {n}"
        )
    return values, counts


def _checked_x_min(x_min: int) -> int:
    if x_min < 1 or x_min != int(x_min):
        raise ValueError(f"x_min must be a whole number, 1 or more, not {x_min}")
    return int(x_min)
