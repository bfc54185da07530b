"""Intervals follow from the formula of the docstring, and hold as often as they say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alslib import (
    Calibration,
    FeatureALS,
    ImplicitALS,
    LatentALS,
    Ratings,
    Recommender,
    fold_in,
    load_movielens,
    make_ratings,
    movie_features,
)

ratios = st.lists(st.floats(0, 9), min_size=1, max_size=60).map(np.sort)


@given(ratios, st.floats(0.01, 0.99))
def test_a_quantile_leaves_out_at_most_what_one_more_rating_would_allow(ratios, share):
    """Put one of n + 1 ratings aside: over all n + 1 choices, enough lie within the others' q."""
    within = 0
    for out in range(len(ratios)):
        others = np.delete(ratios, out)
        within += not len(others) or ratios[out] <= Calibration(others).quantile(share)
    enough = share * len(ratios)
    few = np.ceil(len(ratios) * share) > len(ratios) - 1  # no ratio of the others is large enough
    assert few or within >= enough - 1e-9
    q = Calibration(ratios).quantile(share)
    assert q in ratios
    assert np.mean(ratios < q) < (len(ratios) + 1) * share / len(ratios)  # and no wider than that


@pytest.fixture(scope="module")
def people():
    """Ratings of users of whom the last 60 are not in the fit."""
    ratings = make_ratings(260, 80, 9000, n_factors=2, noise_sd=0.5).ratings
    new = ratings.triples()[0] >= 200
    known = np.random.default_rng(0).random(len(ratings)) < 0.5
    return ratings.select(~new), ratings.select(new & known), ratings.select(new & ~known)


def dense_variance(model, ratings, profile, item):
    """s² − 1 by loops over raters and users, with explicit inverses."""
    D = np.diag([model.gamma] + [model.tau] * model.n_factors) / model.lam

    def covariance(rows):
        growth = max(len(rows), 1) ** model.ridge_power
        return growth * np.linalg.inv(sum(np.outer(y, y) for y in rows) + growth * D)

    z = np.append(1, model.item_factors_.astype(float)[item])
    rated = [np.append(1, model.item_factors_.astype(float)[n]) for n in profile.items]
    users = [np.append(1, u) for u in model.user_factors_.astype(float)]
    of_item = covariance([users[m] for m in ratings.by_item.row(item)[0]])
    raters = np.flatnonzero(ratings.user_counts)
    return z @ covariance(rated) @ z + np.mean([users[m] @ of_item @ users[m] for m in raters])


def test_an_interval_is_what_its_formula_says(people):
    old, known, _ = people
    model = LatentALS(2, gamma=1.5, tau=1.0, lam=2.0, n_sweeps=4).fit(old)
    calibration = Calibration(np.array([0.1, 0.2, 0.3, 0.4]))
    recommender = Recommender(model, old, calibration)
    low, high = model.scale_
    for person in known.user_ids[known.user_counts > 0][:3]:
        me = fold_in(model, *known.of_user(person))
        table = recommender.predict_interval(me, old.item_ids[[7, 3]], share=0.6)
        assert table["item_id"].tolist() == old.item_ids[[7, 3]].tolist()
        for row, item in zip(table.itertuples(), (7, 3), strict=True):
            middle = model.mean_ + me.bias + model.item_bias_[item]
            middle += model.item_factors_[item].astype(float) @ me.factors
            width = 0.3 * np.sqrt(1 + dense_variance(model, old, me, item))
            assert row.predicted == pytest.approx(np.clip(middle, low, high), abs=1e-9)
            assert row.low == pytest.approx(np.clip(middle - width, low, high), abs=1e-9)
            assert row.high == pytest.approx(np.clip(middle + width, low, high), abs=1e-9)


def test_weights_count_in_both_parts_as_often_as_they_say(people):
    """A user and an item with doubled weights are as certain as with every rating twice."""
    old, known, _ = people
    users, items, stars = old.triples()
    weighted = Ratings(users, items, stars, weights=np.full(len(old), 2.0))
    options = {"n_factors": 2, "n_sweeps": 3, "ridge_power": 0}
    model = LatentALS(**options, gamma=1.0, tau=1.0).fit(weighted)
    halved = LatentALS(**options, gamma=0.5, tau=0.5).fit(old)
    rated, given = known.of_user(known.user_ids[known.user_counts > 0][0])
    tables = []
    for fit, ratings, w in ((model, weighted, 2.0), (halved, old, 1.0)):
        me = fold_in(fit, rated, given, weights=np.full(len(rated), w))
        recommender = Recommender(fit, ratings, Calibration(np.array([0.5])))
        tables.append(recommender.predict_interval(me, old.item_ids))
    whole = (tables[1]["low"] > old.scale[0]) & (tables[1]["high"] < old.scale[1])
    assert whole.sum() > 40
    twice, once = (4 * (table["high"] - table["predicted"])[whole] ** 2 - 1 for table in tables)
    np.testing.assert_allclose(2 * twice, once, rtol=1e-3)


def test_a_calibration_is_measured_by_hand(people):
    old, known, hidden = people
    model = LatentALS(2, tau=1.0, n_sweeps=4).fit(old)
    recommender = Recommender(model, old)
    calibration = recommender.calibrate(known, hidden)
    by_hand = []
    for person in hidden.user_ids[hidden.user_counts > 0]:
        me = fold_in(model, *known.of_user(person))
        for item, stars in zip(*hidden.of_user(person), strict=True):
            row = old.item_index(item)
            off = stars - model.mean_ - me.bias - model.item_bias_[row]
            off -= model.item_factors_[row].astype(float) @ me.factors
            by_hand.append(abs(off) / np.sqrt(1 + dense_variance(model, old, me, row)))
    np.testing.assert_allclose(calibration.ratios, np.sort(by_hand), atol=1e-6)
    assert calibration.sigma == pytest.approx(np.sqrt(np.mean(np.square(by_hand))), abs=1e-6)
    assert len(recommender.calibrate(None, hidden).ratios) == len(by_hand)


def test_weights_of_what_is_known_count_in_a_calibration(people):
    old, known, hidden = people
    model = LatentALS(2, tau=1.0, n_sweeps=4).fit(old)
    recommender = Recommender(model, old)
    weights = np.random.default_rng(0).uniform(0.2, 5, len(known)).astype(np.float32)
    weighted = Ratings(*known.triples(), scale=known.scale, weights=weights)
    weighted = weighted.with_ids(known.user_ids, known.item_ids)
    by_hand = []
    for person in hidden.user_ids[hidden.user_counts > 0]:
        start, stop = weighted.by_user.indptr[known.user_index(person) + np.arange(2)]
        me = fold_in(model, *weighted.of_user(person), weights=weighted.weights[start:stop])
        items, stars = hidden.of_user(person)
        row = old.item_index(items)
        off = stars.astype(float) - model.mean_ - me.bias - model.item_bias_[row]
        off -= model.item_factors_[row].astype(float) @ me.factors
        z = np.column_stack([np.ones(len(row)), model.item_factors_[row]]).astype(float)
        variance = np.sum(z @ np.linalg.inv(me.precision) * z, axis=1)
        by_hand.extend(np.abs(off) / np.sqrt(1 + variance + recommender.item_variances(items)))
    found = recommender.calibrate(weighted, hidden).ratios
    np.testing.assert_allclose(found, np.sort(by_hand), atol=1e-9)
    assert not np.allclose(found, recommender.calibrate(known, hidden).ratios, atol=1e-3)


def test_caution_takes_standard_deviations_off_the_score(people):
    old, known, _ = people
    model = LatentALS(2, tau=1.0, n_sweeps=4).fit(old)
    calibration = Calibration(np.array([0.5, 0.7]))
    recommender = Recommender(model, old, calibration)
    me = fold_in(model, *known.of_user(known.user_ids[known.user_counts > 0][0]))
    everything = {"n": old.n_items, "exclude_seen": False}
    plain = recommender.recommend(me, **everything).set_index("item_id")["score"]
    for caution in (0.5, -1.0):
        found = recommender.recommend(me, caution=caution, **everything).set_index("item_id")
        expected = {
            item: plain[item]
            - caution
            * calibration.sigma
            * np.sqrt(dense_variance(model, old, me, old.item_index(item)))
            for item in old.item_ids
        }
        by_hand = sorted(old.item_ids, key=lambda item: -expected[item])
        assert found.index.tolist() == by_hand
        np.testing.assert_allclose(found["score"], [expected[i] for i in by_hand], atol=1e-9)


def test_what_cannot_be_said_is_refused(people):
    old, known, hidden = people
    model = LatentALS(2, n_sweeps=2).fit(old)
    recommender, me = Recommender(model, old), fold_in(model, [], [])
    for ask in (
        lambda: recommender.predict_interval(me, [0]),
        lambda: recommender.recommend(me, caution=1),
    ):
        with pytest.raises(ValueError, match="has not been measured"):
            ask()
    unit = Calibration(np.array([1.0]))
    with pytest.raises(TypeError, match=r"Recommender\.calibrate measures one"):
        Recommender(model, old, 0.7)
    sure = Recommender(model, old, unit)
    for share in (0, 1, 1.5):
        with pytest.raises(ValueError, match="share"):
            sure.predict_interval(me, [0], share=share)
    with pytest.raises(KeyError, match="unknown item"):
        sure.predict_interval(me, [-5])
    with pytest.raises(ValueError, match="fitted to"):
        recommender.calibrate(None, old)
    implicit = ImplicitALS(2).fit(old)
    chosen = fold_in(implicit, [], [])
    with pytest.raises(TypeError, match="predicts no stars"):
        Recommender(implicit, old, unit).predict_interval(chosen, [0])
    with pytest.raises(TypeError, match="predicts no stars"):
        Recommender(implicit, old).calibrate(known, hidden)
    loose = LatentALS(2, gamma=0, n_sweeps=2).fit(old)
    with pytest.raises(ValueError, match="could be anything"):
        Recommender(loose, old, unit).predict_interval(fold_in(loose, [], []), [0])
    without = old.select(old.triples()[1] != old.item_ids[5])
    loose = LatentALS(2, gamma=0, n_sweeps=2).fit(without)
    with pytest.raises(ValueError, match="could be anything"):
        Recommender(loose, without).item_variances([old.item_ids[5]])


@pytest.fixture(scope="module")
def newcomers():
    """Lesson 7's people: a fit without them, and what was measured on others."""
    movielens = load_movielens()
    ratings = Ratings.from_frame(movielens.ratings)
    features = movie_features(movielens.movies)
    rater = ratings.triples()[0]
    people = np.random.default_rng(0).permutation(ratings.user_ids)
    new, others, rest = np.split(people, [len(people) // 3, len(people) // 2])

    def fit(*groups):
        part = ratings.select(np.isin(rater, np.concatenate(groups)))
        model = FeatureALS(16, gamma=2, tau=3).fit(part, item_features=features)
        return Recommender(model, part)

    def parts(group, n):
        """The first n ratings of each in random order, and those after the twentieth."""
        rng, known, hidden = np.random.default_rng(1), [], []
        for person in group:
            order = rng.permutation(np.flatnonzero(rater == person))
            known.extend(order[:n])
            hidden.extend(order[20:])
        rows = np.arange(len(ratings))
        hidden = ratings.select(np.isin(rows, hidden))
        return (ratings.select(np.isin(rows, known)) if n else None), hidden

    without_others = fit(rest)
    measured = [without_others.calibrate(*parts(others, n)).ratios for n in (0, 1, 5, 20)]
    final = fit(others, rest)
    final = Recommender(final.model, final.ratings, Calibration(np.sort(np.concatenate(measured))))
    return final, {n: parts(new, n) for n in (0, 1, 5, 20)}


@pytest.mark.parametrize("n", [0, 1, 5, 20])
def test_real_people_rate_within_their_intervals_as_often_as_promised(newcomers, n):
    """For all, and for films that hardly anybody or nobody had rated; 3 in 100 are let off."""
    recommender, people = newcomers
    known, hidden = people[n]
    model, counts = recommender.model, recommender.ratings.item_counts
    inside, raters = {0.5: [], 0.8: [], 0.95: []}, []
    for person in hidden.user_ids[hidden.user_counts > 0]:
        me = fold_in(model, *(known.of_user(person) if n else ([], [])))
        items, stars = hidden.of_user(person)
        raters.append(counts[recommender.ratings.item_index(items)])
        for share, found in inside.items():
            table = recommender.predict_interval(me, items, share)
            found.append(((table["low"] <= stars) & (stars <= table["high"])).to_numpy())
    raters = np.concatenate(raters)
    for share, found in inside.items():
        found = np.concatenate(found)
        assert found.mean() == pytest.approx(share, abs=0.03)
        for least, most in ((1, 5), (6, 20), (21, 999)):
            some = (raters >= least) & (raters <= most)
            assert some.sum() > 1000
            assert found[some].mean() == pytest.approx(share, abs=0.04)
