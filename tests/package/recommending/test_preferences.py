"""The file of preferences: what is written can be read, and what cannot be read says why."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alslib.recommending.preferences import Preference, PreferencesError, from_json, to_json

HALF_STARS = [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0]
# As the demo on the page of the lesson writes it.
FROM_THE_PAGE = (
    '{"format": "alslib-preferences", "version": 1, "ratings": '
    '[{"item_id": 318, "title": "Shawshank Redemption, The (1994)", "rating": 4.5}]}'
)


def test_the_shared_format_is_read_and_written():
    preference = Preference(318, "Shawshank Redemption, The (1994)", 4.5)
    assert from_json(FROM_THE_PAGE, {318}, HALF_STARS) == ([preference], [])
    assert json.loads(to_json([preference])) == json.loads(FROM_THE_PAGE)


@given(
    st.lists(
        st.tuples(
            st.integers() | st.text(st.characters(codec="utf-8")),
            st.text(st.characters(codec="utf-8")),
            st.sampled_from(HALF_STARS),
        ),
        unique_by=lambda rating: rating[0],
    ),
    st.sets(st.integers()),
)
def test_what_is_written_is_read_and_unknown_movies_are_told_apart(triples, known):
    preferences = [Preference(*triple) for triple in triples]
    known |= {item for item, _, _ in triples[::2]}
    kept, left_out = from_json(to_json(preferences), known, HALF_STARS)
    assert kept == [one for one in preferences if one.item_id in known]
    assert left_out == [one for one in preferences if one.item_id not in known]


def file(**changes):
    return json.dumps({**json.loads(FROM_THE_PAGE), **changes})


def rated(*entries):
    return file(ratings=[{"item_id": item, "rating": rating} for item, rating in entries])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "not a JSON file"),
        ('{"format": "alslib-pre', "not a JSON file"),
        ("[" * 100_000, "not a JSON file"),
        ("[]", "holds no preferences"),
        ("{}", "holds no preferences"),
        (file(format="something else"), "holds no preferences"),
        (file(version=2), "version 2; only version 1"),
        (file(version="1"), "version '1'"),
        (file(version=True), "version True"),
        (file(ratings=None), 'no list of "ratings"'),
        (file(ratings=[[318, 4.5]]), "Rating 1 of this file is no object"),
        (rated((318, 4.5), (None, 4.5)), 'Rating 2 of this file has no "item_id"'),
        (rated((True, 4.5)), 'Rating 1 of this file has no "item_id"'),
        (rated((318.0, 4.5)), 'Rating 1 of this file has no "item_id"'),
        (rated((318, "4.5")), 'no number as "rating"'),
        (rated((318, True)), 'no number as "rating"'),
        (rated((318, 4.5), (2, 0), (3, 5.5)), "2 of 3 ratings in this file are not on the scale"),
        (rated((318, 4.2)), "the first is 4.2 for movie 318"),
        (rated((318, float("nan"))), "not on the scale 0.5, 1, 1.5"),
        (rated((318, 4.5), (2, 1), (318, 4.5)), "rates movie 318 more than once"),
        (rated((999, 1), (999, 2)), "rates movie 999 more than once"),
    ],
)
def test_a_file_is_refused_in_plain_words(content, reason):
    with pytest.raises(PreferencesError, match=reason.replace(".", r"\.")) as refusal:
        from_json(content, {1, 2, 3, 318}, HALF_STARS)
    assert str(refusal.value).endswith(".")
