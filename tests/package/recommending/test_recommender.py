"""Lists are what a full sort of all scores gives; explanations sum to the score."""

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics.pairwise import cosine_similarity
from strategies import ratings as random_ratings

from alslib import BiasALS, FeatureALS, LatentALS, Ratings, Recommender, fold_in, implicit_feedback


@pytest.fixture(scope="module")
def crowd():
    """More users than a group and more items than a panel holds; no multiple of either."""
    rng = np.random.default_rng(0)
    users, items = np.nonzero(rng.random((150, 83)) < 0.2)
    return Ratings(10 * users, 3 * items, rng.integers(1, 11, len(users)) / 2)


@pytest.fixture(scope="module")
def recommender(crowd):
    return Recommender(LatentALS(5, tau=1.0).fit(crowd), crowd)


def sorted_by_hand(model, ratings, user, n, alpha, min_ratings, exclude_seen, among=None):
    """Score every item in float64, filter, sort: item ids and scores."""
    index = ratings.user_index(user)
    scores = model.item_factors_.astype(float) @ model.user_factors_[index].astype(float)
    scores += model.mean_ + model.user_bias_[index] + alpha * model.item_bias_
    allowed = ratings.item_counts >= min_ratings
    if exclude_seen:
        allowed &= ~np.isin(ratings.item_ids, ratings.of_user(user)[0])
    if among is not None:
        allowed &= np.isin(ratings.item_ids, among)
    best = sorted(np.flatnonzero(allowed), key=lambda item: -scores[item])[:n]
    return ratings.item_ids[best], scores[best]


def assert_same_list(found_ids, found_scores, ids, scores, tolerance=5e-5):
    """Ids may be swapped only where scores are nearer to each other than rounding is."""
    np.testing.assert_allclose(found_scores, scores, atol=tolerance)
    gaps = np.abs(np.diff(scores, append=-np.inf, prepend=np.inf))
    clear = (gaps[:-1] > 2 * tolerance) & (gaps[1:] > 2 * tolerance)
    clear[-1:] = False  # the last one may be swapped with the first that is not on the list
    assert np.array_equal(np.asarray(found_ids)[clear], np.asarray(ids)[clear])


options = st.fixed_dictionaries(
    {
        "n": st.integers(1, 30),
        "alpha": st.sampled_from([0.0, 0.05, 1.0]),
        "min_ratings": st.integers(0, 3),
        "exclude_seen": st.booleans(),
    }
)


@settings(max_examples=100)
@given(random_ratings(), st.integers(0, 9), options)
def test_lists_are_the_head_of_all_scores_sorted(ratings, n_factors, options):
    model = LatentALS(n_factors, tau=0.5, n_sweeps=2).fit(ratings)
    recommender = Recommender(model, ratings)
    everybody = recommender.recommend_all(**options)
    assert np.array_equal(everybody.user_ids, ratings.user_ids)
    for user, ids, scores in zip(*everybody, strict=True):
        expected = sorted_by_hand(model, ratings, user, **options)
        assert_same_list(ids, scores, *expected)
        table = recommender.recommend(user, **options)
        assert_same_list(table.item_id, table.score, *expected)
        assert table.index.tolist() == list(range(1, len(ids) + 1))
        assert np.array_equal(
            table.n_ratings, ratings.item_counts[ratings.item_index(table.item_id)]
        )


@given(options, st.lists(st.integers(0, 82), min_size=1, unique=True))
def test_lists_of_a_crowd(crowd, recommender, options, among):
    among = 3 * np.array(among)
    chosen = crowd.user_ids[[140, 3, 77]]
    found = recommender.recommend_all(users=chosen, among=among, **options)
    assert np.array_equal(found.user_ids, chosen)
    for user, ids, scores in zip(*found, strict=True):
        expected = sorted_by_hand(recommender.model, crowd, user, among=among, **options)
        assert_same_list(ids, scores, *expected)


def test_lists_of_a_crowd_with_many_factors(crowd):
    model = LatentALS(70, tau=1.0, n_sweeps=2).fit(crowd)
    found = Recommender(model, crowd).recommend_all(n=7)
    for user, ids, scores in zip(*found, strict=True):
        expected = sorted_by_hand(model, crowd, user, 7, 1.0, 1, True)
        assert_same_list(ids, scores, *expected)


def test_items_are_filtered_before_the_list_is_cut(crowd, recommender):
    """Cutting first would leave a list of the ten best without its rarely rated ones."""
    rare = np.median(crowd.item_counts) + 1
    unfiltered = recommender.recommend(0, n=10)
    filtered = recommender.recommend(0, n=10, min_ratings=int(rare))
    assert (unfiltered.n_ratings < rare).any()
    assert len(filtered) == 10 and (filtered.n_ratings >= rare).all()


def test_of_equal_scores_the_lower_id_comes_first(crowd):
    model = LatentALS(2).fit(crowd)
    model.item_factors_[:] = 0
    model.item_bias_[:] = 0
    recommender = Recommender(model, crowd)
    table = recommender.recommend(0, n=4, exclude_seen=False)
    lists = recommender.recommend_all(n=4, exclude_seen=False).item_ids
    assert table.item_id.tolist() == lists[0].tolist() == lists[149].tolist() == [0, 3, 6, 9]


@pytest.mark.parametrize("n_factors", [5, 16, 33])
def test_twins_score_the_same_wherever_they_stand(crowd, n_factors):
    """A matrix product adds up the last rows in another order than the first ones."""
    model = LatentALS(n_factors, n_sweeps=2).fit(crowd)
    model.item_factors_[2:] = model.item_factors_[np.arange(2, crowd.n_items) % 2]
    model.item_bias_[:] = 0
    recommender = Recommender(model, crowd)
    for user in crowd.user_ids[:20]:
        table = recommender.recommend(user, n=crowd.n_items, exclude_seen=False)
        assert table.groupby("score").item_id.is_monotonic_increasing.all()
        assert table.score.nunique() == 2
        similar = recommender.similar(3, n=crowd.n_items)
        assert similar.similarity.nunique() == 2


def test_a_short_catalogue_gives_a_short_list(tiny):
    recommender = Recommender(LatentALS(2).fit(tiny), tiny)
    assert recommender.recommend(10).item_id.tolist() == ["Jaws"]
    found = recommender.recommend_all(n=50)
    assert found.item_ids[0].tolist() == ["Jaws"]
    assert [len(ids) for ids in found.item_ids] == [1, 2, 1]
    assert len(recommender.recommend(10, min_ratings=9)) == 0
    assert [len(ids) for ids in recommender.recommend_all(min_ratings=9).item_ids] == [0, 0, 0]
    nobody = recommender.recommend_all(users=[])
    assert len(nobody.user_ids) == len(nobody.item_ids) == len(nobody.scores) == 0


def test_a_stranger_is_recommended_what_is_best_loved(crowd, recommender):
    stranger = fold_in(recommender.model, [], [])
    best = np.argsort(-recommender.model.item_bias_)[:10]
    assert recommender.recommend(stranger).item_id.tolist() == crowd.item_ids[best].tolist()


def test_damping_fame_leaves_taste_alone(recommender):
    me = fold_in(recommender.model, [0, 30, 60], [5, 1, 4])
    model = recommender.model
    table = recommender.recommend(me, n=5, alpha=0.0)
    places = np.searchsorted(model.item_ids_, table.item_id)
    expected = model.mean_ + me.bias + model.item_factors_[places] @ me.factors
    np.testing.assert_allclose(table.score, expected, atol=1e-9)
    assert not set(table.item_id) & {0, 30, 60}


@pytest.mark.parametrize("alpha", [1.0, 0.05])
def test_an_explanation_sums_to_the_score(crowd, alpha):
    feedback = implicit_feedback(crowd)
    model = FeatureALS(4, gamma_features=1, tau_features=1).fit(crowd, user_features=feedback)
    recommender = Recommender(model, crowd)
    for user in crowd.user_ids[::20]:
        table = recommender.recommend(user, n=3, alpha=alpha)
        for item, score in zip(table.item_id, table.score, strict=True):
            told = recommender.explain(user, item, alpha)
            total = told.mean + told.user_bias + told.item_bias + told.prior
            assert told.score == pytest.approx(score, abs=1e-9)
            assert total + told.ratings.share.sum() == pytest.approx(score, abs=1e-9)
            assert told.prior != 0
            assert told.ratings.share.is_monotonic_decreasing
            assert dict(zip(told.ratings.item_id, told.ratings.rating, strict=True)) == dict(
                zip(*crowd.of_user(user), strict=True)
            )
    assert recommender.explain(user, item).score == pytest.approx(
        model.predict(user, item, clip=False), abs=1e-4
    )


def test_similar_items_are_those_with_the_largest_cosine(crowd, recommender):
    factors = recommender.model.item_factors_.astype(float)
    for centred in (False, True):
        table = recommender.similar(30, n=82, centred=centred)
        shifted = factors - factors.mean(axis=0) * centred
        cosines = cosine_similarity(shifted[[10]], shifted)[0]
        order = [item for item in np.argsort(-cosines) if item != 10]
        assert table.item_id.tolist() == crowd.item_ids[order].tolist()
        np.testing.assert_allclose(table.similarity, cosines[order], atol=1e-12)
    assert recommender.similar(30, n=2, among=[3, 6, 9, 30]).item_id.isin([3, 6, 9]).all()


def test_an_item_that_nobody_rated_is_similar_to_none(crowd):
    rest = crowd.select(crowd.triples()[1] != 30)
    recommender = Recommender(LatentALS(3).fit(rest), rest)
    with pytest.raises(ValueError, match="the factors of item 30 are zero"):
        recommender.similar(30)
    assert 30 not in recommender.similar(33, n=100, min_ratings=0).item_id.tolist()
    assert len(recommender.similar(33, n=100, min_ratings=0, centred=True)) == 81


def test_results_do_not_depend_on_the_number_of_threads(recommender):
    lists = []
    for n_threads in (1, numba.config.NUMBA_NUM_THREADS):
        numba.set_num_threads(n_threads)
        lists.append(recommender.recommend_all(n=9, alpha=0.3))
    for one, many in zip(lists[0].scores, lists[1].scores, strict=True):
        assert one.tobytes() == many.tobytes()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda r: r.recommend(7),
            KeyError,
            "unknown user 7; for somebody new make a profile",
        ),
        (lambda r: r.recommend("7"), TypeError, "user ids are integers in these ratings"),
        (lambda r: r.recommend(0, n=0), ValueError, "n must be at least 1, got 0"),
        (lambda r: r.recommend(0, n=2.0), TypeError, "n must be an integer, got 2.0"),
        (lambda r: r.recommend(0, alpha=-1), ValueError, "alpha must be at least 0, got -1"),
        (lambda r: r.recommend(0, alpha=np.nan), ValueError, "alpha must be finite, got nan"),
        (lambda r: r.recommend(0, alpha=1e300), ValueError, "alpha = 1e.300 times the biases is"),
        (lambda r: r.recommend_all(alpha=10**50), ValueError, "alpha = 1e.50 times the biases is"),
        (lambda r: r.explain(0, 3, alpha=1e300), ValueError, "alpha = 1e.300 times the biases is"),
        (lambda r: r.recommend(0, min_ratings=-1), ValueError, "min_ratings must be at least 0"),
        (lambda r: r.recommend(0, among=[1, 3, 5]), ValueError, "2 of 3 item ids are unknown"),
        (lambda r: r.recommend_all(users=[0, 7]), KeyError, "1 of 2 user ids are unknown, .* 7"),
        (lambda r: r.recommend_all(users=0), ValueError, r"user ids must be a column, got shape"),
        (lambda r: r.recommend_all(n=-3), ValueError, "n must be at least 1, got -3"),
        (lambda r: r.explain(0, 4), KeyError, "unknown item 4"),
        (lambda r: r.explain(7, 3), KeyError, "unknown user 7"),
        (lambda r: r.explain(0, 3, alpha="1"), TypeError, "alpha must be a number, got '1'"),
        (lambda r: r.similar(4), KeyError, "unknown item 4"),
        (lambda r: r.similar(3, min_ratings=1.5), TypeError, "min_ratings must be an integer"),
    ],
)
def test_a_wrong_question_gets_a_clear_answer(recommender, call, error, message):
    with pytest.raises(error, match=message):
        call(recommender)


def test_only_a_fitted_model_with_its_own_ratings_recommends(crowd, tiny):
    with pytest.raises(TypeError, match=r"model must be a LatentALS, .* got BiasALS"):
        Recommender(BiasALS().fit(crowd), crowd)
    with pytest.raises(RuntimeError, match="not fitted yet"):
        Recommender(LatentALS(), crowd)
    with pytest.raises(TypeError, match="these must be Ratings, got list"):
        Recommender(LatentALS(1).fit(crowd), [])
    with pytest.raises(ValueError, match="number their users and items differently"):
        Recommender(LatentALS(1).fit(crowd), tiny)
