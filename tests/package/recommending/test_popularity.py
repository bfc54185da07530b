"""Fame is the prior, and taste what minimises the objective that the docstring states."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import ratings as random_ratings

from alslib import ImplicitALS, LatentALS, PopularityPrior, Ratings, Recommender, fold_in

numbers = st.fixed_dictionaries(
    {"liked": st.floats(0.5, 5), "share": st.floats(0.01, 1), "growth": st.floats(0, 0.5)}
)


def minimiser(model, prior, rated, stars, weights):
    """d by stacked least squares: a row for each rating, each item, and each factor."""
    V = model.item_factors_.astype(float)
    rho = min(1.0, prior.share + prior.growth * len(rated))
    w = np.sqrt(model.lam * weights) * stars / prior.liked
    rows = [w[:, None] * V[rated], np.sqrt(rho) * V]
    rows.append(np.sqrt(rho * model.tau) * np.eye(model.n_factors))
    goals = np.concatenate([w * (1 - prior.liked_share[rated]), np.zeros(len(V) + V.shape[1])])
    return np.linalg.lstsq(np.vstack(rows), goals, rcond=None)[0]


@given(random_ratings(), st.integers(1, 3), numbers, st.integers(0, 99))
def test_taste_is_the_minimiser_of_its_objective(ratings, n_factors, options, seed):
    assume(ratings.scale[0] >= 0)
    model = ImplicitALS(n_factors, tau=1.0, n_sweeps=2).fit(ratings)
    prior = PopularityPrior(ratings, **options)
    rng = np.random.default_rng(seed)
    rated = rng.permutation(ratings.n_items)[: rng.integers(0, 5)]
    stars = rng.uniform(*ratings.scale, len(rated))
    weights = rng.uniform(0.2, 4, len(rated)).astype(np.float32).astype(float)
    me = fold_in(model, ratings.item_ids[rated], stars, weights=weights, prior=prior)
    taste = minimiser(model, prior, rated, stars, weights)
    np.testing.assert_allclose(me.factors, taste, atol=1e-6 * max(1, np.abs(taste).max()))
    assert me.bias == 0


def test_the_shares_are_counted_among_all_users(medium):
    _, items, stars = medium.triples()
    table = pd.DataFrame({"item": items, "liked": stars >= 3.5})
    by_hand = table.groupby("item")["liked"].sum() / medium.n_users
    prior = PopularityPrior(medium, liked=3.5)
    np.testing.assert_array_equal(prior.liked_share, by_hand[prior.item_ids])


def test_users_who_have_rated_nothing_are_not_counted(medium):
    chosen = medium.triples()[0] < np.median(medium.user_ids)
    some = medium.select(chosen)
    _, items, stars = some.triples()
    by_hand = pd.Series(stars >= 4).groupby(items).sum() / len(np.unique(some.triples()[0]))
    prior = PopularityPrior(some)
    shares = pd.Series(prior.liked_share, prior.item_ids)
    assert some.n_users > some.n_raters == len(np.unique(some.triples()[0]))
    np.testing.assert_array_equal(shares[by_hand.index], by_hand)
    wider = PopularityPrior(some.with_ids(users=range(9000, 9100)))
    np.testing.assert_array_equal(wider.liked_share, prior.liked_share)


def test_a_stranger_gets_what_most_people_like_and_a_score_is_fame_and_taste(medium):
    model = ImplicitALS(4, tau=1.0).fit(medium)
    prior, recommender = PopularityPrior(medium), Recommender(model, medium)
    stranger = recommender.recommend(fold_in(model, [], [], prior=prior), n=5)
    most_liked = np.argsort(-prior.liked_share, kind="stable")[:5]
    assert stranger["item_id"].tolist() == medium.item_ids[most_liked].tolist()
    np.testing.assert_array_equal(stranger["score"], prior.liked_share[most_liked])

    me = fold_in(model, medium.item_ids[:3], [5.0, 1.0, 4.0], prior=prior)
    top = recommender.recommend(me, n=1)
    item, score = top["item_id"].item(), top["score"].item()
    why = recommender.explain(me, item)
    row = medium.item_index(item)
    assert score == why.score == pytest.approx(why.item_bias + why.ratings["share"].sum())
    assert why.item_bias == prior.liked_share[row]
    half = recommender.explain(me, item, alpha=0.5)
    assert half.score == pytest.approx(score - 0.5 * prior.liked_share[row])


def test_items_of_the_model_that_the_prior_has_not_seen_are_liked_by_nobody(medium):
    model = ImplicitALS(2).fit(medium)
    users, items, stars = medium.triples()
    some = items != medium.item_ids[0]
    prior = PopularityPrior(Ratings(users[some], items[some], stars[some]))
    assert prior.shares_of(model)[0] == 0
    np.testing.assert_array_equal(prior.shares_of(model)[1:], prior.liked_share)
    fewer = ImplicitALS(2).fit(Ratings(users[some], items[some], stars[some]))
    with pytest.raises(ValueError, match="does not know 1 items of the prior"):
        fold_in(fewer, [], [], prior=PopularityPrior(medium))


def test_what_makes_no_prior_is_refused(medium):
    for wrong in ({"liked": 0}, {"share": 0}, {"share": 1.5}, {"growth": -1}):
        (name,) = wrong
        with pytest.raises(ValueError, match=name):
            PopularityPrior(medium, **wrong)
    with pytest.raises(TypeError, match="Ratings"):
        PopularityPrior(medium.triples())
    with pytest.raises(ValueError, match="below 0"):
        PopularityPrior(Ratings([1, 2], [1, 2], [-1.0, 1.0]))
    with pytest.raises(TypeError, match="LatentALS does not"):
        fold_in(LatentALS(2).fit(medium), [], [], prior=PopularityPrior(medium))
