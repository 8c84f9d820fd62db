"""Databases that are locked, on a full disk, or have a backlog of events."""

from __future__ import annotations

import asyncio
import resource
import sqlite3
from contextlib import closing
from pathlib import Path

import psutil
from conftest import MakeKey, StartServer

from biont import Store, Transaction
from biont.clock import SystemClock
from biont.event import EventFactory
from biont.testing import ApiClient, rows_of

BACKLOG = 200_000
COUNT_JOURNAL = "SELECT SUM(json_array_length(entries)) FROM journal_blocks"


def read_number(database: Path, query: str) -> int:
    with closing(sqlite3.connect(database)) as connection:
        return int(connection.execute(query).fetchone()[0])


async def test_a_locked_database_refuses_writes_in_time_serves_reads_and_recovers(
    start_server: StartServer, make_key: MakeKey, tmp_path: Path
) -> None:
    database = tmp_path / "biont.sqlite3"
    server = await start_server(database={"url": f"sqlite:///{database}", "busy_timeout": 0.3})
    async with ApiClient(server.url, await make_key()) as client:
        kept = await client.post("/notes", {"title": "before"})
        with closing(sqlite3.connect(database, isolation_level=None)) as outside:
            outside.execute("BEGIN IMMEDIATE")
            async with asyncio.timeout(30):
                answers = await asyncio.gather(
                    *(client.request("POST", "/notes", {"title": f"{n}"}) for n in range(20))
                )
            assert {answer.status for answer in answers} == {503}
            assert {answer.headers["Retry-After"] for answer in answers} == {"1"}
            assert (await client.get(f"/notes/{kept['id']}"))["title"] == "before"
            outside.execute("ROLLBACK")
        await client.post("/notes", {"title": "after"})
        notes = rows_of(await client.get("/notes"))
        assert [note["title"] for note in notes] == ["after", "before"]
        events = rows_of(await client.get("/events?event_type=note_created"))
        assert len(events) == 2


async def test_a_full_disk_refuses_writes_serves_reads_and_recovers_by_itself(
    start_server: StartServer, make_key: MakeKey, tmp_path: Path
) -> None:
    server = await start_server()
    async with ApiClient(server.url, await make_key()) as client:
        first = await client.post("/notes", {"title": "first"})
        # No file of the process may grow any more, so SQLite sees a full disk.
        process = psutil.Process(server.pid)
        size = (tmp_path / "biont.sqlite3-wal").stat().st_size
        process.rlimit(psutil.RLIMIT_FSIZE, (size + 50_000, resource.RLIM_INFINITY))
        titles, refused = ["first"], 0
        while refused < 5:
            title = f"{len(titles)}"
            status, answer = await client.ask(
                "POST", "/notes", {"title": title, "content": "x" * 20_000}
            )
            assert status in (201, 503), answer
            titles += [title] if status == 201 else []
            if status == 503:
                refused += 1
                assert "the disk of the database is full" in str(answer["detail"])
                assert "rollback" not in str(answer["detail"])
            assert len(titles) < 50
        health = await client.get("/health")
        assert health["status"] == "degraded"
        assert "the disk of the database is full" in str(health["problems"])
        assert sum("cannot be written" in line for line in server.read_log().splitlines()) == 1
        assert (await client.get(f"/notes/{first['id']}"))["title"] == "first"
        assert [note["title"] for note in rows_of(await client.get("/notes"))] == titles[::-1]

        process.rlimit(psutil.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        # Although no client writes.
        await client.get_until("/health", lambda health: health["status"] == "ok")
        assert "can be written again" in server.read_log()
        await client.post("/notes", {"title": "last"})
        events = rows_of(await client.get("/events?event_type=note_created"))
        assert len(events) == len(titles) + 1
    assert await server.stop() == 0
    with closing(sqlite3.connect(tmp_path / "biont.sqlite3")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


SLOW = """
import asyncio

from biont import Event, Workbench, on


@on("custom_*")
async def handle(event: Event, workbench: Workbench) -> None:
    await asyncio.sleep(0.001)
    if event.event_type == "custom_new":
        await workbench.events.emit("custom_seen", event.user_id, {})
"""


async def test_a_backlog_delays_neither_the_start_nor_new_events(
    start_server: StartServer, make_key: MakeKey, tmp_path: Path
) -> None:
    database = tmp_path / "biont.sqlite3"
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "slow.py").write_text(SLOW)
    server = await start_server(plugins={"folder": str(folder)})
    key = await make_key()
    empty = psutil.Process(server.pid).memory_info().rss
    await server.stop()
    await leave_backlog(database)
    await server.start()
    async with ApiClient(server.url, key) as client:
        assert (await client.get("/health"))["status"] == "ok"
        await client.post("/events", {"event_type": "custom_new"})
        await client.get_until("/events?event_type=custom_seen", rows_of)
        # The new event was handled while nearly all of the backlog was still waiting.
        assert read_number(database, COUNT_JOURNAL) > BACKLOG // 2
        peak = psutil.Process(server.pid).memory_info().rss
        assert peak - empty < 64 * 2**20
    await server.kill()


async def leave_backlog(database: Path) -> None:
    """Write events without handling them, like a process that was killed."""
    store = Store(database, EventFactory(SystemClock(), 8))
    await store.open()
    for _ in range(BACKLOG // 5000):
        await store.transact(emit_many)
    await store.close()


def emit_many(tx: Transaction) -> None:
    for number in range(5000):
        tx.emit("custom_old", 1, {"n": number})
