"""One file for a model or for ratings: arrays in NumPy's ``.npz``, all else as JSON, no pickle.

Nothing is compressed, and every array starts where a processor likes to read, so that it can also
be left in the file.
"""

from __future__ import annotations

import glob
import json
import math
import mmap
import os
import secrets
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

FORMAT_VERSION = 1

_HEADER = "header"
_UNFINISHED = ".unfinished"

# Of the zip format: the bytes before the name of an entry, those of the field for its size in 64
# bits, and the number of a field that says nothing. PKWARE, APPNOTE.TXT, sections 4.3.7 and 4.5.
_LOCAL_HEADER = 30
_ZIP64 = 20
_PADDING = 0xD935
_LINE = 64

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


class Streamed(NamedTuple):
    """An array that is written while it is made, so that it is never in memory as a whole.

    Attributes
    ----------
    dtype : dtype
    length : int
        Of its only axis.
    parts : iterable of ndarray
        One after the other, of this type, and of this length together.
    """

    dtype: np.dtype
    length: int
    parts: Iterable[np.ndarray]


def write(
    path: str | Path, header: dict[str, Any], arrays: Mapping[str, np.ndarray | Streamed]
) -> None:
    """Write a header and named arrays to one file, all of it or nothing; see `replacing`.

    Parameters
    ----------
    path : str or Path
        Written exactly as given.
    header : dict
        Anything that JSON can hold.
    arrays : dict of str to ndarray or Streamed
        Numbers or fixed-width strings. They are written, and so asked for, in this order.

    Raises
    ------
    OSError
        If the file cannot be written.
    ValueError
        If an array holds Python objects.
    """
    for name, array in arrays.items():
        if array.dtype.hasobject:
            raise ValueError(f"{name} holds Python objects, which are not saved")
    text = json.dumps({"format_version": FORMAT_VERSION, **header}, default=_plain)
    with replacing(path) as file, zipfile.ZipFile(file, "w") as archive:
        for name, array in {_HEADER: np.array(text), **arrays}.items():
            entry = zipfile.ZipInfo(f"{name}.npy")
            entry.extra = _padding(file.tell() + _LOCAL_HEADER + len(entry.filename) + _ZIP64)
            with archive.open(entry, "w", force_zip64=True) as stream:
                if isinstance(array, Streamed):
                    _write_parts(stream, array)
                else:
                    np.lib.format.write_array(stream, array, allow_pickle=False)


def _write_parts(stream, array: Streamed) -> None:
    description = {
        "descr": np.lib.format.dtype_to_descr(array.dtype),
        "fortran_order": False,
        "shape": (array.length,),
    }
    np.lib.format.write_array_header_1_0(stream, description)
    for part in array.parts:
        stream.write(np.ascontiguousarray(part, array.dtype).view(np.uint8))


def _padding(start: int) -> bytes:
    """Return an extra field for an entry that would start here, so that it starts at a whole line.

    In NumPy's format the numbers begin a whole number of lines after the start.
    """
    n_bytes = -start % _LINE
    if 0 < n_bytes < 4:  # a field has four bytes that say what it is and how long
        n_bytes += _LINE
    return struct.pack("<HH", _PADDING, n_bytes - 4) + bytes(n_bytes - 4) if n_bytes else b""


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


def read(path: str | Path, mapped: bool = False) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Read what `write` wrote.

    Parameters
    ----------
    path : str or Path
    mapped : bool
        Leave the arrays in the file, after all bytes have been read once to compare their
        checksums. What is changed in such an array does not reach the file.

    Raises
    ------
    OSError
        If the file cannot be opened.
    ValueError
        If it is not such a file, is damaged, holds Python objects, or has another version.
    """
    # Opened here, because np.load forgets to close a file that it cannot read.
    with open(path, "rb") as opened:
        return _parse(path, opened, mapped)


def _parse(path, opened, mapped) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    try:
        arrays = _read_arrays(opened, mapped)
        header = json.loads(str(arrays.pop(_HEADER)))
        version = header.pop("format_version")
    except _SIGNS_OF_DAMAGE as error:
        raise ValueError(f"{path} is not a file saved by alslib, or is damaged: {error}") from error
    if version != FORMAT_VERSION:
        raise ValueError(
            f"{path} has format version {version}, this alslib reads version {FORMAT_VERSION}"
        )
    return header, arrays


def _read_arrays(opened: BinaryIO, mapped: bool) -> dict[str, np.ndarray]:
    """Read all arrays of a ``.npz``, and ask for no more memory than the file has bytes.

    `numpy.load` believes whatever size a file claims, and maps none of these files.
    """
    with zipfile.ZipFile(opened) as archive:
        entries = archive.infolist()
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
            raise ValueError("its entries are compressed")
        if sum(entry.file_size for entry in entries) > os.fstat(opened.fileno()).st_size:
            raise ValueError("its entries claim to be larger than the file")
        if mapped:
            pages = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_COPY)
        arrays = {}
        for entry in entries:
            name = entry.filename.removesuffix(".npy")
            with archive.open(entry) as stream:
                shape, in_columns, dtype = _read_description(stream, entry.file_size)
                start = stream.tell()
                if mapped and not dtype.hasobject:
                    while stream.read(1 << 20):  # at the end zipfile compares the checksum
                        pass
                    start += _first_byte(pages, entry)
                    flat = np.frombuffer(pages, dtype, math.prod(shape), start)
                    arrays[name] = flat.reshape(shape, order="F" if in_columns else "C")
                else:
                    stream.seek(0)
                    arrays[name] = np.lib.format.read_array(stream, allow_pickle=False)
    return arrays


def _first_byte(pages: mmap.mmap, entry: zipfile.ZipInfo) -> int:
    """Return where an entry starts in the file, behind its name and its extra fields."""
    start = entry.header_offset + _LOCAL_HEADER
    return start + sum(struct.unpack("<HH", pages[start - 4 : start]))


def _read_description(stream, n_bytes: int) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Read the head of an array: its shape, whether columns come first, and its type."""
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        described = np.lib.format.read_array_header_1_0(stream)
    else:
        described = np.lib.format.read_array_header_2_0(stream)
    shape, _, dtype = described
    if not dtype.hasobject and math.prod(shape) * dtype.itemsize != n_bytes - stream.tell():
        raise ValueError(f"{n_bytes} bytes do not hold an array of shape {shape}")
    return described
