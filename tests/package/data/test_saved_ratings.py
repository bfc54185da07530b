"""Ratings come back from a file bit for bit, mapped or not; a damaged file is refused."""

import json
import os

import numpy as np
import pytest

from alslib import LatentALS, Ratings, Recommender


@pytest.fixture(params=["plain", "dated", "floats"])
def ratings(request, medium):
    users, items, values = medium.triples()
    if request.param == "plain":
        return medium.with_ids(users=[1000])
    if request.param == "floats":
        return Ratings(users.astype(str), items, values + np.pi * users)
    days = np.datetime64("2020-01-01") + users
    return Ratings(users, items, values, (0, 6), times=days, weights=items + 1)


def arrays(ratings):
    return {
        "user_ids": ratings.user_ids,
        "item_ids": ratings.item_ids,
        **{f"by_user_{name}": part for name, part in ratings.by_user._asdict().items()},
        **{f"by_item_{name}": part for name, part in ratings.by_item._asdict().items()},
        "times": ratings.times,
        "weights": ratings.weights,
    }


@pytest.mark.parametrize("mmap", [False, True])
def test_ratings_come_back_bit_for_bit(ratings, tmp_path, mmap):
    ratings.save(tmp_path / "ratings")
    again = Ratings.load(tmp_path / "ratings", mmap=mmap)
    for name, array in arrays(ratings).items():
        found = arrays(again)[name]
        if array is None:
            assert found is None
            continue
        assert found.dtype == array.dtype
        np.testing.assert_array_equal(found, array)
        # Otherwise numba would compile all kernels once more.
        assert found.flags.aligned and found.flags.writeable and found.flags.c_contiguous
    assert (again.scale, again.offset, again.step) == (ratings.scale, ratings.offset, ratings.step)


def test_mapped_ratings_stay_in_the_file_and_what_is_changed_does_not(medium, tmp_path):
    path = tmp_path / "ratings.npz"
    medium.save(path)
    before = path.read_bytes()
    mapped = Ratings.load(path, mmap=True)
    assert not any(part.flags.owndata for part in [*mapped.by_user, *mapped.by_item])
    mapped.by_user.data[:] = 0
    assert path.read_bytes() == before
    os.replace(path, tmp_path / "moved")  # a newer file may take its place
    assert mapped.by_item.data.max() == medium.by_item.data.max()


def test_a_model_serves_from_files_in_another_process_as_in_this_one(medium, tmp_path):
    model = LatentALS(3, n_sweeps=2).fit(medium)
    model.save(tmp_path / "model")
    medium.save(tmp_path / "ratings")
    there = Recommender(
        LatentALS.load(tmp_path / "model"), Ratings.load(tmp_path / "ratings", mmap=True)
    )
    here = Recommender(model, medium)
    assert there.recommend(3).equals(here.recommend(3))
    for found, expected in zip(there.recommend_all(5), here.recommend_all(5), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("mmap", [False, True])
def test_no_flipped_bit_goes_unnoticed(tiny, tmp_path, mmap):
    path = tmp_path / "ratings"
    tiny.save(path)
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for position in rng.choice(len(whole), 300, replace=False):
        damaged = bytearray(whole)
        damaged[position] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        try:
            again = Ratings.load(path, mmap=mmap)
        except ValueError:
            continue
        for name, array in arrays(tiny).items():
            np.testing.assert_array_equal(arrays(again)[name], array)
    for n_bytes in (0, 10, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:n_bytes])
        with pytest.raises(ValueError, match="is not a file saved by alslib, or is damaged"):
            Ratings.load(path, mmap=mmap)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"by_user_indices": lambda a: a + 1000}, "ratings of unknown ids"),
        ({"by_user_indices": lambda a: -a}, "ratings of unknown ids"),
        ({"by_item_indptr": lambda a: a[::-1].copy()}, "do not follow each other"),
        ({"by_item_indptr": lambda a: a * 2}, "do not follow each other"),
        ({"by_item_indptr": lambda a: a[:-1]}, "its indptr have"),
        ({"by_user_indptr": lambda a: a.astype(np.int32)}, "its indptr have type int32"),
        ({"by_user_data": lambda a: a[:-1]}, "its data have"),
        ({"by_user_data": lambda a: a.astype(np.float32) * np.nan}, "not finite"),
        ({"by_user_data": lambda a: a.astype(np.float32)}, "different ratings"),
        ({"by_user_indices": lambda a: np.zeros_like(a)}, "not in order"),
        ({"user_ids": lambda a: a[::-1].copy()}, "not ascending"),
        ({"times": lambda a: np.arange(3)}, "times or weights"),
        ({"weights": lambda a: np.arange(5)}, "times or weights"),
        ({"by_user_data": lambda a: None}, "by_user_data"),
        ({"header": {"scale": [5, 1]}}, "its scale is"),
        ({"header": {"kind": "Rankings"}}, "holds no Ratings"),
    ],
)
def test_arrays_that_do_not_fit_together_are_refused(tiny, tmp_path, change, message):
    path = tmp_path / "ratings"
    tiny.save(path)
    with np.load(path) as file:
        content = dict(file)
    for name, changed in change.items():
        if name == "header":
            header = json.loads(str(content["header"])) | changed
            content["header"] = np.array(json.dumps(header))
        else:
            content[name] = changed(content.get(name))
    with path.open("wb") as file:
        np.savez(file, **{name: array for name, array in content.items() if array is not None})
    with pytest.raises(ValueError, match=message):
        Ratings.load(path)


def test_a_model_is_no_ratings_and_ratings_are_no_model(medium, tmp_path):
    LatentALS(1, n_sweeps=1).fit(medium).save(tmp_path / "model")
    medium.save(tmp_path / "ratings")
    with pytest.raises(ValueError, match="holds no Ratings"):
        Ratings.load(tmp_path / "model")
    with pytest.raises(ValueError, match="not a LatentALS"):
        LatentALS.load(tmp_path / "ratings")
