"""Groups of the usage page: the usage by model, key, schedule or mission, the dearest first."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from biont_dashboard.rendering import describe_cost, describe_number
from biont_dashboard.visit import Object, Visit, list_rows

_SHOWN = 50
_PLOTTED = 20


class UsageGroup(StrEnum):
    """Property by which the usage is summed up."""

    MODEL = "model"
    KEY = "key"
    SCHEDULE = "schedule"
    MISSION = "mission"


class _Source(NamedTuple):
    """Objects of a group: the plugin, the list of the API, the field with the name, the pages."""

    plugin: str | None
    path: str
    name: str
    page: str


_SOURCES: Mapping[UsageGroup, _Source] = MappingProxyType(
    {
        UsageGroup.KEY: _Source(None, "/api/v1/keys", "name", "/dashboard/keys"),
        UsageGroup.SCHEDULE: _Source(
            "schedules", "/api/v1/schedule", "name", "/dashboard/schedules"
        ),
        UsageGroup.MISSION: _Source("missions", "/api/v1/missions", "goal", "/dashboard/missions"),
    }
)


@dataclass(frozen=True, slots=True)
class GroupRow:
    """Usage of one group.

    Attributes:
        title: the name of the model, key, schedule or mission.
        href: the page of the object; empty for none.
        usage: the usage of the API.
    """

    title: str
    href: str
    usage: Object


@dataclass(frozen=True, slots=True)
class UsageGroups:
    """Usage by group.

    Attributes:
        rows: the dearest groups, then those with the most tokens.
        count: the number of all groups.
        points: the same for a plot, without the calls that belong to none: titles, values, texts.
        label: the unit of the plot.
    """

    rows: Sequence[GroupRow]
    count: int
    points: Sequence[tuple[str, float, str]]
    label: str


async def read_groups(visit: Visit, group: UsageGroup, since: str) -> UsageGroups:
    """Return the usage of the user by group."""
    found, names = await asyncio.gather(
        visit.read("/api/v1/usage", group_by=group, since=since), _read_names(visit, group)
    )
    usages = sorted(list_rows(found), key=_rank, reverse=True)
    rows = [_make_row(group, usage, names) for usage in usages[:_SHOWN]]
    plotted = [row for row in rows if row.href or group is UsageGroup.MODEL][:_PLOTTED]
    if any(row.usage["cost"] for row in plotted):
        return UsageGroups(rows, len(usages), [_plot_cost(row) for row in plotted], "Cost")
    return UsageGroups(rows, len(usages), [_plot_tokens(row) for row in plotted], "Tokens")


async def _read_names(visit: Visit, group: UsageGroup) -> Mapping[int, str]:
    """Return the names of the latest objects of a group."""
    source = _SOURCES.get(group)
    if source is None or (source.plugin is not None and not visit.has_plugin(source.plugin)):
        return {}
    found = await visit.read_rows(source.path, limit=100, fields=f"id,{source.name}")
    return {int(str(row["id"])): str(row[source.name] or "") for row in found}


def _make_row(group: UsageGroup, usage: Object, names: Mapping[int, str]) -> GroupRow:
    if group is UsageGroup.MODEL:
        return GroupRow(str(usage["model"]), "", usage)
    number = usage[f"{group}_id"]
    if number is None:
        return GroupRow(f"No {group}", "", usage)
    name = names.get(int(str(number)), "")
    title = name or f"{group.capitalize()} {number}"
    return GroupRow(title, f"{_SOURCES[group].page}/{number}", usage)


def _rank(usage: Object) -> tuple[float, int]:
    return float(str(usage["cost"] or 0)), count_tokens(usage)


def _plot_cost(row: GroupRow) -> tuple[str, float, str]:
    cost = float(str(row.usage["cost"] or 0))
    return row.title, cost, describe_cost(cost)


def _plot_tokens(row: GroupRow) -> tuple[str, float, str]:
    tokens = count_tokens(row.usage)
    return row.title, tokens, f"{describe_number(tokens)} tokens"


def count_tokens(usage: Object) -> int:
    """Return the tokens that were read and written."""
    return int(str(usage["prompt_tokens"])) + int(str(usage["completion_tokens"]))
