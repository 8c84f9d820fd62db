from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from core.test_cron_differences import EXPRESSIONS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.pages import read_table

from biont.exceptions import InvalidExpression
from biont.scheduling import CronExpression, Schedule, Timing

ROWS = [
    [cell.strip("`") for cell in row]
    for row in read_table("docs/reference/cron-expressions.md", "expression in words")
]
STARTS = [datetime(year, month, 1, tzinfo=UTC) for year in (2026, 2028) for month in (1, 2, 7)]
SECONDS = st.sampled_from(["*", "0", "*/10", "5", "5,7", "1-30", "59"])


@pytest.mark.parametrize(("text", "words"), ROWS, ids=[row[0] for row in ROWS])
def test_each_expression_is_described_as_in_the_table(text: str, words: str) -> None:
    assert CronExpression.parse(text).describe() == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("* * * * * *", "Every second"),
        ("*/10 * * * * *", "Every 10 seconds"),
        ("30 * * * * *", "At 30 seconds past every minute"),
        ("30 0 9 * * *", "At 09:00:30 every day"),
        ("0 0 9 * * *", "At 09:00 every day"),
        ("5 */15 * * * *", "At 5 seconds past the minute, of these minutes: every 15 minutes"),
        ("* 30 9 * * 0", "Every second, of these minutes: at 09:30 on Sunday"),
    ],
)
def test_seconds_are_described(text: str, words: str) -> None:
    assert CronExpression.parse(text, seconds=True).describe() == words


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"kind": "every", "every": 900}, "Every 15 minutes"),
        ({"kind": "every", "every": 5400}, "Every 90 minutes"),
        ({"kind": "every", "every": 86400}, "Every 24 hours"),
        ({"kind": "every", "every": 1}, "Every second"),
        ({"kind": "cron", "expression": "0 9 * * *"}, "At 09:00 every day"),
        (
            {"kind": "at", "at": datetime(2026, 7, 1, 12, 30, tzinfo=UTC)},
            "Once, on 2026-07-01 at 14:30",
        ),
    ],
)
def test_each_kind_of_timing_is_described(columns: dict[str, object], words: str) -> None:
    schedule = Schedule(time_zone="Europe/Berlin", created_at=STARTS[0], **columns)
    assert Timing.of(schedule).describe() == words


def list_some_instants(expression: CronExpression) -> list[list[datetime]]:
    return [list(islice(expression.instants(start, ZoneInfo("UTC")), 100)) for start in STARTS]


def parse(text: str) -> CronExpression | None:
    try:
        return CronExpression.parse(text, seconds=True)
    except InvalidExpression:
        return None


@settings(
    max_examples=800,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(SECONDS, SECONDS, EXPRESSIONS, EXPRESSIONS, st.integers(0, 5))
def test_expressions_with_the_same_words_are_due_at_the_same_times(
    second: str, another: str, text: str, other: str, changed: int
) -> None:
    fields, others = [second, *text.split()], [another, *other.split()]
    expression = parse(" ".join(fields))
    neighbour = parse(" ".join([*fields[:changed], others[changed], *fields[changed + 1 :]]))
    if expression is None or neighbour is None:
        return
    if expression.describe() == neighbour.describe():
        assert list_some_instants(expression) == list_some_instants(neighbour)
