"""Explanations of the webhooks that receive an event."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime

import pytest
from pydantic import JsonValue
from standardwebhooks import Webhook
from support.webhooks import (
    PATH,
    Document,
    emit,
    list_documents,
    register,
    wait_for_deliveries,
)

from biont import Scope, Workbench
from biont.testing import ApiClient, MakeClient, ManualClock, WebhookReceiver
from biont_webhooks import tables


async def explain(client: ApiClient, event: Document, more: str = "") -> Document:
    return await client.get(f"{PATH}/explain?event_id={event['id']}{more}")


async def test_explanation_names_the_deciding_field(
    client: ApiClient, workbench: Workbench
) -> None:
    url = "https://example.com/hook"
    large: JsonValue = {"path": "total", "op": "gt", "value": 100}
    paid: JsonValue = {"path": "paid", "op": "eq", "value": True}
    paused = await register(client, url, name="paused")
    disabled = await register(client, url)
    await register(client, url, event_types=["note_*", "task_completed"])
    await register(client, url, event_types=["note_*", "custom_*"])
    await register(client, url, filter={"and": [paid, large]})
    await register(client, url, filter={"or": [large, paid]})
    await client.post(f"{PATH}/{paused['id']}/pause")

    def disable() -> None:
        tables.Webhook.update(status="disabled", disabled_reason="nothing has succeeded").where(
            tables.Webhook.id == disabled["id"]
        ).execute()

    await workbench.store.write(disable)
    event = await emit(client, "custom_order", total=40, paid=True)
    explained = await explain(client, event)
    assert explained["event_type"] == "custom_order"
    found = [
        (row["gets_it"], row["pointer"], row["reason"])
        for row in reversed(list_documents(explained["webhooks"]))
    ]
    assert found == [
        (False, "#/status", "the webhook is paused"),
        (False, "#/status", "the webhook is disabled: nothing has succeeded"),
        (False, "#/event_types", "no pattern matches custom_order"),
        (True, "#/event_types/1", "custom_* matches custom_order"),
        (False, "#/filter/and/1", "total is 40, which is not > 100"),
        (True, "#/filter/or/1", "paid is true"),
    ]
    for row in list_documents(explained["webhooks"]):
        assert (row["headers"] is not None) is row["gets_it"]


async def test_explanation_shortens_a_long_value(client: ApiClient) -> None:
    filtered: JsonValue = {"path": "text", "op": "eq", "value": "short"}
    await register(client, "https://example.com/hook", filter=filtered)
    explained = await explain(client, await emit(client, text="x" * 500))
    (row,) = list_documents(explained["webhooks"])
    assert f'text is "{"x" * 76}..., which' in str(row["reason"])


async def test_explanation_shows_the_request_as_sent(
    client: ApiClient, receiver: WebhookReceiver, clock: ManualClock
) -> None:
    clock.at = datetime.now(UTC)  # the library refuses what is older than five minutes
    webhook = await register(client, receiver.url, headers={"Authorization": "Bearer t0k3n"})
    event = await emit(client, text="Grüße")
    (request,) = await receiver.wait_for(1)
    (delivery,) = await wait_for_deliveries(client, webhook)

    explained = await explain(client, event)
    (row,) = list_documents(explained["webhooks"])
    headers, body = row["headers"], str(explained["body"])
    assert isinstance(headers, dict)
    assert body.encode() == request.body
    assert row["delivery_id"] == delivery["id"]
    assert headers.pop("Authorization") == "********"
    assert {name: request.headers[name] for name in headers} == headers
    Webhook(str(webhook["secret"])).verify(body, {key: str(headers[key]) for key in headers})
    expected = hmac.new(str(webhook["secret"]).encode(), body.encode(), hashlib.sha256)
    assert headers["X-ASI-Signature"] == expected.hexdigest()


async def test_many_webhooks_are_explained_in_pages(client: ApiClient) -> None:
    for _ in range(3):
        await register(client, "https://example.com/hook", event_types=["note_created"])
    event = await emit(client)
    first = await explain(client, event, "&limit=2")
    second = await explain(client, event, f"&limit=2&cursor={first['next']}")
    rows = [*list_documents(first["webhooks"]), *list_documents(second["webhooks"])]
    assert [row["webhook_id"] for row in rows] == [3, 2, 1]
    assert second["next"] is None


async def test_events_of_other_users_are_not_explained(open_client: MakeClient) -> None:
    ada, eve = await open_client("ada"), await open_client("eve")
    event = await emit(ada)
    path = f"{PATH}/explain?event_id="
    assert (await eve.ask("GET", f"{path}{event['id']}"))[0] == 404
    assert (await ada.ask("GET", f"{path}nothing"))[0] == 404
    webhook_key = await open_client("ada", Scope.WEBHOOK)
    assert (await webhook_key.ask("GET", f"{path}{event['id']}"))[0] == 200


@pytest.mark.parametrize("sections", [{"plugins": {"disable": ["audit"]}}])
async def test_missing_event_log_is_reported(client: ApiClient) -> None:
    webhook = await register(client, "https://example.com/hook")
    body: JsonValue = {"since": "2026-03-01T00:00:00Z"}
    for answer in (
        await client.ask("GET", f"{PATH}/explain?event_id=x"),
        await client.ask("POST", f"{PATH}/{webhook['id']}/replay", body),
    ):
        assert answer[0] == 409
        assert "audit" in str(answer[1]["detail"])
