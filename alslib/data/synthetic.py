"""All lessons: ratings drawn from a world whose truth is known.

The model of the course is turned round: instead of estimating biases, factors and feature vectors
from ratings, it draws them, and then the ratings from them. What an estimate should have found is
then known exactly.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from alslib import kernels
from alslib._params import check_integer, check_number
from alslib.data.ratings import Ratings
from alslib.data.who_rates_what import draw_rows, item_popularity, user_degrees
from alslib.kernels.inputs import Pair

MOVIELENS_SHAPES = {
    "ml-latest-small-2016": (671, 9_066, 100_004),
    "ml-latest-small": (610, 9_724, 100_836),
    "ml-100k": (943, 1_682, 100_000),
    "ml-1m": (6_040, 3_706, 1_000_209),
    "ml-10m": (69_878, 10_677, 10_000_054),
    "ml-20m": (138_493, 26_744, 20_000_263),
    "ml-25m": (162_541, 59_047, 25_000_095),
    "ml-32m": (200_948, 84_432, 32_000_204),
}
"""Users, rated movies and ratings of MovieLens's releases, for ``make_ratings(*shape)``."""

_MOVIELENS_MINIMUM = 20  # GroupLens leaves out users with fewer ratings
_MOST_FEATURES_PER_ITEM = 3
_LOWEST, _HIGHEST = 0.5, 5.0  # stars


@dataclass(frozen=True, eq=False, repr=False)
class SyntheticRatings:
    """Ratings and the truth they were drawn from; made by `make_ratings`.

    Attributes
    ----------
    users, items : ndarray of int32, shape (n_ratings,)
        Ids, which are also indices: users 0…n_users − 1, items 0…n_items − 1. Sorted by user, then
        by item; no pair occurs twice.
    values : ndarray of float32, shape (n_ratings,)
        In stars.
    mean : float
        μ.
    user_bias : ndarray of float64, shape (n_users,)
    item_bias : ndarray of float64, shape (n_items,)
    user_factors : ndarray of float64, shape (n_users, n_factors)
    item_factors : ndarray of float64, shape (n_items, n_factors)
    feature_factors : ndarray of float64, shape (n_features, n_factors)
    item_features : scipy.sparse.csr_array of float64, shape (n_items, n_features)
        1 where the item has the feature. (SciPy's array knows its own shape and can be multiplied.)
    noise_sd : float
        Standard deviation of the noise in stars, before rounding.
    """

    users: np.ndarray
    items: np.ndarray
    values: np.ndarray
    mean: float
    user_bias: np.ndarray
    item_bias: np.ndarray
    user_factors: np.ndarray
    item_factors: np.ndarray
    feature_factors: np.ndarray
    item_features: sparse.csr_array
    noise_sd: float

    @cached_property
    def ratings(self) -> Ratings:
        """The drawn ratings as `Ratings`, built when first asked for.

        Every user has ratings, and every item too if there are at least as many ratings as items;
        then index ``i`` of a fitted model is index ``i`` of the truth.
        """
        return Ratings(self.users, self.items, self.values)

    def expected(self, users: ArrayLike, items: ArrayLike) -> np.ndarray | float:
        """Return the ratings without noise, μ + b_m + b_n + u_mᵀv_n.

        They are neither rounded nor clipped to the scale.

        Parameters
        ----------
        users, items : array_like of int, or one int each
            Ids; broadcast against each other.

        Returns
        -------
        float, or ndarray of float64 of the broadcast shape
            In stars.

        Raises
        ------
        TypeError
            If ids are not integers.
        ValueError
            If ids are out of range or the shapes do not fit together.
        """
        users, items = np.broadcast_arrays(
            _check_ids(users, len(self.user_bias), "users"),
            _check_ids(items, len(self.item_bias), "items"),
        )
        flat = np.empty(users.size)
        self._expect(users.ravel(), items.ravel(), flat)
        return flat.reshape(users.shape) if users.ndim else float(flat[0])

    @cached_property
    def noise_floor(self) -> float:
        """RMSE of `expected` against the drawn ratings, in stars; computed when first asked for.

        What is left when the truth itself predicts. Without rounding it is `noise_sd` within
        sampling error. With half stars, rounding adds error and clipping at the ends of the scale
        takes some away. A model that has learnt the ends of the scale can then do a little better
        than this, and one that has learnt the training noise does better on the training ratings.
        """
        error = np.empty(len(self.values))
        self._expect(self.users, self.items, error)
        error -= self.values
        return math.sqrt(np.square(error, out=error).mean())

    def _expect(self, users, items, out) -> None:
        kernels.latent.expected_ratings(
            users,
            items,
            self.mean,
            Pair(self.user_bias, self.user_factors),
            Pair(self.item_bias, self.item_factors),
            out,
        )

    def __repr__(self) -> str:
        return (
            f"SyntheticRatings({len(self.values):,} ratings, {len(self.user_bias):,} users × "
            f"{len(self.item_bias):,} items, {self.user_factors.shape[1]} factors, "
            f"{len(self.feature_factors)} features, noise {self.noise_sd:g})"
        )


def make_ratings(
    n_users: int,
    n_items: int,
    n_ratings: int,
    *,
    mean: float = 3.5,
    user_bias_sd: float = 0.45,
    item_bias_sd: float = 0.45,
    n_factors: int = 0,
    factor_sd: float = 0.4,
    n_features: int = 0,
    feature_share: float = 0.5,
    noise_sd: float = 0.8,
    half_stars: bool = True,
    min_ratings_per_user: int | None = None,
    random_state: int | np.random.Generator | None = 0,
) -> SyntheticRatings:
    """Draw ratings from the model of the course, with degrees like MovieLens's.

    A rating is μ + b_m + b_n + u_mᵀv_n + noise, and v_n = p_n + deviation with
    p_n = F_n^{-1/2} Σ f_k over the F_n features of item n. Biases, factors, deviations and noise
    are normal and independent of each other and of who rates what: popular items are not better.
    Before rounding, all of it comes from the prior that the objective L stands for, with
    λ = 1/noise_sd², γ = 1/user_bias_sd² = 1/item_bias_sd² (if these are equal) and 1/τ = factor_sd
    · √((1 − feature_share) / n_factors), the variance of each entry of u_m and of the deviations.

    A few users rate much and a few items are rated by many; see the notes. The same seed gives the
    same pairs whatever the model, and the same biases whatever the factors and the noise. Two cores
    give what one gives: nothing here runs in parallel.

    Parameters
    ----------
    n_users, n_items, n_ratings : int
        Exactly this many distinct (user, item) pairs. `MOVIELENS_SHAPES` holds the sizes of
        MovieLens's releases.
    mean : float
        μ in stars.
    user_bias_sd, item_bias_sd : float
        Standard deviations of the biases in stars.
    n_factors : int
        K, the length of u_m and v_n; 0 for a world of biases alone.
    factor_sd : float
        Standard deviation of u_mᵀv_n in stars over all users and items, whatever `n_factors` is.
    n_features : int
        Number of features; 0 for v_n around zero. Each item has one to three, and a few features
        are common, as genres are: feature k is drawn with a weight of 1/(k + 1).
    feature_share : float
        Share of the variance of v_n that comes from p_n; at least 0 and below 1.
    noise_sd : float
        Standard deviation of the noise in stars.
    half_stars : bool
        Round to half stars and clip to 0.5–5; otherwise the values are real numbers.
    min_ratings_per_user : int, optional
        By default MovieLens's 20, or half the mean number of ratings per user if that is less.
    random_state : int, numpy.random.Generator or None
        Seed; None for a new world at every call.

    Returns
    -------
    SyntheticRatings

    Raises
    ------
    TypeError
        If a number is of the wrong kind.
    ValueError
        If a number is out of range, or so many ratings cannot be placed. Raised before any work.

    Notes
    -----
    Ratings per user lie on a lognormal curve above the minimum that bends towards half of the
    catalogue. The popularity of items is a stretched exponential of their rank, and each user draws
    items one by one in proportion to the popularity of what is left (Efraimidis and Spirakis,
    "Weighted random sampling with a reservoir", Information Processing Letters 97, 2006, show an
    equivalent that is faster for users who rate much of the catalogue). With at least as many
    ratings as items, every item is rated at least once.

    Examples
    --------
    >>> world = make_ratings(200, 100, 4_000, n_factors=2, random_state=1)
    >>> world
    SyntheticRatings(4,000 ratings, 200 users × 100 items, 2 factors, 0 features, noise 0.8)
    >>> world.ratings
    Ratings(4,000 ratings, 200 users × 100 items, 20 % of cells filled, 0.5–5 in steps of 0.5)
    """
    minimum = _check_shape(n_users, n_items, n_ratings, min_ratings_per_user)
    check_number("mean", mean, least=-math.inf)
    if half_stars and not _LOWEST <= mean <= _HIGHEST:
        scale = f"{_LOWEST:g} to {_HIGHEST:g}"
        raise ValueError(f"mean must be on the scale of half stars, {scale}, got {mean!r}")
    for name, sd in (
        ("user_bias_sd", user_bias_sd),
        ("item_bias_sd", item_bias_sd),
        ("factor_sd", factor_sd),
        ("noise_sd", noise_sd),
    ):
        check_number(name, sd)
    _check_features(n_factors, n_features, feature_share)
    # A stream for each part of the world, so that changing one leaves the others as they were.
    streams = np.random.default_rng(random_state).spawn(5)
    pair_rng, bias_rng, factor_rng, feature_rng, noise_rng = streams

    users, items = _draw_pairs(n_users, n_items, n_ratings, minimum, pair_rng)
    item_features = _draw_features(n_items, n_features, feature_rng)
    world = SyntheticRatings(
        users=users,
        items=items,
        values=noise_rng.standard_normal(n_ratings, dtype=np.float32),
        mean=float(mean),
        user_bias=bias_rng.normal(0, user_bias_sd, n_users),
        item_bias=bias_rng.normal(0, item_bias_sd, n_items),
        **_draw_factors(n_users, n_factors, factor_sd, item_features, feature_share, factor_rng),
        item_features=item_features,
        noise_sd=float(noise_sd),
    )
    _turn_noise_into_ratings(world, half_stars)
    return world


def _draw_pairs(n_users, n_items, n_ratings, minimum, rng):
    # Both curves are sorted; shuffled, they tell nothing about who a user or an item is.
    degrees = rng.permutation(user_degrees(n_users, n_items, n_ratings, minimum))
    weights = rng.permutation(item_popularity(n_users, n_items, n_ratings))
    _, items = draw_rows(degrees, weights, rng)
    return np.repeat(np.arange(n_users, dtype=np.int32), degrees), items


def _draw_features(n_items, n_features, rng) -> sparse.csr_array:
    if n_features == 0:
        return sparse.csr_array((n_items, 0))
    most = min(_MOST_FEATURES_PER_ITEM, n_features)
    degrees = rng.integers(1, most, n_items, endpoint=True)
    indptr, indices = draw_rows(degrees, 1 / np.arange(1.0, n_features + 1), rng)
    return sparse.csr_array((np.ones(len(indices)), indices, indptr), shape=(n_items, n_features))


def _draw_factors(n_users, n_factors, factor_sd, item_features, feature_share, rng):
    n_items, n_features = item_features.shape
    share = feature_share if n_features else 0.0
    # Users and deviations have the same variance σ², as under the one τ of L. Then u_mᵀv_n has the
    # variance K σ² (σ² + σ_f²) = K σ⁴ / (1 − share), where σ_f² is the variance of features: p_n
    # has the variance of a single f_k, because the sum of F_n of them is divided by √F_n.
    variance = factor_sd * math.sqrt((1 - share) / max(n_factors, 1))
    feature_variance = variance * share / (1 - share)
    user_factors = rng.normal(0, math.sqrt(variance), (n_users, n_factors))
    item_factors = rng.normal(0, math.sqrt(variance), (n_items, n_factors))
    feature_factors = rng.normal(0, math.sqrt(feature_variance), (n_features, n_factors))
    if n_features:
        n_per_item = item_features.sum(axis=1)
        item_factors += (item_features @ feature_factors) / np.sqrt(n_per_item)[:, None]
    return {
        "user_factors": user_factors,
        "item_factors": item_factors,
        "feature_factors": feature_factors,
    }


def _turn_noise_into_ratings(world, half_stars) -> None:
    """Scale the standard normal numbers in ``values``, add the truth, and round if asked to.

    In place, block by block: at 25 million ratings every further array of them is 100 MB.
    """
    block = 1 << 20
    expected = np.empty(min(block, len(world.values)))
    for start in range(0, len(world.values), block):
        part = slice(start, start + block)
        values = world.values[part]
        truth = expected[: len(values)]
        world._expect(world.users[part], world.items[part], truth)
        truth += world.noise_sd * values.astype(np.float64)
        if half_stars:
            np.clip(np.rint(truth * 2) / 2, _LOWEST, _HIGHEST, out=truth)
        largest = np.abs(truth).max()
        if not largest <= np.finfo(np.float32).max:
            raise ValueError(f"ratings as large as {largest:g} do not fit in float32")
        values[:] = truth


def _check_shape(n_users, n_items, n_ratings, min_ratings_per_user) -> int:
    """Refuse sizes that cannot be had; return the minimum number of ratings per user."""
    for name, size in (("n_users", n_users), ("n_items", n_items), ("n_ratings", n_ratings)):
        check_integer(name, size, least=1)
    if n_ratings > n_users * n_items:
        raise ValueError(
            f"n_ratings={n_ratings} is too many: {n_users} users × {n_items} items have "
            f"{n_users * n_items} cells"
        )
    if min_ratings_per_user is None:
        minimum = max(1, min(_MOVIELENS_MINIMUM, n_ratings // (2 * n_users)))
    else:
        check_integer("min_ratings_per_user", min_ratings_per_user, least=1)
        minimum = min_ratings_per_user
    if n_ratings < n_users * minimum:
        raise ValueError(
            f"n_ratings={n_ratings} is too few: {n_users} users with at least {minimum} each "
            f"have {n_users * minimum}"
        )
    return int(minimum)


def _check_features(n_factors, n_features, feature_share) -> None:
    check_integer("n_factors", n_factors, least=0)
    check_integer("n_features", n_features, least=0)
    check_number("feature_share", feature_share)
    if feature_share >= 1:
        raise ValueError(f"feature_share must be below 1, got {feature_share!r}")
    if n_features and not n_factors:
        raise ValueError(
            f"n_features={n_features} needs n_factors of at least 1: features act through factors"
        )


def _check_ids(ids, n_ids, name) -> np.ndarray:
    ids = np.asarray(ids)
    if ids.dtype.kind not in "iu":
        raise TypeError(f"{name} must be integers, got {ids.dtype}")
    unknown = (ids < 0) | (ids >= n_ids)
    if unknown.any():
        raise ValueError(
            f"{name} must be from 0 to {n_ids - 1}: {np.count_nonzero(unknown)} of {ids.size} are "
            f"not, the first is {ids[unknown][0]}"
        )
    return ids.astype(np.int32, copy=False)
