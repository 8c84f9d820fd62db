"""What calls have taken, added up in groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, cast

from peewee import SQL, Case, fn

from biont_llm.accounting.tables import RecordedCall


class Group(StrEnum):
    """What calls may be grouped by."""

    DAY = "day"
    MODEL = "model"
    KEY = "key"
    SCHEDULE = "schedule"


@dataclass(frozen=True)
class UsageTotal:
    """What the calls of one group have taken.

    Attributes:
        group: the value of each thing that is grouped by, in their order.
        calls: how many there were.
        failed: how many of them have no whole answer.
        prompt_tokens: read.
        completion_tokens: written.
        estimated: how many calls' tokens are estimated.
        cost: of those that have a price; None where none has.
        duration: how long they took together, in seconds.
    """

    group: tuple[str | int | None, ...]
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
}


def sum_up(
    user_id: int, groups: Sequence[Group], since: datetime | None, until: datetime | None
) -> list[UsageTotal]:
    """Return what a user's calls have taken, by group; without a group, all together.

    Args:
        user_id: whose calls.
        groups: what they are grouped by.
        since: only what ended then or later.
        until: only what ended before.
    """
    columns = [_COLUMNS[group] for group in groups]
    query = RecordedCall.select(
        *columns,
        fn.COUNT(RecordedCall.id),
        fn.COUNT(RecordedCall.error),
        fn.COALESCE(fn.SUM(RecordedCall.prompt_tokens), 0),
        fn.COALESCE(fn.SUM(RecordedCall.completion_tokens), 0),
        fn.COALESCE(fn.SUM(Case(None, [(RecordedCall.estimated, 1)], 0)), 0),
        fn.SUM(RecordedCall.cost),
        fn.COALESCE(fn.SUM(RecordedCall.duration), 0.0),
    ).where(RecordedCall.user == user_id)
    if since is not None:
        query = query.where(RecordedCall.created_at >= since)
    if until is not None:
        query = query.where(RecordedCall.created_at < until)
    if columns:
        places = [SQL(str(number + 1)) for number in range(len(columns))]
        query = query.group_by(*places).order_by(*places)
    rows = cast("list[tuple[Any, ...]]", list(query.tuples()))
    return [UsageTotal(row[: len(columns)], *row[len(columns) :]) for row in rows]
