"""Occurrences compared with cronsim: equal except for the documented differences."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from core.test_cron import STARTS, ZONES
from cronsim import CronSim, CronSimError
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from support.pages import read_table

from biont.exceptions import InvalidExpression
from biont.scheduling import CronExpression, parse_time_zone

PAGE = "docs/reference/cron-expressions.md"
COUNT = 12

Applies = Callable[[str], bool]
NAMES = {
    name: number
    for names in (
        ("sun", "mon", "tue", "wed", "thu", "fri", "sat"),
        ("", "jan", "feb", "mar", "apr", "may", "jun"),
    )
    for number, name in enumerate(names)
}
SPAN = re.compile(r"\b(\w+)-(\w+)\b")


def read_span(found: re.Match[str]) -> tuple[int, int]:
    low, high = (NAMES.get(end) if end in NAMES else int(end) for end in found.groups())
    return low, high  # type: ignore[return-value]  # of two


def wraps(expression: str) -> bool:
    return any(low > high for low, high in map(read_span, SPAN.finditer(expression)))


def has_span_of_one(expression: str) -> bool:
    return any(low == high for low, high in map(read_span, SPAN.finditer(expression)))


def has_other_letters(expression: str) -> bool:
    return re.search(r"W|\?|@|L\d|\dL", expression) is not None


def counts_from_a_weekday(expression: str) -> bool:
    return re.search(r"(^|,)\w+/", expression.split()[4]) is not None


def has_one_of_a_month_beside_others(expression: str) -> bool:
    day, weekday = expression.split()[2::2]
    is_nth = ["#" in part for part in weekday.split(",")]
    return any(is_nth) and (day != "*" or not all(is_nth))


def has_star_beside_the_other_day(expression: str) -> bool:
    days = expression.split()[2::2]
    return "*" not in days and "*" in "".join(days)


def steps_through_hours(expression: str) -> bool:
    hour = expression.split()[1]
    return hour[0] == "*" and len(expand(hour)) < 24


def has_any_minute_of_given_hours(expression: str) -> bool:
    minute, hour = expression.split()[:2]
    return minute[0] == "*" and len(expand(hour)) < 24


def names_every_hour(expression: str) -> bool:
    minute, hour = expression.split()[:2]
    return "*" not in {minute[0], hour[0]} and len(expand(hour)) == 24


def names_days_of_any_hour(expression: str) -> bool:
    minute, hour, *days = expression.split()
    return "*" in (minute[0], hour[0]) and days != ["*"] * 3


def expand(hours: str) -> set[int]:
    found: set[int] = set()
    for part in hours.split(","):
        span, _, step = part.partition("/")
        low, _, high = ("0", "", "23") if span == "*" else span.partition("-")
        last = 23 if step and not high else int(high or low)
        values = [*range(int(low), 24), *range(last + 1)] if last < int(low) else None
        found |= set((values or range(int(low), last + 1))[:: int(step or 1)])
    return found


# Keys are the first cells of the rows in the documentation.
ALWAYS: dict[str, Applies] = {
    "ranges that wrap": wraps,
    "a range from a value to itself": has_span_of_one,
    "W, ?, @ names, the last of a weekday": has_other_letters,
    "steps from a weekday": counts_from_a_weekday,
    "# beside other days": has_one_of_a_month_beside_others,
    "both days, and a star in one of them": has_star_beside_the_other_day,
}
AT_CHANGES: dict[str, Applies] = {
    "steps through the hours": steps_through_hours,
    "any minute of given hours": has_any_minute_of_given_hours,
    "each hour named": names_every_hour,
}
AT_SKIPPED_MIDNIGHTS: dict[str, Applies] = {"a day that begins in a gap": names_days_of_any_hour}
AT_CHANGES_BY_SECONDS: dict[str, Applies] = {"a change by seconds": lambda _: True}
OF_THE_START: dict[str, Applies] = {"asked within a repeated hour": lambda _: True}
ROWS_BY_NAME: dict[str, Applies] = {
    **ALWAYS,
    **AT_CHANGES,
    **AT_SKIPPED_MIDNIGHTS,
    **AT_CHANGES_BY_SECONDS,
    **OF_THE_START,
}


def fields(low: int, high: int, *more: str) -> st.SearchStrategy[str]:
    value = st.integers(low, high)
    span = st.lists(value, min_size=2, max_size=2, unique=True).map(sorted)
    several = value.map(str) | span.map(lambda ends: f"{ends[0]}-{ends[1]}")
    stepped = st.builds("{}/{}".format, st.just("*") | several, st.integers(1, high))
    lists = st.lists(several | stepped, min_size=1, max_size=3).map(",".join)
    return st.just("*") | lists | st.sampled_from(["*", *more])


EXPRESSIONS = st.tuples(
    fields(0, 59, "*/15", "0"),
    fields(0, 23, "2", "0-23"),
    fields(1, 31, "L", "15W"),
    fields(1, 12, "jan", "feb-apr", "*/2"),
    fields(0, 7, "mon-fri", "sun", "2#2", "fri#5", "L5", "fri-mon", "*/2"),
).map(" ".join)


def list_ours(expression: str, start: datetime, zone: ZoneInfo) -> Iterator[datetime] | None:
    try:
        return CronExpression.parse(expression).instants(start, zone)
    except InvalidExpression:
        return None


def list_theirs(expression: str, start: datetime, zone: ZoneInfo) -> Iterator[datetime] | None:
    try:
        return (found.astimezone(UTC) for found in CronSim(expression, start.astimezone(zone)))
    except CronSimError:
        return None


def list_comparable(
    instants: Iterator[datetime], expression: str, start: datetime, zone: ZoneInfo
) -> list[datetime]:
    """Return the first instants except those that a row of the table exempts."""
    begin = start + timedelta(hours=1) if start.astimezone(zone).fold else start
    may_differ = [
        find
        for rows, find in (
            (AT_CHANGES, changes_near),
            (AT_SKIPPED_MIDNIGHTS, skips_midnight_near),
            (AT_CHANGES_BY_SECONDS, changes_by_seconds_near),
        )
        if any(applies(expression) for applies in rows.values())
    ]
    comparable = (
        instant
        for instant in instants
        if instant > begin and not any(find(instant, zone) for find in may_differ)
    )
    return list(islice(comparable, COUNT))


def changes_near(instant: datetime, zone: ZoneInfo) -> bool:
    return len(find_offsets_near(instant, zone)) > 1


def changes_by_seconds_near(instant: datetime, zone: ZoneInfo) -> bool:
    minute = timedelta(minutes=1)
    offsets = {offset % minute for offset in find_offsets_near(instant, zone)}
    return len(offsets) > 1


def find_offsets_near(instant: datetime, zone: ZoneInfo) -> set[timedelta]:
    days = (instant + timedelta(days=days) for days in (-1, 0, 1))
    return {day.astimezone(zone).utcoffset() or timedelta(0) for day in days}


def skips_midnight_near(instant: datetime, zone: ZoneInfo) -> bool:
    midnight = instant.astimezone(zone).replace(hour=0, minute=0, second=0, fold=0)
    near = (midnight + timedelta(days=days) for days in (-1, 0, 1))
    return any(day != day.astimezone(UTC).astimezone(zone) for day in near)


@settings(
    max_examples=3000,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(EXPRESSIONS, STARTS, st.sampled_from(ZONES))
def test_cronsim_differs_only_in_the_listed_ways(
    expression: str, start: datetime, zone: str
) -> None:
    assume(not any(applies(expression) for applies in ALWAYS.values()))
    zone_info = parse_time_zone(zone)
    ours = list_ours(expression, start, zone_info)
    theirs = list_theirs(expression, start, zone_info)
    if ours is None or theirs is None:
        assert ours is theirs
        return
    found, expected = (
        list_comparable(each, expression, start, zone_info) for each in (ours, theirs)
    )
    assert found == expected


ROWS = [[cell.strip("`") for cell in row] for row in read_table(PAGE, "where they differ")]


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_each_row_of_differences_is_true(row: list[str]) -> None:
    name, expression, after, ours, theirs = row
    assert ROWS_BY_NAME[name](expression)
    told, _, zone = after.partition(" ")
    zone_info = parse_time_zone(zone)
    start = datetime.fromisoformat(told)
    start = (start if start.tzinfo else start.replace(tzinfo=zone_info)).astimezone(UTC)
    assert ours != theirs
    assert ours == show(list_ours(expression, start, zone_info), zone_info)
    assert theirs == show(list_theirs(expression, start, zone_info), zone_info)


def show(instants: Iterator[datetime] | None, zone: ZoneInfo) -> str:
    if instants is None:
        return "refused"
    shown = (f"{at.astimezone(zone):%m-%dT%H:%M%z}" for at in islice(instants, 2))
    return ", ".join(text[:-2] if text[-2:] == "00" else text for text in shown)


def test_the_table_lists_every_difference() -> None:
    assert [row[0] for row in ROWS] == [*ROWS_BY_NAME]
