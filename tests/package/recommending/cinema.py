"""A small cinema: a handful of movies with awkward titles, many plain ones, and times."""

import numpy as np
import pandas as pd

from alslib import LatentALS, MovieLens, Ratings, Recommender

TITLES = [
    ("Matrix, The", 1999, "Action|Sci-Fi"),
    ("Matrix Reloaded, The", 2003, "Action|Sci-Fi"),
    ("Amelie (Fabuleux destin d'Amélie Poulain, Le)", 2001, "Comedy"),
    ("Schindler's List", 1993, "Drama"),
    ("<b>Evil & \"quoted\"</b>", 1990, "Horror"),
    ("Alien", 1979, "Horror|Sci-Fi"),
    ("Aliens", 1986, "Action|Sci-Fi"),
    ("Nameless", None, ""),
]  # fmt: skip
DAY = 24 * 3600


def small_cinema(n_users=60, seed=0):
    """Return a MovieLens of forty movies with ids 10, 20, …, and ratings over three years."""
    rng = np.random.default_rng(seed)
    movies = pd.DataFrame(
        [*TITLES, *((f"Film {n}", 1980 + n, "Drama") for n in range(32))],
        columns=["title", "year", "genres"],
    ).astype({"year": "Int16"})
    movies.insert(0, "movie_id", 10 * np.arange(1, len(movies) + 1))
    fame = np.linspace(0.9, 0.15, len(movies))
    users, items = np.nonzero(rng.random((n_users, len(movies))) < fame[rng.permutation(40)])
    ratings = pd.DataFrame(
        {
            "user_id": users,
            "movie_id": movies["movie_id"].to_numpy()[items],
            "rating": rng.integers(1, 11, len(users)) / 2,
            "timestamp": rng.integers(0, 3 * 365 * DAY, len(users)),
        }
    )
    return MovieLens("small-cinema", ratings, movies)


def recommender_of(movielens, **options):
    """Fit a model of three factors to all ratings."""
    ratings = Ratings.from_frame(movielens.ratings)
    return Recommender(LatentALS(3, n_sweeps=5, **options).fit(ratings), ratings)
