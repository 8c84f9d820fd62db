"""Starts what is due, when it is due, and sees it to an end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from biont.clock import Clock
from biont.event import Cause, caused_by
from biont.exceptions import JobError, StoreUnavailable
from biont.scheduler.jobs import Finish, JobKind, Run
from biont.scheduler.ledger import (
    end_run,
    fail_run,
    find_claims,
    find_unfinished,
    start_run,
    write_claims,
)
from biont.scheduler.tables import Schedule
from biont.store import Store, Transaction

if TYPE_CHECKING:
    from biont.workbench import Workbench

P = ParamSpec("P")
T = TypeVar("T")

_SLICE = 200
_WRITE_AGAIN = 5.0

_log = structlog.get_logger("biont.scheduler")


class Scheduler:
    """Turns due instants into runs.

    APScheduler only ticks, every `poll_interval` and at the next due instant;
    what is due, and that it is run once, our own table decides.

    Args:
        store: where schedules and the ledger of runs are.
        clock: decides what is due.
        poll_interval: between two looks at the table, in seconds.
        concurrency: how many runs go on at once.
        catch_up_window: how old a missed instant may be and still be run, in seconds.
        run_timeout: how long a run may take, in seconds.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        poll_interval: float,
        concurrency: int,
        catch_up_window: float,
        run_timeout: float,
    ) -> None:
        self._store = store
        self._clock = clock
        self._poll_interval = poll_interval
        self._concurrency = concurrency
        self._window = timedelta(seconds=catch_up_window)
        self._run_timeout = run_timeout
        self._kinds: Mapping[str, JobKind] = {}
        self._queue: asyncio.Queue[int] = asyncio.Queue()
        self._due = asyncio.Event()
        self._ticker = AsyncIOScheduler(timezone="UTC")
        self._tasks: list[asyncio.Task[None]] = []
        self._busy: set[asyncio.Task[None]] = set()
        self._stopping = False

    async def start(self, kinds: Mapping[str, JobKind], workbench: Workbench) -> None:
        """Begin, with the runs that a former process did not end."""
        self._kinds = kinds
        self._workbench = workbench
        for run_id in await self._store.read(find_unfinished):
            self._queue.put_nowait(run_id)
        self._ticker.add_job(self.wake, "interval", seconds=self._poll_interval)
        self._ticker.start()
        self.wake()
        self._tasks = [asyncio.create_task(self._watch())]
        self._tasks += [asyncio.create_task(self._work()) for _ in range(self._concurrency)]

    async def stop(self, time_left: Callable[[], float]) -> None:
        """Start nothing more; let runs end while there is time.

        Those that do not are cancelled, and run again at the next start.

        Args:
            time_left: how many seconds it may take.
        """
        self._stopping = True
        if self._ticker.running:
            self._ticker.shutdown(wait=False)
        for task in self._tasks:
            if task not in self._busy:
                task.cancel()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=time_left())
            for task in late:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def wake(self) -> None:
        """Look at the table now: a schedule was added or changed."""
        self._due.set()

    @property
    def kinds(self) -> Mapping[str, JobKind]:
        """The kinds of job there are, by name."""
        return self._kinds

    async def sweep(self) -> int:
        """Queue the runs of all that is due, slice by slice; return how many there are."""
        count = 0
        while True:
            now = self._clock.now()
            claims = await self._store.read(find_claims, now, _SLICE, self._window)
            if not claims:
                return count
            queued = await self._store.write(write_claims, claims, now)
            count += len(queued)
            for run_id in queued:
                self._queue.put_nowait(run_id)

    async def _watch(self) -> None:
        while True:
            await self._due.wait()
            self._due.clear()
            try:
                await self.sweep()
                self._arm(await self._store.read(_find_next_due))
            except StoreUnavailable as error:
                _log.warning("schedules not swept, will be tried again", error=str(error))

    def _arm(self, due_at: datetime | None) -> None:
        """Have the ticker wake us at the next due instant, if one comes before it polls."""
        if due_at is None or self._stopping:
            return
        self._ticker.add_job(
            self.wake,
            "date",
            run_date=due_at,
            id="next-due",
            replace_existing=True,
            # It drops jobs that are late by a second, unless told not to.
            misfire_grace_time=None,
        )

    async def _work(self) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  # narrows the type for mypy
        while not self._stopping:
            run_id = await self._queue.get()
            self._busy.add(task)
            try:
                await self._run(run_id)
            finally:
                self._busy.discard(task)

    async def _run(self, run_id: int) -> None:
        started = await self._write(start_run, run_id, self._clock.now())
        if started is None:
            return
        run, kind = started
        with caused_by(Cause(correlation_id=f"run-{run.id}")):
            try:
                async with asyncio.timeout(self._run_timeout):
                    finish = await self._do_job(run, kind)
                await self._write(end_run, run, finish, self._clock.now())
            except TimeoutError:
                error = JobError(f"took longer than {self._run_timeout:g} seconds")
                await self._write(fail_run, run, error, self._clock.now())
            except Exception as error:  # noqa: BLE001  # a job may raise anything; it is recorded
                _log.warning("run failed", run_id=run.id, error=repr(error))
                await self._write(fail_run, run, error, self._clock.now())

    async def _do_job(self, run: Run, kind: str) -> Finish:
        job = self._kinds.get(kind)
        if job is None:
            raise JobError(f"there is no job kind {kind!r}; is its plugin installed and running?")
        return await job.run(run, self._workbench)

    async def _write(
        self,
        function: Callable[Concatenate[Transaction, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Write, again and again while the store is unavailable: the ledger has no gaps."""
        while True:
            with contextlib.suppress(StoreUnavailable):
                return await self._store.write(function, *args, **kwargs)
            await asyncio.sleep(_WRITE_AGAIN)


def _find_next_due() -> datetime | None:
    row = (
        Schedule.select(Schedule.next_fire_at)
        .where(Schedule.next_fire_at.is_null(False), ~Schedule.paused)
        .order_by(Schedule.next_fire_at)
        .first()
    )
    return None if row is None else row.next_fire_at
