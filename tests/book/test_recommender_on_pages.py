"""The recommender on the page: its mathematics against alslib, and its use in a real browser.

The mathematics is tested without the book. The rest needs `make book`.
"""

import base64
import copy
import gzip
import json
import re

import numpy as np
import pytest
from outline import HTML, ROOT

from alslib import Interview, PopularityPrior, Recommender, Visitor, export_json, fold_in
from alslib.explorables import bundle

PLACE = ".als-explorable[data-name='recommender']"
PAGE = "book/intro"
STORED_AS = "alslib-preferences"
TOLERANCE = 1e-3  # stars
ALIEN, HEAT, TOY_STORY, MATRIX = 1214, 6, 1, 2571
LEAST_SHOWN = 20  # ratings of a movie in the list, until a reader chooses otherwise


@pytest.fixture(scope="module")
def models():
    """What the extension of the book fits: a recommender by stars, choices, and the movies."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "book" / "_ext")
        from explorables import fitted

        return fitted()


@pytest.fixture(scope="module")
def truth(models):
    recommender, _, movielens = models
    return recommender, movielens


@pytest.fixture(scope="module")
def document(models, tmp_path_factory):
    recommender, choices, movielens = models
    path = tmp_path_factory.mktemp("export") / "model.json"
    export_json(path, recommender, movielens, choices=choices)
    return json.loads(path.read_text("ascii"))


@pytest.fixture(scope="module")
def script(chromium, document):
    """A blank page that knows two modules as `als` and `preferences`, and the model as `model`."""
    page = chromium.new_page()
    for name in ("model", "preferences", "interview"):
        page.evaluate(bundle(f"recommender/{name}"))
    page.evaluate(
        """data => {
            globalThis.als = alsExplorables["recommender/model"];
            globalThis.preferences = alsExplorables["recommender/preferences"];
            globalThis.interview = alsExplorables["recommender/interview"];
            globalThis.model = als.decode(data);
        }""",
        document,
    )
    yield page
    page.close()


@pytest.fixture(scope="module")
def rounded(truth, document):
    """alslib with the rounded numbers of the page."""
    recommender, _ = truth
    model = copy.copy(recommender.model)
    rows = recommender.ratings.item_index(document["items"]["id"])
    whole = np.frombuffer(base64.b64decode(document["factors"]["int16"]), "<i2")
    model.item_factors_ = model.item_factors_.astype(float)
    model.item_factors_[rows] = whole.reshape(len(rows), -1) * document["factors"]["unit"]
    model.item_bias_ = model.item_bias_.copy()
    model.item_bias_[rows] = document["items"]["bias"]
    return Recommender(model, recommender.ratings, recommender.calibration)


@pytest.fixture(scope="module")
def chosen(models):
    """Lists by what is chosen, and the prior that they begin with."""
    recommender, choices, _ = models
    return Recommender(choices, recommender.ratings), PopularityPrior(recommender.ratings)


@pytest.fixture(scope="module")
def people(document):
    """Two hundred people with 1 to 80 ratings: (ids, stars)."""
    rng = np.random.default_rng(7)
    ids = np.array(document["items"]["id"])
    sizes = np.concatenate([[1, 2, 3], rng.integers(1, 81, size=197)])
    return [(rng.choice(ids, n, replace=False), rng.integers(1, 11, n) / 2) for n in sizes]


def as_ratings(document, person):
    row = {item: place for place, item in enumerate(document["items"]["id"])}
    return [
        {"row": row[int(item)], "rating": float(stars)} for item, stars in zip(*person, strict=True)
    ]


def in_script(script, document, people, body):
    """Evaluate the body for each person, with `profile` in reach.

    Both ways as text: playwright looks at each of a million numbers, which takes a minute.
    """
    text = script.evaluate(
        "people => JSON.stringify(JSON.parse(people).map((ratings) => {"
        f"const profile = als.foldIn(model, ratings); {body} }}))",
        json.dumps([as_ratings(document, person) for person in people]),
    )
    return json.loads(text)


# The mathematics


@pytest.mark.parametrize(("which", "tolerance"), [("truth", TOLERANCE), ("rounded", 1e-9)])
@pytest.mark.parametrize("alpha", [1.0, 0.05])
def test_all_scores_of_200_people_are_those_of_alslib(
    request, script, document, people, which, tolerance, alpha
):
    found = in_script(
        script,
        document,
        people,
        f"return model.items.id.map((_, row) => als.score(model, profile, row, {alpha}));",
    )
    reference = request.getfixturevalue(which)
    reference = reference[0] if which == "truth" else reference
    for person, scores in zip(people, found, strict=True):
        told = reference.recommend(
            fold_in(reference.model, *person),
            9_999,
            alpha=alpha,
            min_ratings=10,
            exclude_seen=False,
        ).set_index("item_id")
        np.testing.assert_allclose(
            scores, told.loc[document["items"]["id"], "score"], atol=tolerance, rtol=0
        )


@pytest.mark.parametrize("alpha", [1.0, 0.05])
@pytest.mark.parametrize(("genre", "least"), [(None, 10), ("Film-Noir", 10), ("Drama", 100)])
def test_the_ten_best_are_those_of_alslib(truth, script, document, people, alpha, genre, least):
    """The same movies in the same places, but for neighbours closer than the tolerance."""
    recommender, movielens = truth
    among = None
    if genre:
        movies = movielens.movies
        among = movies.loc[movies["genres"].str.split("|").map(lambda g: genre in g), "movie_id"]
    options = {
        "alpha": alpha,
        "minRatings": least,
        "genre": document["genres"].index(genre) if genre else None,
    }
    lists = in_script(
        script,
        document,
        people,
        f"return als.recommend(model, profile, {json.dumps(options)})"
        ".map(({ row, value }) => [model.items.id[row], value]);",
    )
    identical = 0
    for person, found in zip(people, lists, strict=True):
        every = recommender.recommend(
            fold_in(recommender.model, *person),
            9_999,
            alpha=alpha,
            min_ratings=max(least, 10),
            among=among,
        )
        ids = [item for item, _ in found]
        assert len(set(ids)) == len(ids) == min(10, len(every))
        told = every.set_index("item_id")["score"]
        # Whatever stands at a place deserves it: by alslib's scores, it is as good as alslib's own.
        np.testing.assert_allclose(told.loc[ids], told.iloc[: len(ids)], atol=TOLERANCE, rtol=0)
        np.testing.assert_allclose([value for _, value in found], told.loc[ids], atol=TOLERANCE)
        identical += ids == every["item_id"].head(10).tolist()
    print(f"{identical} of {len(people)} lists are the same to the last place")
    assert identical >= 0.95 * len(people)


@pytest.mark.parametrize("alpha", [1.0, 0.05])
def test_lists_of_choices_of_200_people_are_those_of_alslib(
    chosen, script, document, people, alpha
):
    """All scores, and the ten best up to neighbours closer than the tolerance."""
    recommender, prior = chosen
    found = in_script(
        script,
        document,
        people,
        "const chosen = als.foldIn(model.choice, ratings);"
        f"const list = als.recommend(model.choice, chosen, {{ alpha: {alpha} }});"
        "return [list.map(({ row }) => model.items.id[row]),"
        f"model.items.id.map((_, row) => als.score(model.choice, chosen, row, {alpha}))];",
    )
    identical = 0
    for person, (ids, scores) in zip(people, found, strict=True):
        me = fold_in(recommender.model, *person, prior=prior)
        every = {"n": 9_999, "alpha": alpha, "min_ratings": 10}
        told = recommender.recommend(me, **every, exclude_seen=False)
        told = told.set_index("item_id")["score"]
        np.testing.assert_allclose(scores, told.loc[document["items"]["id"]], atol=2e-4)
        unseen = recommender.recommend(me, **every)["item_id"].tolist()
        np.testing.assert_allclose(told.loc[ids], told.loc[unseen[:10]], atol=2e-4)
        identical += ids == unseen[:10]
    print(f"{identical} of {len(people)} lists are the same to the last place")
    assert identical >= 0.95 * len(people)


def test_intervals_of_200_people_are_those_of_alslib(rounded, script, document, people):
    rows = list(range(0, len(document["items"]["id"]), 40))
    everybody = [([], []), *people]
    found = in_script(
        script,
        document,
        everybody,
        f"return {rows}.map((row) => als.interval(model, profile, row));",
    )
    ids = [document["items"]["id"][row] for row in rows]
    for person, ends in zip(everybody, found, strict=True):
        me = fold_in(rounded.model, *person)
        told = rounded.predict_interval(me, ids, share=0.8)
        np.testing.assert_allclose(ends, told[["low", "high"]], atol=1e-4)


@pytest.mark.parametrize("caution", [0.5, -1.0])
def test_lists_with_caution_are_those_of_alslib(rounded, script, document, people, caution):
    found = in_script(
        script,
        document,
        people[:60],
        f"return als.recommend(model, profile, {{ n: 2245, caution: {caution} }})"
        ".map(({ row, value }) => [model.items.id[row], value]);",
    )
    for person, ranked in zip(people, found, strict=False):
        told = rounded.recommend(
            fold_in(rounded.model, *person), 9_999, caution=caution, min_ratings=10
        ).set_index("item_id")["score"]
        ids = [item for item, _ in ranked]
        np.testing.assert_allclose([value for _, value in ranked], told.loc[ids], atol=1e-4)
        assert np.all(np.diff(told.loc[ids]) <= 2e-4)


def test_the_next_question_is_that_of_alslib(models, script, document, people):
    """Of people who have answered nothing, or some questions, with what they have not seen."""
    recommender, choices, _ = models
    asked = Interview(recommender, choices)
    rng = np.random.default_rng(3)
    ids = document["items"]["id"]
    rows = {item: row for row, item in enumerate(ids)}
    same = 0
    for person in [([], []), *people[:60]]:
        unseen = rng.choice(np.setdiff1d(ids, person[0]), rng.integers(0, 9), replace=False)
        (found,) = in_script(
            script,
            document,
            [person],
            "return interview.nextQuestion("
            f"model, profile, {[rows[item] for item in unseen.tolist()]});",
        )
        told = asked.next_question(fold_in(recommender.model, *person), unseen)
        same += ids[found] == told
    assert same >= 60  # of 61: the page's numbers are rounded


def test_shares_of_a_choice_sum_to_its_score(chosen, script, document, people):
    recommender, prior = chosen
    rows = [0, 700, 2000]
    found = in_script(
        script,
        document,
        people[:40],
        "const chosen = als.foldIn(model.choice, ratings);"
        f"return {rows}.map((row) => als.explain(model.choice, chosen, row, 0.3));",
    )
    for person, explanations in zip(people, found, strict=False):
        me = fold_in(recommender.model, *person, prior=prior)
        for row, parts in zip(rows, explanations, strict=True):
            told = recommender.explain(me, document["items"]["id"][row], alpha=0.3)
            shares = [rating["share"] for rating in parts["ratings"]]
            assert parts["mean"] == parts["userBias"] == 0
            assert parts["itemBias"] + sum(shares) == pytest.approx(parts["score"], abs=1e-9)
            np.testing.assert_allclose(shares, told.ratings["share"], atol=2e-4)


def test_shares_sum_to_the_score_and_are_those_of_alslib(rounded, script, document, people):
    rows = [0, 700, 2000]
    found = in_script(
        script,
        document,
        people[:40],
        f"return {rows}.map((row) => als.explain(model, profile, row, 0.3));",
    )
    for person, explanations in zip(people, found, strict=False):
        profile = fold_in(rounded.model, *person)
        for row, parts in zip(rows, explanations, strict=True):
            told = rounded.explain(profile, document["items"]["id"][row], alpha=0.3)
            shares = [rating["share"] for rating in parts["ratings"]]
            total = parts["mean"] + parts["userBias"] + parts["itemBias"] + sum(shares)
            assert total == pytest.approx(parts["score"], abs=1e-9)
            assert parts["score"] == pytest.approx(told.score, abs=1e-9)
            assert parts["userBias"] == pytest.approx(told.user_bias, abs=1e-9)
            assert parts["itemBias"] == pytest.approx(told.item_bias, abs=1e-9)
            np.testing.assert_allclose(shares, told.ratings["share"], atol=1e-9)


def test_a_stranger_is_predicted_what_the_movies_deserve(script, document):
    (scores,) = in_script(
        script,
        document,
        [([], [])],
        "return model.items.id.map((_, row) => als.score(model, profile, row));",
    )
    expected = document["mean"] + np.array(document["items"]["bias"])
    np.testing.assert_allclose(scores, expected, atol=1e-12)


def test_rounded_parts_sum_to_the_rounded_sum(script):
    rng = np.random.default_rng(0)
    cases = [rng.normal(size=n).tolist() for n in rng.integers(1, 12, size=300)]
    cases += [[0.005, 0.005], [-0.005, -0.005], [1 / 3] * 3, [0.0]]
    for exact, whole in zip(
        cases, script.evaluate("cases => cases.map(als.roundedParts)", cases), strict=True
    ):
        assert np.abs(np.array(whole) / 100 - exact).max() < 0.01
        assert sum(whole) / 100 == pytest.approx(sum(exact), abs=0.005 + 1e-9)


def test_trending_is_most_rated_in_the_last_year_and_filtered_before_it_is_cut(
    truth, script, document
):
    _, movielens = truth
    ratings = movielens.ratings
    recent = ratings[ratings["timestamp"] > ratings["timestamp"].max() - 365 * 86_400]
    counts = recent["movie_id"].value_counts()
    genre = document["genres"].index("Western")
    found = script.evaluate(
        "genre => als.trending(model, als.foldIn(model, []), { genre })"
        ".map(({ row, value }) => [model.items.id[row], value])",
        genre,
    )
    genres = movielens.movies.set_index("movie_id")["genres"]
    enough = ratings["movie_id"].value_counts().reindex(counts.index) >= 10
    westerns = counts[enough & genres.loc[counts.index].str.contains("Western")]
    assert [count for _, count in found] == westerns.head(10).tolist()
    assert all(counts[item] == count and "Western" in genres[item] for item, count in found)


CASES = json.loads((ROOT / "tests" / "title_searches.json").read_text("utf-8"))


@pytest.mark.parametrize(("query", "titles"), CASES["searches"])
def test_search_finds_what_the_search_of_alslib_finds(script, query, titles):
    found = script.evaluate(
        """([movies, query]) => {
            const title = Object.keys(movies);
            const items = { title, n_ratings: Object.values(movies) };
            const { rows, total } = als.search(als.indexTitles({ items }), query, 9);
            return [rows.map((row) => title[row]), total];
        }""",
        [CASES["movies"], query],
    )
    assert found == [titles, len(titles)]


def test_search_shows_the_best_and_counts_them_all(script):
    found = script.evaluate("als.search(model, 'alien', 1)")
    assert found["total"] > len(found["rows"]) == 1
    (row,) = found["rows"]
    assert script.evaluate("row => model.items.title[row]", row) == "Alien (1979)"


# The file


def preferences(*ratings, **changes):
    return {"format": "alslib-preferences", "version": 1, "ratings": list(ratings)} | changes


SHAWSHANK = {"item_id": 318, "title": "Shawshank Redemption, The (1994)", "rating": 4.5}


def test_a_list_that_is_written_is_read_again(script):
    ratings = [SHAWSHANK, {"item_id": "tea", "title": "Tea", "rating": 0.5}]
    text = script.evaluate("preferences.write", ratings)
    assert json.loads(text) == preferences(*ratings)
    assert script.evaluate("text => preferences.read(text, [0.5, 5])", text) == ratings


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it is not JSON"),
        ("null", "its format is not “alslib-preferences”"),
        ("[]", "its format is not “alslib-preferences”"),
        (json.dumps(preferences(version=2)), "its version is 2, and this page reads version 1"),
        (json.dumps(preferences(ratings={})), "it has no list of ratings"),
        (json.dumps(preferences(None)), "rating 1 does not say of which movie"),
        (json.dumps(preferences({"rating": 3})), "rating 1 does not say of which movie"),
        (json.dumps(preferences(SHAWSHANK, SHAWSHANK)), "movie 318 is rated twice"),
        *(
            (
                json.dumps(preferences(SHAWSHANK, {"item_id": 1, "rating": rating})),
                "rating 2 is not in half stars from 0.5 to 5",
            )
            for rating in (0, 5.5, 3.7, "4", None, -1)
        ),
    ],
)
def test_a_file_that_is_none_is_refused_in_plain_words(script, text, message):
    with pytest.raises(Exception, match=re.escape(message)):
        script.evaluate("text => preferences.read(text, [0.5, 5])", text)


# The page


def stored(page):
    text = page.evaluate("name => localStorage.getItem(name)", STORED_AS)
    return None if text is None else json.loads(text)["ratings"]


def own(page):
    """The list of the page: titles and stars."""
    titles = page.locator(".als-rated .als-title").all_text_contents()
    stars = page.locator(".als-rated input").evaluate_all("all => all.map(e => e.valueAsNumber)")
    return list(zip(titles, stars, strict=True))


def listed(page):
    return page.locator(".als-entry .als-title").all_text_contents()


def press_star(page, slider, rating):
    """Press the middle of a half star."""
    box = slider.bounding_box()
    star = box["width"] / 5.5
    slider.click(position={"x": star / 2 + star * (rating - 0.25), "y": box["height"] / 2})


def find_and_rate(page, query, title, rating):
    page.get_by_role("combobox", name="Find a movie").fill(query)
    page.get_by_role("option", name=title).click()
    press_star(page, page.locator(".als-ratings").get_by_role("slider", name=title), rating)


def reload(page):
    page.wait_for_load_state("networkidle")  # a request that is cut off looks like trouble
    page.reload()


def start_with(page, *ratings):
    """Open the page anew with these (id, stars)."""
    entries = [{"item_id": item, "title": "?", "rating": stars} for item, stars in ratings]
    page.evaluate(
        "([name, text]) => localStorage.setItem(name, text)",
        [STORED_AS, json.dumps(preferences(*entries))],
    )
    reload(page)


def unfolded(page):
    """Unfold the reasons of all movies in the list, and return them."""
    reasons = page.locator(".als-why").all()
    for details in reasons:
        details.locator("summary").click()
        details.locator(".als-sum").wait_for()
    return reasons


@pytest.fixture
def told(models):
    """The list that a visitor gets for (id, stars): titles, and stars and interval of each."""

    def recommend(*ratings, **options):
        visitor = Visitor(*(models[place] for place in (0, 2, 1)))
        for item, stars in ratings:
            visitor.rate(item, stars)
        best = visitor.recommend(**{"min_ratings": LEAST_SHOWN} | options)
        return best["title"].tolist(), best[["predicted", "low", "high"]].to_numpy()

    return recommend


def test_the_data_on_the_page_are_those_of_the_package(pages, document):
    text = (HTML / "_static" / "explorables" / "recommender.js").read_text("utf-8")
    start = f'{bundle("recommender")}\nalsExplorables.start("recommender", '
    assert text.startswith(start) and text.endswith(");\n")
    assert json.loads(text[len(start) : -3]) == document


def test_script_and_data_are_light(pages):
    script = (HTML / "_static" / "explorables" / "recommender.js").read_text("utf-8")
    own = bundle("recommender")
    assert len(gzip.compress(own.encode())) < 30_000
    assert len(gzip.compress(script.encode())) < 400_000


def test_only_pages_with_a_place_load_it(pages):
    shown = []
    for path, soup in pages.items():
        has_place = bool(soup.select(PLACE))
        scripts = [tag["src"] for tag in soup.find_all("script", src=True)]
        styles = [tag["href"] for tag in soup.find_all("link", rel="stylesheet")]
        loaded = [
            re.sub(r"\?v=\w+$", "", url).rpartition("/_static/")[2]
            for url in scripts + styles
            if "explorables" in url
        ]
        files = ["explorables/recommender.js", "explorables/recommender.css"]
        assert loaded == (files if has_place else []), path
        shown += [str(path.relative_to(HTML))] * has_place
    assert sorted(shown) == ["book/intro.html", "lessons/07_new_user.html"]


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_a_movie_is_found_and_rated_with_the_pointer(visit, told, scheme):
    go, trouble = visit(scheme)
    page = go(PAGE)
    assert page.get_by_role("heading", name="Trending").is_visible()
    assert len(listed(page)) == 10
    find_and_rate(page, "alien", "Alien (1979)", 3.5)
    assert own(page) == [("Alien (1979)", 3.5)]
    titles, stars = told((ALIEN, 3.5))
    assert page.get_by_role("heading", name="For you").is_visible()
    assert listed(page) == titles
    shown = page.locator(".als-value").all_text_contents()
    assert shown == [f"{value:.1f}★ stars predicted" for value, _, _ in stars]
    facts = page.locator(".als-what .als-muted").all_text_contents()
    assert [text.rpartition(" · ")[2] for text in facts] == [
        f"8 in 10 such ratings lie from {low:.1f} to {high:.1f}" for _, low, high in stars
    ]
    summary = page.locator(f"{PLACE} .als-said").text_content()
    assert summary.startswith("From 1 rating: 10 movies, the first is " + titles[0])
    # Another movie, straight from the list: it leaves the list and all is solved anew.
    second = titles[2]
    press_star(page, page.locator(".als-list").get_by_role("slider", name=second), 5)
    assert own(page) == [(second, 5), ("Alien (1979)", 3.5)]
    assert second not in listed(page) and len(listed(page)) == 10
    page.get_by_role("button", name="Remove Alien").click()
    assert own(page) == [(second, 5)]
    page.get_by_role("button", name="Undo").click()
    assert own(page) == [(second, 5), ("Alien (1979)", 3.5)]
    assert trouble == []


def focused(page):
    return page.evaluate(
        "const e = document.activeElement; e.getAttribute('aria-label') ??"
        " document.getElementById(e.getAttribute('aria-labelledby'))?.textContent ??"
        " (e.labels?.[0] ?? e).textContent"
    )


def tab_to(page, name, key="Tab"):
    for _ in range(120):
        page.keyboard.press(key)
        if name in focused(page):
            return
    pytest.fail(f"{name!r} cannot be reached with {key}")


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_everything_can_be_done_with_the_keyboard_alone(visit, told, scheme):
    go, trouble = visit(scheme)
    page = go(PAGE)
    keys = page.keyboard
    tab_to(page, "Find a movie you have seen")
    keys.type("matrix")
    keys.press("ArrowDown")
    keys.press("ArrowDown")
    keys.press("ArrowUp")
    box = page.get_by_role("combobox", name="Find a movie")
    assert box.get_attribute("aria-activedescendant") == "als-option-0"
    assert box.get_attribute("aria-expanded") == "true"
    keys.press("Enter")
    assert focused(page) == "Matrix, The (1999)"
    for _ in range(9):
        keys.press("ArrowRight")
    assert own(page) == [("Matrix, The (1999)", 4.5)]
    assert listed(page) == told((MATRIX, 4.5))[0]
    keys.press("Enter")
    assert focused(page) == "Find a movie you have seen"
    # From the list: the movie stays while its stars move, and goes when the keyboard goes on.
    third = listed(page)[2]
    tab_to(page, "Acclaimed or personal?")
    tab_to(page, third)
    keys.press("End")
    keys.press("ArrowLeft")
    assert own(page) == [(third, 4.5), ("Matrix, The (1999)", 4.5)]
    assert listed(page)[2] == third
    keys.press("Enter")
    assert third not in listed(page)
    assert focused(page) == listed(page)[2]
    keys.press("Home")  # “not rated” again is no rating
    assert len(own(page)) == 2
    fourth = listed(page)[3]
    keys.press("ArrowRight")
    keys.press("Tab")
    assert len(own(page)) == 3
    assert focused(page) != "" and page.evaluate("document.activeElement !== document.body")
    assert fourth in listed(page)
    # Reasons unfold.
    tab_to(page, "Because you rated")
    keys.press("Enter")
    page.locator("details[open] .als-sum").wait_for()
    # The slider and the filters.
    tab_to(page, "Acclaimed or personal?", "Shift+Tab")
    keys.press("End")
    assert page.get_by_role("slider", name="Acclaimed").get_attribute("aria-valuetext") == (
        "What everybody thinks of a movie counts 5\u00a0%."
    )
    tab_to(page, "Genre")
    keys.type("Wes")
    assert all(
        "Western" in text for text in page.locator(".als-what .als-muted").all_text_contents()
    )
    # Removing keeps the keyboard at the list.
    tab_to(page, "Remove Matrix", "Shift+Tab")
    keys.press("Enter")
    assert focused(page).startswith("Remove ")
    tab_to(page, "Remove all")
    keys.press("Enter")
    assert own(page) == []
    assert focused(page) == "Undo"
    keys.press("Enter")
    assert len(own(page)) == 2
    assert focused(page) == "Find a movie you have seen"
    assert trouble == []


def test_escape_closes_the_options_and_then_empties_the_box(visit):
    go, _ = visit()
    page = go(PAGE)
    box = page.get_by_role("combobox", name="Find a movie")
    box.fill("alien")
    assert page.get_by_role("option").count() > 1
    page.keyboard.press("Escape")
    assert box.get_attribute("aria-expanded") == "false" and box.input_value() == "alien"
    assert not page.get_by_role("listbox", name="Movies").is_visible()
    page.keyboard.press("Escape")
    assert box.input_value() == ""
    box.fill("zzzz")
    assert page.get_by_text("No such movie here").is_visible()


def test_acclaimed_and_personal_lists_are_those_of_alslib(visit, told):
    go, _ = visit()
    page = go(PAGE)
    mine = [(MATRIX, 5), (TOY_STORY, 2), (HEAT, 4.5)]
    start_with(page, *mine)
    acclaimed, _ = told(*mine)
    assert listed(page) == acclaimed
    page.get_by_role("slider", name="Acclaimed").fill("19")
    personal, stars = told(*mine, alpha=0.05)
    assert listed(page) == personal != acclaimed
    assert page.locator(".als-value").first.text_content().startswith(f"{stars[0, 0]:.1f}")
    page.get_by_role("combobox", name="Number of ratings").select_option("200 or more")
    assert listed(page) == told(*mine, alpha=0.05, min_ratings=200)[0]


def test_the_list_is_by_what_is_chosen_or_by_stars_and_then_as_cautious_as_one_likes(visit, told):
    go, _ = visit()
    page = go(PAGE)
    way = page.get_by_role("combobox", name="First comes")
    caution = page.get_by_role("slider", name="Cautious or daring?")
    assert not way.is_visible() and not caution.is_visible()  # nothing is ranked yet
    mine = [(MATRIX, 5), (TOY_STORY, 2), (HEAT, 4.5)]
    start_with(page, *mine)
    chosen, _ = told(*mine, by="choice")
    assert listed(page) == chosen
    assert not caution.is_visible()
    way.select_option("what you would rate highest")
    by_stars, _ = told(*mine, by="stars")
    assert listed(page) == by_stars != chosen
    page.get_by_role("combobox", name="Number of ratings").select_option("10 or more")
    lists = [told(*mine, by="stars", caution=c, min_ratings=10)[0] for c in (2, 0, -1)]
    for place, expected, said in zip(
        ["0", "4", "6"],
        lists,
        [
            "Less 2 standard deviations of doubt.",
            "Stars count as predicted.",
            "And 1 standard deviation of doubt on top.",
        ],
        strict=True,
    ):
        caution.fill(place)
        assert listed(page) == expected
        assert caution.get_attribute("aria-valuetext") == said
    assert lists[0] != lists[1] != lists[2]
    way.select_option("what you would pick and like")
    assert listed(page) == told(*mine, by="choice", min_ratings=10)[0]


def test_an_interview_asks_what_a_visitor_is_asked_and_needs_no_pointer(visit, models):
    go, trouble = visit()
    page = go(PAGE)
    recommender, choices, movielens = models
    visitor = Visitor(recommender, movielens, choices)
    keys = page.keyboard
    tab_to(page, "Ask me")
    keys.press("Enter")
    question = page.locator("#als-question")
    for stars in (4, None, 2.5, None, None, 5):
        item = visitor.next_question()
        title = visitor.title(item)
        assert question.text_content() == focused(page) == f"How many stars for {title}?"
        if stars is None:
            visitor.skip(item)
            page.get_by_role("button", name="Haven’t seen it").press("Enter")
        else:
            visitor.rate(item, stars)
            keys.press("Home")
            for _ in range(int(2 * stars)):
                keys.press("ArrowRight")
            assert (title, stars) in own(page)
            keys.press("Enter")
    assert dict(own(page)) == {visitor.title(i): r for i, r in visitor.ratings.items()}
    assert listed(page) == visitor.recommend(min_ratings=LEAST_SHOWN)["title"].tolist()
    page.get_by_role("button", name="Enough").press("Enter")
    assert focused(page) == "Ask me" and not question.is_visible()
    # A rating that is taken back by “haven’t seen it” is none.
    keys.press("Enter")
    keys.press("ArrowRight")
    page.get_by_role("button", name="Haven’t seen it").click()
    assert len(own(page)) == 3
    assert trouble == []


def test_a_filter_never_shortens_the_list(visit, told):
    go, _ = visit()
    page = go(PAGE)
    start_with(page, (TOY_STORY, 5))
    page.get_by_role("combobox", name="Genre").select_option("Film-Noir")
    assert listed(page) == told((TOY_STORY, 5), genre="Film-Noir")[0]
    assert len(listed(page)) == 10


@pytest.mark.parametrize(
    ("way", "caution", "before_taste"),
    [("choice", None, 1), ("stars", "4", 3), ("stars", "1", 4)],  # mean, user, movie, and a price
)
@pytest.mark.parametrize("slider", ["0", "19"])
def test_the_numbers_of_a_reason_sum_to_the_score_that_is_shown(
    visit, slider, way, caution, before_taste
):
    go, _ = visit()
    page = go(PAGE)
    ids = [1, 6, 10, 16, 32, 34, 39, 47, 50, 110, 150]
    start_with(page, *((item, 0.5 + item % 9 / 2) for item in ids))
    page.get_by_role("slider", name="Acclaimed").fill(slider)
    page.get_by_role("combobox", name="First comes").select_option(value=way)
    if caution:
        page.get_by_role("slider", name="Cautious").fill(caution)
    for details in unfolded(page):
        rows = details.locator("tbody tr").all()
        numbers = [
            round(100 * float(row.locator("td").text_content().replace("−", "-"))) for row in rows
        ]
        assert len(numbers) == before_taste + 8 + 1  # eight ratings, the others together
        total = details.locator("tfoot td").first.text_content()
        assert sum(numbers) == round(100 * float(total))


def test_ratings_are_kept_until_they_are_removed(visit):
    go, trouble = visit("file")
    page = go(PAGE)
    find_and_rate(page, "toy story", "Toy Story (1995)", 4)
    find_and_rate(page, "heat", "Heat (1995)", 0.5)
    expected = [("Heat (1995)", 0.5), ("Toy Story (1995)", 4)]
    reload(page)
    assert own(page) == expected
    assert page.get_by_text("Your ratings stay in this browser.").is_visible()
    page.get_by_role("button", name="Remove all").click()
    assert stored(page) is None
    page.get_by_role("button", name="Undo").click()
    assert own(page) == expected
    page.get_by_role("button", name="Remove all").click()
    reload(page)
    assert own(page) == [] and stored(page) is None
    assert trouble == []


def test_where_there_is_no_room_that_is_said_and_no_older_list_comes_back(visit):
    go, _ = visit()
    page = go(PAGE)
    start_with(page, (ALIEN, 4))
    page.evaluate("""() => {
        let text = "x".repeat(1 << 22);
        for (let i = 0; text; i++) {
            try { localStorage.setItem(`full-${i}`, text); }
            catch { text = text.slice(0, text.length / 2); }
        }
    }""")
    find_and_rate(page, "heat", "Heat (1995)", 3)
    assert own(page) == [("Heat (1995)", 3), ("Alien (1979)", 4)]
    assert page.get_by_text("This browser keeps nothing for this page.").is_visible()
    reload(page)
    assert own(page) == [] and stored(page) is None


def test_of_thousands_of_ratings_those_in_sight_are_laid_out(visit, tmp_path):
    go, trouble = visit()
    page = go(PAGE)
    given = [{"item_id": 10**6 + i, "title": f"Film {i}", "rating": 3} for i in range(1000)]
    (tmp_path / "given.json").write_text(json.dumps(preferences(*given)))
    page.get_by_label("Open a file").set_input_files(tmp_path / "given.json")
    page.get_by_text("Opened 1,000 ratings.").wait_for()
    assert [title.split(" (")[0] for title, _ in own(page)] == [each["title"] for each in given]
    page.locator(".als-ratings").evaluate("list => list.scrollIntoView({ block: 'center' })")
    in_sight = """[...document.querySelectorAll(".als-rated .als-title")]
        .filter((title) => title.checkVisibility({ contentVisibilityAuto: true })).length"""
    page.wait_for_function(in_sight)  # the browser draws in its own time
    assert page.evaluate(in_sight) < 300
    assert trouble == []


# What one move exchanges: the elements that come and go, and those whose attributes are written.
EXCHANGED = """([place, name, value]) => {
    const found = { elements: 0, written: new Set() };
    const watch = new MutationObserver(() => {});
    watch.observe(document.querySelector(place), {
        subtree: true, childList: true, attributes: true,
    });
    const moved = document.querySelector(name);
    moved.value = value;
    moved.dispatchEvent(new Event("input", { bubbles: true }));
    for (const { addedNodes, removedNodes, target, type } of watch.takeRecords()) {
        const nodes = [...addedNodes, ...removedNodes];
        found.elements += nodes.filter((node) => node.nodeType === Node.ELEMENT_NODE).length;
        if (type === "attributes") found.written.add(target.closest(".als-rated, .als-entry"));
    }
    watch.disconnect();
    found.written = [...found.written].filter((line) => line?.matches(".als-rated")).length;
    return found;
}"""


@pytest.mark.parametrize(
    ("moved", "value", "lines"),
    [(".als-rated input", 0.5, 1), (".als-between input", 19, 0)],  # stars; acclaimed or personal
)
def test_a_move_makes_no_new_elements_though_the_list_becomes_another(visit, moved, value, lines):
    go, _ = visit()
    page = go(PAGE)
    start_with(page, (ALIEN, 5), (HEAT, 4.5), (TOY_STORY, 4), (MATRIX, 5))
    before = listed(page)
    found = page.evaluate(EXCHANGED, [PLACE, moved, value])
    assert listed(page) != before
    assert found == {"elements": 0, "written": lines}


def test_reasons_stay_unfolded_with_their_movie_wherever_it_goes(visit):
    go, _ = visit()
    page = go(PAGE)
    start_with(page, (ALIEN, 5), (HEAT, 4.5), (TOY_STORY, 4), (MATRIX, 5))
    first = listed(page)
    page.locator(".als-why").nth(4).locator("summary").click()
    page.locator(".als-sum").wait_for()
    esteem = page.get_by_role("slider", name="Acclaimed")
    moved = []
    for value in range(20):
        esteem.fill(str(value))
        open_at = page.locator(".als-entry:has(details[open])")
        titles = open_at.locator(".als-title").all_text_contents()
        if first[4] not in listed(page):
            assert titles == []
            break
        assert titles == [first[4]] and open_at.locator(".als-sum").count() == 1
        moved.append(listed(page).index(first[4]))
    assert len(set(moved)) > 1


def test_a_control_with_the_focus_never_changes_its_name(visit):
    """Screen readers say a name when the focus comes, and not when another takes its place."""
    go, _ = visit()
    page = go(PAGE)
    start_with(page, (ALIEN, 5))
    slider = page.locator(".als-entry input").nth(2)
    slider.focus()
    page.keyboard.press("End")
    had = page.evaluate_handle("document.activeElement")
    page.keyboard.press("Enter")
    assert focused(page) == listed(page)[2]
    assert not page.evaluate("had => document.activeElement === had || had.isConnected", had)


def test_of_the_recommended_movies_those_in_sight_are_laid_out(visit):
    go, _ = visit(width=412)
    page = go(PAGE)
    start_with(page, (ALIEN, 5))
    page.locator(".als-ratings").evaluate("list => list.scrollIntoView({ block: 'end' })")
    page.wait_for_function(
        """() => ![...document.querySelectorAll(".als-entry .als-title")].at(-1)
            .checkVisibility({ contentVisibilityAuto: true })"""
    )
    assert len(listed(page)) == 10


# The list of ratings scrolls, and each line is laid out by itself: what lies outside is cut off.
# So is each of the recommended movies.
# Returned are the stops without a ring, or with one that would lie outside.
CUT_RINGS = """() => {
    const stops = [
        ...document.querySelectorAll(":is(.als-rated, .als-entry) :is(input, button, summary)"),
    ];
    return stops.filter((stop) => {
        stop.focus();
        const ringed = stop.closest(".als-five") ?? stop;
        const { outlineStyle, outlineOffset, outlineWidth } = getComputedStyle(ringed);
        const reach = parseFloat(outlineOffset) + parseFloat(outlineWidth);
        const [ring, line] = [ringed, stop.closest("li")].map((e) => e.getBoundingClientRect());
        return outlineStyle === "none"
            || ring.left - reach < line.left || ring.right + reach > line.right
            || ring.top - reach < line.top || ring.bottom + reach > line.bottom;
    }).map((stop) => stop.outerHTML.slice(0, 150));
}"""


@pytest.mark.parametrize("width", [1280, 320])
def test_no_ring_in_a_list_is_cut_off(visit, width):
    go, _ = visit(width=width)
    page = go(PAGE)
    start_with(page, (ALIEN, 3), (HEAT, 4.5))
    page.keyboard.press("Tab")  # rings are for those who use the keyboard
    assert page.evaluate(CUT_RINGS) == []


def test_a_movie_without_stars_does_not_count_and_is_not_kept(visit):
    go, _ = visit()
    page = go(PAGE)
    page.get_by_role("combobox", name="Find a movie").fill("alien")
    page.get_by_role("option", name="Alien (1979)").click()
    slider = page.get_by_role("slider", name="Alien (1979)")
    assert slider.get_attribute("aria-valuetext") == "not rated"
    assert page.get_by_role("heading", name="Trending").is_visible() and stored(page) is None
    press_star(page, slider, 4)
    assert slider.get_attribute("aria-valuetext") == "4 stars"
    slider.press("Home")
    assert page.get_by_role("heading", name="Trending").is_visible() and stored(page) is None


def test_another_tab_sees_the_change(visit):
    go, _ = visit()
    page = go(PAGE)
    other = page.context.new_page()
    other.goto(page.url)
    find_and_rate(page, "heat", "Heat (1995)", 3)
    other.wait_for_selector(".als-rated")
    assert own(other) == [("Heat (1995)", 3)]
    other.close()


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_what_is_saved_to_a_file_can_be_opened_again(visit, tmp_path, scheme):
    go, trouble = visit(scheme)
    page = go(PAGE)
    given = [
        SHAWSHANK,
        {"item_id": 987654, "title": "A film from elsewhere", "rating": 3},
        {"item_id": TOY_STORY, "title": "Toy Story (1995)", "rating": 0.5},
    ]
    (tmp_path / "given.json").write_text(json.dumps(preferences(*given)))
    page.get_by_label("Open a file").set_input_files(tmp_path / "given.json")
    page.get_by_text("Opened 3 ratings.").wait_for()
    said = page.locator(f"{PLACE} .als-said").text_content()
    assert said.startswith("From 2 ratings: ")  # the third is none of these movies
    assert page.get_by_text("(not among the movies here)").is_visible()
    # With a key: a pointer may meet “Back to top”, which comes up while the page is scrolled.
    with page.expect_download() as download:
        page.get_by_role("button", name="Save to a file").press("Enter")
    assert download.value.suggested_filename == "my-ratings.json"
    download.value.save_as(tmp_path / "saved.json")
    assert json.loads((tmp_path / "saved.json").read_text("utf-8")) == preferences(*given)
    page.get_by_role("button", name="Remove all").click()
    page.get_by_label("Open a file").set_input_files(tmp_path / "saved.json")
    page.get_by_text("Opened 3 ratings.").wait_for()
    assert stored(page) == given
    assert [entry for entry in trouble if not entry.startswith("blob:")] == []


def test_a_file_that_cannot_be_opened_changes_nothing(visit, tmp_path):
    go, _ = visit()
    page = go(PAGE)
    start_with(page, (ALIEN, 4))
    (tmp_path / "holiday.json").write_text("{}")
    page.get_by_label("Open a file").set_input_files(tmp_path / "holiday.json")
    page.get_by_text(
        "holiday.json was not opened: its format is not “alslib-preferences”."
    ).wait_for()
    assert own(page) == [("Alien (1979)", 4)]


LETTERBOXD = """\
Date,Name,Year,Letterboxd URI,Rating
2024-01-01,The Matrix,1999,https://boxd.it/a,5
2024-01-02,Jack Frost,1997,https://boxd.it/b,1.5
2024-01-03,Star Wars,1977,https://boxd.it/c,4.5
2024-01-04,A film from elsewhere,1977,https://boxd.it/d,3
2024-01-05,Heat,1995,https://boxd.it/e,
2024-01-06,Amélie,2001,https://boxd.it/f,4
"""
AMELIE, STAR_WARS = 4973, 260
OPENED = "Opened 2 ratings, 2 to choose, 1 not known here."


def open_ratings(page, folder, content=LETTERBOXD):
    (folder / "ratings.csv").write_text(content, "utf-8")
    page.get_by_label("Open a file").set_input_files(folder / "ratings.csv")


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_ratings_from_elsewhere_are_opened_and_what_is_doubtful_is_chosen(
    visit, told, tmp_path, scheme
):
    go, trouble = visit(scheme)
    page = go(PAGE)
    find_and_rate(page, "alien", "Alien (1979)", 3)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    open_ratings(page, tmp_path)
    page.get_by_text(OPENED).wait_for()
    assert asked == []  # nothing leaves the browser
    matrix = ("Matrix, The (1999)", 5)
    amelie = ("Amelie (Fabuleux destin d'Amélie Poulain, Le) (2001)", 4)
    assert own(page) == [matrix, amelie]
    assert listed(page) == told((MATRIX, 5), (AMELIE, 4))[0]
    assert page.get_by_text("Left out: 1 line without a rating.").is_visible()
    page.get_by_text("1 movie not known here").click()
    assert page.get_by_text("A film from elsewhere (1977)").is_visible()
    # Nobody is guessed for: nothing is chosen until a reader does.
    rate = page.get_by_role("button", name="Rate the chosen")
    frost = page.get_by_role("combobox", name="Jack Frost (1997), 1.5 stars")
    wars = page.get_by_role("combobox", name="Star Wars (1977), 4.5 stars")
    assert [each.input_value() for each in (frost, wars)] == ["", ""]
    rate.focus()
    page.keyboard.press("Enter")
    assert focused(page).startswith("Jack Frost (1997)") and own(page) == [matrix, amelie]
    wars.select_option("Star Wars: Episode IV - A New Hope (1977)")
    rate.focus()
    page.keyboard.press("Enter")
    assert own(page) == [("Star Wars: Episode IV - A New Hope (1977)", 4.5), matrix, amelie]
    assert listed(page) == told((STAR_WARS, 4.5), (MATRIX, 5), (AMELIE, 4))[0]
    assert [set(entry) for entry in stored(page)] == [{"item_id", "title", "rating"}] * 3
    assert not wars.is_visible() and frost.is_visible()
    assert focused(page) == "Undo"
    page.keyboard.press("Enter")
    assert own(page) == [matrix, amelie] and not frost.is_visible()
    assert trouble == []


def test_opening_a_file_can_be_undone_and_the_next_one_has_its_own_doubts(visit, tmp_path):
    go, _ = visit()
    page = go(PAGE)
    find_and_rate(page, "alien", "Alien (1979)", 3)
    open_ratings(page, tmp_path)
    page.get_by_text(OPENED).wait_for()
    page.get_by_role("button", name="Undo").click()
    assert own(page) == [("Alien (1979)", 3)]
    assert not page.get_by_text("Which movie is it?").is_visible()
    open_ratings(page, tmp_path, "Heat (1995),7\nBig,10\nJack Frost (1997),2\n")
    page.get_by_text("Opened 2 ratings, 1 to choose.").wait_for()
    assert own(page) == [("Heat (1995)", 3.5), ("Big (1988)", 5)]
    assert page.get_by_text("Ratings from 1 to 10 are halved.").is_visible()
    assert page.get_by_text("Found by the title alone, without a year: 1 movie.").is_visible()
    open_ratings(page, tmp_path, "Title,Rating\nHeat,good\n")
    page.get_by_text("was not opened: line 2 has no number as its rating: good.").wait_for()
    assert own(page) == [("Heat (1995)", 3.5), ("Big (1988)", 5)]


def test_a_file_can_be_dropped_on_the_ratings(visit):
    go, trouble = visit()
    page = go(PAGE)
    box = page.locator(".als-mine")
    dragged = page.evaluate_handle(
        """(text) => {
            const data = new DataTransfer();
            data.items.add(new File([text], "ratings.csv", { type: "text/csv" }));
            return data;
        }""",
        LETTERBOXD,
    )
    box.dispatch_event("dragover", {"dataTransfer": dragged})
    assert box.evaluate("box => getComputedStyle(box).outlineStyle") == "dashed"
    box.dispatch_event("drop", {"dataTransfer": dragged})
    page.get_by_text(OPENED).wait_for()
    assert box.evaluate("box => getComputedStyle(box).outlineStyle") == "none"
    assert len(own(page)) == 2
    text = page.evaluate_handle("() => new DataTransfer()")
    taken = box.evaluate(
        """(box, dataTransfer) =>
            !box.dispatchEvent(new DragEvent("drop", { dataTransfer, cancelable: true }))""",
        text,
    )
    assert not taken  # what is no file is left to the browser
    assert trouble == []


def test_what_is_stored_by_somebody_else_does_no_harm(visit):
    go, trouble = visit()
    page = go(PAGE)
    for text in ("", "{", "null", '{"format": "alslib-preferences", "version": 9}'):
        page.evaluate("([name, text]) => localStorage.setItem(name, text)", [STORED_AS, text])
        reload(page)
        assert len(listed(page)) == 10 and own(page) == []
    assert trouble == []


def test_titles_from_a_file_are_text_and_never_markup(visit, tmp_path):
    go, trouble = visit()
    page = go(PAGE)
    title = "<img src=x onerror=alert(1)>"
    entry = {"item_id": 987654, "title": title, "rating": 3}
    (tmp_path / "given.json").write_text(json.dumps(preferences(entry)))
    page.get_by_label("Open a file").set_input_files(tmp_path / "given.json")
    page.get_by_text("Opened 1 rating.").wait_for()
    assert page.locator(".als-rated .als-title").text_content().startswith(title)
    assert page.locator(f"{PLACE} img").count() == 0
    assert trouble == []


def test_blocked_storage_is_said_and_breaks_nothing(new_context, addresses, told):
    context = new_context()
    context.add_init_script(
        "Object.defineProperty(window, 'localStorage', {"
        " get() { throw new DOMException('blocked', 'SecurityError') } })"
    )
    page = context.new_page()
    errors = []  # with their stacks, because the theme's own scripts do stumble
    page.on("pageerror", lambda error: errors.append(error.stack))
    page.goto(f"{addresses['http']}/{PAGE}.html")
    find_and_rate(page, "alien", "Alien (1979)", 3.5)
    assert listed(page) == told((ALIEN, 3.5))[0]
    assert page.get_by_text("This browser keeps nothing for this page.").is_visible()
    page.get_by_role("button", name="Remove all").click()
    assert own(page) == []
    assert [stack for stack in errors if "/explorables/" in stack] == []
    context.close()


def test_you_move_on_the_map_and_its_text_follows(visit):
    go, _ = visit()
    page = go(PAGE)

    def place():
        line = page.locator(".als-way")
        return tuple(round(float(line.get_attribute(name)), 3) for name in ("x1", "y1", "x2", "y2"))

    picture = page.locator(".als-map svg")
    text = page.locator(f"#{picture.get_attribute('aria-labelledby')}")
    assert "You are in the middle" in text.text_content()
    x1, y1, x2, y2 = place()
    assert (x1, y1) == (x2, y2)
    find_and_rate(page, "matrix", "Matrix, The (1999)", 5)
    moved = place()
    assert moved[:2] == (x1, y1) and moved[2:] != (x2, y2)
    assert "far out on your side" in text.text_content()
    find_and_rate(page, "pulp", "Pulp Fiction (1994)", 5)
    assert place() != moved
    page.get_by_role("button", name="Remove all").click()
    assert place() == (x1, y1, x2, y2)


def test_without_javascript_a_sentence_says_what_would_be_here(new_context, addresses):
    context = new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{addresses['http']}/{PAGE}.html")
    sentence = page.locator(f"{PLACE} > p")
    assert sentence.is_visible() and "needs JavaScript" in sentence.text_content()
    context.close()


@pytest.mark.parametrize("n_ratings", [0, 5])
def test_nothing_scrolls_sideways_and_targets_are_large_enough_on_a_narrow_phone(
    visit, tmp_path, n_ratings
):
    go, _ = visit(width=320)
    page = go(PAGE)
    start_with(page, *[(ALIEN, 3), (HEAT, 4.5), (TOY_STORY, 4), (MATRIX, 5), (318, 4)][:n_ratings])
    if n_ratings:
        open_ratings(page, tmp_path)
        page.get_by_text(OPENED).wait_for()
    unfolded(page)
    page.get_by_role("combobox", name="Find a movie").fill("lord")
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    kinds = "button, select, summary, label.als-button, [role=option], input:not([type=file])"
    pressed = page.locator(f"{PLACE} :is({kinds})")
    for target in pressed.all():
        if target.is_visible():
            box = target.bounding_box()
            assert min(box["width"], box["height"]) >= 24, target.evaluate("e => e.outerHTML")


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("n_ratings", [0, 3])
def test_axe_finds_nothing_to_complain_about(visit, complaints, tmp_path, colours, n_ratings):
    go, _ = visit(colours=colours)
    page = go(PAGE)
    start_with(page, *[(ALIEN, 3), (HEAT, 4.5), (TOY_STORY, 4)][:n_ratings])
    if n_ratings:
        open_ratings(page, tmp_path)
        page.get_by_text(OPENED).wait_for()
        page.get_by_text("1 movie not known here").click()
    unfolded(page)
    for query in ("", "lord"):
        page.get_by_role("combobox", name="Find a movie").fill(query)
        assert complaints(page, PLACE) == []
