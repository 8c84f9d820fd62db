"""Lists of deliveries, test deliveries, resend and recovery."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import JsonValue
from standardwebhooks import Webhook
from support.webhooks import (
    PATH,
    Document,
    emit,
    list_deliveries,
    list_documents,
    list_pointers,
    register,
    run_operation,
    wait_for_deliveries,
)

from biont.testing import ApiClient, MakeClient, ManualClock, WebhookReceiver


def point(webhook: Document, action: str) -> str:
    return f"{PATH}/{webhook['id']}/{action}"


async def wait_for_attempts(client: ApiClient, webhook: Document, count: int) -> Document:
    """Wait until the newest delivery has so many attempts; return it."""

    def attempted(page: Document) -> bool:
        found = list_documents(page["data"])
        return bool(found) and len(list_documents(found[0]["attempts"])) >= count

    page = await client.get_until(point(webhook, "deliveries"), attempted)
    return list_documents(page["data"])[0]


async def test_test_delivery_is_signed_and_reaches_one_webhook_alone(
    client: ApiClient, receiver: WebhookReceiver, clock: ManualClock
) -> None:
    clock.at = datetime.now(UTC)  # the library refuses what is older than five minutes
    webhook = await register(client, receiver.url, event_types=["note_created"])
    other = await register(client, receiver.url)
    status, test = await client.ask("POST", point(webhook, "test"))
    assert status == 201
    assert test["event_type"] == "webhook_test"

    (request,) = await receiver.wait_for(1)
    Webhook(str(webhook["secret"])).verify(request.body.decode(), dict(request.headers))
    assert request.event["id"] == test["event_id"]
    assert request.event["event_type"] == "webhook_test"
    assert request.event["payload"] == {"webhook_id": webhook["id"]}

    (delivery,) = await wait_for_deliveries(client, webhook)
    (attempt,) = list_documents(delivery["attempts"])
    assert (delivery["id"], attempt["trigger"]) == (test["id"], "test")
    assert await list_deliveries(client, other) == []
    assert (await client.get("/events"))["data"] == []


async def test_resend_attempts_a_delivery_in_any_status(
    client: ApiClient, receiver: WebhookReceiver
) -> None:
    webhook = await register(client, receiver.url)
    receiver.status = 500
    await emit(client, number=1)
    delivery = await wait_for_attempts(client, webhook, 1)
    resend = point(webhook, f"deliveries/{delivery['id']}/resend")

    receiver.status = 200
    await client.post(resend)
    delivery = await wait_for_attempts(client, webhook, 2)
    assert delivery["status"] == "succeeded"

    await client.post(resend)
    delivery = await wait_for_attempts(client, webhook, 3)
    assert delivery["status"] == "succeeded"
    triggers = [attempt["trigger"] for attempt in list_documents(delivery["attempts"])]
    assert triggers == ["event", "resend", "resend"]
    first, *again = receiver.requests
    assert [request.body for request in again] == [first.body, first.body]


async def test_resend_of_a_pending_delivery_keeps_its_retries(
    client: ApiClient, receiver: WebhookReceiver
) -> None:
    webhook = await register(client, receiver.url, retry=[3600, 3600])
    receiver.status = 500
    await emit(client)
    delivery = await wait_for_attempts(client, webhook, 1)
    await client.post(point(webhook, f"deliveries/{delivery['id']}/resend"))
    delivery = await wait_for_attempts(client, webhook, 2)
    assert delivery["status"] == "pending"


async def test_recovery_attempts_failed_deliveries_since_an_instant(
    client: ApiClient, receiver: WebhookReceiver, clock: ManualClock
) -> None:
    webhook = await register(client, receiver.url, event_types=["custom_*"])
    await emit(client, number=0)
    await wait_for_deliveries(client, webhook, 1)
    receiver.status = 500
    for number in (1, 2, 3):
        clock.advance(hours=1)
        await emit(client, number=number)
        await wait_for_deliveries(client, webhook, number + 1)

    receiver.status = 200
    since = (clock.now() - timedelta(hours=1)).isoformat()
    recovered = await run_operation(client, point(webhook, "recover"), {"since": since})
    assert [recovered[name] for name in ("status", "counted", "done")] == ["done", 2, 2]
    third, second, first, zeroth = await wait_for_deliveries(client, webhook, 4)
    statuses = [row["status"] for row in (zeroth, first, second, third)]
    assert statuses == ["succeeded", "failed", "succeeded", "succeeded"]
    for delivery in (second, third):
        triggers = [attempt["trigger"] for attempt in list_documents(delivery["attempts"])]
        assert triggers == ["event", "recover"]
    again = await run_operation(client, point(webhook, "recover"), {"since": since})
    assert [again[name] for name in ("status", "counted", "done")] == ["done", 0, 0]


async def test_recovery_of_many_deliveries_takes_several_writes(
    client: ApiClient, receiver: WebhookReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("FIRST_ROWS", "MOST_ROWS"):
        monkeypatch.setattr(f"biont.operations.operations.{name}", 3)
    webhook = await register(client, receiver.url, event_types=["custom_*"])
    receiver.status = 500
    for number in range(7):
        await emit(client, number=number)
    await wait_for_deliveries(client, webhook, 7)
    receiver.status = 200
    since = "2026-03-02T13:00:00+01:00"  # the same instant, in another zone
    recovery = await run_operation(client, point(webhook, "recover"), {"since": since})
    assert recovery["done"] == 7
    recovered = await wait_for_deliveries(client, webhook, 7)
    assert {row["status"] for row in recovered} == {"succeeded"}


async def test_deliveries_are_found_by_status_type_and_time(
    client: ApiClient, receiver: WebhookReceiver, clock: ManualClock
) -> None:
    webhook = await register(client, receiver.url)
    events = []
    for event_type, status in (("custom_a", 200), ("custom_b", 500), ("custom_a", 500)):
        receiver.status = status
        events.append((await emit(client, event_type))["id"])
        await wait_for_deliveries(client, webhook, len(events))
        clock.advance(hours=1)
    first, second, third = events

    async def find(query: str) -> list[JsonValue]:
        return [row["event_id"] for row in await list_deliveries(client, webhook, query)]

    assert await find("") == [third, second, first]
    assert await find("?status=failed") == [third, second]
    assert await find("?event_type=custom_a") == [third, first]
    assert await find("?status=failed&event_type=custom_a") == [third]
    assert await find("?since=2026-03-02T13:00:00Z") == [third, second]
    assert await find("?until=2026-03-02T13:00:00Z") == [first]
    assert await find("?since=2026-03-02T13:00:00Z&until=2026-03-02T14:00:00Z") == [second]
    assert await find("?since=2026-03-02T14:00:00%2B01:00&status=succeeded") == []
    assert await find("?status=pending") == []
    assert await find("?status=failed&status=succeeded") == [third, second, first]
    assert await find("?status=succeeded&status=pending") == [first]
    assert await find("?event_type=custom_*") == [third, second, first]
    assert await find("?event_type=custom_a*&status=failed") == [third]
    assert await find("?event_type=*") == [third, second, first]
    assert await find("?event_type=note_*") == []
    assert await find(f"?event_id={second}") == [second]
    assert await find(f"?event_id={second}&status=succeeded") == []
    assert await find("?event_id=none") == []
    assert await find("?status_code=500") == [third, second]
    assert await find("?status_code=404") == []
    assert await find("?error_class=status&error_class=timeout") == [third, second]
    assert await find("?error_class=timeout") == []
    assert await find("?status_code=500&error_class=status&event_type=custom_b") == [second]


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("status=done", "status"),
        ("status=failed&status=done", "status"),
        ("event_type=note_*&event_type=task_*", "event_type"),
        ("event_type=*_created", "event_type"),
        ("status_code=500&status_code=404", "status_code"),
        ("status_code=5xx", "status_code"),
        ("error_class=none", "error_class"),
        ("event_id=a&event_id=b", "event_id"),
    ],
)
async def test_a_filter_that_is_no_list_or_has_no_such_value_is_refused(
    client: ApiClient, query: str, place: str
) -> None:
    webhook = await register(client, "https://example.com/hook")
    status, problem = await client.ask("GET", f"{point(webhook, 'deliveries')}?{query}")
    (error,) = list_documents(problem["errors"])
    assert (status, error.get("parameter", error.get("pointer"))) == (422, place), problem


async def test_delivery_is_read_by_number(client: ApiClient, receiver: WebhookReceiver) -> None:
    webhook = await register(client, receiver.url)
    await emit(client)
    (delivery,) = await wait_for_deliveries(client, webhook)
    path = point(webhook, f"deliveries/{delivery['id']}")
    assert await client.get(path) == delivery
    assert delivery["created_at"] == "2026-03-02T12:00:00Z"
    assert delivery["due_at"] is None


async def test_deliveries_of_other_webhooks_and_users_are_hidden(
    open_client: MakeClient, receiver: WebhookReceiver
) -> None:
    ada, eve = await open_client("ada"), await open_client("eve")
    webhook, other = await register(ada, receiver.url), await register(ada, receiver.url)
    await ada.post(point(webhook, "test"))
    (delivery,) = await wait_for_deliveries(ada, webhook)
    for client, owner, number in (
        (eve, webhook, delivery["id"]),
        (ada, other, delivery["id"]),
        (ada, webhook, 999),
    ):
        path = point(owner, f"deliveries/{number}")
        assert (await client.ask("GET", path))[0] == 404
        assert (await client.ask("POST", f"{path}/resend"))[0] == 404
    assert await ada.get(point(webhook, f"deliveries/{delivery['id']}")) == delivery
    body: JsonValue = {"since": "2026-03-02T12:00:00Z"}
    for action, content in (("test", None), ("recover", body), ("pause", None), ("resume", None)):
        assert (await eve.ask("POST", point(webhook, action), content))[0] == 404
    assert (await eve.ask("POST", point(webhook, "rotate-secret")))[0] == 404
    assert (await eve.ask("PATCH", f"{PATH}/{webhook['id']}", {"name": "mine"}))[0] == 404


@pytest.mark.parametrize(
    "since", ["2026-03-02T12:00:00", "yesterday", "0001-01-01T00:00:00+14:00", None]
)
async def test_recovery_needs_an_instant(client: ApiClient, since: JsonValue) -> None:
    webhook = await register(client, "https://example.com/hook")
    pointers = await list_pointers(client, "POST", point(webhook, "recover"), {"since": since})
    assert pointers == ["#/since"]
