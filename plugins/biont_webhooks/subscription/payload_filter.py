"""Payload filters: conditions on the payload of events.

A filter is a clause, ``{"path": "customer.country", "op": "eq", "value": "DE"}``,
or a group of filters: ``{"and": [...]}``, ``{"or": [...]}``, ``{"not": ...}``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, WrapValidator

from biont import JsonObject, Schema
from biont_webhooks.subscription.filter_conditions import (
    Clause,
    Contains,
    ContainsSome,
    Equality,
    Exists,
    ListClause,
    Membership,
    Order,
    Prefix,
    Test,
)

DEPTH_LIMIT = 8
"""The most levels of a filter; a single clause has one level."""

CLAUSE_LIMIT = 100
"""The most clauses of a filter."""

_GROUPS = ("and", "or", "not")


class Every(Schema):
    """Filter that matches if each of its parts matches."""

    model_config = ConfigDict(extra="forbid", serialize_by_alias=True)

    filters: Annotated[list[Node], Field(alias="and", min_length=1)]


class Some(Schema):
    """Filter that matches if at least one of its parts matches."""

    model_config = ConfigDict(extra="forbid", serialize_by_alias=True)

    filters: Annotated[list[Node], Field(alias="or", min_length=1)]


class Not(Schema):
    """Filter that matches if its part does not match."""

    model_config = ConfigDict(extra="forbid", serialize_by_alias=True)

    filter: Annotated[Node, Field(alias="not")]


class Members(ListClause):
    """Clause that tests each member of a list by a filter: any matches, or all do."""

    op: Literal["any", "all"]
    value: Annotated[Node, Field(description="The filter; its paths begin at the member.")]

    def make_test(self) -> Test:
        """Return the test; all members of an empty list match."""
        inner, quantify = _compile_node(self.value), any if self.op == "any" else all
        return lambda found: isinstance(found, list) and quantify(map(inner, found))

    def list_endings(self) -> tuple[str, str]:
        """Return the number of members that match."""
        if self.op == "any":
            return ", of which a member matches", ", of which no member matches"
        return ", of which every member matches", ", of which not every member matches"


_CLAUSES: tuple[type[Clause], ...] = (
    Equality,
    Membership,
    Order,
    Prefix,
    Exists,
    Contains,
    ContainsSome,
)
_MODELS: dict[str, type[BaseModel]] = {
    "and": Every,
    "or": Some,
    "not": Not,
    **{op: model for model in _CLAUSES for op in model.list_operators()},
}


def _validate_node(value: object, _: object) -> BaseModel:
    """Validate a part of a filter with the model for its keys."""
    # By hand, because a union would try each model and report the errors of all models.
    keys = value if isinstance(value, dict) else {}
    kind = next((name for name in _GROUPS if name in keys), keys.get("op"))
    model = _MODELS.get(kind) if isinstance(kind, str) else None
    if model is None:
        operators = ", ".join(name for name in _MODELS if name not in _GROUPS)
        raise ValueError(f'must have "op", one of {operators}; or "and", "or" or "not"')
    if model is ContainsSome and isinstance(keys.get("value"), dict):
        model = Members
    return model.model_validate(value)


Node = Annotated[
    Equality
    | Membership
    | Order
    | Prefix
    | Exists
    | Contains
    | ContainsSome
    | Members
    | Every
    | Some
    | Not,
    WrapValidator(_validate_node),
]


def _check_bounds(value: object) -> object:
    """Refuse a filter with too many levels or clauses, before any recursion begins."""
    level, clauses = [value], 0
    for _ in range(DEPTH_LIMIT):
        children = [_list_children(node) for node in level]
        clauses += children.count([])
        level = [child for found in children for child in found]
        if clauses + len(level) > CLAUSE_LIMIT:
            raise ValueError(f"has more than {CLAUSE_LIMIT} clauses")
        if not level:
            return value
    raise ValueError(f"is nested more than {DEPTH_LIMIT} levels deep")


def _list_children(node: object) -> list[object]:
    # Of raw JSON from a client, before validation: anything may have any type.
    if not isinstance(node, dict):
        return []
    children: list[object] = [node["not"]] if "not" in node else []
    for name in ("and", "or"):
        inner = node.get(name)
        children += inner if isinstance(inner, list) else []
    if node.get("op") in ("any", "all") and isinstance(node.get("value"), dict):
        children.append(node["value"])
    return children


Filter = Annotated[Node, BeforeValidator(_check_bounds)]
"""A filter in a REST request."""

_FILTER: TypeAdapter[Filter] = TypeAdapter(Filter)


@dataclass(frozen=True, slots=True)
class Explanation:
    """Result of a filter for one payload, with the reason.

    Attributes:
        matches: whether the filter matches.
        pointer: the deciding clause or group, as a JSON pointer into the filter.
        reason: a sentence: ``total is 40, which is not > 100``.
    """

    matches: bool
    pointer: str
    reason: str


@dataclass(frozen=True, slots=True)
class PayloadFilter:
    """Compiled filter.

    Attributes:
        node: the filter.
        matches: returns whether a payload matches; never raises.
    """

    node: Node
    matches: Callable[[JsonObject], bool]

    def explain(self, payload: JsonObject) -> Explanation:
        """Return the result for `payload`, with the deciding clause and the reason."""
        return _explain_node(self.node, payload, "#")


def compile_filter(node: Filter) -> PayloadFilter:
    """Compile a filter."""
    return PayloadFilter(node, _compile_node(node))


def dump_filter(node: Filter) -> str:
    """Return a filter as JSON, for `load_filter`."""
    return _FILTER.dump_json(node, exclude_unset=True).decode()


def load_filter(text: str) -> PayloadFilter:
    """Return the compiled filter of the JSON that `dump_filter` made."""
    return compile_filter(_FILTER.validate_json(text))


def _compile_node(node: Node) -> Callable[[object], bool]:
    match node:
        case Not():
            inner = _compile_node(node.filter)
            return lambda payload: not inner(payload)
        case Every():
            parts = [_compile_node(part) for part in node.filters]
            return lambda payload: all(part(payload) for part in parts)
        case Some():
            parts = [_compile_node(part) for part in node.filters]
            return lambda payload: any(part(payload) for part in parts)
    find, test = node.make_finder(), node.make_test()
    return lambda payload: test(find(payload))


def _explain_node(node: Node, payload: JsonObject, pointer: str) -> Explanation:
    match node:
        case Not():
            inner = _explain_node(node.filter, payload, f"{pointer}/not")
            return replace(inner, matches=not inner.matches)
        case Every():
            return _explain_group(node.filters, payload, pointer, "and")
        case Some():
            return _explain_group(node.filters, payload, pointer, "or")
    found = node.make_finder()(payload)
    matches = node.make_test()(found)
    return Explanation(matches, pointer, node.describe(found, matches=matches))


def _explain_group(
    filters: Sequence[Node], payload: JsonObject, pointer: str, kind: str
) -> Explanation:
    # One match decides an "or", one mismatch an "and": that part is the reason.
    decisive = kind == "or"
    parts = [
        _explain_node(part, payload, f"{pointer}/{kind}/{index}")
        for index, part in enumerate(filters)
    ]
    for part in parts:
        if part.matches is decisive or len(parts) == 1:
            return part
    return Explanation(
        not decisive,
        pointer,
        "no clause matches" if decisive else "every clause matches",
    )
