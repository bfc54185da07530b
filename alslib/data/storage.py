"""What of ratings goes into a file, and what a file must hold to be some."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from alslib import _archive, kernels

if TYPE_CHECKING:
    from alslib.data.ratings import CSR, Ratings

_VIEWS = ("by_user", "by_item")
_ROW_ARRAYS = ("indptr", "indices", "data")
_COLUMNS = ("times", "weights")


def save(ratings: Ratings, path: str | Path) -> None:
    """Write ratings; see `Ratings.save`. Their columns may be `alslib._archive.Streamed`."""
    header = {"kind": "Ratings"}
    header |= {name: getattr(ratings, name) for name in ("scale", "offset", "step")}
    arrays = {name: getattr(ratings, name) for name in ("user_ids", "item_ids")}
    for view in _VIEWS:
        for name, array in getattr(ratings, view)._asdict().items():
            arrays[f"{view}_{name}"] = array
        if view == "by_user":  # in whose order they are
            arrays |= {name: getattr(ratings, name) for name in _COLUMNS}
    arrays = {name: array for name, array in arrays.items() if array is not None}
    _archive.write(path, header, arrays)


def load(cls: type[Ratings], path: str | Path, mmap: bool) -> Ratings:
    """Read ratings; see `Ratings.load`."""
    from alslib.data.ratings import CSR  # which imports this module

    header, arrays = _archive.read(path, mmap)
    if header.get("kind") != "Ratings":
        raise ValueError(f"{path} holds no Ratings")
    try:
        ratings = object.__new__(cls)
        ratings.offset, ratings.step = float(header["offset"]), float(header["step"])
        low, high = map(float, header["scale"])
        ratings.scale = (low, high)
        ratings.user_ids, ratings.item_ids = arrays["user_ids"], arrays["item_ids"]
        for view in _VIEWS:
            setattr(ratings, view, CSR(*(arrays[f"{view}_{name}"] for name in _ROW_ARRAYS)))
        for name in _COLUMNS:
            setattr(ratings, name, arrays.get(name))
        _check(ratings)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is damaged: {error}") from error
    return ratings


def _check(ratings: Ratings) -> None:
    """Refuse arrays that do not fit together: kernels check no bounds.

    Raises
    ------
    ValueError
    """
    for ids in (ratings.user_ids, ratings.item_ids):
        if ids.ndim != 1 or ids.dtype.kind not in "iU" or not np.all(ids[1:] > ids[:-1]):
            raise ValueError("its ids are not ascending integers or strings")
    low, high = ratings.scale
    if not (np.isfinite([ratings.offset, ratings.step, low, high]).all() and low <= high):
        raise ValueError(f"its scale is {low} to {high}")
    _check_rows(ratings.by_user, ratings.n_users, ratings.n_items)
    _check_rows(ratings.by_item, ratings.n_items, ratings.n_users)
    if not (
        np.array_equal(_pointers(ratings.by_item, ratings.n_users), ratings.by_user.indptr)
        and np.array_equal(_pointers(ratings.by_user, ratings.n_items), ratings.by_item.indptr)
        and ratings.by_user.data.dtype == ratings.by_item.data.dtype
    ):
        raise ValueError("its two views hold different ratings")
    for column, kinds in ((ratings.times, ("i8", "f8", "M8")), (ratings.weights, ("f4",))):
        if column is not None and (
            column.shape != (ratings.n_ratings,) or column.dtype.str[1:3] not in kinds
        ):
            raise ValueError("its times or weights do not fit its ratings")


def _check_rows(view: CSR, n_rows: int, n_columns: int) -> None:
    indptr, indices, _ = view
    n = len(indices)
    shapes = {"indptr": (n_rows + 1,), "indices": (n,), "data": (n,)}
    types = {"indptr": (np.int64,), "indices": (np.int32,), "data": (np.uint8, np.float32)}
    for name, array in view._asdict().items():
        if not n or array.shape != shapes[name] or array.dtype not in types[name]:
            raise ValueError(f"its {name} have type {array.dtype} and shape {array.shape}")
    if indptr[0] != 0 or indptr[-1] != n or np.any(np.diff(indptr) < 0):
        raise ValueError("its rows do not follow each other")
    for _, _, part in view.stretches():
        if len(part.indices) and (part.indices.min() < 0 or part.indices.max() >= n_columns):
            raise ValueError("it has ratings of unknown ids")
        if not kernels.rows.ascend(part.indptr, part.indices):
            raise ValueError("its rows are not in order")
        if not np.isfinite(part.data).all():
            raise ValueError("it has ratings that are not finite")


def _pointers(view: CSR, n_columns: int) -> np.ndarray:
    """Return where the rows of the other view begin."""
    pointers = np.zeros(n_columns + 1, np.int64)
    for _, _, part in view.stretches():
        pointers += kernels.rows.row_pointers(part.indices, n_columns)
    return pointers
