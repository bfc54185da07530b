"""A model that is fitted again: whoever reads meanwhile sees one fit or the other, never both.

Kernels check no bounds: where ids of one fit meet arrays of another, they read beyond them.
"""

import subprocess
import sys
from itertools import count, pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import alslib
from alslib import BiasALS, FeatureALS, ImplicitALS, LatentALS, Ratings, Recommender, fold_in

PACKAGE = str(Path(alslib.__file__).parent)
GENRES = pd.DataFrame({"crime": [1, 1, 0], "family": [0, 0, 1]}, index=["heat", "ronin", "up"])
FEW = Ratings(["bob", "bob", "cat"], ["heat", "up", "up"], [5.0, 2.0, 4.0])
MORE = Ratings(
    [*["ann"] * 3, *["bob"] * 2, *["cat"] * 2, "dan"],
    ["heat", "ronin", "up", "heat", "ronin", "up", "ronin", "up"],
    [1.0, 2.0, 5.0, 4.0, 5.0, 3.0, 1.0, 4.0],
)
MODELS = pytest.mark.parametrize(
    "model",
    [
        BiasALS(n_sweeps=2),
        LatentALS(2, tau=0.5, n_sweeps=2),
        FeatureALS(2, tau=0.5, n_sweeps=2),
        ImplicitALS(2, tau=0.5, n_sweeps=2),
    ],
    ids=lambda model: type(model).__name__,
)
WITH_FACTORS = pytest.mark.parametrize(
    "model", [LatentALS(2, n_sweeps=2), FeatureALS(2, n_sweeps=2), ImplicitALS(2, n_sweeps=2)]
)


def known_of(model):
    return {"item_features": GENRES} if isinstance(model, FeatureALS) else {}


def fit(model, ratings):
    return model.fit(ratings, progress=False, **known_of(model))


def predicted(model):
    """Predict for a pair that both data sets have, at other indices."""
    return float(model.predict("cat", "up", clip=False))


def folded(model):
    profile = fold_in(model, ["up"], [4.0])
    return round(float(profile.bias + profile.factors.sum()), 12)


def at_every_line(call, do):
    """Make a call, and do something before every line of alslib's that it runs."""

    def trace(frame, event, _):
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        if event == "line":
            do()
        return trace

    sys.settrace(trace)
    try:
        return call()
    finally:
        sys.settrace(None)


@MODELS
def test_until_a_fit_is_done_others_see_the_one_before(model):
    before, seen = predicted(fit(model, FEW)), []
    at_every_line(lambda: fit(model, MORE), lambda: seen.append(predicted(model)))
    after = predicted(model)
    assert before != after
    assert len(seen) > 100
    changes = [one != other for one, other in pairwise(seen)]
    assert set(seen) <= {before, after}
    assert sum(changes) <= 1


@pytest.mark.parametrize("read", [predicted, folded])
@WITH_FACTORS
def test_what_is_read_while_others_fit_comes_from_one_fit(model, read):
    both = {read(fit(model, ratings)) for ratings in (FEW, MORE)}
    assert len(both) == 2
    turn = count()
    for _ in range(4):
        found = at_every_line(lambda: read(model), lambda: fit(model, (FEW, MORE)[next(turn) % 2]))
        assert found in both


@pytest.mark.parametrize("fitted_before", [True, False])
@MODELS
def test_an_interrupted_fit_leaves_the_one_before_or_what_it_has_learned(model, fitted_before):
    """Ctrl-C before every seventh line of a fit, one after the other.

    What it has learned is what one of its blocks has left, or the start.
    """

    class Interrupter:
        def __init__(self, line):
            self.lines_left = line

        def __call__(self):
            self.lines_left -= 1
            if self.lines_left < 0:
                raise KeyboardInterrupt

    by_hand = type(model)(**model.get_params()).initialise(MORE, **known_of(model))
    stages = {predicted(by_hand)}
    for update in model.n_sweeps * list(by_hand.blocks(MORE).values()):
        update()
        stages.add(predicted(by_hand))
    left = set()
    for line in count(step=7):
        copy = type(model)(**model.get_params())
        before = predicted(fit(copy, FEW)) if fitted_before else None
        try:
            at_every_line(lambda: fit(copy, MORE), Interrupter(line))  # noqa: B023
        except KeyboardInterrupt:
            pass
        else:
            break
        if not hasattr(copy, "mean_"):
            left.add("nothing")
            with pytest.raises(RuntimeError, match="not fitted yet"):
                predicted(copy)
        elif len(copy.user_ids_) == FEW.n_users:
            left.add("before")
            assert predicted(copy) == before
        else:
            left.add("learned")
            assert len(copy.history_) >= 1
            assert predicted(copy) in stages
    assert line > 100
    assert left == {"before" if fitted_before else "nothing", "learned"}


@WITH_FACTORS
def test_a_fit_that_fails_leaves_the_one_before(model):
    before = predicted(fit(model, FEW))
    params = model.get_params()
    with pytest.raises((MemoryError, ValueError)):
        fit(model.set_params(n_factors=10**13), MORE)
    assert predicted(model) == before
    model.set_params(**params)


@WITH_FACTORS
@pytest.mark.parametrize("later", [{"n_factors": 8}, {"tau": -5.0}, {"lam": 0.0}])
def test_hyperparameters_set_after_a_fit_wait_for_the_next(tmp_path, model, later):
    model = fit(type(model)(**model.get_params()), MORE)
    recommender, path = Recommender(model, MORE), tmp_path / "model.npz"
    before = predicted(model), folded(model), model.objective(MORE)
    lists = recommender.recommend_all(2).item_ids
    model.set_params(**later)
    assert (predicted(model), folded(model), model.objective(MORE)) == before
    for made in (recommender, Recommender(model, MORE)):
        for found, expected in zip(made.recommend_all(2).item_ids, lists, strict=True):
            assert np.array_equal(found, expected)
    model.save(path)
    assert folded(type(model).load(path)) == before[1]
    if "n_factors" in later:
        assert fit(model, MORE).item_factors_.shape == (3, 8)
    else:
        with pytest.raises(ValueError, match="must be greater than"):
            fit(model, MORE)


@WITH_FACTORS
def test_a_recommender_notices_that_its_model_has_moved_on(model):
    recommender = Recommender(fit(model, MORE), MORE)
    me = fold_in(model, ["up"], [4.0])
    fit(model, MORE)
    calls = [
        lambda: recommender.recommend("bob"),
        lambda: recommender.recommend(me),
        lambda: recommender.recommend_all(),
        lambda: recommender.explain("bob", "up"),
        lambda: recommender.similar("up"),
        lambda: recommender.profile("bob"),
    ]
    for call in calls:
        with pytest.raises(RuntimeError, match="fitted anew since this recommender was made"):
            call()


def test_arrays_that_do_not_fit_together_are_refused():
    model = fit(LatentALS(2), MORE)
    model.item_factors_ = model.item_factors_[:1]
    calls = [
        lambda: model.predict("bob", "up"),
        lambda: model.blocks(MORE),
        lambda: model.objective(MORE),
        lambda: fold_in(model, ["up"], [4.0]),
        lambda: Recommender(model, MORE),
        lambda: model.save("nowhere"),
    ]
    for call in calls:
        with pytest.raises(ValueError, match=r"item_factors_ has shape \(1, 2\), but \(3, 2\)"):
            call()


def test_a_profile_of_another_model_is_refused():
    me = fold_in(fit(LatentALS(3), MORE), ["up"], [4.0])
    with pytest.raises(ValueError, match="this profile has 3 factors, the model 2"):
        Recommender(fit(LatentALS(2), MORE), MORE).recommend(me)


RETRAINED = """
import threading
import numpy as np
from alslib import LatentALS, make_ratings

small = make_ratings(30, 20, 300).ratings
large = make_ratings(3000, 2000, 9000).ratings
model = LatentALS(8, n_sweeps=1)
users, items = small.user_ids[:20, None], small.item_ids[None, :20]
both = [model.fit(ratings).predict(users, items) for ratings in (small, large)]
done, wrong = threading.Event(), []

def serve():
    while not done.is_set():
        found = model.predict(users, items)
        if not any(np.array_equal(found, one) for one in both):
            wrong.append(found)

servers = [threading.Thread(target=serve) for _ in range(3)]
for server in servers:
    server.start()
for turn in range(40):
    model.fit((small, large)[turn % 2], progress=False)
done.set()
for server in servers:
    server.join()
print(len(wrong))
"""


def test_a_server_that_retrains_answers_from_one_fit_or_the_other():
    """In a process of its own: reading beyond an array would end it."""
    assert subprocess.check_output([sys.executable, "-c", RETRAINED], text=True) == "0\n"
