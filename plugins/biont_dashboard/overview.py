"""Overview: what the home page says about the present state of a user's work."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from pydantic import JsonValue

from biont_dashboard.rendering import describe_seconds, parse_instant
from biont_dashboard.run_marks import RUN_TONES
from biont_dashboard.visit import Object, Visit, list_objects

HALF = timedelta(hours=12)
"""Half the width of the strip of runs: as much past as future."""

_SCHEDULES = 50
_RUNS = 50
_LETTERS = 100
_AT_WORK = ("planning", "working", "reviewing", "reporting")
_NEARLY_ALL = 0.9
_LAG = timedelta(seconds=5)


class Concern(NamedTuple):
    """Something that a person should look at.

    Attributes:
        title: the matter, as a short sentence.
        detail: the reason or the remedy.
        tone: ``fail``, ``warn`` or ``wait``.
        href: the page to go to.
    """

    title: str
    detail: str
    tone: str
    href: str


class StripItem(NamedTuple):
    """Mark on the strip of runs, `x` from 0 to 1."""

    x: float
    tone: str
    title: str
    href: str


class Overview(NamedTuple):
    """State of a user's work.

    Attributes:
        concerns: what a person should look at, the worst first.
        strip: the runs of the last and next twelve hours.
        coming: the next occurrence; None for none in the next twelve hours.
        running: the number of missions, operations and runs at work.
        events: the newest events.
        is_new: whether the user has made nothing yet.
        budgets: the budgets of the user and the key.
    """

    concerns: Sequence[Concern]
    strip: Sequence[StripItem]
    coming: Object | None
    running: int
    events: Sequence[Object]
    is_new: bool
    budgets: Sequence[Object]


async def read_overview(visit: Visit, now: datetime) -> Overview:
    """Return the overview at a time."""
    health, me = await asyncio.gather(
        visit.read("/api/v1/health"), visit.read("/api/v1/me", fields="budgets")
    )
    (
        schedules,
        webhooks,
        letters,
        missions,
        operations,
        events,
        notes,
        coming,
        handlers,
    ) = await asyncio.gather(
        visit.read_rows("/api/v1/schedule", limit=_SCHEDULES),
        visit.read_rows("/api/v1/webhooks/outgoing", limit=_SCHEDULES),
        visit.read_rows("/api/v1/dead-letters", limit=_LETTERS),
        visit.read_rows("/api/v1/missions", limit=20, since=_write(now - 2 * HALF)),
        visit.read_rows("/api/v1/operations", limit=20, status="running"),
        visit.read_rows("/api/v1/events", limit=8),
        visit.read_rows("/api/v1/notes", limit=1, fields="id"),
        visit.read_rows("/api/v1/schedule/upcoming", limit=200, until=_write(now + HALF)),
        _read_handlers(visit),
    )
    runs = await _read_runs(visit, schedules, now - HALF)
    at_work = [run for run in runs if run["ended_at"] is None and run["started_at"] is not None]
    at_work += [each for each in missions if each["status"] in _AT_WORK]
    return Overview(
        concerns=[
            *_find_concerns(visit, health, me),
            *_judge_runs(schedules, runs),
            *_judge_webhooks(webhooks),
            *_judge_handlers(handlers, now),
            *_judge_letters(letters),
            *_judge_missions(missions),
        ],
        strip=[
            *_place_runs(schedules, runs, now),
            *(_place_occurrence(each, now) for each in coming),
        ],
        coming=coming[0] if coming else None,
        running=len(at_work) + len(operations),
        events=events,
        is_new=not (schedules or webhooks or notes),
        budgets=list_objects(me, "budgets"),
    )


async def _read_handlers(visit: Visit) -> Sequence[Object]:
    """Return the event handlers, for administrators."""
    return await visit.read_rows("/api/v1/system/handlers") if visit.is_admin else []


async def _read_runs(
    visit: Visit, schedules: Sequence[Object], since: datetime
) -> Sequence[Object]:
    paths = [f"/api/v1/schedule/{each['id']}/runs" for each in schedules]
    found = await asyncio.gather(
        *(visit.read_rows(path, since=_write(since), limit=_RUNS) for path in paths)
    )
    return [run for runs in found for run in runs]


def _find_concerns(visit: Visit, health: Object, me: Object) -> list[Concern]:
    """Return what the workbench says about itself, its plugins and the budgets."""
    found = []
    if visit.waiting:
        title = f"{visit.waiting} tool call" + (" waits" if visit.waiting == 1 else "s wait")
        found.append(
            Concern(
                f"{title} for you",
                "A model goes on after your decision.",
                "wait",
                "/dashboard/approvals",
            )
        )
    for problem in list_objects(health, "problems"):
        part, reason = str(problem["part"]), str(problem["reason"])
        found.append(Concern(part, reason, "fail", "/dashboard/system"))
    quarantined = health.get("quarantined")
    if isinstance(quarantined, list) and quarantined:
        names = ", ".join(map(str, quarantined))
        found.append(
            Concern(
                f"In quarantine: {names}", "The plugin is not used.", "fail", "/dashboard/plugins"
            )
        )
    for budget in list_objects(me, "budgets"):
        used, limit = float(str(budget["used"])), float(str(budget["limit"]))
        if limit and used >= _NEARLY_ALL * limit:
            title = f"{used / limit:.0%} of the {budget['unit']} of a day are used"
            found.append(
                Concern(title, "Requests are refused at 100%.", "warn", "/dashboard/usage")
            )
    return found


def _judge_runs(schedules: Sequence[Object], runs: Sequence[Object]) -> list[Concern]:
    names = {each["id"]: each["name"] for each in schedules}
    found = []
    for schedule_id, name in names.items():
        failed = [
            run
            for run in runs
            if run["schedule_id"] == schedule_id and run["status"] in ("failed", "missed")
        ]
        if failed:
            title = f"{name}: {len(failed)} of the last runs failed"
            detail = str(failed[0]["error"] or failed[0]["reason"] or "")
            found.append(Concern(title, detail, "fail", f"/dashboard/schedules/{schedule_id}"))
    return found


def _judge_webhooks(webhooks: Sequence[Object]) -> list[Concern]:
    found = []
    for webhook in webhooks:
        name, href = webhook["name"] or webhook["url"], f"/dashboard/webhooks/{webhook['id']}"
        if webhook["status"] == "disabled":
            reason = str(webhook["disabled_reason"] or "")
            found.append(Concern(f"{name} is disabled", reason, "fail", href))
        elif webhook["failing_since"] is not None:
            text = "Deliveries wait, and are tried again."
            found.append(Concern(f"{name} fails", text, "warn", href))
    return found


def _judge_handlers(handlers: Sequence[Object], now: datetime) -> list[Concern]:
    found = []
    for handler in handlers:
        since = handler["waiting_since"]
        if since is None or now - parse_instant(str(since)) < _LAG:
            continue
        lag = describe_seconds((now - parse_instant(str(since))).total_seconds())
        title = f"{handler['name']} is {lag} behind"
        detail = f"{handler['behind']} events wait; the handler is slow, or waits for something."
        found.append(Concern(title, detail, "warn", f"/dashboard/plugins#{handler['plugin']}"))
    return found


def _judge_letters(letters: Sequence[Object]) -> list[Concern]:
    if not letters:
        return []
    count = f"{len(letters)} or more" if len(letters) == _LETTERS else str(len(letters))
    title = f"{count} dead letter" + ("" if count == "1" else "s")
    detail = f"The last one: {letters[0]['summary']}"
    return [Concern(title, detail, "fail", "/dashboard/dead-letters")]


def _judge_missions(missions: Sequence[Object]) -> list[Concern]:
    return [
        Concern(
            f"Mission failed: {mission['goal']}",
            str(mission["error"] or ""),
            "fail",
            f"/dashboard/missions/{mission['id']}",
        )
        for mission in missions
        if mission["status"] == "failed"
    ]


def _place_runs(
    schedules: Sequence[Object], runs: Sequence[Object], now: datetime
) -> list[StripItem]:
    names = {each["id"]: each["name"] for each in schedules}
    return [
        StripItem(
            _place(run["due_at"], now),
            RUN_TONES.get(str(run["status"]), "off"),
            f"{names[run['schedule_id']]}: {run['status']}, {_say(run['due_at'])}",
            f"/dashboard/schedules/{run['schedule_id']}/runs/{run['id']}",
        )
        for run in runs
    ]


def _place_occurrence(occurrence: Object, now: datetime) -> StripItem:
    return StripItem(
        _place(occurrence["due_at"], now),
        "off",
        f"{occurrence['name']}: due {_say(occurrence['due_at'])}",
        f"/dashboard/schedules/{occurrence['schedule_id']}",
    )


def _place(instant: JsonValue, now: datetime) -> float:
    x = 0.5 + (parse_instant(str(instant)) - now) / (2 * HALF)
    return min(max(x, 0.0), 1.0)


def _say(instant: JsonValue) -> str:
    return f"{parse_instant(str(instant)):%H:%M} UTC"


def _write(instant: datetime) -> str:
    return instant.isoformat()
