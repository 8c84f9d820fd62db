"""Changes of a webhook during an attempt."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web
from conftest import Restart
from support.webhooks import (
    PATH,
    emit,
    list_deliveries,
    register,
    wait_for_deliveries,
)

from biont.testing import ApiClient, ManualClock, WebhookReceiver


class Held:
    """Answers the first request only when it is let go, by a status of its own."""

    def __init__(self, status: int) -> None:
        self.go_on = asyncio.Event()
        self._status: int | None = status

    async def respond(self, _: web.Request) -> web.Response:
        status, self._status = self._status, None
        if status is None:
            return web.Response()
        await self.go_on.wait()
        return web.Response(status=status)


async def test_attempt_that_fails_after_a_pause_and_a_resume_is_retried(
    client: ApiClient, receiver: WebhookReceiver
) -> None:
    held = Held(status=503)
    receiver.respond = held.respond
    webhook = await register(client, receiver.url, retry=[0])
    await emit(client)
    await receiver.wait_for(1)
    await client.post(f"{PATH}/{webhook['id']}/pause")
    await client.post(f"{PATH}/{webhook['id']}/resume")
    held.go_on.set()
    await receiver.wait_for(2, seconds=10)
    (delivery,) = await wait_for_deliveries(client, webhook)
    assert delivery["status"] == "succeeded"


@pytest.mark.parametrize("status", [200, 410, 500])
async def test_result_for_a_deleted_webhook_does_not_count_for_a_new_webhook(
    restart: Restart, receiver: WebhookReceiver, status: int
) -> None:
    held = Held(status)
    async with WebhookReceiver(respond=held.respond) as deleted:
        async with restart() as client:
            first = await register(client, deleted.url, retry=[0])
            await emit(client)
            await deleted.wait_for(1)
            await client.ask("DELETE", f"{PATH}/{first['id']}")
            second = await register(client, receiver.url, retry=[0])
            await emit(client)
            before = await wait_for_deliveries(client, second)
            # When it stops, it waits for what is under way, and records it.
            held.go_on.set()
        async with restart() as client:
            assert await list_deliveries(client, second) == before
            assert (await client.get(f"{PATH}/{second['id']}"))["status"] == "active"


async def test_rate_limits_events_that_arrive_one_by_one(
    client: ApiClient, receiver: WebhookReceiver
) -> None:
    async with WebhookReceiver() as quick:
        slow = await register(client, receiver.url, rate=0.01)
        prompt = await register(client, quick.url)
        for number in range(1, 4):
            await emit(client)
            await wait_for_deliveries(client, prompt, number)
            await receiver.wait_for(1)
        await client.get_until(
            f"{PATH}/{slow['id']}/deliveries?status=succeeded",
            lambda page: page["data"] != [],
        )
        await emit(client)
        await wait_for_deliveries(client, prompt, 4)
        statuses = [row["status"] for row in await list_deliveries(client, slow)]
        assert statuses == ["pending", "pending", "pending", "succeeded"]


async def test_a_retry_that_waits_is_made_after_a_restart(
    restart: Restart, receiver: WebhookReceiver, clock: ManualClock
) -> None:
    receiver.status = 500
    async with restart() as client:
        webhook = await register(client, receiver.url, retry=[1])
        await emit(client)
        await client.get_until(
            f"{PATH}/{webhook['id']}/deliveries", lambda page: "answered 500" in str(page)
        )
    receiver.status = 200
    async with restart() as client:
        (waiting,) = await list_deliveries(client, webhook)
        assert waiting["status"] == "pending"
        clock.advance(seconds=2)
        (delivery,) = await wait_for_deliveries(client, webhook)
        assert delivery["status"] == "succeeded"


@pytest.mark.parametrize("sections", [{"server": {"port": 0, "shutdown_timeout": 0.1}}])
async def test_waiting_deliveries_at_a_stop_are_delivered_after_the_restart(
    restart: Restart, receiver: WebhookReceiver
) -> None:
    receiver.status = 500
    async with restart() as client:
        webhooks = [await register(client, receiver.url) for _ in range(100)]
        await emit(client)
        for webhook in webhooks:
            await wait_for_deliveries(client, webhook)
        await emit(client, n=2)
    receiver.status = 200
    async with restart() as client:
        for webhook in webhooks:
            await wait_for_deliveries(client, webhook, 2)
