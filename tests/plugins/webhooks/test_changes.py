"""Changes, pauses and resumes of webhooks."""

from __future__ import annotations

import pytest
from pydantic import JsonValue
from support.webhooks import (
    PATH,
    emit,
    leave_pending,
    list_deliveries,
    list_pointers,
    register,
    wait_for_deliveries,
)

from biont import Workbench
from biont.testing import ApiClient, ManualClock, WebhookReceiver
from biont_webhooks.tables import Webhook

CHANGES: list[dict[str, JsonValue]] = [
    {"name": "another"},
    {"url": "https://example.com/other"},
    {"event_types": ["note_created", "task_*"]},
    {"filter": {"path": "a", "op": "exists"}},
    {"success": "2xx"},
    {"retry": "standard"},
    {"retry": [1.5]},
    {"rate": 0.5},
    {"concurrency": 1},
]


def point(webhook: dict[str, JsonValue], action: str = "") -> str:
    return f"{PATH}/{webhook['id']}{action}"


async def patch(
    client: ApiClient, webhook: dict[str, JsonValue], change: dict[str, JsonValue]
) -> dict[str, JsonValue]:
    status, changed = await client.ask("PATCH", point(webhook), change)
    assert status == 200, changed
    return changed


@pytest.mark.parametrize("change", CHANGES)
async def test_change_keeps_the_other_fields(
    client: ApiClient, clock: ManualClock, change: dict[str, JsonValue]
) -> None:
    webhook = await register(client, "https://example.com/hook", headers={"X-A": "1"})
    del webhook["secret"]
    clock.advance(minutes=1)
    changed = await patch(client, webhook, change)
    assert changed == {**webhook, **change, "updated_at": "2026-03-02T12:01:00Z"}
    assert {**await client.get(point(webhook)), "warnings": []} == changed


@pytest.mark.parametrize("field", ["name", "filter", "headers", "rate", "concurrency"])
async def test_null_resets_an_optional_field(client: ApiClient, field: str) -> None:
    chosen: dict[str, JsonValue] = {
        "name": "a name",
        "filter": {"path": "a", "op": "exists"},
        "headers": {"X-A": "1"},
        "rate": 1.0,
        "concurrency": 2,
    }
    webhook = await register(client, "https://example.com/hook", **chosen)
    assert not (await patch(client, webhook, {field: None}))[field]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"url": "http://10.0.0.1/hook"}, "#/url"),
        ({"url": None}, "#/url"),
        ({"event_types": None}, "#/event_types"),
        ({"success": None}, "#/success"),
        ({"retry": None}, "#/retry"),
        ({"headers": {"Host": "example.com"}}, "#/headers/Host"),
        ({"secret": "a-secret-of-my-very-own"}, "#/secret"),
        ({"status": "paused"}, "#/status"),
    ],
)
async def test_invalid_change_is_refused_with_a_pointer(
    client: ApiClient, change: dict[str, JsonValue], pointer: str
) -> None:
    webhook = await register(client, "https://example.com/hook")
    assert await list_pointers(client, "PATCH", point(webhook), change) == [pointer]
    del webhook["secret"], webhook["warnings"]
    assert await client.get(point(webhook)) == webhook


async def test_change_applies_to_the_next_event(
    client: ApiClient, receiver: WebhookReceiver
) -> None:
    webhook = await register(client, receiver.url)
    await emit(client, "custom_a")
    await receiver.wait_for(1)
    await patch(
        client,
        webhook,
        {"event_types": ["custom_c"], "headers": {"X-A": "1"}, "filter": None},
    )
    for event_type in ("custom_a", "custom_b", "custom_c"):
        await emit(client, event_type)
    requests = await receiver.wait_for(2)
    assert [request.event["event_type"] for request in requests] == ["custom_a", "custom_c"]
    assert "X-A" not in requests[0].headers
    assert requests[1].headers["X-A"] == "1"


async def test_paused_webhook_gets_no_deliveries(
    client: ApiClient, receiver: WebhookReceiver
) -> None:
    webhook = await register(client, receiver.url)
    assert (await client.post(point(webhook, "/pause")))["status"] == "paused"
    await emit(client, "custom_a")
    assert (await client.post(point(webhook, "/pause")))["status"] == "paused"
    assert (await client.post(point(webhook, "/resume")))["status"] == "active"
    await emit(client, "custom_b")
    (request,) = await receiver.wait_for(1)
    assert request.event["event_type"] == "custom_b"
    assert len(await wait_for_deliveries(client, webhook)) == 1


async def test_pending_deliveries_of_a_paused_webhook_wait_for_the_resume(
    client: ApiClient, receiver: WebhookReceiver
) -> None:
    webhook = await register(client, receiver.url)
    event = await leave_pending(client, webhook)
    other = await register(client, receiver.url)
    await emit(client)
    await wait_for_deliveries(client, other)
    assert [row["status"] for row in await list_deliveries(client, webhook)] == ["pending"]
    assert len(receiver.requests) == 1

    await client.post(point(webhook, "/resume"))
    _, request = await receiver.wait_for(2)
    assert request.event["id"] == event["id"]


async def test_pending_delivery_goes_to_the_changed_url(
    client: ApiClient, receiver: WebhookReceiver, unused_tcp_port: int
) -> None:
    webhook = await register(client, f"http://127.0.0.1:{unused_tcp_port}/")
    await leave_pending(client, webhook)
    await patch(client, webhook, {"url": receiver.url})
    await client.post(point(webhook, "/resume"))
    (delivery,) = await wait_for_deliveries(client, webhook)
    assert delivery["status"] == "succeeded"


def disable() -> None:
    Webhook.update(
        status="disabled", disabled_reason="gone", failing_since=ManualClock().now()
    ).execute()


async def test_a_disabled_webhook_can_be_resumed_but_not_paused(
    client: ApiClient, workbench: Workbench, receiver: WebhookReceiver
) -> None:
    webhook = await register(client, receiver.url)
    await workbench.store.write(disable)
    shown = await client.get(point(webhook))
    assert (shown["status"], shown["disabled_reason"]) == ("disabled", "gone")
    assert (await client.ask("POST", point(webhook, "/pause")))[0] == 409

    resumed = await client.post(point(webhook, "/resume"))
    assert resumed["status"] == "active"
    assert resumed["disabled_reason"] is None
    assert resumed["failing_since"] is None
    await emit(client)
    await receiver.wait_for(1)
