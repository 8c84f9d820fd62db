"""Starts what is due, when it is due, and sees it to an end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import structlog

from biont.clock import Clock
from biont.exceptions import StoreUnavailable
from biont.scheduler import run_actions
from biont.scheduler.claims import release, write_claims
from biont.scheduler.planner import (
    Planner,
    RunDefaults,
    ScheduleClaim,
    find_claims,
    find_next_due,
    find_waiting,
)
from biont.scheduler.run import Job
from biont.scheduler.run_executor import RunExecutor
from biont.scheduler.run_records import find_ended, find_queued, recover
from biont.scheduler.tables import ScheduleRun
from biont.store.store import Store

_SLICE = 500

_log = structlog.get_logger("biont.scheduler")


class Scheduler:
    """Turns due instants into runs.

    It looks at the table at the next due instant, and every `poll_interval` at least:
    what is due, and that it is run once, the table decides.

    Args:
        store: where schedules and the ledger of runs are.
        clock: decides what is due.
        poll_interval: between two looks at the table, in seconds.
        concurrency: how many runs go on at once.
        catch_up_window: how old a missed instant may be and still be run, in seconds.
        late_after: the same for schedules that catch nothing up.
        run_timeout: how long a run may take, in seconds.
    """

    def __init__(  # they are settings
        self,
        store: Store,
        clock: Clock,
        *,
        poll_interval: float,
        concurrency: int,
        catch_up_window: float,
        late_after: float,
        run_timeout: float,
    ) -> None:
        self._store = store
        self._clock = clock
        self._poll_interval = poll_interval
        self._defaults = RunDefaults(
            timedelta(seconds=catch_up_window), timedelta(seconds=late_after)
        )
        self._runner = RunExecutor(
            store,
            clock,
            concurrency=concurrency,
            run_timeout=run_timeout,
            defaults=self._defaults,
            on_wait=self.wake,
        )
        self._due = asyncio.Event()
        self._has_foreign_change = False
        self._watcher: asyncio.Task[None] | None = None

    async def start(self, jobs: Mapping[str, Job]) -> None:
        """Start, first with the runs that a former process did not end.

        Args:
            jobs: the job of each kind, by its name.
        """
        await self._store.write(recover, self._clock.now())
        self._runner.add(await self._store.read(find_queued))
        self._runner.start(jobs)
        self._store.on_foreign_change(self._notice_foreign_change)
        self._watcher = asyncio.create_task(self._watch())

    async def stop(self, time_left: Callable[[], float]) -> None:
        """Start nothing more; let runs end while there is time.

        Those that do not are cancelled, and are as if interrupted by a crash.

        Args:
            time_left: how many seconds it may take.
        """
        if self._watcher is not None:
            self._watcher.cancel()
            await asyncio.gather(self._watcher, return_exceptions=True)
        await self._runner.stop(time_left)

    def wake(self) -> None:
        """Look at the table now: a schedule was added or changed."""
        self._due.set()

    async def run_now(self, user_id: int, schedule_id: int) -> ScheduleRun:
        """Queue a run of a schedule for the present instant, whatever its state.

        Raises:
            NotFound: there is no such schedule, or it is somebody else's.
            Conflict: it has a run for this very instant.
        """
        now = self._clock.now()
        run = await self._store.write(run_actions.run_now, user_id, schedule_id, now)
        await self._collect()
        return run

    async def cancel_run(self, user_id: int, run_id: int) -> ScheduleRun:
        """End a run that waits or goes on as cancelled; its job is stopped.

        Raises:
            NotFound: there is no such run, or it is somebody else's.
            Conflict: it has ended.
        """
        run = await self._store.write(run_actions.cancel_run, user_id, run_id, self._clock.now())
        self._runner.cancel(run_id)
        return run

    async def retry_run(self, user_id: int, run_id: int) -> ScheduleRun:
        """Queue a run once more that has ended, but did not succeed.

        Raises:
            NotFound: there is no such run, or it is somebody else's.
            Conflict: it has succeeded, or has not ended.
        """
        run = await self._store.write(run_actions.retry_run, user_id, run_id)
        await self._collect()
        return run

    async def sweep(self) -> int:
        """Queue the runs of all that is due, slice by slice; return how many there are."""
        plans = Planner(self._clock.now(), self._defaults)
        count = 0
        claims, waiting = await self._store.read(_look, plans)
        if waiting:
            self._runner.add(await self._store.write(release, waiting))
        while claims:
            queued = await self._store.write(write_claims, claims, plans.now)
            self._runner.add(queued)
            count += len(queued)
            claims, _ = await self._store.read(_look, plans)
        return count

    async def _watch(self) -> None:
        while True:
            wait = self._poll_interval
            try:
                if self._has_foreign_change:
                    self._has_foreign_change = False
                    await self._collect()
                await self.sweep()
                wait = self._find_wait(await self._store.read(find_next_due))
            except StoreUnavailable as error:
                _log.warning("schedules not swept, will be tried again", error=str(error))
            except Exception:  # noqa: BLE001  # a mistake must not stop all schedules for good
                _log.exception("schedules not swept, will be tried again")
            # By the loop's time, which goes on evenly however the clock is set.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._due.wait()
            self._due.clear()

    def _find_wait(self, due_at: datetime | None) -> float:
        """Return how long there is nothing to do, in seconds."""
        if due_at is None:
            return self._poll_interval
        left = (due_at - self._clock.now()).total_seconds()
        return min(self._poll_interval, max(0.0, left))

    async def _collect(self) -> None:
        """Take up what was not claimed by a sweep: what was queued or cancelled by hand."""
        for run_id in await self._store.read(find_ended, self._runner.going):
            self._runner.cancel(run_id)
        self._runner.add(await self._store.read(find_queued))

    def _notice_foreign_change(self) -> None:
        self._has_foreign_change = True
        self.wake()


def _look(plans: Planner) -> tuple[list[ScheduleClaim], list[int]]:
    return find_claims(plans, _SLICE), find_waiting(plans.now)
