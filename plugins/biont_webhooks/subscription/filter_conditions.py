"""Clauses of payload filters: each clause tests a value of the payload."""

from __future__ import annotations

import json
import operator
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import ConfigDict, Field, StrictBool, WrapValidator

from biont import Schema

MISSING: Final = object()
"""The result of a path that leads to no value."""

Test = Callable[[object], bool]
"""Returns whether a value of the payload, or `MISSING`, matches. Never raises."""

_SHOWN_CHARACTERS = 80
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
}
_SIGNS = {"lt": "<", "lte": "<=", "gt": ">", "gte": ">="}


def _check_scalar(value: object, _: object) -> object:
    if isinstance(value, str) and len(value) > 1000:
        raise ValueError("may have at most 1000 characters")
    if value is not None and not isinstance(value, str | int | float):
        raise ValueError("must be text, a number, true, false or null")
    return value


def _check_orderable(value: object, _: object) -> object:
    if not (isinstance(value, str) or _is_number(value)):
        raise ValueError("must be a number or text")
    return _check_scalar(value, _)


Scalar = Annotated[str | int | float | bool | None, WrapValidator(_check_scalar)]
Orderable = Annotated[str | int | float, WrapValidator(_check_orderable)]


Path = Annotated[
    str,
    Field(
        pattern=r"^(?:(?:/(?:[^~/]|~[01])*)+|[^./][^.]*(?:\.[^.]+)*)$",
        max_length=200,
        description="The place of the value: keys and list indexes, separated by dots "
        "(`customer.country`), or a JSON Pointer (`/a.b/0/c`), which reaches any key.",
    ),
]
"""Place of a value in a JSON document."""


def make_finder(path: str) -> Callable[[object], object]:
    """Return a function that finds the value at a path in a document, or `MISSING`."""
    # Split once and not for each event: a filter is tested for every event of a user.
    steps = [(key, _read_index(key)) for key in _split_path(path)]

    def find(document: object) -> object:
        value = document
        for key, index in steps:
            if isinstance(value, dict):
                value = value.get(key, MISSING)
            elif isinstance(value, list) and 0 <= index < len(value):
                value = value[index]
            else:
                return MISSING
        return value

    return find


class Clause(Schema, ABC):
    """Test of the value at `path` in a payload."""

    model_config = ConfigDict(extra="forbid")

    path: Path

    @classmethod
    def list_operators(cls) -> tuple[str, ...]:
        """Return the operators of the clause."""
        return get_args(cls.model_fields["op"].annotation)

    @abstractmethod
    def make_test(self) -> Test:
        """Return the test for the value at the path."""

    @abstractmethod
    def list_endings(self) -> tuple[str, str]:
        """Return the ends of the sentences about a matching and a failing value."""

    def make_finder(self) -> Callable[[object], object]:
        """Return a function that finds the value in a payload, or `MISSING`."""
        return make_finder(self.path)

    def describe(self, found: object, *, matches: bool) -> str:
        """Return the reason, as a sentence, for which a value matches or does not match."""
        if found is MISSING:
            return f"{self.path} is missing"
        matching, failing = self.list_endings()
        return f"{self.path} is {_format_value(found)}{matching if matches else failing}"


class Equality(Clause):
    """Clause that compares for equality; true is not 1."""

    op: Literal["eq", "ne"]
    value: Scalar

    def make_test(self) -> Test:
        """Return the test; a missing value equals no value."""
        expected, wanted = _make_key(self.value), self.op == "eq"
        return lambda found: (_make_key(found) == expected) is wanted

    def list_endings(self) -> tuple[str, str]:
        """Return the expected value, for a different value."""
        other = f", which is not {_format_value(self.value)}"
        return ("", other) if self.op == "eq" else (other, "")


class Membership(Clause):
    """Clause that looks a value up in a list."""

    op: Literal["in"]
    value: Annotated[list[Scalar], Field(min_length=1, max_length=100)]

    def make_test(self) -> Test:
        """Return the test."""
        expected = {_make_key(value) for value in self.value}
        return lambda found: _make_key(found) in expected

    def list_endings(self) -> tuple[str, str]:
        """Return the list."""
        values = _format_value(self.value)
        return f", which is in {values}", f", which is not in {values}"


class Order(Clause):
    """Clause that compares a number with a number, or text with text.

    The order of text is the order of code points.
    """

    op: Literal["lt", "lte", "gt", "gte"]
    value: Orderable

    def make_test(self) -> Test:
        """Return the test; no number matches text."""
        limit, compare, is_comparable = self.value, _COMPARE[self.op], _make_kind_test(self.value)
        return lambda found: is_comparable(found) and compare(found, limit)

    def list_endings(self) -> tuple[str, str]:
        """Return the comparison."""
        comparison = f"{_SIGNS[self.op]} {_format_value(self.value)}"
        return f", which is {comparison}", f", which is not {comparison}"

    def describe(self, found: object, *, matches: bool) -> str:
        """Return the reason; name the expected kind for a value of another kind."""
        if found is MISSING or _make_kind_test(self.value)(found):
            return super().describe(found, matches=matches)
        kind = "text" if isinstance(self.value, str) else "a number"
        return f"{self.path} is {_format_value(found)}, which is not {kind}"


class Prefix(Clause):
    """Clause that compares the beginning of text."""

    op: Literal["prefix"]
    value: Annotated[str, Field(max_length=1000)]

    def make_test(self) -> Test:
        """Return the test."""
        return lambda found: isinstance(found, str) and found.startswith(self.value)

    def list_endings(self) -> tuple[str, str]:
        """Return the prefix."""
        prefix = _format_value(self.value)
        return f", which begins with {prefix}", f", which does not begin with {prefix}"


class ListClause(Clause):
    """Test of a list; another value does not match."""

    def describe(self, found: object, *, matches: bool) -> str:
        """Return the reason; say so for a value that is no list."""
        if found is MISSING or isinstance(found, list):
            return super().describe(found, matches=matches)
        return f"{self.path} is {_format_value(found)}, which is not a list"


class Contains(ListClause):
    """Clause that looks for a member of a list."""

    op: Literal["contains"]
    value: Scalar

    def make_test(self) -> Test:
        """Return the test."""
        expected = _make_key(self.value)
        return lambda found: isinstance(found, list) and expected in map(_make_key, found)

    def list_endings(self) -> tuple[str, str]:
        """Return the member."""
        member = _format_value(self.value)
        return f", which contains {member}", f", which does not contain {member}"


class ContainsSome(ListClause):
    """Clause that looks for several members of a list: any of these, or all."""

    op: Literal["any", "all"]
    value: Annotated[list[Scalar], Field(min_length=1, max_length=100)]

    def make_test(self) -> Test:
        """Return the test."""
        expected = {_make_key(value) for value in self.value}
        if self.op == "any":
            return lambda found: (
                isinstance(found, list) and not expected.isdisjoint(map(_make_key, found))
            )
        return lambda found: isinstance(found, list) and expected <= set(map(_make_key, found))

    def list_endings(self) -> tuple[str, str]:
        """Return the members."""
        members = f"{self.op} of {_format_value(self.value)}"
        return f", which contains {members}", f", which does not contain {members}"


class Exists(Clause):
    """Clause that tests for a value, null included; with false, for a missing value."""

    op: Literal["exists"]
    value: StrictBool = True

    def make_test(self) -> Test:
        """Return the test."""
        return lambda found: (found is not MISSING) is self.value

    def list_endings(self) -> tuple[str, str]:
        """Return nothing: the sentence needs no end."""
        return "", ""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _make_kind_test(value: object) -> Test:
    """Return a test for values that can be compared with `value`."""
    return _is_text if isinstance(value, str) else _is_number


def _make_key(value: object) -> object:
    """Return a key that is equal for equal JSON values only; in Python, True equals 1."""
    if isinstance(value, bool):
        return ("boolean", value)
    return value if value is None or isinstance(value, str | int | float) else MISSING


def _split_path(path: str) -> list[str]:
    if not path.startswith("/"):
        return path.split(".")
    return [key.replace("~1", "/").replace("~0", "~") for key in path[1:].split("/")]


def _read_index(key: str) -> int:
    # `isdigit` alone also accepts digits of other scripts.
    return int(key) if key.isascii() and key.isdigit() else -1


def _format_value(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[: _SHOWN_CHARACTERS - 3]}..."
