"""Measures how the cost of an event grows: ``python tests/benchmarks/growth.py [TABLE...]``.

The tables are `webhooks`, `payload` and `database`. Each row is a workbench of its own under load
from 32 connections for eight seconds, until the last delivery has arrived. The table in
`docs/explanation/performance.md` is the output on the machine named there.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.calls import post
from benchmarks.load import drive
from benchmarks.machine import describe_machine
from benchmarks.processes import Server, set_up
from benchmarks.rows.deliveries import register_webhooks
from benchmarks.rows.http import EVENT
from benchmarks.sinks import run_endpoints

_CONNECTIONS = 32
_SECONDS = 8

# The ids are in order, as real ones are.
_ADD_EVENTS = """
    WITH RECURSIVE numbers(n) AS (SELECT :first UNION ALL SELECT n + 1 FROM numbers LIMIT :count)
    INSERT INTO event_logs (number, event_id, user_id, event_type, payload, created_at,
        correlation_id, hops, hash)
    SELECT n, printf('%08x-0000-7000-8000-000000000000', n), 1, 'custom_past',
        '{"order_id":4711,"customer":"Ada Lovelace","total":99.5,"items":[1,2,3]}',
        '2026-01-01 00:00:00.000000+00:00', printf('%08x', n), 0, '' FROM numbers
"""


@dataclass(frozen=True)
class Variant:
    """Load of one row.

    Attributes:
        name: the name of the row.
        webhooks: the webhooks that receive each event.
        payload: the size of the payload, in bytes; 0 for the usual payload.
        events: the events that the log already has.
    """

    name: str
    webhooks: int = 1
    payload: int = 0
    events: int = 0


_TABLES = {
    "webhooks": [Variant(f"{count} webhooks", webhooks=count) for count in (0, 1, 10, 100)],
    "payload": [Variant(f"{size / 1000:g} kB", payload=size) for size in (100, 10_000, 250_000)],
    "database": [
        Variant(f"{count:,} events", events=count) for count in (10_000, 1_000_000, 10_000_000)
    ],
}


async def measure(variant: Variant, folder: Path) -> str:
    """Return the row of a variant."""
    workbench = await set_up(folder)
    async with run_endpoints() as endpoints:
        urls = [f"{endpoints.url}/hook/{number}" for number in range(variant.webhooks)]
        await register_webhooks(workbench, urls)
        if variant.events:
            _add_events(workbench.database, variant.events)
        async with workbench.serve() as server:
            call = post(server.url, "/events", workbench.key, _make_event(variant.payload))
            # The first load makes the endpoints known and fills the caches.
            for _ in range(2):
                used = _read_cpu(server)
                load = await drive(call, _CONNECTIONS, _SECONDS)
                owed = load.requests * variant.webhooks
                report = await endpoints.collect(owed) if owed else None
                await server.settle()
                await endpoints.forget()
            spent = (_read_cpu(server) - used) / load.requests * 1e6
    rate = "-" if report is None else f"{report.count / (report.last - report.first):,.0f}"
    return f"{variant.name:<18} {load.rate:>10,.0f} {rate:>14} {spent:>14,.0f} {load.p50:>9.1f}"


def _make_event(size: int) -> object:
    if not size:
        return EVENT
    return {"event_type": "custom_sized", "payload": {"text": "x" * (size - len('{"text":""}'))}}


def _add_events(database: Path, count: int) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        ((head,),) = connection.execute("SELECT head_number FROM event_log_ends")
        connection.execute(_ADD_EVENTS, {"first": head + 1, "count": count})
        connection.execute("UPDATE event_log_ends SET head_number = head_number + ?", (count,))


def _read_cpu(server: Server) -> float:
    times = psutil.Process(server.pid).cpu_times()
    return float(times.user + times.system)


async def main(names: Sequence[str]) -> None:
    """Print the tables of these names, or all."""
    click.echo(describe_machine())
    for name in names or _TABLES:
        click.echo(
            f"\n{name:<18} {'events/s':>10} {'deliveries/s':>14} {'us an event':>14} {'p50 ms':>9}"
        )
        for variant in _TABLES[name]:
            with TemporaryDirectory(prefix="biont-growth-") as folder:
                click.echo(await measure(variant, Path(folder) / "workbench"))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
