"""A search fits every combination and chooses by validation ratings, never by others."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from oracles import dense

from alslib import (
    BiasALS,
    FeatureALS,
    ImplicitALS,
    LatentALS,
    Ratings,
    Recommender,
    grid_search,
    ndcg_at_k,
    rmse,
    train_validation_test_split,
)

GRID = {"tau": [0.01, 0.1], "gamma": (0.5, 5)}


@pytest.fixture(scope="module")
def parts():
    rng = np.random.default_rng(4)
    users, items = np.nonzero(rng.random((60, 40)) < 0.4)
    stars = 3 + rng.normal(0, 0.5, 60)[users] + rng.normal(0, 0.7, 40)[items]
    stars += rng.normal(0, 0.6, len(users))
    ratings = Ratings(users, items, np.clip(np.round(2 * stars) / 2, 0.5, 5))
    return train_validation_test_split(ratings, 0.2, 0.2)


def test_the_best_of_all_combinations_and_sweeps_is_chosen(parts):
    train, validation, _ = parts
    model = LatentALS(3, n_sweeps=6, tol=0)
    found = grid_search(model, GRID, train, validation, progress=False)
    users, items, values = validation.triples()
    by_hand = {
        (tau, gamma, n): rmse(
            values,
            LatentALS(3, tau=tau, gamma=gamma, n_sweeps=n, tol=0).fit(train).predict(users, items),
        )
        for tau, gamma in product(*GRID.values())
        for n in range(1, 7)
    }
    best = min(by_hand, key=by_hand.get)
    chosen = found.model
    assert (chosen.tau, chosen.gamma, chosen.n_sweeps) == best
    assert chosen.n_sweeps < 6  # a light ridge overfits, and the search notices
    assert found.validation_rmse == pytest.approx(by_hand[best], rel=1e-7)
    assert not hasattr(chosen, "user_bias_") and chosen.n_factors == 3
    assert model.get_params() == LatentALS(3, n_sweeps=6, tol=0).get_params()
    table = found.trials
    assert list(table.columns) == [*GRID, "validation_rmse", "n_sweeps", "train_rmse", "seconds"]
    assert set(zip(table.tau, table.gamma, strict=True)) == set(product(*GRID.values()))
    assert table.validation_rmse.is_monotonic_increasing
    for row in table.itertuples():
        assert row.validation_rmse == pytest.approx(by_hand[row.tau, row.gamma, row.n_sweeps])


def ndcg(model, train, validation):
    lists = Recommender(model, train).recommend_all(10)
    wanted = [validation.of_user(user)[0] for user in lists.user_ids]
    return ndcg_at_k(lists.item_ids, wanted, k=10)


def ndcg_by_hand(model, train, validation):
    """Rank all pairs in one dense matrix; of equal scores the first item comes first."""
    scores = model.predict(train.user_ids[:, None], train.item_ids, clip=False)
    (_, seen), (_, held_back) = dense(train), dense(validation)
    scores[seen | ~seen.any(axis=0)] = -np.inf
    gains = []
    for of_user, wanted in zip(scores, held_back, strict=True):
        best = [item for item in np.argsort(-of_user, kind="stable")[:10] if of_user[item] > -1e9]
        if wanted.any():
            gain = sum(1 / np.log2(2 + i) for i, item in enumerate(best) if wanted[item])
            gains.append(gain / sum(1 / np.log2(2 + i) for i in range(min(10, wanted.sum()))))
    return np.mean(gains)


@pytest.mark.parametrize(
    ("model", "grid"),
    [
        (ImplicitALS(n_sweeps=5, tol=0), {"n_factors": [2, 4], "lam": [2, 9], "tau": [0.3, 9]}),
        (LatentALS(3, n_sweeps=5, tol=0), {"tau": [0.01, 1.0], "gamma": [0.5, 5]}),
    ],
    ids=["implicit", "latent"],
)
def test_a_score_chooses_combination_and_sweeps(parts, model, grid):
    train, validation, _ = parts
    found = grid_search(model, grid, train, validation, progress=False, scoring=ndcg)
    by_hand = {}
    for params in product(*grid.values()):
        for n in range(1, 6):
            again = type(model)(**model.get_params() | dict(zip(grid, params, strict=True)))
            again.set_params(n_sweeps=n).fit(train)
            by_hand[*params, n] = ndcg_by_hand(again, train, validation)
    best = max(by_hand, key=lambda key: round(by_hand[key], 6))
    assert tuple(getattr(found.model, name) for name in [*grid, "n_sweeps"]) == best
    assert found.score == pytest.approx(by_hand[best], abs=1e-12)
    assert np.isnan(found.validation_rmse)
    assert list(found.trials) == [*grid, "score", "n_sweeps", "train_rmse", "seconds"]
    assert found.trials.score.is_monotonic_decreasing
    for _, row in found.trials.iterrows():
        of_combination = [by_hand[*row[list(grid)], n] for n in range(1, 6)]
        assert row.score == pytest.approx(max(of_combination), abs=1e-12)
        assert 1 + int(np.argmax(np.round(of_combination, 6))) == row.n_sweeps


def test_minus_the_validation_rmse_as_a_score_chooses_what_no_score_does(parts):
    train, validation, _ = parts
    users, items, values = validation.triples()

    def minus_rmse(model, *_):
        return -rmse(values, model.predict(users, items))

    model = LatentALS(3, n_sweeps=6, tol=0)
    plain = grid_search(model, GRID, train, validation)
    scored = grid_search(model, GRID, train, validation, scoring=minus_rmse)
    assert scored.model.get_params() == plain.model.get_params()
    assert scored.score == pytest.approx(-plain.validation_rmse, rel=1e-6)
    assert np.isnan(plain.score)


def test_a_score_is_asked_once_a_sweep_about_the_model_after_it(parts):
    train, validation, _ = parts
    model, asked = LatentALS(2, n_sweeps=4, tol=0), []

    def scoring(fitted, *ratings):
        assert ratings == (train, validation)
        asked.append((fitted.tau, len(fitted.history_) - 1, fitted.objective(train)))
        return 0

    found = grid_search(model, {"tau": [3, 1]}, train, validation, scoring=scoring)
    assert (found.model.tau, found.model.n_sweeps) == (3, 1)  # all alike: the first
    expected = [
        (tau, record.sweep, pytest.approx(record.objective, rel=1e-12))
        for tau in (3, 1)
        for record in LatentALS(2, tau=tau, n_sweeps=4, tol=0).fit(train).history_[1:]
    ]
    assert asked == expected


@pytest.mark.parametrize("factor", [1e-7, 1.0, 1e7])
def test_which_is_best_does_not_hang_on_the_unit_of_the_ratings(parts, factor):
    users, items, values = parts[0].triples()
    ratings = Ratings(users, items, factor * values.astype(float))
    train, validation, _ = train_validation_test_split(ratings, 0.2, 0.2)
    found = grid_search(BiasALS(), {"gamma": [50, 0.5, 5]}, train, validation)
    assert found.model.gamma == 5


def test_what_a_score_raises_says_of_which_combination_and_ends_the_search(parts):
    """Also where it is an error that of a fit would only be warned of."""

    def scoring(model, train, validation):
        raise FloatingPointError("mine")

    with pytest.raises(FloatingPointError, match="mine") as raised:
        grid_search(BiasALS(), {"gamma": [7, 8]}, *parts[:2], scoring=scoring)
    assert len(raised.value.__notes__) == 1
    assert "BiasALS(lam=1.0, gamma=7," in raised.value.__notes__[0]
    assert "after sweep 1" in raised.value.__notes__[0]


@pytest.mark.parametrize(
    ("score", "error", "message"),
    [
        (np.nan, ValueError, "a score must be finite, got nan"),
        (-np.inf, ValueError, "a score must be finite, got -inf"),
        (None, TypeError, "a score must be a number, got None"),
        ("0.3", TypeError, "a score must be a number, got '0.3'"),
        (True, TypeError, "a score must be a number, got True"),
    ],
)
def test_a_score_must_be_a_number(parts, score, error, message):
    with pytest.raises(error, match=message) as raised:
        grid_search(BiasALS(), {"gamma": [7]}, *parts[:2], scoring=lambda *_: score)
    assert "gamma=7" in raised.value.__notes__[0]


@pytest.mark.parametrize("score", [np.float32(0.5), np.int64(-3), 0.25])
def test_any_kind_of_number_is_a_score(parts, score):
    found = grid_search(BiasALS(), {"gamma": [7]}, *parts[:2], scoring=lambda *_: score)
    assert found.score == score and type(found.score) is float


@pytest.mark.parametrize("lam", [[0.7, 1, 3], [3, 1, 0.7]])
def test_what_differs_in_the_last_bits_alone_is_decided_by_the_order_of_the_grid(parts, lam):
    # Only γ/λ matters, so three of these pairs are one model, computed with other roundings.
    same = [(value, 0.8 * value) for value in lam]
    grid = {"lam": lam, "gamma": [gamma for _, gamma in same]}
    found = grid_search(BiasALS(tol=0), grid, *parts[:2], progress=False)
    assert [*found.trials.head(3)[["lam", "gamma"]].itertuples(index=False, name=None)] == same
    assert (found.model.lam, found.model.gamma) == same[0]
    assert found.validation_rmse == found.trials.validation_rmse[0]


def test_sweeps_that_change_nothing_but_the_last_bits_are_not_chosen(parts):
    train = parts[0]
    # Without a penalty L is the error itself, which falls on until it moves by roundings alone.
    history = BiasALS(gamma=0, tol=0).fit(train, train).history_
    found = grid_search(BiasALS(tol=0), {"gamma": [0]}, train, train, progress=False)
    settled = [record.validation_rmse for record in history[found.model.n_sweeps :]]
    assert len(settled) > 5
    assert np.ptp(settled) < 1e-6


def test_features_are_passed_on(parts):
    train, validation, _ = parts
    table = pd.DataFrame({"even": train.item_ids % 2}, index=train.item_ids)
    model = FeatureALS(2, n_sweeps=3)
    found = grid_search(model, {"tau_features": [1]}, train, validation, item_features=table)
    alone = FeatureALS(2, n_sweeps=3, tau_features=1).fit(train, validation, item_features=table)
    assert found.validation_rmse == min(s.validation_rmse for s in alone.history_[1:])


@pytest.mark.parametrize(
    ("grid", "error", "message"),
    [
        ({}, ValueError, "the grid is empty"),
        ({"gamma": []}, ValueError, r"the grid needs a list of values for gamma, got \[\]"),
        ({"gamma": 3}, ValueError, "the grid needs a list of values for gamma, got 3"),
        ({"gamma": "12"}, ValueError, "the grid needs a list of values for gamma, got '12'"),
        ({"gamma": [1, -1]}, ValueError, "gamma must be at least 0, got -1"),
        ({"tau": [1]}, ValueError, "BiasALS has no hyperparameter tau"),
        ({"n_sweeps": [1]}, ValueError, "n_sweeps is chosen along the way"),
    ],
)
def test_a_wrong_grid_is_refused_before_the_first_fit(parts, monkeypatch, grid, error, message):
    monkeypatch.setattr(BiasALS, "fit_iter", None)
    with pytest.raises(error, match=message):
        grid_search(BiasALS(), grid, *parts[:2])


def test_a_search_needs_a_model_and_two_parts_of_one_split(parts, tiny):
    with pytest.raises(TypeError, match="model must be one of alslib's, got ABCMeta"):
        grid_search(BiasALS, {"gamma": [1]}, *parts[:2])
    with pytest.raises(ValueError, match="number their users and items differently"):
        grid_search(BiasALS(), {"gamma": [1]}, parts[0], tiny)
    with pytest.raises(ValueError, match="number their users and items differently"):
        grid_search(BiasALS(), {"gamma": [1]}, parts[0], tiny, scoring=ndcg)
    with pytest.raises(TypeError, match=r"scoring must be a function .*, got 'ndcg'"):
        grid_search(BiasALS(), {"gamma": [1]}, *parts[:2], scoring="ndcg")
    with pytest.raises(TypeError, match="validation must be Ratings, got NoneType"):
        grid_search(BiasALS(), {"gamma": [1]}, parts[0], None)


def test_a_search_shows_its_progress_unless_told_not_to(parts, bars_at_once, capsys):
    for progress, seen in ((True, True), (False, False)):
        grid_search(BiasALS(), {"gamma": [1, 2]}, *parts[:2], progress=progress)
        assert ("2/2" in capsys.readouterr().err) == seen


def test_a_combination_that_cannot_be_fitted_costs_no_other(parts):
    """A ridge of nearly nothing leaves normal matrices that rounding makes indefinite."""
    train, validation, _ = parts
    model = LatentALS(40, n_sweeps=2, ridge_power=0)
    with pytest.warns(RuntimeWarning, match=r"\{'tau': 1e-30\} could not be fitted: .*too small"):
        found = grid_search(model, {"tau": [1e-30, 1.0, 4.0]}, train, validation)
    alone = grid_search(model, {"tau": [1.0, 4.0]}, train, validation)
    assert found.model.get_params() == alone.model.get_params()
    assert found.trials.tau.tolist() == [*alone.trials.tau, 1e-30]
    assert found.trials.iloc[-1].isna().tolist() == [False, True, False, True, True]
    with (
        pytest.warns(RuntimeWarning, match="could not be fitted"),
        pytest.raises(FloatingPointError, match="too small"),
    ):
        grid_search(model, {"tau": [1e-30]}, train, validation)
