"""What to ask somebody new? Everybody is one once, in three groups.

The ratings of a newcomer are divided at random in two halves. Who is asked about a movie of the
first half answers with the rating, and about any other that they have not seen it. Nothing is asked
about the second half, which is the test: the error of predicted stars, and nDCG@10 of the list that
begins with what most people like, in which four stars or more are a hit and nothing of the first
half is a candidate. The models are fitted to the two other groups.

Each way to ask is tried twice: for 40 questions; and until ten *answers*, with questions only about
the first half, so that all are answered.

    python benchmarks/interview.py
"""

import json
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from accuracy import RESULTS, ml_latest_small
from newcomers import LIKED, N_GROUPS, N_LISTED

from alslib import (
    FeatureALS,
    ImplicitALS,
    Interview,
    PopularityPrior,
    Ratings,
    Recommender,
    fold_in,
    ndcg_at_k,
)

ASKED, ANSWERED = (0, 5, 10, 20, 40), (5, 10)
LEAST = 10  # ratings of a movie that is asked about
OURS, WAYS = "interview", ("random", "most rated", "interview")


class Models(NamedTuple):
    """What is fitted to people who are not asked."""

    train: Ratings
    stars: FeatureALS
    chooser: ImplicitALS
    prior: PopularityPrior
    interview: Interview


def fitted(train, movies):
    stars = FeatureALS(16, gamma=2, tau=3).fit(train, progress=False, item_features=movies)
    chooser = ImplicitALS(32, lam=4, tau=40).fit(train, progress=False)
    interview = Interview(Recommender(stars, train), chooser, min_ratings=LEAST)
    return Models(train, stars, chooser, PopularityPrior(train, liked=LIKED), interview)


def questioner(way: str, models: Models, rng) -> Callable:
    """Return a function of answers, unseen movies and those never to ask about: what to ask."""
    train = models.train
    if way == OURS:
        return lambda seen, unseen, never: models.interview.next_question(
            fold_in(models.stars, *seen), unseen, exclude=never
        )
    often = train.item_ids[train.item_counts >= LEAST]
    order = rng.permutation(often)
    if way == "most rated":
        order = often[np.argsort(-train.item_counts[train.item_index(often)], kind="stable")]

    def ask(seen, unseen, never):
        gone = np.concatenate([seen[0], unseen, never])
        left = order[~np.isin(order, gone)]
        return left[0].item() if len(left) else None

    return ask


def measure(models, seen, first, later, given):
    """Return nDCG of the list, and the squared errors, after these answers."""
    train, stars = models.train, models.stars
    me = fold_in(models.chooser, *seen, prior=models.prior)
    score = models.prior.liked_share + models.chooser.item_factors_.astype(float) @ me.factors
    score[train.item_counts == 0] = -np.inf
    score[train.item_index(first)] = -np.inf
    listed = train.item_ids[np.argsort(-score, kind="stable")[:N_LISTED]]
    place, me = train.item_index(later), fold_in(stars, *seen)
    guess = (
        stars.mean_ + me.bias + stars.item_bias_[place] + stars.item_factors_[place] @ me.factors
    )
    return {
        "ndcg": ndcg_at_k([listed], [later[given >= LIKED]], N_LISTED),
        "squares": float(np.sum((given - guess.clip(*stars.scale_)) ** 2)),
        "n": len(later),
    }


def judge(data):
    """Return a row for each person, way, and number of questions or of answers."""
    ratings, rng, rows = data.ratings, np.random.default_rng(0), []
    rater = ratings.triples()[0]
    for newcomers in np.array_split(rng.permutation(ratings.user_ids), N_GROUPS):
        models = fitted(ratings.select(~np.isin(rater, newcomers)), data.movies)
        askable = models.train.item_ids[models.train.item_counts >= LEAST]
        for person in newcomers:
            items, stars = ratings.of_user(person)
            order = rng.permutation(len(items))
            first, later = np.split(order, [len(items) // 2])
            of = dict(zip(items[first].tolist(), stars[first].tolist(), strict=True))
            first, later, given = items[first], items[later], stars[later].astype(float)
            if not (given >= LIKED).any():
                continue
            kinds = [("asked", ASKED, later)]
            if np.isin(first, askable).sum() >= ANSWERED[-1]:
                kinds.append(("answers", ANSWERED, np.setdiff1d(models.train.item_ids, first)))
            for way in WAYS:
                for kind, marks, never in kinds:
                    ask = questioner(way, models, np.random.default_rng(int(person)))
                    seen, unseen = ([], []), []
                    for n in range(marks[-1] + 1):
                        if n in marks:
                            row = {"person": int(person), "way": way, "kind": kind, "number": n}
                            row["answered"] = len(seen[0])
                            rows.append(row | measure(models, seen, first, later, given))
                        item = ask(seen, unseen, never)
                        if item in of:
                            seen = ([*seen[0], item], [*seen[1], of[item]])
                        elif item is not None:
                            unseen = [*unseen, item]
    return pd.DataFrame(rows)


def summary(rows):
    """Return means for each kind, number and way, and by how much ours is better, over people."""
    out = []
    for (kind, number), of_number in rows.groupby(["kind", "number"]):
        ours = of_number[of_number["way"] == OURS].set_index("person")
        people = len(ours)
        drawn = np.random.default_rng(0).multinomial(people, [1 / people] * people, 2000)
        for way, of_way in of_number.groupby("way"):
            other = of_way.set_index("person").loc[ours.index]
            gain = drawn @ (ours["ndcg"] - other["ndcg"]).to_numpy() / people
            errors = [
                np.sqrt(drawn @ of["squares"].to_numpy() / (drawn @ of["n"].to_numpy()))
                for of in (ours, other)
            ]
            less = errors[0] - errors[1]
            out.append(
                {
                    "kind": kind,
                    "number": int(number),
                    "way": way,
                    "people": people,
                    "answered": float(other["answered"].mean()),
                    "ndcg": float(other["ndcg"].mean()),
                    "rmse": float(np.sqrt(other["squares"].sum() / other["n"].sum())),
                    "gain_ndcg": [float(x) for x in np.percentile(gain, [2.5, 97.5])],
                    "gain_rmse": [float(x) for x in np.percentile(less, [2.5, 97.5])],
                }
            )
    return out


def main():
    rows = summary(judge(ml_latest_small()))
    print(pd.DataFrame(rows).round(3).to_string())
    (RESULTS / "interview.json").write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
