"""What is done with tasks, inside a store function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import orjson

from biont import Transaction
from biont.exceptions import Conflict
from biont_agents import abandon_calls, read_progress
from biont_missions.event_types import TASK_COMPLETED, TASK_FAILED
from biont_missions.tables import ERROR_LIMIT, Mission, MissionStatus, Task, TaskStatus

_TO_DO = frozenset({TaskStatus.PENDING, TaskStatus.RUNNING})


def create_task(user_id: int, now: datetime, title: str, instructions: str) -> Task:
    """Keep a task of its own, which somebody has to complete."""
    return Task.create(user=user_id, title=title, instructions=instructions, created_at=now)


def select_tasks(
    user_id: int,
    status: TaskStatus | None,
    mission_id: int | None,
    limit: int,
    before: int | None,
) -> list[Task]:
    """Return a page of a user's tasks and one more, the newest first."""
    query = Task.of_user(user_id)
    if status is not None:
        query = query.where(Task.status == status)
    if mission_id is not None:
        query = query.where(Task.mission == mission_id)
    if before is not None:
        query = query.where(Task.id < before)
    return list(query.order_by(Task.id.desc()).limit(limit + 1))


def complete_by_hand(
    tx: Transaction, user_id: int, now: datetime, task_id: int, result: str
) -> Task:
    """Note what a person has done; the mission, if it has one, goes on with that.

    Raises:
        NotFound: there is no such task, or it is somebody else's.
        Conflict: it goes on, or has ended.
    """
    task = Task.get_owned(user_id, task_id)
    if task.status not in {TaskStatus.PENDING, TaskStatus.WAITING, TaskStatus.FAILED}:
        raise Conflict(f"task {task_id} is {task.status}")
    if task.agent_run_id is not None:
        abandon_calls(task.agent_run_id, now)
    _complete(tx, task, result, now)
    return task


def delete_task(user_id: int, task_id: int) -> None:
    """Delete a task of its own.

    Raises:
        NotFound: there is no such task, or it is somebody else's.
        Conflict: it is a mission's.
    """
    task = Task.get_owned(user_id, task_id)
    if task.mission_id is not None:
        raise Conflict(f"task {task_id} belongs to mission {task.mission_id}")
    task.delete_instance()


def find_ready(tasks: Sequence[Task]) -> list[Task]:
    """Return the tasks that nothing but a place is in the way of, or that have one.

    A task that is running has one, unless something has broken off; then it begins again
    where it was.
    """
    completed = {task.position for task in tasks if task.status == TaskStatus.COMPLETED}
    return [
        task for task in tasks if task.status in _TO_DO and completed.issuperset(list_needed(task))
    ]


def list_needed(task: Task) -> list[int]:
    """Return the positions of the tasks that come before one."""
    return list(orjson.loads(task.depends_on))


def begin_task(task_id: int, create_run: Callable[[], int], now: datetime) -> int | None:
    """Note that a task goes on; return its agent's run, a former one where there is one.

    Args:
        task_id: which task.
        create_run: makes an agent's run.
        now: the present instant.

    Returns:
        None if it may not go on, since it or its mission has ended.
    """
    task = Task.get_by_id(task_id)
    if task.status not in _TO_DO or not _is_going(task):
        return None
    if task.agent_run_id is None:
        task.agent_run_id = create_run()
    task.status, task.started_at = TaskStatus.RUNNING, task.started_at or now
    task.save()
    return int(task.agent_run_id)


def end_task(tx: Transaction, task_id: int, result: str, now: datetime) -> None:
    """Keep what came of a task."""
    task = Task.get_by_id(task_id)
    if task.status == TaskStatus.RUNNING:
        _complete(tx, task, result, now)


def pause_task(task_id: int) -> None:
    """Note that a task waits for an approval, unless that has been given meanwhile."""
    task = Task.get_by_id(task_id)
    if task.status == TaskStatus.RUNNING and task.agent_run_id is not None:
        is_waiting = bool(read_progress(task.agent_run_id).waiting)
        task.status = TaskStatus.WAITING if is_waiting else TaskStatus.PENDING
        task.save()


def fail_task(tx: Transaction, task_id: int, error: str, now: datetime) -> None:
    """Keep why a task failed."""
    task = Task.get_by_id(task_id)
    if task.status not in _TO_DO:
        return
    task.status, task.error, task.ended_at = TaskStatus.FAILED, cut_error(error), now
    task.save()
    tx.emit(
        TASK_FAILED.name,
        task.user_id,
        {
            "task_id": task.id,
            "mission_id": task.mission_id,
            "title": task.title,
            "status": "failed",
            "error": task.error,
        },
    )


def cancel_task(task_id: int, now: datetime) -> None:
    """End a task whose mission is cancelled, and what its model still wants."""
    task = Task.get_by_id(task_id)
    if task.agent_run_id is not None:
        abandon_calls(task.agent_run_id, now)
    task.status, task.ended_at = TaskStatus.CANCELLED, now
    task.save()


def charge_task(task_id: int, tokens: int) -> None:
    """Count for a task and its mission what a question of the task's run has cost."""
    task = Task.get_by_id(task_id)
    task.tokens += tokens
    task.save(only=[Task.tokens])
    spent = Mission.tokens + tokens
    Mission.update(tokens=spent).where(Mission.id == task.mission_id).execute()


def cut_error(error: str) -> str:
    """Return as much of an error as is kept; what a model's server says may be no Unicode."""
    return error[:ERROR_LIMIT].encode(errors="replace").decode()


def resume_task(agent_run_id: int) -> int | None:
    """Let a task go on that waits for this run's approval; return whose mission it is."""
    task = Task.get_or_none(Task.agent_run_id == agent_run_id)
    if task is None or task.status != TaskStatus.WAITING:
        return None
    task.status = TaskStatus.PENDING
    task.save()
    return task.mission_id


def list_going() -> list[int]:
    """Return the missions that are not drafts and have not ended."""
    going = Mission.ended_at.is_null() & (Mission.status != MissionStatus.DRAFT)
    return [mission.id for mission in Mission.select(Mission.id).where(going)]


def _complete(tx: Transaction, task: Task, result: str, now: datetime) -> None:
    task.status, task.result, task.error, task.ended_at = TaskStatus.COMPLETED, result, None, now
    task.save()
    tx.emit(
        TASK_COMPLETED.name,
        task.user_id,
        {
            "task_id": task.id,
            "mission_id": task.mission_id,
            "title": task.title,
            "status": "completed",
        },
    )


def _is_going(task: Task) -> bool:
    return task.mission is not None and task.mission.status == MissionStatus.WORKING
