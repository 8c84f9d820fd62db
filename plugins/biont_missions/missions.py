"""Store functions for missions: create, list, start, retry, cancel, and save each step.

`biont_missions.runner` describes the states. Each ``save_*`` function checks the status
first, because the user may cancel the mission while the model is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from biont import JsonObject, Transaction
from biont.exceptions import Conflict
from biont.llm import LlmCall
from biont.store import Span, dump_json
from biont_missions.event_types import MISSION_COMPLETED, MISSION_CREATED, MISSION_FAILED
from biont_missions.plans import PlannedTask, write_report
from biont_missions.tables import ENDED, Mission, MissionStatus, Task, TaskStatus
from biont_missions.tasks import cancel_task, truncate_error
from biont_missions.views import NewMission
from biont_notes import Source, create_note

_log = structlog.get_logger("biont.missions")


@dataclass(frozen=True)
class MissionLimits:
    """Limits of one mission.

    Attributes:
        max_tokens: the token budget.
        max_reviews: the largest number of reviews.
    """

    max_tokens: int
    max_reviews: int


def create_mission(
    tx: Transaction,
    payer: LlmCall,
    now: datetime,
    new: NewMission,
    *,
    tools: Sequence[str],
    limits: MissionLimits,
) -> Mission:
    """Insert a mission with its given tasks, and emit ``mission_created``.

    Args:
        tx: the transaction.
        payer: the user, key and schedule on whose account the mission calls models.
        now: the present instant.
        new: the mission to create.
        tools: the tools, after the defaults of the settings.
        limits: the limits, likewise.
    """
    mission = Mission.create(
        user=payer.user_id,
        key_id=payer.key_id,
        schedule_id=payer.schedule_id,
        goal=new.goal,
        status=_initial_status(bool(new.steps)) if new.start else MissionStatus.DRAFT,
        model=new.model,
        tools=dump_json(list(tools)),
        max_tokens=limits.max_tokens,
        max_reviews=limits.max_reviews,
        created_at=now,
        updated_at=now,
    )
    add_tasks(mission, new.steps, now)
    tx.emit(MISSION_CREATED.name, payer.user_id, {"mission_id": mission.id, "goal": new.goal})
    return mission


def mark_mission(mission_id: int, origin: str) -> None:
    """Keep the first origin of text from outside that a mission has read."""
    Mission.update(origin=origin).where(
        Mission.id == mission_id, Mission.origin.is_null()
    ).execute()


def load_mission(mission_id: int) -> tuple[Mission, list[Task]]:
    """Return a mission and its tasks, ordered by position."""
    tasks = Task.select().where(Task.mission == mission_id).order_by(Task.position)
    return Mission.get_by_id(mission_id), list(tasks)


def load_owned_mission(user_id: int, mission_id: int) -> tuple[Mission, list[Task]]:
    """Return a mission of a user and its tasks, ordered by position.

    Raises:
        NotFound: the mission does not exist, or belongs to another user.
    """
    Mission.get_owned(user_id, mission_id)
    return load_mission(mission_id)


def select_missions(
    user_id: int, status: MissionStatus | None, limit: int, span: Span
) -> list[Mission]:
    """Return up to ``limit + 1`` missions of a user, in the order of the span."""
    conditions = [] if status is None else [Mission.status == status]
    return Mission.read_page(user_id, limit, span, *conditions)


def add_tasks(mission: Mission, steps: Sequence[PlannedTask], now: datetime) -> None:
    """Append tasks to a mission."""
    before = Task.select().where(Task.mission == mission).count()
    for position, step in enumerate(steps, start=before + 1):
        Task.create(
            user=mission.user_id,
            mission=mission,
            position=position,
            title=step.title,
            instructions=step.instructions,
            depends_on=dump_json(sorted(set(step.depends_on))),
            created_at=now,
        )


def start_mission(user_id: int, now: datetime, mission_id: int) -> Mission:
    """Start a draft.

    Raises:
        NotFound: the mission does not exist, or belongs to another user.
        Conflict: the mission is not a draft.
    """
    mission, tasks = load_owned_mission(user_id, mission_id)
    if mission.status != MissionStatus.DRAFT:
        raise Conflict(f"mission {mission_id} has started already; it is {mission.status}")
    return _set_status(mission, _initial_status(bool(tasks)), now)


def retry_mission(
    user_id: int,
    now: datetime,
    mission_id: int,
    *,
    max_tokens: int | None = None,
) -> Mission:
    """Continue a failed or cancelled mission; completed tasks stay completed.

    Args:
        user_id: the owner.
        now: the present instant.
        mission_id: the mission.
        max_tokens: a new token budget, which includes the tokens used so far; None keeps
            the budget.

    Raises:
        NotFound: the mission does not exist, or belongs to another user.
        Conflict: the mission is active or completed, or has no tokens left.
    """
    mission, tasks = load_owned_mission(user_id, mission_id)
    if mission.status not in {MissionStatus.FAILED, MissionStatus.CANCELLED}:
        raise Conflict(
            f"mission {mission_id} is {mission.status}; only failed and cancelled missions "
            "can be retried"
        )
    mission.max_tokens = max_tokens or mission.max_tokens
    if mission.tokens >= mission.max_tokens:
        raise Conflict(
            f"mission {mission_id} has used {mission.tokens} of its {mission.max_tokens} tokens; "
            "retry it with larger max_tokens"
        )
    for task in tasks:
        if task.status in {TaskStatus.FAILED, TaskStatus.CANCELLED}:
            # A new agent run: the old conversation led to the failure, and its open tool
            # calls are abandoned.
            task.status = TaskStatus.PENDING
            task.agent_run_id = task.error = task.ended_at = None
            task.tokens = 0
            task.save()
    mission.ended_at = mission.error = mission.note_id = None
    mission.reviews = 0
    return _set_status(mission, _initial_status(bool(tasks)), now)


def cancel_mission(user_id: int, now: datetime, mission_id: int) -> Mission:
    """Cancel a mission; completed tasks stay completed.

    Raises:
        NotFound: the mission does not exist, or belongs to another user.
        Conflict: the mission has ended.
    """
    mission, tasks = load_owned_mission(user_id, mission_id)
    if mission.status in ENDED:
        raise Conflict(f"mission {mission_id} has ended; it is {mission.status}")
    for task in tasks:
        if task.ended_at is None:
            cancel_task(task.id, now)
    return _set_status(mission, MissionStatus.CANCELLED, now)


def save_plan(now: datetime, mission_id: int, steps: Sequence[PlannedTask]) -> None:
    """Save the planned tasks: ``planning`` becomes ``working``."""
    mission = Mission.get_by_id(mission_id)
    if mission.status == MissionStatus.PLANNING:
        add_tasks(mission, steps, now)
        _set_status(mission, MissionStatus.WORKING, now)


def finish_tasks(now: datetime, mission_id: int) -> None:
    """Leave ``working`` after the last task: for a review if one is left, or the report."""
    mission = Mission.get_by_id(mission_id)
    if mission.status == MissionStatus.WORKING:
        has_review_left = mission.reviews < mission.max_reviews
        following = MissionStatus.REVIEWING if has_review_left else MissionStatus.REPORTING
        _set_status(mission, following, now)


def save_review(
    now: datetime,
    mission_id: int,
    missing: Sequence[PlannedTask],
    error: str | None,
) -> None:
    """Save a review: ``reviewing`` becomes ``working`` with missing tasks, or ``reporting``.

    Args:
        now: the present instant.
        mission_id: the mission.
        missing: the tasks to add.
        error: the reason why the mission fails after the report; None if the goal is
            reached or tasks are missing.
    """
    mission = Mission.get_by_id(mission_id)
    if mission.status != MissionStatus.REVIEWING:
        return
    mission.reviews += 1
    mission.error = error
    add_tasks(mission, missing, now)
    _set_status(mission, MissionStatus.WORKING if missing else MissionStatus.REPORTING, now)


def save_report(tx: Transaction, now: datetime, mission_id: int, summary: str) -> None:
    """Save the report as a note and end the mission, in one transaction."""
    mission, tasks = load_mission(mission_id)
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
        _set_status(mission, MissionStatus.COMPLETED, now)
        tx.emit(MISSION_COMPLETED.name, mission.user_id, _make_end_payload(mission))
    else:
        _end_as_failed(tx, mission, mission.error, now)


def fail_mission(tx: Transaction, now: datetime, mission_id: int, error: str) -> None:
    """End a mission as failed; interrupted tasks become pending again, for a retry."""
    mission = Mission.get_by_id(mission_id)
    if mission.status not in ENDED:
        interrupted = (Task.mission == mission) & (Task.status == TaskStatus.RUNNING)
        Task.update(status=TaskStatus.PENDING).where(interrupted).execute()
        _end_as_failed(tx, mission, error, now)


def add_mission_tokens(mission_id: int, tokens: int) -> None:
    """Add the tokens of an LLM call to a mission."""
    # One statement, not read and save: tasks that run side by side count at the same time.
    Mission.update(tokens=Mission.tokens + tokens).where(Mission.id == mission_id).execute()


def _end_as_failed(tx: Transaction, mission: Mission, error: str, now: datetime) -> None:
    mission.error = truncate_error(error)
    _set_status(mission, MissionStatus.FAILED, now)
    payload = {**_make_end_payload(mission), "error": mission.error}
    tx.emit(MISSION_FAILED.name, mission.user_id, payload)
    # After the commit, because a write that is repeated would log the failure twice.
    tx.after_commit(lambda: _log.warning("mission failed", **payload))


def _make_end_payload(mission: Mission) -> JsonObject:
    return {
        "mission_id": mission.id,
        "goal": mission.goal,
        "status": mission.status,
        "note_id": mission.note_id,
        "tokens": mission.tokens,
    }


def _set_status(mission: Mission, status: MissionStatus, now: datetime) -> Mission:
    mission.status = status
    mission.updated_at = now
    if status in ENDED:
        mission.ended_at = now
    # Of all columns: writes run one after the other, and each function reads the mission first.
    mission.save()
    return mission


def _initial_status(has_tasks: bool) -> MissionStatus:
    return MissionStatus.WORKING if has_tasks else MissionStatus.PLANNING
