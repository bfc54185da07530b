"""What else may come with ratings: times, weights, repeats, a sparse matrix, more ids."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import dense, dense_by_item
from scipy import sparse
from strategies import HALF_STARS, triples

from alslib import Ratings


@st.composite
def log(draw):
    """Draw a log in which a user may rate an item again, with times and weights."""
    n = draw(st.integers(1, 40))
    column = {
        "user_id": st.integers(0, 3),
        "movie_id": st.integers(0, 3),
        "rating": st.sampled_from(HALF_STARS),
        "timestamp": st.integers(0, 20),
        "weight": st.sampled_from([0.5, 1.0, 3.0]),
    }
    return pd.DataFrame({k: draw(st.lists(v, min_size=n, max_size=n)) for k, v in column.items()})


def read(frame, **options):
    ratings = Ratings.from_frame(frame, time="timestamp", weight="weight", **options)
    np.testing.assert_array_equal(dense(ratings)[0], dense_by_item(ratings))
    return ratings.to_frame()


def same(found, expected):
    pd.testing.assert_frame_equal(
        found, expected.reset_index(drop=True), check_dtype=False, rtol=1e-6
    )


@given(log())
def test_of_repeats_the_last_is_kept_as_pandas_does(frame):
    by_time = frame.sort_values("timestamp", kind="stable")
    expected = by_time.drop_duplicates(["user_id", "movie_id"], keep="last")
    same(read(frame, keep="last"), expected.sort_values(["user_id", "movie_id"]))


@given(log())
def test_without_times_the_last_in_position_is_kept(frame):
    found = Ratings.from_frame(frame, keep="last").to_frame()
    expected = frame.drop_duplicates(["user_id", "movie_id"], keep="last")
    same(found, expected.sort_values(["user_id", "movie_id"])[["user_id", "movie_id", "rating"]])


@given(log())
def test_the_mean_of_repeats_weighs_as_much_as_all_of_them(frame):
    weighted = frame.assign(rating=frame.rating * frame.weight)
    groups = weighted.groupby(["user_id", "movie_id"])
    expected = groups.agg({"rating": "sum", "timestamp": "max", "weight": "sum"})
    expected["rating"] /= expected["weight"]
    same(read(frame, keep="mean"), expected.reset_index())
    plain = Ratings.from_frame(frame, keep="mean").to_frame()
    same(plain, frame.groupby(["user_id", "movie_id"])[["rating"]].mean().reset_index())


def test_repeats_are_refused_unless_somebody_says_what_to_do():
    with pytest.raises(ValueError, match=r'repeat.*keep="last" or keep="mean"'):
        Ratings([1, 1], [2, 2], [3.0, 4.0])
    with pytest.raises(ValueError, match='keep must be "last" or "mean", got \'first\''):
        Ratings([1], [2], [3.0], keep="first")


@given(triples(), st.randoms(use_true_random=False))
def test_times_and_weights_follow_their_ratings(columns, random):
    users, items, values = columns
    order = list(range(len(users)))
    random.shuffle(order)
    times, weights = 100 * users + items, 1 + (users + items) % 7
    ratings = Ratings(
        *(column[order] for column in (users, items, values)),
        times=times[order],
        weights=weights[order],
    )
    found_users, found_items, _ = ratings.triples()
    np.testing.assert_array_equal(ratings.times, 100 * found_users + found_items)
    np.testing.assert_array_equal(ratings.weights, 1 + (found_users + found_items) % 7)
    assert ratings.mean == pytest.approx(np.average(values, weights=weights))
    keep = np.arange(len(users)) % 2 == 0
    np.testing.assert_array_equal(ratings.select(keep).times, ratings.times[keep])


@pytest.mark.parametrize(
    ("times", "error", "message"),
    [
        ([1.0, np.nan], ValueError, "1 of 2 times are missing, the first at position 1"),
        (np.array(["2020-01-01", "NaT"], "M8[s]"), ValueError, "1 of 2 times are missing"),
        (["today", "yesterday"], TypeError, "times must be numbers or datetime64.*to_datetime"),
        (pd.Series(pd.to_datetime(["2020", "2021"], utc=True)), TypeError, "with a zone"),
        ([1], ValueError, "equally long columns"),
        (np.ma.masked_array([1, 2], [True, False]), ValueError, "1 of 2 times are masked"),
    ],
)
def test_odd_times_are_refused(times, error, message):
    with pytest.raises(error, match=message):
        Ratings([1, 2], [1, 1], [3.0, 4.0], times=times)


@given(triples(values=st.sampled_from([0.0, 1.0, 2.5])), st.booleans())
def test_a_sparse_matrix_is_what_it_stores(columns, transposed):
    users, items, values = columns
    expected = Ratings(users, items, values)
    cells = expected.user_index(users), expected.item_index(items)
    matrix = sparse.coo_array((values, cells)).asformat("csc" if transposed else "csr")
    if not values.all():
        with pytest.raises(ValueError, match=r'stored entries are 0: say .*="keep".*="drop"'):
            Ratings.from_sparse(matrix)
    kept = Ratings.from_sparse(matrix, expected.user_ids, expected.item_ids, explicit_zeros="keep")
    assert kept.shares_index_with(expected)
    np.testing.assert_array_equal(dense(kept)[0], dense(expected)[0])
    if values.any():
        dropped = Ratings.from_sparse(matrix, explicit_zeros="drop")
        assert (dropped.n_users, dropped.n_items) == matrix.shape
        np.testing.assert_array_equal(np.nan_to_num(dense(dropped)[0]), matrix.toarray())


def test_what_is_no_sparse_matrix_is_refused_with_the_cure():
    array = np.array([[0, 3.0], [4.0, 0]])
    with pytest.raises(TypeError, match=r"scipy.sparse.csr_array\(array\)"):
        Ratings.from_sparse(array)
    matrix = sparse.csr_array(array)
    for ids in (["a"], ["a", "a"]):
        with pytest.raises(ValueError, match="needs 2 distinct user ids"):
            Ratings.from_sparse(matrix, user_ids=ids)
    with pytest.raises(ValueError, match="explicit_zeros must be"):
        Ratings.from_sparse(matrix, explicit_zeros="maybe")
    unsorted = Ratings.from_sparse(matrix, ["b", "a"], [7, 3])
    assert unsorted.of_user("b")[0].tolist() == [3] and unsorted.of_user("a")[0].tolist() == [7]
    assert matrix.toarray().tolist() == array.tolist()


@given(triples(), st.lists(st.integers(-9, 20), max_size=6))
def test_more_ids_change_no_rating(columns, more):
    narrow = Ratings(*columns, times=columns[0], weights=columns[1] + 1)
    wide = narrow.with_ids(users=more, items=more)
    for found, expected in zip(wide.triples(), narrow.triples(), strict=True):
        np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(dense(wide)[0], dense_by_item(wide))
    assert wide.user_ids.tolist() == sorted({*columns[0].tolist(), *more})
    assert wide.item_ids.tolist() == sorted({*columns[1].tolist(), *more})
    assert narrow.shares_index_with(Ratings(*columns))
    np.testing.assert_array_equal(wide.times, narrow.times)


def test_more_ids_are_of_the_kind_that_is_there(tiny):
    longer = "A name longer than all others"
    wide = tiny.with_ids(items=[longer, "Up"])
    assert wide.item_ids.tolist() == sorted(["Up", "Heat", "Jaws", longer])
    assert wide.of_item(longer)[0].tolist() == []
    with pytest.raises(TypeError, match="item ids are strings in these ratings, got integers"):
        tiny.with_ids(items=[3])


def test_ids_that_are_known_already_change_nothing():
    users = np.array([3, 1], np.int32)
    ratings = Ratings(users, ["b", "a"], [1.0, 2.0])
    same = ratings.with_ids(users=[1], items=["b"])
    assert same.user_ids is ratings.user_ids and same.by_user is ratings.by_user
    assert ratings.with_ids(users=np.array([2], np.int32)).user_ids.dtype == np.int32
