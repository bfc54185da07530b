"""Ratings from elsewhere are read in the browser as alslib reads them: shared and made files."""

import csv
import io
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from outline import ROOT

from alslib import load_movielens
from alslib.explorables import bundle
from alslib.recommending.title_match import TitleMatcher
from alslib.recommending.title_search import words

CASES = json.loads((ROOT / "tests" / "own_ratings.json").read_text("utf-8"))
COUNTS = {
    "nByTitle": "n_by_title",
    "nRepeated": "n_repeated",
    "nUnrated": "n_unrated",
    "nNoFilms": "n_no_films",
}


@pytest.fixture(scope="session")
def script(new_context):
    """A blank page that knows some modules by their names."""
    page = new_context().new_page()
    for name in ("csv", "model", "own_ratings", "title_match"):
        page.evaluate(bundle(f"recommender/{name}"))
        page.evaluate(f"globalThis.{name} = alsExplorables['recommender/{name}']")
    return page


def told(script, function, arguments):
    """Call a function for each list of arguments; an error is returned as its message.

    Both ways as text: playwright looks at each of many numbers, which takes long.
    """
    return json.loads(
        script.evaluate(
            """([f, all]) => JSON.stringify(JSON.parse(all).map((one) => {
                try { return eval(f)(...one); } catch (error) { return error.message; }
            }))""",
            [function, json.dumps(arguments)],
        )
    )


def opened(script, content, movies=CASES["movies"], scale=(0.5, 5)):
    read = """(bytes, movies, scale) => own_ratings.readOwn(new Uint8Array(bytes).buffer, {
        scale, items: { id: movies.map(([id]) => id), title: movies.map(([, title]) => title) },
    })"""
    (found,) = told(script, read, [[list(content), movies, scale]])
    return found


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("case", CASES["cases"], ids=lambda case: case["about"])
def test_a_file_is_read_as_alslib_reads_it(script, case, end):
    for before in ("", "\ufeff"):
        own = opened(script, (before + end.join(case["file"]) + end).encode())
        if "refused" in case:
            assert f"{own[0].upper()}{own[1:]}." == case["refused"]
            continue
        groups = {
            group: [
                [one["line"], one["title"], one["year"], one["rating"], one["items"]]
                for one in own[group]
            ]
            for group in ("matched", "doubtful", "unknown")
        }
        assert groups == {
            "matched": [[*one[:4], one[4:]] for one in case.get("matched", [])],
            "doubtful": case.get("doubtful", []),
            "unknown": [[*one, []] for one in case.get("unknown", [])],
        }
        assert own["ratings"] == [
            {"item_id": item, "title": title, "rating": stars}
            for _, title, _, stars, item in case.get("matched", [])
        ]
        assert own["halved"] == case.get("halved", False)
        for ours, theirs in COUNTS.items():
            assert own[ours] == case.get(theirs, 0), theirs


def test_what_is_no_table_is_refused_in_plain_words(script):
    for content, reason in [
        (
            "Title,Rating\nBig,3\nAmélie,4\n".encode("latin-1"),
            "line 3 is not in UTF-8: save the fi",
        ),
        (b"PK\x03\x04ratings.csv", "this is a ZIP archive: unpack it"),
        (b'{"format": "alslib-pre', "it is not JSON"),
        (b" {}", "its format is not “alslib-preferences”"),
        (b"Nothing here,3", "none of the 1 movies in this file is known here"),
    ]:
        assert opened(script, content).startswith(reason)
    assert "in stars up to 5" in opened(script, b"Big,3", scale=[1, 10])
    assert opened(script, b"Big,1", scale=[2, 5])["ratings"][0]["rating"] == 2


cells = st.text(st.sampled_from('"\r\n,; aé"'), max_size=6)


@given(st.lists(st.lists(cells, min_size=1, max_size=3), max_size=4), st.sampled_from(",;\t"))
def test_every_table_that_python_writes_is_read_as_it_was(script, rows, delimiter):
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter).writerows(rows)
    (found,) = told(script, "csv.records", [[file.getvalue(), delimiter]])
    assert [one["fields"] for one in found] == [row for row in rows if any(map(str.strip, row))]


@given(st.lists(cells, max_size=8).map("".join))
def test_every_text_is_read_or_refused_as_python_does(script, text):
    (found,) = told(script, "csv.records", [[text, ","]])
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    expected = []
    while True:
        line = reader.line_num + 1
        try:
            expected.append({"line": line, "fields": next(reader)})
        except StopIteration:
            assert found == [one for one in expected if any(map(str.strip, one["fields"]))]
            return
        except csv.Error:
            assert found == f"line {line} has a quotation mark too many or too few"
            return


letters = st.characters(exclude_categories=["Cs", "Cn"], max_codepoint=0x5FF)


@given(st.lists(st.text(letters, max_size=12), min_size=1, max_size=20))
def test_words_are_those_of_alslib(script, texts):
    found = told(script, "(text) => model.words(text).join('')", [[text] for text in texts])
    assert found == ["".join(words(text)) for text in texts]


def test_real_titles_are_matched_as_alslib_matches_them(script):
    """On the page's movies: as they are, in no year, in one beside, and with slips of the pen."""
    movielens = load_movielens()
    counts = movielens.ratings["movie_id"].value_counts()
    titles = movielens.titles()
    known = titles[counts[titles.index] >= 10]
    match = TitleMatcher(known.index.tolist(), known.tolist())
    asked = []
    for number, title in enumerate(titles[::7]):
        bare, year = re.fullmatch(r"(.*?)(?: \((\d{4})\))?", title).groups()
        year = year and int(year) + (0, 1, -1, 2)[number % 4]
        place = number % len(bare)
        slip = bare[:place] + bare[place + 1 :]
        asked += [([bare], year), ([slip, bare], year), ([slip], year)]
        if number % 10 == 0:
            asked.append(([bare], None))
    script.evaluate(
        "([id, title]) => { globalThis.match = title_match.titleMatcher({ id, title }); }",
        [known.index.tolist(), known.tolist()],
    )
    found = told(script, "match", asked)
    assert {0, 1, 2} <= {len(one["items"]) for one in found}
    for (names, year), one in zip(asked, found, strict=True):
        expected = match(names, year)
        assert (tuple(one["items"]), one["certain"]) == expected, (names, year)
