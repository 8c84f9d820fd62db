"""What is done with missions, inside a store function."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import orjson

from biont import JsonObject, Transaction
from biont.exceptions import Conflict
from biont.llm import LlmCall
from biont_missions.event_types import MISSION_COMPLETED, MISSION_CREATED, MISSION_FAILED
from biont_missions.plans import PlannedTask, write_report
from biont_missions.tables import ENDED, Mission, MissionStatus, Task, TaskStatus
from biont_missions.tasks import cancel_task, cut_error
from biont_notes import Source, create_note


def create_mission(  # noqa: PLR0913  # it is what a mission is
    tx: Transaction,
    payer: LlmCall,
    now: datetime,
    *,
    goal: str,
    model: str | None,
    tools: Sequence[str],
    max_tokens: int,
    max_reviews: int,
    steps: Sequence[PlannedTask] = (),
    start: bool = True,
) -> Mission:
    """Keep a mission, with its tasks where they are given, and say so by an event."""
    mission = Mission.create(
        user=payer.user_id,
        key_id=payer.key_id,
        schedule_id=payer.schedule_id,
        goal=goal,
        status=_first_status(bool(steps)) if start else MissionStatus.DRAFT,
        model=model,
        tools=orjson.dumps(list(tools)).decode(),
        max_tokens=max_tokens,
        max_reviews=max_reviews,
        created_at=now,
        updated_at=now,
    )
    add_tasks(mission, steps, now)
    tx.emit(MISSION_CREATED.name, payer.user_id, {"mission_id": mission.id, "goal": goal})
    return mission


def read_mission(mission_id: int) -> tuple[Mission, list[Task]]:
    """Return a mission with its tasks in their order."""
    tasks = Task.select().where(Task.mission == mission_id).order_by(Task.position)
    return Mission.get_by_id(mission_id), list(tasks)


def get_mission(user_id: int, mission_id: int) -> tuple[Mission, list[Task]]:
    """Return a user's mission with its tasks in their order.

    Raises:
        NotFound: there is no such mission, or it is somebody else's.
    """
    Mission.get_owned(user_id, mission_id)
    return read_mission(mission_id)


def select_missions(
    user_id: int, status: MissionStatus | None, limit: int, before: int | None
) -> list[Mission]:
    """Return a page of a user's missions and one more, the newest first."""
    query = Mission.of_user(user_id)
    if status is not None:
        query = query.where(Mission.status == status)
    if before is not None:
        query = query.where(Mission.id < before)
    return list(query.order_by(Mission.id.desc()).limit(limit + 1))


def add_tasks(mission: Mission, steps: Sequence[PlannedTask], now: datetime) -> None:
    """Put tasks behind those that a mission has."""
    before = Task.select().where(Task.mission == mission).count()
    for position, step in enumerate(steps, start=before + 1):
        Task.create(
            user=mission.user_id,
            mission=mission,
            position=position,
            title=step.title,
            instructions=step.instructions,
            depends_on=orjson.dumps(sorted(set(step.depends_on))).decode(),
            created_at=now,
        )


def start_mission(user_id: int, now: datetime, mission_id: int) -> Mission:
    """Let a draft begin.

    Raises:
        NotFound: there is no such mission, or it is somebody else's.
        Conflict: it is no draft.
    """
    mission, tasks = get_mission(user_id, mission_id)
    if mission.status != MissionStatus.DRAFT:
        raise Conflict(f"mission {mission_id} has begun already; it is {mission.status}")
    return _turn_to(mission, _first_status(bool(tasks)), now)


def retry_mission(
    user_id: int,
    now: datetime,
    mission_id: int,
    *,
    max_tokens: int | None = None,
) -> Mission:
    """Let a mission that failed or was cancelled go on; what was completed stays so.

    Args:
        _: the write that it is part of.
        user_id: whose mission.
        now: the present instant.
        mission_id: which mission.
        max_tokens: what it may cost, with what it has cost so far; None for as before.

    Raises:
        NotFound: there is no such mission, or it is somebody else's.
        Conflict: it goes on, was completed, or may cost no more.
    """
    mission, tasks = get_mission(user_id, mission_id)
    if mission.status not in {MissionStatus.FAILED, MissionStatus.CANCELLED}:
        raise Conflict(f"mission {mission_id} is {mission.status}; only what failed is retried")
    mission.max_tokens = max_tokens or mission.max_tokens
    if mission.tokens >= mission.max_tokens:
        raise Conflict(
            f"mission {mission_id} has cost {mission.tokens} of the {mission.max_tokens} tokens "
            "that it may; retry it with larger max_tokens"
        )
    for task in tasks:
        if task.status in {TaskStatus.FAILED, TaskStatus.CANCELLED}:
            task.status = TaskStatus.PENDING
            task.agent_run_id = task.error = task.ended_at = None
            task.tokens = 0
            task.save()
    mission.ended_at = mission.error = mission.note_id = None
    mission.reviews = 0
    return _turn_to(mission, _first_status(bool(tasks)), now)


def cancel_mission(user_id: int, now: datetime, mission_id: int) -> Mission:
    """End a mission; what was completed stays so.

    Raises:
        NotFound: there is no such mission, or it is somebody else's.
        Conflict: it has ended.
    """
    mission, tasks = get_mission(user_id, mission_id)
    if mission.status in ENDED:
        raise Conflict(f"mission {mission_id} has ended; it is {mission.status}")
    for task in tasks:
        if task.ended_at is None:
            cancel_task(task.id, now)
    return _turn_to(Mission.get_by_id(mission_id), MissionStatus.CANCELLED, now)


def keep_plan(now: datetime, mission_id: int, steps: Sequence[PlannedTask]) -> None:
    """Give a mission the tasks that were planned, and let them begin."""
    mission = Mission.get_by_id(mission_id)
    if mission.status == MissionStatus.PLANNING:
        add_tasks(mission, steps, now)
        _turn_to(mission, MissionStatus.WORKING, now)


def finish_work(now: datetime, mission_id: int) -> None:
    """Let a mission of which all tasks are completed be reviewed, or reported at once."""
    mission = Mission.get_by_id(mission_id)
    if mission.status == MissionStatus.WORKING:
        is_reviewed = mission.reviews < mission.max_reviews
        following = MissionStatus.REVIEWING if is_reviewed else MissionStatus.REPORTING
        _turn_to(mission, following, now)


def keep_review(
    now: datetime,
    mission_id: int,
    missing: Sequence[PlannedTask],
    error: str | None,
) -> None:
    """Note what a review has found: it goes on with what is missing, or is reported.

    Args:
        _: the write that it is part of.
        now: the present instant.
        mission_id: which mission.
        missing: further tasks.
        error: why it is going to fail when nothing more can be done; None if it is done.
    """
    mission = Mission.get_by_id(mission_id)
    if mission.status != MissionStatus.REVIEWING:
        return
    mission.reviews += 1
    mission.error = error
    add_tasks(mission, missing, now)
    _turn_to(mission, MissionStatus.WORKING if missing else MissionStatus.REPORTING, now)


def keep_report(tx: Transaction, now: datetime, mission_id: int, summary: str) -> None:
    """Keep the report as a note, and end the mission, all in one."""
    mission, tasks = read_mission(mission_id)
    if mission.status != MissionStatus.REPORTING:
        return
    note = create_note(
        tx,
        mission.user_id,
        title=f"Report: {mission.goal}",
        content=write_report(mission, tasks, summary),
        now=now,
        tags=["report"],
        source=Source(f"mission-{mission.id}", f"/api/v1/missions/{mission.id}"),
    )
    mission.note_id = note.id
    if mission.error is None:
        _turn_to(mission, MissionStatus.COMPLETED, now)
        tx.emit(MISSION_COMPLETED.name, mission.user_id, _describe_end(mission))
    else:
        _end_as_failed(tx, mission, mission.error, now)


def fail_mission(tx: Transaction, now: datetime, mission_id: int, error: str) -> None:
    """End a mission that cannot go on."""
    mission = Mission.get_by_id(mission_id)
    if mission.status not in ENDED:
        broken_off = (Task.mission == mission) & (Task.status == TaskStatus.RUNNING)
        Task.update(status=TaskStatus.PENDING).where(broken_off).execute()
        _end_as_failed(tx, mission, error, now)


def count_tokens(mission_id: int, tokens: int) -> None:
    """Note what a question has cost a mission."""
    Mission.update(tokens=Mission.tokens + tokens).where(Mission.id == mission_id).execute()


def _end_as_failed(tx: Transaction, mission: Mission, error: str, now: datetime) -> None:
    mission.error = cut_error(error)
    _turn_to(mission, MissionStatus.FAILED, now)
    payload = {**_describe_end(mission), "error": mission.error}
    tx.emit(MISSION_FAILED.name, mission.user_id, payload)


def _describe_end(mission: Mission) -> JsonObject:
    return {
        "mission_id": mission.id,
        "goal": mission.goal,
        "status": mission.status,
        "note_id": mission.note_id,
        "tokens": mission.tokens,
    }


def _turn_to(mission: Mission, status: MissionStatus, now: datetime) -> Mission:
    mission.status = status
    mission.updated_at = now
    if status in ENDED:
        mission.ended_at = now
    mission.save()
    return mission


def _first_status(has_tasks: bool) -> MissionStatus:
    return MissionStatus.WORKING if has_tasks else MissionStatus.PLANNING
