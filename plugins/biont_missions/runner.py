"""Mission runner: takes each mission through its states, one durable step at a time.

    draft --> planning --> working --> reviewing --> reporting --> completed
                              ^            |             |
                              +------------+             +-------> failed
                             (missing tasks)

A mission with given steps skips ``planning``; a mission that used all its reviews skips
``reviewing``. Any state before the end may also become ``failed``, by an error, or
``cancelled``, by the user. ``retry`` returns both to ``planning`` or ``working``.

Each step asks the model first, and then writes the outcome and the next status in one
transaction. The write does nothing if the status has changed meanwhile, for example because
the user cancelled the mission. The memory holds nothing that the tables do not hold, so
after a crash the next start resumes every mission from its status:

- ``planning``, ``reviewing``, ``reporting``: the question under way is asked again.
  Nothing of the lost answer was written, so there is one plan and one report.
- ``working``: completed tasks stay completed; `biont_missions.task_runner` says how a
  running task is resumed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Concatenate, ParamSpec, TypeVar

import structlog

from biont import Service, Workbench
from biont.events import Cause, caused_by, mark_origin
from biont.exceptions import BiontError, InvalidAnswer, InvalidInput, StoreUnavailable
from biont.security import explain_exception
from biont.store import keep_trying
from biont_missions.missions import (
    fail_mission,
    load_mission,
    save_plan,
    save_report,
    save_review,
)
from biont_missions.model_client import ModelClient
from biont_missions.plans import (
    MissionPlan,
    PlannedTask,
    Review,
    check_steps,
    make_plan_prompt,
    make_report_prompt,
    make_review_prompt,
)
from biont_missions.settings import MissionSettings
from biont_missions.tables import ENDED, Mission, MissionStatus, Task
from biont_missions.task_runner import TaskRunner
from biont_missions.tasks import list_active_missions

P = ParamSpec("P")
T = TypeVar("T")

_PLAN_ATTEMPTS = 3
_STORE_PAUSE = 5.0
"""Seconds between two attempts while the database is unavailable."""

_log = structlog.get_logger("biont.missions")


class MissionRunner:
    """Runner of all missions that are neither drafts nor ended.

    Args:
        workbench: the workbench with the store, the models and the agents.
        settings: the limits.
    """

    def __init__(self, workbench: Workbench, settings: MissionSettings) -> None:
        self._workbench = workbench
        self._settings = settings
        self._model_client = ModelClient(workbench, settings.retry)
        self._places = asyncio.Semaphore(settings.concurrency)
        self._task_runners: dict[int, TaskRunner] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._closing = False
        self._switching: set[asyncio.Task[None]] = set()
        workbench.users.on_switch(disabled=self._hold_user, enabled=self._release_user)

    @asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        """Resume all unfinished missions; on leaving, interrupt all of them."""
        for mission_id in await self._workbench.store.read(list_active_missions):
            self.resume(mission_id)
        try:
            yield
        finally:
            self._closing = True
            active = [*self._tasks.values(), *self._switching]
            for task in active:
                task.cancel()
            await asyncio.gather(*active, return_exceptions=True)

    def resume(self, mission_id: int) -> None:
        """Run a mission, or make its runner read the tables again after a change."""
        if mission_id in self._task_runners:
            self._task_runners[mission_id].wake()
            return
        if self._closing:
            return
        self._task_runners[mission_id] = TaskRunner(
            self._workbench, self._model_client, self._places, mission_id
        )
        task = self._tasks[mission_id] = asyncio.create_task(self._drive(mission_id))

        def remove_runner(_: object) -> None:
            del self._tasks[mission_id]
            # An approval may arrive after the last look at the tables and before this
            # callback. Such a change has only woken the runner that has just ended.
            if self._task_runners.pop(mission_id).has_changed:
                self.resume(mission_id)

        task.add_done_callback(remove_runner)

    def _hold_user(self, user_id: int) -> None:
        self._switch(self._interrupt_missions(user_id))

    def _release_user(self, _: int) -> None:
        self._switch(self._resume_missions())

    def _switch(self, work: Coroutine[None, None, None]) -> None:
        switching = asyncio.create_task(work)
        self._switching.add(switching)
        switching.add_done_callback(self._switching.discard)

    async def _interrupt_missions(self, user_id: int) -> None:
        owned = await keep_trying(
            lambda: self._workbench.store.read(list_active_missions, user_id)
        )
        for mission_id in owned:
            self.stop(mission_id)

    async def _resume_missions(self) -> None:
        for mission_id in await keep_trying(
            lambda: self._workbench.store.read(list_active_missions)
        ):
            self.resume(mission_id)

    def stop(self, mission_id: int) -> None:
        """Interrupt a mission that was cancelled."""
        if task := self._tasks.get(mission_id):
            task.cancel()

    async def _drive(self, mission_id: int) -> None:
        # All events of a mission share one correlation id, also after a restart.
        with caused_by(Cause(correlation_id=f"mission-{mission_id}")):
            can_continue = True
            while can_continue:
                try:
                    can_continue = await self._advance_or_fail(mission_id)
                except StoreUnavailable as error:
                    # The status in the table is unchanged, so the same step runs again.
                    _log.warning("mission interrupted", mission_id=mission_id, error=str(error))
                    await asyncio.sleep(_STORE_PAUSE)

    async def _advance_or_fail(self, mission_id: int) -> bool:
        try:
            return await self._advance_one_step(mission_id)
        except StoreUnavailable:
            raise  # not the mission's fault: the step is repeated
        except Exception as error:  # noqa: BLE001  # any other error ends the mission
            if not isinstance(error, BiontError):
                _log.error("mission failed unexpectedly", mission_id=mission_id, exc_info=error)
            await self._fail(mission_id, explain_exception(error))
            return False

    async def _advance_one_step(self, mission_id: int) -> bool:
        """Advance a mission to its next status; return whether another step can follow."""
        mission, tasks = await self._workbench.store.read(load_mission, mission_id)
        # The mission of a disabled user waits; see `_release_user`.
        if mission.status in ENDED or mission.user_id in self._workbench.users.disabled:
            return False
        # In each step, because a task may have read text from outside in the step before it.
        mark_origin(mission.origin)
        match MissionStatus(mission.status):
            case MissionStatus.PLANNING:
                await self._plan(mission)
            case MissionStatus.WORKING:
                return await self._task_runners[mission_id].run_tasks()
            case MissionStatus.REVIEWING:
                await self._review(mission, tasks)
            case MissionStatus.REPORTING:
                await self._report(mission, tasks)
            case _:
                return False
        return True

    async def _plan(self, mission: Mission) -> None:
        problem: str | None = None
        for _ in range(_PLAN_ATTEMPTS):
            messages = make_plan_prompt(mission, self._settings.tasks, problem)
            try:
                plan = await self._model_client.ask_for(mission, messages, MissionPlan)
                check_steps(plan.tasks, 0, self._settings.tasks)
            except (InvalidAnswer, InvalidInput) as error:
                problem = str(error)  # the next prompt quotes the problem to the model
            else:
                await self._write(save_plan, mission.id, plan.tasks)
                return
        await self._fail(
            mission.id, f"there is no plan after {_PLAN_ATTEMPTS} attempts: {problem}"
        )

    async def _review(self, mission: Mission, tasks: Sequence[Task]) -> None:
        context = self._model_client.find_context_size(mission)
        messages = make_review_prompt(mission, tasks, self._settings.tasks, context)
        review = await self._model_client.ask_for(mission, messages, Review)
        missing = [] if review.done else self._limit_missing(review.missing, len(tasks))
        error = None if review.done or missing else f"the review: {review.reason or 'not done'}"
        await self._write(save_review, mission.id, missing, error)

    async def _report(self, mission: Mission, tasks: Sequence[Task]) -> None:
        messages = make_report_prompt(
            mission, tasks, self._model_client.find_context_size(mission)
        )
        summary = await self._model_client.ask_for_text(mission, messages)
        now = self._workbench.clock.now()
        await self._workbench.store.transact(save_report, now, mission.id, summary)

    def _limit_missing(self, missing: Sequence[PlannedTask], before: int) -> list[PlannedTask]:
        """Return the missing tasks that fit into the limit, without impossible dependencies.

        A review is not asked again for a wrong dependency, unlike a plan: a task without
        the dependency is better than none.
        """
        return [
            step.model_copy(
                update={"depends_on": [n for n in step.depends_on if n <= before + index]}
            )
            for index, step in enumerate(missing[: self._settings.tasks - before])
        ]

    async def _fail(self, mission_id: int, error: str) -> None:
        now = self._workbench.clock.now()
        await self._workbench.store.transact(fail_mission, now, mission_id, error)

    async def _write(
        self,
        function: Callable[Concatenate[datetime, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        now = self._workbench.clock.now()
        return await self._workbench.store.write(function, now, *args, **kwargs)


MISSION_RUNNER = Service[MissionRunner]("mission runner", provider="missions")
