from __future__ import annotations

from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, JsonValue, ValidationError

from biont_webhooks.subscription.payload_filter import (
    Filter,
    PayloadFilter,
    compile_filter,
    dump_filter,
    load_filter,
)

ORDER: JsonValue = {
    "total": 40,
    "paid": True,
    "coupon": None,
    "customer": {"country": "DE", "tags": ["new", "vip"]},
}


class Document(BaseModel):
    """What a filter is part of, so that pointers can be seen."""

    filter: Filter | None = None


def read_filter(document: JsonValue) -> PayloadFilter:
    node = Document.model_validate({"filter": document}).filter
    assert node is not None
    return compile_filter(node)


def clause(path: str, op: str, value: JsonValue) -> dict[str, JsonValue]:
    return {"path": path, "op": op, "value": value}


@pytest.mark.parametrize(
    ("document", "matches", "pointer", "reason"),
    [
        (clause("total", "eq", 40), True, "#", "total is 40"),
        (clause("total", "eq", 40.0), True, "#", "total is 40"),
        (clause("total", "gt", 100), False, "#", "total is 40, which is not > 100"),
        (clause("total", "gt", 40), False, "#", "total is 40, which is not > 40"),
        (clause("total", "gte", 40), True, "#", "total is 40, which is >= 40"),
        (clause("total", "lt", 40.5), True, "#", "total is 40, which is < 40.5"),
        (clause("total", "lte", 39), False, "#", "total is 40, which is not <= 39"),
        (clause("total", "lt", "50"), False, "#", "total is 40, which is not text"),
        (clause("paid", "eq", 1), False, "#", "paid is true, which is not 1"),
        (clause("paid", "ne", 1), True, "#", "paid is true, which is not 1"),
        (clause("paid", "lt", 2), False, "#", "paid is true, which is not a number"),
        (
            clause("paid", "in", [1, "true"]),
            False,
            "#",
            'paid is true, which is not in [1, "true"]',
        ),
        (clause("coupon", "eq", None), True, "#", "coupon is null"),
        (clause("coupon", "exists", True), True, "#", "coupon is null"),
        ({"path": "refund", "op": "exists"}, False, "#", "refund is missing"),
        (clause("refund", "exists", False), True, "#", "refund is missing"),
        (clause("refund", "eq", None), False, "#", "refund is missing"),
        (clause("refund", "ne", 3), True, "#", "refund is missing"),
        (
            clause("customer.country", "in", ["FR", "DE"]),
            True,
            "#",
            'customer.country is "DE", which is in ["FR", "DE"]',
        ),
        (
            clause("customer.tags.1", "prefix", "vi"),
            True,
            "#",
            'customer.tags.1 is "vip", which begins with "vi"',
        ),
        (
            clause("customer.tags.0", "prefix", "old"),
            False,
            "#",
            'customer.tags.0 is "new", which does not begin with "old"',
        ),
        (clause("customer.tags.2", "eq", "x"), False, "#", "customer.tags.2 is missing"),
        (clause("customer.tags.-1", "eq", "vip"), False, "#", "customer.tags.-1 is missing"),
        (clause("customer.tags.0.x", "eq", "x"), False, "#", "customer.tags.0.x is missing"),
        (
            {"and": [clause("paid", "eq", True), clause("total", "gt", 100)]},
            False,
            "#/and/1",
            "total is 40, which is not > 100",
        ),
        (
            {"or": [clause("paid", "eq", False), clause("total", "gt", 1)]},
            True,
            "#/or/1",
            "total is 40, which is > 1",
        ),
        (
            {"and": [clause("paid", "eq", True), clause("total", "gt", 1)]},
            True,
            "#",
            "every clause matches",
        ),
        (
            {"and": [{"or": [clause("total", "eq", 1), clause("total", "eq", 2)]}]},
            False,
            "#/and/0",
            "no clause matches",
        ),
        (
            {"and": [{"not": {"or": [clause("total", "eq", 40)]}}]},
            False,
            "#/and/0/not/or/0",
            "total is 40",
        ),
    ],
)
def test_explanation_names_the_deciding_clause(
    document: JsonValue, matches: bool, pointer: str, reason: str
) -> None:
    payload_filter = read_filter(document)
    assert isinstance(ORDER, dict)
    explanation = payload_filter.explain(ORDER)
    assert payload_filter.matches(ORDER) is matches
    assert (explanation.matches, explanation.pointer, explanation.reason) == (
        matches,
        pointer,
        reason,
    )


def nest(levels: int) -> JsonValue:
    document: JsonValue = {"path": "a", "op": "exists"}
    for _ in range(levels - 1):
        document = {"not": document}
    return document


@pytest.mark.parametrize(
    ("document", "pointer", "detail"),
    [
        (3, "", 'must have "op"'),
        ([], "", 'must have "op"'),
        ({}, "", 'must have "op"'),
        (clause("a", "like", "b"), "", 'must have "op", one of eq, ne'),
        ({"path": "a", "op": ["eq"], "value": 1}, "", 'must have "op"'),
        ({"path": "a", "op": "eq"}, "value", "required"),
        ({"op": "eq", "value": 1}, "path", "required"),
        (clause("", "eq", 1), "path", "pattern"),
        (clause("a..b", "eq", 1), "path", "pattern"),
        (clause("a" * 201, "eq", 1), "path", "200"),
        (clause("a", "eq", {"b": 1}), "value", "must be text, a number"),
        (clause("a", "eq", "x" * 1001), "value", "1000 characters"),
        (clause("a", "in", "b"), "value", "list"),
        (clause("a", "in", []), "value", "at least 1"),
        (clause("a", "in", [1, [2]]), "value.1", "must be text, a number"),
        (clause("a", "lt", True), "value", "must be a number or text"),
        (clause("a", "prefix", 1), "value", "string"),
        (clause("a", "exists", 1), "value", "boolean"),
        ({**clause("a", "eq", 1), "flags": "i"}, "flags", "not permitted"),
        ({"and": []}, "and", "at least 1"),
        ({"and": {}}, "and", "list"),
        ({"and": [nest(1)], "or": [nest(1)]}, "or", "not permitted"),
        (
            {"or": [nest(1), {"not": clause("a", "lt", None)}]},
            "or.1.not.value",
            "must be a number",
        ),
        (nest(9), "", "more than 8 levels"),
        (nest(300), "", "more than 8 levels"),
        ({"or": [nest(1)] * 101}, "", "more than 100 clauses"),
        ({"or": [{"and": [nest(1)] * 51}] * 2}, "", "more than 100 clauses"),
    ],
)
def test_invalid_filter_is_refused_with_a_pointer(
    document: JsonValue, pointer: str, detail: str
) -> None:
    with pytest.raises(ValidationError) as refusal:
        read_filter(document)
    (problem,) = refusal.value.errors()
    assert ".".join(map(str, problem["loc"][1:])) == pointer
    assert detail in problem["msg"]


@pytest.mark.parametrize("document", [nest(8), {"or": [nest(1)] * 100}])
def test_filter_at_the_limits_is_accepted(document: JsonValue) -> None:
    assert read_filter(document).matches({"a": 1}) in (True, False)


KEYS = st.sampled_from(["a", "b", "0", "1"])
TEXTS = st.sampled_from(["", "a", "ab", "0", "é"]) | st.text(max_size=3)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-2, 2)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=10,
)
PAYLOADS = st.dictionaries(KEYS, VALUES, max_size=4)
PATHS = st.lists(KEYS, min_size=1, max_size=3).map(".".join)
CLAUSES = st.one_of(
    st.builds(clause, PATHS, st.sampled_from(["eq", "ne"]), SCALARS),
    st.builds(clause, PATHS, st.just("in"), st.lists(SCALARS, min_size=1, max_size=3)),
    st.builds(
        clause,
        PATHS,
        st.sampled_from(["lt", "lte", "gt", "gte"]),
        st.integers(-2, 2) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    ),
    st.builds(clause, PATHS, st.just("prefix"), TEXTS),
    st.builds(clause, PATHS, st.just("exists"), st.booleans()),
)
FILTERS = st.recursive(
    CLAUSES,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"and": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"or": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"not": inner}),
    ),
    max_leaves=6,
)


def evaluate(document: dict[str, JsonValue], payload: JsonValue) -> bool:
    """Evaluate a filter as its documentation reads, one sentence after the other."""
    if "not" in document:
        return not evaluate(cast("dict[str, JsonValue]", document["not"]), payload)
    for group, decide in (("and", all), ("or", any)):
        if group in document:
            inner = cast("list[dict[str, JsonValue]]", document[group])
            return decide([evaluate(part, payload) for part in inner])
    found: list[JsonValue] = [payload]
    for key in str(document["path"]).split("."):
        (value,) = found
        if isinstance(value, dict) and key in value:
            found = [value[key]]
        elif isinstance(value, list) and int(key) < len(value) if key.isdigit() else False:
            found = [cast("list[JsonValue]", value)[int(key)]]
        else:
            return (document["op"], document["value"]) == ("exists", False) or (
                document["op"] == "ne"
            )
    return compare(found[0], str(document["op"]), document["value"])


def compare(found: JsonValue, op: str, value: JsonValue) -> bool:
    if op == "exists":
        return value is True
    if op == "in":
        return any(are_equal(found, one) for one in cast("list[JsonValue]", value))
    if op in ("eq", "ne"):
        return are_equal(found, value) is (op == "eq")
    if op == "prefix":
        return isinstance(found, str) and found[: len(str(value))] == value
    if kind(found) != kind(value) or kind(found) not in ("number", "text"):
        return False
    low, high = cast("tuple[float, float]", (found, value) if op[0] == "l" else (value, found))
    return low < high or (op.endswith("e") and low == high)


def kind(value: JsonValue) -> str:
    for name, types in (("truth", bool), ("number", (int, float)), ("text", str)):
        if isinstance(value, types):
            return name
    return "nothing" if value is None else "container"


def are_equal(one: JsonValue, other: JsonValue) -> bool:
    return kind(one) == kind(other) and one == other


@given(document=FILTERS, payload=PAYLOADS)
def test_filter_and_its_explanation_agree_with_a_simple_evaluator(
    document: dict[str, JsonValue], payload: dict[str, JsonValue]
) -> None:
    expected = evaluate(document, payload)
    payload_filter = read_filter(document)
    explanation = payload_filter.explain(payload)
    assert payload_filter.matches(payload) is expected
    assert explanation.matches is expected
    assert follow(explanation.pointer, document) is not None
    assert load_filter(dump_filter(payload_filter.node)).matches(payload) is expected


def follow(pointer: str, document: JsonValue) -> JsonValue:
    for step in pointer.split("/")[1:]:
        if isinstance(document, list):
            document = document[int(step)]
        else:
            assert isinstance(document, dict)
            document = document[step]
    return document


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(document=FILTERS, payload=st.dictionaries(KEYS | st.text(), JSON))
def test_no_payload_raises(document: dict[str, JsonValue], payload: dict[str, JsonValue]) -> None:
    payload_filter = read_filter(document)
    assert payload_filter.explain(payload).matches is payload_filter.matches(payload)
