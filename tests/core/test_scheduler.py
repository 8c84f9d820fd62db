from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import BaseModel

from biont import Finish, JsonObject, Run, Store, Transaction
from biont.accounts import User
from biont.clock import SystemClock
from biont.event import EventFactory
from biont.exceptions import StoreUnavailable
from biont.scheduler.run import Job
from biont.scheduling import (
    CronExpression,
    RunStatus,
    Schedule,
    Scheduler,
    ScheduleRun,
    parse_time_zone,
)
from biont.store.journal import JournalEntry
from biont.testing import ManualClock

# The jobs of these tests are closures and need no workbench.
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class Nothing(BaseModel):
    """Parameters of a job without parameters."""


def finish(_: Transaction) -> JsonObject:
    return {"answer": 42}


async def succeed(_: Run) -> Finish:
    return finish


class Plan:
    """Scheduler with a clock that stands still, on a database that outlives the scheduler."""

    def __init__(self, path: Path, *, is_owner: bool = True) -> None:
        self._is_owner = is_owner
        self.clock = ManualClock(NOON)
        self._path = path
        self.entries: list[JournalEntry] = []
        self._ended = asyncio.Event()

    @asynccontextmanager
    async def run(
        self,
        job: Job = succeed,
        *,
        grace: float = 5,
        run_timeout: float = 5,
        concurrency: int = 2,
        poll_interval: float = 3600,
    ) -> AsyncIterator[Scheduler]:
        self.store = Store(self._path, EventFactory(self.clock, 8), is_owner=self._is_owner)
        self.store.on_commit(lambda entries, _: self.entries.extend(entries))
        await self.store.open()
        scheduler = Scheduler(
            self.store,
            self.clock,
            poll_interval=poll_interval,
            concurrency=concurrency,
            catch_up_window=3600,
            late_after=300,
            run_timeout=run_timeout,
        )
        await scheduler.start({"test": job})
        try:
            yield scheduler
        finally:
            await scheduler.stop(lambda: grace)
            await self.store.close()

    async def add(
        self,
        expression: str,
        *,
        job_kind: str = "test",
        due: datetime | None = None,
        catch_up_window: float | None = None,
    ) -> int:
        def insert() -> int:
            user = User.get_or_none(User.name == "ada") or User.create(name="ada", created_at=NOON)
            next_due = due or CronExpression.parse(expression).next_after(
                self.clock.now(), parse_time_zone("UTC")
            )
            return Schedule.create(
                user=user,
                name=expression,
                job_kind=job_kind,
                parameters="{}",
                expression=expression,
                time_zone="UTC",
                paused=False,
                next_fire_at=next_due,
                catch_up_window=catch_up_window,
                created_at=NOON,
                updated_at=NOON,
            ).id

        return await self.store.write(insert)

    async def read_runs(self) -> list[ScheduleRun]:
        return await self.store.read(lambda: list(ScheduleRun.select().order_by(ScheduleRun.id)))

    async def wait_until_ended(self) -> list[ScheduleRun]:
        async with asyncio.timeout(60):
            while True:
                runs = await self.read_runs()
                if runs and all(run.ended_at is not None for run in runs):
                    return runs


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return Plan(tmp_path / "plan.sqlite3")


async def test_a_due_occurrence_runs_once_and_emits_scheduled_trigger(plan: Plan) -> None:
    async with plan.run() as scheduler:
        schedule_id = await plan.add("*/5 * * * *")
        assert await scheduler.sweep() == 0
        plan.clock.advance(minutes=5)
        await scheduler.sweep()
        assert await scheduler.sweep() == 0
        (run,) = await plan.wait_until_ended()
    assert run.status == RunStatus.SUCCEEDED
    assert run.scheduled_for == datetime(2026, 3, 2, 12, 5, tzinfo=UTC)
    (event,) = [entry.event for entry in plan.entries]
    assert event.event_type == "scheduled_trigger"
    assert event.payload == {
        "schedule_id": schedule_id,
        "run_id": run.id,
        "name": "*/5 * * * *",
        "scheduled_for": "2026-03-02T12:05:00+00:00",
        "status": "succeeded",
        "answer": 42,
    }


async def test_wake_starts_a_sweep(plan: Plan) -> None:
    async with plan.run() as scheduler:
        await plan.add("*/5 * * * *")
        plan.clock.advance(minutes=5)
        scheduler.wake()
        assert (await plan.wait_until_ended())[0].status == RunStatus.SUCCEEDED


async def test_the_scheduler_sweeps_by_itself_when_an_occurrence_is_due(plan: Plan) -> None:
    plan.clock = SystemClock()  # type: ignore[assignment]  # in a test's own
    async with plan.run() as scheduler:
        await plan.add("* * * * *", due=plan.clock.now() + timedelta(milliseconds=200))
        scheduler.wake()
        assert (await plan.wait_until_ended())[0].status == RunStatus.SUCCEEDED


async def test_sweeps_continue_however_the_clock_is_set(plan: Plan) -> None:
    async with plan.run(poll_interval=0.01):
        await plan.add("*/5 * * * *")
        for minutes in (-60, 60, -60, 65):
            plan.clock.advance(minutes=minutes)
            for _ in range(3):
                await plan.read_runs()
        runs = await plan.wait_until_ended()
    assert RunStatus.SUCCEEDED in {run.status for run in runs}


class BrokenClock(ManualClock):
    """Clock that raises while `broken`."""

    broken = False

    def now(self) -> datetime:
        if self.broken:
            raise ZeroDivisionError
        return super().now()


async def test_an_error_in_a_sweep_does_not_stop_the_scheduler(plan: Plan) -> None:
    plan.clock = clock = BrokenClock(NOON)
    async with plan.run(poll_interval=0.01) as scheduler:
        await plan.add("*/5 * * * *")
        clock.advance(minutes=5)
        clock.broken = True
        scheduler.wake()
        for _ in range(3):
            await plan.read_runs()
        clock.broken = False
        assert (await plan.wait_until_ended())[0].status == RunStatus.SUCCEEDED


async def test_a_schedule_that_is_no_longer_valid_fails_alone(plan: Plan) -> None:
    def spoil() -> None:
        Schedule.update(time_zone="Mars/Base").where(Schedule.id == 1).execute()
        Schedule.update(expression="99 * * * *").where(Schedule.id == 2).execute()

    async with plan.run() as scheduler:
        for _ in range(3):
            await plan.add("*/5 * * * *")
        await plan.store.write(spoil)
        plan.clock.advance(minutes=5)
        assert await scheduler.sweep() == 1
        runs = await plan.wait_until_ended()
    assert [run.status for run in runs] == ["failed", "failed", "succeeded"]
    assert "'Mars/Base'" in str(runs[0].reason)
    assert "'99'" in str(runs[1].reason)


async def test_a_run_whose_job_raises_fails_and_emits_nothing(plan: Plan) -> None:
    async def fail(_: Run) -> Finish:
        raise ConnectionError("the model is away")

    async with plan.run(fail) as scheduler:
        await plan.add("*/5 * * * *")
        plan.clock.advance(minutes=5)
        await scheduler.sweep()
        (run,) = await plan.wait_until_ended()
    assert run.status == RunStatus.FAILED
    assert run.error == "ConnectionError: the model is away"
    assert plan.entries == []


async def test_a_product_that_cannot_be_written_is_rolled_back_whole(plan: Plan) -> None:
    async def half(_: Run) -> Finish:
        def write(tx: Transaction) -> JsonObject:
            tx.emit("note_created", 1, {})
            raise ValueError("after half of it")

        return write

    async with plan.run(half) as scheduler:
        await plan.add("*/5 * * * *")
        plan.clock.advance(minutes=5)
        await scheduler.sweep()
        (run,) = await plan.wait_until_ended()
    assert run.status == RunStatus.FAILED
    assert plan.entries == []


async def test_a_run_that_takes_too_long_fails(plan: Plan) -> None:
    async def hang(_: Run) -> Finish:
        await asyncio.Event().wait()
        return finish

    async with plan.run(hang, run_timeout=0.01) as scheduler:
        await plan.add("*/5 * * * *")
        plan.clock.advance(minutes=5)
        await scheduler.sweep()
        (run,) = await plan.wait_until_ended()
    assert "longer than 0.01 seconds" in (run.error or "")


async def test_a_run_of_an_unknown_job_kind_fails_and_names_the_kind(plan: Plan) -> None:
    async with plan.run() as scheduler:
        await plan.add("*/5 * * * *", job_kind="gone")
        plan.clock.advance(minutes=5)
        await scheduler.sweep()
        (run,) = await plan.wait_until_ended()
    assert "'gone'" in (run.error or "")


async def test_after_downtime_the_latest_missed_occurrence_runs_and_all_are_recorded(
    plan: Plan,
) -> None:
    async with plan.run() as scheduler:
        await plan.add("* * * * *")
        plan.clock.advance(hours=3)
        await scheduler.sweep()
        runs = await plan.wait_until_ended()
    assert Counter(run.status for run in runs) == {
        RunStatus.MISSED: 119,
        RunStatus.COALESCED: 60,
        RunStatus.SUCCEEDED: 1,
    }
    assert len({run.scheduled_for for run in runs}) == 180


async def test_an_occurrence_missed_too_long_ago_does_not_run(plan: Plan) -> None:
    async with plan.run() as scheduler:
        await plan.add("0 13 * * *")
        plan.clock.advance(hours=3)
        await scheduler.sweep()
        (run,) = await plan.wait_until_ended()
    assert run.status == RunStatus.MISSED


class TickingClock(ManualClock):
    """Clock that advances by a second with each look."""

    def now(self) -> datetime:
        self.advance(seconds=1)
        return super().now()


async def test_a_backlog_of_days_does_not_delay_what_is_on_time(plan: Plan) -> None:
    plan.clock = TickingClock(NOON)
    async with plan.run(concurrency=100) as scheduler:
        for _ in range(3):
            await plan.add("* * * * *", due=NOON - timedelta(days=4))
        punctual = await plan.add("* * * * * *", due=NOON + timedelta(seconds=10))
        await plan.store.write(
            lambda: (
                Schedule.update(expression="*/10 * * * * *", seconds=True)
                .where(Schedule.id == punctual)
                .execute()
            )
        )
        await scheduler.sweep()
        await plan.wait_until_ended()
        runs = await plan.read_runs()
    late = [run for run in runs if run.schedule_id != punctual]
    assert len(late) >= 3 * 4 * 24 * 60
    on_time = [run for run in runs if run.schedule_id == punctual]
    assert len(on_time) > 2
    assert {run.status for run in on_time} == {RunStatus.SUCCEEDED}


async def test_a_catch_up_window_of_months_finds_the_latest_occurrence(plan: Plan) -> None:
    async with plan.run() as scheduler:
        # In one write, because the scheduler may look at once.
        first = datetime(2026, 1, 1, tzinfo=UTC)
        await plan.add("0 0 1 * *", due=first, catch_up_window=200 * 86400.0)
        await scheduler.sweep()
        runs = await plan.wait_until_ended()
    assert [(run.scheduled_for.month, run.status) for run in runs] == [
        (1, RunStatus.COALESCED),
        (2, RunStatus.COALESCED),
        (3, RunStatus.SUCCEEDED),
    ]


async def test_an_occurrence_during_an_active_run_is_skipped(plan: Plan) -> None:
    gate, started = asyncio.Event(), asyncio.Event()

    async def slow(_: Run) -> Finish:
        started.set()
        await gate.wait()
        return finish

    async with plan.run(slow) as scheduler:
        await plan.add("*/5 * * * *")
        plan.clock.advance(minutes=5)
        await scheduler.sweep()
        await started.wait()
        plan.clock.advance(minutes=5)
        assert await scheduler.sweep() == 0
        gate.set()
        runs = await plan.wait_until_ended()
    assert [run.status for run in runs] == [RunStatus.SUCCEEDED, RunStatus.SKIPPED_OVERLAP]


async def test_the_number_of_active_runs_stays_within_the_concurrency(plan: Plan) -> None:
    running, most = 0, 0

    async def count(_: Run) -> Finish:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        return finish

    async with plan.run(count, concurrency=3) as scheduler:
        for _ in range(20):
            await plan.add("*/5 * * * *")
        plan.clock.advance(minutes=5)
        await scheduler.sweep()
        runs = await plan.wait_until_ended()
    assert len(runs) == 20
    assert most == 3


async def test_an_interrupted_run_is_resumed_at_the_next_start(plan: Plan) -> None:
    started = asyncio.Event()

    async def hang(_: Run) -> Finish:
        started.set()
        await asyncio.Event().wait()
        return finish

    async with plan.run(hang, grace=0) as scheduler:
        await plan.add("*/5 * * * *")
        plan.clock.advance(minutes=5)
        await scheduler.sweep()
        await started.wait()
    async with plan.run():
        (run,) = await plan.wait_until_ended()
    assert (run.status, run.attempts) == (RunStatus.SUCCEEDED, 2)


async def test_a_run_that_is_interrupted_three_times_fails(plan: Plan) -> None:
    starts: asyncio.Queue[int] = asyncio.Queue()

    async def hang(run: Run) -> Finish:
        starts.put_nowait(run.attempts)
        await asyncio.Event().wait()
        return finish

    async with plan.run(hang, grace=0) as scheduler:
        await plan.add("*/5 * * * *")
        plan.clock.advance(minutes=5)
        await scheduler.sweep()
        await starts.get()
    for attempt in (2, 3):
        async with plan.run(hang, grace=0):
            assert await starts.get() == attempt
    async with plan.run(hang, grace=0):
        (run,) = await plan.wait_until_ended()
    assert run.status == RunStatus.FAILED
    assert "crash" in (run.error or "")


async def test_simultaneous_sweeps_record_an_occurrence_once(plan: Plan) -> None:
    async with plan.run() as scheduler:
        await plan.add("*/5 * * * *")
        plan.clock.advance(minutes=5)
        await asyncio.gather(*(scheduler.sweep() for _ in range(10)))
        assert len(await plan.wait_until_ended()) == 1


async def test_a_paused_schedule_is_not_due(plan: Plan) -> None:
    def pause() -> None:
        Schedule.update(paused=True).execute()

    async with plan.run() as scheduler:
        await plan.add("*/5 * * * *")
        await plan.store.write(pause)
        plan.clock.advance(hours=1)
        assert await scheduler.sweep() == 0
        assert await plan.read_runs() == []
    with pytest.raises(StoreUnavailable):
        await plan.store.read(list)
