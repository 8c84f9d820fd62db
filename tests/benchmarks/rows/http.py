"""Requests: durable events, and notes that are read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from statistics import median

import orjson
from yarl import URL

from benchmarks.calls import Call, get, post
from benchmarks.load import GENERATOR, Load, drive
from benchmarks.measure import Result, alternate
from benchmarks.processes import Server, serve, set_up
from benchmarks.twins import Answer

_SECONDS = 2
_P99_LIMIT = 5.0

EVENT = {
    "event_type": "custom_order_placed",
    "payload": {"order_id": 4711, "customer": "Ada Lovelace", "total": 99.5, "items": [1, 2, 3]},
}
_NOTE = {
    "title": "What the library said",
    "content": "The city library opened a new reading room on Monday. " * 5,
}


async def ingest_c1(folder: Path) -> Result:
    """Emit durable events, one after the other."""
    return await _ingest(folder, 1)


async def ingest_c32(folder: Path) -> Result:
    """Emit durable events over 32 connections."""
    return await _ingest(folder, 32)


async def ingest_c256(folder: Path) -> Result:
    """Emit durable events over 256 connections; the latency is bounded too."""
    return await _ingest(folder, 256, p99_limit=_P99_LIMIT)


async def read_c32(folder: Path) -> Result:
    """Read one note over 32 connections."""
    workbench = await set_up(folder)
    async with workbench.serve() as ours:
        _, created = await post(ours.url, "/notes", workbench.key, _NOTE).make()
        note_id = orjson.loads(created)["id"]
        return await _compare(ours, get(ours.url, f"/notes/{note_id}", workbench.key), 32)


async def _ingest(folder: Path, connections: int, p99_limit: float | None = None) -> Result:
    workbench = await set_up(folder)
    async with workbench.serve() as ours:
        call = post(ours.url, "/events", workbench.key, EVENT)
        return await _compare(ours, call, connections, p99_limit)


async def _compare(
    ours: Server, call: Call, connections: int, p99_limit: float | None = None
) -> Result:
    """Put the same load on ours and on a twin that answers the same bytes."""
    status, body = await call.make()
    path = URL(call.url).raw_path
    async with serve(Answer(0, call.method, path, status, body.decode())) as bare:
        to_bare = Call(call.method, bare.url + path, call.headers, call.body)
        of_ours, of_bare = await alternate(
            await _prepare(ours, call, connections), await _prepare(bare, to_bare, connections)
        )
    p99 = median(ours.p99 / bare.p99 for ours, bare in zip(of_ours, of_bare, strict=True))
    return Result(
        "requests/s",
        [load.rate for load in of_ours],
        [load.rate for load in of_bare],
        note=f"p99 {p99:.2f} x the twin's; {GENERATOR}",
        is_valid=p99_limit is None or p99 < p99_limit,
    )


async def _prepare(server: Server, call: Call, connections: int) -> Callable[[], Awaitable[Load]]:
    """Warm a server up; return what measures it."""

    async def measure(seconds: int) -> Load:
        load = await drive(call, connections, seconds)
        await server.settle()
        return load

    await measure(1)
    return partial(measure, _SECONDS)
