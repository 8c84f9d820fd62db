"""Fields of a registration."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import JsonValue
from support.webhooks import (
    PATH,
    emit,
    list_documents,
    list_pointers,
    register,
    wait_for_deliveries,
)

from biont.testing import ApiClient, WebhookReceiver
from biont_webhooks.subscription.custom_headers import RESERVED

LARGE: JsonValue = {"path": "total", "op": "gt", "value": 100}
EVERYTHING: dict[str, JsonValue] = {
    "name": "orders of the shop",
    "event_types": ["custom_order_*"],
    "filter": {"and": [LARGE, {"not": {"path": "customer.country", "op": "in", "value": ["DE"]}}]},
    "success": "2xx",
    "retry": [5.0, 60.0],
    "headers": {"Authorization": "Bearer t0k3n"},
    "rate": 2.5,
    "concurrency": 3,
}


async def test_webhook_is_shown_with_its_registered_fields(client: ApiClient) -> None:
    created = await register(client, "https://example.com/hook", **EVERYTHING)
    secret = created.pop("secret")
    assert created.pop("warnings") == []
    shown = await client.get(f"{PATH}/{created['id']}")
    assert shown == created
    assert shown == {
        **EVERYTHING,
        "id": created["id"],
        "url": "https://example.com/hook",
        "headers": {"Authorization": "********"},
        "status": "active",
        "disabled_reason": None,
        "failing_since": None,
        "waits_until": None,
        "previous_secret_until": None,
        "created_at": "2026-03-02T12:00:00Z",
        "updated_at": "2026-03-02T12:00:00Z",
    }
    assert list_documents((await client.get(PATH))["data"]) == [shown]
    assert str(secret) not in str(shown)


async def test_omitted_fields_get_the_defaults(client: ApiClient) -> None:
    created = await register(client, "https://example.com/hook")
    defaults: dict[str, JsonValue] = {
        "name": None,
        "event_types": ["*"],
        "filter": None,
        "success": "200",
        "retry": "none",
        "headers": {},
        "rate": None,
        "concurrency": None,
    }
    assert {key: created[key] for key in defaults} == defaults


async def test_only_events_that_match_the_filter_are_delivered(
    client: ApiClient, receiver: WebhookReceiver
) -> None:
    await register(client, receiver.url, event_types=["custom_order", "note_*"], filter=LARGE)
    await client.post("/notes", {"title": "has no total"})
    for total in (40, 140, "140", None, 101):
        await emit(client, "custom_order", total=total)
    await emit(client, "custom_other", total=1000)
    await emit(client, "custom_order", total=999)
    requests = await receiver.wait_for(3)
    assert sorted(str(request.event["payload"]) for request in requests) == [
        "{'total': 101}",
        "{'total': 140}",
        "{'total': 999}",
    ]


@pytest.mark.parametrize(
    ("success", "status", "outcome"),
    [("2xx", 204, "succeeded"), ("2xx", 302, "failed"), ("200", 204, "failed")],
)
async def test_webhook_chooses_the_successful_statuses(
    client: ApiClient, receiver: WebhookReceiver, success: str, status: int, outcome: str
) -> None:
    receiver.status = status
    webhook = await register(client, receiver.url, success=success)
    await emit(client)
    (delivery,) = await wait_for_deliveries(client, webhook)
    assert delivery["status"] == outcome
    if outcome == "failed":
        assert f"answered {status}, not {success}" in str(delivery["attempts"])


async def test_custom_headers_are_added_to_each_request(
    client: ApiClient, receiver: WebhookReceiver
) -> None:
    own: dict[str, JsonValue] = {
        "Authorization": "Bearer t0k3n",
        "x-tenant": "a b",
        "X-API-Key": "of a gateway",
    }
    await register(client, receiver.url, headers=own)
    await emit(client)
    (request,) = await receiver.wait_for(1)
    assert request.headers["Authorization"] == "Bearer t0k3n"
    assert request.headers["X-Tenant"] == "a b"
    assert request.headers["X-API-Key"] == "of a gateway"
    assert request.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    "name",
    [
        "Content-Type",
        "content-length",
        "Host",
        "User-Agent",
        "Transfer-Encoding",
        "Connection",
        "Upgrade",
        "Proxy-Authorization",
        "webhook-id",
        "X-ASI-Signature",
        "X-Correlation-ID",
        "Date",
        "forwarded",
        "X-Forwarded-For",
        "Accept-Encoding",
        "COOKIE",
        "",
        "a name",
        "a:b",
        "näme",
        "n" * 101,
    ],
)
async def test_reserved_header_is_refused(client: ApiClient, name: str) -> None:
    body: JsonValue = {"url": "https://example.com", "headers": {"X-Fine": "1", name: "1"}}
    pointers = await list_pointers(client, "POST", f"{PATH}/register", body)
    assert pointers == [f"#/headers/{name}"]


def test_the_reference_lists_each_reserved_header() -> None:
    text = (Path(__file__).parents[3] / "docs/reference/events.md").read_text()
    table = text.split("| refused headers |")[1].split("\n\n")[0]
    names = [name for row in table.splitlines()[2:] for name in row.split("|")[1].split(",")]
    assert [name.strip(" `") for name in names] == list(RESERVED)


@pytest.mark.parametrize(
    "value", ["", " a", "a ", "a\r\nX-Evil: 1", "a\nb", "a\0b", "ä", "x" * 4097]
)
async def test_header_value_that_could_break_a_request_is_refused(
    client: ApiClient, value: str
) -> None:
    body: JsonValue = {"url": "https://example.com", "headers": {"X-Token": value}}
    pointers = await list_pointers(client, "POST", f"{PATH}/register", body)
    assert pointers == ["#/headers/X-Token"]


@pytest.mark.parametrize(
    ("more", "pointer"),
    [
        ({"name": ""}, "#/name"),
        ({"name": "n" * 101}, "#/name"),
        ({"filter": {"and": [LARGE, {"path": "a", "op": "lt"}]}}, "#/filter/and/1/value"),
        ({"filter": {"or": []}}, "#/filter/or"),
        ({"filter": []}, "#/filter"),
        ({"success": "3xx"}, "#/success"),
        ({"retry": "often"}, "#/retry"),
        ({"retry": [1, -1]}, "#/retry/1"),
        ({"headers": {f"X-{number}": "1" for number in range(21)}}, "#/headers"),
        ({"headers": {"X-A": 1}}, "#/headers/X-A"),
        ({"rate": 0}, "#/rate"),
        ({"rate": 10_001}, "#/rate"),
        ({"concurrency": 0}, "#/concurrency"),
        ({"concurrency": 101}, "#/concurrency"),
        ({"status": "active"}, "#/status"),
    ],
)
async def test_invalid_field_is_refused_with_a_pointer(
    client: ApiClient, more: dict[str, JsonValue], pointer: str
) -> None:
    body: JsonValue = {"url": "https://example.com/hook", **more}
    assert await list_pointers(client, "POST", f"{PATH}/register", body) == [pointer]


async def test_two_headers_that_differ_by_case_only_are_refused(client: ApiClient) -> None:
    body: JsonValue = {"url": "https://example.com", "headers": {"X-A": "1", "x-a": "2"}}
    pointers = await list_pointers(client, "POST", f"{PATH}/register", body)
    assert pointers == ["#/headers/X-A", "#/headers/x-a"]


@pytest.mark.parametrize(
    ("event_type", "nearest"),
    [
        ("note_create", "'note_created'"),
        ("ai_mesage", "'ai_message'"),
        ("notes_*", "'note_created'"),
        ("customs_sale", None),
        ("zzz", None),
    ],
)
async def test_undeclared_event_type_is_accepted_with_a_warning(
    client: ApiClient, event_type: str, nearest: str | None
) -> None:
    webhook = await register(
        client, "https://example.com/hook", event_types=[event_type, "note_*", event_type]
    )
    assert isinstance(webhook["warnings"], list)
    (warning,) = map(str, webhook["warnings"])
    assert repr(event_type.removesuffix("*")) in warning
    assert nearest is None or nearest in warning
    path = f"{PATH}/{webhook['id']}"
    status, changed = await client.ask("PATCH", path, {"name": "renamed"})
    assert (status, changed["warnings"]) == (200, [warning])
    status, changed = await client.ask("PATCH", path, {"event_types": ["note_created"]})
    assert (status, changed["warnings"]) == (200, [])


async def test_patterns_that_match_something_give_no_warning(client: ApiClient) -> None:
    patterns = ["*", "note_*", "webhook_disabled", "custom_sale", "custom_sale_*", "c*", "custom*"]
    webhook = await register(client, "https://example.com/hook", event_types=list(patterns))
    assert webhook["warnings"] == []
