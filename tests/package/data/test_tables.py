"""Tables of Polars, Arrow and plain dicts mean what the same table of pandas means."""

import datetime
import subprocess
import sys
import tracemalloc
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from strategies import triples

from alslib import FeatureALS, MovieLens, Ratings, load_movielens, movie_features
from alslib.data.tables import as_frame

NAMES = ("user_id", "movie_id", "rating")


def in_pieces(table):
    """The same Arrow table in two chunks."""
    middle = len(table) // 2
    return pa.concat_tables([table[:middle], table[middle:]])


# From a dict of lists to a table of each library.
MAKERS = {
    "pandas": pd.DataFrame,
    "pandas on Arrow": lambda columns: pd.DataFrame(columns).convert_dtypes(
        dtype_backend="pyarrow"
    ),
    "Polars": pl.DataFrame,
    "Polars in pieces": lambda columns: pl.concat(
        [pl.DataFrame(columns)[:1], pl.DataFrame(columns)[1:]], rechunk=False
    ),
    "Arrow": pa.table,
    "Arrow in pieces": lambda columns: in_pieces(pa.table(columns)),
    "Arrow with large strings": lambda columns: pl.DataFrame(columns).to_arrow(),
    "a batch of Arrow": lambda columns: pa.RecordBatch.from_pydict(columns),
    "dict of lists": dict,
    "dict of arrays": lambda columns: {n: pd.Series(v).to_numpy() for n, v in columns.items()},
    "dict of Polars": lambda columns: {n: pl.Series(v) for n, v in columns.items()},
    "dict of Arrow": lambda columns: {n: pa.array(v) for n, v in columns.items()},
}
OTHERS = [pytest.param(MAKERS[name], id=name) for name in MAKERS if name != "pandas"]


def contents(ratings):
    """Everything that tells two ratings apart, with its type, as bytes."""
    arrays = [ratings.user_ids, ratings.item_ids, *ratings.by_user, *ratings.by_item]
    return [(array.dtype, array.tobytes()) for array in arrays] + [
        (ratings.offset, ratings.step, ratings.scale)
    ]


@pytest.mark.parametrize("make", OTHERS)
@given(columns=triples())
def test_every_kind_of_table_makes_the_same_ratings(make, columns):
    lists = {name: np.asarray(column).tolist() for name, column in zip(NAMES, columns, strict=True)}
    found, expected = (Ratings.from_frame(made(lists)) for made in (make, pd.DataFrame))
    assert contents(found) == contents(expected)


DATED = {
    "user_id": [2, 1, 2],
    "movie_id": [10, 10, 30],
    "rating": [4.0, 2.5, 5.0],
    "when": [20, 10, 30],
    "weight": [1.0, 2.0, 0.5],
}


@pytest.mark.parametrize("make", OTHERS)
def test_times_and_weights_come_along(make):
    found = Ratings.from_frame(make(DATED), time="when", weight="weight")
    assert found.times.tolist() == [10, 20, 30] and found.weights.tolist() == [2.0, 1.0, 0.5]


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame, pl.DataFrame.to_arrow])
def test_dates_of_every_library_are_times(frame):
    days = np.array(["2024-03-02", "2024-03-01", "2024-03-03"], "datetime64[us]")
    table = frame(
        pl.DataFrame(DATED | {"when": days})
        if frame is pl.DataFrame.to_arrow
        else DATED | {"when": days}
    )
    ratings = Ratings.from_frame(table, time="when")
    np.testing.assert_array_equal(ratings.times, np.sort(days))


WORDS = ["ann", "bob", "ann"]


@pytest.mark.parametrize(
    "users",
    [
        pl.Series(WORDS, dtype=pl.Categorical),
        pl.Series(WORDS, dtype=pl.Enum(["bob", "ann"])),
        pa.array(WORDS).dictionary_encode(),
        pa.chunked_array([WORDS[:1], WORDS[1:]]).dictionary_encode(),
        pa.array(WORDS, pa.large_string()),
        pa.array(WORDS, pa.string_view()),
    ],
    ids=lambda users: str(getattr(users, "type", getattr(users, "dtype", None))),
)
def test_every_kind_of_text_will_do_as_ids(users):
    expected = contents(Ratings(WORDS, [1, 1, 2], [3.0, 4, 5]))
    columns = {"who": users, "movie_id": [1, 1, 2], "rating": [3.0, 4, 5]}
    frame = pl.DataFrame if isinstance(users, pl.Series) else pa.table
    for table in (columns, frame(columns)):
        assert contents(Ratings.from_frame(table, user="who")) == expected
    assert contents(Ratings(users, [1, 1, 2], [3.0, 4, 5])) == expected


@pytest.mark.parametrize("make", OTHERS)
def test_look_ups_take_columns_of_every_library(make, tiny):
    column = make({"movie_id": ["Up", "Alien"]})["movie_id"]
    assert tiny.item_index(column).tolist() == [2, -1]


def test_one_long_string_of_polars_does_not_widen_every_row():
    names = pl.Series(["ann"] * 50_000 + ["x" * 5_000])
    table = pl.DataFrame({"user_id": names, "movie_id": range(50_001), "rating": [1.0] * 50_001})
    Ratings.from_frame(table.tail(2))  # compile before measuring
    tracemalloc.start()
    try:
        Ratings.from_frame(table)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 20e6


# What is refused in a table of pandas is refused in every other.

GAPS = [
    ({"user_id": [1, None, None]}, TypeError, "user ids .*2 of 3 missing"),
    ({"movie_id": ["a", None, "b"]}, TypeError, "item ids .*1 of 3 missing"),
    ({"rating": [1.0, None, 3.0]}, ValueError, "1 of 3 ratings are NaN or infinite, .* 1"),
    ({"rating": [None, 2, 3]}, ValueError, "1 of 3 ratings are NaN or infinite, .* 0"),
]


@pytest.mark.parametrize(
    "make", [MAKERS[name] for name in ("pandas", "Polars", "Polars in pieces", "Arrow")]
)
@pytest.mark.parametrize(("gaps", "error", "message"), GAPS)
def test_gaps_are_counted(make, gaps, error, message):
    columns = {"user_id": [1, 2, 3], "movie_id": [1, 2, 3], "rating": [1.0, 2.0, 3.0]} | gaps
    with pytest.raises(error, match=message):
        Ratings.from_frame(make(columns))


def test_gaps_of_a_dictionary_of_arrow_are_not_filled():
    users = pa.chunked_array([["ann", None, "bob"]]).dictionary_encode()
    assert np.asarray(users).tolist() == ["ann", "bob", "bob"]  # the trap
    table = pa.table({"user_id": users, "movie_id": [1, 2, 3], "rating": [1.0, 2.0, 3.0]})
    with pytest.raises(TypeError, match="1 of 3 missing"):
        Ratings.from_frame(table)
    with pytest.raises(TypeError, match="1 of 3 missing"):
        Ratings(users, [1, 2, 3], [1.0, 2.0, 3.0])


DAY = datetime.datetime(2026, 1, 1)


@pytest.mark.parametrize("make", [pl.DataFrame, pa.table])
@pytest.mark.parametrize(
    ("odd", "message"),
    [
        ({"rating": [Decimal("1.5"), Decimal(2)]}, "ratings must be numbers"),
        ({"rating": ["1", "2"]}, "ratings must be numbers"),
        ({"rating": [True, False]}, "ratings must be numbers, got bool"),
        ({"rating": [[1.0], [2.0, 3.0]]}, "ratings must be numbers"),
        ({"user_id": [1.0, 2.0]}, "user ids must be integers or strings, got float64 "),
        ({"user_id": [DAY, DAY]}, "user ids must be integers or strings, got datetime64"),
        ({"user_id": [DAY.date(), DAY.date()]}, "user ids must be .*(datetime64|date values)"),
        ({"movie_id": [Decimal(1), Decimal(2)]}, "got decimal values"),
    ],
)
def test_columns_of_the_wrong_kind_are_refused(make, odd, message):
    columns = {"user_id": [1, 2], "movie_id": [1, 2], "rating": [1.0, 2.0]} | odd
    with pytest.raises(TypeError, match=message):
        Ratings.from_frame(make(columns))


@pytest.mark.parametrize("make", OTHERS)
def test_a_missing_column_is_named(make):
    with pytest.raises(ValueError, match=r"no column \['rating'\] in this frame; .*'user_id', 'mo"):
        Ratings.from_frame(make({"user_id": [1], "movie_id": [2]}))


@pytest.mark.parametrize("name", [0, -1])
def test_a_number_is_a_name_and_no_place(name):
    table = {"a": [1, 2], "movie_id": [1, 2], "rating": [1.0, 2.0]}
    for make in (pl.DataFrame, pa.table):
        with pytest.raises(ValueError, match=rf"no column \[{name}\]"):
            Ratings.from_frame(make(table), user=name)
    numbered = {name: [1, 2], "movie_id": [1, 2], "rating": [1.0, 2.0]}
    assert Ratings.from_frame(numbered, user=name).n_users == 2


def test_a_lazy_table_is_refused_with_the_cure(tiny):
    lazy = pl.LazyFrame({"user_id": [1], "movie_id": [2], "rating": [3.0]})
    with pytest.raises(TypeError, match=r"this frame: a lazy table .*\.collect\(\) first"):
        Ratings.from_frame(lazy)
    with pytest.raises(TypeError, match=r"item_features: a lazy table .*\.collect\(\) first"):
        FeatureALS(1).fit(tiny, item_features=lazy)


@pytest.mark.parametrize("value", [[(1, 2, 3.0)], np.ones((2, 3)), "ratings.csv", None])
def test_what_is_no_table_is_refused(value):
    with pytest.raises(TypeError, match=r"this frame must be a table .* got (list|nd|str|NoneT)"):
        Ratings.from_frame(value)


# A whole table


@pytest.mark.parametrize("make", OTHERS)
def test_a_whole_table_becomes_one_of_pandas(make):
    columns = {"movie_id": [3, 1], "title": ["Up", "Heat"], "year": [2009, None]}
    frame = as_frame(make(columns), "movies")
    assert frame.columns.tolist() == list(columns)
    assert frame["title"].tolist() == ["Up", "Heat"]
    assert frame["movie_id"].tolist() == [3, 1]
    assert frame["year"].isna().tolist() == [False, True]


def test_rows_of_series_belong_together_by_place():
    one = pd.Series([1, 2], index=[5, 6])
    two = pd.Series([3, 4], index=[6, 5])
    assert as_frame({"a": one, "b": two}, "it").to_numpy().tolist() == [[1, 3], [2, 4]]


@pytest.mark.parametrize(
    "columns", [{"a": [1, 2], "b": [1]}, {"a": 1, "b": 2}, {"a": np.ones((2, 2))}]
)
def test_columns_that_are_not_equally_long_are_refused(columns):
    with pytest.raises(ValueError, match=r"movies: columns must be equally long, got \{'a': \("):
        as_frame(columns, "movies")


@pytest.mark.parametrize("to", [pl.from_pandas, pa.Table.from_pandas, lambda t: dict(t.items())])
def test_movies_may_come_from_every_library(to):
    own = load_movielens()
    other = MovieLens(own.name, to(own.ratings), to(own.movies))
    assert str(other) == str(own)
    assert other.titles().equals(own.titles())
    assert other.recent_counts().equals(own.recent_counts())
    options = {"genres": True, "decade": True, "year": True}
    expected = movie_features(own.movies, **options)
    pd.testing.assert_frame_equal(movie_features(other.movies, **options), expected)
    found = movie_features(to(own.movies), **options)
    pd.testing.assert_frame_equal(found, expected)


def test_polars_needs_no_arrow():
    code = """
import sys
sys.modules["pyarrow"] = None
import numpy as np, polars as pl
from alslib import FeatureALS, MovieLens, Ratings, movie_features
table = pl.DataFrame({"user_id": ["a", "b"], "movie_id": [1, 2], "rating": [1.0, 2.0]})
movies = pl.DataFrame({"movie_id": [1, 2], "title": ["Up", "Heat"], "genres": ["A|B", ""],
                       "year": [2009, None]})
ratings = Ratings.from_frame(table)
features = pl.DataFrame({"movie_id": [2, 1], "old": [True, False]})
FeatureALS(1).fit(ratings, item_features=[features, movie_features(movies)])
print(MovieLens("mine", table, movies))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("mine: 2 ratings, 2 users, 2 movies")
