"""Features move the centre that biases and factors are pulled to; the rest is the latent model."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import assert_each_block_lowers, dense, latent_objective, prior_ridge, unit_rows
from scipy import sparse
from strategies import ratings as random_ratings
from test_base import rewrite, state

from alslib import (
    FeatureALS,
    LatentALS,
    Ratings,
    fold_in,
    implicit_feedback,
    leave_items_out_split,
    load_movielens,
    make_ratings,
    movie_features,
    rmse,
    train_test_split,
)

precisions = st.floats(0.1, 20)
FLOAT32 = 2e-6


@st.composite
def worlds(draw):
    """Draw ratings, 0/1 features of items and of users (many columns or few), and a model."""
    ratings = draw(random_ratings())
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    keep = rng.random(ratings.n_ratings) < 0.7
    keep[0] = True
    ratings = ratings.select(keep)  # some users and items are left without ratings
    n_item_features, n_user_features = (draw(st.sampled_from([0, 1, 3, 30])) for _ in "iu")
    items = (rng.random((ratings.n_items, n_item_features)) < 0.4).astype(float)
    users = rng.normal(size=(ratings.n_users, n_user_features))
    if n_user_features == 1:  # numbers of all sizes would say the same of all
        users = np.sign(users)
    model = FeatureALS(
        n_factors=draw(st.integers(0, 4)),
        **{name: draw(precisions) for name in ("lam", "gamma", "tau")},
        **{name: draw(precisions) for name in ("gamma_features", "tau_features")},
        ridge_power=draw(st.sampled_from([0.0, 0.4])),
        joint=draw(st.booleans()),
    )
    return ratings, items, users, model


def objective_by_hand(model, ratings, items, users):
    """Return L from the features themselves: nothing is read of the priors that the model keeps."""
    total = 0.0
    centred = {}
    for side, features in (("user", users), ("item", items)):
        g = getattr(model, f"{side}_feature_bias_")
        f = getattr(model, f"{side}_feature_factors_")
        s = unit_rows(features)
        bias, factors = getattr(model, f"{side}_bias_"), getattr(model, f"{side}_factors_")
        centred[side] = (bias - s @ g, factors - s @ f)
        total += model.gamma_features / 2 * g @ g + model.tau_features / 2 * np.sum(f**2)
    # The terms of the ratings use the parameters, those of the ridges their distance to the priors.
    args = (model.lam, model.gamma, model.tau, model.ridge_power)
    user = (model.user_bias_, model.user_factors_)
    item = (model.item_bias_, model.item_factors_)
    only_ratings = latent_objective(ratings, model.mean_, user, item, model.lam, 0, 0)
    zero = (model.lam * 0, *args[1:])
    ridges = latent_objective(ratings, model.mean_, centred["user"], centred["item"], *zero)
    return total + only_ratings + ridges


def run(model, ratings, n_sweeps):
    for _ in range(n_sweeps):
        for update in model.blocks(ratings).values():
            update()


@given(worlds(), st.integers(0, 3))
def test_objective_is_the_formula_of_the_book(world, n_sweeps):
    ratings, items, users, model = world
    model.initialise(ratings, item_features=items, user_features=users)
    run(model, ratings, n_sweeps)
    expected = objective_by_hand(model, ratings, items, users)
    assert model.objective(ratings) == pytest.approx(expected, rel=FLOAT32)


@given(worlds())
def test_objective_falls_after_every_block_update(world):
    ratings, items, users, model = world
    model.initialise(ratings, item_features=items, user_features=users)
    assert_each_block_lowers(
        lambda: objective_by_hand(model, ratings, items, users), model, ratings, FLOAT32
    )


@given(worlds())
def test_half_steps_are_the_dense_solutions_around_the_priors(world):
    ratings, items, users, model = world
    model.initialise(ratings, item_features=items, user_features=users)
    run(model, ratings, 1)
    values, observed = dense(ratings)
    for name, update in model.blocks(ratings).items():
        side, solve = name.split("_", 1)
        if solve != "bias_and_factors":
            update()
            continue
        features, other = (users, "item") if side == "user" else (items, "user")
        s = unit_rows(features)
        priors = np.column_stack(
            [
                s @ getattr(model, f"{side}_feature_bias_"),
                s @ getattr(model, f"{side}_feature_factors_"),
            ]
        )
        other_bias = getattr(model, f"{other}_bias_").copy()
        other_factors = getattr(model, f"{other}_factors_").astype(float)
        update()
        errors, seen = (values, observed) if side == "user" else (values.T, observed.T)
        for row, rated in enumerate(seen):
            design = np.column_stack([np.ones(rated.sum()), other_factors[rated]])
            growth = max(rated.sum(), 1) ** model.ridge_power
            penalty = growth * np.array([model.gamma] + [model.tau] * model.n_factors) / model.lam
            target = errors[row, rated] - model.mean_ - other_bias[rated]
            bias, *factors = prior_ridge(design, target, penalty, priors[row])
            np.testing.assert_allclose(getattr(model, f"{side}_bias_")[row], bias, atol=7e-6)
            np.testing.assert_allclose(getattr(model, f"{side}_factors_")[row], factors, atol=7e-5)


@given(worlds(), st.sampled_from(["user", "item"]))
def test_features_are_the_dense_solution_of_all_at_once(world, side):
    """F = (τ SᵀCS + τ_f I)⁻¹ τ SᵀCV, with rows without ratings left out."""
    ratings, items, users, model = world
    model.initialise(ratings, item_features=items, user_features=users)
    run(model, ratings, 1)
    s, counts = {
        "user": (unit_rows(users), ratings.user_counts),
        "item": (unit_rows(items), ratings.item_counts),
    }[side]
    update = model.blocks(ratings).get(f"{side}_features")
    assert (update is None) == (s.shape[1] == 0)
    if update is None:
        return
    update()
    growth = np.where(counts > 0, np.maximum(counts, 1) ** model.ridge_power, 0)
    for target, precision, ridge, found in (
        ("bias", model.gamma, model.gamma_features, getattr(model, f"{side}_feature_bias_")),
        ("factors", model.tau, model.tau_features, getattr(model, f"{side}_feature_factors_")),
    ):
        learned_from = getattr(model, f"{side}_{target}_").astype(float)
        normal = precision * s.T @ (growth[:, None] * s) + ridge * np.eye(s.shape[1])
        right = precision * s.T @ (growth.reshape(-1, *[1] * (found.ndim - 1)) * learned_from)
        np.testing.assert_allclose(found, np.linalg.solve(normal, right), atol=1e-7)


@pytest.mark.parametrize("kind", [pd.DataFrame, np.asarray, sparse.csr_array])
def test_a_single_column_of_numbers_is_refused_because_it_would_say_nothing(kind):
    """In rows of length 1 every age is 1; as bins ages say something, and 0 and 1 always did."""
    ratings = Ratings([1, 1, 2], ["Heat", "Up", "Up"], [5.0, 1.0, 2.0])
    age = pd.DataFrame({"age": [21, 34]}, index=["Heat", "Up"])
    with pytest.raises(ValueError, match=r"numbers, here from 21 to 34, .*pandas.cut\("):
        FeatureALS(1).fit(ratings, item_features=kind(age))
    bins = pd.get_dummies(pd.cut(age["age"], 2)).rename(columns=str)
    model = FeatureALS(1).fit(ratings, item_features=bins)
    assert len(set(model.item_prior(bins)[0])) == 2
    FeatureALS(1).fit(ratings, item_features=kind(age > 30))


@given(random_ratings(), st.integers(0, 4), st.booleans())
def test_without_features_it_is_the_latent_factor_model(ratings, n_factors, joint):
    options = {"gamma": 2.0, "joint": joint, "n_sweeps": 4, "tol": 0}
    latent = LatentALS(n_factors, **options).fit(ratings)
    model = FeatureALS(n_factors, **options).fit(ratings)
    assert [s.objective for s in model.history_] == [s.objective for s in latent.history_]
    assert state(latent).items() - {("history_", repr(latent.history_))} <= state(model).items()


@pytest.fixture(scope="module")
def world():
    return make_ratings(
        400, 300, 30_000, n_factors=3, n_features=8, feature_share=0.8, noise_sd=0.5, random_state=3
    )


def test_movies_that_nobody_rated_lie_on_their_priors_and_are_predicted_better(world):
    """Known truth: what features explain of the factors reaches movies without any rating."""
    train, test = leave_items_out_split(world.ratings, random_state=0)
    users, items, _ = test.triples()
    truth = world.expected(users, items)
    options = {"tau": 1.0, "ridge_power": 0, "n_sweeps": 60}
    model = FeatureALS(3, **options, gamma_features=1, tau_features=1)
    model.fit(train, item_features=world.item_features)
    cold = train.item_counts == 0
    assert cold.any()
    assert np.array_equal(model.item_factors_[cold], model.item_prior_factors_[cold])
    assert np.array_equal(model.item_bias_[cold], model.item_prior_bias_[cold])
    bias, factors = model.item_prior(world.item_features)
    np.testing.assert_allclose(model.item_prior_bias_, bias)
    np.testing.assert_allclose(model.item_prior_factors_, factors, atol=1e-6)
    assert model.item_factors_[cold].any()
    latent = LatentALS(3, **options, gamma=2.0).fit(train)
    with_features = rmse(truth, model.predict(users, items, clip=False))
    without = rmse(truth, latent.predict(users, items, clip=False))
    # The item's own bias and deviation cannot be known; features explain the rest, 0.8 of 0.4².
    unknowable = np.hypot(0.45, 0.4 * np.sqrt(0.2))
    assert unknowable < with_features < unknowable + 0.06 < without


def test_genres_and_decades_help_with_real_movies_without_ratings():
    movielens = load_movielens()
    train, test = leave_items_out_split(Ratings.from_frame(movielens.ratings), random_state=0)
    users, items, values = test.triples()
    options = {"n_factors": 16, "gamma": 2.0, "n_sweeps": 10}
    errors = [
        rmse(values, model.predict(users, items))
        for model in (
            LatentALS(**options).fit(train),
            FeatureALS(**options).fit(train, item_features=movie_features(movielens.movies)),
        )
    ]
    assert errors[1] < errors[0] - 0.03


@pytest.mark.parametrize("cg_steps", [None, 2])
def test_results_do_not_depend_on_the_number_of_threads(world, cg_steps, on_threads):
    features = {
        "item_features": [world.item_features, implicit_feedback(world.ratings).T],
        "user_features": implicit_feedback(world.ratings),
    }
    fits = []
    for n_threads in (1, 4):
        on_threads(n_threads)
        model = FeatureALS(5, n_sweeps=3, tol=0, cg_steps=cg_steps)
        fits.append(model.fit(world.ratings, **features))
    one, many = (state(model) for model in fits)
    one.pop("history_"), many.pop("history_")  # they hold seconds
    assert one == many


TABLE = pd.DataFrame(
    {"Crime": [0, 1, 1, 1], "Comedy": [1.0, 0, 0, 2]}, index=["Up", "Jaws", "Heat", "Ronin"]
)
USERS = pd.DataFrame({"old": [True, False, True]}, index=pd.Index([30, 10, 20], name="user_id"))


def test_tables_are_joined_by_id_and_matrices_by_position(tiny):
    options = {"n_factors": 2, "n_sweeps": 5}
    matrix = TABLE.loc[tiny.item_ids].to_numpy()
    fits = [
        FeatureALS(**options).fit(tiny, item_features=features)
        for features in (
            TABLE,
            TABLE[::-1],
            TABLE[["Comedy", "Crime"]],
            matrix,
            sparse.csr_array(matrix),
            sparse.coo_matrix(matrix),
            [TABLE],
            [TABLE[["Crime", "Comedy"]]],
        )
    ]
    for model in fits[1:]:
        np.testing.assert_allclose(model.item_factors_, fits[0].item_factors_, atol=1e-6)
    assert fits[2].item_feature_names_ == [["Comedy", "Crime"]]
    assert fits[3].item_feature_names_ == [["0", "1"]]
    swapped = fits[2].item_feature_factors_[::-1]
    np.testing.assert_allclose(swapped, fits[0].item_feature_factors_, atol=1e-7)


def test_ids_in_a_column_are_not_found_by_position():
    ratings = Ratings([0, 0, 1], [0, 1, 2], [5, 3, 1])
    table = pd.DataFrame({"movie_id": [2, 0, 1], "crime": [1, 0, 1]})
    with pytest.raises(ValueError, match=r"the column 'movie_id' holds .* table.set_index\('movie"):
        FeatureALS(1).fit(ratings, item_features=table)
    right = FeatureALS(1).initialise(ratings, item_features=table.set_index("movie_id"))
    assert right._item_features.toarray().ravel().tolist() == [0, 1, 1]
    # An index that counts is one when it is said to be, or when no column holds the ids.
    FeatureALS(1).initialise(ratings, item_features=table.rename_axis("movie_id"))
    FeatureALS(1).initialise(ratings, item_features=table[["crime"]])


LABELLED = TABLE.rename_axis("movie_id").reset_index()
OTHERS = {
    "Polars": pl.from_pandas,
    "Arrow": pa.Table.from_pandas,
    "dict": lambda table: table.to_dict("list"),
}


@pytest.mark.parametrize("to", OTHERS.values(), ids=OTHERS)
def test_a_table_without_an_index_has_its_ids_in_a_column(to, tiny):
    expected = FeatureALS(2).fit(tiny, item_features=TABLE, user_features=USERS)
    tables = {"item_features": to(LABELLED[::-1]), "user_features": [to(USERS.reset_index())]}
    model = FeatureALS(2).fit(tiny, **tables)
    for name in ("_item_features", "_user_features"):
        found, wanted = getattr(model, name), getattr(expected, name)
        for part in ("data", "indices", "indptr"):
            assert getattr(found, part).tobytes() == getattr(wanted, part).tobytes()
    assert model.item_feature_names_ == [["Crime", "Comedy"]]
    np.testing.assert_array_equal(model.item_factors_, expected.item_factors_)
    # Of new movies and users no ids are needed.
    new = TABLE.loc[["Ronin"], ["Comedy"]]
    for table in (to(new.rename_axis("movie_id").reset_index()), to(new.reset_index(drop=True))):
        np.testing.assert_array_equal(model.item_prior(table)[1], expected.item_prior(new)[1])
    features = to(pd.DataFrame({"old": [True]}))
    found = fold_in(model, ["Up"], [4.0], features)
    np.testing.assert_array_equal(found.factors, fold_in(expected, ["Up"], [4.0], features).factors)


@pytest.mark.parametrize("to", OTHERS.values(), ids=OTHERS)
def test_what_is_wrong_with_a_table_of_another_library_is_said(to, tiny):
    def refuses(error, message, **columns):
        with pytest.raises(error, match=message):
            FeatureALS(1).fit(tiny, item_features=to(LABELLED.assign(**columns)))

    named = to(LABELLED.rename(columns={"movie_id": "film"}))
    with pytest.raises(
        ValueError, match=r"belong into the column 'movie_id'; this one has .*'film"
    ):
        FeatureALS(1).fit(tiny, item_features=named)
    with pytest.raises(ValueError, match=r"belong into the column 'user_id'; .*'movie_id'"):
        FeatureALS(1).fit(tiny, user_features=to(LABELLED))
    refuses(TypeError, r"the columns \['title'\] do not", title=["Up", "Jaws", "Heat", "Ronin"])
    refuses(TypeError, r"the columns \['when'\] do not", when=pd.Timestamp("2026-01-01"))
    refuses(ValueError, "1 entries are NaN or infinite", Crime=[1.0, 0, np.nan, 1])
    refuses(ValueError, "2 entries are NaN or infinite", old=[True, None, None, False])
    refuses(TypeError, "ids in item_features are strings .* got integers", movie_id=range(4))
    refuses(TypeError, "ids in item_features .* 1 of 4 missing", movie_id=["Up", None, "a", "b"])
    refuses(ValueError, "lack 1 of the 3 ids", movie_id=["Up", "Jaws", "a", "b"])
    refuses(ValueError, "several rows for 1 ids, .* Up", movie_id=["Up", "Up", "Heat", "Jaws"])


def test_booleans_with_gaps_are_counted_in_every_table(tiny):
    for gaps in (pd.array([True, None, None, False]), [True, None, None, False]):
        with pytest.raises(ValueError, match="2 entries are NaN or infinite"):
            FeatureALS(1).fit(tiny, item_features=TABLE.assign(old=gaps))


def test_every_kind_of_number_may_stand_in_one_table(tiny):
    mixed = TABLE.assign(old=[True, False, True, False], year=pd.array([1, 2, 3, 4], "Int16"))
    same = mixed.astype(float)
    one, other = (FeatureALS(1).initialise(tiny, item_features=table) for table in (mixed, same))
    assert (one._item_features != other._item_features).nnz == 0
    with pytest.raises(ValueError, match="2 entries are NaN or infinite"):
        gaps = mixed.assign(year=pd.array([None, 2, None, 4], "Int16"))
        FeatureALS(1).fit(tiny, item_features=gaps)


@pytest.mark.parametrize("size", [1e-307, 1e-160, 1e160, 1e307])
def test_a_row_has_length_one_however_large_its_numbers(tiny, size):
    model = FeatureALS(1).initialise(tiny, item_features=size * np.array([[3, 4], [0, 1], [0, 0]]))
    expected = [[0.6, 0.8], [0, 1], [0, 0]]
    np.testing.assert_allclose(model._item_features.toarray(), expected, rtol=1e-12)


def test_an_entry_that_is_there_twice_counts_as_its_sum(tiny):
    parts = np.array([1.0, 2, 4, 1]), np.array([0, 0, 1, 1]), np.array([0, 3, 4, 4])
    matrix = sparse.csr_array(parts, shape=(3, 2))
    model = FeatureALS(1).initialise(tiny, item_features=matrix)
    np.testing.assert_allclose(model._item_features.toarray(), [[0.6, 0.8], [0, 1], [0, 0]])
    assert matrix.nnz == 4  # whose it is, has it as it was


def test_each_block_weighs_the_same_and_a_row_has_length_one(tiny):
    model = FeatureALS(1).initialise(tiny, item_features=[TABLE, np.diag([5.0, 0.0, 7.0])])
    # Heat, Jaws, Up: Jaws has nothing in the second block.
    half = np.sqrt(0.5)
    expected = [[half, 0, half, 0, 0], [1, 0, 0, 0, 0], [0, half, 0, 0, half]]
    np.testing.assert_allclose(model._item_features.toarray(), expected)


def test_priors_of_new_movies_find_columns_by_name(tiny):
    model = FeatureALS(2, gamma_features=1, tau_features=1).fit(tiny, item_features=TABLE)
    bias, factors = model.item_prior(TABLE.loc[["Ronin"]])
    swapped = TABLE.loc[["Ronin"], ["Comedy", "Crime"]].set_axis(["Casino"])
    np.testing.assert_allclose(model.item_prior(swapped)[0], bias)
    weights = np.array([1, 2]) / np.sqrt(5)
    np.testing.assert_allclose(bias, [weights @ model.item_feature_bias_])
    np.testing.assert_allclose(factors, [weights @ model.item_feature_factors_])
    crime = model.item_prior(pd.DataFrame({"Crime": [3]}, index=["Casino"]))
    np.testing.assert_allclose(crime[0], model.item_feature_bias_[:1])
    with pytest.raises(ValueError, match=r"the fit did not have the columns \['Sci-Fi'\]"):
        model.item_prior(pd.DataFrame({"Sci-Fi": [1]}, index=["Alien"]))
    with pytest.raises(ValueError, match="the fit had 1 tables or matrices, not 2"):
        model.item_prior([TABLE, TABLE])
    wrong = r"the fit had the columns \['Crime', 'Comedy'\], this matrix has \['0', '1', '2'\]"
    with pytest.raises(ValueError, match=wrong):
        model.item_prior(np.ones((1, 3)))
    with pytest.raises(ValueError, match="the fit had 0 tables or matrices, not 1"):
        model.user_prior(np.ones((1, 3)))
    with pytest.raises(RuntimeError, match="not fitted yet"):
        FeatureALS().item_prior(TABLE)


@pytest.mark.parametrize(
    ("features", "error", "message"),
    [
        (
            TABLE[:1],
            ValueError,
            "lack 2 of the 3 ids in the ratings, the first is Heat;",
        ),
        (pd.concat([TABLE, TABLE[1:2]]), ValueError, "several rows for 1 ids, the first is Jaws"),
        (
            TABLE.set_axis([1, 2, 3, 4]),
            TypeError,
            "ids in item_features are strings in these ratings",
        ),
        (TABLE.set_axis(["A", "A"], axis=1), ValueError, "several columns have the same name"),
        (
            TABLE.assign(title="Up"),
            TypeError,
            r"must hold numbers, but the columns \['title'\] do not: .* pandas.get_dummies",
        ),
        (
            np.ma.masked_equal([[1, 2], [3, 4], [5, 6]], 4),
            ValueError,
            "1 of 6 entries of item_features are masked, the first at 3",
        ),
        (TABLE.replace(2.0, np.nan), ValueError, "1 entries are NaN or infinite"),
        (np.full((3, 2), np.inf), ValueError, "6 entries are NaN or infinite"),
        (np.ones((2, 2)), ValueError, "a matrix has 2 rows, where 3 are needed"),
        ([TABLE, np.ones((4, 2))], ValueError, "a matrix has 4 rows, where 3 are needed"),
        (np.ones(3), ValueError, r"must have rows and columns, got shape \(3,\)"),
        ("genres", ValueError, r"must have rows and columns, got shape \(\)"),
        (sparse.csr_array((2, 5)), ValueError, "a matrix has 2 rows, where 3 are needed"),
        (np.ones((3, 2), complex), TypeError, "must hold numbers, got complex128"),
    ],
)
def test_features_that_do_not_fit_are_refused_and_the_fit_is_untouched(
    tiny, features, error, message
):
    model = FeatureALS(2).fit(tiny, item_features=TABLE)
    before = state(model)
    for start in (model.fit, model.fit_iter, model.initialise):
        with pytest.raises(error, match=message):
            start(tiny, item_features=features)
    assert state(model) == before


@pytest.mark.parametrize("name", ["gamma_features", "tau_features"])
def test_ridges_of_features_must_be_positive(tiny, name):
    with pytest.raises(ValueError, match=f"{name} must be greater than 0, got 0"):
        FeatureALS(**{name: 0}).fit(tiny)


def test_only_this_model_takes_features(tiny):
    with pytest.raises(TypeError, match="unexpected keyword argument 'item_features'"):
        LatentALS(1).fit(tiny, item_features=TABLE)


def test_without_ridge_on_biases_their_features_stay_zero(tiny):
    model = FeatureALS(1, gamma=0.0).fit(tiny, item_features=TABLE)
    assert not model.item_feature_bias_.any()


def test_a_saved_model_comes_back_but_learns_no_more(tiny, tmp_path):
    path = tmp_path / "model.npz"
    model = FeatureALS(2).fit(tiny, item_features=[TABLE, np.eye(3)], user_features=np.eye(3))
    model.save(path)
    loaded = FeatureALS.load(path)
    assert state(loaded) == state(model)
    assert loaded.objective(tiny) == model.objective(tiny)
    new = [TABLE[:1], np.ones((1, 3))]
    assert np.array_equal(loaded.item_prior(new)[1], model.item_prior(new)[1])
    with pytest.raises(RuntimeError, match="features are not saved with a model; call fit"):
        loaded.blocks(tiny)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"header": {"item_feature_names_": 3}}, "header of .* is damaged: 3 is not a list"),
        ({"header": {"item_feature_names_": ["ab"]}}, "header of .* is damaged: .* not a list"),
        ({"header": {"item_feature_names_": [[1, 2]]}}, "header of .* is damaged: 1 is not a name"),
        ({"header": {"item_feature_names_": [["a"]]}}, "do not fit together"),
        ({"item_feature_bias_": np.zeros(3)}, "do not fit together"),
        ({"item_prior_factors_": np.zeros((3, 2))}, "something else than finite float32"),
        ({"user_factors_": np.full((3, 2), np.nan, np.float32)}, "else than finite float32"),
        ({"user_prior_bias_": None}, "do not fit together"),
    ],
)
def test_tampered_files_are_refused(tiny, tmp_path, change, message):
    path = tmp_path / "model.npz"
    FeatureALS(2).fit(tiny, item_features=TABLE).save(path)
    rewrite(path, **change)
    with pytest.raises(ValueError, match=message):
        FeatureALS.load(path)


def test_movie_features_are_genres_and_decades():
    movies = pd.DataFrame(
        {
            "movie_id": [7, 3, 5],
            "genres": ["Comedy|Crime", "", "Crime"],
            "year": pd.array([1995, 2001, None], dtype="Int16"),
        }
    )
    table = movie_features(movies, year=True)
    assert table.index.tolist() == [7, 3, 5] and table.index.name == "movie_id"
    assert table.columns.tolist() == ["Comedy", "Crime", "1990s", "2000s", "1995", "2001"]
    assert table.to_numpy().tolist() == [[1, 1, 1, 0, 1, 0], [0, 0, 0, 1, 0, 1], [0, 1, 0, 0, 0, 0]]
    assert movie_features(movies, decade=False).columns.tolist() == ["Comedy", "Crime"]
    assert movie_features(movies, genres=False).columns.tolist() == ["1990s", "2000s"]
    with pytest.raises(ValueError, match="ask for genres, decade or year"):
        movie_features(movies, genres=False, decade=False)
    with pytest.raises(ValueError, match=r"no column \['genres'\] in this table; it has"):
        movie_features(movies.drop(columns="genres"))


def test_implicit_feedback_tells_who_rated_what(tiny):
    # Users 10, 20, 30; movies Heat, Jaws, Up.
    feedback = implicit_feedback(tiny)
    assert feedback.toarray().tolist() == [[1, 0, 1], [0, 0, 1], [1, 1, 0]]
    # The views have offsets in int64, which would make these of the same size.
    assert feedback.indices.dtype == feedback.indptr.dtype == np.int32


def test_who_rated_what_improves_predictions_of_real_ratings():
    movielens = load_movielens()
    train, test = train_test_split(Ratings.from_frame(movielens.ratings))
    users, items, values = test.triples()
    feedback = implicit_feedback(train)
    options = {"n_factors": 16, "n_sweeps": 10}
    plain = FeatureALS(**options).fit(train)
    informed = FeatureALS(**options).fit(train, item_features=feedback.T, user_features=feedback)
    options["cg_steps"] = 3
    hasty = FeatureALS(**options).fit(train, item_features=feedback.T, user_features=feedback)
    errors = [rmse(values, model.predict(users, items)) for model in (plain, informed, hasty)]
    assert errors[1] < errors[0] - 0.01
    assert errors[2] < errors[1] + 0.001
