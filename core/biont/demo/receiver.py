"""Webhook receiver of the demo, as a subscriber would write it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from pydantic import JsonValue
from standardwebhooks import Webhook

from biont.exceptions import BiontError


class Receiver:
    """Webhook receiver on the loopback, which verifies signatures with the public library.

    Attributes:
        port: the port of the receiver; 0 before `run`.
        secret: the webhook's secret, from the response to the registration.
        events: the verified events in order of arrival.
    """

    def __init__(self) -> None:
        self.port = 0
        self.secret = ""
        self.events: asyncio.Queue[dict[str, JsonValue]] = asyncio.Queue()

    @property
    def url(self) -> str:
        """The URL to register."""
        return f"http://127.0.0.1:{self.port}/hook"

    @asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        """Listen while the context is open."""
        app = web.Application()
        app.router.add_post("/hook", self._receive)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.port = runner.addresses[0][1]
            yield
        finally:
            await runner.cleanup()

    async def wait_for(self, event_type: str) -> dict[str, JsonValue]:
        """Return the next event of a type; drop events of other types."""
        while True:
            event = await self.events.get()
            if event["event_type"] == event_type:
                return event

    async def _receive(self, request: web.Request) -> web.Response:
        event = Webhook(self.secret).verify(await request.text(), dict(request.headers))
        if not isinstance(event, dict):
            raise BiontError("the webhook's body is not a JSON object")
        self.events.put_nowait(event)
        return web.Response()
