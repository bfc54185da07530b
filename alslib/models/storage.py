"""One file per model: arrays in NumPy's ``.npz``, everything else as JSON inside it, no pickle."""

from __future__ import annotations

import glob
import json
import math
import os
import secrets
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from alslib.models.history import Sweep

if TYPE_CHECKING:
    from alslib.models.base import ALSModel

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

FORMAT_VERSION = 1

_HEADER = "header"
_IDS = ("user_ids_", "item_ids_")
_UNFINISHED = ".unfinished"

# What zipfile, NumPy and json raise on files that are cut off, altered or something else.
_SIGNS_OF_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    AttributeError,
    EOFError,
    KeyError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)


def save(model: ALSModel, path: str | Path) -> None:
    """Write a fitted model; see `ALSModel.save`."""
    header = {
        "model": type(model).__name__,
        "params": model._fitted_params,
        "mean": model.mean_,
        "scale": model.scale_,
        "history": model.history_,
    }
    header |= {name: getattr(model, name) for name in model._header_names}
    layout = model._array_layout(len(model.user_ids_), len(model.item_ids_))
    arrays = {name: getattr(model, name) for name in [*_IDS, *layout]}
    write(path, header, arrays)


def load(cls: type[ALSModel], path: str | Path) -> ALSModel:
    """Read a model of the class; see `ALSModel.load`."""
    header, arrays = read(path)
    if header.get("model") != cls.__name__:
        raise ValueError(f"{path} holds a {header.get('model')}, not a {cls.__name__}")
    try:
        model = cls(**header["params"])
        model._check_params()
        model._fitted_params = model.get_params()
        model.mean_, (low, high) = float(header["mean"]), map(float, header["scale"])
        model.history_ = [Sweep(*record) for record in header["history"]]
        for name in cls._header_names:
            setattr(model, name, _lists_of_names(header[name]))
    except (KeyError, TypeError) as error:
        raise ValueError(f"the header of {path} is damaged: {error}") from error
    if not low <= high or not np.isfinite([model.mean_, low, high]).all():
        raise ValueError(f"the mean {model.mean_} or the scale {low}–{high} in {path} is damaged")
    model.scale_ = (low, high)
    _check_arrays(path, arrays, model._array_layout)
    for name, array in arrays.items():
        setattr(model, name, array)
    return model


def _lists_of_names(lists) -> list[list[str]]:
    if not isinstance(lists, list) or not all(isinstance(names, list) for names in lists):
        raise TypeError(f"{lists!r} is not a list of lists")
    for name in (name for names in lists for name in names):
        if not isinstance(name, str):
            raise TypeError(f"{name!r} is not a name")
    return lists


def _check_arrays(path, arrays, layout_for) -> None:
    n_users, n_items = (np.size(arrays.get(name)) for name in _IDS)
    layout = layout_for(n_users, n_items)
    expected = {"user_ids_": (n_users,), "item_ids_": (n_items,)}
    expected |= {name: shape for name, (_, shape) in layout.items()}
    found = {name: array.shape for name, array in arrays.items()}
    if found != expected:
        raise ValueError(f"the arrays in {path} do not fit together: {found}, not {expected}")
    for name, array in arrays.items():
        if name in _IDS:
            if array.dtype.kind not in "iU" or not np.all(array[1:] > array[:-1]):
                raise ValueError(f"{name} in {path} are not ascending integers or strings")
            continue
        kind = np.dtype(layout[name][0])
        if array.dtype != kind or not np.isfinite(array).all():
            raise ValueError(f"{name} in {path} holds something else than finite {kind} numbers")


def write(path: str | Path, header: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    """Write a header and named arrays to one file, all of it or nothing; see `replacing`.

    Parameters
    ----------
    path : str or Path
        Written exactly as given.
    header : dict
        Anything that JSON can hold.
    arrays : dict of str to ndarray
        Numbers or fixed-width strings.

    Raises
    ------
    OSError
        If the file cannot be written.
    ValueError
        If an array holds Python objects.
    """
    # np.savez is not asked to refuse them: until NumPy 2.2 it took `allow_pickle` for an array.
    for name, array in arrays.items():
        if array.dtype.hasobject:
            raise ValueError(f"{name} holds Python objects, which are not saved")
    text = json.dumps({"format_version": FORMAT_VERSION, **header}, default=_plain)
    with replacing(path) as file:
        np.savez(file, **{_HEADER: np.array(text)}, **arrays)


@contextmanager
def replacing(path: str | Path) -> Iterator[BinaryIO]:
    """Open a new file that takes the place of `path` when the block ends, all of it or nothing.

    It is completed under another name in the same folder and then moved over `path`, so that a
    crash or a full disk leaves the old file as it was. What a process that was killed has left
    behind is removed by the next one that writes to `path`.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    path = Path(path).resolve()  # a link stays a link, and its target is replaced
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; name a file in it")
    for left in path.parent.glob(f".{glob.escape(path.name)}.*{_UNFINISHED}"):
        _remove_if_abandoned(left)
    # Those of the file that is replaced; for a new one the system takes the umask away.
    mode = path.stat().st_mode & 0o777 if path.exists() else None
    unfinished, file = _open_unfinished(path, 0o666 if mode is None else mode)
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            if mode is not None:
                os.chmod(unfinished, mode)
        os.replace(unfinished, path)
    except BaseException:
        unfinished.unlink()
        raise


def _open_unfinished(path: Path, mode: int) -> tuple[Path, BinaryIO]:
    """Open a new file beside `path`, locked as long as it is open."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    while True:
        unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}{_UNFINISHED}")
        file = os.fdopen(os.open(unfinished, flags, mode), "wb")
        _lock(file, wait=True)
        if unfinished.exists():
            return unfinished, file
        file.close()  # somebody has taken it for abandoned before it was locked


def _remove_if_abandoned(unfinished: Path) -> None:
    """Remove a file that nobody writes to any more."""
    # Another process may be quicker; and Windows lets nobody remove a file that is open.
    with suppress(FileNotFoundError, PermissionError), unfinished.open("ab") as file:
        if _lock(file, wait=False):
            unfinished.unlink()


def _lock(file: BinaryIO, wait: bool) -> bool:
    """Lock a file until it is closed; return whether that was possible."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:  # it is locked by another, or its file system knows no locks
        return False
    return True


def _plain(value):
    """Turn a number that JSON does not know, such as NumPy's, into one that it knows."""
    return value.item() if isinstance(value, np.generic) else float(value)


def read(path: str | Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Read what `write` wrote.

    Raises
    ------
    OSError
        If the file cannot be opened.
    ValueError
        If it is not such a file, is damaged, holds Python objects, or has another version.
    """
    # Opened here, because np.load forgets to close a file that it cannot read.
    with open(path, "rb") as opened:
        return _parse(path, opened)


def _parse(path, opened) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    try:
        arrays = _read_arrays(opened)
        header = json.loads(str(arrays.pop(_HEADER)))
        version = header.pop("format_version")
    except _SIGNS_OF_DAMAGE as error:
        raise ValueError(
            f"{path} is not a model saved by alslib, or is damaged: {error}"
        ) from error
    if version != FORMAT_VERSION:
        raise ValueError(
            f"{path} has format version {version}, this alslib reads version {FORMAT_VERSION}"
        )
    return header, arrays


def _read_arrays(opened: BinaryIO) -> dict[str, np.ndarray]:
    """Read all arrays of a ``.npz``, and ask for no more memory than the file has bytes.

    `numpy.load` believes whatever size a file claims. `numpy.savez` never compresses.
    """
    with zipfile.ZipFile(opened) as archive:
        entries = archive.infolist()
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
            raise ValueError("its entries are compressed")
        if sum(entry.file_size for entry in entries) > os.fstat(opened.fileno()).st_size:
            raise ValueError("its entries claim to be larger than the file")
        arrays = {}
        for entry in entries:
            with archive.open(entry) as stream:
                arrays[entry.filename.removesuffix(".npy")] = _read_array(stream, entry.file_size)
    return arrays


def _read_array(stream, n_bytes: int) -> np.ndarray:
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
    else:
        shape, _, dtype = np.lib.format.read_array_header_2_0(stream)
    if not dtype.hasobject and math.prod(shape) * dtype.itemsize != n_bytes - stream.tell():
        raise ValueError(f"{n_bytes} bytes do not hold an array of shape {shape}")
    stream.seek(0)
    return np.lib.format.read_array(stream, allow_pickle=False)
