"""Lesson 6: what do we know about a movie that nobody has rated?

The feature model is the latent-factor model of lesson 4 with other centres: what is known about a
movie, such as its genres, says where its bias and factors lie before anyone has rated it. With

    p_n = Σ_k s_nk f_k   and   c_n = Σ_k s_nk g_k,

where s_nk = F_n^{-1/2} if movie n has feature k, one of its F_n, it minimises

    L = λ/2 Σ_Ω w_mn (r_mn − μ − b_m − b_n − u_m · v_n)²
      + γ/2 Σ (b_n − c_n)² + τ/2 Σ ‖v_n − p_n‖² + γ_f/2 Σ g_k² + τ_f/2 Σ ‖f_k‖²

plus the same for users. The weights w_mn, and how the ridges of rows grow with the number of
ratings, are those of lesson 4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
import pandas as pd
import scipy
from numpy.typing import ArrayLike

from alslib._params import check_number
from alslib.data.rated import RatingsToFit
from alslib.data.ratings import Ratings, check_ratings
from alslib.data.tables import Table, as_frame
from alslib.kernels.inputs import Pair
from alslib.models.base import check_belongs
from alslib.models.factors import Side
from alslib.models.feature_matrix import design_matrix
from alslib.models.feature_regression import FeatureRegression
from alslib.models.history import Sweep
from alslib.models.latent import LAM, N_FACTORS, N_SWEEPS, RIDGE_POWER, TOL, LatentALS
from alslib.models.updating import carry_over, updated

if TYPE_CHECKING:
    from alslib.models.feature_matrix import Features

_MOST_STEPS = 1000  # of conjugate gradients, where they go on until F is exact
_TAU_FEATURES = 30.0  # for ratings from 0.5 to 5 stars


class FeatureALS(LatentALS):
    """Latent-factor model whose movies and users start from their features, fitted by ALS.

    An item's bias and factors are pulled towards what its features predict, c_n and p_n, instead
    of towards zero; an item that nobody rated is put there. What a feature contributes, g_k and
    f_k, is learned with the rest, by one block update for all features together. Without features
    this is `LatentALS`.

    Features are given to `fit`: a table, a matrix, or several of them as a list. Each row is
    scaled to length 1, which turns 0 and 1 into 0 and F_n^{-1/2}. In a list each table's rows are
    scaled to the same length first, so that three genres weigh as much as three hundred raters.

    Parameters
    ----------
    n_factors, lam, ridge_power, joint, n_sweeps, tol, random_state, cg_steps
        As in `LatentALS`.
    gamma : float
        γ, precision of the biases around c; at least 0.
    tau : float, optional
        τ, precision of the factors around p; above 0. By default as in `LatentALS`.
    gamma_features : float
        γ_f, precision of the features' biases around 0; above 0.
    tau_features : float, optional
        τ_f, precision of the features' factors around 0; above 0. By default 30 for ratings from
        0.5 to 5 stars, and in proportion for a scale of another width.

    Attributes
    ----------
    item_feature_bias_, user_feature_bias_ : ndarray of float64, shape (n_features,)
        g_k in stars, one for each feature of items or users.
    item_feature_factors_, user_feature_factors_ : ndarray of float64, shape (n_features, n_factors)
        f_k, one row a feature, in the order of the columns of what was given to `fit`.
    item_prior_bias_, user_prior_bias_ : ndarray of float64, shape (n_items,) or (n_users,)
        c_n or c_m in stars.
    item_prior_factors_, user_prior_factors_ : ndarray of float32, shape (…, n_factors)
        p_n or p_m.
    item_feature_names_, user_feature_names_ : list of list of str
        The column names of each table; those of a matrix are "0", "1", ….
    mean_, user_bias_, item_bias_, user_factors_, item_factors_, …
        As in `LatentALS`; rows without ratings are equal to their priors.

    Notes
    -----
    The features' update is a regression of the rows on their features, by conjugate gradients until
    the residual is 1e-9 of what it could be. Who rated what (`implicit_feedback`) is a feature too,
    with as many columns as there are users; exact updates then take dozens of times as long as the
    rest of the sweep. With ``cg_steps`` they go so many steps from where they stand, in float32:
    one step takes about as long as the rest. The benchmarks page has a table.

    References
    ----------
    Agarwal and Chen, "Regression-based latent factor models", KDD 2009 (prior means from
    features). Koren, "Factorization meets the neighborhood", KDD 2008 (the rated items as what is
    known of a user, divided by the square root of their number).

    Examples
    --------
    >>> import pandas as pd
    >>> ratings = Ratings(["ann", "ann", "bob", "bob"], ["Up", "Heat", "Up", "Heat"], [5, 1, 4, 2])
    >>> genres = pd.DataFrame({"Comedy": [1, 0], "Crime": [0, 1]}, index=["Up", "Heat"])
    >>> model = FeatureALS(n_factors=1, gamma_features=1).fit(ratings, item_features=genres)
    >>> bias, factors = model.item_prior(pd.DataFrame({"Crime": [1]}, index=["Ronin"]))
    >>> bias.round(1)
    array([-0.8])
    """

    user_feature_bias_: np.ndarray
    item_feature_bias_: np.ndarray
    user_feature_factors_: np.ndarray
    item_feature_factors_: np.ndarray
    user_prior_bias_: np.ndarray
    item_prior_bias_: np.ndarray
    user_prior_factors_: np.ndarray
    item_prior_factors_: np.ndarray
    user_feature_names_: list[list[str]]
    item_feature_names_: list[list[str]]
    _user_features: scipy.sparse.csr_array
    _item_features: scipy.sparse.csr_array

    _header_names = ("user_feature_names_", "item_feature_names_")

    def __init__(
        self,
        n_factors: int = N_FACTORS,
        lam: float = LAM,
        gamma: float = 2.0,
        tau: float | None = None,
        gamma_features: float = 30.0,
        tau_features: float | None = None,
        ridge_power: float = RIDGE_POWER,
        joint: bool = True,
        n_sweeps: int = N_SWEEPS,
        tol: float = TOL,
        random_state: int = 0,
        cg_steps: int | None = None,
    ):
        super().__init__(
            n_factors, lam, gamma, tau, ridge_power, joint, n_sweeps, tol, random_state, cg_steps
        )
        self.gamma_features = gamma_features
        self.tau_features = tau_features

    def initialise(
        self,
        ratings: RatingsToFit,
        warm_start: bool = False,
        *,
        item_features: Features | None = None,
        user_features: Features | None = None,
    ) -> Self:
        """Set the parameters to where the first sweep starts; see `ALSModel.initialise`."""
        features = {"item_features": item_features, "user_features": user_features}
        return self._initialise(ratings, self._start_for(warm_start), **features)

    def fit(
        self,
        ratings: RatingsToFit,
        validation: RatingsToFit | None = None,
        progress: bool = True,
        warm_start: bool = False,
        checkpoint: str | Path | None = None,
        *,
        item_features: Features | None = None,
        user_features: Features | None = None,
    ) -> Self:
        """Run sweeps until ``n_sweeps`` are done or L has stopped falling; see `ALSModel.fit`.

        Parameters
        ----------
        ratings, validation, progress, warm_start, checkpoint
            As in `ALSModel.fit`; a feature of the same name starts with what it had.
        item_features, user_features : table, matrix, or list of these, optional
            What is known of items and of users. A table has one row an id, in any order; ids that
            the ratings lack are left out. The ids are the index of a DataFrame of pandas, and the
            column movie_id or user_id of another table: a DataFrame of Polars, an Arrow table, or
            a dict of columns. A matrix, dense or sparse, has one row for each of
            ``ratings.item_ids`` or ``ratings.user_ids``, in this order.

        Returns
        -------
        self

        Raises
        ------
        OSError
            If the checkpoint cannot be written.
        TypeError, ValueError
            If a hyperparameter, the ratings or the features will not do, or the checkpoint is that
            of another fit; a fitted model is untouched then.
        """
        features = {"item_features": item_features, "user_features": user_features}
        return self._fit(ratings, validation, progress, warm_start, checkpoint, **features)

    def fit_iter(
        self,
        ratings: RatingsToFit,
        validation: RatingsToFit | None = None,
        warm_start: bool = False,
        checkpoint: str | Path | None = None,
        *,
        item_features: Features | None = None,
        user_features: Features | None = None,
    ) -> Iterator[Sweep]:
        """Fit, handing over the record of each sweep; see `ALSModel.fit_iter` and `fit`."""
        features = {"item_features": item_features, "user_features": user_features}
        start = self._start_for(warm_start)
        return self._fit_iter(ratings, validation, start, checkpoint, **features)

    def update(
        self,
        ratings: Ratings,
        users: ArrayLike | None = None,
        items: ArrayLike | None = None,
        *,
        item_features: Features | None = None,
        user_features: Features | None = None,
    ) -> Self:
        """Solve for some rows again, all others and the features held fixed; see `ALSModel.update`.

        What is new starts at its prior, and stays there without ratings: an item that came out
        today is predicted from its features.

        Parameters
        ----------
        ratings, users, items
            As in `ALSModel.update`. An item without ratings is among those of
            ``ratings.with_ids(items=[...])``.
        item_features, user_features : table, matrix, or list of these, optional
            What is known of those that are new, as in `fit`; needed if the fit had features of this
            side. A table may have other rows too; a matrix has one row for each new id, ascending.

        Returns
        -------
        self
            From then on without the features of the fit, as if it had been loaded.

        Raises
        ------
        RuntimeError, TypeError, ValueError
            As in `ALSModel.update`, and if features are missing or not those of the fit.
        """
        features = {"item": item_features, "user": user_features}
        return self._adopt(updated(self.as_fitted(), ratings, users, items, features))

    def blocks(self, ratings: RatingsToFit) -> dict[str, Callable[[], None]]:
        """Return the features' block updates, then those of `LatentALS`; see `ALSModel.blocks`.

        A model that was loaded has no features to learn from, and raises a RuntimeError.
        """
        fitted = check_belongs(self, ratings)
        if getattr(fitted, "_item_features", None) is None:
            raise RuntimeError("features are not saved with a model; call fit or initialise again")
        (users, items), (of_users, of_items) = fitted._sides(), fitted._feature_parameters()
        features = {}
        if fitted._user_features.shape[1]:
            features["user_features"] = fitted._features_step(
                fitted._user_features, ratings.rated_by("user").counts, users, of_users
            )
        if fitted._item_features.shape[1]:
            features["item_features"] = fitted._features_step(
                fitted._item_features, ratings.rated_by("item").counts, items, of_items
            )
        return features | fitted._row_blocks(ratings)

    def _row_blocks(self, ratings) -> dict[str, Callable[[], None]]:
        return super().blocks(ratings)

    def _features_step(
        self, matrix: scipy.sparse.csr_array, counts: np.ndarray, side: Side, features: Pair
    ) -> Callable[[], None]:
        """Return the update of all features of one side, which its priors follow."""
        unrated = counts == 0
        # A row without ratings follows its prior wherever that moves, and so has no say in it.
        growth = np.where(unrated, 0.0, self.ridge_growth(counts))
        back = scipy.sparse.csr_array(matrix.T)
        regressions = [
            FeatureRegression(matrix, back, growth, *precisions, *map(_columns, parts))
            for precisions, *parts in zip(
                ((self.gamma, self.gamma_features), (self.tau, self.tau_features)),
                *side,
                features,
                strict=True,
            )
        ]

        def update() -> None:
            for regression in regressions:
                regression.descend(self.cg_steps or _MOST_STEPS)
            for rows, prior in zip(*side, strict=True):
                rows[unrated] = prior[unrated]

        return update

    def item_prior(self, features: Features) -> tuple[np.ndarray, np.ndarray]:
        """Return where items with these features lie before anyone has rated them.

        Parameters
        ----------
        features : table, matrix, or list of these
            As many as at the fit: tables for tables, matrices for matrices. The columns of a table
            are found by name; those that it lacks count as 0, and ids are not looked at.

        Returns
        -------
        bias : ndarray of float64, shape (n,)
            c_n in stars.
        factors : ndarray of float64, shape (n, n_factors)
            p_n.

        Raises
        ------
        RuntimeError
            If the model is not fitted.
        TypeError, ValueError
            If the features are not those of the fit.
        """
        fitted = self.as_fitted()
        matrix, _ = design_matrix(features, "item_features", columns=fitted.item_feature_names_)
        return matrix @ fitted.item_feature_bias_, matrix @ fitted.item_feature_factors_

    def user_prior(self, features: Features) -> tuple[np.ndarray, np.ndarray]:
        """Return where users with these features lie before they have rated anything.

        Parameters, result and errors are those of `item_prior`.
        """
        fitted = self.as_fitted()
        matrix, _ = design_matrix(features, "user_features", columns=fitted.user_feature_names_)
        return matrix @ fitted.user_feature_bias_, matrix @ fitted.user_feature_factors_

    def _settle(self) -> None:
        super()._settle()
        if self.tau_features is None:
            self.tau_features = _TAU_FEATURES * self._unit()

    def _check_params(self) -> None:
        super()._check_params()
        check_number("gamma_features", self.gamma_features, above=0)
        if self.tau_features is not None:
            check_number("tau_features", self.tau_features, above=0)

    def _array_layout(self, n_users, n_items) -> dict[str, tuple[type, tuple[int, ...]]]:
        layout = super()._array_layout(n_users, n_items)
        sides = {
            "user": (n_users, self.user_feature_names_),
            "item": (n_items, self.item_feature_names_),
        }
        for side, (n_rows, names) in sides.items():
            n_features = sum(map(len, names))
            layout |= {
                f"{side}_prior_bias_": (np.float64, (n_rows,)),
                f"{side}_prior_factors_": (np.float32, (n_rows, self.n_factors)),
                f"{side}_feature_bias_": (np.float64, (n_features,)),
                f"{side}_feature_factors_": (np.float64, (n_features, self.n_factors)),
            }
        return layout

    def _start_parameters(self, ratings, item_features=None, user_features=None) -> None:
        users, self.user_feature_names_ = design_matrix(
            user_features, "user_features", ratings.user_ids
        )
        items, self.item_feature_names_ = design_matrix(
            item_features, "item_features", ratings.item_ids
        )
        # A few steps do not come so near that half the memory, and half the time, would not do.
        dtype = np.float64 if self.cg_steps is None else np.float32
        self._user_features, self._item_features = users.astype(dtype), items.astype(dtype)
        super()._start_parameters(ratings)
        layout = self._array_layout(ratings.n_users, ratings.n_items)
        for name in layout.keys() - super()._array_layout(0, 0).keys():
            dtype, shape = layout[name]
            setattr(self, name, np.zeros(shape, dtype))

    def _fixed_inputs(self) -> list[np.ndarray]:
        matrices = self._user_features, self._item_features
        return [part for m in matrices for part in (m.data, m.indices, m.indptr)]

    def _row_arrays(self, side) -> list[str]:
        return [*super()._row_arrays(side), f"{side}_prior_bias_", f"{side}_prior_factors_"]

    def _warm(self, start) -> None:
        new = carry_over(start, self)
        for side, matrix in (("user", self._user_features), ("item", self._item_features)):
            names, names_before = (getattr(fit, f"{side}_feature_names_") for fit in (self, start))
            # A feature is known by its table and its name.
            place = {name: k for k, name in enumerate(_numbered(names_before))}
            found = np.array([place.get(name, -1) for name in _numbered(names)], np.int64)
            for part in ("bias", "factors"):
                learned = getattr(self, f"{side}_feature_{part}_")
                learned[found >= 0] = getattr(start, f"{side}_feature_{part}_")[found[found >= 0]]
                prior = getattr(self, f"{side}_prior_{part}_")
                prior[:] = matrix @ learned
                getattr(self, f"{side}_{part}_")[new[side]] = prior[new[side]]

    def _place_new(self, new, item=None, user=None) -> None:
        self._user_features = self._item_features = None
        for side, features in (("item", item), ("user", user)):
            names = getattr(self, f"{side}_feature_names_")
            ids = getattr(self, f"{side}_ids_")[new[side]]
            if not len(ids) or (features is None and not names):
                continue
            if features is None:
                raise ValueError(
                    f"{len(ids)} {side} ids are new, the first is {ids[0]}, and the fit had "
                    f"{side}_features: give theirs, if need be of zeros"
                )
            matrix, _ = design_matrix(features, f"{side}_features", ids, names)
            for part in ("bias", "factors"):
                rows = matrix @ getattr(self, f"{side}_feature_{part}_")
                for name in (f"{side}_prior_{part}_", f"{side}_{part}_"):
                    getattr(self, name)[new[side]] = rows

    def _priors(self) -> tuple[Pair, Pair]:
        users = Pair(self.user_prior_bias_, self.user_prior_factors_)
        items = Pair(self.item_prior_bias_, self.item_prior_factors_)
        return users, items

    def _feature_parameters(self) -> tuple[Pair, Pair]:
        """Return g and f of the users' and of the items' features."""
        users = Pair(self.user_feature_bias_, self.user_feature_factors_)
        items = Pair(self.item_feature_bias_, self.item_feature_factors_)
        return users, items

    def _penalty(self, ratings) -> float:
        squares = 0.0
        for features in self._feature_parameters():
            squares += self.gamma_features * np.sum(features.bias**2)
            squares += self.tau_features * np.sum(features.factors**2)
        return super()._penalty(ratings) + float(squares / 2)


def _numbered(names: list[list[str]]) -> list[tuple[int, str]]:
    """Return the names of all features with the numbers of their tables."""
    return [(table, name) for table, columns in enumerate(names) for name in columns]


def _columns(part: np.ndarray) -> np.ndarray:
    """Return biases as a column; factors have theirs already."""
    return part.reshape(len(part), -1)


def movie_features(
    movies: Table, genres: bool = True, decade: bool = True, year: bool = False
) -> pd.DataFrame:
    """Turn the genres and the year of movies into a table of zeros and ones.

    Parameters
    ----------
    movies : DataFrame, Arrow table, or dict of columns
        Such as `MovieLens.movies`: columns movie_id, genres ("Action|Comedy", "" for none) and
        year (missing where unknown).
    genres, decade, year : bool
        Which features to make; at least one kind. A movie without genres or year has none of them.

    Returns
    -------
    DataFrame of uint8
        One row a movie, with movie_id as index; columns such as "Comedy", "1990s" and "1994", those
        of each kind in alphabetical order.

    Raises
    ------
    TypeError
        If this is no table, or a lazy one.
    ValueError
        If a column is missing, or no kind of feature is asked for.
    """
    movies = as_frame(movies, "this table", needed=("movie_id", "genres", "year"))
    if not (genres or decade or year):
        raise ValueError("ask for genres, decade or year, or several of them")
    years = movies["year"].astype("Int64")
    tables = []
    if genres:
        # Strings on Arrow would make a genre of "".
        tables.append(movies["genres"].astype(object).str.get_dummies("|"))
    if decade:
        tables.append(pd.get_dummies((years // 10 * 10).astype("string") + "s"))
    if year:
        tables.append(pd.get_dummies(years.astype("string")))
    table = pd.concat(tables, axis=1).astype(np.uint8)
    return table.set_axis(pd.Index(movies["movie_id"]), axis=0)


def implicit_feedback(ratings: Ratings) -> scipy.sparse.csr_array:
    """Tell who rated what, whatever the rating: what somebody chose to watch is telling too.

    As features of users this matrix says which items they rated; its transpose, as features of
    items, says who rated them. Take the training ratings alone.

    Parameters
    ----------
    ratings : Ratings

    Returns
    -------
    csr_array of float64, shape (n_users, n_items)
        1 where there is a rating.

    References
    ----------
    Koren, "Factorization meets the neighborhood", KDD 2008, section 4.
    """
    check_ratings(ratings)
    indptr, indices, _ = ratings.by_user
    # Offsets in int64, as the views have them, would make SciPy copy the indices into int64.
    index = np.int32 if len(indices) <= np.iinfo(np.int32).max else np.int64
    parts = np.ones(len(indices)), indices.astype(index), indptr.astype(index)
    return scipy.sparse.csr_array(parts, shape=(ratings.n_users, ratings.n_items))
