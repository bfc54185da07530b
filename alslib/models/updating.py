"""What a fit has learned, carried over to other ratings: a warm start, and an update of some rows.

Users and items are found again by their ids. Those that are new start at their priors, which are
zero unless features say otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from alslib.data.ids import known_indices, look_up
from alslib.data.ratings import Ratings, check_ratings

if TYPE_CHECKING:
    from alslib.models.base import ALSModel

_SIDES = ("item", "user")


def carry_over(start: ALSModel, model: ALSModel) -> dict[str, np.ndarray]:
    """Put the rows of one model where the same ids are in another.

    Parameters
    ----------
    start : ALSModel
        Fitted.
    model : ALSModel
        Of the same class, with ids and arrays of its own, which are written.

    Returns
    -------
    dict of str to ndarray of bool, shape (n_users,) and (n_items,)
        By "user" and "item", which rows of `model` are new; they are zero now.

    Raises
    ------
    TypeError
        If the ids are of different kinds.
    ValueError
        If the numbers of factors differ.
    """
    new = {}
    for side in _SIDES:
        ids_before, ids = (getattr(fit, f"{side}_ids_") for fit in (start, model))
        places = look_up(ids_before, ids, f"{side} ids")
        new[side] = places < 0
        for name in model._row_arrays(side):
            before, rows = (getattr(fit, name) for fit in (start, model))
            if rows.shape[1:] != before.shape[1:]:
                raise ValueError(
                    f"{name} has {before.shape[1]} factors in the fit to start from, not "
                    f"{rows.shape[1]}"
                )
            rows[:] = before[places]
            rows[new[side]] = 0
    return new


def updated(
    fitted: ALSModel,
    ratings: Ratings,
    users: ArrayLike | None,
    items: ArrayLike | None,
    features: dict[str, Any],
) -> ALSModel:
    """Return a model with room for all ids, in which some rows have been solved for again.

    Parameters and errors are those of `ALSModel.update`.
    """
    check_ratings(ratings)
    (low, high), (lowest, highest) = fitted.scale_, ratings.scale
    if lowest < low or highest > high:
        raise ValueError(
            f"these ratings go from {lowest:g} to {highest:g}, beyond those of the fit, from "
            f"{low:g} to {high:g}: fit anew"
        )
    ratings = ratings.with_ids(fitted.user_ids_, fitted.item_ids_)
    model = _copy(fitted)
    model.user_ids_, model.item_ids_ = ratings.user_ids, ratings.item_ids
    model.history_ = list(fitted.history_)  # another list, by which it is known for another fit
    layout = model._array_layout(ratings.n_users, ratings.n_items)
    for name in [*model._row_arrays("user"), *model._row_arrays("item")]:
        dtype, shape = layout[name]
        setattr(model, name, np.empty(shape, dtype))
    chosen = carry_over(fitted, model)
    model._place_new(chosen, **features)
    for side, named in zip(_SIDES, (items, users), strict=True):
        if named is not None:
            found = known_indices(getattr(model, f"{side}_ids_"), named, side, ValueError)
            chosen[side][found] = True
        _solve_rows(model, side, np.flatnonzero(chosen[side]), ratings)
    return model


def _solve_rows(model, side, rows, ratings) -> None:
    """Run the blocks of one side for some rows alone: those of a model that has no others."""
    if not len(rows):
        return
    part = _copy(model)
    # A few rows are solved for all the way: steps start from where a fit has brought most rows.
    part._fitted_params = part._fitted_params | {"cg_steps": None}
    names = [f"{side}_ids_", *model._row_arrays(side)]
    for name in names:
        setattr(part, name, getattr(model, name)[rows])
    for name, solve in part._row_blocks(ratings._part(side, rows)).items():
        if name.startswith(side):
            solve()
    for name in names:
        getattr(model, name)[rows] = getattr(part, name)


def _copy(model: ALSModel) -> ALSModel:
    copy = object.__new__(type(model))
    vars(copy).update(vars(model))
    return copy
