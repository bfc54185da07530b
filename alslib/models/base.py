"""The loop that all models share: exact block updates, sweep after sweep, watched.

A model says what its blocks are and how to predict for known pairs; this module runs the blocks,
records the history, and knows the one rule for users and items that the model does not know.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from alslib._params import Parametrised, check_integer, check_number
from alslib._progress import progress_bar
from alslib.data.ids import look_up
from alslib.data.ratings import Ratings
from alslib.models import storage
from alslib.models.history import Sweep


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

    # Learned attributes that are lists of names; all others are arrays.
    _header_names: tuple[str, ...] = ()

    @abstractmethod
    def blocks(self, ratings: Ratings) -> dict[str, Callable[[], None]]:
        """Return the block updates by the name of what each one sets, in the order of a sweep.

        Parameters
        ----------
        ratings : Ratings
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
    def _start_parameters(self, ratings: Ratings) -> None:
        """Set the learned parameters to where the first sweep starts."""

    @abstractmethod
    def _penalty(self, ratings: Ratings) -> float:
        """Return the part of L that does not depend on the values of the training ratings."""

    @abstractmethod
    def _squared_errors(self, ratings: Ratings) -> tuple[float, float]:
        """Return the sum of squared errors of the plain and of the clipped predictions."""

    @abstractmethod
    def _predict_known(self, users: np.ndarray, items: np.ndarray) -> np.ndarray:
        """Predict for equally long arrays of indices."""

    def _mean_of(self, ratings: Ratings) -> float:
        """Return μ, which all predictions start from."""
        return ratings.mean

    def _check_params(self) -> None:
        check_number("lam", self.lam, above=0)
        check_integer("n_sweeps", self.n_sweeps, least=1)
        check_number("tol", self.tol)

    def initialise(self, ratings: Ratings) -> Self:
        """Set the parameters to where the first sweep starts, without running it.

        `fit` begins with this. It is public so that blocks can be run one by one.

        Parameters
        ----------
        ratings : Ratings
            The training ratings.

        Returns
        -------
        self

        Raises
        ------
        TypeError, ValueError
            If a hyperparameter or the ratings will not do; the fitted state is untouched then.
        """
        self._check_params()
        check_ratings(ratings)
        self.mean_, self.scale_ = self._mean_of(ratings), ratings.scale
        self.user_ids_, self.item_ids_ = ratings.user_ids, ratings.item_ids
        self.history_ = []
        self._start_parameters(ratings)
        return self

    def fit(
        self, ratings: Ratings, validation: Ratings | None = None, progress: bool = True
    ) -> Self:
        """Run sweeps until ``n_sweeps`` are done or L has stopped falling.

        The fit stops early when a sweep lowers L by less than ``tol`` times L. Interrupting it
        (Ctrl-C) leaves the model as the last complete block left it, with the history so far.

        Parameters
        ----------
        ratings : Ratings
            The training ratings.
        validation : Ratings, optional
            Ratings held back from training, to be measured after every sweep; from the same split.
        progress : bool
            Show a progress bar when the fit takes longer than a few seconds.

        Returns
        -------
        self

        Raises
        ------
        TypeError, ValueError
            If a hyperparameter or the ratings will not do; a fitted model is untouched then.
        """
        return self._exhaust(self.fit_iter(ratings, validation), progress)

    def _exhaust(self, records: Iterator[Sweep], progress: bool) -> Self:
        """Run all sweeps of a fit beside a progress bar."""
        with progress_bar(shown=progress, total=self.n_sweeps, unit="sweep") as bar:
            for record in records:
                bar.update(record.sweep - bar.n)
                if not np.isnan(record.train_rmse):
                    bar.set_postfix({"train RMSE": f"{record.train_rmse:.4f}"}, refresh=False)
            bar.total = bar.n  # a fit that stops early is complete, too
        return self

    def fit_iter(self, ratings: Ratings, validation: Ratings | None = None) -> Iterator[Sweep]:
        """Fit, handing over the record of each sweep; between two sweeps the model can be used.

        Parameters, errors and stopping rule are those of `fit`. What is wrong with the input is
        said at the call, before the first record is asked for.

        Returns
        -------
        iterator of Sweep
            First that of the start (sweep 0), then one after every sweep.
        """
        check_validation(ratings, validation)
        self.initialise(ratings)
        return self._sweeps(ratings, validation)

    def _sweeps(self, ratings: Ratings, validation: Ratings | None) -> Iterator[Sweep]:
        """Return the sweeps from the start that has just been made."""
        return self._run(ratings, validation, self.blocks(ratings), self.history_)

    def _run(self, ratings, validation, blocks, history) -> Iterator[Sweep]:
        self._check_current(history)
        yield self._record(ratings, validation, seconds=0.0)
        for _ in range(self.n_sweeps):
            self._check_current(history)
            before = history[-1].objective
            start = time.perf_counter()
            for update in blocks.values():
                update()
            record = self._record(ratings, validation, time.perf_counter() - start)
            yield record
            if before - record.objective <= self.tol * before:
                return

    def _check_current(self, history) -> None:
        if self.history_ is not history:
            raise RuntimeError("the model has been fitted anew since this iterator was made")

    def objective(self, ratings: Ratings) -> float:
        """Return L, the objective that the block updates lower.

        Parameters
        ----------
        ratings : Ratings
            The training ratings.

        Raises
        ------
        RuntimeError
            If the model is neither fitted nor initialised.
        TypeError, ValueError
            If these are not ratings, or number their users and items in another way.
        """
        check_belongs(self, ratings)
        return self._objective(ratings, self._squared_errors(ratings)[0])

    def _objective(self, ratings: Ratings, squared_error: float) -> float:
        return self.lam / 2 * squared_error + self._penalty(ratings)

    def _record(self, ratings, validation, seconds) -> Sweep:
        plain, clipped = self._squared_errors(ratings)
        validation_rmse = float("nan")
        if validation is not None:
            validation_rmse = np.sqrt(self._squared_errors(validation)[1] / validation.n_ratings)
        record = Sweep(
            sweep=len(self.history_),
            objective=float(self._objective(ratings, plain)),
            train_rmse=float(np.sqrt(clipped / ratings.n_ratings)),
            validation_rmse=float(validation_rmse),
            seconds=seconds,
        )
        self.history_.append(record)
        return record

    def predict(self, users: ArrayLike, items: ArrayLike, clip: bool = True) -> np.ndarray | float:
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
        check_fitted(self)
        users, items = np.broadcast_arrays(
            look_up(self.user_ids_, users, "user ids"), look_up(self.item_ids_, items, "item ids")
        )
        user_bias = np.where(users >= 0, self.user_bias_[users], 0.0)
        item_bias = np.where(items >= 0, self.item_bias_[items], 0.0)
        predicted = np.asarray(self.mean_ + user_bias + item_bias)
        known = (users >= 0) & (items >= 0)
        predicted[known] = self._predict_known(users[known], items[known])
        if clip:
            predicted = np.clip(predicted, *self.scale_)
        return predicted if predicted.ndim else float(predicted)

    def save(self, path: str | Path) -> None:
        """Write the fitted model to one file, all of it or nothing.

        Parameters
        ----------
        path : str or Path
            Written exactly as given; a file that is there already is replaced only once the new
            one is complete.

        Raises
        ------
        RuntimeError
            If the model is not fitted.
        TypeError, ValueError
            If a hyperparameter has been set to what no model, or not this fit, can have.
        OSError
            If the file cannot be written.
        """
        check_fitted(self)
        self._check_params()
        storage.save(self, path)

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


def check_fitted(model) -> None:
    """Refuse a model that has learned nothing yet.

    Raises
    ------
    RuntimeError
    """
    if not hasattr(model, "mean_"):
        raise RuntimeError(f"this {type(model).__name__} is not fitted yet; call fit first")


def check_belongs(model, ratings) -> None:
    """Refuse ratings whose indices do not fit the learned arrays: kernels check no bounds.

    Raises
    ------
    RuntimeError, TypeError, ValueError
    """
    check_fitted(model)
    if not isinstance(ratings, Ratings):
        raise TypeError(f"these must be Ratings, got {type(ratings).__name__}")
    if not (
        np.array_equal(model.user_ids_, ratings.user_ids)
        and np.array_equal(model.item_ids_, ratings.item_ids)
    ):
        raise ValueError(
            "these ratings number their users and items differently from those of the fit"
        )


def check_ratings(ratings) -> None:
    """Refuse anything that is not `Ratings`.

    Raises
    ------
    TypeError
    """
    if not isinstance(ratings, Ratings):
        raise TypeError(
            f"fit needs Ratings, got {type(ratings).__name__}; "
            "wrap your data first: Ratings(users, items, values)"
        )


def check_validation(ratings, validation) -> None:
    """Refuse validation ratings, if there are any, that are not from the split of the others.

    Raises
    ------
    TypeError, ValueError
    """
    if validation is None:
        return
    if not isinstance(validation, Ratings):
        raise TypeError(f"validation must be Ratings, got {type(validation).__name__}")
    if isinstance(ratings, Ratings) and not ratings.shares_index_with(validation):
        raise ValueError(
            "training and validation ratings number their users and items differently; "
            "take both from one split, such as train_validation_test_split"
        )
