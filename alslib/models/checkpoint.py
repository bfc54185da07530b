"""A fit that was ended from outside goes on from its last finished sweep, with the same bits."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from alslib.data.rated import RatingsToFit
from alslib.models import storage

if TYPE_CHECKING:
    from alslib.models.base import ALSModel

# With others of these the same fit ends sooner or later.
_OF_THE_END = {"n_sweeps", "tol"}


class Checkpoint:
    """A file with the model as the last finished sweep has left it.

    Parameters
    ----------
    path : str or Path
    model : ALSModel
        As a fit has initialised it.
    ratings, validation : RatingsToFit
        Those of the fit; there may be no validation.
    """

    def __init__(
        self,
        path: str | Path,
        model: ALSModel,
        ratings: RatingsToFit,
        validation: RatingsToFit | None,
    ):
        self._path = Path(path)
        inputs = [_known_of(part) for part in (ratings, validation) if part is not None]
        self._fit = _digest(itertools.chain(*inputs, model._fixed_inputs()))

    def resume(self, model: ALSModel) -> None:
        """Bring the model to where the file is, if there is one.

        Raises
        ------
        ValueError
            If the file is damaged, or of another fit.
        """
        if not self._path.exists():
            return
        saved, header = storage.read(type(model), self._path)
        other = [
            name
            for name, value in model._fitted_params.items()
            if name not in _OF_THE_END and saved._fitted_params[name] != value
        ]
        if header.get("fit") != self._fit:
            other.append("ratings or features")
        other += [n for n in model._header_names if getattr(saved, n) != getattr(model, n)]
        if other:
            raise ValueError(
                f"{self._path} is the checkpoint of a fit with other {', '.join(other)}: name "
                "another file, or remove it"
            )
        for name in model._array_layout(len(model.user_ids_), len(model.item_ids_)):
            getattr(model, name)[:] = getattr(saved, name)
        model.history_.extend(saved.history_)

    def write(self, model: ALSModel) -> None:
        """Replace the file by one of the model as it is; a crash leaves the old one.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        storage.save(model, self._path, fit=self._fit)


def _known_of(ratings: RatingsToFit) -> list[np.ndarray]:
    """Return all that is known of ratings without looking at each."""
    numbers = ratings.offset, ratings.step, *ratings.scale, ratings.mean, ratings.total_weight
    counts = (ratings.rated_by(kind).counts for kind in ("user", "item"))
    return [np.array(numbers), ratings.user_ids, ratings.item_ids, *counts]


def _digest(arrays: Iterable[np.ndarray]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for array in arrays:
        digest.update(f"{array.dtype} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).view(np.uint8))
    return digest.hexdigest()
