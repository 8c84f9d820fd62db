"""Acknowledged events survive ``kill -9``."""

from __future__ import annotations

import asyncio
import random

from aiohttp import ClientError
from conftest import MakeKey, StartServer
from standardwebhooks import Webhook

from biont.testing import ApiClient, WebhookReceiver

ROUNDS = 20
CLIENTS = 8


async def emit_until_killed(client: ApiClient, acknowledged: set[str]) -> None:
    """Emit the next event after each acknowledgement, until the server is killed."""
    try:
        while True:
            event = await client.post("/events", {"event_type": "custom_sale", "payload": {}})
            acknowledged.add(str(event["id"]))
    except ClientError:
        return


async def test_every_acknowledged_event_is_delivered_after_kill_9(
    start_server: StartServer, make_key: MakeKey, receiver: WebhookReceiver
) -> None:
    chance = random.Random(20)  # noqa: S311  # moments, not secrets
    acknowledged: set[str] = set()
    server = await start_server()
    key = await make_key()
    async with ApiClient(server.url, key) as client:
        webhook = await client.post("/webhooks/outgoing/register", {"url": receiver.url})

    for _ in range(ROUNDS):
        async with ApiClient(server.url, key) as client:
            emitting = [
                asyncio.create_task(emit_until_killed(client, acknowledged))
                for _ in range(CLIENTS)
            ]
            # A random moment, with other events under way.
            count = len(acknowledged) + chance.randrange(1, 60)
            while len(acknowledged) < count:
                await asyncio.wait(emitting, timeout=0.001)
            await server.kill()
            await asyncio.gather(*emitting)
        await server.start()

    def received() -> set[str]:
        return {request.headers["webhook-id"] for request in receiver.requests}

    await receiver.wait_until(lambda: acknowledged <= received(), list)
    verifier = Webhook(str(webhook["secret"]))
    bodies: dict[str, bytes] = {}
    for request in receiver.requests:
        verifier.verify(request.body.decode(), dict(request.headers))
        # A repeated delivery has the same id and the same bytes.
        assert bodies.setdefault(request.headers["webhook-id"], request.body) == request.body
