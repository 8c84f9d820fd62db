"""Schedules while the process is killed, the clock is set, or two schedulers share a database."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from conftest import MakeKey, Restart, StartServer
from core.test_scheduler import Plan, finish
from support.process import run_biont

from biont import Finish, Run
from biont.clock import SystemClock
from biont.scheduler.run import Job
from biont.testing import ApiClient, ManualClock, rows_of

PLUGIN = '''
"""Job that takes a moment and returns the number of simultaneous runs."""

import asyncio
from collections import Counter

from pydantic import BaseModel

from biont import JobKind, hookimpl


class Nothing(BaseModel):
    pass


@hookimpl
def register_jobs():
    active = Counter()

    async def work(run, workbench):
        active["now"] += 1
        together = active["now"]
        await asyncio.sleep(0.001)
        active["now"] -= 1
        return lambda tx: {"together": together}

    return [JobKind("work", Nothing, work)]
'''
INSERT = (
    "INSERT INTO schedules (user_id, name, job_kind, parameters, expression, time_zone, paused,"
    " next_fire_at, created_at, updated_at)"
    " VALUES (1, 'yearly', 'work', '{}', '0 0 1 1 *', 'UTC', 0, ?, ?, ?)"
)
Sections = dict[str, object]


@pytest.fixture
def with_work(tmp_path: Path) -> Sections:
    """The settings of a workbench with the job kind ``work``."""
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "work.py").write_text(PLUGIN)
    return {"plugins": {"folder": str(folder)}}


def add_due(database: Path, count: int) -> None:
    """Add schedules that were due together a minute ago."""
    due = (SystemClock().now() - timedelta(minutes=1)).isoformat(" ")
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.executemany(INSERT, [(due, due, due)] * count)


def query(database: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(sql).fetchall()


def count_by_status(database: Path) -> Counter[str]:
    rows = query(database, "SELECT status, count(*) FROM schedule_runs GROUP BY status")
    return Counter({str(status): int(str(count)) for status, count in rows})


async def wait_for_runs(database: Path, is_enough: Callable[[Counter[str]], bool]) -> Counter[str]:
    async with asyncio.timeout(300):
        while True:
            found = await asyncio.to_thread(count_by_status, database)
            if is_enough(found):
                return found


async def test_after_three_hours_of_downtime_one_of_180_occurrences_runs(
    restart: Restart, clock: ManualClock, sections: Sections, with_work: Sections
) -> None:
    sections |= with_work
    async with restart() as client:
        schedule = await client.post("/schedule", {"cron": "* * * * *", "job": "work"})
    clock.advance(hours=3)
    path = f"/schedule/{schedule['id']}/runs?limit=1000"
    async with restart() as client:
        page = await client.get_until(
            path, lambda page: all(run["ended_at"] for run in rows_of(page)) and bool(page["data"])
        )
    runs = rows_of(page)
    assert Counter(run["status"] for run in runs) == {
        "succeeded": 1,
        "coalesced": 60,
        "missed": 119,
    }
    assert len({str(run["scheduled_for"]) for run in runs}) == 180
    assert all(run["reason"] for run in runs if run["status"] != "succeeded")
    async with restart() as client:
        assert rows_of(await client.get(path)) == runs


@pytest.mark.parametrize("hours", [1, -1])
async def test_no_occurrence_runs_twice_when_the_clock_is_set(tmp_path: Path, hours: int) -> None:
    made: Counter[datetime] = Counter()

    async def work(run: Run) -> Finish:
        made[run.scheduled_for] += 1
        return finish

    plan = Plan(tmp_path / "plan.sqlite3")
    async with plan.run(work) as scheduler:

        async def sweep_each_minute(minutes: int) -> None:
            for _ in range(minutes):
                plan.clock.advance(minutes=1)
                await scheduler.sweep()
                await plan.wait_until_ended()

        await plan.add("* * * * *")
        await sweep_each_minute(10)
        plan.clock.advance(hours=hours)
        await sweep_each_minute(10)
        plan.clock.advance(hours=-hours)
        await sweep_each_minute(75)
        runs = await plan.read_runs()
    assert len({run.scheduled_for for run in runs}) == len(runs)
    assert set(made.values()) == {1}
    assert made.keys() == {run.scheduled_for for run in runs if run.status == "succeeded"}
    # No instant is left out either, up to the latest that any of the clocks has shown.
    first, last = min(run.scheduled_for for run in runs), max(run.scheduled_for for run in runs)
    assert last - first == timedelta(minutes=len(runs) - 1)


async def test_each_of_a_thousand_runs_ends_once_although_the_process_is_killed(
    start_server: StartServer, make_key: MakeKey, tmp_path: Path, with_work: Sections
) -> None:
    database = tmp_path / "biont.sqlite3"
    server = await start_server(**with_work)
    await make_key()
    await server.stop()
    add_due(database, 1000)
    for done in (100, 400, 700):
        await server.start()
        await wait_for_runs(database, lambda found, done=done: found["succeeded"] >= done)  # type: ignore[misc]
        await server.kill()
        assert 0 < count_by_status(database)["succeeded"] < 1000
    await server.start()
    found = await wait_for_runs(
        database, lambda found: not found["queued"] + found["running"] and found.total() >= 1000
    )
    assert found == {"succeeded": 1000}
    await server.stop()
    assert query(database, "SELECT count(DISTINCT schedule_id) FROM schedule_runs") == [(1000,)]
    # The product of a run is kept once, although the run may have been repeated.
    assert query(
        database,
        "SELECT count(*), count(DISTINCT payload ->> 'run_id') FROM event_logs"
        " WHERE event_type = 'scheduled_trigger'",
    ) == [(1000, 1000)]


async def test_a_second_workbench_on_one_database_is_refused(
    start_server: StartServer, tmp_path: Path
) -> None:
    await start_server()
    code, _, error = await run_biont("serve", config=tmp_path / "config")
    assert code == 1
    assert "another process runs on" in error


async def test_two_schedulers_on_one_database_run_each_of_a_thousand_occurrences_once(
    tmp_path: Path,
) -> None:
    made: Counter[tuple[int, datetime]] = Counter()
    by: Counter[str] = Counter()

    def make_work(name: str) -> Job:
        async def work(run: Run) -> Finish:
            made[run.schedule_id, run.scheduled_for] += 1
            by[name] += 1
            await asyncio.sleep(0)
            return finish

        return work

    database = tmp_path / "plan.sqlite3"
    one, other = Plan(database), Plan(database, is_owner=False)
    async with one.run(make_work("one")) as first, other.run(make_work("other")) as second:
        for _ in range(100):
            await one.add("*/5 * * * *")
        for done in range(100, 1001, 100):
            for plan in (one, other):
                plan.clock.advance(minutes=5)
            # Each scheduler is the first to sweep now and then.
            pair = (first, second) if done % 200 else (second, first)
            await asyncio.gather(*(each.sweep() for each in pair * 5))
            await wait_for_runs(
                database,
                lambda found, done=done: found["succeeded"] + found["failed"] >= done,  # type: ignore[misc]
            )
        runs = await one.read_runs()
    assert Counter(run.status for run in runs) == {"succeeded": 1000}
    assert len(made) == made.total() == 1000
    assert set(by) == {"one", "other"}


async def test_a_burst_of_ten_thousand_runs_keeps_the_concurrency_and_the_api_answers(
    start_server: StartServer, make_key: MakeKey, tmp_path: Path, with_work: Sections
) -> None:
    database = tmp_path / "biont.sqlite3"
    server = await start_server(**with_work, scheduler={"concurrency": 8})
    key = await make_key()
    await server.stop()
    add_due(database, 10_000)
    await server.start()
    answered = 0
    async with asyncio.timeout(300), ApiClient(server.url, key) as client:
        while (found := await asyncio.to_thread(count_by_status, database))["succeeded"] < 10_000:
            assert not set(found) - {"queued", "running", "succeeded"}
            await client.get("/schedule/10000/runs")
            answered += 1
    assert answered > 100
    (together,) = query(database, "SELECT max(result ->> 'together') FROM schedule_runs")
    assert together == (8,)
