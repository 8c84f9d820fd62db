"""Store functions for tasks: create, list, start, pause, finish and cancel.

`biont_missions.task_runner` describes the states.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

import orjson
import structlog

from biont import JsonObject, Transaction
from biont.exceptions import Conflict
from biont.store import Span
from biont_agents import abandon_calls, read_progress
from biont_missions.event_types import TASK_COMPLETED, TASK_FAILED
from biont_missions.tables import ERROR_LIMIT, Mission, MissionStatus, Task, TaskStatus

_log = structlog.get_logger("biont.missions")

_UNFINISHED = frozenset({TaskStatus.PENDING, TaskStatus.RUNNING})


def create_task(user_id: int, now: datetime, title: str, instructions: str) -> Task:
    """Create a task without a mission, which a person completes."""
    return Task.create(user=user_id, title=title, instructions=instructions, created_at=now)


def select_tasks(
    user_id: int,
    status: TaskStatus | None,
    mission_id: int | None,
    limit: int,
    span: Span,
) -> list[Task]:
    """Return up to ``limit + 1`` tasks of a user, in the order of the span."""
    conditions = []
    if status is not None:
        conditions.append(Task.status == status)
    if mission_id is not None:
        conditions.append(Task.mission == mission_id)
    return Task.read_page(user_id, limit, span, *conditions)


def complete_task(tx: Transaction, user_id: int, now: datetime, task_id: int, result: str) -> Task:
    """Complete a task with the result of a person.

    Raises:
        NotFound: the task does not exist, or belongs to another user.
        Conflict: the task is running, completed or cancelled.
    """
    task = Task.get_owned(user_id, task_id)
    if task.status not in {TaskStatus.PENDING, TaskStatus.WAITING, TaskStatus.FAILED}:
        raise Conflict(f"task {task_id} is {task.status}")
    if task.agent_run_id is not None:
        # A later approval must not act for a task that a person has completed.
        abandon_calls(task.agent_run_id, now)
    _complete(tx, task, result, now)
    return task


def delete_task(user_id: int, task_id: int) -> None:
    """Delete a task without a mission.

    Raises:
        NotFound: the task does not exist, or belongs to another user.
        Conflict: the task belongs to a mission.
    """
    task = Task.get_owned(user_id, task_id)
    if task.mission_id is not None:
        raise Conflict(f"task {task_id} belongs to mission {task.mission_id}")
    task.delete_instance()


def find_ready_tasks(tasks: Sequence[Task]) -> list[Task]:
    """Return the unfinished tasks whose dependencies are completed.

    Running tasks are among these: after a crash nothing runs, and the tasks resume.
    """
    completed = {task.position for task in tasks if task.status == TaskStatus.COMPLETED}
    return [
        task
        for task in tasks
        if task.status in _UNFINISHED and completed.issuperset(list_dependencies(task))
    ]


def list_dependencies(task: Task) -> list[int]:
    """Return the positions of the tasks that a task depends on."""
    return list(orjson.loads(task.depends_on))


def start_task(task_id: int, create_run: Callable[[], int], now: datetime) -> int | None:
    """Mark a task as running, and return its agent run; create the run at the first start.

    Args:
        task_id: the task.
        create_run: creates an agent run, and returns the number of the run.
        now: the present instant.

    Returns:
        None if the task or its mission has ended meanwhile.
    """
    task = Task.get_by_id(task_id)
    if task.status not in _UNFINISHED or not _is_mission_working(task):
        return None
    if task.agent_run_id is None:
        # In the same transaction, so that a crash leaves no agent run without a task.
        task.agent_run_id = create_run()
    task.status, task.started_at = TaskStatus.RUNNING, task.started_at or now
    task.save()
    return int(task.agent_run_id)


def finish_task(tx: Transaction, task_id: int, result: str, now: datetime) -> None:
    """Complete a running task with the answer of its agent run."""
    task = Task.get_by_id(task_id)
    if task.status == TaskStatus.RUNNING:  # not cancelled meanwhile
        _complete(tx, task, result, now)


def pause_task(task_id: int) -> None:
    """Mark a running task as waiting for an approval.

    The user may decide between the last look of the agent and this write. Nobody would
    resume a waiting task then, so the task becomes pending instead.
    """
    task = Task.get_by_id(task_id)
    if task.status == TaskStatus.RUNNING and task.agent_run_id is not None:
        is_waiting = bool(read_progress(task.agent_run_id).waiting)
        task.status = TaskStatus.WAITING if is_waiting else TaskStatus.PENDING
        task.save()


def fail_task(tx: Transaction, task_id: int, error: str, now: datetime) -> None:
    """Mark an unfinished task as failed, and emit ``task_failed``."""
    task = Task.get_by_id(task_id)
    if task.status not in _UNFINISHED:
        return
    task.status, task.error, task.ended_at = TaskStatus.FAILED, truncate_error(error), now
    task.save()
    tx.emit(TASK_FAILED.name, task.user_id, {**_make_end_payload(task), "error": task.error})
    tx.after_commit(partial(_log.warning, "task failed", task_id=task.id, error=task.error))


def cancel_task(task_id: int, now: datetime) -> None:
    """Cancel a task of a cancelled mission, and abandon the open tool calls of the task."""
    task = Task.get_by_id(task_id)
    if task.agent_run_id is not None:
        abandon_calls(task.agent_run_id, now)
    task.status, task.ended_at = TaskStatus.CANCELLED, now
    task.save()


def add_task_tokens(task_id: int, tokens: int) -> None:
    """Add the tokens of an LLM call to a task and its mission."""
    task = Task.get_by_id(task_id)
    task.tokens += tokens
    task.save(only=[Task.tokens])
    total = Mission.tokens + tokens
    Mission.update(tokens=total).where(Mission.id == task.mission_id).execute()


def truncate_error(error: str) -> str:
    """Return the first `ERROR_LIMIT` characters of an error, as valid Unicode."""
    # An error may quote a model server, whose answer may hold lone surrogates; SQLite
    # refuses these.
    return error[:ERROR_LIMIT].encode(errors="replace").decode()


def resume_task(agent_run_id: int) -> int | None:
    """Make the waiting task of an agent run pending; return the mission of the task."""
    task = Task.get_or_none(Task.agent_run_id == agent_run_id)
    # The run of a chat has no task. A task that does not wait yet sees the decision by itself.
    if task is None or task.status != TaskStatus.WAITING:
        return None
    task.status = TaskStatus.PENDING
    task.save()
    return task.mission_id


def list_active_missions(user_id: int | None = None) -> list[int]:
    """Return the missions that are neither drafts nor ended, of a user or of all users."""
    active = Mission.ended_at.is_null() & (Mission.status != MissionStatus.DRAFT)
    if user_id is not None:
        active &= Mission.user == user_id
    return [mission.id for mission in Mission.select(Mission.id).where(active)]


def _complete(tx: Transaction, task: Task, result: str, now: datetime) -> None:
    task.status, task.result, task.error, task.ended_at = TaskStatus.COMPLETED, result, None, now
    task.save()
    tx.emit(TASK_COMPLETED.name, task.user_id, _make_end_payload(task))


def _make_end_payload(task: Task) -> JsonObject:
    return {
        "task_id": task.id,
        "mission_id": task.mission_id,
        "title": task.title,
        "status": task.status,
    }


def _is_mission_working(task: Task) -> bool:
    return task.mission is not None and task.mission.status == MissionStatus.WORKING
