"""Lists are what a full sort of all scores gives; explanations sum to the score."""

import dataclasses
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics.pairwise import cosine_similarity
from strategies import ratings as random_ratings

from alslib import (
    BiasALS,
    FeatureALS,
    ImplicitALS,
    LatentALS,
    Ratings,
    Recommender,
    fold_in,
    fold_in_item,
    implicit_feedback,
)


@pytest.fixture(scope="module")
def crowd():
    """More users than a group and more items than a panel holds; no multiple of either."""
    rng = np.random.default_rng(0)
    users, items = np.nonzero(rng.random((150, 83)) < 0.2)
    return Ratings(10 * users, 3 * items, rng.integers(1, 11, len(users)) / 2)


@pytest.fixture(scope="module")
def recommender(crowd):
    return Recommender(LatentALS(5, tau=1.0).fit(crowd), crowd)


def sorted_by_hand(
    model, ratings, user, n, alpha, min_ratings, exclude_seen, among=None, exclude=()
):
    """Score every item in float64, filter, sort: item ids and scores."""
    index = ratings.user_index(user)
    scores = model.item_factors_.astype(float) @ model.user_factors_[index].astype(float)
    scores += model.mean_ + model.user_bias_[index] + alpha * model.item_bias_
    allowed = ratings.item_counts >= min_ratings
    if exclude_seen:
        allowed &= ~np.isin(ratings.item_ids, ratings.of_user(user)[0])
    if among is not None:
        allowed &= np.isin(ratings.item_ids, among)
    allowed &= ~np.isin(ratings.item_ids, exclude)
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


some_items = st.lists(st.integers(0, 82), unique=True).map(lambda rows: [3 * i for i in rows])
some_users = st.lists(st.integers(0, 149), unique=True).map(lambda rows: [10 * i for i in rows])


@given(options, st.none() | some_items, some_items)
def test_lists_of_a_crowd(crowd, recommender, options, among, exclude):
    options = options | {"among": among, "exclude": exclude}
    chosen = crowd.user_ids[[140, 3, 77]]
    found = recommender.recommend_all(users=chosen, **options)
    assert np.array_equal(found.user_ids, chosen)
    for user, ids, scores in zip(*found, strict=True):
        expected = sorted_by_hand(recommender.model, crowd, user, **options)
        assert_same_list(ids, scores, *expected)
        table = recommender.recommend(user, **options)
        assert_same_list(table.item_id, table.score, *expected)


@given(options, st.integers(0, 82), st.none() | some_users, some_users)
def test_users_for_an_item_are_the_head_of_all_scores_sorted(
    crowd, recommender, options, item, among, exclude
):
    table = recommender.users_for(3 * item, among=among, exclude=exclude, **options)
    model, expected = recommender.model, []
    for row, user in enumerate(crowd.user_ids):
        rated = crowd.of_user(user)[0]
        if (
            len(rated) >= options["min_ratings"]
            and not (options["exclude_seen"] and 3 * item in rated)
            and (among is None or user in among)
            and user not in exclude
        ):
            taste = model.user_factors_[row].astype(float) @ model.item_factors_[item].astype(float)
            score = model.mean_ + options["alpha"] * model.user_bias_[row]
            expected.append((-(score + model.item_bias_[item] + taste), user, len(rated)))
    expected = sorted(expected)[: options["n"]]
    assert list(table) == ["user_id", "score", "n_ratings"]
    assert table.index.tolist() == list(range(1, len(expected) + 1))
    np.testing.assert_allclose(table.score, [-score for score, _, _ in expected], atol=1e-9)
    assert table.user_id.tolist() == [user for _, user, _ in expected]
    assert table.n_ratings.tolist() == [n for _, _, n in expected]


def test_whom_to_tell_and_what_to_recommend_agree_about_every_pair(crowd, recommender):
    """With α = 1 both are the predicted rating."""
    table = recommender.users_for(30, n=200, exclude_seen=False)
    assert len(table) == 150
    predicted = recommender.model.predict(table.user_id, 30, clip=False)
    np.testing.assert_allclose(table.score, predicted, atol=1e-5)


@given(st.lists(st.sampled_from([-7, 0, 1, 30, 60, 999]), unique=True), st.booleans())
def test_unknown_ids_are_ignored_on_request_as_if_they_had_not_been_named(recommender, ids, more):
    model = recommender.model
    known = [i for i in ids if i >= 0 and i % 30 == 0]
    for name in ("among", "exclude"):
        for call in (
            lambda **named: recommender.recommend(10, **named),
            lambda **named: recommender.users_for(3, **named),
            lambda **named: recommender.similar(3, **named),
            lambda **named: recommender.similar_users(10, **named),
        ):
            assert call(**{name: ids}, unknown="ignore").equals(call(**{name: known}))
            if len(known) < len(ids):
                with pytest.raises(ValueError, match="unknown"):
                    call(**{name: ids})
        everybody = [
            recommender.recommend_all(3, **{name: named}, unknown="ignore")
            for named in (ids, known)
        ]
        assert [list(items) for items in everybody[0].item_ids] == [
            list(items) for items in everybody[1].item_ids
        ]
    lists = recommender.recommend_all(3, users=ids, unknown="ignore")
    assert lists.user_ids.tolist() == known and len(lists.item_ids) == len(known)
    values = [1.0 + i % 4 for i in range(len(ids))]
    of_known = [value for item, value in zip(ids, values, strict=True) if item in known]
    found, expected = (
        fold_in(model, ids, values, unknown="ignore"),
        fold_in(model, known, of_known),
    )
    assert np.array_equal(found.factors, expected.factors) and found.bias == expected.bias
    assert found.values.tolist() == of_known


def test_among_nothing_known_there_is_nothing_to_list_and_nobody_known_is_a_stranger(recommender):
    assert recommender.recommend(0, among=[1, 2], unknown="ignore").empty
    assert len(recommender.recommend(0, exclude=[1, 2], unknown="ignore")) == 10
    assert len(recommender.recommend_all(users=[1, 2], unknown="ignore").user_ids) == 0
    stranger = fold_in(recommender.model, [1], [5.0], unknown="ignore")
    assert len(stranger.item_ids) == 0 and not stranger.factors.any()
    with pytest.raises(KeyError, match="unknown user 7"):  # who was asked for must be known
        recommender.recommend(7, unknown="ignore")


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


def test_damping_esteem_leaves_taste_alone(recommender):
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


@pytest.mark.parametrize("centred", [False, True])
def test_similar_users_are_those_with_the_largest_cosine(crowd, recommender, centred):
    factors = recommender.model.user_factors_.astype(float)
    shifted = factors - factors.mean(axis=0) * centred
    cosines = cosine_similarity(shifted[[12]], shifted)[0]
    order = [user for user in np.argsort(-cosines) if user != 12]
    table = recommender.similar_users(120, n=149, centred=centred)
    assert table.user_id.tolist() == crowd.user_ids[order].tolist()
    np.testing.assert_allclose(table.similarity, cosines[order], atol=1e-12)
    assert np.array_equal(table.n_ratings, crowd.user_counts[order])
    some = recommender.similar_users(120, among=[0, 10, 120, 30], exclude=[30], min_ratings=1)
    assert sorted(some.user_id) == [0, 10]
    twin = recommender.similar_users(recommender.profile(120), n=150, centred=centred)
    assert twin.user_id[1] == 120 and twin.similarity[1] == pytest.approx(1)
    assert len(twin) == 150


def test_a_stranger_is_similar_to_nobody(recommender):
    with pytest.raises(ValueError, match="the factors of this profile are zero"):
        recommender.similar_users(fold_in(recommender.model, [], []))


@pytest.mark.parametrize("make", [LatentALS, ImplicitALS])
def test_factors_that_have_learned_nothing_are_compared_with_nothing(crowd, make):
    """Rows of noise have cosines, too, and large ones where there are few factors."""
    shrunken = make(3, tau=400.0).fit(crowd)
    assert 0 < np.abs(shrunken.item_factors_).max() < 1e-2
    for model, message in (
        (shrunken, "the factors have learned nothing .* lighter tau"),
        (make(3).initialise(crowd), "the model has completed no sweep"),
        (make(0).fit(crowd), "the factors have learned nothing"),
    ):
        recommender = Recommender(model, crowd)
        for call in (recommender.similar, recommender.similar_users):
            with pytest.raises(ValueError, match=message):
                call(30)
        assert len(recommender.recommend(0)) == 10


@pytest.mark.parametrize("factor", [1e-6, 1.0, 1e6])
def test_small_factors_of_ratings_in_small_units_are_compared(crowd, factor):
    users, items, values = crowd.triples()
    ratings = Ratings(users, items, factor * values.astype(float))
    of_ratings, of_crowd = (
        Recommender(LatentALS(3, tau=0.5 * unit).fit(part), part).similar(30)
        for part, unit in ((ratings, factor), (crowd, 1.0))
    )
    assert of_ratings.item_id.tolist() == of_crowd.item_id.tolist()


def test_a_profile_of_another_fit_is_noticed(crowd, tmp_path):
    older = LatentALS(3, random_state=1, tau=0.5).fit(crowd)
    me = fold_in(older, [0, 30], [5.0, 1.0])
    model = LatentALS(3, random_state=2, tau=0.5).fit(crowd)
    recommender = Recommender(model, crowd)
    for call in (
        recommender.recommend,
        recommender.similar_users,
        lambda profile: recommender.explain(profile, 3),
    ):
        with pytest.raises(ValueError, match="this profile follows from another fit"):
            call(me)
        call(fold_in(model, [0, 30], [5.0, 1.0]))
        call(dataclasses.replace(me, objective=None))  # made by hand: whoever made it knows
    older.save(tmp_path / "model")  # the same fit, in another process
    again = Recommender(LatentALS.load(tmp_path / "model"), crowd)
    assert again.recommend(pickle.loads(pickle.dumps(me))).item_id.tolist() == (
        Recommender(older, crowd).recommend(me).item_id.tolist()
    )


def test_an_item_that_nobody_rated_is_similar_to_none(crowd):
    rest = crowd.select(crowd.triples()[1] != 30)
    recommender = Recommender(LatentALS(3).fit(rest), rest)
    with pytest.raises(ValueError, match="the factors of item 30 are zero"):
        recommender.similar(30)
    assert 30 not in recommender.similar(33, n=100, min_ratings=0).item_id.tolist()
    assert len(recommender.similar(33, n=100, min_ratings=0, centred=True)) == 81


def test_results_do_not_depend_on_the_number_of_threads(recommender, on_threads):
    lists = []
    for n_threads in (1, 4):
        on_threads(n_threads)
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
        (lambda r: r.recommend(0, exclude=[1]), ValueError, "unknown item 1"),
        (lambda r: r.recommend(0, exclude=3), ValueError, r"item ids must be a column"),
        (lambda r: r.recommend(0, among=3, unknown="ignore"), ValueError, "must be a column"),
        (lambda r: r.recommend(0, among=["3"], unknown="ignore"), TypeError, "item ids are int"),
        (
            lambda r: r.recommend_all(among=[1], unknown="skip"),
            ValueError,
            "unknown must be .raise. or .ignore., got 'skip'",
        ),
        (lambda r: r.users_for(4), KeyError, "unknown item 4"),
        (lambda r: r.users_for(3, n=0), ValueError, "n must be at least 1"),
        (lambda r: r.users_for(3, among=[7]), ValueError, "unknown user 7"),
        (lambda r: r.users_for(3, alpha=1e300), ValueError, "alpha = 1e.300 times the biases"),
        (lambda r: r.similar_users(7), KeyError, "unknown user 7"),
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
    with pytest.raises(TypeError, match="item ids are strings in these ratings, got integers"):
        Recommender(LatentALS(1).fit(crowd), tiny)
    with pytest.raises(ValueError, match=r"does not know 1 user ids .*, the first is 999.*update"):
        Recommender(LatentALS(1).fit(crowd), crowd.with_ids(users=[999]))


def test_ratings_of_some_users_are_numbered_as_the_model_numbers(crowd):
    """A server may hold the ratings of those alone whom it answers."""
    model = LatentALS(2, tau=1.0).fit(crowd)
    users, items, values = crowd.triples()
    some = np.isin(users, crowd.user_ids[3:9])
    part = Ratings(users[some], items[some], values[some])
    assert not part.shares_index_with(crowd)
    here, there = Recommender(model, part), Recommender(model, crowd)
    for user in part.user_ids:
        found, expected = (
            recommender.recommend(user, 5, min_ratings=0) for recommender in (here, there)
        )
        assert found[["item_id", "score"]].equals(expected[["item_id", "score"]])


def test_a_profile_from_before_an_update_is_refused_where_items_have_moved(crowd):
    model = LatentALS(2, tau=1.0).fit(crowd)
    profile = fold_in(model, crowd.item_ids[-2:], [4.0, 2.0])
    wider = crowd.with_ids(items=[crowd.item_ids[0] - 1])
    recommender = Recommender(model.update(wider), wider)
    with pytest.raises(ValueError, match="another fit"):
        recommender.recommend(profile)


def test_a_new_item_is_told_to_whom_the_same_old_one_is(crowd):
    """An item whose row follows from the users as they are, asked for by id and by its ratings."""
    model = LatentALS(3, tau=1.0, n_sweeps=3).fit(crowd)
    model.blocks(crowd)["item_bias_and_factors"]()
    recommender = Recommender(model, crowd)
    for item in crowd.item_ids[[0, 40]]:
        raters, data = crowd.by_item.row(crowd.item_index(item))
        profile = fold_in_item(model, crowd.user_ids[raters], crowd.decode(data))
        for options in ({}, {"alpha": 0.3}, {"exclude_seen": False, "min_ratings": 17}):
            by_id = recommender.users_for(item, 20, **options)
            by_ratings = recommender.users_for(profile, 20, **options)
            ids = by_ratings["user_id"], by_ratings["score"], by_id["user_id"], by_id["score"]
            assert_same_list(*ids)
        others = crowd.item_ids[crowd.item_ids != item]
        by_id = recommender.similar(item, 20)
        found = recommender.similar(profile, 20, among=others)
        assert_same_list(
            found["item_id"], found["similarity"], by_id["item_id"], by_id["similarity"]
        )


def test_a_film_that_comes_out_today_is_told_by_its_features(crowd):
    features = implicit_feedback(crowd).T
    model = FeatureALS(2, gamma_features=1, tau_features=1, n_sweeps=3)
    model.fit(crowd, item_features=features)
    new = fold_in_item(model, [], [], features=features[[5]])
    told = Recommender(model, crowd).users_for(new, n=crowd.n_users)
    (bias,), (factors,) = model.item_prior(features[[5]])
    scores = model.mean_ + model.user_bias_ + bias + model.user_factors_ @ factors
    rows = crowd.user_index(told["user_id"])
    assert len(rows) == crowd.n_users  # nobody has seen it
    np.testing.assert_allclose(told["score"], scores[rows], atol=1e-5)
    assert np.all(np.diff(told["score"]) <= 0)


def test_the_profile_of_an_item_of_another_fit_is_noticed(crowd, recommender):
    other = LatentALS(5, tau=2.0, n_sweeps=2).fit(crowd)
    profile = fold_in_item(other, crowd.user_ids[:2], [3.0, 4.0])
    for ask in (recommender.users_for, recommender.similar):
        with pytest.raises(ValueError, match="another fit"):
            ask(profile)
    with pytest.raises(ValueError, match="2 factors, the model 5"):
        recommender.users_for(fold_in_item(LatentALS(2).fit(crowd), [], []))
