"""Somebody's endpoint: an HTTP server that keeps what it is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Self

import orjson
from aiohttp import web
from aiohttp.test_utils import TestServer


@dataclass(frozen=True)
class Received:
    """One request that came in."""

    headers: Mapping[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, object]:
        document: dict[str, object] = orjson.loads(self.body)
        return document


@dataclass
class Receiver:
    """Keeps each request, and answers it with `status`, or as `respond` says.

    Use `async with` to run it; `url` is where it listens, as at every other path.
    """

    status: int = 200
    respond: Callable[[web.Request], Awaitable[web.StreamResponse]] | None = None
    requests: list[Received] = field(default_factory=list)
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _server: TestServer | None = None

    @property
    def url(self) -> str:
        assert self._server is not None
        return str(self._server.make_url("/hook"))

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=2**24)
        app.router.add_post("/{path:.*}", self._answer)
        self._server = TestServer(app, host="127.0.0.1")
        await self._server.start_server()
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        await self._server.close()

    async def wait_for(
        self, count: int, *, event_type: str | None = None, seconds: float = 60
    ) -> list[Received]:
        """Wait until there are `count` requests, of one event type where it is given."""

        def find() -> list[Received]:
            return [
                request
                for request in self.requests
                if event_type is None or request.event["event_type"] == event_type
            ]

        return await self.wait_until(lambda: len(find()) >= count, find, seconds)

    async def wait_until(
        self,
        condition: Callable[[], bool],
        result: Callable[[], list[Received]],
        seconds: float = 60,
    ) -> list[Received]:
        """Wait until `condition` holds; return `result`."""
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(condition)
        return result()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        received = Received(request.headers.copy(), await request.read())
        async with self._changed:
            self.requests.append(received)
            self._changed.notify_all()
        if self.respond is not None:
            return await self.respond(request)
        return web.Response(status=self.status)
