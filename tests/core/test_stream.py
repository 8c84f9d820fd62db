"""Client of the event stream: reports each event once, and reconnects."""

from __future__ import annotations

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from biont.cli.stream import follow_events
from biont.exceptions import BiontError
from biont.http import encode_sse


async def test_a_client_waits_before_it_reconnects_to_a_stream_that_the_server_has_ended() -> None:
    starts: list[str | None] = []
    waits: list[float] = []
    lines: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        starts.append(request.headers.get("Last-Event-ID"))
        if len(starts) == 3:
            return web.Response(status=401, text="the key was revoked")
        return web.Response(body=encode_sse(b"{}", event_id=str(len(starts))))

    async def note_wait(seconds: float) -> None:
        waits.append(seconds)

    app = web.Application()
    app.router.add_get("/api/v1/events/stream", answer)
    async with TestServer(app, host="127.0.0.1") as server:
        with pytest.raises(BiontError, match="the key was revoked"):
            await follow_events(
                str(server.make_url("/")), "key", None, None, lines.append, sleep=note_wait
            )
    assert lines == ["1\t{}", "2\t{}"]
    assert starts == [None, "1", "2"]
    assert waits == [1, 1]
