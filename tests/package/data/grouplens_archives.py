"""Tiny archives laid out as GroupLens lays out its own, and the frames they should become."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd

from alslib.data.movielens import MovieLens

# user, movie, stars, seconds since 1970
RATINGS = [
    (1, 1, 5, 874965758),
    (1, 3, 3, 876893171),
    (2, 1, 4, 888550871),
    (3, 2, 1, 889237004),
    (3, 3, 2, 889237455),
    (7, 267, 4, 889237999),
]
HALF_STARS = [(user, movie, stars - 0.5, time) for user, movie, stars, time in RATINGS]

# id, title as GroupLens writes it, title and year as we want them, genres. Nobody rates movie 4.
MOVIES = [
    (1, "Toy Story (1995)", "Toy Story", 1995, "Animation|Comedy"),
    (2, "Misérables, Les (1995) ", "Misérables, Les", 1995, "Drama"),
    (3, "Fawlty Towers (1975-1979)", "Fawlty Towers", 1975, "Comedy"),
    (4, "Big Bang Theory, The (2007-)", "Big Bang Theory, The", 2007, "Comedy"),
    (267, '"Great" & Small: NA', '"Great" & Small: NA', None, ""),
]
GENRES = ["unknown", "Action", "Animation", "Comedy", "Drama"]


def csv_files(newline: str = "\r\n") -> dict[str, bytes]:
    """Return the files of latest-small, 20M, 25M and 32M."""
    ratings = [f"{user},{movie},{stars:.1f},{time}" for user, movie, stars, time in HALF_STARS]
    movies = []
    for movie, title, _, _, genres in MOVIES:
        if "," in title or '"' in title:
            title = '"' + title.replace('"', '""') + '"'
        movies.append(f"{movie},{title},{genres or '(no genres listed)'}")
    files = {
        "ratings.csv": ["userId,movieId,rating,timestamp", *ratings],
        "movies.csv": ["movieId,title,genres", *movies],
        "README.txt": ["Summary"],
    }
    return {name: "".join(f"{x}{newline}" for x in lines).encode() for name, lines in files.items()}


def dat_files(encoding: str = "latin-1", half_stars: bool = False) -> dict[str, bytes]:
    """Return the files of 1M (whole stars, latin-1) or 10M (half stars, UTF-8)."""
    rows = HALF_STARS if half_stars else RATINGS
    ratings = [f"{user}::{movie}::{stars:g}::{time}\n" for user, movie, stars, time in rows]
    movies = [
        f"{movie}::{title}::{genres or '(no genres listed)'}\n"
        for movie, title, _, _, genres in MOVIES
    ]
    return {
        "ratings.dat": "".join(ratings).encode(encoding),
        "movies.dat": "".join(movies).encode(encoding),
        "README": b"Summary\n",
    }


def u_files(encoding: str = "latin-1") -> dict[str, bytes]:
    """Return the files of 100K, the movies in latin-1 or as some copies have them."""
    ratings = [f"{user}\t{movie}\t{stars}\t{time}\n" for user, movie, stars, time in RATINGS]
    movies = []
    for movie, title, _, _, genres in MOVIES:
        chosen = genres.split("|") if genres else ["unknown"]
        flags = "|".join(str(int(genre in chosen)) for genre in GENRES)
        movies.append(f"{movie}|{title}|01-Jan-1995||http://us.imdb.com/M/{movie}|{flags}\n")
    genre_lines = [f"{genre}|{number}\n" for number, genre in enumerate(GENRES)]
    return {
        "u.data": "".join(ratings).encode(),
        "u.item": "".join(movies).encode(encoding),
        "u.genre": "".join([*genre_lines, "\n"]).encode(encoding),
    }


def archive(files: dict[str, bytes], folder: str = "ml-test/") -> bytes:
    """Pack the files into a zip in the folder that GroupLens's archives have."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as zipped:
        if folder:
            zipped.mkdir(folder)
        for name, data in files.items():
            zipped.writestr(folder + name, data)
    return content.getvalue()


def unpack(files: dict[str, bytes], folder: Path) -> Path:
    """Write the files into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


def expected_ratings(half_stars: bool) -> pd.DataFrame:
    """Return what `RATINGS` or `HALF_STARS` should be read as."""
    users, movies, stars, times = zip(*(HALF_STARS if half_stars else RATINGS), strict=True)
    return pd.DataFrame(
        {
            "user_id": np.array(users, np.int32),
            "movie_id": np.array(movies, np.int32),
            "rating": np.array(stars, np.float32),
            "timestamp": np.array(times, np.int32),
        }
    )


def expected_movies() -> pd.DataFrame:
    """Return what `MOVIES` should be read as."""
    ids, _, titles, years, genres = zip(*MOVIES, strict=True)
    return pd.DataFrame(
        {
            "movie_id": np.array(ids, np.int32),
            "title": pd.Series(titles, dtype=str),
            "year": pd.array(years, dtype="Int16"),
            "genres": pd.Series(genres, dtype=str),
        }
    )


# As an editor on Windows saves it.
MARKED_MOVIES = {"movies.dat": dat_files("utf-8-sig")["movies.dat"]}
# Name of a release, its tiny files, whether it has half stars: each of the forms, as it varies.
FORMS = {
    "csv": ("ml-25m", csv_files(), True),
    "csv, plain line ends": ("ml-25m", csv_files("\n"), True),
    "dat of 1M": ("ml-1m", dat_files(), False),
    "dat of 10M": ("ml-10m", dat_files("utf-8", half_stars=True), True),
    "u": ("ml-100k", u_files(), False),
    "u in UTF-8": ("ml-100k", u_files("utf-8"), False),
    "u in UTF-8 with its mark": ("ml-100k", u_files("utf-8-sig"), False),
    "dat of 1M in UTF-8 with its mark": ("ml-1m", dat_files() | MARKED_MOVIES, False),
}


def assert_is_tiny(data: MovieLens, half_stars: bool) -> None:
    """Check what was read, types included."""
    pd.testing.assert_frame_equal(data.ratings, expected_ratings(half_stars))
    pd.testing.assert_frame_equal(data.movies, expected_movies())
