"""What tests of webhooks do again and again."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from aiohttp import web
from pydantic import JsonValue

from biont.testing import ApiClient
from biont_webhooks.subscription.retry_policy import RetryPolicy, Success
from biont_webhooks.subscription.subscriber import Subscriber

PATH = "/webhooks/outgoing"

Document = dict[str, JsonValue]

SUBSCRIBER = Subscriber(
    id=1,
    user_id=1,
    url="https://receiver.test/",
    event_types=("*",),
    filter=None,
    keys=(),
    success=Success("2xx"),
    retry=RetryPolicy(()),
    headers={},
    rate=None,
    concurrency=None,
    is_active=True,
    waits_until=None,
)
"""A webhook as the delivery path sees it."""


@dataclass
class Crowd:
    """Responder that counts the requests under way, and answers none before the gate opens.

    Attributes:
        gate: the requests are answered when this event is set.
        most: the most requests that were under way at once.
    """

    gate: asyncio.Event = field(default_factory=asyncio.Event)
    most: int = 0
    _under_way: int = 0

    async def respond(self, _: web.Request) -> web.Response:
        """Answer a request when the gate is open."""
        self._under_way += 1
        self.most = max(self.most, self._under_way)
        await self.gate.wait()
        self._under_way -= 1
        return web.Response()


async def register(client: ApiClient, url: str, **more: JsonValue) -> Document:
    return await client.post(f"{PATH}/register", {"url": url, **more})


async def emit(
    client: ApiClient, event_type: str = "custom_sale", **payload: JsonValue
) -> Document:
    return await client.post("/events", {"event_type": event_type, "payload": payload})


def list_documents(value: JsonValue) -> list[Document]:
    """Return a list of objects as such."""
    assert isinstance(value, list)
    return [item for item in value if isinstance(item, dict)]


async def list_deliveries(client: ApiClient, webhook: Document, query: str = "") -> list[Document]:
    page = await client.get(f"{PATH}/{webhook['id']}/deliveries{query}")
    return list_documents(page["data"])


async def run_operation(client: ApiClient, path: str, body: JsonValue) -> Document:
    """Begin an operation and wait for its end; return it."""
    begun = await client.post(path, body)
    return await client.get_until(
        f"/operations/{begun['id']}", lambda operation: operation["status"] != "running"
    )


async def leave_pending(client: ApiClient, webhook: Document) -> Document:
    """Pause a webhook and give it a pending delivery; return the event."""
    await client.post(f"{PATH}/{webhook['id']}/pause")
    event = await emit(client)
    since: JsonValue = {"since": event["created_at"]}
    operation = await run_operation(client, f"{PATH}/{webhook['id']}/replay", since)
    assert operation["done"] == 1
    return event


async def wait_for_deliveries(
    client: ApiClient, webhook: Document, count: int = 1
) -> list[Document]:
    """Wait until so many deliveries are decided; return them, the newest first."""

    def decided(page: Document) -> bool:
        found = list_documents(page["data"])
        return len(found) >= count and all(row["status"] != "pending" for row in found)

    page = await client.get_until(f"{PATH}/{webhook['id']}/deliveries", decided)
    return list_documents(page["data"])


async def list_pointers(
    client: ApiClient, method: str, path: str, body: JsonValue
) -> list[JsonValue]:
    """Make a request that is refused; return what its problems point at."""
    status, problem = await client.ask(method, path, body)
    assert status == 422, problem
    return [item["pointer"] for item in list_documents(problem["errors"])]
