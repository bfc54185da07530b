"""Ratings read in pieces are those of one table, bit for bit, and never in memory together."""

import gc
import itertools
import os
import sys
import tracemalloc
import weakref
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import assert_same_fit
from pyarrow import parquet
from strategies import triples

from alslib import BiasALS, FeatureALS, ImplicitALS, LatentALS, Ratings, make_ratings
from alslib.data import mapped, two_passes

COLUMNS = ("user_id", "movie_id", "rating", "timestamp", "weight")


def contents(ratings):
    """Everything that tells two ratings apart, with its type, as bytes."""
    arrays = [ratings.user_ids, ratings.item_ids, *ratings.by_user, *ratings.by_item]
    arrays += [column for column in (ratings.times, ratings.weights) if column is not None]
    return [(array.dtype, array.tobytes()) for array in arrays] + [
        (ratings.offset, ratings.step, ratings.scale)
    ]


@pytest.fixture(scope="module", autouse=True)
def many_buckets():
    """Few ratings are in as many buckets as many would be."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(two_passes, "_BUCKET", 7)
        yield


@pytest.fixture(scope="module")
def table():
    """Ratings in no order, with all that may be beside them."""
    world = make_ratings(300, 200, 6_000, n_factors=2)
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "user_id": 3 * world.users.astype(np.int64) + 17,
            "movie_id": world.items.astype(np.int64),
            "rating": world.values,
            "timestamp": rng.integers(0, 10**9, 6_000),
            "weight": rng.integers(1, 9, 6_000) / 4,
        }
    )
    return frame.sample(frac=1, random_state=1)


@st.composite
def tables(draw):
    """Draw a table and the same one in pieces, some of them without a rating."""
    values = draw(st.sampled_from([None, st.floats(-1e3, 1e3, width=32)]))
    users, items, stars = draw(triples(values))
    whole = {"user_id": users, "movie_id": items, "rating": stars}
    if draw(st.booleans()):
        whole["user_id"] = users.astype(str)
    cuts = draw(st.lists(st.integers(0, len(stars)), max_size=5))
    borders = [0, *sorted(cuts), len(stars)]
    pieces = [
        {name: column[first:last] for name, column in whole.items()}
        for first, last in itertools.pairwise(borders)
    ]
    return whole, pieces


@pytest.mark.parametrize("in_file", [False, True])
@given(drawn=tables())
def test_pieces_give_what_one_table_gives(drawn, in_file, tmp_path_factory):
    whole, pieces = drawn
    file = tmp_path_factory.mktemp("pieces") / "ratings" if in_file else None
    assert contents(Ratings.from_pieces(pieces, file=file)) == contents(Ratings.from_frame(whole))


def test_the_file_is_that_which_save_writes_byte_for_byte(table, tmp_path):
    pieces = [table[first : first + 700] for first in range(0, len(table), 700)]
    more = {"time": "timestamp", "weight": "weight", "scale": (0, 6)}
    Ratings.from_pieces(pieces, file=tmp_path / "pieces", **more)
    Ratings.from_frame(table, **more).save(tmp_path / "whole")
    assert (tmp_path / "pieces").read_bytes() == (tmp_path / "whole").read_bytes()
    assert sorted(os.listdir(tmp_path)) == ["pieces", "whole"], "something was left behind"


def test_ids_and_times_are_as_wide_as_the_widest_piece_needs():
    pieces = [
        {"user_id": ["al"], "movie_id": np.int32([7]), "rating": [1], "timestamp": [1]},
        {"user_id": ["barbara"], "movie_id": [2**40], "rating": [2.5], "timestamp": [2.5]},
    ]
    ratings = Ratings.from_pieces(pieces, time="timestamp")
    assert ratings.user_ids.tolist() == ["al", "barbara"]
    assert ratings.item_ids.tolist() == [7, 2**40]
    assert ratings.times.tolist() == [1, 2.5]
    assert ratings.step == 1.5


def written(table, folder, ending):
    """Write a table into a folder as four files of a kind, beside files of other kinds."""
    folder.mkdir()
    for number in range(4):
        part, path = table[number::4], folder / f"part-{number}{ending}"
        if ending == ".parquet":
            # Row groups that end elsewhere than the pieces that are read.
            parquet.write_table(pa.Table.from_pandas(part), path, row_group_size=333)
        else:
            part.to_csv(path, index=False)
    for other in ("README.txt", "_SUCCESS", ".part-0.parquet.crc", "_metadata.parquet"):
        (folder / other).write_text("not a rating")
    return folder


@pytest.mark.parametrize("ending", [".parquet", ".csv", ".csv.gz"])
def test_a_folder_its_files_and_a_function_are_read_alike(table, tmp_path, ending, monkeypatch):
    monkeypatch.setattr("alslib.data.pieces._ROWS", 500)
    folder = written(table, tmp_path / "ratings", ending)
    paths = sorted(folder.glob(f"part-*{ending}"))
    more = {"time": "timestamp", "weight": "weight"}
    expected = contents(Ratings.from_frame(table, **more))
    for pieces in (folder, str(folder), paths, [str(path) for path in paths], lambda: iter(paths)):
        assert contents(Ratings.from_pieces(pieces, **more)) == expected
    one = contents(Ratings.from_pieces(paths[0], **more))
    assert one == contents(Ratings.from_frame(table[0::4], **more))


GOOD = {"user_id": [1, 2], "movie_id": [5, 6], "rating": [3.5, 4]}


def bad(**columns):
    return [GOOD, GOOD | {"user_id": [8, 9]} | columns]


@pytest.mark.parametrize(
    ("pieces", "error", "message"),
    [
        (iter([GOOD]), TypeError, "only once.*function"),
        (GOOD, TypeError, "one table: Ratings.from_frame"),
        (pd.DataFrame(GOOD), TypeError, "one table: Ratings.from_frame"),
        (7, TypeError, "paths or tables, got int"),
        ([GOOD, 7], TypeError, "piece 1 must be a table"),
        ([], ValueError, "there are no ratings"),
        ([{name: [] for name in GOOD}], ValueError, "there are no ratings"),
        ([GOOD, {"user_id": [1]}], ValueError, r"no column \['movie_id', 'rating'\] in piece 1"),
        (bad(rating=[1, np.nan]), ValueError, "^piece 1: 1 of 2 ratings are NaN"),
        (bad(rating=[1]), ValueError, "^piece 1: .*equally long"),
        (bad(user_id=["a", "b"]), TypeError, "^piece 1: user ids are strings.*integers before"),
        (bad(movie_id=[0.5, 1]), TypeError, "^piece 1: item ids must be integers or strings"),
        ([GOOD, GOOD], ValueError, "user 1 rated item 5 more than once"),
    ],
)
@pytest.mark.parametrize("in_file", [False, True])
def test_pieces_that_will_not_do_are_named(pieces, error, message, in_file, tmp_path):
    with pytest.raises(error, match=message):
        Ratings.from_pieces(pieces, file=tmp_path / "ratings" if in_file else None)
    assert not list(tmp_path.iterdir())


def test_a_repeated_pair_is_named_wherever_its_user_is(table):
    pieces = [table, table[-1:]]
    user, item = table.iloc[-1][["user_id", "movie_id"]].astype(int)
    with pytest.raises(ValueError, match=f"user {user} rated item {item} more than once"):
        Ratings.from_pieces(pieces)


def test_times_of_two_kinds_are_refused():
    days = GOOD | {"user_id": [8, 9], "day": np.array(["2020-01-01", "2020-01-02"], "M8[D]")}
    with pytest.raises(
        TypeError, match=r"piece 1: times are datetime64\[D\] here, and int64 before"
    ):
        Ratings.from_pieces([GOOD | {"day": [1, 2]}, days], time="day")


def test_ratings_beyond_a_declared_scale_are_refused():
    with pytest.raises(ValueError, match=r"from 3\.5 to 4, which is beyond the scale from 1 to 3"):
        Ratings.from_pieces([GOOD], scale=(1, 3))


def test_files_that_will_not_do_are_named_with_their_rows(table, tmp_path, monkeypatch):
    monkeypatch.setattr("alslib.data.pieces._ROWS", 1_000)
    path = tmp_path / "ratings.csv"
    table.assign(rating=table["rating"].where(np.arange(len(table)) != 4_321)).to_csv(path)
    with pytest.raises(ValueError, match=r"ratings.csv, rows 4,000 to 4,999: 1 of .* position 321"):
        Ratings.from_pieces(path)
    for ending in (".csv", ".parquet"):
        folder = written(table.drop(columns="rating"), tmp_path / f"no{ending}", ending)
        with pytest.raises(
            ValueError, match=rf"no column \['rating'\] in .*part-0{ending}; it has"
        ):
            Ratings.from_pieces(folder)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"no file that ends in \.parquet, \.csv, \.csv\.gz in"):
        Ratings.from_pieces(tmp_path / "empty")
    with pytest.raises(ValueError, match=r"ratings\.xlsx does not end in"):
        Ratings.from_pieces(tmp_path / "ratings.xlsx")
    with pytest.raises(FileNotFoundError):
        Ratings.from_pieces(tmp_path / "nowhere.csv")


def test_a_folder_that_cannot_be_written_to_is_found_before_anything_is_read(tmp_path):
    def read():
        raise AssertionError("it was read")

    with pytest.raises(FileNotFoundError):
        Ratings.from_pieces(read, file=tmp_path / "nowhere" / "ratings")


@pytest.mark.parametrize("in_file", [False, True])
@pytest.mark.parametrize(
    "later",
    [
        [GOOD],
        [GOOD, {"user_id": [3], "movie_id": [5], "rating": [4]}, GOOD],
        [GOOD, {"user_id": [4], "movie_id": [5], "rating": [4]}],
        [GOOD, {"user_id": [3], "movie_id": [9], "rating": [4]}],
        [GOOD, {"user_id": [3], "movie_id": [5], "rating": [2]}],
    ],
    ids=["fewer", "more", "another user", "another item", "another rating"],
)
def test_pieces_that_change_between_the_passes_are_refused(later, in_file, tmp_path):
    passes = iter([[GOOD, {"user_id": [3], "movie_id": [5], "rating": [4]}], later])
    with pytest.raises(ValueError, match="have changed between"):
        Ratings.from_pieces(lambda: next(passes), file=tmp_path / "ratings" if in_file else None)


class Column:
    """A column that one can ask whether it is still there, and that NumPy can read."""

    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return self.values

    def __len__(self):
        return len(self.values)


@pytest.mark.parametrize("in_file", [False, True])
def test_no_piece_is_kept(table, in_file, tmp_path):
    alive = weakref.WeakSet()
    most = 0

    def read():
        nonlocal most
        for first in range(0, len(table), 500):
            column = Column(table["rating"].to_numpy()[first : first + 500])
            alive.add(column)
            gc.collect()
            most = max(most, len(alive))
            piece = {name: table[name].to_numpy()[first : first + 500] for name in COLUMNS[:2]}
            yield piece | {"rating": column}

    Ratings.from_pieces(read, file=tmp_path / "ratings" if in_file else None)
    assert most <= 2, "one is made while the one before goes"


def test_into_a_file_go_more_ratings_than_memory_is_used(tmp_path, monkeypatch):
    monkeypatch.setattr(two_passes, "_BUCKET", 1 << 14)
    n_users, of_user = 2_000, 500

    def read():
        for first in range(0, n_users, 40):
            users = np.repeat(np.arange(first, first + 40, dtype=np.int32), of_user)
            items = np.tile(np.arange(of_user, dtype=np.int32), 40)
            yield {"user_id": users, "movie_id": items, "rating": (users + items) % 10 / 2}

    Ratings.from_pieces([next(read())], file=tmp_path / "compiled")
    tracemalloc.start()
    try:
        ratings = Ratings.from_pieces(read, file=tmp_path / "ratings")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert ratings.n_ratings == n_users * of_user
    assert peak < 0.4 * ratings.nbytes


MODELS = [
    BiasALS(n_sweeps=3),
    LatentALS(5, n_sweeps=3),
    LatentALS(5, n_sweeps=3, cg_steps=2),
    LatentALS(5, joint=False, n_sweeps=3),
    ImplicitALS(5, lam=4, n_sweeps=3),
    FeatureALS(5, n_sweeps=3),
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
@pytest.mark.parametrize("weight", [None, "weight"])
def test_a_fit_to_a_file_has_the_same_bits_stretch_by_stretch(
    table, tmp_path, model, weight, monkeypatch
):
    whole = Ratings.from_frame(table, weight=weight)
    in_file = Ratings.from_pieces([table], weight=weight, file=tmp_path / "ratings")
    monkeypatch.setattr(mapped, "_AT_ONCE", 1_000)
    assert len(list(in_file.by_item.stretches())) > 20
    assert len(list(whole.by_item.stretches())) == 1
    assert in_file.mean == whole.mean
    here, there = (type(model)(**model.get_params()) for _ in range(2))
    here.fit(whole, progress=False)
    there.fit(in_file, progress=False)
    assert_same_fit(there, here)


@given(
    lengths=st.lists(st.integers(0, 40), min_size=1, max_size=60),
    at_once=st.integers(1, 200),
    in_file=st.booleans(),
)
def test_stretches_cover_all_rows_once_and_are_no_longer_than_they_may_be(
    lengths, at_once, in_file, tmp_path_factory
):
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    columns = (np.zeros(indptr[-1], np.int32), np.zeros(indptr[-1], np.uint8))
    if in_file and indptr[-1]:
        path = tmp_path_factory.mktemp("mapped") / "column"
        np.save(path, columns[0])
        columns = (np.load(path.with_suffix(".npy"), mmap_mode="c"), columns[1])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mapped, "_AT_ONCE", at_once)
        found = list(mapped.stretches(indptr, columns))
    assert [row for rows in found for row in range(rows.start, rows.stop)] == list(
        range(len(lengths))
    )
    if not in_file:
        assert len(found) == 1
    for rows in found:
        n_entries = indptr[rows.stop] - indptr[rows.start]
        assert not in_file or rows.stop == rows.start + 1 or 4 * n_entries <= max(at_once, 4)


@pytest.mark.skipif(sys.platform != "linux", reason="reads what Linux says of a process's memory")
def test_what_a_fit_has_read_of_a_file_does_not_stay_in_memory(tmp_path):
    world = make_ratings(3_000, 1_000, 400_000)
    path = tmp_path / "ratings"
    world.ratings.save(path)
    ratings = Ratings.load(path, mmap=True)
    assert resident(path) < 0.1 * ratings.nbytes, "it has been read to be checked"
    for array in (*ratings.by_user, *ratings.by_item):
        array.sum()
    assert resident(path) > 0.9 * ratings.nbytes, "otherwise this would measure nothing"
    LatentALS(4, n_sweeps=1).fit(ratings, progress=False)
    assert resident(path) < 0.1 * ratings.nbytes


def resident(path):
    """Return how many bytes of a mapped file are in this process's memory."""
    of_file, total = False, 0
    for line in Path("/proc/self/smaps").read_text().splitlines():
        name, _, value = line.partition(" ")
        if "-" in name:  # the addresses of another map
            of_file = line.endswith(str(path))
        elif of_file and name == "Rss:":
            total += 1024 * int(value.split()[0])
    return total
