"""scikit-learn's manners without scikit-learn: hyperparameters, ``get_params``, ``repr``."""

import inspect
import math
from numbers import Integral, Real
from typing import Any, Self


class Parametrised:
    """Base of everything with hyperparameters: all are keyword arguments of the constructor.

    The constructor only stores them under their own names, so that scikit-learn's ``clone`` works;
    they are checked when they are used.
    """

    @classmethod
    def _parameter_names(cls) -> list[str]:
        return [name for name in inspect.signature(cls.__init__).parameters if name != "self"]

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the hyperparameters by name (`deep` is scikit-learn's, and changes nothing)."""
        return {name: getattr(self, name) for name in self._parameter_names()}

    def set_params(self, **params: Any) -> Self:
        """Change hyperparameters by name; the fitted state stays as it is until the next fit.

        Raises
        ------
        ValueError
            If a name is unknown; nothing is changed then.
        """
        unknown = sorted(set(params) - set(self._parameter_names()))
        if unknown:
            raise ValueError(
                f"{type(self).__name__} has no hyperparameter {', '.join(unknown)}; "
                f"it has {', '.join(self._parameter_names())}"
            )
        for name, value in params.items():
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        params = ", ".join(f"{name}={value!r}" for name, value in self.get_params().items())
        return f"{type(self).__name__}({params})"


def check_number(name: str, value: Any, *, above: float | None = None, least: float = 0) -> None:
    """Refuse a hyperparameter that is not a finite real number in its range.

    Raises
    ------
    TypeError
        If the value is not a number (a boolean is not).
    ValueError
        If it is NaN, infinite, not above `above`, or below `least`.
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a number, got {value!r}")
    try:
        finite = math.isfinite(value)
    except OverflowError:  # an integer beyond the largest float
        finite = False
    if not finite:
        raise ValueError(f"{name} must be finite, got {value!r}")
    if above is not None and not value > above:
        raise ValueError(f"{name} must be greater than {above:g}, got {value!r}")
    if value < least:
        raise ValueError(f"{name} must be at least {least:g}, got {value!r}")


def check_integer(name: str, value: Any, least: int) -> None:
    """Refuse a hyperparameter that is not an integer of at least `least`.

    Raises
    ------
    TypeError, ValueError
    """
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name} must be an integer, got {value!r}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}, got {value!r}")
