"""Task runner: runs the tasks of one mission, independent tasks side by side.

    pending --> running --> completed
       ^           |
       |           +------> failed
       |           v
       +------- waiting

A task runs as soon as its dependencies are completed and a place is free; all missions
share the places (``plugins.missions.concurrency``). A task waits while a tool call needs an
approval: it gives its place back, and the approval makes the task pending again. The first
failed task lets no other task start; the tasks under way finish, and then the mission fails.

A running task is an agent run (`biont_agents.AGENTS`), whose row is created in the
transaction that marks the task as running. After a crash the task is still ``running`` in the
table. It counts as ready, and its agent run resumes after the last recorded answer or tool
call. No completed task runs again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

import orjson
import structlog

from biont import Workbench
from biont.events import mark_origin
from biont.exceptions import BiontError, StoreUnavailable
from biont.llm import ChatRequest, TokenUsage
from biont.security import explain_exception
from biont_agents import AGENTS, AgentStatus, NewAgentRun
from biont_missions.missions import fail_mission, finish_tasks, load_mission, mark_mission
from biont_missions.model_client import ModelClient, make_llm_call, read_remaining_tokens
from biont_missions.plans import make_task_prompt
from biont_missions.tables import Mission, MissionStatus, Task, TaskStatus
from biont_missions.tasks import (
    add_task_tokens,
    fail_task,
    find_ready_tasks,
    finish_task,
    list_dependencies,
    pause_task,
    start_task,
)

_log = structlog.get_logger("biont.missions")


@dataclass(frozen=True)
class TaskBudget:
    """Budget of a mission, as the agent run of a task uses the budget.

    Attributes:
        models: the holder of the mission's reservations.
        mission_id: the mission.
        task_id: the task, which also counts the tokens of its run.
    """

    models: ModelClient
    mission_id: int
    task_id: int

    def reserve(self, request: ChatRequest) -> AbstractAsyncContextManager[None]:
        """Reserve the tokens that a request may use, until the context ends."""
        return self.models.reserve(self.mission_id, request)

    def record_usage(self, usage: TokenUsage) -> None:
        """Count the tokens of an answer, in the transaction that keeps the answer."""
        add_task_tokens(self.task_id, usage.prompt_tokens + usage.completion_tokens)


class TaskRunner:
    """Runner of the tasks of one mission.

    Args:
        workbench: the workbench with the store and the agents.
        model_client: the client that repeats requests to an unavailable model.
        places: the limit of tasks that run at once, over all missions.
        mission_id: the mission.
    """

    def __init__(
        self,
        workbench: Workbench,
        model_client: ModelClient,
        places: asyncio.Semaphore,
        mission_id: int,
    ) -> None:
        self._workbench = workbench
        self._model_client = model_client
        self._places = places
        self._mission_id = mission_id
        self._running: dict[int, asyncio.Task[None]] = {}
        self._changed = asyncio.Event()
        self._interruption: Exception | None = None

    def wake(self) -> None:
        """Read the tasks again, after a change by the user or an approval."""
        self._changed.set()

    @property
    def has_changed(self) -> bool:
        """True if `wake` was called after the tasks were last read."""
        return self._changed.is_set()

    async def run_tasks(self) -> bool:
        """Run all tasks that can run; return whether the mission can continue at once.

        The mission cannot continue while all unfinished tasks wait for approvals.

        Raises:
            StoreUnavailable: a result could not be recorded.
        """
        self._interruption = None
        try:
            while True:
                # Before the read: a change after the read sets the event again.
                self._changed.clear()
                mission, tasks = await self._workbench.store.read(load_mission, self._mission_id)
                if mission.status != MissionStatus.WORKING:
                    return True
                has_failed = any(task.status == TaskStatus.FAILED for task in tasks)
                for task in [] if has_failed else find_ready_tasks(tasks):
                    self._start(mission, task, tasks)
                if not self._running:
                    return await self._finish_or_fail(mission, tasks)
                await self._changed.wait()
                if self._interruption is not None:
                    raise self._interruption
        finally:
            for running in self._running.values():
                running.cancel()
            await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def _finish_or_fail(self, mission: Mission, tasks: Sequence[Task]) -> bool:
        """Leave the status ``working`` if possible; return False if tasks wait for approvals."""
        store, now = self._workbench.store, self._workbench.clock.now()
        failed = [task for task in tasks if task.status == TaskStatus.FAILED]
        if failed:
            error = f"task {failed[0].position}, “{failed[0].title}”, failed: {failed[0].error}"
            await store.transact(fail_mission, now, mission.id, error)
            return True
        if any(task.status != TaskStatus.COMPLETED for task in tasks):
            return False
        await store.write(finish_tasks, now, mission.id)
        return True

    def _start(self, mission: Mission, task: Task, tasks: Sequence[Task]) -> None:
        if task.id in self._running:
            return
        # These tasks are completed, so their results do not change any more.
        needed = [before for before in tasks if before.position in list_dependencies(task)]
        running = asyncio.create_task(self._run(mission, task, needed))
        self._running[task.id] = running

        def remove_task(_: object) -> None:
            del self._running[task.id]
            self._changed.set()

        running.add_done_callback(remove_task)

    async def _run(self, mission: Mission, task: Task, needed: Sequence[Task]) -> None:
        try:
            async with self._places:
                await self._run_or_fail_task(mission, task, needed)
        except Exception as error:  # noqa: BLE001  # `run_tasks` raises it
            self._interruption = error

    async def _run_or_fail_task(
        self, mission: Mission, task: Task, needed: Sequence[Task]
    ) -> None:
        try:
            # Only now, because other tasks may have used up the budget while this task waited
            # for a place.
            left = await read_remaining_tokens(self._workbench, mission.id)
            run_id = await self._start_agent_run(mission, task, needed, left)
            if run_id is not None:
                await self._advance(mission, task, run_id)
        except StoreUnavailable:
            raise  # not the task's fault: the runner tries again later
        except Exception as error:  # noqa: BLE001  # any other error ends the task
            if not isinstance(error, BiontError):
                _log.error("task failed unexpectedly", task_id=task.id, exc_info=error)
            now = self._workbench.clock.now()
            await self._workbench.store.transact(fail_task, task.id, explain_exception(error), now)

    async def _start_agent_run(
        self, mission: Mission, task: Task, needed: Sequence[Task], left: int
    ) -> int | None:
        agents = self._workbench.get(AGENTS)
        context = self._model_client.find_context_size(mission)

        def create_run() -> int:
            new = NewAgentRun(
                user_id=mission.user_id,
                source=f"task-{task.id}",
                source_url=f"/api/v1/tasks/{task.id}",
                messages=make_task_prompt(mission, task, needed, context),
                tools=orjson.loads(mission.tools),
                model=mission.model,
                max_tokens=left,
            )
            return int(agents.create(new).id)

        now = self._workbench.clock.now()
        return await self._workbench.store.write(start_task, task.id, create_run, now)

    async def _advance(self, mission: Mission, task: Task, run_id: int) -> None:
        agents, store = self._workbench.get(AGENTS), self._workbench.store
        call = make_llm_call(mission)
        budget = TaskBudget(self._model_client, mission.id, task.id)
        outcome = await self._model_client.retry_while_unavailable(
            mission, lambda: agents.advance(run_id, call, budget=budget)
        )
        if outcome.origin is not None:
            # The report and the later tasks of the mission build on this task.
            mark_origin(outcome.origin)
            await store.write(mark_mission, mission.id, outcome.origin)
        if outcome.status is AgentStatus.WAITING:
            await store.write(pause_task, task.id)
        else:
            now = self._workbench.clock.now()
            await store.transact(finish_task, task.id, outcome.answer or "", now)
