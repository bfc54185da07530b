"""Answers cross from one process into another as what they are, and nothing else crosses.

``test_exercises.py`` tests that every answer in the exercises gets the same verdict from afar.
"""

import base64
import io
import itertools
import json
import threading
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from elsewhere import elsewhere
from exercise_checks import NOT_YET_RIGHT, hint, judge, passed, remote
from exercise_checks.remote import LIMIT, Answers, ConnectionLost, decode, encode
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst


def sent(value):
    """Return what becomes of a value on its way."""
    with elsewhere(value=value) as answers:
        return answers.get("value")


# What arrives

DTYPES = st.one_of(
    npst.boolean_dtypes(),
    npst.integer_dtypes(),
    npst.floating_dtypes(),
    npst.complex_number_dtypes(),
    npst.unicode_string_dtypes(),
    npst.datetime64_dtypes(),
)
ARRAYS = npst.arrays(DTYPES, npst.array_shapes(min_dims=0, min_side=0, max_side=3))
DATA = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(), st.just(...)
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.text(max_size=3), inner, max_size=3),
    ),
    max_leaves=8,
)


def through_json(value):
    return decode(json.loads(json.dumps(encode(value, None))), None)


@given(ARRAYS)
def test_an_array_arrives_with_its_type_its_shape_and_every_bit(array):
    arrived = through_json(array)
    assert type(arrived) is np.ndarray
    assert (arrived.dtype, arrived.shape) == (array.dtype, array.shape)
    assert arrived.tobytes() == array.tobytes() and arrived.flags.writeable


@given(DATA)
def test_plain_data_arrives_as_it_was(value):
    assert through_json(value) == value


def test_what_else_a_student_may_return_arrives_too():
    for scalar in (np.float32(0.1), np.int8(-1), np.bool_(True), np.str_("x")):
        assert type(sent(scalar)) is type(scalar) and sent(scalar) == scalar
    assert np.isnan(sent(float("nan"))) and sent({1, 2}) == {1, 2} and sent(range(3)) == [0, 1, 2]
    assert list(sent(x for x in "abc")) == list("abc") and iter(sent(iter([1])))
    ragged = sent(np.array([[1], [2, 3], None], dtype=object))
    assert ragged.dtype == object and ragged.tolist() == [[1], [2, 3], None]
    frame = pd.DataFrame({"n": [1, 2], "title": ["a", None], 3: [0.5, np.nan]}, index=[7, 9])
    assert sent(frame).equals(frame) and list(sent(frame).columns) == ["n", "title", 3]
    assert sent(frame["n"]).equals(frame["n"]) and sent(frame.index).equals(frame.index)


def test_what_is_no_data_stays_and_goes_back_as_itself():
    class Model:
        rank = 3

    model = Model()
    with elsewhere(model=model, is_it=lambda it, *more: it is model and more == (1,)) as answers:
        thing = answers.get("model")
        assert not hasattr(thing, "rank") and not callable(thing)
        assert answers.get("is_it")(thing, 1) is True
        assert answers.get("missing") is None


# What a check may see of a call


def test_a_call_overwrites_the_arrays_that_the_function_overwrites():
    def overwrite(a, b, *, c):
        a[0], c[...] = np.nan, 5
        b = b + 1
        return b

    a, b, c = np.zeros(3), np.zeros(3), np.zeros((2, 2), int)
    with elsewhere(overwrite=overwrite) as answers:
        assert answers.get("overwrite")(a, b, c=c).tolist() == [1, 1, 1]
    assert np.isnan(a[0]) and not a[1:].any() and not b.any() and (c == 5).all()


def test_functions_are_called_where_they_are_in_both_directions():
    threads = []

    def claim(x):
        threads.append(threading.get_ident())
        return 10 / x

    def survives(claim, x):
        threads.append(threading.get_ident())
        try:
            return claim(0)
        except Exception as error:
            return str(error), claim(x), lambda y: y + claim(x)

    with elsewhere(survives=survives) as answers:
        said, result, later = answers.get("survives")(claim, 5)
        assert (said, result, later(1)) == ("ZeroDivisionError: division by zero", 2, 3)
    theirs, *ours = threads
    assert set(ours) == {threading.get_ident()} != {theirs}


def test_chunks_come_in_one_buffer_that_is_used_again():
    def chunks():
        buffer = np.empty(2)
        for values in ([1, 2], [3, 4], [5]):
            part = buffer[: len(values)]
            part[:] = values
            yield part

    with elsewhere(total=lambda chunks: sum(c.sum() for c in chunks), kept=list) as answers:
        assert answers.get("total")(chunks()) == 15
        assert [c.tolist() for c in answers.get("kept")(chunks())] == [
            c.tolist() for c in list(chunks())
        ]


def test_who_traces_memory_sees_what_was_held_on_the_other_side():
    with elsewhere(holds=lambda n: len(np.zeros(n, np.uint8))) as answers:
        holds = answers.get("holds")
        tracemalloc.start()
        try:
            holds(30_000_000)
            assert 30e6 < tracemalloc.get_traced_memory()[1] < 32e6
        finally:
            tracemalloc.stop()


def check_1(answer):
    return passed("yes") if answer(1) == 1 else hint("other", "No.")


@pytest.mark.parametrize("error", [ValueError("odd"), SystemExit(), KeyboardInterrupt()])
def test_a_function_that_stops_with_an_error_leaves_the_others_to_be_judged(error):
    def stops(_):
        raise error

    with elsewhere(answer=stops, other=lambda x: x) as answers:
        verdict = judge(check_1, answers)
        assert (verdict.state, verdict.hint) == (NOT_YET_RIGHT, "raises")
        assert type(error).__name__ in verdict.message
        assert answers.get("other")(1) == 1


def test_an_answer_without_end_or_beyond_all_size_is_an_error_of_the_answer(monkeypatch):
    monkeypatch.setattr(remote, "LIMIT", 2_000_000)
    huge = np.zeros(200_000)
    with elsewhere(endless=itertools.count(), huge=lambda _: huge, other=1) as answers:
        assert next(answers.get("endless")) == 0
        verdict = judge(check_1, {"answer": answers.get("huge")})
        assert verdict.hint == "raises" and "2 MB are too much" in verdict.message
        assert answers.get("other") == 1


# What comes from a side that lies

FALSE_ARRAYS = [
    ["|O8", [1], 8],  # pointers
    ["O", [1], 8],
    ["V8", [1], 8],
    ["i8,O", [1], 16],
    ["<f8", [1 << 60], 8],
    ["<f8", [-1, -1], 8],
    ["<f8", [2**32, 2**32], 0],
    ["<f8", [0.5, 2], 8],
    ["<f8", ["1"], 8],
    ["<f8", 1, 8],
    ["<U0", [10**9], 0],
    ["<f8", [1] * 100, 8],
    [8, [1], 8],
]
FALSE_NODES = [
    *(
        {"array": [dtype, shape, base64.b64encode(bytes(n)).decode()]}
        for dtype, shape, n in FALSE_ARRAYS
    ),
    {"array": ["<f8", [1], "not base64"]},
    {"array": []},
    {"objects": [[1 << 60], 1]},
    {"frame": [{"list": [1]}, {"list": []}, {"list": [1, 2]}]},
    {"dict": [1]},
    {"dict": [{"tuple": [{"list": []}, 1]}]},
    {"set": [{"list": []}]},
    {"eval": ["1"]},
    {"value": 1, "other": 2},
    {},
]
SHOWN = [json.dumps(node)[:50] for node in FALSE_NODES]


@pytest.mark.parametrize("node", FALSE_NODES, ids=SHOWN)
def test_what_nobody_would_encode_is_refused_at_once(node):
    tracemalloc.start()
    try:
        with pytest.raises((ValueError, TypeError, KeyError, IndexError, AttributeError)):
            decode(node, None)
        assert tracemalloc.get_traced_memory()[1] < 1e6
    finally:
        tracemalloc.stop()


def test_a_truth_value_is_true_or_false_and_nothing_between():
    mask = decode({"array": ["|b1", [3], base64.b64encode(bytes([0, 1, 255])).decode()]}, None)
    assert mask.tobytes() == bytes([0, 1, 1])


def replying(*messages):
    """Return answers whose other side replies so, whatever it is asked."""
    written = b"".join(len(message).to_bytes(8) + message for message in messages)
    return Answers(Pipe(written))


class Pipe(io.BytesIO):
    def write(self, content):
        return len(content)


NO_REPLIES = [
    b"\x80\x04K\x01.",  # pickled
    b"not JSON",
    b"[" * 100_000,
    b"1" * 100_000,
    b"[]",
    b'{"dict": []}',
    b'{"dict": [{"tuple": ["value", {"eval": []}]}]}',
    b'{"dict": [{"tuple": ["call", {"tuple": [-1, {"list": []}]}]}]}',
    b'{"dict": [{"tuple": ["call", 5]}]}',
]


@pytest.mark.parametrize("reply", NO_REPLIES, ids=lambda reply: repr(reply[:40]))
def test_a_reply_that_is_none_is_an_answer_of_another_form(reply):
    done = b'{"dict": [{"tuple": ["value", {"eval": []}]}]}'
    verdict = judge(check_1, replying(reply, done))
    assert (verdict.state, verdict.hint) == (NOT_YET_RIGHT, "form")


@pytest.mark.parametrize(
    "start", [b"", b"\xff" * 8, (LIMIT + 1).to_bytes(8), bytes(8), b"\0" * 7 + b"\5abc"]
)
def test_no_check_goes_on_when_the_other_side_hangs_up_or_sends_without_end(start):
    def check_that_catches(answer):
        try:
            answer(1)
        except Exception:
            return passed("")

    with pytest.raises(ConnectionLost):
        judge(check_that_catches, Answers(Pipe(start)))
