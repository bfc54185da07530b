"""MovieLens: one small release inside the package, the others downloaded once, all in one shape."""

import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import pandas as pd

from alslib._progress import progress_bar
from alslib.data.grouplens import parsed_copy
from alslib.data.grouplens.formats import read_grouplens
from alslib.data.grouplens.rating_lines import DTYPES, DataError
from alslib.data.tables import Table, as_frame

BASE_URL = "https://files.grouplens.org/datasets/movielens/"
_PAGE = "https://grouplens.org/datasets/movielens/"  # for people
_ARCHIVE = "https://web.archive.org/web/"  # then an address: its latest copy, if there is one
BUNDLED = "ml-latest-small-2016"

# After a failed download: how often to try again, one second later, two, three.
_RETRIES = 3


@dataclass(frozen=True)
class Release:
    """Facts about one release of MovieLens.

    Parameters
    ----------
    released : str
        Month and year.
    n_ratings, n_users, n_movies : int
        Ratings, users who rated, movies listed (not all of which are rated).
    step : float
        Ratings are step, 2 step, …, 5.
    md5 : str or None
        MD5 of the archive as GroupLens publishes it; None where there is nothing to pin.
    """

    released: str
    n_ratings: int
    n_users: int
    n_movies: int
    step: float
    md5: str | None = None


# Each MD5 was compared with several independent public programs that verify the same archive, some
# of which quote the .md5 file that GroupLens keeps beside it. "ml-latest-small" has none: GroupLens
# may replace it under the same name, so that only its counts are checked.
MOVIELENS: dict[str, Release] = {
    BUNDLED: Release("October 2016", 100_004, 671, 9_066, 0.5),
    "ml-latest-small": Release("September 2018", 100_836, 610, 9_742, 0.5),
    "ml-100k": Release("April 1998", 100_000, 943, 1_682, 1, "0e33842e24a9c977be4e0107933c0723"),
    "ml-1m": Release(
        "February 2003", 1_000_209, 6_040, 3_883, 1, "c4d9eecfca2ab87c1945afe126590906"
    ),
    "ml-10m": Release(
        "January 2009", 10_000_054, 69_878, 10_681, 0.5, "ce571fd55effeba0271552578f2648bd"
    ),
    "ml-20m": Release(
        "April 2015", 20_000_263, 138_493, 27_278, 0.5, "cd245b17a1ae2cc31bb14903e1204af3"
    ),
    "ml-25m": Release(
        "December 2019", 25_000_095, 162_541, 62_423, 0.5, "6b51fb2759a8657d3bfcbfc42b592ada"
    ),
    "ml-32m": Release(
        "May 2024", 32_000_204, 200_948, 87_585, 0.5, "d472be332d4daa821edc399621853b57"
    ),
}


@dataclass(frozen=True, eq=False, repr=False, init=False)
class MovieLens:
    """Ratings and the movies they are about. Printing one gives a short summary.

    Your own may come as tables of Polars or Arrow, or as dicts of columns: DataFrames of pandas are
    made of them.

    Parameters
    ----------
    name : str
        Name of the release, or of the file or folder it was read from.
    ratings : DataFrame
        One row per rating, in the order of the release: user_id int32, movie_id int32, rating
        float32 (stars), timestamp int32 (seconds since 1970, UTC). Your own may lack the times.
    movies : DataFrame
        One row per movie, sorted by movie_id: movie_id int32, title str, year Int16 (missing where
        GroupLens gives none), genres str, such as "Action|Comedy", "" for none. Some movies may
        have no ratings; every rated movie is here.
    """

    name: str
    ratings: pd.DataFrame
    movies: pd.DataFrame

    def __init__(self, name: str, ratings: Table, movies: Table):
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "ratings", as_frame(ratings, "ratings"))
        object.__setattr__(self, "movies", as_frame(movies, "movies"))

    def __repr__(self) -> str:
        """Counts, scale and period in two lines."""
        n_rated = len(pd.unique(self.ratings["movie_id"]))
        n_movies = f"{len(self.movies):,} movies"
        if n_rated < len(self.movies):
            n_movies += f" ({n_rated:,} of them rated)"
        stars = self.ratings["rating"]
        period = ""
        if "timestamp" in self.ratings.columns:
            times = pd.to_datetime(self.ratings["timestamp"].agg(["min", "max"]), unit="s")
            period = f", {times['min']:%B %Y} to {times['max']:%B %Y}"
        return (
            f"{self.name}: {len(self.ratings):,} ratings, "
            f"{len(pd.unique(self.ratings['user_id'])):,} users, {n_movies}\n"
            f"{stars.min():g} to {stars.max():g} stars{period}"
        )

    def titles(self) -> "pd.Series[str]":
        """Return the titles with their years where these are known, such as "Matrix, The (1999)".

        Returns
        -------
        Series of str
            One a movie, indexed by movie_id.
        """
        movies = self.movies.set_index("movie_id")
        years = movies["year"].map(lambda year: "" if pd.isna(year) else f" ({int(year)})")
        return movies["title"] + years

    def recent_counts(self, days: int = 365) -> "pd.Series[int]":
        """Count the ratings of each movie in the last days before the last rating.

        Of ratings without a column ``timestamp`` all are counted: which are the last nobody knows.

        Returns
        -------
        Series of int
            Indexed by movie_id, ascending; movies that were not rated then are missing.
        """
        ratings = self.ratings
        if "timestamp" in ratings.columns:
            times = ratings["timestamp"]
            ratings = ratings[times > int(times.max()) - days * 24 * 3600]
        return ratings["movie_id"].value_counts(sort=False).sort_index()


def load_movielens(
    name: str = BUNDLED,
    *,
    path: str | os.PathLike[str] | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
    progress: bool = True,
) -> MovieLens:
    """Load a MovieLens release.

    ``"ml-latest-small-2016"`` ships with this package and needs neither network nor disk. Any other
    is downloaded from GroupLens once, verified, and parsed once; later loads map the parsed copy.

    Parameters
    ----------
    name : str, default "ml-latest-small-2016"
        One of `MOVIELENS`.
    path : str or path-like, optional
        Read this zip archive or unpacked folder instead, in whichever of the three forms that
        GroupLens uses (``ratings.csv``, ``ratings.dat``, ``u.data``). Nothing is downloaded or
        cached. A `name` other than the default then says which release it is, and is checked;
        without one any ratings in such a form will do.
    cache_dir : str or path-like, optional
        Where archives and parsed copies are kept. By default the environment variable
        ``ALSLIB_CACHE``, or else the cache folder of the operating system.
    progress : bool, default True
        Whether to show progress bars.

    Returns
    -------
    MovieLens

    Raises
    ------
    ValueError
        If `name` is unknown.
    DataError
        If the archive is not the published one, is damaged, or holds something unexpected; says
        which file, which line, and what was expected. It is a ValueError.
    OSError
        If the download fails or the disk cannot be read or written; says where to get the file by
        hand, and where to put it.

    Examples
    --------
    >>> load_movielens()
    ml-latest-small-2016: 100,004 ratings, 671 users, 9,066 movies
    0.5 to 5 stars, January 1995 to October 2016
    """
    if name not in MOVIELENS:
        raise ValueError(f"unknown release {name!r}; known are {', '.join(MOVIELENS)}")
    if path is not None:
        return _read_path(Path(path), name, progress)
    if name == BUNDLED:
        return _read_bundled()
    release = MOVIELENS[name]
    cache = _cache_folder(cache_dir)
    parsed = cache / "parsed" / name
    frames = parsed_copy.load(parsed, release.md5)
    if frames is None:
        archive = _download(name, release, cache, progress)
        frames = read_grouplens(archive, step=release.step, progress=progress)
        _check_counts(name, *frames, archive)
        with _writing_to(cache):
            parsed_copy.save(parsed, release.md5, *frames)
    return MovieLens(name, *frames)


def _read_bundled() -> MovieLens:
    with resources.as_file(resources.files("alslib.data.bundled")) as folder:
        ratings = pd.read_csv(folder / "ratings.csv.gz", dtype=DTYPES)
        movies = parsed_copy.read_movies(folder / "movies.csv.gz")
    return MovieLens(BUNDLED, ratings, movies)


def _read_path(path: Path, name: str, progress: bool) -> MovieLens:
    if name == BUNDLED:
        own_name = path.resolve().name.removesuffix(".zip")
        return MovieLens(own_name, *read_grouplens(path, progress=progress))
    frames = read_grouplens(path, step=MOVIELENS[name].step, progress=progress)
    _check_counts(name, *frames, path)
    return MovieLens(name, *frames)


def _check_counts(name: str, ratings: pd.DataFrame, movies: pd.DataFrame, source: Path) -> None:
    release = MOVIELENS[name]
    expected = (release.n_ratings, release.n_users, release.n_movies)
    found = (len(ratings), len(pd.unique(ratings["user_id"])), len(movies))
    if found != expected:
        counts = "{:,} ratings, {:,} users and {:,} movies"
        raise DataError(
            f"{source} is not {name} of {release.released}: expected {counts.format(*expected)}, "
            f"found {counts.format(*found)}. To read it all the same, call "
            f"load_movielens(path={str(source)!r})"
        )


def _cache_folder(cache_dir: str | os.PathLike[str] | None) -> Path:
    import pooch  # here, because it brings requests along, and the bundled release needs neither

    chosen = cache_dir or os.environ.get("ALSLIB_CACHE") or pooch.os_cache("alslib")
    return Path(chosen).expanduser()


def _download(name: str, release: Release, cache: Path, progress: bool) -> Path:
    """Path of the verified archive, downloaded unless it is there already."""
    import pooch
    import requests

    archive = f"{name}.zip"
    md5 = f"md5:{release.md5}" if release.md5 else None
    store = pooch.create(cache, BASE_URL, registry={archive: md5}, retry_if_failed=_RETRIES)
    cure = (
        f"(Tried {_RETRIES + 1} times.) If you can get the file some other way, put it at "
        f"{cache / archive} and try again, or name it: load_movielens({name!r}, path=...). "
        f"{_PAGE} is where GroupLens offers it; {_ARCHIVE}{BASE_URL}{archive} may have a copy."
    )
    if release.md5:
        cure += f" Its MD5 is {release.md5}."

    def download(url, file, of_store):
        # Pooch sets the total when it knows it, and takes a bar without one for none.
        with progress_bar(
            shown=progress, total=1, unit="B", unit_scale=True, desc=f"Downloading {archive}"
        ) as bar:
            pooch.HTTPDownloader(progressbar=bar)(url, file, of_store)

    try:
        with _writing_to(cache):
            path = Path(store.fetch(archive, downloader=download))
        if release.md5 is None and not zipfile.is_zipfile(path):
            # There is no checksum to notice, say, a page that asks for a login in its place.
            path.unlink()
            raise ValueError("it is no zip archive")
        return path
    except requests.RequestException as error:
        reason = str(error)
        if "CERTIFICATE_VERIFY_FAILED" in reason:
            reason += (
                "\nThe server's certificate did not pass the check, which alslib does not switch "
                "off; to renew one that has expired is the server's business."
            )
        raise OSError(f"{BASE_URL}{archive} could not be downloaded: {reason}\n{cure}") from error
    except ValueError as error:  # how pooch reports a checksum
        raise DataError(
            f"{BASE_URL}{archive} is not the published file: {error}\n{cure}"
        ) from error


@contextmanager
def _writing_to(cache: Path) -> Iterator[None]:
    """Say what to do when the cache cannot be written. Trouble with the network passes through."""
    import requests

    try:
        yield
    except requests.RequestException:
        raise
    except OSError as error:
        raise OSError(
            f"cannot write to the cache {cache}: {error}. Choose another folder with "
            "cache_dir=..., or by the environment variable ALSLIB_CACHE"
        ) from error
