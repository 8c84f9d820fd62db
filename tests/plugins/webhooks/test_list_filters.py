"""Filters over the members of lists, and paths as JSON Pointers."""

from __future__ import annotations

import pytest
from pydantic import JsonValue
from support.webhooks import PATH, emit, list_documents, register

from biont.store import dump_json
from biont.testing import ApiClient, WebhookReceiver
from biont_webhooks.subscription.payload_filter import load_filter

ORDER: dict[str, JsonValue] = {
    "tags": ["urgent", 1, True, None, ["urgent"]],
    "empty": [],
    "name": "urgent",
    "items": [{"price": 40, "sizes": ["S"]}, {"price": 140, "sizes": ["S", "M"]}, "gift"],
    "paid": [{"price": 1}, {"price": 2}],
    "a.b": [{"c/d": 1, "m~n": 2, "": 3}],
    "/x": 5,
}


def clause(path: str, op: str, value: JsonValue) -> dict[str, JsonValue]:
    return {"path": path, "op": op, "value": value}


ABOVE_100 = clause("price", "gt", 100)


@pytest.mark.parametrize(
    ("document", "matches"),
    [
        (clause("tags", "contains", "urgent"), True),
        (clause("tags", "contains", "urge"), False),
        (clause("tags", "contains", True), True),
        (clause("tags", "contains", None), True),
        (clause("tags", "contains", 0), False),
        (clause("empty", "contains", None), False),
        (clause("name", "contains", "urgent"), False),
        (clause("missing", "contains", None), False),
        (clause("tags", "any", ["calm", "urgent"]), True),
        (clause("tags", "any", ["calm"]), False),
        (clause("tags", "all", ["urgent", 1, True]), True),
        (clause("tags", "all", ["urgent", "calm"]), False),
        (clause("name", "any", ["urgent"]), False),
        (clause("items", "any", ABOVE_100), True),
        (clause("items", "all", ABOVE_100), False),
        (clause("paid", "any", ABOVE_100), False),
        (clause("paid", "all", {"not": ABOVE_100}), True),
        (clause("items", "any", {"and": [ABOVE_100, clause("sizes", "contains", "M")]}), True),
        (clause("items", "any", clause("sizes", "all", ["S", "M"])), True),
        (clause("empty", "any", ABOVE_100), False),
        (clause("empty", "all", ABOVE_100), True),
        (clause("name", "all", ABOVE_100), False),
        (clause("missing", "all", ABOVE_100), False),
        (clause("/items/1/price", "eq", 140), True),
        (clause("/a.b/0/c~1d", "eq", 1), True),
        (clause("/a.b/0/m~0n", "eq", 2), True),
        (clause("/a.b/0/", "eq", 3), True),
        (clause("/~1x", "eq", 5), True),
        (clause("/items/7", "exists", False), True),
        (clause("/items/-", "exists", True), False),
    ],
)
def test_lists_and_pointers(document: JsonValue, matches: bool) -> None:
    found = load_filter(dump_json(document))
    assert found.matches(ORDER) is matches
    assert found.explain(ORDER).matches is matches


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (clause("empty", "contains", "a"), 'empty is [], which does not contain "a"'),
        (clause("name", "contains", "a"), 'name is "urgent", which is not a list'),
        (clause("empty", "any", ["a"]), 'empty is [], which does not contain any of ["a"]'),
        (clause("empty", "any", ABOVE_100), "empty is [], of which no member matches"),
        (clause("/~1x", "all", ["a"]), "/~1x is 5, which is not a list"),
    ],
)
def test_the_reason_names_the_list(document: JsonValue, reason: str) -> None:
    assert load_filter(dump_json(document)).explain(ORDER).reason == reason


async def test_a_webhook_for_tagged_notes(client: ApiClient, receiver: WebhookReceiver) -> None:
    await register(
        client,
        receiver.url,
        event_types=["note_created", "custom_end"],
        filter={"or": [clause("tags", "contains", "urgent"), clause("/the.end", "eq", True)]},
    )
    await client.post("/notes", {"title": "calm", "tags": ["garden"]})
    await client.post("/notes", {"title": "urgent", "tags": ["garden", "urgent"]})
    await emit(client, "custom_end", **{"the.end": True})
    requests = await receiver.wait_for(2)
    kinds = sorted(str(request.event["event_type"]) for request in requests)
    assert kinds == ["custom_end", "note_created"]


async def test_nested_list_filters_are_bounded(client: ApiClient) -> None:
    nested: JsonValue = clause("a", "exists", True)
    for _ in range(8):
        nested = clause("a", "any", nested)
    body: JsonValue = {"url": "https://example.com/", "filter": nested}
    status, problem = await client.ask("POST", f"{PATH}/register", body)
    (error,) = list_documents(problem["errors"])
    assert (status, "8 levels" in str(error)) == (422, True)
