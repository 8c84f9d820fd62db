"""Carries out the tasks of one mission, side by side where they do not need one another."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

import orjson
import structlog

from biont import Workbench
from biont.exceptions import BiontError, StoreUnavailable
from biont.llm import ChatRequest, TokenUsage
from biont_agents import AGENTS, AgentStatus, NewAgentRun
from biont_missions.missions import fail_mission, finish_work, read_mission
from biont_missions.model_client import ModelClient, check_budget, make_call
from biont_missions.plans import ask_for_work
from biont_missions.tables import Mission, MissionStatus, Task, TaskStatus
from biont_missions.tasks import (
    begin_task,
    charge_task,
    end_task,
    fail_task,
    find_ready,
    list_needed,
    pause_task,
)

_log = structlog.get_logger("biont_missions")


@dataclass(frozen=True)
class TaskBudget:
    """The budget of a mission, as the agent's run of one of its tasks uses it.

    Attributes:
        models: has the mission's reservations.
        mission_id: the mission.
        task_id: the task, which counts what its run takes, too.
    """

    models: ModelClient
    mission_id: int
    task_id: int

    def reserve(self, request: ChatRequest) -> AbstractAsyncContextManager[None]:
        """Reserve what a question may take, while it is asked and counted inside."""
        return self.models.reserve(self.mission_id, request)

    def charge(self, usage: TokenUsage) -> None:
        """Count what a question took, in the transaction that keeps the answer."""
        charge_task(self.task_id, usage.prompt_tokens + usage.completion_tokens)


class TaskRunner:
    """The tasks of one mission.

    Args:
        workbench: has store and agents.
        asker: asks again where a model gave no answer.
        places: how many tasks of all missions go on at once.
        mission_id: which mission.
    """

    def __init__(
        self, workbench: Workbench, asker: ModelClient, places: asyncio.Semaphore, mission_id: int
    ) -> None:
        self._workbench = workbench
        self._asker = asker
        self._places = places
        self._mission_id = mission_id
        self._going: dict[int, asyncio.Task[None]] = {}
        self._changed = asyncio.Event()
        self._interruption: Exception | None = None

    def wake(self) -> None:
        """Look at the tasks anew: one of them was changed by somebody else."""
        self._changed.set()

    @property
    def has_changed(self) -> bool:
        """Whether it was woken since the tasks were looked at."""
        return self._changed.is_set()

    async def carry_out(self) -> bool:
        """Do what can be done; say whether the mission can go on at once.

        It cannot when all that is left waits for approvals.

        Raises:
            StoreUnavailable: what was done could not be recorded.
        """
        self._interruption = None
        try:
            while True:
                self._changed.clear()
                mission, tasks = await self._workbench.store.read(read_mission, self._mission_id)
                if mission.status != MissionStatus.WORKING:
                    return True
                has_failed = any(task.status == TaskStatus.FAILED for task in tasks)
                for task in [] if has_failed else find_ready(tasks):
                    self._begin(mission, task, tasks)
                if not self._going:
                    return await self._settle(mission, tasks)
                await self._changed.wait()
                if self._interruption is not None:
                    raise self._interruption
        finally:
            for running in self._going.values():
                running.cancel()
            await asyncio.gather(*self._going.values(), return_exceptions=True)

    async def _settle(self, mission: Mission, tasks: Sequence[Task]) -> bool:
        """End what is over; return False when only somebody else can go on."""
        store, now = self._workbench.store, self._workbench.clock.now()
        failed = [task for task in tasks if task.status == TaskStatus.FAILED]
        if failed:
            error = f"task {failed[0].position}, “{failed[0].title}”, failed: {failed[0].error}"
            await store.transact(fail_mission, now, mission.id, error)
            return True
        if any(task.status != TaskStatus.COMPLETED for task in tasks):
            return False
        await store.write(finish_work, now, mission.id)
        return True

    def _begin(self, mission: Mission, task: Task, tasks: Sequence[Task]) -> None:
        if task.id in self._going:
            return
        needed = [before for before in tasks if before.position in list_needed(task)]
        running = asyncio.create_task(self._run(mission, task, needed))
        self._going[task.id] = running

        def leave(_: object) -> None:
            del self._going[task.id]
            self._changed.set()

        running.add_done_callback(leave)

    async def _run(self, mission: Mission, task: Task, needed: Sequence[Task]) -> None:
        try:
            async with self._places:
                await self._run_or_fail(mission, task, needed)
        except Exception as error:  # noqa: BLE001  # `carry_out` raises it
            self._interruption = error

    async def _run_or_fail(self, mission: Mission, task: Task, needed: Sequence[Task]) -> None:
        try:
            left = await check_budget(self._workbench, mission.id)
            run_id = await self._open(mission, task, needed, left)
            if run_id is not None:
                await self._advance(mission, task, run_id)
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001  # whatever it is, the task has failed
            if not isinstance(error, BiontError):
                _log.error("task broken", task_id=task.id, exc_info=error)
            now = self._workbench.clock.now()
            await self._workbench.store.transact(
                fail_task, task.id, str(error) or repr(error), now
            )

    async def _open(
        self, mission: Mission, task: Task, needed: Sequence[Task], left: int
    ) -> int | None:
        agents = self._workbench.get(AGENTS)
        context = self._asker.find_context(mission)

        def create_run() -> int:
            new = NewAgentRun(
                user_id=mission.user_id,
                source=f"task-{task.id}",
                source_url=f"/api/v1/tasks/{task.id}",
                messages=ask_for_work(mission, task, needed, context),
                tools=orjson.loads(mission.tools),
                model=mission.model,
                max_tokens=left,
            )
            return int(agents.create(new).id)

        now = self._workbench.clock.now()
        return await self._workbench.store.write(begin_task, task.id, create_run, now)

    async def _advance(self, mission: Mission, task: Task, run_id: int) -> None:
        agents, store = self._workbench.get(AGENTS), self._workbench.store
        call = make_call(mission)
        budget = TaskBudget(self._asker, mission.id, task.id)
        outcome = await self._asker.persist(
            mission, lambda: agents.advance(run_id, call, budget=budget)
        )
        if outcome.status is AgentStatus.WAITING:
            await store.write(pause_task, task.id)
        else:
            now = self._workbench.clock.now()
            await store.transact(end_task, task.id, outcome.answer or "", now)
