"""What receives: an endpoint that takes notes, and one that posts on what it gets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import orjson
import uuid_utils
from aiohttp import ClientSession, web  # noqa: TID251  # to our own servers on the loopback

from benchmarks.served import Served
from biont_webhooks.subscription.signing import SigningKey, sign

_SESSION = web.AppKey("session", ClientSession)


@dataclass(frozen=True)
class Relay(Served):
    """Posts what it is sent on at once, in the shape of a delivery, and stores nothing.

    Attributes:
        target: the URL to post to.
        event: the JSON of a delivery; its payload is replaced by the one sent.
        headers: of each delivery.
    """

    target: str = ""
    event: dict[str, object] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    def make_app(self) -> web.Application:
        """Return the application with its one route."""

        async def handle(request: web.Request) -> web.Response:
            sent = orjson.loads(await request.read())
            body = orjson.dumps({**self.event, "payload": sent["payload"]})
            async with request.app[_SESSION].post(
                self.target, data=body, headers=self.headers
            ) as response:
                await response.read()
            return web.Response(status=201)

        app = web.Application()
        app.router.add_post("/api/v1/events", handle)
        app.cleanup_ctx.append(_open_session)
        return app


@dataclass(frozen=True)
class RelayLater(Served):
    """Answers at once what it is sent, then signs and posts it on; stores nothing.

    Attributes:
        target: the URL to post to.
        secret: the secret that signs.
    """

    target: str = ""
    secret: str = ""

    def make_app(self) -> web.Application:
        """Return the application with its one route."""
        tasks: set[asyncio.Task[None]] = set()
        answer = orjson.dumps({"id": "0" * 36, "created_at": "2026-01-01T00:00:00Z"})
        keys = [SigningKey(self.secret)]

        async def post_on(session: ClientSession, payload: object) -> None:
            event_id = str(uuid_utils.uuid7())
            body = orjson.dumps({"id": event_id, "user_id": 1, "payload": payload})
            headers = sign(keys, message_id=event_id, timestamp=int(time.time()), body=body)
            headers["Content-Type"] = "application/json"
            async with session.post(self.target, data=body, headers=headers) as response:
                await response.read()

        async def handle(request: web.Request) -> web.Response:
            sent = orjson.loads(await request.read())
            task = asyncio.create_task(post_on(request.app[_SESSION], sent["payload"]))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            return web.Response(body=answer, status=201, content_type="application/json")

        app = web.Application()
        app.router.add_post("/api/v1/events", handle)
        app.cleanup_ctx.append(_open_session)
        return app


async def _open_session(app: web.Application) -> AsyncIterator[None]:
    async with ClientSession(auto_decompress=False) as session:
        app[_SESSION] = session
        yield


@dataclass(frozen=True)
class Sink(Served):
    """An endpoint that answers 200 at once and notes when each request came in.

    ``GET /report`` answers the number of requests, the instants of the first and
    the last by the monotonic clock, and how long each was under way whose
    payload says when it was ``sent``; ``DELETE`` forgets all of it. A path below
    ``/dead`` takes requests and never answers.
    """

    def make_app(self) -> web.Application:
        """Return the application with the endpoints and their report."""
        arrivals: list[float] = []
        delays: list[float] = []

        async def receive(request: web.Request) -> web.Response:
            now = time.monotonic()
            sent = orjson.loads(await request.read())["payload"].get("sent")
            arrivals.append(now)
            if sent is not None:
                delays.append(now - sent)
            return web.Response()

        async def report(_: web.Request) -> web.Response:
            first, last = (arrivals[0], arrivals[-1]) if arrivals else (0.0, 0.0)
            found = {"count": len(arrivals), "first": first, "last": last, "delays": delays}
            return web.Response(body=orjson.dumps(found))

        async def forget(_: web.Request) -> web.Response:
            arrivals.clear()
            delays.clear()
            return web.Response(status=204)

        async def hang(_: web.Request) -> web.Response:
            await asyncio.Event().wait()
            raise AssertionError("nobody sets it")

        app = web.Application()
        app.router.add_post("/hook/{number}", receive)
        app.router.add_post("/dead/{number}", hang)
        app.router.add_get("/report", report)
        app.router.add_delete("/report", forget)
        return app
