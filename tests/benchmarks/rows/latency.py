"""Webhooks: how soon an event reaches its receiver, alone and beside dead ones."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from statistics import median

import orjson

from benchmarks.calls import make_headers
from benchmarks.measure import Result, alternate, percentile
from benchmarks.pacing import EmitEvenly
from benchmarks.processes import Server, perform, serve, set_up
from benchmarks.receivers import Relay
from benchmarks.rows.deliveries import SECRET, make_events, register_webhooks
from benchmarks.sinks import Endpoints, run_endpoints
from biont_webhooks.delivery.deliveries import make_body
from biont_webhooks.subscription.signing import SigningKey, sign

_MILLISECOND = 0.001
_RATE = 100
_EVENTS = 300

_DEAD = 200
# Each event is owed to every dead endpoint as well: 201 deliveries an event.
_SLOW_RATE = 20
_SLOW_EVENTS = 100


async def delivery_latency(folder: Path) -> Result:
    """Compare the time to the receiver with that of a handler that posts on at once."""
    workbench = await set_up(folder)
    async with run_endpoints() as endpoints:
        await register_webhooks(workbench, [f"{endpoints.url}/hook/1"])
        async with workbench.serve() as ours, serve(_make_relay(endpoints)) as bare:
            emit = partial(_emit, endpoints, workbench.key, _RATE, _EVENTS)
            of_ours, of_bare = await alternate(partial(emit, ours), partial(emit, bare))
    return Result("ms", [*map(median, of_ours)], [*map(median, of_bare)])


async def isolation(folder: Path) -> Result:
    """Compare the latency of a live endpoint beside dead ones with that of it alone."""
    beside, alone = await set_up(folder / "beside"), await set_up(folder / "alone")
    async with run_endpoints() as endpoints:
        dead = [f"{endpoints.url}/dead/{number}" for number in range(_DEAD)]
        live = f"{endpoints.url}/hook/1"
        await register_webhooks(beside, [*dead, live])
        await register_webhooks(alone, [live])
        async with beside.serve() as ours, alone.serve() as bare:
            emit = partial(_emit, endpoints, rate=_SLOW_RATE, count=_SLOW_EVENTS)
            of_ours, of_bare = await alternate(
                lambda: emit(key=beside.key, server=ours), lambda: emit(key=alone.key, server=bare)
            )
    return Result(
        "ms",
        [percentile(delays, 99) for delays in of_ours],
        [percentile(delays, 99) for delays in of_bare],
        note=f"{_DEAD} endpoints that never answer, {_SLOW_RATE} events/s to each",
    )


def _make_relay(endpoints: Endpoints) -> Relay:
    (event,) = make_events(1)
    body = make_body(event)
    headers = sign([SigningKey(SECRET)], message_id=event.id, timestamp=0, body=body)
    return Relay(
        target=f"{endpoints.url}/hook/1",
        event=orjson.loads(body),
        headers={**headers, "Content-Type": "application/json"},
    )


async def _emit(
    endpoints: Endpoints, key: str, rate: int, count: int, server: Server
) -> Sequence[float]:
    """Emit events at an even pace; return how long each was under way, in milliseconds."""
    await perform(EmitEvenly(f"{server.url}/api/v1/events", make_headers(key), rate, count))
    report = await endpoints.collect(count)
    await server.settle()
    return [delay / _MILLISECOND for delay in report.delays]
