"""A sampler is right if parameters and ratings, drawn from each other in turns, leave the prior.

Geweke, "Getting it right", Journal of the American Statistical Association 99, 2004.
"""

import numpy as np
import pytest
from scipy import sparse, stats

from alslib import (
    FeatureALS,
    LatentALS,
    Ratings,
    implicit_feedback,
    load_movielens,
    make_ratings,
    rmse,
    sample_posterior,
    train_test_split,
)
from alslib.models.posterior import Chain, Regression

POWER, FREEDOM = 0.4, 6.0
N_CHAINS, N_STEPS, BURN_IN = 20, 400, 100
# Of the items more features than are rated, in two tables, and of the users fewer.
ITEM_TABLES = [
    np.array([[1.0], [-1.0], [1.0], [-1.0], [1.0]]),
    np.array([[1.0, 0, 1, 0], [0, 1, 1, 0], [0, 0, 1, 1], [1, 1, 0, 0], [0, 1, 0, 1]]),
]
USER_TABLE = np.array([[1.0], [1.0], [-1.0], [-1.0]])
KNOWN = {"item_features": ITEM_TABLES, "user_features": USER_TABLE}


def tiny():
    """Return ratings of which a user and an item have none."""
    users, items = [0, 0, 0, 1, 1, 1, 2, 2], [0, 1, 2, 0, 1, 3, 1, 2]
    stars = [5.0, 3.0, 1.0, 4.0, 3.0, 5.0, 2.0, 1.0]
    return Ratings(users, items, stars, scale=(1, 5)).with_ids(users=[3], items=[4])


def new_ratings(chain, rng):
    """Put other ratings where the chain reads them, drawn from its parameters."""
    of_items, of_users = chain.sides
    users, items = of_users.view.rows(), of_users.view.indices
    drawn = chain.state
    expected = drawn.user_bias_[users] + drawn.item_bias_[items]
    expected += np.sum(drawn.user_factors_[users] * drawn.item_factors_[items], axis=1)
    precision = chain.lam * of_users.noise[users] * of_items.noise[items]
    stars = expected + rng.standard_normal(len(users)) / np.sqrt(precision)
    of_users.view.data[:] = stars
    of_items.view.data[:] = stars[np.lexsort((users, items))]


def standardised(chain):
    """Return what is Gamma(1, 1), Gamma(ν/2, ν/2) and normal before any rating is seen."""
    precisions, normal = [chain.lam], []
    for rows in chain.sides:
        parts = zip(("bias", "factors"), rows.precision, rows.of_tables, strict=True)
        for name, precision, of_tables in parts:
            learned, prior, features = (
                getattr(chain.state, f"{rows.kind}_{which}{name}_").T
                for which in ("", "prior_", "feature_")
            )
            precisions += [*precision, *of_tables]
            if name == "factors":  # without the one that stands for the slopes
                own = slice(chain.slope.start)
                learned, prior, features = learned[own], prior[own], features[own]
            normal += [*np.ravel((learned - prior) * np.sqrt(precision * rows.growth))]
            normal += [*np.ravel(features * np.sqrt(of_tables[rows.regression.tables]))]
    growth = chain.sides[1].growth
    precisions.append(chain.of_slopes)
    slopes = chain.state.user_factors_[:, chain.slope].T
    normal += [*np.ravel(slopes * np.sqrt(chain.of_slopes * growth))]
    noise = np.concatenate([rows.noise for rows in chain.sides])
    return np.array(precisions), noise, np.array(normal)


@pytest.mark.parametrize("slopes", [False, True])
def test_parameters_and_ratings_drawn_in_turns_leave_the_prior(slopes):
    means = []
    for seed in range(N_CHAINS):
        chain = Chain(FeatureALS(1, ridge_power=POWER), tiny(), KNOWN, FREEDOM, slopes, seed)
        rng = np.random.default_rng(1000 + seed)  # not the numbers that the chain draws
        steps = []
        for _ in range(N_STEPS):
            chain.step()
            new_ratings(chain, rng)
            steps.append(standardised(chain))
        precisions, noise, normal = (
            np.array(numbers[BURN_IN:]) for numbers in zip(*steps, strict=True)
        )
        ranks = np.hstack(
            [
                stats.gamma.cdf(precisions, 1),
                stats.gamma.cdf(noise, FREEDOM / 2, scale=2 / FREEDOM),
                stats.norm.cdf(normal),
            ]
        )
        # Ranks are even between 0 and 1 if the prior is right, with mean 1/2 and variance 1/12.
        means.append(np.hstack([ranks - 1 / 2, (ranks - 1 / 2) ** 2 - 1 / 12]).mean(axis=0))
    # Steps of one chain resemble each other for long; chains know nothing of each other.
    spread = np.std(means, axis=0, ddof=1) / np.sqrt(N_CHAINS)
    assert spread.max() < 0.03
    assert np.max(np.abs(np.mean(means, axis=0)) / spread) < 4.5


@pytest.mark.parametrize("slopes", [False, True])
@pytest.mark.parametrize("kind", ["user", "item"])
def test_rows_are_drawn_from_their_gaussian(kind, slopes):
    """A user has a bias, a factor and perhaps a slope; an item has a bias and a factor."""
    chain = Chain(FeatureALS(1, ridge_power=POWER), tiny(), KNOWN, FREEDOM, slopes, 0)
    for _ in range(5):
        chain.step()
    rows, columns = sorted(chain.sides, key=lambda side: side.kind != kind)
    drawn, precision = chain.state, np.array([part[0] for part in rows.precision])
    (bias, factors), (prior_bias, prior_factors) = (
        [getattr(drawn, f"{kind}_{which}{part}_") for part in ("bias", "factors")]
        for which in ("", "prior_")
    )
    other_bias, others = (
        getattr(drawn, f"{columns.kind}_{part}_").astype(float) for part in ("bias", "factors")
    )
    # What meets a row's bias, factor and slope in each column.
    designs = np.column_stack([np.ones(len(others)), others])
    if slopes and kind == "user":
        precision = np.append(precision, chain.of_slopes)
    elif slopes:
        designs = np.column_stack([1 + others[:, 1], others[:, 0]])
    n_vectors = len(precision)
    n_draws, found = 2_000, []
    for _ in range(n_draws):
        chain._draw_rows(rows, columns)
        found.append(np.column_stack([bias, factors])[:, :n_vectors])
    for row in range(len(bias)):
        at, left = rows.view.row(row)
        design = designs[at]
        weights = chain.lam * rows.noise[row] * columns.noise[at]
        prior = np.append(prior_bias[row], prior_factors[row])[:n_vectors]
        ridge = precision * rows.growth[row]
        covariance = np.linalg.inv(design.T * weights @ design + np.diag(ridge))
        target = weights * (left - other_bias[at])
        mean = covariance @ (design.T @ target + ridge * prior)
        # Standardised, the draws of a row are independent and standard normal.
        root = np.linalg.cholesky(np.linalg.inv(covariance))
        standard = (np.array(found)[:, row] - mean) @ root
        assert np.abs(standard.mean(axis=0)).max() < 4.5 / np.sqrt(n_draws)
        away = standard.T @ standard / n_draws - np.eye(n_vectors)
        assert np.abs(away).max() < 4.5 * np.sqrt(2 / n_draws)


class Given:
    """A source of standard normal numbers that are known: one of them is 1, all others are 0."""

    def __init__(self, which):
        self.left = which

    def standard_normal(self, shape):
        numbers = np.zeros(shape)
        if 0 <= self.left < numbers.size:
            numbers.flat[self.left] = 1
        self.left -= numbers.size
        return numbers


@pytest.mark.parametrize("n_rows", [4, 9])
def test_features_are_drawn_from_their_gaussian(n_rows):
    rng = np.random.default_rng(0)
    tables, n_features = np.array([0, 0, 1, 1, 1, 1]), 6
    design = rng.normal(size=(n_rows, n_features))
    growth, target = rng.uniform(1, 3, n_rows), rng.normal(size=n_rows)
    precision, of_tables = 2.5, np.array([0.7, 4.0])
    regression = Regression(sparse.csr_array(design), growth, tables)
    weights = precision * growth
    covariance = np.linalg.inv(design.T * weights @ design + np.diag(of_tables[tables]))

    def draw(which):
        return regression.draw(target, precision, of_tables, Given(which))

    mean = draw(-1)
    np.testing.assert_allclose(mean, covariance @ design.T @ (weights * target))
    # A draw is linear in the normal numbers, so that its covariance is a sum of squares.
    steps = np.array([draw(i) - mean for i in range(n_features + n_rows)])
    np.testing.assert_allclose(steps.T @ steps, covariance)


def test_on_real_ratings_the_mean_of_draws_errs_less_than_the_most_probable_parameters():
    train, test = train_test_split(Ratings.from_frame(load_movielens().ratings))
    users, items, stars = test.triples()
    model = FeatureALS(n_factors=16, gamma=1.0)
    alone = model.fit(train, progress=False).predict(users, items)
    draws = sample_posterior(model, train, 60, 40)
    predicted = np.array([draw.predict(users, items) for draw in draws])
    # It is their disagreement that is averaged: none of them is as good.
    assert rmse(stars, predicted.mean(axis=0)) < rmse(stars, alone) - 0.005
    assert min(rmse(stars, one) for one in predicted) > rmse(stars, alone) + 0.05


def drawn(cg_steps=None, **options):
    draws = sample_posterior(FeatureALS(2, cg_steps=cg_steps), tiny(), 3, 2, **options, **KNOWN)
    return [draw.user_factors_.copy() for draw in draws]


def test_draws_depend_on_the_seed_alone(on_threads):
    one = drawn(random_state=1)
    on_threads(4)
    np.testing.assert_array_equal(one, drawn(random_state=1))
    assert not np.array_equal(one, drawn(random_state=2))
    np.testing.assert_array_equal(one, drawn(random_state=1, cg_steps=1))  # draws always solve
    assert len({factors.tobytes() for factors in one}) == 3


def test_the_model_stays_as_it_is():
    model = FeatureALS(2).fit(tiny(), progress=False, **KNOWN)
    before = model.user_factors_.copy()
    list(sample_posterior(model, tiny(), 2, 0, **KNOWN))
    np.testing.assert_array_equal(model.user_factors_, before)


def test_noise_alike_everywhere_is_not_drawn_of_rows():
    chain = Chain(FeatureALS(1), tiny(), dict.fromkeys(KNOWN), np.inf, False, 0)
    chain.step()
    assert all(np.all(rows.noise == 1) for rows in chain.sides)


@pytest.mark.parametrize("slopes", [False, True])
def test_slopes_are_one_factor_more(slopes):
    for draw in sample_posterior(FeatureALS(2), tiny(), 3, slopes=slopes, **KNOWN):
        n_users, n_items = draw.user_bias_.size, draw.item_bias_.size
        users, items = (index.ravel() for index in np.indices((n_users, n_items)))
        own = draw.user_factors_[:, :2] @ draw.item_factors_[:, :2].T
        follow = 1 + draw.user_factors_[:, 2:].sum(axis=1)
        expected = draw.mean_ + draw.user_bias_[:, None] + np.outer(follow, draw.item_bias_) + own
        predicted = draw.predict(users, items, clip=False).reshape(n_users, n_items)
        np.testing.assert_allclose(predicted, expected, rtol=1e-5, atol=1e-5)
        assert draw.user_factors_.shape[1] == draw.n_factors == 2 + slopes
        # Nothing is known of slopes beforehand.
        assert not draw.user_prior_factors_[:, 2:].any()
        assert not draw.user_feature_factors_[:, 2:].any()
        # An item that nobody has rated, or that is not there yet, has its bias as a factor, too.
        bias, factors = draw.item_prior([table[:1] for table in ITEM_TABLES])
        np.testing.assert_allclose(bias, draw.item_prior_bias_[:1])
        np.testing.assert_allclose(factors[:, 2:], np.tile(bias[:, None], (1, slopes)), rtol=1e-6)


def test_slopes_are_found_where_users_have_them():
    """Half of the users take items' biases twice, the other half not at all."""
    rng = np.random.default_rng(0)
    users, items = (index.ravel() for index in np.indices((40, 30)))
    bias = rng.normal(size=30)
    stars = 3 + np.where(users < 20, 2, 0) * bias[items] + 0.3 * rng.normal(size=len(users))
    ratings = Ratings(users, items, stars, scale=(-10, 10))
    draws = sample_posterior(FeatureALS(1), ratings, 100, slopes=True)
    follow = [1 + draw.user_factors_[:, -1] for draw in draws]
    high, low = np.mean(follow, axis=0).reshape(2, 20)
    assert low.std() < 0.1 and high.std() < 0.1
    assert np.abs(low.mean() / high.mean()) < 0.1


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"n_samples": 0}, ValueError, "n_samples"),
        ({"burn_in": -1}, ValueError, "burn_in"),
        ({"noise_freedom": 0}, ValueError, "noise_freedom"),
        ({"slopes": 1}, TypeError, "slopes"),
        ({"random_state": 0.5}, TypeError, "random_state"),
        ({"item_features": np.ones((3, 2))}, ValueError, "item_features"),
    ],
)
def test_bad_input_is_refused_at_the_call(options, error, message):
    with pytest.raises(error, match=message):
        sample_posterior(FeatureALS(1), tiny(), **options)


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [(LatentALS(1), TypeError, "LatentALS"), (FeatureALS(1, gamma=0), ValueError, "gamma")],
)
def test_a_model_that_cannot_be_sampled_is_refused(model, error, message):
    with pytest.raises(error, match=message):
        sample_posterior(model, tiny())


def test_ratings_with_weights_are_refused():
    ratings = Ratings([0, 1], [0, 1], [1.0, 5.0], weights=[1.0, 2.0])
    with pytest.raises(ValueError, match="weights"):
        sample_posterior(FeatureALS(1), ratings)


def test_who_rated_what_may_have_more_columns_than_there_are_rows():
    ratings = make_ratings(12, 40, 200, random_state=0).ratings
    rated = implicit_feedback(ratings)
    draws = sample_posterior(
        FeatureALS(2), ratings, 2, 1, item_features=rated.T, user_features=rated
    )
    assert [draw.user_feature_factors_.shape for draw in draws] == [(40, 2)] * 2
