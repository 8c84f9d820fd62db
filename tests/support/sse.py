"""A client of server-sent events."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import aiohttp
import orjson
from pydantic import JsonValue

from biont.http import read_sse
from biont.testing import ApiClient


@dataclass(frozen=True)
class Sent:
    """One event of a stream."""

    id: str
    event: str
    data: dict[str, Any]


@dataclass
class Follower:
    """Follows a stream of `client`; use it with `async with`, and `next` for each event.

    Args:
        client: who follows.
        query: what is asked for, as it stands in the URL.
        headers: sent beside the client's own.
    """

    client: ApiClient
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    async def __aenter__(self) -> Self:
        session = aiohttp.ClientSession(headers=self.client.headers)  # noqa: TID251  # a test's own
        self._session = session
        try:
            await self._open()
            self._events = read_sse(self.response.content)
        except BaseException:
            await self._session.close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.response.close()
        await self._session.close()

    async def _open(self) -> None:
        url = f"{self.client.url}/api/v1/events/stream?{self.query}"
        self.response = await self._session.get(url, headers=self.headers)
        assert self.response.status == 200, await self.response.text()
        assert (await self.read_line()).startswith(":")
        assert await self.read_line() == ""

    async def read_line(self) -> str:
        """Return the next line of the stream."""
        async with asyncio.timeout(30):
            line = await self.response.content.readline()
        if not line:
            raise EOFError
        return line.decode().removesuffix("\n")

    async def next(self) -> Sent:
        """Return the next event.

        Raises:
            EOFError: the stream has ended.
        """
        async with asyncio.timeout(30):
            event = await anext(self._events, None)
        if event is None:
            raise EOFError
        return Sent(event.id, event.event, orjson.loads(event.data))


@dataclass
class Chat(Follower):
    """Asks a model for an answer that is streamed.

    Args:
        client: who asks.
        body: what is asked; `stream` is added.
    """

    body: dict[str, JsonValue] = field(default_factory=dict)

    async def read_all(self) -> list[Sent]:
        """Return all events that are left."""
        events: list[Sent] = []
        with contextlib.suppress(EOFError):
            while True:
                events.append(await self.next())
        return events

    async def read_tokens(self, count: int) -> list[str]:
        """Return the texts of the next so many tokens."""
        events = [await self.next() for _ in range(count)]
        assert {event.event for event in events} == {"token"}
        return [event.data["text"] for event in events]

    async def _open(self) -> None:
        url = f"{self.client.url}/api/v1/chat"
        self.response = await self._session.post(url, json={**self.body, "stream": True})
        assert self.response.status == 200, await self.response.text()
        assert self.response.content_type == "text/event-stream"
