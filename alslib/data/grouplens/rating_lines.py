"""Rating files: fast while every line is sound, exact about the one that is not."""

import io
import re
from typing import BinaryIO

import numpy as np
import pandas as pd

from alslib._progress import progress_bar

# What a rating file of GroupLens holds, in the order of all its formats, and how we keep it.
COLUMNS = ("user_id", "movie_id", "rating", "timestamp")
DTYPES = {
    "user_id": np.int32,
    "movie_id": np.int32,
    "rating": np.float32,
    "timestamp": np.int32,
}
TOP_RATING = 5

_LARGEST = np.iinfo(np.int32).max
_BLOCK_BYTES = 1 << 24


class DataError(ValueError):
    """Ratings or movies are not what they should be; says which file, where, what was expected."""


def read_ratings(
    file: BinaryIO,
    label: str,
    *,
    separator: bytes,
    fields: tuple[str, ...],
    first_line: int,
    step: float,
    n_bytes: int,
    progress: bool,
) -> pd.DataFrame:
    """Read the rest of an open rating file.

    The file is taken in blocks of whole lines. A block goes through pandas' C parser; whether each
    line has all its fields is told by counting separators, which that parser would not insist on.
    Only a block that fails is looked at line by line.

    Parameters
    ----------
    file : binary file
        Positioned at the first rating.
    label : str
        What to call the file in errors.
    separator : bytes
        What stands between two fields.
    fields : tuple of str
        Names of the fields of a line, in order: those of `COLUMNS`, and perhaps others, ignored.
    first_line : int
        Number of the line that the file is positioned at, counted from 1.
    step : float
        Ratings must be step, 2 step, …, 5.
    n_bytes : int
        Size of the file, for the progress bar.
    progress : bool
        Whether to show one; it appears only when reading takes more than a second.

    Returns
    -------
    DataFrame
        `COLUMNS` in `DTYPES`, in the order of the file.

    Raises
    ------
    DataError
        At the first line that is malformed or whose rating is off the scale; and without any line.
    """
    blocks: dict[str, list[np.ndarray]] = {name: [] for name in COLUMNS}
    what = f"Reading {label.rsplit('/', 1)[-1]}"
    with progress_bar(shown=progress, total=n_bytes, unit="B", unit_scale=True, desc=what) as bar:
        while block := file.read(_BLOCK_BYTES):
            block += file.readline()
            n_lines = block.count(b"\n") + (not block.endswith(b"\n"))
            try:
                columns = _parse(block, n_lines, separator, fields, step)
            except ValueError as error:  # pandas' ParserError is one too
                raise _explain(block, label, first_line, separator, fields, step) from error
            for name in COLUMNS:
                blocks[name].append(columns[name])
            first_line += n_lines
            bar.update(len(block))
    if not blocks["rating"]:
        raise DataError(f"{label} holds no ratings")
    # Column by column, dropping the blocks: the peak is one column above the finished frame.
    joined = {name: np.concatenate(blocks.pop(name)) for name in COLUMNS}
    return pd.DataFrame(joined, copy=False)


def _parse(
    block: bytes, n_lines: int, separator: bytes, fields: tuple[str, ...], step: float
) -> dict[str, np.ndarray]:
    """Columns of a block of whole lines; ValueError when anything at all is wrong with it."""
    if len(separator) > 1:
        # The C parser wants a single character. A tab cannot come from anywhere else unnoticed:
        # it would raise the count.
        block = block.replace(separator, b"\t")
        separator = b"\t"
    if block.count(separator) != (len(fields) - 1) * n_lines:
        raise ValueError("lines with missing or additional fields")
    frame = pd.read_csv(
        io.BytesIO(block),
        sep=separator.decode(),
        names=list(fields),
        index_col=False,
        header=None,
        dtype=dict.fromkeys(fields, str)
        | dict.fromkeys(COLUMNS, np.int64)
        | {"rating": np.float64},
        na_filter=False,
        quoting=3,  # csv.QUOTE_NONE: no field of a rating is quoted
        encoding="latin-1",
    )
    if len(frame) != n_lines:
        raise ValueError("a line break within a line")
    steps = frame["rating"].to_numpy() / step
    if not ((steps >= 1) & (steps <= TOP_RATING / step) & (steps == np.rint(steps))).all():
        raise ValueError("a rating that is not on the scale")
    for name in COLUMNS:
        if name != "rating" and (frame[name].min() < 0 or frame[name].max() > _LARGEST):
            raise ValueError(f"a {name} out of range")
    return {name: frame[name].to_numpy(DTYPES[name]) for name in COLUMNS}


def _explain(
    block: bytes,
    label: str,
    first_line: int,
    separator: bytes,
    fields: tuple[str, ...],
    step: float,
) -> DataError:
    """Find the first bad line of a block that `_parse` refused."""
    lines = block.removesuffix(b"\n").split(b"\n")
    for number, line in enumerate(lines, first_line):
        complaint = _complaint(line.removesuffix(b"\r"), separator, fields, step)
        if complaint:
            text = line.decode("latin-1").rstrip("\r")
            shown = text if len(text) <= 80 else text[:80] + "…"
            return DataError(f"{label}, line {number}: {complaint}. The line reads: {shown!r}")
    return DataError(f"{label}: something between lines {first_line} and {number} is unreadable")


def _complaint(line: bytes, separator: bytes, fields: tuple[str, ...], step: float) -> str | None:
    """What is wrong with a line, or None."""
    values = line.split(separator)
    if len(values) != len(fields):
        between = {b",": "commas", b"\t": "tabs", b"::": "'::'"}[separator]
        return (
            f"expected {len(fields)} fields ({', '.join(fields)}) separated by {between}, "
            f"found {len(values)}"
        )
    for name, value in zip(fields, values, strict=True):
        found = f"found {value.decode('latin-1')!r}"
        if name == "rating":
            on_scale = re.fullmatch(rb"\d+(\.\d*)?", value) and float(value) / step in range(
                1, round(TOP_RATING / step) + 1
            )
            if not on_scale:
                return f"expected a rating of {step:g}, {2 * step:g}, …, {TOP_RATING}, {found}"
        elif name in COLUMNS and not (re.fullmatch(rb"\d+", value) and int(value) <= _LARGEST):
            return f"expected {name} to be a whole number from 0 to {_LARGEST}, {found}"
    return None
