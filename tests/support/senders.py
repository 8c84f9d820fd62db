"""Senders: other systems that send requests to inbound webhooks."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Sequence
from io import BytesIO
from typing import NamedTuple

import aiohttp
import orjson
from pydantic import JsonValue

ISSUE: dict[str, JsonValue] = {
    "action": "opened",
    "issue": {"number": 7, "title": "It hangs", "body": "After a minute."},
}


class Sent(NamedTuple):
    """Answer to a request of another system."""

    status: int
    document: dict[str, JsonValue]


class Sender:
    """GitHub, as far as a webhook of a repository goes.

    Args:
        url: the URL of the inbound webhook.
        secret: the secret.
    """

    def __init__(self, url: str, secret: str) -> None:
        self.url = url
        self.secret = secret

    @classmethod
    def of_answer(cls, content: bytes) -> Sender:
        """Return the sender for the answer in which the API shows URL and secret."""
        made = orjson.loads(content)
        return cls(made["url"], made["secret"])

    def move(self, server: str) -> None:
        """Send to another server from now on, with the same token."""
        self.url = f"{server}/hooks/{self.url.rpartition('/')[2]}"

    async def send_many(self, deliveries: Sequence[str], clients: int = 50) -> None:
        """Send a request for each id, by several clients at once; each must be accepted."""
        left = list(reversed(deliveries))

        async def send() -> None:
            while left:
                answer = await self.send(delivery=left.pop())
                assert answer.status == 202, answer

        await asyncio.gather(*(send() for _ in range(clients)))

    async def send(
        self, body: JsonValue = None, delivery: str = "d-1", event: str = "issues", **headers: str
    ) -> Sent:
        """Send a signed request; return the answer."""
        content = orjson.dumps(ISSUE if body is None else body)
        signature = hmac.digest(self.secret.encode(), content, "sha256").hex()
        signed = {
            "Content-Type": "application/json",
            "X-GitHub-Event": event,
            "X-GitHub-Delivery": delivery,
            "X-Hub-Signature-256": f"sha256={signature}",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        return await self.post(content, signed)

    async def post(self, content: bytes, headers: dict[str, str]) -> Sent:
        """Post a body as it is; return the answer."""
        async with (
            aiohttp.ClientSession() as session,  # noqa: TID251  # a client of the server
            session.post(self.url, data=BytesIO(content), headers=headers) as answer,
        ):
            return Sent(answer.status, orjson.loads(await answer.read()))
