"""Webhooks: how many events a second pass from the client to the receiver, and how far behind."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

from benchmarks.calls import Call, post
from benchmarks.load import GENERATOR, drive
from benchmarks.measure import Result, alternate, repeat
from benchmarks.processes import Server, serve, set_up
from benchmarks.receivers import RelayLater
from benchmarks.rows.deliveries import SECRET, register_webhooks
from benchmarks.rows.http import EVENT
from benchmarks.sinks import Endpoints, run_endpoints

_CONNECTIONS = 32
_SECONDS = 10


async def relay(folder: Path) -> Result:
    """Compare the events a second from end to end with an app that posts on what it gets."""
    workbench = await set_up(folder)
    async with run_endpoints() as endpoints:
        target = f"{endpoints.url}/hook/1"
        await register_webhooks(workbench, [target])
        async with workbench.serve() as ours, serve(RelayLater(0, target, SECRET)) as bare:
            to_ours = post(ours.url, "/events", workbench.key, EVENT)
            to_bare = post(bare.url, "/events", workbench.key, EVENT)
            of_ours, of_bare = await alternate(
                partial(_relay_all, endpoints, ours, to_ours),
                partial(_relay_all, endpoints, bare, to_bare),
            )
    return Result(
        "events/s",
        [rate for rate, _ in of_ours],
        [rate for rate, _ in of_bare],
        note=f"{_CONNECTIONS} connections, {_SECONDS} s; {GENERATOR}",
    )


async def relay_behind(folder: Path) -> Result:
    """Measure how long after the end of the same load the last event arrives, in seconds."""
    workbench = await set_up(folder)
    async with run_endpoints() as endpoints:
        await register_webhooks(workbench, [f"{endpoints.url}/hook/1"])
        async with workbench.serve() as ours:
            call = post(ours.url, "/events", workbench.key, EVENT)
            found = await repeat(partial(_relay_all, endpoints, ours, call))
    return Result("s", [behind for _, behind in found])


async def _relay_all(endpoints: Endpoints, server: Server, call: Call) -> tuple[float, float]:
    """Make load for ten seconds; return the events a second, and the seconds after the load."""
    load = await drive(call, _CONNECTIONS, _SECONDS)
    ended = time.monotonic()
    report = await endpoints.collect(load.requests)
    await server.settle()
    await endpoints.forget()
    return report.count / (report.last - report.first), max(0.0, report.last - ended)
