"""Waits that receivers ask for by Retry-After."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from aiohttp import web
from conftest import Restart
from pydantic import JsonValue
from support.webhooks import PATH, Document, emit, list_deliveries, register, wait_for_deliveries

from biont.testing import ApiClient, ManualClock, WebhookReceiver


def refuse(receiver: WebhookReceiver, retry_after: str | None = "30", status: int = 429) -> None:
    """Let the receiver refuse each request from now on."""

    async def respond(_: web.Request) -> web.Response:
        headers = {} if retry_after is None else {"Retry-After": retry_after}
        return web.Response(status=status, headers=headers)

    receiver.respond = respond


async def accept(_: web.Request) -> web.Response:
    return web.Response()


async def read_wait(client: ApiClient, webhook: Document) -> JsonValue:
    return (await client.get(f"{PATH}/{webhook['id']}"))["waits_until"]


async def wait_for_statuses(client: ApiClient, webhook: Document, *statuses: str) -> None:
    """Wait until the deliveries of a webhook, the newest first, have these statuses."""
    async with asyncio.timeout(30):
        while [row["status"] for row in await list_deliveries(client, webhook)] != list(statuses):
            pass


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("retry_after", ["30", "Mon, 02 Mar 2026 12:00:30 GMT"])
async def test_retry_after_stops_all_attempts_of_a_webhook_until_then(
    client: ApiClient, receiver: WebhookReceiver, clock: ManualClock, status: int, retry_after: str
) -> None:
    refuse(receiver, retry_after, status)
    webhook = await register(client, receiver.url)
    for _ in range(5):
        await emit(client)
    await wait_for_statuses(client, webhook, *["pending"] * 4, "failed")
    assert await read_wait(client, webhook) == "2026-03-02T12:00:30Z"

    receiver.respond = accept
    clock.advance(seconds=29)
    await emit(client)
    other = await register(client, receiver.url, event_types=["custom_other"])
    await emit(client, "custom_other")
    await wait_for_deliveries(client, other)
    assert len(receiver.requests) == 2  # the refused request, and the other webhook's

    clock.advance(seconds=1)
    await emit(client)
    await wait_for_deliveries(client, webhook, 8)
    statuses = [row["status"] for row in await list_deliveries(client, webhook)]
    assert statuses == [*["succeeded"] * 7, "failed"]
    assert await read_wait(client, webhook) is None


async def test_attempts_go_on_by_themselves_after_the_wait(
    client: ApiClient, receiver: WebhookReceiver, clock: ManualClock
) -> None:
    refuse(receiver, "1")
    webhook = await register(client, receiver.url)
    await emit(client)
    await wait_for_deliveries(client, webhook)
    receiver.respond = accept
    await emit(client)
    clock.advance(seconds=1)
    await wait_for_statuses(client, webhook, "succeeded", "failed")


@pytest.mark.parametrize(
    ("status", "retry_after"),
    [(429, None), (503, "soon"), (429, "0"), (503, "Mon, 02 Mar 2026 11:00:00 GMT"), (500, "30")],
)
async def test_other_answers_ask_for_no_wait(
    client: ApiClient, receiver: WebhookReceiver, status: int, retry_after: str | None
) -> None:
    refuse(receiver, retry_after, status)
    webhook = await register(client, receiver.url)
    for _ in range(3):
        await emit(client)
    await receiver.wait_for(3)
    await wait_for_deliveries(client, webhook, 3)
    assert await read_wait(client, webhook) is None


@pytest.mark.parametrize("retry_after", ["3601", "9" * 30, "Mon, 02 Mar 2036 12:00:00 GMT"])
async def test_an_endpoint_waits_an_hour_at_most(
    client: ApiClient, receiver: WebhookReceiver, clock: ManualClock, retry_after: str
) -> None:
    refuse(receiver, retry_after)
    webhook = await register(client, receiver.url, retry="standard")
    await emit(client)
    await client.get_until(f"{PATH}/{webhook['id']}", lambda view: view["waits_until"])
    assert await read_wait(client, webhook) == "2026-03-02T13:00:00Z"
    # The refused delivery itself waits as long as asked, a day at most.
    (delivery,) = await list_deliveries(client, webhook)
    due = datetime.fromisoformat(str(delivery["due_at"]))
    assert timedelta(hours=1) < due - clock.now() <= timedelta(days=1)


async def test_tests_and_resends_are_sent_during_the_wait(
    client: ApiClient, receiver: WebhookReceiver
) -> None:
    refuse(receiver)
    webhook = await register(client, receiver.url)
    await emit(client)
    (failed,) = await wait_for_deliveries(client, webhook)
    await emit(client)
    (waiting, _) = await list_deliveries(client, webhook)

    receiver.respond = accept
    await client.post(f"{PATH}/{webhook['id']}/test")
    await client.post(f"{PATH}/{webhook['id']}/deliveries/{failed['id']}/resend")
    await client.post(f"{PATH}/{webhook['id']}/deliveries/{waiting['id']}/resend")
    await wait_for_statuses(client, webhook, *["succeeded"] * 3)
    assert await read_wait(client, webhook) == "2026-03-02T12:00:30Z"
    await emit(client)
    await wait_for_statuses(client, webhook, "pending", *["succeeded"] * 3)


@pytest.mark.parametrize("remedy", ["resume", "pause and resume", "url"])
async def test_a_resume_or_another_url_ends_the_wait(
    client: ApiClient, receiver: WebhookReceiver, remedy: str
) -> None:
    refuse(receiver)
    webhook = await register(client, receiver.url)
    path = f"{PATH}/{webhook['id']}"
    await emit(client)
    await wait_for_deliveries(client, webhook)
    await emit(client)
    receiver.respond = accept
    await client.ask("PATCH", path, {"name": "still waits", "url": receiver.url})
    assert await read_wait(client, webhook) is not None
    if remedy == "url":
        await client.ask("PATCH", path, {"url": f"{receiver.url}/other"})
    for action in remedy.split(" and ") if remedy != "url" else ():
        await client.post(f"{path}/{action}")
    await wait_for_statuses(client, webhook, "succeeded", "failed")
    assert await read_wait(client, webhook) is None


async def test_a_wait_that_the_former_url_asks_for_does_not_hold_the_new_one(
    client: ApiClient, receiver: WebhookReceiver
) -> None:
    gate = asyncio.Event()

    async def respond(_: web.Request) -> web.Response:
        await gate.wait()
        return web.Response(status=429, headers={"Retry-After": "30"})

    receiver.respond = respond
    webhook = await register(client, receiver.url)
    await emit(client)
    await receiver.wait_for(1)
    async with WebhookReceiver() as other:
        await client.ask("PATCH", f"{PATH}/{webhook['id']}", {"url": other.url})
        gate.set()
        await wait_for_deliveries(client, webhook)
        assert await read_wait(client, webhook) is None
        await emit(client)
        await other.wait_for(1)


async def test_a_wait_survives_a_restart(
    restart: Restart, receiver: WebhookReceiver, clock: ManualClock
) -> None:
    refuse(receiver)
    async with restart() as client:
        webhook = await register(client, receiver.url)
        await emit(client)
        await wait_for_deliveries(client, webhook)
    receiver.respond = accept
    clock.advance(seconds=10)
    async with restart() as client:
        await emit(client)
        await emit(client)
        await client.post(f"{PATH}/{webhook['id']}/test")
        await wait_for_statuses(client, webhook, "succeeded", "pending", "pending", "failed")
        assert await read_wait(client, webhook) == "2026-03-02T12:00:30Z"
        clock.advance(seconds=20)
        await emit(client)
        await receiver.wait_for(5)


async def test_a_clock_that_is_set_back_does_not_lengthen_a_wait(
    client: ApiClient, receiver: WebhookReceiver, clock: ManualClock
) -> None:
    refuse(receiver)
    webhook = await register(client, receiver.url)
    await emit(client)
    await wait_for_deliveries(client, webhook)
    receiver.respond = accept
    clock.advance(days=-3)
    assert await read_wait(client, webhook) is None
    await emit(client)
    await receiver.wait_for(2)
