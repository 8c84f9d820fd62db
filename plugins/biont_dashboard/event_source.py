"""Source of events: the run or the mission in which they happened, with its calls of models.

The events of a run have the correlation id ``run-NUMBER``, those of a mission
``mission-NUMBER``. A client may send such an id as well; all that is shown is the user's own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from biont_dashboard.event_graph import GraphBox
from biont_dashboard.rendering import (
    describe_cost,
    describe_number,
    describe_seconds,
    parse_instant,
)
from biont_dashboard.visit import Object, Visit

_RUN = re.compile(r"run-(\d{1,18})")
_MISSION = re.compile(r"mission-(\d{1,18})")
_TONES = {"succeeded": "ok", "completed": "ok", "failed": "fail", "cancelled": "off"}
_MOST_CALLS = 200


@dataclass(frozen=True, slots=True)
class EventSource:
    """Source of events.

    Attributes:
        boxes: the boxes of a drawing, the outermost first.
        calls: the calls of models, the oldest first.
    """

    boxes: Sequence[GraphBox] = ()
    calls: Sequence[Object] = ()


async def read_source(visit: Visit, chain: Sequence[Object]) -> EventSource:
    """Return the source of the events of one correlation id; an empty one for other events."""
    correlation_id = str(chain[0]["correlation_id"])
    run, mission = _RUN.fullmatch(correlation_id), _MISSION.fullmatch(correlation_id)
    if run is not None and visit.has_plugin("schedules"):
        return await _read_run(visit, chain, int(run[1]))
    if mission is not None and visit.has_plugin("missions"):
        return await _read_mission(visit, int(mission[1]))
    return EventSource()


def make_call_box(call: Object) -> GraphBox:
    """Return the box of a call of a model."""
    tokens = sum(
        value
        for value in (call["prompt_tokens"], call["completion_tokens"])
        if isinstance(value, int)
    )
    cost = call["cost"]
    text = f"{describe_number(tokens)} tokens"
    if isinstance(cost, (int, float)):
        text += f", cost {describe_cost(cost)}"
    return GraphBox(
        str(call["model"]), text, "fail" if call["error"] else "ok", "/dashboard/usage"
    )


async def _read_run(visit: Visit, chain: Sequence[Object], run_id: int) -> EventSource:
    payloads = [event["payload"] for event in chain]
    schedule_id = next(
        (
            payload["schedule_id"]
            for payload in payloads
            if isinstance(payload, dict) and payload.get("run_id") == run_id
            if isinstance(payload.get("schedule_id"), int)
        ),
        None,
    )
    if schedule_id is None:
        return EventSource()
    path = f"/api/v1/schedule/{schedule_id}"
    schedule = await visit.read_or_none(path)
    run = await visit.read_or_none(f"{path}/runs/{run_id}")
    if schedule is None or run is None:
        return EventSource()
    status, duration = str(run["status"]), run["duration"]
    took = f", {describe_seconds(duration)}" if isinstance(duration, (int, float)) else ""
    href = f"/dashboard/schedules/{schedule_id}"
    boxes = (
        GraphBox(str(schedule["name"]), f"schedule {schedule_id}", "", href),
        GraphBox(
            f"Run {run_id}", status + took, _TONES.get(status, "wait"), f"{href}/runs/{run_id}"
        ),
    )
    calls = await _read_calls(visit, "run_id", run_id, run["started_at"], run["ended_at"])
    return EventSource(boxes, calls)


async def _read_mission(visit: Visit, mission_id: int) -> EventSource:
    mission = await visit.read_or_none(f"/api/v1/missions/{mission_id}")
    if mission is None:
        return EventSource()
    status = str(mission["status"])
    box = GraphBox(
        str(mission["goal"]),
        f"mission {mission_id}, {status}",
        _TONES.get(status, "wait"),
        f"/dashboard/missions/{mission_id}",
    )
    calls = await _read_calls(
        visit, "mission_id", mission_id, mission["created_at"], mission["ended_at"]
    )
    return EventSource((box,), calls)


async def _read_calls(
    visit: Visit, name: str, number: int, since: object, until: object
) -> Sequence[Object]:
    if not isinstance(since, str) or not visit.has_plugin("llm"):
        return []
    # A call is recorded when it ends, maybe in the moment after the run.
    end = (parse_instant(until) + timedelta(seconds=5)) if isinstance(until, str) else None
    rows = await visit.read_rows(
        "/api/v1/usage/calls",
        since=since,
        until=None if end is None else end.isoformat(),
        limit=_MOST_CALLS,
    )
    return [row for row in reversed(rows) if row[name] == number]
