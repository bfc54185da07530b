"""Manners of every model: scikit-learn's habits, bad input, files."""

import io
import json
import os
import subprocess
import sys
import tracemalloc
import zipfile
from fractions import Fraction

import numpy as np
import pytest
from sklearn.base import clone

from alslib import BiasALS, Ratings, _archive


@pytest.fixture
def fitted(tiny):
    return BiasALS(gamma=2.0, n_sweeps=3).fit(tiny, validation=tiny)


def state(model):
    """Everything that a fit has set, in comparable form."""
    return {
        name: value.tobytes() if isinstance(value, np.ndarray) else repr(value)
        for name, value in vars(model).items()
        if name.endswith("_")
    }


def test_parameters_can_be_read_set_and_cloned(fitted):
    assert fitted.get_params() == {"lam": 1.0, "gamma": 2.0, "n_sweeps": 3, "tol": 1e-6}
    copy = clone(fitted)
    assert copy.get_params() == fitted.get_params()
    assert not hasattr(copy, "user_bias_")
    assert fitted.set_params(gamma=7.0) is fitted and fitted.gamma == 7.0
    assert repr(copy) == "BiasALS(lam=1.0, gamma=2.0, n_sweeps=3, tol=1e-06)"


def test_an_unknown_hyperparameter_is_named_and_nothing_changes(fitted):
    with pytest.raises(ValueError, match="no hyperparameter tau; it has lam, gamma, n_sweeps, tol"):
        fitted.set_params(gamma=9.0, tau=1.0)
    assert fitted.gamma == 2.0


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"lam": 0}, ValueError, "lam must be greater than 0, got 0"),
        ({"lam": float("inf")}, ValueError, "lam must be finite, got inf"),
        ({"lam": "1"}, TypeError, "lam must be a number, got '1'"),
        ({"gamma": -1}, ValueError, "gamma must be at least 0, got -1"),
        ({"gamma": float("nan")}, ValueError, "gamma must be finite, got nan"),
        ({"gamma": None}, TypeError, "gamma must be a number, got None"),
        ({"gamma": True}, TypeError, "gamma must be a number, got True"),
        ({"n_sweeps": 0}, ValueError, "n_sweeps must be at least 1, got 0"),
        ({"n_sweeps": 2.0}, TypeError, "n_sweeps must be an integer, got 2.0"),
        ({"tol": -1e-9}, ValueError, "tol must be at least 0"),
    ],
)
def test_bad_hyperparameters_are_named_and_leave_the_fit_untouched(
    fitted, tiny, params, error, message
):
    before = state(fitted)
    fitted.set_params(**params)
    for start in (fitted.fit, fitted.fit_iter, fitted.initialise):
        with pytest.raises(error, match=message):
            start(tiny)
    assert state(fitted) == before


def test_other_data_than_ratings_is_refused_with_the_cure(fitted, tiny):
    before = state(fitted)
    with pytest.raises(TypeError, match="these must be Ratings, got ndarray; wrap your data first"):
        fitted.fit(np.ones((3, 3)))
    with pytest.raises(TypeError, match="validation must be Ratings, got list"):
        fitted.fit(tiny, validation=[])
    with pytest.raises(ValueError, match="number their users and items differently"):
        fitted.fit(tiny, validation=Ratings([10], ["Up"], [3.0]))
    assert state(fitted) == before


def test_a_model_without_a_fit_says_so(tmp_path):
    for call in (lambda: BiasALS().predict(1, 2), lambda: BiasALS().save(tmp_path / "m.npz")):
        with pytest.raises(RuntimeError, match="this BiasALS is not fitted yet; call fit first"):
            call()


def test_ids_of_the_wrong_kind_are_not_taken_for_unknown_ones(fitted):
    with pytest.raises(TypeError, match="user ids are integers in these ratings, got strings"):
        fitted.predict("10", "Up")
    with pytest.raises(TypeError, match="item ids are strings in these ratings, got integers"):
        fitted.predict(10, 3)
    with pytest.raises(ValueError, match="broadcast"):
        fitted.predict([10, 20, 30], ["Up", "Heat"])


def test_a_saved_model_comes_back_bit_for_bit(fitted, tmp_path):
    path = tmp_path / "model"  # exactly this name, nothing appended
    fitted.save(path)
    again = BiasALS.load(path)
    assert state(again) == state(fitted)
    assert again.get_params() == fitted.get_params()
    assert again.predict(10, "Jaws") == fitted.predict(10, "Jaws")


def test_a_failed_save_leaves_the_old_file_and_no_other(fitted, tmp_path, monkeypatch):
    path = tmp_path / "model.npz"
    fitted.save(path)
    before = path.read_bytes()

    def full_disk(file, *_, **__):
        file.write(b"half a file")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np.lib.format, "write_array", full_disk)
    with pytest.raises(OSError, match="No space left"):
        fitted.save(path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["model.npz"]


def test_saving_into_no_folder_is_an_os_error(fitted, tmp_path):
    with pytest.raises(FileNotFoundError):
        fitted.save(tmp_path / "nowhere" / "model.npz")


def rewrite(path, header=None, **arrays):
    """Tamper with a saved model: change entries of the header, replace or drop (None) arrays."""
    with np.load(path) as file:
        content = {name: file[name] for name in file.files} | arrays
    changed = json.loads(str(content["header"])) | (header or {})
    content["header"] = np.array(json.dumps(changed))
    with open(path, "wb") as file:
        np.savez(file, **{name: array for name, array in content.items() if array is not None})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"header": {"format_version": 2}}, "has format version 2, this alslib reads version 1"),
        ({"header": {"model": "LatentALS"}}, "holds a LatentALS, not a BiasALS"),
        ({"header": {"params": {"lam": -1}}}, "lam must be greater than 0"),
        ({"user_bias_": np.zeros(4)}, "do not fit together"),
        ({"item_bias_": np.zeros((3, 1))}, "do not fit together"),
        ({"user_bias_": None}, "do not fit together"),
        ({"item_ids_": np.arange(2)}, "do not fit together"),
        ({"extra": np.zeros(1)}, "do not fit together"),
        ({"user_bias_": np.array([1.0, np.nan, 0.0])}, "user_bias_ .* else than finite float64"),
        ({"item_bias_": np.zeros(3, np.complex128)}, "item_bias_ .* else than finite float64"),
        ({"user_ids_": np.array([20, 10, 30])}, "user_ids_ .* not ascending"),
        ({"item_ids_": np.array(["Up", "Up", "Up"])}, "item_ids_ .* not ascending"),
        ({"item_ids_": np.array([1.0, 2.0, 3.0])}, "item_ids_ .* not ascending"),
        ({"header": {"mean": float("nan")}}, "the mean nan or the scale .* damaged"),
        ({"header": {"mean": "x"}}, "could not convert"),
        ({"header": {"scale": [5, 1]}}, "the scale 5.0–1.0 in .* damaged"),
        ({"header": {"scale": [5]}}, "not enough values"),
        ({"header": {"params": {"tau": 1}}}, "the header of .* is damaged: .*tau"),
        ({"header": {"history": [[1, 2]]}}, "the header of .* is damaged"),
        ({"user_bias_": np.array([{}, {}, {}])}, "damaged: Object arrays cannot be loaded"),
    ],
)
def test_tampered_files_are_refused(fitted, tmp_path, change, message):
    path = tmp_path / "model.npz"
    fitted.save(path)
    rewrite(path, **change)
    with pytest.raises(ValueError, match=message):
        BiasALS.load(path)


def test_any_flipped_byte_is_a_value_error_or_harmless(fitted, tmp_path):
    path = tmp_path / "model.npz"
    fitted.save(path)
    good = path.read_bytes()
    for position in range(0, len(good), 7):
        path.write_bytes(good[:position] + bytes([good[position] ^ 0xFF]) + good[position + 1 :])
        try:
            again = BiasALS.load(path)
        except ValueError:
            continue
        assert state(again) == state(fitted), f"byte {position} changed the model unnoticed"


@pytest.mark.parametrize("write", ["compressed", "claimed"])
def test_a_small_file_cannot_ask_for_much_memory(fitted, tmp_path, write):
    path = tmp_path / "model.npz"
    fitted.save(path)
    with np.load(path) as file:
        content = dict(file)
    n_many = 1 << 22
    if write == "compressed":
        np.savez_compressed(path, **content | {"user_bias_": np.zeros(n_many)})
    else:
        entry = io.BytesIO()
        header = {"descr": "<f8", "fortran_order": False, "shape": (n_many,)}
        np.lib.format.write_array_header_1_0(entry, header)
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("more.npy", entry.getvalue() + bytes(24))
    assert path.stat().st_size < 100_000
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="is not a file saved by alslib, or is damaged"):
            BiasALS.load(path)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 4_000_000


@pytest.mark.parametrize("n_bytes", [0, 10, 300])
def test_truncated_files_are_refused(fitted, tmp_path, n_bytes):
    path = tmp_path / "model.npz"
    fitted.save(path)
    path.write_bytes(path.read_bytes()[:n_bytes])
    with pytest.raises(ValueError, match=r"is not a file saved by alslib, or is damaged"):
        BiasALS.load(path)


@pytest.mark.parametrize("number", [np.int64(4), np.float32(4), Fraction(4)])
def test_hyperparameters_of_every_number_type_can_be_saved(tiny, tmp_path, number):
    model = BiasALS(gamma=number, n_sweeps=np.int64(2)).fit(tiny)
    model.save(tmp_path / "model.npz")
    assert BiasALS.load(tmp_path / "model.npz").get_params() == model.get_params()


def test_saving_keeps_permissions_and_links(fitted, tmp_path):
    target, link = tmp_path / "model.npz", tmp_path / "newest"
    target.touch(mode=0o640)
    link.symlink_to(target)
    fitted.save(link)
    assert link.is_symlink()
    assert target.stat().st_mode & 0o777 == 0o640
    assert BiasALS.load(target).mean_ == fitted.mean_
    with pytest.raises(IsADirectoryError, match="is a folder; name a file in it"):
        fitted.save(tmp_path)


def test_a_new_file_has_the_permissions_of_any_other_and_the_umask_is_left_alone(
    fitted, tmp_path, monkeypatch
):
    """Even for a moment: it is that of all threads."""
    (tmp_path / "other").touch()
    monkeypatch.setattr(os, "umask", lambda _: pytest.fail("the umask was changed"))
    fitted.save(tmp_path / "model.npz")
    assert (tmp_path / "model.npz").stat().st_mode == (tmp_path / "other").stat().st_mode


KILLED = """
import os, signal, sys
from alslib._archive import replacing
with replacing(sys.argv[1]) as file:
    file.write(bytes(100))
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_leaves_is_removed_by_the_next_save(fitted, tmp_path):
    path = tmp_path / "model.npz"
    subprocess.run([sys.executable, "-c", KILLED, path], check=False)
    assert len(os.listdir(tmp_path)) == 1
    fitted.save(path)
    assert os.listdir(tmp_path) == ["model.npz"]


def test_what_another_still_writes_is_not_removed(fitted, tmp_path):
    path = tmp_path / "model.npz"
    with _archive.replacing(path) as file:
        fitted.save(path)
        saved = path.read_bytes()
        file.write(b"later")
    assert path.read_bytes() == b"later"
    path.write_bytes(saved)
    assert BiasALS.load(path).mean_ == fitted.mean_
    assert os.listdir(tmp_path) == ["model.npz"]


def test_ratings_of_another_data_set_are_refused(fitted, tiny, medium):
    """The kernels check no bounds: with other indices they would read and write past the arrays."""
    for call in (fitted.objective, fitted.blocks):
        with pytest.raises(ValueError, match="number their users and items differently"):
            call(medium)
        with pytest.raises(TypeError, match="must be Ratings, got list"):
            call([])
    for call in (BiasALS().objective, BiasALS().blocks):
        with pytest.raises(RuntimeError, match="not fitted yet"):
            call(tiny)


@pytest.mark.parametrize("advance", [0, 2])
def test_an_iterator_outlived_by_another_fit_stops_with_an_error(tiny, medium, advance):
    model = BiasALS(tol=0)
    records = model.fit_iter(medium)
    for _ in range(advance):
        next(records)
    model.fit(tiny)
    before = state(model)
    with pytest.raises(RuntimeError, match="fitted anew since this iterator was made"):
        list(records)
    assert state(model) == before


def test_a_missing_file_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        BiasALS.load(tmp_path / "none.npz")


def test_objects_are_never_written(tmp_path):
    with pytest.raises(ValueError, match="ids holds Python objects"):
        _archive.write(tmp_path / "model.npz", {}, {"ids": np.array(["a", None])})
    assert os.listdir(tmp_path) == []
