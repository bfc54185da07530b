"""The next question is the one that teaches most of those that are likely to be answered."""

import numpy as np
import pytest
from cinema import recommender_of, small_cinema
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from alslib import (
    FeatureALS,
    ImplicitALS,
    Interview,
    LatentALS,
    Ratings,
    Recommender,
    Visitor,
    fold_in,
    load_movielens,
    movie_features,
)
from alslib.recommending.interview import expected_falls

CINEMA = small_cinema()
RECOMMENDER = recommender_of(CINEMA)
MODEL = RECOMMENDER.model
CHOICES = ImplicitALS(3, lam=4, tau=2, n_sweeps=5).fit(RECOMMENDER.ratings)
INTERVIEW = Interview(RECOMMENDER, CHOICES)
ITEMS = RECOMMENDER.ratings.item_ids.tolist()

answers = st.dictionaries(
    st.sampled_from(ITEMS), st.sampled_from([None, 0.5, 2.0, 3.5, 5.0]), max_size=20
)


def told(given_answers):
    """Return the ratings, and what has not been seen, which is None in the answers."""
    rated = {item: stars for item, stars in given_answers.items() if stars is not None}
    return rated, [item for item in given_answers if item not in rated]


def profile_of(model, rated):
    return fold_in(model, list(rated), list(rated.values()))


def chances_by_normal_equations(choices, ratings, rated, unseen):
    """Return s from the sum over all movies written out: an asked one weighs λ, all of them ρ."""
    factors = choices.item_factors_.astype(float)
    shares = ratings.item_counts / ratings.n_users
    rows, targets = [], []
    for item, row in enumerate(factors):
        rows.append(np.sqrt(0.05) * row)
        targets.append(0.0)
        name = ratings.item_ids[item]
        if name in rated or name in unseen:
            rows.append(np.sqrt(choices.lam) * row)
            targets.append(np.sqrt(choices.lam) * ((name in rated) - shares[item]))
    rows.extend(np.sqrt(0.05 * choices.tau) * np.eye(choices.n_factors))
    targets.extend([0.0] * choices.n_factors)
    taste = np.linalg.lstsq(np.array(rows), np.array(targets), rcond=None)[0]
    return np.clip(shares + factors @ taste, 0.001, 1)


def scores_by_brute_force(model, choices, ratings, rated, unseen, min_ratings=10, n_listed=10):
    """Return s_n · fall_n by id, the fall from two dense inverses: before the rating, and after."""
    model = model.as_fitted()
    chances = chances_by_normal_equations(choices, ratings, rated, unseen)
    left = [
        index
        for index, item in enumerate(ratings.item_ids)
        if item not in rated and item not in unseen and ratings.item_counts[index] >= min_ratings
    ]
    listed = sorted(left, key=lambda index: -chances[index])[:n_listed]
    z = np.column_stack([np.ones(len(chances)), model.item_factors_])
    ridge = np.array([model.gamma, *[model.tau] * model.n_factors]) / model.lam
    seen = z[ratings.item_index(list(rated))] if rated else z[:0]
    matrix = seen.T @ seen + np.diag(ridge * max(len(rated), 1) ** model.ridge_power)

    def uncertain(matrix):
        return np.sum(z[listed] @ np.linalg.inv(matrix) * z[listed])

    before = uncertain(matrix)
    return {
        ratings.item_ids[index]: chances[index]
        * (before - uncertain(matrix + np.outer(z[index], z[index])))
        for index in left
    }


finite = st.floats(-3, 3)


@given(arrays(float, (7, 3), elements=finite), arrays(float, (5, 3), elements=finite))
def test_a_fall_is_what_two_dense_inverses_differ_by(design, listed):
    matrix = design[:4].T @ design[:4] + 0.5 * np.eye(3)
    before = np.trace(listed @ np.linalg.inv(matrix) @ listed.T)
    after = [np.trace(listed @ np.linalg.inv(matrix + np.outer(z, z)) @ listed.T) for z in design]
    falls = expected_falls(np.linalg.inv(matrix), design, listed)
    np.testing.assert_allclose(falls, before - np.array(after), atol=1e-9 * (1 + before))


@given(
    arrays(float, (6, 3), elements=finite),
    arrays(float, (3, 3), elements=finite),
    st.floats(0.2, 5),
)
def test_falls_do_not_depend_on_the_unit_or_the_axes_of_the_factors(design, axes, unit):
    """With other factors that give the same predictions, and their ridge, all is as before."""
    turn = unit * np.linalg.qr(axes + 4 * np.eye(3))[0]
    inverse = np.linalg.inv(design.T @ design + np.eye(3))
    other = np.linalg.inv((design @ turn).T @ (design @ turn) + turn.T @ turn)
    falls = expected_falls(inverse, design, design[:2])
    turned = expected_falls(other, design @ turn, design[:2] @ turn)
    np.testing.assert_allclose(turned, falls, rtol=1e-7, atol=1e-9)


@given(answers)
def test_a_question_has_the_largest_product_of_chance_and_fall(given_answers):
    rated, unseen = told(given_answers)
    scores = scores_by_brute_force(MODEL, CHOICES, RECOMMENDER.ratings, rated, unseen)
    question = INTERVIEW.next_question(profile_of(MODEL, rated), unseen)
    if not scores:
        assert question is None
    else:
        assert scores[question] == pytest.approx(max(scores.values()), rel=1e-9)


WIDER = RECOMMENDER.ratings.with_ids(users=range(1000, 1300))
MODEL_OF_WIDER = LatentALS(3, n_sweeps=5).fit(WIDER)
INTERVIEW_OF_WIDER = Interview(Recommender(MODEL_OF_WIDER, WIDER), CHOICES)


@given(answers)
def test_users_who_have_rated_nothing_change_no_chance(given_answers):
    rated, unseen = told(given_answers)
    scores = scores_by_brute_force(MODEL_OF_WIDER, CHOICES, RECOMMENDER.ratings, rated, unseen)
    question = INTERVIEW_OF_WIDER.next_question(profile_of(MODEL_OF_WIDER, rated), unseen)
    if scores:
        assert scores[question] == pytest.approx(max(scores.values()), rel=1e-9)


@given(answers, st.randoms())
def test_what_is_asked_next_does_not_depend_on_the_stars_nor_on_the_order(given_answers, random):
    rated, unseen = told(given_answers)
    question = INTERVIEW.next_question(profile_of(MODEL, rated), unseen)
    assert question not in given_answers
    others = list(rated)
    random.shuffle(others)
    random.shuffle(unseen)
    again = profile_of(MODEL, {item: random.choice([0.5, 3.0, 5.0]) for item in others})
    scores = scores_by_brute_force(MODEL, CHOICES, RECOMMENDER.ratings, rated, unseen)
    if question is not None:  # an order may change the last bits
        found = INTERVIEW.next_question(again, unseen)
        assert scores[found] == pytest.approx(scores[question], rel=1e-9)
    else:
        assert INTERVIEW.next_question(again, unseen) is None


def test_of_movies_that_are_the_same_the_lower_id_is_asked():
    users, items = np.nonzero(np.random.default_rng(0).random((40, 6)) < 0.6)
    keep = items < 3  # 3, 4 and 5 are copies of 0, 1 and 2
    users, items = np.tile(users[keep], 2), np.concatenate([items[keep], items[keep] + 3])
    ratings = Ratings(users, items, np.where(users % 2, 4.0, 2.5))
    model = LatentALS(2, tau=0.3).fit(ratings)
    choices = ImplicitALS(2, tau=0.5).fit(ratings)
    for fit in (model, choices):
        fit.item_factors_[3:] = fit.item_factors_[:3]
    interview = Interview(Recommender(model, ratings), choices, min_ratings=1, n_listed=6)
    assert interview.next_question(fold_in(model, [], [])) < 3


def test_movies_with_few_ratings_are_not_asked_about():
    counts = dict(zip(ITEMS, RECOMMENDER.ratings.item_counts, strict=True))
    least = int(np.median(list(counts.values())))
    interview = Interview(RECOMMENDER, CHOICES, min_ratings=least)
    unseen, stranger = [], fold_in(MODEL, [], [])
    while (question := interview.next_question(stranger, unseen)) is not None:
        unseen.append(question)
    assert sorted(unseen) == [item for item in ITEMS if counts[item] >= least]
    assert len(set(unseen)) == len(unseen)


@pytest.fixture(scope="module")
def real():
    movielens = load_movielens()
    ratings = Ratings.from_frame(movielens.ratings)
    features = movie_features(movielens.movies)
    model = FeatureALS(16, gamma=2, tau=3, n_sweeps=5).fit(ratings, item_features=features)
    choices = ImplicitALS(32, lam=4, tau=40, n_sweeps=5).fit(ratings)
    return Recommender(model, ratings), choices


def test_real_questions_are_those_of_brute_force(real):
    recommender, choices = real
    ratings, model = recommender.ratings, recommender.model
    interview = Interview(recommender, choices)
    some = dict(zip(*ratings.of_user(15), strict=True))
    rated = {item: float(some[item]) for item in list(some)[:6]}
    for rated_now, unseen in (({}, []), (rated, []), (rated, [356, 2571])):
        scores = scores_by_brute_force(model, choices, ratings, rated_now, unseen)
        best = sorted(scores.values())[-2:]
        assert best[0] < best[1] * (1 - 1e-6)  # no tie that rounding could decide
        question = interview.next_question(profile_of(model, rated_now), unseen)
        assert scores[question] == pytest.approx(best[1], rel=1e-6)


def test_asking_gets_more_answers_than_the_most_rated_movies(real):
    """People of the fit, asked twenty questions; what they have not rated counts as not seen."""
    recommender, choices = real
    ratings, interview = recommender.ratings, Interview(recommender, choices)
    famous = ratings.item_ids[np.argsort(-ratings.item_counts, kind="stable")[:20]]
    answered = answered_by_fame = 0
    for user in ratings.user_ids[::50]:
        stars = dict(zip(*ratings.of_user(user), strict=True))
        rated, unseen = {}, []
        for _ in range(20):
            item = interview.next_question(profile_of(recommender.model, rated), unseen)
            if item in stars:
                rated[item] = stars[item]
            else:
                unseen.append(item)
        answered += len(rated)
        answered_by_fame += np.isin(famous, list(stars)).sum()
    assert answered > 1.2 * answered_by_fame, (answered, answered_by_fame)


@pytest.fixture
def visitor():
    return Visitor(RECOMMENDER, CINEMA, CHOICES)


def test_a_visitor_is_not_asked_again_about_what_they_skip_until_they_load(visitor, tmp_path):
    first = visitor.next_question()
    visitor.skip(first)
    second = visitor.next_question()
    assert second != first
    visitor.rate(second, 4.0)
    assert visitor.next_question() not in (first, second)
    assert visitor.unseen == [first]
    listed = visitor.recommend(len(ITEMS))["item_id"].tolist()
    assert first in listed
    visitor.save(tmp_path / "mine.json")
    visitor.load(tmp_path / "mine.json")
    assert visitor.unseen == []
    assert visitor.next_question() == INTERVIEW.next_question(visitor.profile)


def test_a_rating_says_that_a_skipped_movie_has_been_seen_after_all(visitor):
    visitor.skip(10)
    visitor.skip(10)
    visitor.skip(20)
    assert visitor.unseen == [10, 20]
    visitor.rate(10, 4.0)
    assert visitor.unseen == [20]
    with pytest.raises(ValueError, match="item 10 is rated"):
        visitor.skip(10)
    with pytest.raises(KeyError, match="unknown item 11"):
        visitor.skip(11)


def test_a_visitor_without_choices_asks_nothing():
    with pytest.raises(ValueError, match="choices="):
        Visitor(RECOMMENDER, CINEMA).next_question()


def test_what_an_interview_cannot_use_is_refused():
    ratings = RECOMMENDER.ratings
    with pytest.raises(TypeError, match="recommender must be a Recommender, got LatentALS"):
        Interview(MODEL, CHOICES)
    with pytest.raises(TypeError, match="choices must be an ImplicitALS, got LatentALS"):
        Interview(RECOMMENDER, MODEL)
    with pytest.raises(ValueError, match="n_listed"):
        Interview(RECOMMENDER, CHOICES, n_listed=0)
    with pytest.raises(ValueError, match="different items"):
        few = Ratings.from_frame(CINEMA.ratings.query("movie_id < 200"))
        Interview(RECOMMENDER, ImplicitALS(2).fit(few))
    with pytest.raises(ValueError, match="gamma = 0"):
        free = LatentALS(2, gamma=0, n_sweeps=1).fit(ratings)
        Interview(Recommender(free, ratings), CHOICES)
    with pytest.raises(ValueError, match="another fit"):
        other = LatentALS(3, tau=9.0, n_sweeps=2).fit(ratings)
        INTERVIEW.next_question(fold_in(other, [10], [4.0]))
    with pytest.raises(ValueError, match="unknown item 11"):
        INTERVIEW.next_question(fold_in(MODEL, [], []), unseen=[11])
