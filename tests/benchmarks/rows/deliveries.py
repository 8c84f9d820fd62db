"""Webhooks: how many deliveries a second."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

import orjson

from benchmarks.calls import post
from benchmarks.measure import MeasurementFailed, Result, alternate
from benchmarks.pacing import DeliverAll
from benchmarks.processes import Workbench, perform, set_up
from benchmarks.sinks import Endpoints, run_endpoints
from biont import Event, JsonObject, Store
from biont.clock import SystemClock
from biont.event import EventFactory
from biont_webhooks.delivery.deliveries import insert_deliveries, make_body

_ENDPOINTS = 100
_OWED = 20_000
# By default all webhooks have 256 attempts under way beyond their first.
_CONCURRENCY = _ENDPOINTS + 256
_USER = 1
SECRET = "a-secret-of-plain-text"
_RECORD_LIMIT = 60.0
_UNRECORDED = "SELECT COUNT(*) FROM webhook_deliveries WHERE status <> 'succeeded'"


async def delivery_rate(folder: Path) -> Result:
    """Compare all deliveries of a backlog, each recorded, with a bare loop of posts."""
    workbench = await set_up(folder)
    async with run_endpoints() as endpoints:
        webhooks = await register_webhooks(
            workbench, [f"{endpoints.url}/hook/{number}" for number in range(_ENDPOINTS)]
        )
        ours, bare = await alternate(
            partial(_deliver_ours, workbench, webhooks, endpoints),
            partial(_deliver_bare, endpoints),
        )
    return Result("deliveries/s", ours, bare)


async def register_webhooks(workbench: Workbench, urls: Sequence[str]) -> list[int]:
    """Register a webhook for all events at each of `urls`; return their numbers."""
    async with workbench.serve() as server:
        calls = [
            post(
                server.url,
                "/webhooks/outgoing/register",
                workbench.key,
                {"url": url, "secret": SECRET},
            )
            for url in urls
        ]
        return [orjson.loads((await call.make())[1])["id"] for call in calls]


async def _deliver_ours(
    workbench: Workbench, webhooks: Sequence[int], endpoints: Endpoints
) -> float:
    """Return the deliveries a second, from the first request to the last record."""
    await _owe(workbench, webhooks)
    async with workbench.serve() as server:
        report = await endpoints.collect(_OWED)
        recorded = await _wait_for_records(workbench.database)
        await server.settle()
    return _OWED / (recorded - report.first)


async def _deliver_bare(endpoints: Endpoints) -> float:
    (event,) = make_events(1)
    body = make_body(event).decode()
    await perform(
        DeliverAll(f"{endpoints.url}/hook", _ENDPOINTS, _OWED, _CONCURRENCY, SECRET, body)
    )
    report = await endpoints.collect(_OWED)
    return _OWED / (report.last - report.first)


async def _owe(workbench: Workbench, webhooks: Sequence[int]) -> None:
    """Leave deliveries to do behind, as a process that was stopped would."""
    owed = [(event, webhooks) for event in make_events(_OWED // _ENDPOINTS)]
    store = Store(workbench.database, EventFactory(SystemClock(), 8))
    await store.open()
    try:
        await store.write(insert_deliveries, owed, SystemClock().now())
    finally:
        await store.close()


def make_events(count: int) -> Iterator[Event]:
    factory = EventFactory(SystemClock(), 8)
    payload: JsonObject = {"order_id": 4711, "customer": "Ada Lovelace", "total": 99.5}
    return (factory.make("custom_order_placed", _USER, payload) for _ in range(count))


async def _wait_for_records(database: Path) -> float:
    """Wait until every delivery has its attempt recorded; return when, by the monotonic clock."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    with closing(sqlite3.connect(database)) as connection:
        while connection.execute(_UNRECORDED).fetchone()[0]:
            if loop.time() > started + _RECORD_LIMIT:
                raise MeasurementFailed(f"attempts not recorded within {_RECORD_LIMIT:g} s")
            await asyncio.sleep(0.01)
    return time.monotonic()
