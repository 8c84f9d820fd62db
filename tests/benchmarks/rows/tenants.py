"""Tenants: one that spends all it has, and another beside it."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import cast

from benchmarks.calls import make_headers, post
from benchmarks.load import drive
from benchmarks.measure import Result, alternate, percentile
from benchmarks.pacing import AskEvenly
from benchmarks.processes import Server, Workbench, add_user, perform, set_up
from benchmarks.rows.http import EVENT

_LIMIT = "200/second"
_CONNECTIONS = 32
_RATE = 100
_COUNT = 400


async def tenants(folder: Path) -> Result:
    """Compare the latency of one tenant beside another that floods with that of it alone."""
    workbench = await set_up(folder, limits={"write": _LIMIT})
    greedy = await add_user(workbench, "eve")
    async with workbench.serve() as server:
        beside = partial(_ask_beside, server, workbench, greedy)
        of_ours, of_bare = await alternate(beside, partial(_ask, server, workbench.key))
    return Result(
        "ms",
        [percentile(each, 99) for each in of_ours],
        [percentile(each, 99) for each in of_bare],
        note=f"{_CONNECTIONS} connections of another key, which may do {_LIMIT}",
    )


async def _ask(server: Server, key: str) -> list[float]:
    url = f"{server.url}/api/v1/events"
    found = await perform(AskEvenly(url, make_headers(key), _RATE, _COUNT))
    await server.settle()
    return _to_milliseconds(found)


async def _ask_beside(server: Server, workbench: Workbench, greedy: str) -> list[float]:
    call = post(server.url, "/events", greedy, EVENT)
    flood = asyncio.create_task(drive(call, _CONNECTIONS, _COUNT // _RATE + 1, may_fail=True))
    found = await perform(
        AskEvenly(f"{server.url}/api/v1/events", make_headers(workbench.key), _RATE, _COUNT)
    )
    await flood
    await server.settle()
    return _to_milliseconds(found)


def _to_milliseconds(found: object) -> list[float]:
    return [each * 1000 for each in cast("list[float]", found)]
