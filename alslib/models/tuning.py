"""Lesson 4: which hyperparameters? Those that do best on ratings held back for this question."""

import warnings
from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import product
from math import inf, nan
from typing import Any, Generic, NamedTuple

import pandas as pd

from alslib._params import check_number
from alslib._progress import progress_bar
from alslib.data.ratings import Ratings, check_ratings
from alslib.models.base import ALSModel, Model, check_validation
from alslib.models.history import Sweep

# What is compared has so many digits: what differs in later ones alone differs by rounding, which
# is not the same on every processor, and the first of them is as good as the best.
_DIGITS = 6
_FAILED = {"n_sweeps": 0, "train_rmse": nan, "seconds": nan}

# What `grid_search` asks for a score: (fitted model, train, validation) -> the higher the better.
Scoring = Callable[[Any, Ratings, Ratings], float]


class SearchResult(NamedTuple, Generic[Model]):
    """What `grid_search` found.

    Attributes
    ----------
    model : ALSModel
        A model with the best hyperparameters, not fitted. Its ``n_sweeps`` is the sweep at which
        it did best: fit it on training and validation ratings together.
    validation_rmse : float
        The lowest validation RMSE, in stars; NaN if the search had a `scoring`. It is the best of
        many, and so a little too good: what the model can do is told by test ratings that had no
        part in the choice.
    score : float
        The highest score, as much too good; NaN if the search had no `scoring`.
    trials : DataFrame
        One row a combination, the best first: the searched hyperparameters, then validation_rmse
        (or score, if the search had a `scoring`), n_sweeps (where it was best), train_rmse (there)
        and seconds (of the sweeps of the whole fit); of a combination that could not be fitted NaN,
        and 0 sweeps.
    """

    model: Model
    validation_rmse: float
    score: float
    trials: pd.DataFrame


def grid_search(
    model: Model,
    grid: Mapping[str, Collection[Any]],
    train: Ratings,
    validation: Ratings,
    progress: bool = True,
    scoring: Scoring | None = None,
    **features: Any,
) -> SearchResult[Model]:
    """Fit every combination of hyperparameters; choose by the validation RMSE or by a score.

    The number of sweeps is chosen along the way, since every fit is measured after each sweep. Of
    sweeps, or combinations, that agree in six digits the first is taken. A combination that cannot
    be fitted in floating point or in memory is warned of and comes last.

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
    scoring : callable, optional
        Called with the model as the last sweep left it, `train` and `validation`, it returns a
        number, the higher the better: of an error change the sign. It is asked after every sweep;
        lists for a few hundred users and their NDCG take several times as long as a sweep. By
        default the validation RMSE decides, the lower the better.
    **features
        What `FeatureALS` takes beside the ratings.

    Returns
    -------
    SearchResult

    Raises
    ------
    TypeError, ValueError
        If a hyperparameter is unknown or has no values, a value will not do, the ratings are not
        of one split, a score is no finite number, or an `ImplicitALS`, which predicts no ratings,
        shall be chosen by their error.
    FloatingPointError, MemoryError
        If no combination could be fitted.
    Exception
        Whatever `scoring` raises, with a note that says of which combination.

    Examples
    --------
    Which model of who chose what makes the best lists of ten?

    >>> from alslib import ImplicitALS, Recommender, make_ratings, ndcg_at_k, train_test_split
    >>> def ndcg(model, train, validation):
    ...     lists = Recommender(model, train).recommend_all(10)
    ...     wanted = [validation.of_user(user)[0] for user in lists.user_ids]
    ...     return ndcg_at_k(lists.item_ids, wanted, k=10)
    >>> ratings = make_ratings(100, 60, 1500, random_state=0).ratings
    >>> grid = {"n_factors": [2, 4], "lam": [2, 10], "tau": [1, 10]}
    >>> found = grid_search(ImplicitALS(), grid, *train_test_split(ratings), scoring=ndcg)
    >>> found.trials.columns.tolist()
    ['n_factors', 'lam', 'tau', 'score', 'n_sweeps', 'train_rmse', 'seconds']
    """
    combinations = _combinations(model, grid)
    check_ratings(validation, "validation")
    check_validation(train, validation)
    if scoring is not None and not callable(scoring):
        raise TypeError(f"scoring must be a function or another callable, got {scoring!r}")
    measure = "validation_rmse" if scoring is None else "score"
    trials, failed = [], []
    with progress_bar(shown=progress, total=len(combinations), unit="fit") as bar:
        for params in combinations:
            try:
                trials.append(
                    params | _best_sweep(_copy(model, params), train, validation, scoring, features)
                )
            except _NotFittedError as error:
                failure = error.__cause__
                warnings.warn(
                    f"{params} could not be fitted: {failure}", RuntimeWarning, stacklevel=2
                )
                failed.append(params | {measure: nan} | _FAILED)
            finally:
                bar.update()
    if not trials:
        raise failure
    trials.sort(key=_place)  # keeps equals in order
    chosen = {name: trials[0][name] for name in [*grid, "n_sweeps"]}
    best = {"validation_rmse": nan, "score": nan} | trials[0]
    return SearchResult(
        _copy(model, chosen), best["validation_rmse"], best["score"], pd.DataFrame(trials + failed)
    )


class _NotFittedError(Exception):
    """A model cannot be fitted; its cause says why. What `scoring` raises never is one."""


def _best_sweep(model, train, validation, scoring, features) -> dict[str, Any]:
    """Fit a model; return what a row of the table says of the sweep after which it was best."""
    sweeps, seconds = [], 0.0
    for record in _fitting(model, train, validation if scoring is None else None, features):
        seconds += record.seconds
        if record.sweep == 0:
            continue
        if scoring is None:
            measured = {"validation_rmse": record.validation_rmse}
        else:
            measured = {"score": _score(scoring, model, train, validation, record.sweep)}
        sweeps.append(measured | {"n_sweeps": record.sweep, "train_rmse": record.train_rmse})
    return min(sweeps, key=_place) | {"seconds": seconds}


def _fitting(model, train, validation, features) -> Iterator[Sweep]:
    try:
        yield from model.fit_iter(train, validation, **features)
    except (FloatingPointError, MemoryError) as error:
        raise _NotFittedError from error


def _score(scoring, model, train, validation, sweep) -> float:
    """Ask for the score of a model that is being fitted."""
    try:
        score = scoring(model, train, validation)
        check_number("a score", score, least=-inf)
    except Exception as error:
        error.add_note(f"This was the score of {model} after sweep {sweep}.")
        raise
    return float(score)


def _place(measured) -> float:
    """Return a number by which the best comes first."""
    value = measured.get("validation_rmse", -measured.get("score", nan))
    return float(f"{value:.{_DIGITS}g}")


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


def _copy(model: Model, params: dict[str, Any]) -> Model:
    return type(model)(**model.get_params()).set_params(**params)
