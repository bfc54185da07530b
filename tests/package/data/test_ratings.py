"""Ratings hold exactly what was put in, twice, and refuse what they cannot hold."""

import tracemalloc
from decimal import Decimal
from uuid import UUID

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import dense, dense_by_item
from scipy import sparse
from strategies import triples

from alslib import LatentALS, Ratings, fold_in, kernels


@given(triples())
def test_triples_come_back_sorted_by_user_then_item(columns):
    users, items, values = columns
    expected = pd.DataFrame({"u": users, "i": items, "v": values}).sort_values(["u", "i"])
    got = Ratings(users, items, values).triples()
    for found, wanted in zip(got, (expected.u, expected.i, expected.v), strict=True):
        np.testing.assert_array_equal(found, wanted)


@given(triples(), st.randoms(use_true_random=False))
def test_row_order_of_the_input_changes_nothing(columns, random):
    order = list(range(len(columns[0])))
    random.shuffle(order)
    one = Ratings(*columns)
    other = Ratings(*(column[order] for column in columns))
    for view in ("by_user", "by_item"):
        for a, b in zip(getattr(one, view), getattr(other, view), strict=True):
            np.testing.assert_array_equal(a, b)


@given(triples())
def test_both_views_hold_the_same_matrix(columns):
    ratings = Ratings(*columns)
    np.testing.assert_array_equal(dense(ratings)[0], dense_by_item(ratings))


@given(triples())
def test_both_views_agree_with_scipy(columns):
    ratings = Ratings(*columns)
    coordinates = (ratings.user_index(columns[0]), ratings.item_index(columns[1]))
    rows = sparse.csr_array((columns[2], coordinates))
    rows.sort_indices()
    columns_of = rows.tocsc()
    columns_of.sort_indices()
    for view, oracle in ((ratings.by_user, rows), (ratings.by_item, columns_of)):
        np.testing.assert_array_equal(view.indptr, oracle.indptr)
        np.testing.assert_array_equal(view.indices, oracle.indices)
        np.testing.assert_array_equal(ratings.decode(view.data), oracle.data)


@given(triples(values=st.floats(-1e6, 1e6, width=32)))
def test_arbitrary_floats_come_back_exactly(columns):
    users, items, values = columns
    order = np.lexsort((items, users))
    np.testing.assert_array_equal(Ratings(*columns).triples()[2], values[order].astype(np.float32))


@pytest.mark.parametrize(
    ("levels", "step"),
    [
        (np.arange(1, 11) / 2, 0.5),
        ([1, 2, 3, 4, 5], 1.0),
        ([2.5, 4.0, 5.0], 0.5),  # a step that never occurs between two neighbours
        (np.arange(0, 101) / 10, 0.1),  # tenths, which no binary fraction is
        (np.arange(0, 101, dtype=np.float32) / 10, 0.1),
        ([1.0, 1.1, 1.2, 5.0], 0.1),
        ([0.0, 1.0, 3.5], 0.5),
        ([0.0, 0.7, 1.7], 0.1),  # seven parts of the smallest difference
        ([0.0, 0.3, 0.4], 0.1),  # 0.3 / (0.4 − 0.3) is a little less than 3
        (np.arange(256), 1.0),
        ([3.0], 1.0),
    ],
)
def test_even_scales_take_one_byte_a_rating_and_lose_nothing(levels, step):
    ratings = Ratings(np.zeros(len(levels), int), np.arange(len(levels)), np.asarray(levels))
    assert ratings.by_user.data.dtype == np.uint8
    assert ratings.step == pytest.approx(step, rel=1e-12)
    np.testing.assert_array_equal(ratings.of_user(0)[1], np.float32(levels))


@pytest.mark.parametrize(
    "levels", [np.arange(257), [0.0, 1.0, 256.0], [0.0, 1.0, 1000.0], [1.0, 2.0, np.pi]]
)
def test_other_scales_are_kept_as_float32(levels):
    ratings = Ratings(np.zeros(len(levels), int), np.arange(len(levels)), np.asarray(levels))
    assert ratings.by_user.data.dtype == np.float32
    np.testing.assert_array_equal(ratings.of_user(0)[1], np.float32(levels))


def many(n_ratings, values):
    rng = np.random.default_rng(0)
    cells = rng.choice(3000 * 2000, n_ratings, replace=False)
    return (cells // 2000).astype(np.int32), (cells % 2000).astype(np.int32), values(rng, n_ratings)


def half_stars(rng, n):
    return (rng.integers(1, 11, n) / 2).astype(np.float32)


def real_numbers(rng, n):
    return rng.normal(size=n).astype(np.float32)


@pytest.mark.parametrize(("values", "limit"), [(half_stars, 12), (real_numbers, 16.2)])
def test_bytes_per_rating_keep_their_promise(values, limit):
    ratings = Ratings(*many(1_000_000, values))
    arrays = [*ratings.by_user, *ratings.by_item]
    assert ratings.nbytes == sum(array.nbytes for array in arrays)
    assert ratings.nbytes / ratings.n_ratings <= limit


def test_construction_needs_less_than_two_and_a_half_times_the_result():
    columns = many(1_000_000, half_stars)
    Ratings(*(column[:10] for column in columns))  # compile before measuring
    tracemalloc.start()
    try:
        ratings = Ratings(*columns)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2.5 * ratings.nbytes


def test_look_ups_by_id_work_both_ways(tiny):
    items, values = tiny.of_user(10)
    assert dict(zip(items, values, strict=True)) == {"Heat": 3.0, "Up": 5.0}
    users, values = tiny.of_item("Heat")
    assert dict(zip(users, values, strict=True)) == {10: 3.0, 30: 4.0}
    np.testing.assert_array_equal(tiny.user_index([30, 10, 99]), [2, 0, -1])
    assert tiny.item_index("Jaws") == 1
    assert tiny.item_ids[tiny.item_index("Jaws")] == "Jaws"


@pytest.mark.parametrize("scale", [1, 10**12])
def test_ids_with_any_gaps_are_numbered_in_order(scale):
    """The second scale is too wide for a lookup table and takes the other way."""
    ids = np.array([7, -3, 7, 40, 0]) * scale
    ratings = Ratings(ids, np.arange(5), np.ones(5))
    np.testing.assert_array_equal(ratings.user_ids, np.array([-3, 0, 7, 40]) * scale)
    np.testing.assert_array_equal(ratings.user_index(ids), [2, 0, 2, 3, 1])
    np.testing.assert_array_equal(ratings.user_index([scale, 41 * scale, -4 * scale]), [-1] * 3)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.uint32, np.int64, np.uint64])
def test_every_integer_type_will_do(dtype):
    ratings = Ratings(np.array([3, 1], dtype), np.array([5, 6], dtype), [1.0, 2.0])
    np.testing.assert_array_equal(ratings.user_ids, [1, 3])


@pytest.mark.parametrize(
    "column", [["b", "a"], np.array(["b", "a"]), pd.Series(["b", "a"]), pd.Categorical(["b", "a"])]
)
def test_every_kind_of_string_column_will_do(column):
    ratings = Ratings(column, [1, 2], [3.0, 4.0])
    np.testing.assert_array_equal(ratings.user_ids, ["a", "b"])
    assert ratings.user_ids.dtype.kind == "U", "ids must be storable without pickle"
    assert ratings.of_user("b")[1] == 3.0


def test_mean_counts_density_and_summary(tiny):
    assert tiny.mean == pytest.approx((5 + 3 + 4 + 1.5 + 2) / 5)
    assert tiny.density == pytest.approx(5 / 9)
    assert tiny.scale == (1.5, 5.0)
    assert len(tiny) == tiny.n_ratings == 5
    np.testing.assert_array_equal(tiny.user_counts, [2, 1, 2])
    np.testing.assert_array_equal(tiny.item_counts, [2, 1, 2])
    assert tiny.summary()["value"].to_dict() == {
        "ratings": "5",
        "users": "3",
        "items": "3",
        "cells filled": "55.56%",
        "mean rating": "3.100",
        "ratings per user (min, median, max)": "1, 2, 2",
        "ratings per item (min, median, max)": "1, 2, 2",
        "memory": "0.00 MB",
        "bytes per rating": "22.8",
    }
    assert "5 ratings, 3 users × 3 items" in repr(tiny)


def test_frame_round_trip(tiny):
    frame = tiny.to_frame()
    again = Ratings.from_frame(frame)
    assert again.shares_index_with(tiny)
    np.testing.assert_array_equal(dense(again)[0], dense(tiny)[0])


NAN, INF = float("nan"), float("inf")
MASKED = np.ma.masked_array([1, 999], mask=[False, True])


@pytest.mark.parametrize(
    ("columns", "error", "message"),
    [
        (([], [], []), ValueError, "there are no ratings"),
        (([1, 2], [1, 2], [3.0]), ValueError, r"equally long columns, got \{'users': \(2,\)"),
        (([[1]], [[1]], [[3.0]]), ValueError, "equally long columns"),
        ((1, 1, 3.0), ValueError, "equally long columns"),
        (([1, 2], [1, 2], [3.0, NAN]), ValueError, "1 of 2 ratings are NaN or infinite, .* 1"),
        (([1, 2], [1, 2], [-INF, 3.0]), ValueError, "1 of 2 ratings are NaN or infinite, .* 0"),
        (([1, 2], [1, 2], ["3", "4"]), TypeError, "ratings must be numbers, got <U1"),
        (
            ([1, 2], [1, 2], [Decimal("3.5"), Decimal(4)]),
            TypeError,
            r"got object; pandas.to_numeric\(ratings\) makes floats of text and of decimals",
        ),
        (
            ([Decimal(1), Decimal(2)], [1, 2], [3.0, 4.0]),
            TypeError,
            r"got decimal values; with .astype\(str\) all are strings",
        ),
        (
            ([UUID(int=1), UUID(int=2)], [1, 2], [3.0, 4.0]),
            TypeError,
            r"got mixed values; with .astype\(str\) all are strings",
        ),
        (([1, 2], [1, 2], [True, False]), TypeError, "ratings must be numbers, got bool"),
        (([1, 2], [1, 2], [None, 3.0]), TypeError, "ratings must be numbers, got object"),
        (([1, 2], [1, 2], [1e300, np.pi]), ValueError, "fit in float32, got up to 1e\\+300"),
        (([1.0, 2.0], [1, 2], [3.0, 4.0]), TypeError, "user ids must be integers or strings"),
        (([1, 2], [NAN, 2], [3.0, 4.0]), TypeError, "item ids .* got float64 .*gaps"),
        ((["a", None], [1, 2], [3.0, 4.0]), TypeError, "user ids .*mixed.*, 1 of 2 missing"),
        ((["a", 3], [1, 2], [3.0, 4.0]), TypeError, "user ids .*mixed-integer values"),
        ((["a", 1.5], [1, 2], [3.0, 4.0]), TypeError, "user ids .*mixed values"),
        ((["a", NAN], [1, 2], [3.0, 4.0]), TypeError, "user ids .*mixed.*, 1 of 2 missing"),
        (([True, 2], [1, 2], [3.0, 4.0]), TypeError, "user ids .*mixed"),
        (([2**70, 2], [1, 2], [3.0, 4.0]), ValueError, "user ids must fit in 64 signed bits"),
        ((MASKED, [1, 2], [3.0, 4.0]), ValueError, "1 of 2 user ids are masked, the first at 1"),
        (([1, 2], [1, 2], MASKED), ValueError, "1 of 2 ratings are masked, the first at 1"),
        (([True, False], [1, 2], [3.0, 4.0]), TypeError, "user ids .*bool"),
        (
            (np.array([2**63, 1], np.uint64), [1, 2], [3.0, 4.0]),
            ValueError,
            "user ids must fit in 64 signed bits, got 9223372036854775808",
        ),
        (
            ([7, 8, 7, 7], ["x", "x", "x", "x"], [3.0, 4.0, 3.0, 5.0]),
            ValueError,
            r"2 of 4 ratings repeat .*user 7, item x, at positions \[0, 2, 3\]",
        ),
    ],
)
def test_bad_columns_are_refused_with_what_and_where(columns, error, message):
    with pytest.raises(error, match=message):
        Ratings(*columns)


def test_many_repeats_are_counted_and_few_are_listed():
    with pytest.raises(ValueError, match=r"99 of 100 ratings repeat .*, 9\] and 90 more"):
        Ratings(np.zeros(100, int), np.zeros(100, int), np.ones(100))


def test_one_long_name_does_not_widen_every_row():
    names = ["ann"] * 50_000 + ["x" * 5_000]
    Ratings(names[-2:], [0, 1], [1.0, 2.0])  # compile before measuring
    tracemalloc.start()
    try:
        Ratings(names, np.arange(len(names)), np.ones(len(names)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 20e6


def test_a_missing_column_is_named():
    with pytest.raises(ValueError, match=r"no column \['rating'\].*\['user_id', 'movie_id'\]"):
        Ratings.from_frame(pd.DataFrame({"user_id": [1], "movie_id": [2]}))


def test_unknown_and_misfit_ids_are_named(tiny):
    with pytest.raises(KeyError, match="unknown user 11"):
        tiny.of_user(11)
    with pytest.raises(TypeError, match="user ids are integers in these ratings, got strings"):
        tiny.of_user("10")
    with pytest.raises(TypeError, match=r"one item id, please, got \['Up'\]"):
        tiny.of_item(["Up"])


@pytest.mark.parametrize("keep", [np.ones(5), np.ones(4, bool), [1, 1, 1, 1, 1]])
def test_select_wants_one_boolean_a_rating(tiny, keep):
    with pytest.raises(ValueError, match="keep must be 5 booleans"):
        tiny.select(keep)


def test_select_refuses_to_keep_nothing(tiny):
    with pytest.raises(ValueError, match="no rating is left"):
        tiny.select(np.zeros(5, bool))


def test_columns_that_may_be_written_to_need_no_kernel_of_their_own():
    """Those of pandas may not, a type of its own to numba; NumPy's may."""
    used = [
        getattr(kernels.rows, k) for k in ("mark_present", "translate", "distinct_values", "encode")
    ]
    columns = [np.array([3, 1]), np.array([2, 2]), np.array([0.5, 4.0])]
    Ratings(*columns)
    before = [len(kernel.signatures) for kernel in used]
    for column in columns:
        column.flags.writeable = False
    Ratings(*columns)
    assert [len(kernel.signatures) for kernel in used] == before


def test_a_scale_that_is_declared_reaches_beyond_the_ratings():
    """A sample without a 1 still belongs to people who can give one."""
    users, items, values = ["ann", "ann", "bob", "cat"], [1, 2, 1, 2], [2.0, 5.0, 2.0, 4.0]
    frame = pd.DataFrame({"user_id": users, "movie_id": items, "rating": values})
    for ratings in (
        Ratings(users, items, values, scale=(1, 5)),
        Ratings.from_frame(frame, scale=np.array([1, 5])),
    ):
        assert ratings.scale == (1.0, 5.0)
        assert ratings.select(ratings.triples()[2] > 2).scale == (1.0, 5.0)
        assert "1–5 in steps of 1" in repr(ratings)
        model = LatentALS(0).fit(ratings)
        plain = LatentALS(0).fit(Ratings(users, items, values))
        assert np.array_equal(model.item_bias_, plain.item_bias_)
        assert fold_in(model, [1, 2], [1, 1]).bias < fold_in(model, [1, 2], [2, 2]).bias
        with pytest.raises(ValueError, match="not on the scale from 2 to 5"):
            fold_in(plain, [1], [1])


@pytest.mark.parametrize(
    ("scale", "error", "message"),
    [
        ((3, 5), ValueError, "ratings from 2 to 5, which is beyond the scale from 3 to 5"),
        ((1, 4.5), ValueError, "ratings from 2 to 5, which is beyond the scale from 1 to 4.5"),
        ((5, 1), ValueError, "a lower and a higher finite number"),
        ((1, np.inf), ValueError, "a lower and a higher finite number"),
        ((np.nan, 5), ValueError, "a lower and a higher finite number"),
        ((1, 2, 5), TypeError, r"two numbers, such as \(1, 5\), got \(1, 2, 5\)"),
        (5, TypeError, "two numbers"),
        (("low", "high"), TypeError, "two numbers"),
    ],
)
def test_a_scale_that_cannot_be_is_refused(scale, error, message):
    with pytest.raises(error, match=message):
        Ratings([1, 1], [1, 2], [2, 5], scale)
