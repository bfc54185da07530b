"""Lesson 4: which hyperparameters? Those that do best on ratings held back for this question."""

import warnings
from collections.abc import Collection, Mapping
from itertools import product
from math import nan
from typing import Any, NamedTuple

import pandas as pd

from alslib._progress import progress_bar
from alslib.data.ratings import Ratings, check_ratings
from alslib.models.base import ALSModel

# Validation RMSEs are compared in millionths of a star: closer ones differ by rounding, which is
# not the same on every processor, and the first of them is as good as the best.
_DIGITS = 6
_FAILED = {"validation_rmse": nan, "n_sweeps": 0, "train_rmse": nan, "seconds": nan}


class SearchResult(NamedTuple):
    """What `grid_search` found.

    Attributes
    ----------
    model : ALSModel
        A model with the best hyperparameters, not fitted. Its ``n_sweeps`` is the sweep at which
        the validation RMSE was lowest: fit it on training and validation ratings together.
    validation_rmse : float
        The lowest validation RMSE, in stars. It is the best of many, and so a little too good: what
        the model can do is told by test ratings that had no part in the choice.
    trials : DataFrame
        One row a combination, the best first: the searched hyperparameters, then validation_rmse,
        n_sweeps (where it was lowest), train_rmse (there) and seconds (of the whole fit); of a
        combination that could not be fitted NaN, and 0 sweeps.
    """

    model: ALSModel
    validation_rmse: float
    trials: pd.DataFrame


def grid_search(
    model: ALSModel,
    grid: Mapping[str, Collection[Any]],
    train: Ratings,
    validation: Ratings,
    progress: bool = True,
    **features: Any,
) -> SearchResult:
    """Fit every combination of hyperparameters; choose by the validation RMSE.

    The number of sweeps is chosen along the way, since every fit is measured after each sweep. Of
    sweeps, or combinations, that differ by less than a millionth of a star the first is taken.
    A combination that cannot be fitted in floating point or in memory is warned of and comes last.

    Parameters
    ----------
    model : ALSModel
        Says which model and all hyperparameters that are not searched; stays as it is.
    grid : mapping of str to list
        The values to try of each hyperparameter, such as ``{"tau": [1, 2, 4], "gamma": [1, 2]}``.
    train, validation : Ratings
        Of one split; no test ratings here.
    progress : bool
        Show a progress bar when the search takes longer than a few seconds.
    **features
        What `FeatureALS` takes beside the ratings.

    Returns
    -------
    SearchResult

    Raises
    ------
    TypeError, ValueError
        If a hyperparameter is unknown or has no values, a value will not do, or the ratings are not
        of one split.
    FloatingPointError, MemoryError
        If no combination could be fitted.
    """
    combinations = _combinations(model, grid)
    check_ratings(validation, "validation")
    trials, failed = [], []
    with progress_bar(shown=progress, total=len(combinations), unit="fit") as bar:
        for params in combinations:
            try:
                history = list(_copy(model, params).fit_iter(train, validation, **features))
            except (FloatingPointError, MemoryError) as error:
                warnings.warn(
                    f"{params} could not be fitted: {error}", RuntimeWarning, stacklevel=2
                )
                failed.append(params | _FAILED)
                failure = error
                continue
            finally:
                bar.update()
            best = min(history[1:], key=lambda record: round(record.validation_rmse, _DIGITS))
            measured = {
                "validation_rmse": best.validation_rmse,
                "n_sweeps": best.sweep,
                "train_rmse": best.train_rmse,
                "seconds": sum(record.seconds for record in history),
            }
            trials.append(params | measured)
    if not trials:
        raise failure
    trials.sort(key=lambda trial: round(trial["validation_rmse"], _DIGITS))  # keeps equals in order
    chosen = {name: trials[0][name] for name in [*grid, "n_sweeps"]}
    return SearchResult(
        _copy(model, chosen), trials[0]["validation_rmse"], pd.DataFrame(trials + failed)
    )


def _combinations(model, grid) -> list[dict[str, Any]]:
    """Return every combination, checked: a wrong one would else be found hours into the search."""
    if not isinstance(model, ALSModel):
        raise TypeError(f"model must be one of alslib's, got {type(model).__name__}")
    if not grid:
        raise ValueError("the grid is empty: name hyperparameters and the values to try")
    for name, values in grid.items():
        if name == "n_sweeps":
            raise ValueError("n_sweeps is chosen along the way; set the model's to the most to run")
        if isinstance(values, str) or not isinstance(values, Collection) or not len(values):
            raise ValueError(f"the grid needs a list of values for {name}, got {values!r}")
    combinations = [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]
    for params in combinations:
        _copy(model, params)._check_params()
    return combinations


def _copy(model, params) -> ALSModel:
    return type(model)(**model.get_params()).set_params(**params)
