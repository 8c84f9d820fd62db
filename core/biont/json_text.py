"""JSON from outside: parser and check of documents that must be kept exactly.

Receivers verify a signature over the text of a payload, so a number that a parser would round is
refused instead of rounded. RFC 8259 leaves these cases open, and this module decides:

- integers beyond 64 bits, and numbers beyond the range of a 64-bit float, are refused;
- documents with more than `DEPTH_LIMIT` levels are refused, because encoders stop at 254 levels;
- if an object has a key twice, the last value wins;
- ``-0`` is ``0``; a byte order mark, ``NaN`` and lone surrogates are not JSON.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from itertools import islice

import orjson

from biont.exceptions import (
    PROBLEM_LIMIT,
    InputProblem,
    InvalidInput,
    Location,
    MalformedBody,
    point_to,
)

DEPTH_LIMIT = 100
"""The largest number of levels of arrays and objects in a document."""

_TOO_DEEP = f"is nested more than {DEPTH_LIMIT} levels deep"
_SMALLEST, _LARGEST = -(2**63), 2**64 - 1
# The shortest integer beyond 64 bits is -9223372036854775809, which has 19 digits.
_LONG_INTEGER = b"0" * 19
_LONGEST_INTEGER = 20
_TO_ZERO = bytes.maketrans(b"123456789", b"000000000")


def parse_json(text: bytes) -> object:
    """Return the document of `text`, in which each number is exact.

    Raises:
        MalformedBody: the text is not JSON.
        InvalidInput: the document cannot be kept as sent; the error names each place.
    """
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        _refuse_malformed(text, error)
    # Counting is a hundred times faster than walking, and almost every document is flat.
    if text.count(b"[") + text.count(b"{") > DEPTH_LIMIT:
        _check_depth(document)
    # orjson rounds long integers silently. `translate` and `in` are linear, a pattern is not.
    if _LONG_INTEGER in text.translate(_TO_ZERO):
        _refuse_problems(_parse_exactly(text))
    return document


def check_json(document: object, *, root: Location = ()) -> None:
    """Check that a document, which was not parsed by this module, can be kept exactly.

    Args:
        document: the document.
        root: the place of the document in the request.

    Raises:
        InvalidInput: a part cannot be kept; the error names each place.
    """
    _refuse_problems(document, root)


def find_problems(document: object, root: Location = ()) -> Iterator[tuple[Location, str]]:
    """Yield the place and the description of each part of a document that cannot be kept."""
    stack: list[tuple[Location, object]] = [(root, document)]
    while stack:
        place, value = stack.pop()
        if isinstance(value, dict | list | tuple) and len(place) - len(root) >= DEPTH_LIMIT:
            yield root, _TOO_DEEP
            return
        if isinstance(value, dict):
            for key in value:
                if not isinstance(key, str):
                    yield place, f"has the key {key!r:.100}, which is not a text"
            stack += [((*place, str(key)), part) for key, part in reversed(value.items())]
        elif isinstance(value, list | tuple):
            places = [(*place, index) for index in range(len(value))]
            stack += reversed(list(zip(places, value, strict=True)))
        elif (problem := _judge(value)) is not None:
            yield place, problem


def _judge(value: object) -> str | None:
    """Return the reason why a scalar cannot be kept exactly; None if the scalar can be kept."""
    if isinstance(value, int) and not _SMALLEST <= value <= _LARGEST:
        return "is an integer beyond 64 bits, which most programs round; send a text instead"
    if isinstance(value, float) and not math.isfinite(value):
        return "must be a finite number that a 64-bit float can hold"
    if isinstance(value, str) and not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            return "has a lone surrogate, which is not Unicode text"
    return None


def _refuse_problems(document: object, root: Location = ()) -> None:
    found = find_problems(document, root)
    problems = [
        InputProblem(detail, point_to(place)) for place, detail in islice(found, PROBLEM_LIMIT)
    ]
    if problems:
        raise InvalidInput(*problems, omitted=sum(1 for _ in found))


def _check_depth(document: object) -> None:
    level = [document]
    for _ in range(DEPTH_LIMIT + 1):
        if not level:
            return
        level = [part for value in level for part in _list_containers(value)]
    raise InvalidInput(InputProblem(_TOO_DEEP, "#"))


def _list_containers(value: object) -> list[object]:
    parts = value.values() if isinstance(value, dict) else value
    if not isinstance(value, dict | list):
        return []
    return [part for part in parts if isinstance(part, dict | list)]  # type: ignore[attr-defined]


def _refuse_malformed(text: bytes, error: orjson.JSONDecodeError) -> None:
    """Raise the error for a text that orjson refuses, also for numbers and depth."""
    if error.msg.startswith("depth limit"):
        raise InvalidInput(InputProblem(_TOO_DEEP, "#")) from error
    if error.msg.startswith("number is infinity"):
        try:
            document = _parse_exactly(text)
        except RecursionError:
            raise InvalidInput(InputProblem(_TOO_DEEP, "#")) from error
        except ValueError:
            pass
        else:
            _refuse_problems(document)
    raise MalformedBody(f"the body is not JSON: {_explain(text, error)}") from error


def _explain(text: bytes, error: orjson.JSONDecodeError) -> str:
    if not text:
        return "it is empty"
    if text.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in text[:4]:
        return "it is in UTF-16 or UTF-32; send UTF-8"
    if text.startswith(b"\xef\xbb\xbf"):
        return "it begins with a byte order mark; send UTF-8 without one"
    return str(error)


def _parse_exactly(text: bytes) -> object:
    """Return the document with exact integers; a long number becomes one that is refused."""
    return json.loads(
        text.decode(),
        parse_int=_read_integer,
        parse_float=float,
        parse_constant=_refuse_constant,
    )


def _read_integer(text: str) -> int:
    # `int` takes quadratic time, and refuses more than 4300 digits.
    return int(text) if len(text.lstrip("-")) <= _LONGEST_INTEGER else _LARGEST + 1


def _refuse_constant(text: str) -> object:
    raise ValueError(f"{text} is not JSON")
