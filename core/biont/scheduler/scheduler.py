"""Scheduler: turns due occurrences of schedules into runs, and executes the runs.

One watcher task sweeps the table of schedules. The task sleeps until the next occurrence or retry
is due, at most `poll_interval` seconds, and wakes at once when a schedule was added or
changed. A sweep repeats three steps until no schedule is due:

1. plan: a reader finds up to 500 due schedules and decides the outcomes (`planner`);
2. claim: one transaction checks each plan against the table, moves `next_fire_at` and inserts
   the runs (`claims`);
3. queue: the run executor gets the inserted runs (`run_executor`).

The table, not the memory, decides which occurrences are due and that each is claimed once. So a
crash between two steps loses nothing: an unclaimed schedule is still due, and a claimed run
is still `queued` (see `claims` and `run_records`). For the same reason a second process on the
same database does no harm: the watcher notices foreign commits and reads the table again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog

from biont.clock import Clock
from biont.exceptions import StoreUnavailable
from biont.runtime.health import HealthProblem
from biont.scheduler import run_actions
from biont.scheduler.claims import release_runs, write_claims
from biont.scheduler.clock_steps import (
    SHORTEST_STEP,
    find_latest_instant,
    replan_slice,
    withdraw_future,
)
from biont.scheduler.held_users import queue_active_runs
from biont.scheduler.planner import (
    Planner,
    RunDefaults,
    ScheduleClaim,
    find_claims,
    find_due_retries,
    find_next_due,
)
from biont.scheduler.run import Job
from biont.scheduler.run_executor import RunExecutor
from biont.scheduler.run_records import find_ended_runs, find_queued_runs, recover_runs
from biont.scheduler.tables import ScheduleRun
from biont.store.database import format_instant
from biont.store.patience import keep_trying
from biont.store.store import Store

_SLICE = 500
"""The number of schedules in one transaction: the writer is never held up for long."""

_STEP_SHOWN = timedelta(hours=1)
"""The time for which the health names a backward step of the clock."""

_log = structlog.get_logger("biont.scheduler")


class Scheduler:
    """Claims due occurrences and executes the runs.

    Args:
        store: the store with the tables of schedules and runs.
        clock: decides whether an occurrence is due.
        poll_interval: the longest time between two sweeps, in seconds.
        concurrency: the largest number of runs at a time.
        catch_up_window: the largest age of a missed occurrence that is still run, in seconds.
        late_after: the same for schedules that catch up nothing.
        run_timeout: the seconds that a run may take.
    """

    def __init__(
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
        self._executor = RunExecutor(
            store,
            clock,
            concurrency=concurrency,
            run_timeout=run_timeout,
            defaults=self._defaults,
            on_retry=self.wake,
        )
        self._woken = asyncio.Event()
        self._holding: set[asyncio.Task[None]] = set()
        self._has_foreign_change = False
        self._latest: datetime | None = None
        self._step_back: tuple[datetime, timedelta] | None = None
        self._watcher: asyncio.Task[None] | None = None

    async def start(self, jobs: Mapping[str, Job]) -> None:
        """Recover the runs that a former process did not end, then begin to sweep.

        Args:
            jobs: the jobs by job kind.
        """
        # Before the first sweep: an interrupted run that fails must not cause skipped overlaps.
        await self._store.write(recover_runs, self._clock.now())
        self._executor.add(await self._store.read(find_queued_runs))
        self._latest = await self._store.read(find_latest_instant)
        self._executor.start(jobs)
        self._store.on_foreign_change(self._notice_foreign_change)
        self._watcher = asyncio.create_task(self._watch())

    async def stop(self, time_left: Callable[[], float]) -> None:
        """Start no more runs; wait for active runs while there is time.

        The runs that are left are cancelled, as if interrupted by a crash.

        Args:
            time_left: returns the seconds that are left.
        """
        if self._watcher is not None:
            self._watcher.cancel()
            await asyncio.gather(self._watcher, return_exceptions=True)
        for holding in self._holding:
            holding.cancel()
        await self._executor.stop(time_left)

    def find_problems(self) -> list[HealthProblem]:
        """Return the last backward step of the clock, for an hour."""
        if self._step_back is None or self._clock.now() - self._step_back[0] > _STEP_SHOWN:
            return []
        at, step = self._step_back
        return [
            HealthProblem(
                "clock",
                f"the clock was set back by {step} at {at:%Y-%m-%dT%H:%M:%SZ}; schedules are "
                "planned again",
            )
        ]

    def resume_runs(self) -> None:
        """Sweep now, and start the runs that a pause has held."""
        self._notice_foreign_change()

    def hold_user(self, user_id: int) -> None:
        """Cancel the active runs of a user who was disabled; the runs wait."""
        holding = asyncio.create_task(self._hold_user(user_id))
        self._holding.add(holding)
        holding.add_done_callback(self._holding.discard)

    def release_user(self, _: int) -> None:
        """Sweep, and start the runs of a user who was enabled."""
        self._notice_foreign_change()

    async def _hold_user(self, user_id: int) -> None:
        active = self._executor.active_runs
        if active:
            held = await keep_trying(lambda: self._store.write(queue_active_runs, user_id, active))
            for run_id in held:
                self._executor.cancel(run_id)

    def wake(self) -> None:
        """Sweep now, because a schedule was added or changed."""
        self._woken.set()

    async def run_now(self, user_id: int, schedule_id: int) -> ScheduleRun:
        """Queue a run of a schedule for the present instant, also of a paused or finished one.

        Raises:
            NotFound: no such schedule, or another user's.
            Conflict: the schedule has a run for this very instant.
        """
        now = self._clock.now()
        run = await self._store.write(run_actions.run_now, user_id, schedule_id, now)
        await self._read_changes()
        return run

    async def cancel_run(self, user_id: int, run_id: int) -> ScheduleRun:
        """End a queued or active run as cancelled, and stop the job.

        Raises:
            NotFound: no such run, or another user's.
            Conflict: the run has ended.
        """
        run = await self._store.write(run_actions.cancel_run, user_id, run_id, self._clock.now())
        # After the commit: a job that ends in between finds its run ended and writes nothing.
        self._executor.cancel(run_id)
        return run

    async def retry_run(self, user_id: int, run_id: int) -> ScheduleRun:
        """Queue an ended run that did not succeed once more.

        Raises:
            NotFound: no such run, or another user's.
            Conflict: the run has succeeded, or has not ended.
        """
        run = await self._store.write(run_actions.retry_run, user_id, run_id)
        await self._read_changes()
        return run

    async def sweep(self) -> int:
        """Claim all due occurrences and queue the runs; return the number of runs."""
        began_at = format_instant(self._clock.now())
        count = 0
        while True:
            # The present of each slice, so that what falls due beside a long backlog is on time.
            now = self._clock.now()
            await self._notice_step_back(now)
            planner = Planner(now, self._defaults)
            work = await self._store.read(_find_work, planner)
            if work.retries:
                self._executor.add(await self._store.write(release_runs, work.retries))
            if work.claims:
                queued = await self._store.write(write_claims, work.claims, planner.now)
                self._executor.add(queued)
                count += len(queued)
            # A slice that was due only later is the last, so a sweep ends.
            if not any(claim.due_at <= began_at for claim in work.claims):
                return count

    async def _watch(self) -> None:
        while True:
            wait = self._poll_interval
            try:
                if self._has_foreign_change:
                    # Cleared before the read: a commit during the read is read next time.
                    self._has_foreign_change = False
                    await self._read_changes()
                await self.sweep()
                wait = self._find_wait(await self._store.read(find_next_due))
            except StoreUnavailable as error:
                _log.warning("schedules not swept; the next sweep tries again", error=str(error))
            except Exception:  # noqa: BLE001  # a mistake must not stop all schedules for good
                _log.exception("schedules not swept; the next sweep tries again")
            # Measured by the event loop's monotonic time: the system clock may be set back, and
            # a wait measured by it would then not end.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._woken.wait()
            self._woken.clear()

    async def _notice_step_back(self, now: datetime) -> None:
        """Plan all schedules again if the clock was set back since the last sweep."""
        step = now - now if self._latest is None else self._latest - now
        if step >= SHORTEST_STEP:
            # Before the writes: whoever sees a new plan also sees the reason in the health.
            self._step_back = (now, step)
            withdrawn = await self._store.write(withdraw_future, now)
            last: int | None = 0
            while last is not None:
                last = await self._store.write(replan_slice, now, last, withdrawn)
            _log.warning(
                "the clock was set back; schedules are planned again",
                seconds=step.total_seconds(),
                schedules_with_withdrawn_records=len(withdrawn),
            )
        self._latest = now

    def _find_wait(self, due_at: datetime | None) -> float:
        """Return the seconds until the next sweep."""
        if due_at is None:
            return self._poll_interval
        left = (due_at - self._clock.now()).total_seconds()
        return min(self._poll_interval, max(0.0, left))

    async def _read_changes(self) -> None:
        """Take over runs that were queued or cancelled by hand or by another process."""
        for run_id in await self._store.read(find_ended_runs, self._executor.active_runs):
            self._executor.cancel(run_id)
        self._executor.add(await self._store.read(find_queued_runs))

    def _notice_foreign_change(self) -> None:
        self._has_foreign_change = True
        self.wake()


class _Work(NamedTuple):
    """Claims of due schedules, and ids of runs whose retry is due."""

    claims: list[ScheduleClaim]
    retries: list[int]


def _find_work(planner: Planner) -> _Work:
    return _Work(find_claims(planner, _SLICE), find_due_retries(planner.now))
