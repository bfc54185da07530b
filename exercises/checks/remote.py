"""Ask a student's kernel for answers, to judge them in another process: for ``exercises/grade.py``.

Two sides talk through a stream. `serve` runs in the kernel: it says what an answer is, and calls those
that are functions. `Answers` is in the grader; `judge` takes it for the variables of the notebook.
An answer that is a function is there an object that passes each call on.

What comes from the kernel may have been made by anybody, to any end. So it is data and nothing else:
JSON, in which an array is its type, its shape and its bytes. What cannot be said so, a model or an open
file, stays in the kernel, and is an object without properties here. What goes to the kernel is pickled,
for it is ours. A function in it, such as a claim that an answer is to test, stays here and is called
from there.

A check may see more of a call than its result. So the kernel also tells which arrays the call has
overwritten, and, where memory is traced, how much was held at most. This number is all that it says
about itself: a false one can hide that a right answer takes too much memory.
"""

import base64
import contextlib
import io
import json
import math
import pickle
import re
import socket
import sys
import tracemalloc
from collections.abc import Callable, ItemsView, Iterator, KeysView, Mapping, ValuesView
from itertools import islice
from types import FunctionType, GeneratorType
from typing import Any, BinaryIO

import numpy as np
import pandas as pd

# No answer to an exercise comes near so many bytes, nor an iterator to so many items.
LIMIT = 1 << 28
_ITEMS = 100_000
_NUMBERS_OR_WORDS = re.compile(r"[<>|=]?([biufc]\d+|[US][1-9]\d*|[mM]8(\[\w+\])?)")
_GROUPS = {
    "tuple": (tuple, tuple),
    "list": (list | range, list),
    "set": (set | frozenset, set),
    "iterator": (Iterator | KeysView | ValuesView | ItemsView, iter),
}


class ConnectionLost(BaseException):
    """The other side is gone. It is no Exception, which a check might take for one of an answer."""


class RemoteError(Exception):
    """What Python said when a function of the other side stopped with an error."""


# How values are written


def encode(value: Any, keep: Callable[[Any], int]) -> Any:
    """Return what JSON can say of a value; what has to stay here gets its number from `keep`."""
    if isinstance(value, np.ndarray | np.generic):
        array = np.asarray(value)
        if array.dtype.kind == "O":
            return {
                "objects": [array.shape, *(encode(item, keep) for item in array.flat)]
            }
        if _NUMBERS_OR_WORDS.fullmatch(array.dtype.str):
            kind = "array" if isinstance(value, np.ndarray) else "scalar"
            content = base64.b64encode(array.tobytes()).decode()
            return {kind: [array.dtype.str, array.shape, content]}
    elif value is None or isinstance(value, bool | int | float | str):
        return value
    elif value is ...:
        return {"ellipsis": []}
    elif isinstance(value, dict):
        return {"dict": [encode(item, keep) for item in value.items()]}
    elif isinstance(value, pd.Index):
        return {"index": [encode(value.to_numpy(), keep)]}
    elif isinstance(value, pd.Series):
        return {
            "series": [encode(part, keep) for part in (value.index, value.to_numpy())]
        }
    elif isinstance(value, pd.DataFrame):
        columns = (value.iloc[:, i].to_numpy() for i in range(value.shape[1]))
        return {
            "frame": [encode(p, keep) for p in (value.index, value.columns, *columns)]
        }
    for kind, (types, _) in _GROUPS.items():
        if isinstance(value, types):
            return {kind: [encode(item, keep) for item in islice(value, _ITEMS)]}
    return {"function" if callable(value) else "thing": [keep(value)]}


def decode(node: Any, kept: Callable[[str, int], Any]) -> Any:
    """Return the value that was encoded; `kept` stands in for what has stayed on the other side.

    Raises
    ------
    Exception
        If this is not what `encode` writes. Nothing worse happens then.
    """
    if not isinstance(node, dict):
        return node
    ((kind, content),) = node.items()
    if kind in ("array", "scalar"):
        array = _array(*content)
        return array if kind == "array" else array[()]
    if kind in ("function", "thing"):
        return kept(kind, *content)
    if kind == "ellipsis":
        return ...
    parts = [decode(part, kept) for part in content]
    if kind == "objects":
        array = np.empty(len(parts) - 1, object)
        for i, part in enumerate(parts[1:]):
            array[i] = part
        return array.reshape(parts[0])
    if kind == "dict":
        return dict(parts)
    if kind == "index":
        return pd.Index(*parts)
    if kind == "series":
        index, values = parts
        return pd.Series(values, index)
    if kind == "frame":
        index, columns, *values = parts
        return pd.DataFrame(dict(enumerate(values)), index).set_axis(columns, axis=1)
    return _GROUPS[kind][1](parts)


def _array(dtype: str, shape: list[int], content: str) -> np.ndarray:
    data = bytearray(base64.b64decode(content))
    if not _NUMBERS_OR_WORDS.fullmatch(dtype):
        raise ValueError(f"an array of {dtype}")
    dtype = np.dtype(dtype)
    if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != len(data):
        raise ValueError(f"an array of shape {shape} from {len(data)} bytes")
    array = np.ndarray(tuple(shape), dtype, data)
    # A byte that is neither 0 nor 1 would be true to some functions and not to others.
    return np.asarray(array.view(np.uint8) != 0) if dtype.kind == "b" else array


class _Pickler(pickle.Pickler):
    """Writes what goes to the kernel: our own functions by number, a generator with all its chunks."""

    def __init__(self, file: BinaryIO, lent: list[Callable]):
        super().__init__(file)
        self._lent = lent

    def persistent_id(self, value: Any) -> tuple[str, Any] | None:
        if isinstance(value, _RemoteThing):
            return "kept", value.number
        if isinstance(value, FunctionType) and not _is_importable(value):
            self._lent.append(value)
            return "lent", len(self._lent) - 1
        if isinstance(value, GeneratorType):
            return "chunks", [chunk.copy() for chunk in value]
        return None


def _is_importable(function: FunctionType) -> bool:
    module = sys.modules.get(function.__module__)
    return getattr(module, function.__qualname__, None) is function


class _Unpickler(pickle.Unpickler):
    """Reads in the kernel what `_Pickler` has written."""

    def __init__(self, content: bytes, find: Callable[[str, Any], Any]):
        super().__init__(io.BytesIO(content))
        self._find = find

    def persistent_load(self, named: tuple[str, Any]) -> Any:
        return self._find(*named)


def _send(stream: BinaryIO, content: bytes) -> None:
    try:
        stream.write(len(content).to_bytes(8) + content)
        stream.flush()
    except OSError:
        raise ConnectionLost from None


def _receive(stream: BinaryIO) -> bytes:
    try:
        size = int.from_bytes(stream.read(8))
        content = stream.read(size) if size <= LIMIT else b""
    except OSError:
        raise ConnectionLost from None
    if not content or len(content) < size:
        raise ConnectionLost
    return content


# In the grader


class Answers:
    """The answers in a student's kernel, by name.

    Parameters
    ----------
    stream : binary file
        To read from and to write to; at its other end is `serve`.
    """

    def __init__(self, stream: BinaryIO):
        self._stream = stream
        self._lent = []  # functions of ours that have been named to the kernel

    def get(self, name: str) -> Any:
        """Return an answer, or None if there is none of this name."""
        return self._ask("get", name)["value"]

    def call(self, function: "_RemoteFunction", arguments: tuple, named: dict) -> Any:
        """Call a function of the kernel, and let it overwrite the arrays among its arguments."""
        tracing = tracemalloc.is_tracing()
        reply = self._ask("call", function, arguments, named, np.geterr(), tracing)
        given = {**{str(i): value for i, value in enumerate(arguments)}, **named}
        for name, changed in reply["overwritten"].items():
            if (changed.dtype, changed.shape) == (given[name].dtype, given[name].shape):
                given[name][...] = changed
        if tracing:
            # Whoever traces the memory here sees a peak of the same height.
            np.empty(min(int(reply["peak"]), LIMIT), np.uint8)
        return reply["value"]

    def _ask(self, *question) -> dict:
        self._tell(question)
        while True:
            reply = decode(json.loads(_receive(self._stream)), self._kept)
            if "error" in reply:
                raise RemoteError(str(reply["error"]))
            if "call" not in reply:
                return reply
            self._answer(*reply["call"])

    def _answer(self, number: int, arguments: list) -> None:
        """Call one of our own functions for the kernel."""
        try:
            result = self._lent[number](*arguments)
        except Exception as error:
            reply = "error", f"{type(error).__name__}: {error}"
        else:
            reply = "value", result
        self._tell(reply)

    def _tell(self, content: Any) -> None:
        file = io.BytesIO()
        _Pickler(file, self._lent).dump(content)
        _send(self._stream, file.getvalue())

    def _kept(self, kind: str, number: int) -> Any:
        return (
            _RemoteFunction(self, number)
            if kind == "function"
            else _RemoteThing(number)
        )


class _RemoteThing:
    """What has stayed in the kernel, and can only be handed back to it."""

    def __init__(self, number: int):
        self.number = number


class _RemoteFunction(_RemoteThing):
    """A function that has stayed in the kernel, and is called there."""

    def __init__(self, answers: Answers, number: int):
        super().__init__(number)
        self._answers = answers

    def __call__(self, *arguments, **named):
        return self._answers.call(self, arguments, named)


# In the kernel


def serve(port: int, token: str) -> None:
    """Tell the grader about the variables of this notebook until it has no more questions."""
    from IPython import get_ipython  # the grader has no use for it

    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(token.encode())
        Clerk(connection.makefile("rwb"), get_ipython().user_ns).work()


class Clerk:
    """Answers the questions that `Answers` puts.

    Parameters
    ----------
    stream : binary file
    namespace : mapping
        The answers by name.
    """

    def __init__(self, stream: BinaryIO, namespace: Mapping[str, Any]):
        self._stream, self._namespace = stream, namespace
        self._kept = []  # what the grader has been told a number of

    def work(self) -> None:
        """Answer until the other side hangs up."""
        with contextlib.suppress(ConnectionLost):
            while True:
                kind, *question = self._read()
                try:
                    self._write(getattr(self, f"_{kind}")(*question))
                except ConnectionLost:
                    raise
                except (
                    BaseException
                ) as error:  # whatever it is, there may be other answers
                    self._write({"error": f"{type(error).__name__}: {error}"})

    def _get(self, name: str) -> dict:
        return {"value": self._namespace.get(name)}

    def _call(
        self,
        function: Callable,
        arguments: tuple,
        named: dict,
        errstate: dict,
        tracing: bool,
    ) -> dict:
        given = {**{str(i): value for i, value in enumerate(arguments)}, **named}
        arrays = {
            name: value for name, value in given.items() if type(value) is np.ndarray
        }
        before = {name: array.copy() for name, array in arrays.items()}
        ours = tracing and not tracemalloc.is_tracing()
        if tracing:
            tracemalloc.start()
            tracemalloc.reset_peak()
            held = tracemalloc.get_traced_memory()[0]
        try:
            with np.errstate(**errstate):
                value = function(*arguments, **named)
            peak = tracemalloc.get_traced_memory()[1] - held if tracing else 0
        finally:
            if ours:
                tracemalloc.stop()
        overwritten = {
            name: array
            for name, array in arrays.items()
            if array.tobytes() != before[name].tobytes()
        }
        return {"value": value, "overwritten": overwritten, "peak": peak}

    def _find(self, kind: str, content: Any) -> Any:
        if kind == "kept":
            return self._kept[content]
        if kind == "lent":
            return lambda *arguments: self._ask(content, arguments)
        return _dealt(content)

    def _ask(self, number: int, arguments: tuple) -> Any:
        """Call a function of the grader."""
        self._write({"call": (number, arguments)})
        kind, content = self._read()
        if kind == "error":
            raise RemoteError(content)
        return content

    def _read(self) -> Any:
        return _Unpickler(_receive(self._stream), self._find).load()

    def _write(self, content: dict) -> None:
        message = json.dumps(encode(content, self._keep)).encode()
        if len(message) > LIMIT:
            raise ValueError(
                f"{len(message) / 1e6:.0f} MB are too much to be handed over"
            )
        _send(self._stream, message)

    def _keep(self, value: Any) -> int:
        self._kept.append(value)
        return len(self._kept) - 1


def _dealt(chunks: list[np.ndarray]) -> Iterator[np.ndarray]:
    """Yield chunks in one buffer, as lesson 9 serves them: each overwrites the one before it."""
    buffer = np.empty(max(map(len, chunks)), chunks[0].dtype)
    for chunk in chunks:
        buffer[: len(chunk)] = chunk
        yield buffer[: len(chunk)]
