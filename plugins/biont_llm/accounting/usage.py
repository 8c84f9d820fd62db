"""Usage: sums of recorded calls, by group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, cast

from peewee import SQL, Case, fn

from biont_llm.accounting.tables import RecordedCall


class Group(StrEnum):
    """Property that calls are grouped by."""

    DAY = "day"
    MODEL = "model"
    KEY = "key"
    SCHEDULE = "schedule"
    MISSION = "mission"


@dataclass(frozen=True)
class UsageTotal:
    """Usage of the calls of one group.

    Attributes:
        group: the values of the grouping properties.
        calls: number of calls.
        failed: number of calls without a whole answer.
        prompt_tokens: tokens that the models read.
        completion_tokens: tokens that the models wrote.
        estimated: number of calls with estimated tokens.
        cost: cost of the calls with a price; None if no call has a price.
        duration: duration of all calls together, in seconds.
    """

    group: Mapping[Group, str | int | None]
    calls: int
    failed: int
    prompt_tokens: int
    completion_tokens: int
    estimated: int
    cost: float | None
    duration: float


_COLUMNS = {
    Group.DAY: RecordedCall.day,
    Group.MODEL: RecordedCall.backend.concat("/").concat(RecordedCall.model),
    Group.KEY: RecordedCall.key_id,
    Group.SCHEDULE: RecordedCall.schedule_id,
    Group.MISSION: RecordedCall.mission_id,
}


def sum_usage(
    user_id: int, groups: Sequence[Group], since: datetime | None, until: datetime | None
) -> list[UsageTotal]:
    """Return the usage of a user's calls, by group; a single total without groups.

    Args:
        user_id: owner of the calls.
        groups: grouping properties.
        since: excludes calls that ended earlier.
        until: excludes calls that ended at this instant or later.
    """
    columns = [_COLUMNS[group].alias(f"group_{group}") for group in groups]
    query = RecordedCall.select(
        *columns,
        fn.COUNT(RecordedCall.id).alias("calls"),
        fn.COUNT(RecordedCall.error).alias("failed"),
        fn.COALESCE(fn.SUM(RecordedCall.prompt_tokens), 0).alias("prompt_tokens"),
        fn.COALESCE(fn.SUM(RecordedCall.completion_tokens), 0).alias("completion_tokens"),
        fn.COALESCE(fn.SUM(Case(None, [(RecordedCall.estimated, 1)], 0)), 0).alias("estimated"),
        fn.SUM(RecordedCall.cost).alias("cost"),
        fn.COALESCE(fn.SUM(RecordedCall.duration), 0.0).alias("duration"),
    ).where(RecordedCall.user == user_id)
    if since is not None:
        query = query.where(RecordedCall.created_at >= since)
    if until is not None:
        query = query.where(RecordedCall.created_at < until)
    if columns:
        # By position: a group may be an expression, not only a column.
        places = [SQL(str(number + 1)) for number in range(len(columns))]
        query = query.group_by(*places).order_by(*places)
    rows = cast("list[dict[str, Any]]", list(query.dicts()))
    return [
        UsageTotal(group={group: row.pop(f"group_{group}") for group in groups}, **row)
        for row in rows
    ]


def sum_mission_cost(mission_id: int) -> float | None:
    """Return the cost of a mission's calls with a price, inside a store function.

    None if no recorded call of the mission has a price; old records are deleted.
    """
    found = RecordedCall.select(fn.SUM(RecordedCall.cost)).where(
        RecordedCall.mission_id == mission_id
    )
    return cast("float | None", found.scalar())
