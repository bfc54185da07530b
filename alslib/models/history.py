"""What a fit records of each sweep."""

from typing import NamedTuple


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
