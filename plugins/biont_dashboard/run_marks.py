"""Marks of runs: the runs of a user's schedules in a span of time, and the coming occurrences."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from pydantic import JsonValue

from biont_dashboard.rendering import clip, parse_instant
from biont_dashboard.visit import Object, Visit, list_rows

RUN_TONES: Mapping[str, str] = MappingProxyType(
    {
        "succeeded": "ok",
        "failed": "fail",
        "missed": "warn",
        "late": "warn",
        "running": "run",
        "queued": "wait",
    }
)
"""The tone of each status of a run; all others are ``off``."""

_SCHEDULES = 50
_RUNS = 200
_COMING = 100


@dataclass(frozen=True, slots=True)
class Mark:
    """Run or coming occurrence."""

    schedule_id: int
    name: str
    at: datetime
    tone: str
    words: str
    href: str


async def read_marks(
    visit: Visit, start: datetime, end: datetime, now: datetime
) -> tuple[Sequence[Mark], Sequence[str]]:
    """Return the marks of a span, with the reasons why some are left out."""
    listed = await visit.read("/api/v1/schedule", limit=_SCHEDULES)
    schedules = list_rows(listed)
    gaps: list[str] = []
    if listed["next"] is not None:
        gaps.append(f"The newest {_SCHEDULES} schedules are shown.")
    marks: list[Mark] = []
    if start < now:
        runs = await asyncio.gather(*(_read_runs(visit, each, start, end) for each in schedules))
        for schedule, found in zip(schedules, runs, strict=True):
            if len(found) == _RUNS:
                name = clip(str(schedule["name"]), 60)
                gaps.append(f"Of {name}, the last {_RUNS} runs are shown.")
            marks += [_mark_run(schedule, run) for run in found]
    if end > now:
        due = [each for each in schedules if each["state"] == "active"]
        comings = await asyncio.gather(
            *(_read_coming(visit, each, max(start, now), end) for each in due)
        )
        for schedule, found in zip(due, comings, strict=True):
            if len(found) == _COMING:
                name = clip(str(schedule["name"]), 60)
                gaps.append(f"Of {name}, the next {_COMING} occurrences are shown.")
            marks += [_mark_coming(each) for each in found]
    return marks, gaps


async def _read_runs(
    visit: Visit, schedule: Object, start: datetime, end: datetime
) -> Sequence[Object]:
    path = f"/api/v1/schedule/{schedule['id']}/runs"
    return await visit.read_rows(path, since=start.isoformat(), until=end.isoformat(), limit=_RUNS)


async def _read_coming(
    visit: Visit, schedule: Object, start: datetime, end: datetime
) -> Sequence[Object]:
    # For each schedule alone: one that is due each second would leave no room for the others.
    query: dict[str, str | int] = {
        "from": start.isoformat(),
        "until": (end - timedelta(seconds=1)).isoformat(),
        "schedule_id": _number(schedule["id"]),
        "limit": _COMING,
    }
    return await visit.read_rows("/api/v1/schedule/upcoming", **query)


def _mark_run(schedule: Object, run: Object) -> Mark:
    href = f"/dashboard/schedules/{schedule['id']}/runs/{run['id']}"
    words = str(run["status"]).replace("_", " ")
    tone = RUN_TONES.get(str(run["status"]), "off")
    return Mark(
        _number(schedule["id"]), str(schedule["name"]), _read(run["due_at"]), tone, words, href
    )


def _mark_coming(found: Object) -> Mark:
    delay = _read(found["due_at"]) - _read(found["scheduled_for"])
    words = f"due, with {delay.total_seconds():g} s of jitter" if delay else "due"
    problem = found["problem"]
    return Mark(
        _number(found["schedule_id"]),
        str(found["name"]),
        _read(found["due_at"]),
        "fail" if problem else "wait",
        str(problem or words),
        f"/dashboard/schedules/{found['schedule_id']}",
    )


def _read(instant: JsonValue) -> datetime:
    return parse_instant(str(instant))


def _number(value: JsonValue) -> int:
    return int(str(value))
