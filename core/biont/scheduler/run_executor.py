"""Run executor: starts queued runs, at most `concurrency` at a time, and ends each of them.

A run id is in exactly one place:

    RunQueue (ready or held back) --take--> start_runs --> task under way --> removed

The dispatcher task takes runs when a place is free and marks the runs as running in the table,
many in one transaction. Each run then has a task of its own, which calls the job and writes
the end of the run. A run that the table refuses to start (cancelled, deleted, late) leaves the
queue at once.

A stop cancels the tasks that are left after the grace period without a write, as a crash does:
the rows stay `running`, and `run_records.recover_runs` decides about these rows at the next start.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence

import structlog

from biont.clock import Clock
from biont.event import Cause, caused_by
from biont.exceptions import BudgetExceeded, CircuitOpen, JobError
from biont.runtime.containment import contain_exit
from biont.scheduler.planner import RunDefaults
from biont.scheduler.run import Finish, Job
from biont.scheduler.run_queue import RunQueue, WaitingRun
from biont.scheduler.run_records import (
    StartedRun,
    end_run,
    fail_run,
    postpone_run,
    skip_run,
    start_runs,
)
from biont.security.error_texts import describe_exception
from biont.store.patience import keep_trying
from biont.store.store import Store

_SHORTEST_WAIT = 1.0
"""The shortest wait of a postponed run, in seconds."""

_log = structlog.get_logger("biont.scheduler")


class RunExecutor:
    """Executes queued runs as places become free.

    Args:
        store: the store with the table of runs.
        clock: stamps starts and ends.
        concurrency: the largest number of runs at a time.
        run_timeout: the seconds that a run may take, for schedules that do not set their own.
        defaults: further settings for such schedules.
        on_retry: called when a run waits for a retry.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        concurrency: int,
        run_timeout: float,
        defaults: RunDefaults,
        on_retry: Callable[[], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._concurrency = concurrency
        self._run_timeout = run_timeout
        self._defaults = defaults
        self._on_retry = on_retry
        self._jobs: Mapping[str, Job] = {}
        self._queue = RunQueue()
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._changed = asyncio.Event()
        self._stopping = False
        self._dispatcher: asyncio.Task[None] | None = None

    def start(self, jobs: Mapping[str, Job]) -> None:
        """Begin to start runs."""
        self._jobs = jobs
        self._dispatcher = asyncio.create_task(self._dispatch())

    async def stop(self, time_left: Callable[[], float]) -> None:
        """Start no more runs; wait for active runs while there is time, then cancel the rest."""
        self._stopping = True
        self._changed.set()
        if self._dispatcher is not None:
            await _finish_tasks([self._dispatcher], time_left())
        await _finish_tasks(self._tasks.values(), time_left())

    def add(self, runs: Iterable[WaitingRun]) -> None:
        """Queue runs; a run that is queued or active already is ignored."""
        for run in runs:
            self._queue.add(run)
        self._changed.set()

    def cancel(self, run_id: int) -> None:
        """Stop the job of a run, if active; nothing is written."""
        if task := self._tasks.get(run_id):
            task.cancel()

    @property
    def active_runs(self) -> list[int]:
        """The ids of the active runs."""
        return list(self._tasks)

    async def _dispatch(self) -> None:
        while not self._stopping:
            await self._changed.wait()
            self._changed.clear()
            run_ids = list(self._queue.take(self._concurrency - len(self._tasks)))
            if not run_ids or self._stopping:
                continue
            started_runs = await self._start(run_ids)
            for started in started_runs:
                self._create_task(started)
            # The table has refused these: cancelled, deleted or too late.
            for run_id in set(run_ids) - {started.run.id for started in started_runs}:
                self._remove(run_id)

    def _create_task(self, started: StartedRun) -> None:
        run_id = started.run.id
        task = self._tasks[run_id] = asyncio.create_task(self._execute(started))

        def end(_: object) -> None:
            del self._tasks[run_id]
            self._remove(run_id)

        # A callback and not the end of the coroutine: a task that is cancelled before its
        # first step never enters the coroutine, and the place would stay taken.
        task.add_done_callback(end)

    def _remove(self, run_id: int) -> None:
        self._queue.remove(run_id)
        self._changed.set()

    async def _execute(self, started: StartedRun) -> None:
        timeout = started.find_timeout(self._run_timeout)
        run = started.run
        with caused_by(Cause(correlation_id=f"run-{run.id}", origin=run.origin)):
            try:
                async with asyncio.timeout(timeout) as deadline:
                    finish = await self._do_job(started)
                # Outside the deadline: a product that is done is not thrown away because the
                # database is slow.
                await self._end(started, finish)
            except BudgetExceeded as error:
                await self._skip(started, str(error))
            except CircuitOpen as error:
                await self._postpone(started, error)
            except Exception as error:  # noqa: BLE001  # a job may raise anything; it is recorded
                is_timeout = deadline.expired()
                await self._fail(started, make_timeout_error(timeout) if is_timeout else error)

    async def _do_job(self, started: StartedRun) -> Finish:
        job = self._jobs.get(started.job_kind)
        if job is None:
            raise JobError(
                f"there is no job kind {started.job_kind!r}; is its plugin installed and running?"
            )
        with contain_exit():
            return await job(started.run)

    async def _fail(self, started: StartedRun, error: Exception) -> None:
        _log.warning("run failed", run_id=started.run.id, error=describe_exception(error))
        wait = await keep_trying(
            lambda: self._store.write(fail_run, started, error, self._clock.now())
        )
        if wait is not None:
            self._on_retry()

    async def _start(self, run_ids: Sequence[int]) -> list[StartedRun]:
        return await keep_trying(
            lambda: self._store.write(start_runs, run_ids, self._clock.now(), self._defaults)
        )

    async def _end(self, started: StartedRun, finish: Finish) -> None:
        await keep_trying(
            lambda: self._store.transact(end_run, started.run, finish, self._clock.now())
        )

    async def _postpone(self, started: StartedRun, error: CircuitOpen) -> None:
        # The model was not asked, so the run has not failed: the outage is not its fault.
        _log.info("run postponed", run_id=started.run.id, reason=str(error))
        seconds = max(error.retry_after, _SHORTEST_WAIT)
        await keep_trying(
            lambda: self._store.write(
                postpone_run, started.run.id, seconds, str(error), self._clock.now()
            )
        )
        self._on_retry()

    async def _skip(self, started: StartedRun, reason: str) -> None:
        await keep_trying(
            lambda: self._store.write(skip_run, started.run.id, reason, self._clock.now())
        )


def make_timeout_error(timeout: float) -> JobError:
    """Return the error of a run that has not ended after `timeout` seconds."""
    return JobError(f"took longer than {timeout:g} seconds")


async def _finish_tasks(tasks: Iterable[asyncio.Task[None]], seconds: float) -> None:
    """Wait for tasks up to `seconds`, then cancel the rest."""
    running = list(tasks)
    if not running:
        return
    _, late = await asyncio.wait(running, timeout=seconds)
    for task in late:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
