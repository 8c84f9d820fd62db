"""Connections that all webhooks share beyond one of each."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web
from support.webhooks import emit, register, wait_for_deliveries

from biont.testing import ApiClient, WebhookReceiver


@pytest.fixture
def sections() -> dict[str, object]:
    webhooks = {"connections": 2}
    return {"plugins": {"webhooks": webhooks}, "egress": {"allow": ["127.0.0.0/8:*"]}}


async def test_webhooks_share_the_connections_beyond_their_first(
    client: ApiClient, receiver: WebhookReceiver
) -> None:
    under_way, most, gate = 0, 0, asyncio.Event()
    webhooks = [await register(client, receiver.url, event_types=["custom_*"]) for _ in range(2)]
    await emit(client)
    # After the first success a webhook may have several attempts under way.
    for webhook in webhooks:
        await wait_for_deliveries(client, webhook)

    async def respond(_: web.Request) -> web.Response:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await gate.wait()
        under_way -= 1
        return web.Response()

    receiver.respond = respond
    for number in range(10):
        await emit(client, n=number)
    await receiver.wait_for(2 + 4)
    gate.set()
    await receiver.wait_for(2 + 20)
    assert most == 4
