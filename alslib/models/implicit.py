"""Lesson 8: what if we learn from what people chose, and not from how they rated it?

Every pair of a user and an item counts now: its preference is 1 if the user rated the item,
whatever the rating, and 0 if not. The model predicts u_m · v_n and minimises

    L = λ/2 Σ_Ω (1 − u_m · v_n)² + 1/2 Σ_{not Ω} (u_m · v_n)² + τ/2 (Σ ‖u_m‖² + Σ ‖v_n‖²).

Where ratings have weights w_mn, such as how often somebody played a song, 1 + (λ − 1) w_mn takes
the place of λ.

The second sum has nearly as many terms as there are pairs. It is never formed: over *all* pairs of
a user it is u' (Σ_n v_n v_n') u, with one K × K matrix for all users.
"""

from collections.abc import Callable
from typing import NamedTuple, overload

import numpy as np
from numpy.typing import ArrayLike

from alslib import kernels
from alslib._params import check_number
from alslib.data.rated import RatingsToFit
from alslib.data.ratings import CSR
from alslib.kernels.inputs import ALIKE, Pair, Targets
from alslib.models.base import Id, check_belongs
from alslib.models.factors import Explain, FactorALS, Kind, gram

# V'V is summed in float32: below this share of its eigenvalues' sum there is only rounding.
_ROUNDING = float(np.finfo(np.float32).eps)


class ImplicitALS(FactorALS):
    """Latent-factor model of who chose what, fitted by alternating least squares.

    The update of a user is one ridge regression on all items, chosen or not::

        (V'V + (λ − 1) Σ_{n∈Ω(m)} v_n v_n' + τ I) u_m = λ Σ_{n∈Ω(m)} v_n,

    and likewise for items. V'V is the same for all users, so a sweep costs little more than one of
    `LatentALS`. There are no biases: how popular an item is, its factors have to tell.

    L never rises but for the rounding of float32, a hundred-thousandth of λ/2 times the number of
    ratings, which is L without factors. Where rounding would be more, because there are as many
    factors as users or items and hardly a ridge, the fit ends in a FloatingPointError.

    Parameters
    ----------
    n_factors : int
        K, the number of factors; at least 0.
    lam : float
        λ, precision of the pairs that were chosen; above 1, which is that of all others.
    tau : float
        τ, precision of the factors around 0; above 0.
    n_sweeps, tol, random_state, cg_steps
        As in `LatentALS`.

    Attributes
    ----------
    user_factors_, item_factors_ : ndarray of float32, shape (…, n_factors)
        u_m and v_n; 0 for users and items without ratings.
    history_ : list of Sweep
        The objective and the seconds of every sweep. The errors are NaN: that a prediction is not 1
        is no error in stars. Judge the model by its lists, as with `ndcg_at_k`.
    mean_, user_bias_, item_bias_
        All 0, so that whatever makes lists from a model with biases makes them from this one.

    References
    ----------
    Hu, Koren and Volinsky, "Collaborative filtering for implicit feedback datasets", ICDM 2008;
    their confidence 1 + α is our λ.

    Examples
    --------
    >>> from alslib import Ratings
    >>> users = ["ann", "ann", "bob", "bob", "cat"]
    >>> ratings = Ratings(users, ["Heat", "Ronin", "Heat", "Ronin", "Heat"], [5, 4, 1, 2, 4])
    >>> model = ImplicitALS(n_factors=1, tau=0.1).fit(ratings)
    >>> round(model.predict("cat", "Ronin"), 1)
    0.8
    """

    def __init__(
        self,
        n_factors: int = 32,
        lam: float = 5.0,
        tau: float = 10.0,
        n_sweeps: int = 15,
        tol: float = 1e-5,
        random_state: int = 0,
        cg_steps: int | None = None,
    ):
        self.n_factors = n_factors
        self.lam = lam
        self.tau = tau
        self.n_sweeps = n_sweeps
        self.tol = tol
        self.random_state = random_state
        self.cg_steps = cg_steps

    def _check_validation(self, ratings, validation) -> None:
        if validation is not None:
            raise ValueError(
                "an ImplicitALS predicts no ratings, so there is no validation RMSE; judge its "
                "lists, for example by ndcg_at_k, in grid_search with scoring=…"
            )

    def blocks(self, ratings: RatingsToFit) -> dict[str, Callable[[], None]]:
        """Return the block updates, users last; see `ALSModel.blocks`."""
        fitted = check_belongs(self, ratings)
        users, items = fitted._sides()
        factors = Pair(bias=False, factors=True)
        return {
            "item_factors": fitted._half_step(
                ratings, ratings.rated_by("item"), items, users, factors
            ),
            "user_factors": fitted._half_step(
                ratings, ratings.rated_by("user"), users, items, factors
            ),
        }

    @overload
    def predict(self, users: Id, items: Id, clip: bool = False) -> float: ...
    @overload
    def predict(self, users: ArrayLike, items: ArrayLike, clip: bool = False) -> np.ndarray: ...
    def predict(self, users, items, clip=False):
        """Predict preferences, u_m · v_n; 0 for an unknown user or item.

        Parameters
        ----------
        users, items : array_like of ids, or one id each
            Broadcast against each other.
        clip : bool
            Bring predictions between 0 and 1.

        Returns
        -------
        float, or ndarray of float64 of the broadcast shape
            Near 1 where the user would choose the item.

        Raises
        ------
        RuntimeError, TypeError, ValueError
            As in `ALSModel.predict`.
        """
        predicted = super().predict(users, items, clip=False)
        if clip:
            predicted = np.clip(predicted, 0.0, 1.0)
        return predicted if np.ndim(predicted) else float(predicted)

    def fold_in_system(
        self, kind: Kind, columns: np.ndarray, values: np.ndarray, weights: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the least squares problem of a row; see `FactorALS.fold_in_system`.

        There is no bias, and what the values are makes no difference.
        """
        root = np.sqrt(weights)
        design = root[:, None] * self.facing(kind).factors[columns]
        return design, root * _target(self.lam, weights), self.of_all_pairs(kind) / (self.lam - 1)

    def of_all_pairs(self, kind: Kind) -> np.ndarray:
        """Return V'V + τ I for a user, and U'U + τ I for an item, float64, shape (K, K).

        That is the matrix of somebody who chose nothing: the zeros of all pairs, and the ridge.
        """
        return gram(self.facing(kind).factors) + self.tau * np.eye(self.n_factors)

    def _explained(self, ratings) -> tuple[Explain, float]:
        return ChoicesExplained(float(self.lam)), self.lam - 1

    def _base(self, columns) -> np.ndarray:
        shared = gram(columns)
        rounding = _ROUNDING * np.trace(shared)
        # A usual ridge is far above; without one the smallest eigenvalue decides.
        if self.tau < rounding < np.inf and np.linalg.eigvalsh(shared)[0] + self.tau < rounding:
            raise FloatingPointError(
                f"tau = {self.tau:g} is too small for {self.n_factors} factors: V'V + τ I is "
                "singular in float32; take a larger tau or fewer factors"
            )
        return shared / (self.lam - 1)

    def _ridge(self, counts) -> Pair:
        return Pair(np.zeros(len(counts)), np.full(len(counts), float(self.tau)))

    def _mean_of(self, ratings) -> float:
        return 0.0

    def _objective(self, ratings, squared_error) -> float:
        on_all_pairs = np.sum(gram(self.user_factors_) * gram(self.item_factors_))
        constants = np.empty(ratings.n_users)
        ratings.rated_by("user").each(_sum_targets, (float(self.lam),), (), (constants,))
        constant = constants.sum()
        weighted = (self.lam - 1) * squared_error + on_all_pairs - constant
        return float(weighted / 2 + self._penalty(ratings))

    def _squared_errors(self, ratings) -> tuple[float, float]:
        plain, _ = super()._squared_errors(ratings)
        return plain, float("nan")

    def _check_params(self) -> None:
        super()._check_params()
        check_number("lam", self.lam, above=1)
        check_number("tau", self.tau, above=0)


# On Ω, with the confidence c = 1 + (λ − 1) w, c (1 − p)² less the p² that the sum over all pairs
# has too many is (λ − 1) w (t − p)² − t, where t = c / ((λ − 1) w): least squares again. Without
# weights, t is the same for all pairs.


def _target(lam: float, weights: np.ndarray | float = 1.0) -> np.ndarray | float:
    return 1 + 1 / ((lam - 1) * weights)


class ChoicesExplained(NamedTuple):
    """What the factors of an `ImplicitALS` have to explain: that there is a rating."""

    lam: float

    def __call__(self, view: CSR, weights: np.ndarray) -> tuple[CSR, Targets]:
        """Return some rows with t in the place of their ratings, and how to read them."""
        if not len(weights):
            return view, Targets(_target(self.lam), 0.0, 0.0)
        targets = _target(self.lam, weights.astype(np.float64)).astype(np.float32)
        return view._replace(data=targets), Targets(0.0, 1.0, 0.0, weights)


def _sum_targets(view, weights, lam, sums) -> None:
    """Set the sum of t over each row."""
    if len(weights):
        targets = _target(lam, weights.astype(np.float64))
        sums[:] = kernels.rows.row_sums(view.indptr, targets, ALIKE)
    else:
        sums[:] = _target(lam) * np.diff(view.indptr)
