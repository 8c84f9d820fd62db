"""The clauses of payload filters: each judges one value of the payload."""

from __future__ import annotations

import json
import operator
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import ConfigDict, Field, StrictBool, WrapValidator

from biont import JsonObject, Schema

MISSING: Final = object()
"""What a path finds where there is nothing."""

Test = Callable[[object], bool]
"""Judges what a path has found, or `MISSING`; never raises."""

_SHOWN = 80
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


class Clause(Schema, ABC):
    """Judges the value that stands at `path` in a payload."""

    model_config = ConfigDict(extra="forbid")

    path: Annotated[
        str,
        Field(
            pattern=r"^[^.]+(\.[^.]+)*$",
            max_length=200,
            description="Where to look: keys and list indexes, with dots between them.",
        ),
    ]

    @classmethod
    def list_operators(cls) -> tuple[str, ...]:
        """Return what `op` may be."""
        return get_args(cls.model_fields["op"].annotation)

    @abstractmethod
    def make_test(self) -> Test:
        """Return what says whether a value that was found matches."""

    @abstractmethod
    def list_endings(self) -> tuple[str, str]:
        """Return how a sentence about a value ends when it matches, and when it does not."""

    def make_finder(self) -> Callable[[JsonObject], object]:
        """Return what finds the value in a payload, or `MISSING`."""
        steps = [(key, _read_index(key)) for key in self.path.split(".")]

        def find(payload: JsonObject) -> object:
            value: object = payload
            for key, index in steps:
                if isinstance(value, dict):
                    value = value.get(key, MISSING)
                elif isinstance(value, list) and 0 <= index < len(value):
                    value = value[index]
                else:
                    return MISSING
            return value

        return find

    def describe(self, found: object, *, matches: bool) -> str:
        """Return a sentence that says why a value that was found matches, or does not."""
        if found is MISSING:
            return f"{self.path} is missing"
        matching, failing = self.list_endings()
        return f"{self.path} is {_show(found)}{matching if matches else failing}"


class Equality(Clause):
    """Matches a value that is, or is not, the given one; true is not 1."""

    op: Literal["eq", "ne"]
    value: Scalar

    def make_test(self) -> Test:
        """Return the test; a value that is missing equals none."""
        expected, wanted = _tag(self.value), self.op == "eq"
        return lambda found: (_tag(found) == expected) is wanted

    def list_endings(self) -> tuple[str, str]:
        """Return what it is not, where it is another."""
        other = f", which is not {_show(self.value)}"
        return ("", other) if self.op == "eq" else (other, "")


class Membership(Clause):
    """Matches a value that is one of the given ones."""

    op: Literal["in"]
    value: Annotated[list[Scalar], Field(min_length=1, max_length=100)]

    def make_test(self) -> Test:
        """Return the test."""
        expected = {_tag(value) for value in self.value}
        return lambda found: _tag(found) in expected

    def list_endings(self) -> tuple[str, str]:
        """Return the ones it was compared with."""
        values = _show(self.value)
        return f", which is in {values}", f", which is not in {values}"


class Order(Clause):
    """Matches a number that lies below or above the given number, or text likewise.

    Text is ordered by its characters' code points.
    """

    op: Literal["lt", "lte", "gt", "gte"]
    value: Orderable

    def make_test(self) -> Test:
        """Return the test; a number is never compared with text."""
        limit, compare, is_comparable = self.value, _COMPARE[self.op], _find_kind(self.value)
        return lambda found: is_comparable(found) and compare(found, limit)

    def list_endings(self) -> tuple[str, str]:
        """Return what it was compared with."""
        comparison = f"{_SIGNS[self.op]} {_show(self.value)}"
        return f", which is {comparison}", f", which is not {comparison}"

    def describe(self, found: object, *, matches: bool) -> str:
        """Return also that a value is of the wrong kind."""
        if found is MISSING or _find_kind(self.value)(found):
            return super().describe(found, matches=matches)
        kind = "text" if isinstance(self.value, str) else "a number"
        return f"{self.path} is {_show(found)}, which is not {kind}"


class Prefix(Clause):
    """Matches text that begins with the given text."""

    op: Literal["prefix"]
    value: Annotated[str, Field(max_length=1000)]

    def make_test(self) -> Test:
        """Return the test."""
        return lambda found: isinstance(found, str) and found.startswith(self.value)

    def list_endings(self) -> tuple[str, str]:
        """Return how it begins, or should."""
        prefix = _show(self.value)
        return f", which begins with {prefix}", f", which does not begin with {prefix}"


class Exists(Clause):
    """Matches when there is a value, also null; or, by false, when there is none."""

    op: Literal["exists"]
    value: StrictBool = True

    def make_test(self) -> Test:
        """Return the test."""
        return lambda found: (found is not MISSING) is self.value

    def list_endings(self) -> tuple[str, str]:
        """Return nothing: that it is there says it all."""
        return "", ""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _find_kind(value: object) -> Test:
    """Return what says whether another value can be compared with `value`."""
    return _is_text if isinstance(value, str) else _is_number


def _tag(value: object) -> object:
    """Return what is equal for equal JSON values only; Python takes true for 1."""
    if isinstance(value, bool):
        return ("boolean", value)
    return value if value is None or isinstance(value, str | int | float) else MISSING


def _read_index(key: str) -> int:
    return int(key) if key.isascii() and key.isdigit() else -1


def _show(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."
