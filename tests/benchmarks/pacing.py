"""Events at an even pace, and deliveries as fast as they go, from processes of their own."""

from __future__ import annotations

import asyncio
import base64
import hmac
import time
from collections.abc import Iterator
from dataclasses import dataclass

import orjson
from aiohttp import (
    ClientSession,  # noqa: TID251  # to our own servers on the loopback
    DummyCookieJar,
    TCPConnector,
)
from yarl import URL

from benchmarks.child import Child, answer


@dataclass(frozen=True)
class EmitEvenly(Child):
    """Posts events that bear the instant when they were sent.

    Attributes:
        url: where to.
        headers: of each request.
        rate: how many a second, whether earlier ones are answered or not.
        count: how many in all.
    """

    url: str
    headers: dict[str, str]
    rate: int
    count: int

    async def run(self) -> None:
        """Post them all; answer how many there were."""
        async with ClientSession(headers=self.headers, connector=TCPConnector(limit=0)) as session:
            started = time.monotonic()
            async with asyncio.TaskGroup() as group:
                for number in range(self.count):
                    await asyncio.sleep(started + number / self.rate - time.monotonic())
                    group.create_task(self._post(session))
        answer(self.count)

    async def _post(self, session: ClientSession) -> None:
        event = {"event_type": "custom_paced", "payload": {"sent": time.monotonic()}}
        async with session.post(self.url, data=orjson.dumps(event)) as response:
            await response.read()
            response.raise_for_status()


@dataclass(frozen=True)
class AskEvenly(Child):
    """Posts requests at an even pace, and measures how long each answer takes.

    Attributes:
        url: where to.
        headers: of each request.
        rate: how many a second, whether earlier ones are answered or not.
        count: how many in all.
    """

    url: str
    headers: dict[str, str]
    rate: int
    count: int

    async def run(self) -> None:
        """Post them all; answer the seconds of each."""
        async with ClientSession(headers=self.headers, connector=TCPConnector(limit=0)) as session:
            started = time.monotonic()
            async with asyncio.TaskGroup() as group:
                tasks = []
                for number in range(self.count):
                    await asyncio.sleep(started + number / self.rate - time.monotonic())
                    tasks.append(group.create_task(self._ask(session)))
        answer([task.result() for task in tasks])

    async def _ask(self, session: ClientSession) -> float:
        begun = time.monotonic()
        async with session.post(self.url, data=b'{"event_type": "custom_polite"}') as response:
            await response.read()
            response.raise_for_status()
        return time.monotonic() - begun


@dataclass(frozen=True)
class DeliverAll(Child):
    """Signs and posts deliveries, and keeps nothing: the bare twin of a sender.

    Attributes:
        url: what the endpoints' URLs begin with.
        endpoints: how many there are.
        count: of deliveries.
        concurrency: how many are under way at once.
        secret: what is signed with, in plain text.
        body: of each delivery.
    """

    url: str
    endpoints: int
    count: int
    concurrency: int
    secret: str
    body: str

    async def run(self) -> None:
        """Deliver them all; answer how many there were."""
        owed = iter(range(self.count))
        async with (
            ClientSession(
                connector=TCPConnector(limit=0),
                cookie_jar=DummyCookieJar(),
                headers={"Accept-Encoding": "identity", "User-Agent": "bench"},
                auto_decompress=False,
            ) as session,
            asyncio.TaskGroup() as group,
        ):
            for _ in range(self.concurrency):
                group.create_task(self._deliver(session, owed))
        answer(self.count)

    async def _deliver(self, session: ClientSession, owed: Iterator[int]) -> None:
        body = self.body.encode()
        urls = [URL(f"{self.url}/{number}") for number in range(self.endpoints)]
        for number in owed:
            async with session.post(
                urls[number % self.endpoints], data=body, headers=self._sign(body)
            ) as response:
                await response.read()
                response.raise_for_status()

    def _sign(self, body: bytes) -> dict[str, str]:
        key, message_id, now = self.secret.encode(), "0" * 36, str(int(time.time()))
        signed = hmac.digest(key, f"{message_id}.{now}.".encode() + body, "sha256")
        return {
            "X-ASI-Signature": hmac.digest(key, body, "sha256").hex(),
            "webhook-id": message_id,
            "webhook-timestamp": now,
            "webhook-signature": "v1," + base64.b64encode(signed).decode(),
            "Content-Type": "application/json",
        }
