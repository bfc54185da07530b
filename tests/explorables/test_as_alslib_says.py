"""What an explorable computes is what the package, or plain NumPy, computes: random states."""

from itertools import product

import numpy as np
import pytest

from alslib import BiasALS, FeatureALS, Ratings, reference

STATES = 200


def close(one, other):
    """To more digits than are shown: two or three."""
    return np.allclose(one, other, rtol=0, atol=1e-6)


def test_bowl(module):
    rng = np.random.default_rng(0)
    call = module("bowl")
    for _ in range(STATES):
        n = rng.integers(1, 15)
        V, e, tau = rng.normal(size=(n, 2)), rng.normal(size=n), rng.choice([0, 0.5, 2, 20])
        movies = [["", 3, *row] for row in zip(e.tolist(), V.tolist(), strict=True)]
        lowest = call("lowest", movies, float(tau))
        if n == 1 and tau == 0:
            assert lowest is None
            continue
        assert close(lowest, reference.factors(e, V, 1, tau)) or np.linalg.cond(V.T @ V) > 1e8
        height = rng.uniform(0.1, 5)
        drawn = call("ellipse", movies, float(tau), height)
        for angle in rng.uniform(0, 2 * np.pi, 4):
            turn = np.array(
                [
                    [np.cos(drawn["angle"]), -np.sin(drawn["angle"])],
                    [np.sin(drawn["angle"]), np.cos(drawn["angle"])],
                ]
            )
            point = lowest + turn @ (drawn["long"] * np.cos(angle), drawn["short"] * np.sin(angle))

            def cost(u, V=V, e=e, tau=tau):
                return ((e - V @ u) ** 2).sum() / 2 + tau / 2 * (u**2).sum()

            assert cost(point) - cost(np.array(lowest)) == pytest.approx(height, rel=1e-6)


@pytest.mark.parametrize(
    ("movies", "tau", "many"),
    [([], 0, True), ([], 1, False), ([["", 3, 1.0, [1.0, 2.0]]], 0, True)],
)
def test_bowl_says_where_no_point_is_lowest(module, movies, tau, many):
    assert (module("bowl")("lowest", movies, tau) is None) == many


def test_shrinkage(module):
    rng = np.random.default_rng(0)
    call = module("shrinkage")
    for _ in range(STATES):
        left = rng.normal(size=rng.integers(1, 40))
        gamma = float(rng.choice([0, 0.5, 3, 50]))
        movie = ["", len(left), 3.5, left.sum()]
        assert close(call("bias", movie, gamma), reference.bias(left, 1, gamma))


def test_turns(module):
    rng = np.random.default_rng(0)
    call = module("turns")
    for _ in range(STATES // 10):
        table = rng.integers(1, 11, (4, 4)) / 2
        table[rng.random((4, 4)) < 0.4] = np.nan
        table[rng.integers(4), rng.integers(4)] = 3
        m, n = np.nonzero(~np.isnan(table))
        gamma = float(rng.choice([0.5, 1, 10]))
        ratings = Ratings(m, n, table[m, n], scale=(0.5, 5))
        model = BiasALS(lam=1, gamma=gamma).initialise(ratings)
        shown = [[None if np.isnan(r) else r for r in row] for row in table]
        state = {
            "ratings": shown, "mu": call("mean", shown), "gamma": gamma,
            "users": [0.0] * 4, "movies": [0.0] * 4,
        }  # fmt: skip
        blocks = model.blocks(ratings)
        for side in ["users", "movies"] * 5:
            block = {"users": "user_bias", "movies": "item_bias"}[side]
            state[side] = call("halfStep", state, side)
            blocks[block]()
            ids = {"users": ratings.user_ids, "movies": ratings.item_ids}[side]
            assert close(np.array(state[side])[ids], getattr(model, f"{block}_"))
            assert np.isclose(call("objective", state), model.objective(ratings), rtol=1e-5)


def test_tastes(module):
    rng = np.random.default_rng(0)
    call = module("tastes")
    for _ in range(STATES // 10):
        table = rng.normal(size=(4, 4)).round(1)
        table[rng.random((4, 4)) < 0.3] = np.nan
        tau = float(rng.choice([0.1, 1, 4]))
        vectors = {"users": rng.normal(size=(4, 2)), "movies": np.zeros((4, 2))}
        shown = [[None if np.isnan(e) else e for e in row] for row in table]
        before = np.inf
        for side, other in [("movies", "users"), ("users", "movies")] * 5:
            state = {name: v.tolist() for name, v in vectors.items()}
            state |= {"residuals": shown, "tau": tau}
            by_row = table if side == "users" else table.T
            expected = [
                reference.factors(row[~np.isnan(row)], vectors[other][~np.isnan(row)], 1, tau)
                for row in by_row
            ]
            found = call("halfStep", state, side)
            assert close(found, expected)
            vectors[side] = np.array(found)
            left = table - vectors["users"] @ vectors["movies"].T
            lengths = sum((v**2).sum() for v in vectors.values())
            now = np.nansum(left**2) / 2 + tau / 2 * lengths
            state = {name: v.tolist() for name, v in vectors.items()} | {
                "residuals": shown,
                "tau": tau,
            }
            assert np.isclose(call("objective", state), now)
            assert now <= before + 1e-9
            before = now


def test_trap(module):
    rng = np.random.default_rng(0)
    call = module("trap")
    for _ in range(STATES):
        validation = rng.normal(size=rng.integers(1, 20)).round(2)
        told = call("turning", {"validation": validation.tolist()})
        assert told == {"sweep": np.argmin(validation), "lowest": validation.min()}


def test_turn(module):
    rng = np.random.default_rng(0)
    call = module("turn")
    for _ in range(STATES):
        u, v, degrees = rng.normal(size=2), rng.normal(size=2), int(rng.integers(-36, 37)) * 5
        angle = np.radians(degrees)
        rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        turned = [call("turned", x.tolist(), degrees) for x in (u, v)]
        assert close(turned, [rotation @ u, rotation @ v])
        assert close(call("product", *turned), u @ v)
        assert close(call("distance", *turned), np.linalg.norm(u - v))


def test_release(module):
    """A film starts where a fitted model puts its features, and is pulled as by one block."""
    rng = np.random.default_rng(0)
    call = module("release")
    users, movies = np.divmod(rng.permutation(12 * 20)[:150], 20)
    ratings = Ratings(users, movies, rng.integers(1, 11, 150) / 2, scale=(0.5, 5))
    table = rng.integers(0, 2, (ratings.n_items, 5)).astype(float)
    model = FeatureALS(2, gamma=2, tau=3, ridge_power=0, n_sweeps=3)
    model.fit(ratings, item_features=table)
    for _ in range(STATES):
        has = rng.random(5) < 0.5
        c, p = model.item_prior(has[None].astype(float))
        features = [
            ["", float(model.item_feature_bias_[k]), model.item_feature_factors_[k].tolist()]
            for k in np.flatnonzero(has)
        ]
        start = call("prior", features)
        assert close(start, [c[0], *p[0]])
        n, gamma, tau = rng.integers(0, 6), float(rng.choice([1, 3])), float(rng.choice([1, 30]))
        e, U = rng.normal(size=n), rng.normal(size=(n, 2))
        rows = [[*row] for row in zip(e.tolist(), U.tolist(), strict=True)]
        b, v = reference.bias_and_factors(e, U, 1, gamma, tau, start[0], np.array(start[1:]))
        place = call("pulled", start, rows, gamma, tau)
        assert close(place, [b, *v])
        who = ["", 0.3, rng.normal(size=2).tolist()]
        assert close(call("predicted", 3.5, who, place), 3.5 + 0.3 + b + v @ who[2])


def test_goals(module):
    """Records come in the order of `itertools.product`."""
    stops = {"alphas": [0, 0.2, 1], "leasts": [1, 20], "cautions": [0, 1, 2, 4]}
    call = module("goals")
    for i, setting in enumerate(product(*stops.values())):
        assert call("placeOf", stops, *setting) == i
