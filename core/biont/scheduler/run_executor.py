"""Sees queued runs through: no more at once than there are places."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence

import structlog

from biont.clock import Clock
from biont.event import Cause, caused_by
from biont.exceptions import BudgetExceeded, JobError
from biont.scheduler.planner import RunDefaults
from biont.scheduler.run import Finish, Job
from biont.scheduler.run_queue import RunQueue, WaitingRun
from biont.scheduler.run_records import StartedRun, end_run, fail_run, skip_run, start_runs
from biont.store.patience import keep_trying
from biont.store.store import Store

_log = structlog.get_logger("biont.scheduler")


class RunExecutor:
    """Starts queued runs, as places become free, and sees them to an end.

    Args:
        store: where the ledger of runs is.
        clock: for the ledger.
        concurrency: how many runs go on at once.
        run_timeout: how long a run may take, in seconds, when its schedule does not say.
        defaults: for what else schedules do not say.
        on_wait: called when a run has to be tried again later.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        concurrency: int,
        run_timeout: float,
        defaults: RunDefaults,
        on_wait: Callable[[], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._concurrency = concurrency
        self._run_timeout = run_timeout
        self._defaults = defaults
        self._on_wait = on_wait
        self._line = RunQueue()
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._changed = asyncio.Event()
        self._stopping = False
        self._dispatcher: asyncio.Task[None] | None = None

    def start(self, jobs: Mapping[str, Job]) -> None:
        """Begin to start runs."""
        self._jobs = jobs
        self._dispatcher = asyncio.create_task(self._dispatch())

    async def stop(self, time_left: Callable[[], float]) -> None:
        """Start nothing more; let runs end while there is time, then cancel them."""
        self._stopping = True
        self._changed.set()
        if self._dispatcher is not None:
            await _finish_tasks([self._dispatcher], time_left())
        await _finish_tasks(self._tasks.values(), time_left())

    def add(self, waiting: Iterable[WaitingRun]) -> None:
        """Put runs in line; those that are there already, or go on, stay as they are."""
        for run in waiting:
            self._line.add(run)
        self._changed.set()

    def cancel(self, run_id: int) -> None:
        """Stop the job of a run, if it goes on; the ledger is not written."""
        if task := self._tasks.get(run_id):
            task.cancel()

    @property
    def going(self) -> list[int]:
        """The runs that go on."""
        return list(self._tasks)

    async def _dispatch(self) -> None:
        while not self._stopping:
            await self._changed.wait()
            self._changed.clear()
            run_ids = list(self._line.take(self._concurrency - len(self._tasks)))
            if not run_ids or self._stopping:
                continue
            works = await self._start(run_ids)
            for work in works:
                self._begin(work)
            for run_id in set(run_ids) - {work.run.id for work in works}:
                self._leave(run_id)

    def _begin(self, work: StartedRun) -> None:
        run_id = work.run.id
        task = self._tasks[run_id] = asyncio.create_task(self._run(work))

        def end(_: object) -> None:
            del self._tasks[run_id]
            self._leave(run_id)

        task.add_done_callback(end)

    def _leave(self, run_id: int) -> None:
        self._line.leave(run_id)
        self._changed.set()

    async def _run(self, work: StartedRun) -> None:
        timeout = self._run_timeout if work.timeout is None else work.timeout
        with caused_by(Cause(correlation_id=f"run-{work.run.id}")):
            try:
                async with asyncio.timeout(timeout) as deadline:
                    finish = await self._do_job(work)
                await self._end(work, finish)
            except BudgetExceeded as error:
                await self._skip(work, str(error))
            except Exception as error:  # noqa: BLE001  # a job may raise anything; it is recorded
                is_over = deadline.expired()
                await self._fail(work, took_too_long(timeout) if is_over else error)

    async def _do_job(self, work: StartedRun) -> Finish:
        job = self._jobs.get(work.job_kind)
        if job is None:
            raise JobError(
                f"there is no job kind {work.job_kind!r}; is its plugin installed and running?"
            )
        return await job(work.run)

    async def _fail(self, work: StartedRun, error: Exception) -> None:
        _log.warning("run failed", run_id=work.run.id, error=repr(error))
        wait = await keep_trying(
            lambda: self._store.write(fail_run, work, error, self._clock.now())
        )
        if wait is not None:
            self._on_wait()

    async def _start(self, run_ids: Sequence[int]) -> list[StartedRun]:
        return await keep_trying(
            lambda: self._store.write(start_runs, run_ids, self._clock.now(), self._defaults)
        )

    async def _end(self, work: StartedRun, finish: Finish) -> None:
        await keep_trying(
            lambda: self._store.transact(end_run, work.run, finish, self._clock.now())
        )

    async def _skip(self, work: StartedRun, reason: str) -> None:
        await keep_trying(
            lambda: self._store.write(skip_run, work.run.id, reason, self._clock.now())
        )


def took_too_long(timeout: float) -> JobError:
    """Return why a run has failed that was not done after `timeout` seconds."""
    return JobError(f"took longer than {timeout:g} seconds")


async def _finish_tasks(tasks: Iterable[asyncio.Task[None]], patience: float) -> None:
    """Let tasks end by themselves for so many seconds, then cancel them."""
    running = list(tasks)
    if not running:
        return
    _, late = await asyncio.wait(running, timeout=patience)
    for task in late:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
