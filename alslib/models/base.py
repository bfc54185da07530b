"""The loop that all models share: exact block updates, sweep after sweep, watched.

A model says what its blocks are and how to predict for known pairs; this module runs the blocks,
records the history, and knows the one rule for users and items that the model does not know.

Kernels check no bounds, so that ids and arrays of two fits must never meet. What a fit learns is
built apart and taken over in one step (`_adopt`); whoever reads takes all of it in one step, too
(`as_fitted`).
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self, TypeVar, overload

import numpy as np
from numpy.typing import ArrayLike

from alslib._params import Parametrised, check_integer, check_number
from alslib._progress import progress_bar
from alslib.data.ids import look_up
from alslib.data.rated import RatingsToFit
from alslib.data.ratings import Ratings, check_ratings
from alslib.models import storage
from alslib.models.checkpoint import Checkpoint
from alslib.models.history import Sweep
from alslib.models.updating import carry_over, updated

Id = int | np.integer | str


class ALSModel(Parametrised, ABC):
    """An ordered list of exact block updates of one objective."""

    lam: float
    n_sweeps: int
    tol: float

    mean_: float
    scale_: tuple[float, float]
    user_ids_: np.ndarray
    item_ids_: np.ndarray
    user_bias_: np.ndarray
    item_bias_: np.ndarray
    history_: list[Sweep]
    _fitted_params: dict[str, Any]

    # Learned attributes that are lists of names; all others are arrays.
    _header_names: tuple[str, ...] = ()

    @abstractmethod
    def blocks(self, ratings: RatingsToFit) -> dict[str, Callable[[], None]]:
        """Return the block updates by the name of what each one sets, in the order of a sweep.

        Parameters
        ----------
        ratings : Ratings or SpreadRatings
            The training ratings, with which the model was initialised.

        Returns
        -------
        dict of str to callable
            Each call sets its block to the exact minimiser of L, all else held fixed.

        Raises
        ------
        RuntimeError
            If the model is neither fitted nor initialised.
        TypeError, ValueError
            If these are not ratings, or number their users and items in another way.
        """

    @abstractmethod
    def _array_layout(self, n_users: int, n_items: int) -> dict[str, tuple[type, tuple[int, ...]]]:
        """Return the type and the shape of every learned array, by attribute name."""

    @abstractmethod
    def _start_parameters(self, ratings: RatingsToFit, **features: Any) -> None:
        """Set the learned parameters to where the first sweep starts."""

    @abstractmethod
    def _penalty(self, ratings: RatingsToFit) -> float:
        """Return the part of L that does not depend on the values of the training ratings."""

    @abstractmethod
    def _squared_errors(self, ratings: RatingsToFit) -> tuple[float, float]:
        """Return the sum of squared errors of the plain and of the clipped predictions."""

    @abstractmethod
    def _predict_known(self, users: np.ndarray, items: np.ndarray) -> np.ndarray:
        """Predict for equally long arrays of indices."""

    def _mean_of(self, ratings: RatingsToFit) -> float:
        """Return μ, which all predictions start from."""
        return ratings.mean

    def _settle(self) -> None:
        """Set the hyperparameters that were left to the ratings of the fit."""

    def _check_params(self) -> None:
        check_number("lam", self.lam, above=0)
        check_integer("n_sweeps", self.n_sweeps, least=1)
        check_number("tol", self.tol)

    def initialise(self, ratings: RatingsToFit, warm_start: bool = False) -> Self:
        """Set the parameters to where the first sweep starts, without running it.

        `fit` begins with this. It is public so that blocks can be run one by one.

        Parameters
        ----------
        ratings, warm_start
            As in `fit`.

        Returns
        -------
        self

        Raises
        ------
        TypeError, ValueError
            If a hyperparameter or the ratings will not do; the fitted state is untouched then.
        """
        return self._initialise(ratings, self._start_for(warm_start))

    def _start_for(self, warm_start: bool) -> Self | None:
        """Return the fit to start from, if one is wanted and there is one."""
        return self.as_fitted() if warm_start and hasattr(self, "mean_") else None

    def _initialise(self, ratings: RatingsToFit, start: Self | None, **features: Any) -> Self:
        self._check_params()
        check_ratings(ratings, kind=RatingsToFit)
        fresh = self._unfitted()
        fresh.mean_, fresh.scale_ = self._mean_of(ratings), ratings.scale
        fresh.user_ids_, fresh.item_ids_ = ratings.user_ids, ratings.item_ids
        fresh.history_ = []
        fresh._fitted_params = self.get_params()
        fresh._start_parameters(ratings, **features)
        if start is not None:
            fresh._warm(start)
        return self._adopt(fresh)

    def _warm(self, start: Self) -> None:
        """Move the parameters from where every fit starts to where another fit has ended."""
        carry_over(start, self)

    def _unfitted(self) -> Self:
        """Return another model of this kind, with the same hyperparameters."""
        return type(self)(**self.get_params())

    def _adopt(self, other: Self) -> Self:
        """Take over all that another model has learned.

        Python does nothing else while it updates a dict whose keys are strings: no other thread, no
        Ctrl-C comes between.
        """
        params = self._parameter_names()
        learned = {name: value for name, value in vars(other).items() if name not in params}
        vars(self).update(learned)
        return self

    def as_fitted(self) -> Self:
        """Return the model as its last fit left it, with the hyperparameters of that fit.

        It shares all arrays with this one, but stays what it is when this one is fitted again, by
        another thread, say.

        Raises
        ------
        RuntimeError
            If the model is not fitted.
        ValueError
            If somebody has replaced learned arrays by others that do not fit together.
        """
        seen = object.__new__(type(self))
        vars(seen).update(vars(self))  # in one step; see `_adopt`
        check_fitted(seen)
        vars(seen).update(seen._fitted_params)
        seen._settle()
        for name, (_, shape) in seen._array_layout(
            len(seen.user_ids_), len(seen.item_ids_)
        ).items():
            found = np.shape(getattr(seen, name))
            if found != shape:
                raise ValueError(f"{name} has shape {found}, but {shape} belongs to this model")
        return seen

    def fit(
        self,
        ratings: RatingsToFit,
        validation: RatingsToFit | None = None,
        progress: bool = True,
        warm_start: bool = False,
        checkpoint: str | Path | None = None,
    ) -> Self:
        """Run sweeps until ``n_sweeps`` are done or L has stopped falling.

        The fit stops early when a sweep lowers L by less than ``tol`` times L. Until it is done the
        model stays as it was, and other threads can use it. Interrupting the fit (Ctrl-C) leaves
        what has been learned until the last complete block, with the history so far.

        Parameters
        ----------
        ratings : Ratings or SpreadRatings
            The training ratings.
        validation : Ratings, optional
            Ratings held back from training, to be measured after every sweep; from the same split.
        progress : bool
            Show a progress bar when the fit takes longer than a few seconds.
        warm_start : bool
            Start from what this model has learned, if it is fitted, instead of from random factors:
            users and items are found by their ids, new ones start without a taste. With ratings
            that have changed a little a few sweeps are enough. See also `update`.
        checkpoint : str or Path, optional
            Write the model to this file at the start and after every sweep, and if it is there
            already, go on from it: a fit whose process was ended gives the same bits as one that
            was not. More sweeps, or another ``tol``, may be asked for then.

        Returns
        -------
        self

        Raises
        ------
        OSError
            If the checkpoint cannot be written.
        TypeError, ValueError
            If a hyperparameter or the ratings will not do, or the checkpoint is that of another
            fit; a fitted model is untouched then.
        """
        return self._fit(ratings, validation, progress, warm_start, checkpoint)

    def _fit(self, ratings, validation, progress, warm_start, checkpoint, **features: Any) -> Self:
        """Run all sweeps beside a progress bar."""
        fresh, start = self._unfitted(), self._start_for(warm_start)
        records = fresh._fit_iter(ratings, validation, start, checkpoint, **features)
        try:
            with progress_bar(shown=progress, total=self.n_sweeps, unit="sweep") as bar:
                for record in records:
                    bar.update(record.sweep - bar.n)
                    if not np.isnan(record.train_rmse):
                        bar.set_postfix({"train RMSE": f"{record.train_rmse:.4f}"}, refresh=False)
                bar.total = bar.n  # a fit that stops early is complete, too
        except KeyboardInterrupt:
            if fresh.history_:
                self._adopt(fresh)
            raise
        return self._adopt(fresh)

    def fit_iter(
        self,
        ratings: RatingsToFit,
        validation: RatingsToFit | None = None,
        warm_start: bool = False,
        checkpoint: str | Path | None = None,
    ) -> Iterator[Sweep]:
        """Fit, handing over the record of each sweep; between two sweeps the model can be used.

        Parameters, errors and stopping rule are those of `fit`. What is wrong with the input is
        said at the call, before the first record is asked for.

        Returns
        -------
        iterator of Sweep
            First that of the start (sweep 0), then one after every sweep; with those that a
            checkpoint has.
        """
        return self._fit_iter(ratings, validation, self._start_for(warm_start), checkpoint)

    def _fit_iter(self, ratings, validation, start, checkpoint, **features: Any) -> Iterator[Sweep]:
        self._check_validation(ratings, validation)
        self._initialise(ratings, start, **features)
        running = self.as_fitted()
        kept = None
        if checkpoint is not None:
            kept = Checkpoint(checkpoint, running, ratings, validation)
            kept.resume(running)
        return self._run(running, running.blocks(ratings), ratings, validation, kept)

    def _run(self, running, blocks, ratings, validation, kept) -> Iterator[Sweep]:
        check_same_fit(self, running, "this iterator")
        if not running.history_:
            running._record(ratings, validation, seconds=0.0)
            if kept is not None:
                kept.write(running)  # where that is impossible, no sweep is lost
        yield from tuple(running.history_)
        while len(running.history_) <= running.n_sweeps and not running._has_come_to_rest():
            check_same_fit(self, running, "this iterator")
            start = time.perf_counter()
            for update in blocks.values():
                update()
            record = running._record(ratings, validation, time.perf_counter() - start)
            if kept is not None:
                kept.write(running)
            yield record

    def _has_come_to_rest(self) -> bool:
        """Tell whether the last sweep has lowered L by less than is worth another one."""
        if len(self.history_) < 2:
            return False
        before, now = (record.objective for record in self.history_[-2:])
        return before - now <= self.tol * before

    def _check_validation(self, ratings, validation) -> None:
        check_validation(ratings, validation)

    def update(
        self, ratings: Ratings, users: ArrayLike | None = None, items: ArrayLike | None = None
    ) -> Self:
        """Solve for some rows again, all others held fixed: what is new, without a fit.

        First every item named, then every user named is set to the exact minimiser of L, and with
        them all users and items that the model does not know yet. μ stays what it was. The more has
        changed, the more a fit with ``warm_start`` would find.

        Parameters
        ----------
        ratings : Ratings
            All ratings there are now of these users and items, on the scale of the fit.
        users, items : array_like of ids, optional
            Whose ratings have changed. Those that are new need not be named.

        Returns
        -------
        self
            With more rows, if there are new users or items: those of the ratings and those known
            before.

        Raises
        ------
        RuntimeError
            If the model is not fitted.
        TypeError, ValueError
            If these are not ratings, are beyond the scale of the fit, ids are unknown or of another
            kind; the model is untouched then.

        Examples
        --------
        >>> from alslib import LatentALS
        >>> users, items = ["ann", "ann", "bob", "bob"], ["Heat", "Up", "Heat", "Up"]
        >>> model = LatentALS(1).fit(Ratings(users, items, [5, 1, 1, 5]))
        >>> now = Ratings([*users, "cat", "ann"], [*items, "Up", "Cars"], [5, 1, 1, 5, 5, 2])
        >>> model = model.update(now, users=["ann"])
        >>> round(model.predict("cat", "Cars"), 1)
        3.5
        """
        return self._adopt(updated(self.as_fitted(), ratings, users, items, {}))

    def _fixed_inputs(self) -> list[np.ndarray]:
        """Return what else than the ratings a fit learns from."""
        return []

    def _row_arrays(self, side: str) -> list[str]:
        """Return the names of the arrays that have one row for each "user", or for each "item"."""
        return [f"{side}_bias_"]

    def _row_blocks(self, ratings: RatingsToFit) -> dict[str, Callable[[], None]]:
        """Return the block updates that solve for each row by itself; names begin with the side."""
        return self.blocks(ratings)

    def _place_new(self, new: dict[str, np.ndarray]) -> None:
        """Put new rows, which are zero, where they lie without ratings."""

    def objective(self, ratings: RatingsToFit) -> float:
        """Return L, the objective that the block updates lower.

        Parameters
        ----------
        ratings : Ratings or SpreadRatings
            The training ratings.

        Raises
        ------
        RuntimeError
            If the model is neither fitted nor initialised.
        TypeError, ValueError
            If these are not ratings, or number their users and items in another way.
        """
        fitted = check_belongs(self, ratings)
        return fitted._objective(ratings, fitted._squared_errors(ratings)[0])

    def _objective(self, ratings: RatingsToFit, squared_error: float) -> float:
        return self.lam / 2 * squared_error + self._penalty(ratings)

    def _record(self, ratings, validation, seconds) -> Sweep:
        plain, clipped = self._squared_errors(ratings)
        validation_rmse = float("nan")
        if validation is not None:
            squares = self._squared_errors(validation)[1]
            validation_rmse = np.sqrt(squares / validation.total_weight)
        record = Sweep(
            sweep=len(self.history_),
            objective=float(self._objective(ratings, plain)),
            train_rmse=float(np.sqrt(clipped / ratings.total_weight)),
            validation_rmse=float(validation_rmse),
            seconds=seconds,
        )
        self.history_.append(record)
        return record

    @overload
    def predict(self, users: Id, items: Id, clip: bool = True) -> float: ...
    @overload
    def predict(self, users: ArrayLike, items: ArrayLike, clip: bool = True) -> np.ndarray: ...
    def predict(self, users, items, clip=True):
        """Predict ratings.

        What is known is used and what is unknown is left out: an unknown user gets the mean plus
        the movie's bias, an unknown movie the mean plus the user's bias, and both unknown the mean.

        Parameters
        ----------
        users, items : array_like of ids, or one id each
            Broadcast against each other.
        clip : bool
            Bring predictions back to the rating scale.

        Returns
        -------
        float, or ndarray of float64 of the broadcast shape
            In stars (the unit of the ratings).

        Raises
        ------
        RuntimeError
            If the model is not fitted.
        TypeError
            If the ids are of another kind than those of the training ratings.
        ValueError
            If the shapes do not fit together.
        """
        fitted = self.as_fitted()
        users, items = np.broadcast_arrays(
            look_up(fitted.user_ids_, users, "user ids"),
            look_up(fitted.item_ids_, items, "item ids"),
        )
        user_bias = np.where(users >= 0, fitted.user_bias_[users], 0.0)
        item_bias = np.where(items >= 0, fitted.item_bias_[items], 0.0)
        predicted = np.asarray(fitted.mean_ + user_bias + item_bias)
        known = (users >= 0) & (items >= 0)
        predicted[known] = fitted._predict_known(users[known], items[known])
        if clip:
            predicted = np.clip(predicted, *fitted.scale_)
        return predicted if predicted.ndim else float(predicted)

    def save(self, path: str | Path) -> None:
        """Write the fitted model to one file, all of it or nothing; see `as_fitted`.

        Parameters
        ----------
        path : str or Path
            Written exactly as given; a file that is there already is replaced only once the new
            one is complete.

        Raises
        ------
        RuntimeError, ValueError
            As in `as_fitted`.
        OSError
            If the file cannot be written.
        """
        storage.save(self.as_fitted(), path)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a model that `save` wrote.

        Parameters
        ----------
        path : str or Path

        Returns
        -------
        model
            Fitted, with its history.

        Raises
        ------
        OSError
            If the file cannot be opened.
        ValueError
            If it is damaged, holds Python objects, has another version, was written by another
            model, or its arrays do not fit together.
        """
        return storage.load(cls, path)


Model = TypeVar("Model", bound=ALSModel)


def check_fitted(model: ALSModel) -> None:
    """Refuse a model that has learned nothing yet.

    Raises
    ------
    RuntimeError
    """
    if not hasattr(model, "mean_"):
        raise RuntimeError(f"this {type(model).__name__} is not fitted yet; call fit first")


def check_belongs(model: Model, ratings: RatingsToFit) -> Model:
    """Return the model as it was fitted; refuse ratings whose indices do not fit its arrays.

    Raises
    ------
    RuntimeError, TypeError, ValueError
    """
    fitted = model.as_fitted()
    check_ratings(ratings, kind=RatingsToFit)
    if not (
        np.array_equal(fitted.user_ids_, ratings.user_ids)
        and np.array_equal(fitted.item_ids_, ratings.item_ids)
    ):
        raise ValueError(
            "these ratings number their users and items differently from those of the fit; "
            "share_index brings ratings under one index"
        )
    return fitted


def check_same_fit(model: ALSModel, fitted: ALSModel, what: str) -> None:
    """Refuse to go on with what `as_fitted` returned, if the model has been fitted anew since.

    Raises
    ------
    RuntimeError
    """
    if model.history_ is not fitted.history_:
        raise RuntimeError(f"the model has been fitted anew since {what} was made")


def check_validation(ratings: RatingsToFit, validation: RatingsToFit | None) -> None:
    """Refuse validation ratings, if there are any, that are not from the split of the others.

    Raises
    ------
    TypeError, ValueError
    """
    if validation is None:
        return
    check_ratings(validation, "validation", kind=RatingsToFit)
    if isinstance(ratings, RatingsToFit) and not ratings.shares_index_with(validation):
        raise ValueError(
            "training and validation ratings number their users and items differently; take both "
            "from one split, such as train_validation_test_split, or bring them under one index: "
            "share_index(train, validation)"
        )
