"""Sees missions through: plans, lets tasks be carried out, reviews, reports."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Concatenate, ParamSpec, TypeVar

import structlog

from biont import Service, Workbench
from biont.events import Cause, caused_by
from biont.exceptions import BiontError, InvalidAnswer, InvalidInput, StoreUnavailable
from biont_missions.missions import (
    fail_mission,
    keep_plan,
    keep_report,
    keep_review,
    read_mission,
)
from biont_missions.model_client import ModelClient
from biont_missions.plans import (
    MissionPlan,
    PlannedTask,
    Review,
    ask_for_plan,
    ask_for_report,
    ask_for_review,
    check_steps,
)
from biont_missions.settings import MissionSettings
from biont_missions.tables import ENDED, Mission, MissionStatus, Task
from biont_missions.task_runner import TaskRunner
from biont_missions.tasks import list_going

P = ParamSpec("P")
T = TypeVar("T")

_ATTEMPTS = 3
_STORE_PAUSE = 5.0

_log = structlog.get_logger("biont_missions")


class MissionRunner:
    """Goes on with all missions that are not drafts and have not ended.

    All that they have come to is in the store: each step is written once it is done, so
    that after a crash a mission goes on where it was.

    Args:
        workbench: has store, models and agents.
        settings: the limits.
    """

    def __init__(self, workbench: Workbench, settings: MissionSettings) -> None:
        self._workbench = workbench
        self._settings = settings
        self._asker = ModelClient(workbench, settings.retry)
        self._places = asyncio.Semaphore(settings.concurrency)
        self._works: dict[int, TaskRunner] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._closing = False

    @asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        """Take up what is unfinished; on leaving, let it rest where it is."""
        for mission_id in await self._workbench.store.read(list_going):
            self.go_on(mission_id)
        try:
            yield
        finally:
            self._closing = True
            going = list(self._tasks.values())
            for task in going:
                task.cancel()
            await asyncio.gather(*going, return_exceptions=True)

    def go_on(self, mission_id: int) -> None:
        """Go on with a mission, or look at it anew, since something of it has changed."""
        if mission_id in self._works:
            self._works[mission_id].wake()
            return
        if self._closing:
            return
        self._works[mission_id] = TaskRunner(
            self._workbench, self._asker, self._places, mission_id
        )
        task = self._tasks[mission_id] = asyncio.create_task(self._drive(mission_id))

        def leave(_: object) -> None:
            del self._tasks[mission_id]
            if self._works.pop(mission_id).has_changed:
                self.go_on(mission_id)

        task.add_done_callback(leave)

    def stop(self, mission_id: int) -> None:
        """Let go of a mission that has ended."""
        if task := self._tasks.get(mission_id):
            task.cancel()

    async def _drive(self, mission_id: int) -> None:
        with caused_by(Cause(correlation_id=f"mission-{mission_id}")):
            going = True
            while going:
                try:
                    going = await self._take_step_or_fail(mission_id)
                except StoreUnavailable as error:
                    _log.warning("mission interrupted", mission_id=mission_id, error=str(error))
                    await asyncio.sleep(_STORE_PAUSE)

    async def _take_step_or_fail(self, mission_id: int) -> bool:
        try:
            return await self._take_step(mission_id)
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001  # whatever it is, the mission has failed
            if not isinstance(error, BiontError):
                _log.error("mission broken", mission_id=mission_id, exc_info=error)
            await self._fail(mission_id, str(error) or repr(error))
            return False

    async def _take_step(self, mission_id: int) -> bool:
        """Bring a mission a step further; say whether it can go on."""
        mission, tasks = await self._workbench.store.read(read_mission, mission_id)
        if mission.status in ENDED:
            return False
        match MissionStatus(mission.status):
            case MissionStatus.PLANNING:
                await self._plan(mission)
            case MissionStatus.WORKING:
                return await self._works[mission_id].carry_out()
            case MissionStatus.REVIEWING:
                await self._review(mission, tasks)
            case MissionStatus.REPORTING:
                messages = ask_for_report(mission, tasks, self._asker.find_context(mission))
                summary = await self._asker.ask_for_text(mission, messages)
                now = self._workbench.clock.now()
                await self._workbench.store.transact(keep_report, now, mission_id, summary)
            case _:
                return False
        return True

    async def _plan(self, mission: Mission) -> None:
        problem: str | None = None
        for _ in range(_ATTEMPTS):
            messages = ask_for_plan(mission, self._settings.tasks, problem)
            try:
                plan = await self._asker.ask_for(mission, messages, MissionPlan)
                check_steps(plan.tasks, 0, self._settings.tasks)
            except (InvalidAnswer, InvalidInput) as error:
                problem = str(error)
            else:
                await self._write(keep_plan, mission.id, plan.tasks)
                return
        await self._fail(mission.id, f"there is no plan after {_ATTEMPTS} attempts: {problem}")

    async def _review(self, mission: Mission, tasks: Sequence[Task]) -> None:
        context = self._asker.find_context(mission)
        messages = ask_for_review(mission, tasks, self._settings.tasks, context)
        review = await self._asker.ask_for(mission, messages, Review)
        missing = [] if review.done else self._fit(review.missing, len(tasks))
        error = None if review.done or missing else f"the review: {review.reason or 'not done'}"
        await self._write(keep_review, mission.id, missing, error)

    def _fit(self, missing: Sequence[PlannedTask], before: int) -> list[PlannedTask]:
        """Return as many tasks as may be added; what they cannot depend on is left out."""
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


MISSIONS = Service[MissionRunner]("missions", provider="missions")
