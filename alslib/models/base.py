"""The loop that all three models share: exact block updates, sweep after sweep, watched.

A model says what its blocks are and how to predict; this module runs the blocks, records the
history and answers for ids, clipping and storage.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike

from alslib._params import Parametrised, check_integer, check_number
from alslib._progress import progress_bar
from alslib.data.ids import look_up
from alslib.data.ratings import Ratings
from alslib.models import storage

# A fit that is over sooner than this shows no progress bar.
_BAR_AFTER_SECONDS = 5.0


class Sweep(NamedTuple):
    """What is recorded after each sweep; ``pandas.DataFrame(model.history_)`` is a table of it.

    Attributes
    ----------
    sweep : int
        0 is the start, before any update.
    objective : float
        L, the quantity that every block update lowers.
    train_rmse, validation_rmse : float
        Root mean squared error, in stars, of what `predict` returns; NaN without validation
        ratings.
    seconds : float
        Wall time of the updates of this sweep, without the measuring.
    """

    sweep: int
    objective: float
    train_rmse: float
    validation_rmse: float
    seconds: float


class ALSModel(Parametrised, ABC):
    """An ordered list of exact block updates of one objective."""

    lam: float
    n_sweeps: int
    tol: float

    mean_: float
    scale_: tuple[float, float]
    user_ids_: np.ndarray
    item_ids_: np.ndarray
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
    def _predict_indices(self, users: np.ndarray, items: np.ndarray) -> np.ndarray:
        """Predict for equally long arrays of indices, where -1 is unknown."""

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
        self.mean_, self.scale_ = ratings.mean, ratings.scale
        self.user_ids_, self.item_ids_ = ratings.user_ids, ratings.item_ids
        self.history_ = []
        self._start_parameters(ratings)
        return self

    def fit(
        self,
        ratings: Ratings,
        validation: Ratings | None = None,
        progress: bool = True,
        **features: Any,
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
        **features
            What `FeatureALS` takes beside the ratings; nothing else takes any.

        Returns
        -------
        self

        Raises
        ------
        TypeError, ValueError
            If a hyperparameter or the ratings will not do; a fitted model is untouched then.
        """
        records = self.fit_iter(ratings, validation, **features)
        with progress_bar(
            shown=progress, total=self.n_sweeps, unit="sweep", delay=_BAR_AFTER_SECONDS
        ) as bar:
            for record in records:
                bar.update(record.sweep - bar.n)
                if not np.isnan(record.train_rmse):
                    bar.set_postfix({"train RMSE": f"{record.train_rmse:.4f}"}, refresh=False)
            bar.total = bar.n  # a fit that stops early is complete, too
        return self

    def fit_iter(
        self, ratings: Ratings, validation: Ratings | None = None, **features: Any
    ) -> Iterator[Sweep]:
        """Fit, handing over the record of each sweep; between two sweeps the model can be used.

        Parameters, errors and stopping rule are those of `fit`. What is wrong with the input is
        said at the call, before the first record is asked for.

        Returns
        -------
        iterator of Sweep
            First that of the start (sweep 0), then one after every sweep.
        """
        if validation is not None:
            _check_validation(ratings, validation)
        self.initialise(ratings, **features)
        return self._sweeps(ratings, validation, self.blocks(ratings), self.history_)

    def _sweeps(self, ratings, validation, blocks, history) -> Iterator[Sweep]:
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
        self._check_belongs(ratings)
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
        self._check_fitted()
        users, items = np.broadcast_arrays(
            look_up(self.user_ids_, users, "user ids"), look_up(self.item_ids_, items, "item ids")
        )
        predicted = self._predict_indices(users.ravel(), items.ravel()).reshape(users.shape)
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
        self._check_fitted()
        self._check_params()
        header = {
            "model": type(self).__name__,
            "params": self.get_params(),
            "mean": self.mean_,
            "scale": self.scale_,
            "history": self.history_,
        }
        header |= {name: getattr(self, name) for name in self._header_names}
        layout = self._array_layout(len(self.user_ids_), len(self.item_ids_))
        arrays = {name: getattr(self, name) for name in ["user_ids_", "item_ids_", *layout]}
        for name, (_, shape) in layout.items():
            if arrays[name].shape != shape:
                raise ValueError(
                    f"a hyperparameter has changed since the fit: {name} has shape "
                    f"{arrays[name].shape}, not {shape}; fit again"
                )
        storage.write(path, header, arrays)

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
        header, arrays = storage.read(path)
        if header.get("model") != cls.__name__:
            raise ValueError(f"{path} holds a {header.get('model')}, not a {cls.__name__}")
        try:
            model = cls(**header["params"])
            model._check_params()
            model.mean_, (low, high) = float(header["mean"]), map(float, header["scale"])
            model.history_ = [Sweep(*record) for record in header["history"]]
            for name in cls._header_names:
                setattr(model, name, _lists_of_names(header[name]))
        except (KeyError, TypeError) as error:
            raise ValueError(f"the header of {path} is damaged: {error}") from error
        if not low <= high or not np.isfinite([model.mean_, low, high]).all():
            raise ValueError(
                f"the mean {model.mean_} or the scale {low}–{high} in {path} is damaged"
            )
        model.scale_ = (low, high)
        _check_arrays(path, arrays, model._array_layout)
        for name, array in arrays.items():
            setattr(model, name, array)
        return model

    def _check_belongs(self, ratings) -> None:
        """Refuse ratings whose indices do not fit the learned arrays: kernels check no bounds."""
        self._check_fitted()
        if not isinstance(ratings, Ratings):
            raise TypeError(f"these must be Ratings, got {type(ratings).__name__}")
        if not (
            np.array_equal(self.user_ids_, ratings.user_ids)
            and np.array_equal(self.item_ids_, ratings.item_ids)
        ):
            raise ValueError(
                "these ratings number their users and items differently from those of the fit"
            )

    def _check_fitted(self) -> None:
        if not hasattr(self, "mean_"):
            raise RuntimeError(f"this {type(self).__name__} is not fitted yet; call fit first")


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


def _check_validation(ratings, validation) -> None:
    if not isinstance(validation, Ratings):
        raise TypeError(f"validation must be Ratings, got {type(validation).__name__}")
    if isinstance(ratings, Ratings) and not ratings.shares_index_with(validation):
        raise ValueError(
            "training and validation ratings number their users and items differently; "
            "take both from one split, such as train_validation_test_split"
        )


def _lists_of_names(lists) -> list[list[str]]:
    if not isinstance(lists, list) or not all(isinstance(names, list) for names in lists):
        raise TypeError(f"{lists!r} is not a list of lists")
    for name in (name for names in lists for name in names):
        if not isinstance(name, str):
            raise TypeError(f"{name!r} is not a name")
    return lists


def _check_arrays(path, arrays, layout_for) -> None:
    n_users, n_items = (np.size(arrays.get(name)) for name in ("user_ids_", "item_ids_"))
    layout = layout_for(n_users, n_items)
    expected = {"user_ids_": (n_users,), "item_ids_": (n_items,)}
    expected |= {name: shape for name, (_, shape) in layout.items()}
    found = {name: array.shape for name, array in arrays.items()}
    if found != expected:
        raise ValueError(f"the arrays in {path} do not fit together: {found}, not {expected}")
    for name, array in arrays.items():
        if name in ("user_ids_", "item_ids_"):
            if array.dtype.kind not in "iU" or not np.all(array[1:] > array[:-1]):
                raise ValueError(f"{name} in {path} are not ascending integers or strings")
            continue
        kind = np.dtype(layout[name][0])
        if array.dtype != kind or not np.isfinite(array).all():
            raise ValueError(f"{name} in {path} holds something else than finite {kind} numbers")
