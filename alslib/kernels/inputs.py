"""What kernels work on, put together as it belongs together.

Compressed rows are `alslib.data.ratings.CSR`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

# All ratings count the same: an empty array rather than none, for which kernels are compiled anew.
ALIKE = np.empty(0, np.float32)


class Targets(NamedTuple):
    """What the parameters have to explain: of a stored rating ``offset + step * data - mean``.

    Attributes
    ----------
    offset, step : float
        A stored rating is a code, whose value is ``offset + step * data``.
    mean : float
        μ, in stars.
    weights : ndarray of float32, shape (n_ratings,) or (0,)
        How much each rating counts; empty where all count the same.
    """

    offset: float
    step: float
    mean: float
    weights: np.ndarray = ALIKE


class Pair(NamedTuple):
    """Something for the biases and the same thing for the factors, of all users or of all items.

    Such as their values, where they lie without ratings, their ridges, or which to solve for.

    Attributes
    ----------
    bias, factors
        Arrays with a first axis as long as there are users or items, or two booleans.
    """

    bias: Any
    factors: Any

    def of_rows(self, rows: slice) -> Pair:
        """Return views of a stretch of the users, or of the items."""
        return Pair(self.bias[rows], self.factors[rows])
