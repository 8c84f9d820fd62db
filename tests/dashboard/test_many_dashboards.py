"""Many open dashboards: each holds a stream of events, and little memory."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import psutil
from conftest import MakeKey, StartServer
from support.visitor import Visitor

from biont.testing import ApiClient

_DASHBOARDS = 200
_LIMIT = 60 * 2**20


async def test_two_hundred_open_dashboards_need_little_memory(
    start_server: StartServer, make_key: MakeKey
) -> None:
    server = await start_server(plugins={"audit": {"streams": 2 * _DASHBOARDS}})
    key = await make_key()
    process = psutil.Process(server.pid)
    async with AsyncExitStack() as stack:
        visitor = await stack.enter_async_context(Visitor(server.url))
        # The first visit compiles the templates.
        assert (await visitor.sign_in(key)).status == 200
        before = process.memory_info().rss
        streams = []
        for _ in range(_DASHBOARDS):
            assert (await visitor.open("/dashboard")).status == 200
            url = f"{server.url}/dashboard/api/v1/events/stream"
            streams.append(await stack.enter_async_context(visitor.http.get(url)))
        client = await stack.enter_async_context(ApiClient(server.url, key))
        await client.post("/notes", {"title": "Seen by all"})
        async with asyncio.timeout(60):
            for stream in streams:
                while b"note_created" not in await stream.content.readline():
                    pass
        assert process.memory_info().rss - before < _LIMIT
