"""Webhook receiver: an HTTP server that keeps and verifies the deliveries it gets."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Self

import orjson
from aiohttp import web
from aiohttp.test_utils import TestServer


@dataclass(frozen=True)
class Received:
    """One received request."""

    headers: Mapping[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, object]:
        """The JSON body."""
        document: dict[str, object] = orjson.loads(self.body)
        return document

    def verify(self, secret: str) -> dict[str, object]:
        """Return the JSON body of a delivery whose signature is right.

        Args:
            secret: the webhook's secret, as it was shown at the registration.

        The age of the delivery is not checked, because the clock of a test stands still.

        Raises:
            AssertionError: the request is not signed with `secret`.
        """
        # Another party's library: our own could make the same mistake twice.
        from standardwebhooks import Webhook  # noqa: PLC0415  # only the extra `testing` has it

        sent_at = datetime.fromtimestamp(int(self.headers["webhook-timestamp"]), UTC)
        expected = Webhook(secret).sign(self.headers["webhook-id"], sent_at, self.body.decode())
        signatures = self.headers["webhook-signature"].split()
        assert expected in signatures, f"{expected} is not among the signatures {signatures}"
        return self.event


@dataclass
class WebhookReceiver:
    """A receiver of webhooks on a free port of the loopback; open with ``async with``.

    Attributes:
        status: the status of each answer.
        respond: makes the answers, instead of `status`.
        requests: the requests so far.
    """

    status: int = 200
    respond: Callable[[web.Request], Awaitable[web.StreamResponse]] | None = None
    requests: list[Received] = field(default_factory=list)
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _server: TestServer | None = None

    @property
    def url(self) -> str:
        """The URL to register; every other path works as well."""
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
        """Return the requests, of one event type if given, once there are `count`.

        Raises:
            TimeoutError: fewer requests came within `seconds`.
        """

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
        """Return `result()` once `condition()` is true.

        Raises:
            TimeoutError: the condition stayed false for `seconds`.
        """
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
