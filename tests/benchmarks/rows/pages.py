"""Pages of the dashboard: the deliveries of a webhook that has a million of them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path

from yarl import URL

from benchmarks.calls import Call
from benchmarks.load import GENERATOR, Load, drive
from benchmarks.measure import Result, alternate
from benchmarks.processes import Workbench, serve, set_up
from benchmarks.rows.deliveries import register_webhooks
from benchmarks.twins import TemplatePage

_CONNECTIONS = 8
_SECONDS = 3
_DELIVERIES = 1_000_000

_ADD_MESSAGES = """
    WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers LIMIT :count)
    INSERT INTO webhook_messages (event_id, event_type, body, created_at, hops)
    SELECT printf('%08x-0000-7000-8000-000000000000', n), 'custom_past', '{}',
        '2026-01-01 00:00:00.000000+00:00', 0 FROM numbers
"""
_ADD_DELIVERIES = """
    INSERT INTO webhook_deliveries (webhook_id, message_id, status, attempts, "trigger", claimed,
        created_at)
    SELECT 1, event_id, 'succeeded', 0, 'event', 0, '2026-01-01 00:00:00.000000+00:00'
    FROM webhook_messages
"""


async def page(folder: Path) -> Result:
    """Open the page of a webhook's deliveries, signed in, over 8 connections."""
    workbench = await set_up(folder)
    await register_webhooks(workbench, ["https://example.com/hook"])
    _add_deliveries(workbench)
    async with workbench.serve() as ours:
        path = "/dashboard/webhooks/1"
        call = Call("GET", ours.url + path, {"Cookie": f"biont_session={workbench.key}"}, "")
        _, body = await call.make()
        async with serve(TemplatePage(0, path, body.decode())) as bare:
            to_bare = Call("GET", bare.url + URL(call.url).raw_path, call.headers, "")
            of_ours, of_bare = await alternate(partial(_drive, call), partial(_drive, to_bare))
    return Result(
        "ms",
        [load.p50 for load in of_ours],
        [load.p50 for load in of_bare],
        note=f"{_DELIVERIES:,} deliveries, {len(body):,} bytes; {GENERATOR}",
    )


async def _drive(call: Call) -> Load:
    return await drive(call, _CONNECTIONS, _SECONDS)


def _add_deliveries(workbench: Workbench) -> None:
    with closing(sqlite3.connect(workbench.database)) as database, database:
        database.execute(_ADD_MESSAGES, {"count": _DELIVERIES})
        database.execute(_ADD_DELIVERIES)
