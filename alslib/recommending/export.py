"""Lesson 7: a recommender as the small JSON with which a page recommends, without any Python.

Somebody new needs the movies' biases and factors and the ridge, nothing of the other users. The
factors are rounded to 16 bits, and so half as long as in memory.
"""

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from alslib._archive import replacing
from alslib._params import check_integer
from alslib.data.ids import look_up
from alslib.data.movielens import MovieLens
from alslib.models.implicit import ImplicitALS
from alslib.models.latent import LatentALS
from alslib.recommending.popularity import PopularityPrior
from alslib.recommending.recommender import Recommender

FORMAT = "alslib-model"
VERSION = 2

_LARGEST = np.iinfo(np.int16).max
_BIAS_DECIMALS = 5
_DIRECTION_DECIMALS = 4
_VARIANCE_DECIMALS = 4
_RIDGE_DIGITS = 7
# Of intervals a page shows these.
_SHARE = 0.8
# Parts of a direction that differ by a smaller share than this differ by rounding.
_SAME = 1e-6


def export_json(
    path: str | Path,
    recommender: Recommender,
    movielens: MovieLens,
    *,
    choices: ImplicitALS | None = None,
    min_ratings: int = 10,
    recent_days: int = 365,
) -> None:
    """Write what a page needs to recommend the movies with enough ratings.

    The same models and ratings make the same bytes. A page that folds somebody in gets the scores
    of `fold_in` and `Recommender`, but for the rounding of factors and biases.

    Parameters
    ----------
    path : str or Path
        Written exactly as given, all of it or nothing.
    recommender : Recommender
        Of a LatentALS or FeatureALS with at least two factors. What it knows of features of users
        is left out. With a calibration the page has intervals.
    movielens : MovieLens
        The titles, years and genres of the movies, and how often and when they were rated.
    choices : ImplicitALS, optional
        Fitted to the same ratings: with it the page has the lists that begin with what most people
        like, those of a `PopularityPrior` of these ratings.
    min_ratings : int
        Leave out movies with fewer ratings; at least 1.
    recent_days : int
        Up to how many days before the last rating a rating is recent; at least 1.

    Raises
    ------
    RuntimeError
        If a model is not fitted, or has been fitted again since.
    TypeError
        If an argument is of the wrong kind, or the recommender's model predicts no ratings.
    ValueError
        If an argument is out of range, no movie has enough ratings, or the models and the movies do
        not belong together.
    OSError
        If the file cannot be written.

    Notes
    -----
    ========== =====================================================================================
    key        value
    ========== =====================================================================================
    format     "alslib-model"
    version    2
    mean       μ
    scale      the lowest and the highest rating
    ridge      bias: γ/λ, factors: τ/λ, power: both are multiplied by (number of ratings) ^ power
    recent     days: which ratings count as recent, until: the date of the last
    genres     the names of the genres
    items      lists of the same length: id (ascending), title, genres (numbers of the names above),
               n_ratings, n_recent, bias (b_n, to 5 decimals)
    factors    columns: K; int16: the rows v_n divided by unit, little-endian, in base64; unit
    directions the two directions in which the v_n vary most, orthonormal, the widest first
    interval   null, or share: of the ratings that lie within, quantile: the q of this share, sigma:
               σ, variance: a list with what is unknown of each movie (to 4 decimals); see
               `Recommender.predict_interval`
    choice     null, or factors: as above, those of the choices; liked: f_n times n_users, a list;
               n_users: those with ratings; from: the stars that count as liked; share and growth
               of ρ; ridge: the lower triangle of (V'V + τ I)/λ, row by row, which ρ multiplies; see
               `PopularityPrior`
    ========== =====================================================================================

    No factor is further than unit / 2 from its rounded value, and unit is the largest of them
    divided by 32,767.

    Examples
    --------
    >>> from alslib import Ratings, load_movielens
    >>> movielens = load_movielens()
    >>> ratings = Ratings.from_frame(movielens.ratings)
    >>> recommender = Recommender(LatentALS(2).fit(ratings), ratings)
    >>> export_json("model.json", recommender, movielens)  # doctest: +SKIP
    """
    if not isinstance(recommender, Recommender):
        raise TypeError(f"recommender must be a Recommender, got {type(recommender).__name__}")
    model = recommender.model
    if not isinstance(model, LatentALS):
        raise TypeError(
            "a page recommends by predicted ratings: the model must be a LatentALS or FeatureALS, "
            f"got {type(model).__name__}"
        )
    if not isinstance(choices, ImplicitALS | None):
        raise TypeError(f"choices must be an ImplicitALS, got {type(choices).__name__}")
    check_integer("min_ratings", min_ratings, least=1)
    check_integer("recent_days", recent_days, least=1)
    if not isinstance(movielens, MovieLens):
        raise TypeError(f"movielens must be a MovieLens, got {type(movielens).__name__}")
    document = _document(recommender, movielens, choices, min_ratings, recent_days)
    text = json.dumps(document, separators=(",", ":"), allow_nan=False)
    # So that it can stand inside a page: a title may hold "</script>".
    text = text.replace("<", "\\u003c")
    with replacing(path) as file:
        file.write(text.encode("ascii"))


def _document(recommender, movielens, choices, min_ratings, recent_days) -> dict[str, Any]:
    model, ratings = recommender.model.as_fitted(), movielens.ratings
    counts = ratings["movie_id"].value_counts().sort_index()
    counts = counts[counts >= min_ratings]
    if counts.empty:
        raise ValueError(f"no movie has {min_ratings} ratings")
    rows = _known_rows(model, counts.index)
    if model.item_factors_.shape[1] < 2:
        raise ValueError("a map has two directions, so that the model must have two factors")
    factors = model.item_factors_[rows].astype(np.float64)
    if "timestamp" not in ratings.columns:
        raise ValueError("a page shows what is new: the ratings need a column timestamp")
    last = int(ratings["timestamp"].max())
    recent_counts = movielens.recent_counts(recent_days).reindex(counts.index, fill_value=0)
    genres, genre_names = _genres(movielens.movies, counts.index)
    return {
        "format": FORMAT,
        "version": VERSION,
        "mean": float(model.mean_),
        "scale": [float(bound) for bound in model.scale_],
        "ridge": {
            "bias": float(model.gamma / model.lam),
            "factors": float(model.tau / model.lam),
            "power": float(model.ridge_power),
        },
        "recent": {
            "days": int(recent_days),
            "until": pd.Timestamp(last, unit="s").date().isoformat(),
        },
        "genres": genre_names,
        "items": {
            "id": counts.index.tolist(),
            "title": movielens.titles()[counts.index].tolist(),
            "genres": genres,
            "n_ratings": counts.tolist(),
            "n_recent": recent_counts.tolist(),
            "bias": model.item_bias_[rows].round(_BIAS_DECIMALS).tolist(),
        },
        "factors": _packed(factors),
        "directions": _widest_directions(factors).round(_DIRECTION_DECIMALS).tolist(),
        "interval": _interval(recommender, counts.index),
        "choice": None if choices is None else _choice(choices, recommender.ratings, counts.index),
    }


def _interval(recommender, ids) -> dict[str, Any] | None:
    calibration = recommender.calibration
    if calibration is None:
        return None
    return {
        "share": _SHARE,
        "quantile": calibration.quantile(_SHARE),
        "sigma": calibration.sigma,
        "variance": recommender.item_variances(ids).round(_VARIANCE_DECIMALS).tolist(),
    }


def _choice(model, ratings, ids) -> dict[str, Any]:
    model, prior = model.as_fitted(), PopularityPrior(ratings)
    rows = _known_rows(model, ids)
    lower = (model.of_all_pairs("user") / model.lam)[np.tril_indices(model.n_factors)]
    return {
        "factors": _packed(model.item_factors_[rows].astype(np.float64)),
        "liked": np.rint(prior.shares_of(model)[rows] * ratings.n_raters).astype(int).tolist(),
        "n_users": ratings.n_raters,
        "from": prior.liked,
        "share": prior.share,
        "growth": prior.growth,
        "ridge": [float(f"{number:.{_RIDGE_DIGITS}g}") for number in lower],
    }


def _known_rows(model, ids) -> np.ndarray:
    rows = look_up(model.item_ids_, ids, "movie ids")
    unknown = rows < 0
    if unknown.any():
        raise ValueError(
            f"the model does not know {unknown.sum()} of these {len(ids)} movies, the first is "
            f"{ids[unknown][0]}; fit it to these ratings"
        )
    return rows


def _genres(movies, ids) -> tuple[list[list[int]], list[str]]:
    """Return the numbers of each movie's genres, and the names of the genres."""
    table = movies.set_index("movie_id")
    twice = table.index[table.index.duplicated()]
    if len(twice):
        raise ValueError(f"movie {twice[0]} is in the table of movies more than once")
    missing = ids.difference(table.index)
    if len(missing):
        raise ValueError(
            f"{len(missing)} of {len(ids)} movies have no title, the first is {missing[0]}"
        )
    lists = [text.split("|") if text else [] for text in table["genres"][ids]]
    names = sorted({name for names in lists for name in names})
    number = {name: index for index, name in enumerate(names)}
    return [[number[name] for name in names] for names in lists], names


def _packed(factors) -> dict[str, Any]:
    unit = float(np.abs(factors).max()) / _LARGEST or 1.0  # if there are zeros only
    whole = np.rint(factors / unit).astype("<i2")
    return {
        "columns": factors.shape[1],
        "unit": unit,
        "int16": base64.b64encode(whole.tobytes()).decode("ascii"),
    }


def _widest_directions(factors) -> np.ndarray:
    """Return the two first principal directions as rows, each with its largest part positive."""
    centred = factors - factors.mean(axis=0)
    _, directions = np.linalg.eigh(centred.T @ centred)  # the widest is the last
    two = directions[:, :-3:-1].T
    # Of parts that rounding alone tells apart the first counts as the largest.
    lengths = np.abs(two)
    first = (lengths >= (1 - _SAME) * lengths.max(axis=1, keepdims=True)).argmax(axis=1)
    return two * np.sign(np.take_along_axis(two, first[:, None], axis=1))
