"""What of a fitted model goes into a file, and what a file must hold to be one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from alslib import _archive
from alslib.models.history import Sweep

if TYPE_CHECKING:
    from alslib.models.base import ALSModel

_IDS = ("user_ids_", "item_ids_")


def save(model: ALSModel, path: str | Path, **more: Any) -> None:
    """Write a fitted model, and more in its header; see `ALSModel.save`."""
    header = {
        "model": type(model).__name__,
        "params": model._fitted_params,
        "mean": model.mean_,
        "scale": model.scale_,
        "history": model.history_,
    }
    header |= {name: getattr(model, name) for name in model._header_names} | more
    layout = model._array_layout(len(model.user_ids_), len(model.item_ids_))
    arrays = {name: getattr(model, name) for name in [*_IDS, *layout]}
    _archive.write(path, header, arrays)


def load(cls: type[ALSModel], path: str | Path) -> ALSModel:
    """Read a model of the class; see `ALSModel.load`."""
    return read(cls, path)[0]


def read(cls: type[ALSModel], path: str | Path) -> tuple[ALSModel, dict[str, Any]]:
    """Read a model of the class, and the header it was saved with."""
    header, arrays = _archive.read(path)
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
    return model, header


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
