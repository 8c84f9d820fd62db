"""Tests and resends, which are sent at once in any state of the webhook."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web
from conftest import Restart
from pydantic import JsonValue
from support.webhooks import (
    PATH,
    Crowd,
    Document,
    emit,
    list_deliveries,
    list_documents,
    register,
    wait_for_deliveries,
)

from biont.testing import ApiClient, WebhookReceiver


def attempts_of(delivery: Document) -> list[Document]:
    return list_documents(delivery["attempts"])


async def stop_deliveries(
    client: ApiClient, receiver: WebhookReceiver, webhook: Document, state: str
) -> None:
    """Pause a webhook, or let its receiver disable the webhook."""
    if state == "paused":
        await client.post(f"{PATH}/{webhook['id']}/pause")
        return
    receiver.status = 410
    await emit(client)
    await client.get_until(f"{PATH}/{webhook['id']}", lambda view: view["status"] == "disabled")
    receiver.status = 200


async def wait_for_decision(
    client: ApiClient, webhook: Document, delivery_id: JsonValue
) -> Document:
    return await client.get_until(
        f"{PATH}/{webhook['id']}/deliveries/{delivery_id}", lambda row: row["status"] != "pending"
    )


@pytest.mark.parametrize("state", ["paused", "disabled"])
async def test_tests_and_resends_of_a_stopped_webhook_are_sent_at_once(
    client: ApiClient, receiver: WebhookReceiver, state: str
) -> None:
    webhook = await register(client, receiver.url, retry="standard")
    await emit(client)
    (delivered,) = await wait_for_deliveries(client, webhook)
    await stop_deliveries(client, receiver, webhook, state)
    test = await client.post(f"{PATH}/{webhook['id']}/test")
    assert (await wait_for_decision(client, webhook, test["id"]))["status"] == "succeeded"
    await client.post(f"{PATH}/{webhook['id']}/deliveries/{delivered['id']}/resend")
    resent = await wait_for_decision(client, webhook, delivered["id"])
    triggers = [attempt["trigger"] for attempt in list_documents(resent["attempts"])]
    assert triggers == ["event", "resend"]
    assert (await client.get(f"{PATH}/{webhook['id']}"))["status"] == state
    await emit(client)
    assert {row["status"] for row in await list_deliveries(client, webhook)} <= {
        "succeeded",
        "failed",
    }


async def test_a_pending_delivery_of_a_paused_webhook_is_resent_with_the_present_url(
    client: ApiClient, receiver: WebhookReceiver
) -> None:
    webhook = await register(client, "http://127.0.0.1:9/refuses", retry=[3600])
    await emit(client)

    def was_attempted(page: Document) -> bool:
        return any(row["attempts"] for row in list_documents(page["data"]))

    page = await client.get_until(f"{PATH}/{webhook['id']}/deliveries", was_attempted)
    (pending,) = list_documents(page["data"])
    await client.post(f"{PATH}/{webhook['id']}/pause")
    await client.ask("PATCH", f"{PATH}/{webhook['id']}", {"url": receiver.url})
    await client.post(f"{PATH}/{webhook['id']}/deliveries/{pending['id']}/resend")
    decided = await wait_for_decision(client, webhook, pending["id"])
    assert decided["status"] == "succeeded"
    assert len(receiver.requests) == 1


async def test_a_requested_attempt_passes_by_a_queue_that_hangs(
    client: ApiClient, receiver: WebhookReceiver
) -> None:
    gate = asyncio.Event()

    async def respond(_: web.Request) -> web.Response:
        if len(receiver.requests) == 1:
            await gate.wait()
        return web.Response()

    receiver.respond = respond
    webhook = await register(client, receiver.url, rate=0.001)
    for _ in range(3):
        await emit(client)
    await receiver.wait_for(1)
    last, _, first = await list_deliveries(client, webhook)
    test = await client.post(f"{PATH}/{webhook['id']}/test")
    await client.post(f"{PATH}/{webhook['id']}/deliveries/{last['id']}/resend")
    await client.post(f"{PATH}/{webhook['id']}/deliveries/{first['id']}/resend")
    await wait_for_decision(client, webhook, test["id"])
    await wait_for_decision(client, webhook, last["id"])
    gate.set()
    await wait_for_decision(client, webhook, first["id"])
    statuses = [row["status"] for row in await list_deliveries(client, webhook)]
    assert statuses == ["succeeded", "succeeded", "pending", "succeeded"]
    assert len(receiver.requests) == 3


@pytest.mark.parametrize("sections", [{"server": {"shutdown_timeout": 0.1}}])
async def test_requested_attempts_that_a_stop_leaves_are_made_after_the_start(
    restart: Restart, receiver: WebhookReceiver
) -> None:
    async def hang(_: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError("nobody sets it")

    receiver.respond = hang
    async with restart() as client:
        webhook = await register(client, receiver.url)
        for _ in range(20):
            await client.post(f"{PATH}/{webhook['id']}/test")
        await receiver.wait_for(8)
    assert len(receiver.requests) == 8
    receiver.respond = None
    async with restart() as client:
        deliveries = await wait_for_deliveries(client, webhook, 20)
        assert {row["status"] for row in deliveries} == {"succeeded"}
        again = [attempt["redelivered"] for row in deliveries for attempt in attempts_of(row)]
        assert sorted(map(bool, again)) == [False] * 12 + [True] * 8


async def test_many_requested_attempts_open_a_few_connections(
    client: ApiClient, receiver: WebhookReceiver
) -> None:
    crowd = Crowd()
    receiver.respond = crowd.respond
    webhook = await register(client, receiver.url)
    await client.post(f"{PATH}/{webhook['id']}/pause")
    for _ in range(20):
        await client.post(f"{PATH}/{webhook['id']}/test")
    crowd.gate.set()
    await wait_for_deliveries(client, webhook, 20)
    assert crowd.most <= 8
