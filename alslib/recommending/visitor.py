"""Lesson 7: somebody who rates movies and sees at once what to watch next.

All that the demo does, without anything to click on: `alslib.recommending.widgets` shows it.
"""

from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from alslib._archive import replacing
from alslib._params import check_integer
from alslib.data.movielens import MovieLens
from alslib.models.implicit import ImplicitALS
from alslib.recommending.interview import Interview
from alslib.recommending.new_user import Profile, fold_in
from alslib.recommending.own_ratings import OwnRatings, read_own_ratings
from alslib.recommending.popularity import PopularityPrior
from alslib.recommending.preferences import Preference, to_json
from alslib.recommending.recommender import Recommender
from alslib.recommending.title_search import TitleSearch

# Shares below this are +0.00 where two decimals are shown.
_SMALLEST_SHARE = 0.005

# How movies are ranked: by how likely the visitor is to choose and to like them, or by their stars.
By = Literal["choice", "stars"]


class Visitor:
    """Somebody new: their ratings, and recommendations that follow each change of these.

    Parameters
    ----------
    recommender : Recommender
        From a fitted model that predicts stars; its items can be searched, rated and recommended.
        With a calibration, recommendations have intervals.
    movielens : MovieLens
        Titles, years and genres of these items, and the times of the ratings.
    choices : ImplicitALS, optional
        Fitted to the same ratings: with it lists follow what people choose, and begin with what
        most people like, as a `PopularityPrior` has it, and there are questions to ask.

    Attributes
    ----------
    ratings : dict of id to float
        What the visitor has rated, in stars, in the order of rating. Change it by `rate`, `delete`
        and `load`.
    unseen : list of id
        What the visitor has been asked about and has not seen, in the order of asking. Change it by
        `skip`; a rating takes a movie out, and `load` empties it.
    levels : list of float
        The ratings that can be given, in stars.
    genres : list of str
        The genres that there are.
    ways : list of str
        How lists can be ranked, the usual way first: "choice", if there are choices, and "stars".

    Raises
    ------
    TypeError
        If the choices are no ImplicitALS.
    ValueError
        If an item has no title, or the ratings lie on no even scale.

    Examples
    --------
    >>> from alslib import LatentALS, Ratings, Recommender, load_movielens
    >>> movielens = load_movielens()
    >>> ratings = Ratings.from_frame(movielens.ratings)
    >>> model = LatentALS(4, n_sweeps=3).fit(ratings)
    >>> visitor = Visitor(Recommender(model, ratings), movielens)
    >>> visitor.search("matr", n=1)
       item_id               title  n_ratings
    0     2571  Matrix, The (1999)        259
    >>> visitor.rate(2571, 4.5)
    >>> visitor
    Visitor(1 ratings)
    """

    def __init__(
        self, recommender: Recommender, movielens: MovieLens, choices: ImplicitALS | None = None
    ):
        self.recommender = recommender
        self._chooser, self.ways = None, ["stars"]
        if choices is not None:
            if not isinstance(choices, ImplicitALS):
                raise TypeError(f"choices must be an ImplicitALS, got {type(choices).__name__}")
            self._chooser = Recommender(choices, recommender.ratings)
            self._prior = PopularityPrior(recommender.ratings)
            self.ways = ["choice", "stars"]
        ratings = recommender.ratings
        movies = movielens.movies.set_index("movie_id").reindex(ratings.item_ids)
        if movies["title"].isna().any():
            raise ValueError(f"{movies['title'].isna().sum()} items have no title in {movielens!r}")
        if ratings.by_item.data.dtype.kind == "f":
            raise ValueError("a visitor needs an even scale of ratings, such as half stars")
        # A declared scale may reach beyond what was given, also below.
        lowest, highest = np.round((np.array(ratings.scale) - ratings.offset) / ratings.step, 6)
        steps = np.arange(np.ceil(lowest), np.floor(highest) + 1)
        levels = ratings.offset + ratings.step * steps
        self.levels: list[float] = levels.round(6).tolist()
        self.ratings: dict[int | str, float] = {}
        self.unseen: list[int | str] = []
        self._movielens = movielens
        self._titles = movielens.titles()[ratings.item_ids].to_dict()
        self._genres = movies["genres"].str.split("|")
        self.genres = sorted({genre for genres in self._genres for genre in genres if genre})
        self._search = TitleSearch(
            list(self._titles), list(self._titles.values()), ratings.item_counts
        )
        self._n_recent = movielens.recent_counts().reindex(ratings.item_ids, fill_value=0)

    def __repr__(self) -> str:
        return f"Visitor({len(self.ratings)} ratings)"

    def title(self, item: int | str) -> str:
        """Return the title of an item with its year.

        Raises
        ------
        KeyError
            If the item is unknown.
        """
        try:
            return self._titles[item]
        except KeyError:
            raise KeyError(f"unknown item {item!r}") from None

    def search(self, query: str, n: int = 10) -> pd.DataFrame:
        """Find movies while their titles are being typed; see `TitleSearch`.

        Returns
        -------
        DataFrame
            Columns item_id, title and n_ratings, at most n rows, the best first.
        """
        return self._described(pd.DataFrame({"item_id": self._search(query, n)}))

    def rate(self, item: int | str, rating: float) -> None:
        """Rate a movie, or change its rating.

        Raises
        ------
        KeyError
            If the item is unknown.
        ValueError
            If the rating is none of `levels`.
        """
        self.title(item)  # refuses an unknown one
        if rating not in self.levels:
            levels = ", ".join(f"{level:g}" for level in self.levels)
            raise ValueError(f"a rating must be one of {levels}, got {rating!r}")
        plain = item.item() if isinstance(item, np.generic) else item  # JSON knows no NumPy
        self._change({**self.ratings, plain: float(rating)})
        self.unseen = [other for other in self.unseen if other != plain]

    def delete(self, item: int | str) -> None:
        """Take a rating back.

        Raises
        ------
        KeyError
            If the visitor has not rated the item.
        """
        if item not in self.ratings:
            raise KeyError(f"there is no rating of item {item!r} to delete")
        self._change({other: rating for other, rating in self.ratings.items() if other != item})

    def next_question(self) -> int | str | None:
        """Return the movie to ask about next; see `Interview`.

        Returns
        -------
        id, or None
            Neither rated nor skipped; None if there is nothing left to ask.

        Raises
        ------
        ValueError
            If the visitor was made without choices.
        """
        return self._interview.next_question(self.profile, self.unseen)

    def skip(self, item: int | str) -> None:
        """Say that a movie has not been seen: it is not asked about again, but may be recommended.

        Raises
        ------
        KeyError
            If the item is unknown.
        ValueError
            If the visitor has rated it.
        """
        self.title(item)  # refuses an unknown one
        if item in self.ratings:
            raise ValueError(f"item {item!r} is rated, and so it has been seen")
        if item not in self.unseen:
            self.unseen = [*self.unseen, item]

    @cached_property
    def profile(self) -> Profile:
        """What follows from the ratings, by stars; see `fold_in`."""
        return fold_in(self.recommender.model, *self._rated)

    @cached_property
    def choice_profile(self) -> Profile:
        """What follows from the ratings, by choices; see `PopularityPrior`.

        Raises
        ------
        ValueError
            If there are no choices.
        """
        return fold_in(self._ranker("choice").model, *self._rated, prior=self._prior)

    def recommend(
        self,
        n: int = 10,
        *,
        by: By | None = None,
        alpha: float = 1.0,
        caution: float = 0.0,
        min_ratings: int = 1,
        genre: str | None = None,
    ) -> pd.DataFrame:
        """Return the unseen movies with the highest scores; see `Recommender.recommend`.

        Parameters
        ----------
        n : int
            As there.
        by : {"choice", "stars"}, optional
            Rank by how likely the visitor is to choose and to like a movie, or by how they would
            rate it; by default the first of `ways`.
        alpha, caution, min_ratings
            As there; caution is for stars.
        genre : str, optional
            Only movies of this one of `genres`.

        Returns
        -------
        DataFrame
            Columns item_id, title, score (by stars in stars), with a calibration predicted, low and
            high (of 80 in 100 ratings, in stars), and n_ratings, best first, with the rank as
            index.

        Raises
        ------
        TypeError, ValueError
            If an argument is out of range, there is no such genre, or no such way to rank.
        """
        among = None if genre is None else self._of_genre(genre)
        ranker, profile = self._ranking(by)
        if caution and ranker is self._chooser:
            raise ValueError("caution takes off stars: rank by stars")
        table = ranker.recommend(
            profile, n, alpha=alpha, caution=caution, min_ratings=min_ratings, among=among
        )
        if self.recommender.calibration is not None:
            ends = self.recommender.predict_interval(self.profile, table["item_id"])
            ends = ends.drop(columns="item_id").set_index(table.index)
            table = pd.concat([table, ends], axis=1)
        return self._described(table)

    def because(self, item: int | str, n: int = 2, *, by: By | None = None) -> pd.DataFrame:
        """Return the visitor's own ratings that speak most for an item.

        Parameters
        ----------
        item : id
        n : int
            At most so many, and only such as add to the score.
        by : {"choice", "stars"}, optional
            Of which score; as in `recommend`.

        Returns
        -------
        DataFrame
            Columns item_id, title, rating (stars) and share, what the rating adds to the score of
            the item, the largest first.

        Raises
        ------
        KeyError
            If the item is unknown.
        ValueError
            If there is no such way to rank.
        """
        ranker, profile = self._ranking(by)
        shares = ranker.explain(profile, item).ratings
        shares = shares[shares["share"] >= _SMALLEST_SHARE].head(n)
        return shares.assign(title=[self.title(rated) for rated in shares["item_id"]])[
            ["item_id", "title", "rating", "share"]
        ]

    def trending(
        self, n: int = 10, *, min_ratings: int = 1, genre: str | None = None
    ) -> pd.DataFrame:
        """Return what most people rated lately: a list for somebody who has not rated anything.

        *Lately* is the last 365 days before the latest rating in the data, and always where the
        data have no times. Movies are counted by how often they were rated then, not by how well;
        of equals the one with more ratings in all comes first, then the lower id. Movies without a
        rating in that time are left out, and so are those that the visitor has rated.

        Parameters
        ----------
        n, min_ratings, genre
            As in `recommend`.

        Returns
        -------
        DataFrame
            Columns item_id, title, n_recent and n_ratings, with the rank as index.

        Raises
        ------
        TypeError, ValueError
            If there is no such genre, or a number will not do.
        """
        check_integer("n", n, least=1)
        check_integer("min_ratings", min_ratings, least=0)
        counts = pd.DataFrame(
            {"n_recent": self._n_recent, "n_all": self.recommender.ratings.item_counts}
        )
        counts = counts[(counts["n_recent"] > 0) & (counts["n_all"] >= min_ratings)]
        counts = counts.drop(self.ratings, errors="ignore")
        if genre is not None:
            counts = counts[counts.index.isin(self._of_genre(genre))]
        best = counts.sort_values(["n_recent", "n_all"], ascending=False, kind="stable").head(n)
        table = best[["n_recent"]].rename_axis("item_id").reset_index()
        return self._described(table.set_index(pd.RangeIndex(1, len(best) + 1, name="rank")))

    def preferences(self) -> str:
        """Return the ratings as the text of a file; see `alslib.recommending.preferences`."""
        return to_json(
            [Preference(item, self.title(item), rating) for item, rating in self.ratings.items()]
        )

    def save(self, path: str | Path) -> None:
        """Write the ratings to a file, all of it or nothing.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        with replacing(path) as file:
            file.write(self.preferences().encode())

    def load(self, path: str | Path) -> OwnRatings:
        """Put the ratings of a file in place of the present ones.

        Besides the files of `save` it reads those that people have from elsewhere, as
        `read_own_ratings` does. Movies that are matched are rated; a doubtful one is when somebody
        has chosen: ``visitor.rate(one.items[0], one.rating)``.

        Returns
        -------
        OwnRatings
            What is rated, what is doubtful, and what is left out because the model does not know
            the movie.

        Raises
        ------
        OSError
            If the file cannot be read.
        PreferencesError
            As in `loads`; the present ratings then stay.
        """
        return self.loads(Path(path).read_bytes())

    def loads(self, content: str | bytes) -> OwnRatings:
        """Do what `load` does with the content of a file.

        Raises
        ------
        PreferencesError
            If it holds no ratings that can be read, or none of a movie that may be known; the
            present ratings then stay.
        """
        own = read_own_ratings(
            content.encode() if isinstance(content, str) else content,
            self._movielens,
            items=self.recommender.ratings.item_ids,
            levels=self.levels,
        )
        self._change({one.items[0]: one.rating for one in own.matched})
        self.unseen = []
        return own

    @cached_property
    def _interview(self) -> Interview:
        if self._chooser is None:
            raise ValueError("a visitor asks only with choices=, an ImplicitALS of who rated what")
        return Interview(self.recommender, self._chooser.model)

    @property
    def _rated(self) -> tuple[list[int | str], list[float]]:
        return list(self.ratings), list(self.ratings.values())

    def _ranking(self, by) -> tuple[Recommender, Profile]:
        ranker = self._ranker(self.ways[0] if by is None else by)
        return ranker, self.profile if ranker is self.recommender else self.choice_profile

    def _ranker(self, by) -> Recommender:
        if by not in self.ways:
            raise ValueError(f"movies can be ranked by {' or by '.join(self.ways)}, got {by!r}")
        return self._chooser if by == "choice" else self.recommender

    def _change(self, ratings: dict) -> None:
        self.ratings = ratings
        for name in ("profile", "choice_profile"):
            vars(self).pop(name, None)

    def _of_genre(self, genre) -> np.ndarray:
        if genre not in self.genres:
            raise ValueError(f"there is no genre {genre!r}; there are {', '.join(self.genres)}")
        return self._genres.index[[genre in genres for genres in self._genres]].to_numpy()

    def _described(self, table: pd.DataFrame) -> pd.DataFrame:
        """Put titles behind the ids, and the number of ratings at the end."""
        items = table["item_id"]
        ratings = self.recommender.ratings
        table = table.drop(columns="n_ratings", errors="ignore")
        table.insert(1, "title", [self._titles[item] for item in items])
        return table.assign(n_ratings=ratings.item_counts[ratings.item_index(items)])
