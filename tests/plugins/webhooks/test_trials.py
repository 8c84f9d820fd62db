"""Trials: filters on past events, and dry runs of acts on many deliveries."""

from __future__ import annotations

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

from biont import Scope
from biont.testing import ApiClient, MakeClient, WebhookReceiver

BEGINNING = "2026-03-02T12:00:00Z"
LARGE: JsonValue = {"path": "total", "op": "gt", "value": 100}


async def test_trial_says_which_of_the_newest_events_a_webhook_would_get(
    client: ApiClient,
) -> None:
    for total in (40, 400):
        await emit(client, "custom_order", total=total)
    await emit(client, "custom_visit")
    body: JsonValue = {"event_types": ["custom_order"], "filter": LARGE, "limit": 3}
    found = await client.post(f"{PATH}/try-filter", body)
    assert (found["looked_at"], found["matches"]) == (3, 1)
    assert [
        (row["event_type"], row["gets_it"], row["pointer"], row["reason"])
        for row in list_documents(found["events"])
    ] == [
        ("custom_visit", False, "#/event_types", "no pattern matches custom_visit"),
        ("custom_order", True, "#/filter", "total is 400, which is > 100"),
        ("custom_order", False, "#/filter", "total is 40, which is not > 100"),
    ]
    assert (await client.get(PATH))["data"] == []


async def test_trial_refuses_a_wrong_filter_with_its_place(client: ApiClient) -> None:
    body: JsonValue = {"filter": {"path": "total", "op": "near"}}
    assert await list_pointers(client, "POST", f"{PATH}/try-filter", body) == ["#/filter"]


async def test_trial_shows_only_events_of_the_user(open_client: MakeClient) -> None:
    await emit(await open_client("ada"), "custom_order")
    found = await (await open_client("bob")).post(f"{PATH}/try-filter", {})
    assert "custom_order" not in [row["event_type"] for row in list_documents(found["events"])]


@pytest.mark.parametrize("scope", [Scope.READ, Scope.WEBHOOK])
async def test_trial_needs_a_key_that_reads_events_and_acts(
    open_client: MakeClient, scope: Scope
) -> None:
    client = await open_client("ada", scope)
    assert (await client.ask("POST", f"{PATH}/try-filter", {}))[0] == 403


async def test_trial_of_a_narrowed_key_shows_its_events_only(client: ApiClient) -> None:
    await emit(client, "custom_order")
    await emit(client, "custom_visit")
    new: JsonValue = {"name": "narrow", "events": ["custom_visit"]}
    key = str((await client.post("/keys/create", new))["key"])
    async with ApiClient(client.url, key) as narrow:
        found = await narrow.post(f"{PATH}/try-filter", {})
    assert [row["event_type"] for row in list_documents(found["events"])] == ["custom_visit"]


async def test_dry_run_of_a_replay_counts_the_missing_deliveries(
    client: ApiClient, receiver: WebhookReceiver
) -> None:
    for total in (40, 400, 500):
        await emit(client, "custom_order", total=total)
    webhook = await register(client, receiver.url, event_types=["custom_*"], filter=LARGE)
    await emit(client, "custom_order", total=600)
    await wait_for_deliveries(client, webhook)
    body: JsonValue = {"since": BEGINNING, "dry_run": True}
    found = await client.post(f"{PATH}/{webhook['id']}/replay", body)
    assert found == {"count": 2, "dry_run": True}
    assert (await client.get("/operations"))["data"] == []
    assert len(receiver.requests) == 1


async def test_dry_run_of_a_recovery_counts_the_failed_deliveries(
    client: ApiClient, receiver: WebhookReceiver
) -> None:
    receiver.status = 500
    webhook = await register(client, receiver.url, event_types=["custom_*"])
    for _ in range(3):
        await emit(client)
    await wait_for_deliveries(client, webhook, 3)
    body: JsonValue = {"since": BEGINNING, "dry_run": True}
    found = await client.post(f"{PATH}/{webhook['id']}/recover", body)
    assert found == {"count": 3, "dry_run": True}
    assert (await client.get("/operations"))["data"] == []
    assert len(receiver.requests) == 3


async def test_explanation_of_one_webhook(client: ApiClient) -> None:
    first = await register(client, "https://example.com/1")
    await register(client, "https://example.com/2")
    event = await emit(client)
    path = f"{PATH}/explain?event_id={event['id']}&webhook_id="
    (row,) = list_documents((await client.get(f"{path}{first['id']}"))["webhooks"])
    assert row["webhook_id"] == first["id"]
    assert (await client.ask("GET", f"{path}99"))[0] == 404
