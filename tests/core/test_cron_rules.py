"""The tables of `docs/reference/cron-expressions.md`, row by row."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice

import pytest
from support.pages import read_table

from biont.exceptions import InvalidExpression
from biont.scheduling import CronExpression, parse_time_zone

PAGE = "docs/reference/cron-expressions.md"
ROWS = [
    [cell.strip("`") for cell in row]
    for head in ("form", "when the clocks change")
    for row in read_table(PAGE, head)
]
ZONES = {
    *("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo"),
    *("America/Sao_Paulo", "Pacific/Apia", "Asia/Kathmandu"),
}


@pytest.mark.parametrize(
    ("expression", "after", "due"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_each_row_of_the_rules_is_true(expression: str, after: str, due: str) -> None:
    if due == "refused":
        with pytest.raises(InvalidExpression):
            CronExpression.parse(expression)
        return
    expected = due.split(", ")
    local, _, name = after.partition(" ")
    zone, start = parse_time_zone(name), datetime.fromisoformat(local)
    start = start if start.tzinfo else start.replace(tzinfo=zone)
    found = CronExpression.parse(expression).instants(start.astimezone(UTC), zone)
    told = [f"{at.astimezone(zone):%Y-%m-%dT%H:%M%z}" for at in islice(found, len(expected))]
    assert [text.removesuffix("00") for text in told] == expected


def test_the_rules_have_examples_in_each_unusual_zone() -> None:
    assert {after.partition(" ")[2] for _, _, after, _ in ROWS} >= ZONES


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("@hourly", "0 * * * *"),
        ("@daily", "0 0 * * *"),
        ("@midnight", "0 0 * * *"),
        ("@weekly", "0 0 * * 0"),
        ("@monthly", "0 0 1 * *"),
        ("@yearly", "0 0 1 1 *"),
        ("@annually", "0 0 1 1 *"),
    ],
)
def test_an_alias_is_due_at_the_times_of_its_expression(name: str, text: str) -> None:
    start, zone = datetime(2026, 1, 1, tzinfo=UTC), parse_time_zone("Europe/Berlin")
    named, spelt = (CronExpression.parse(each).instants(start, zone) for each in (name, text))
    assert list(islice(named, 100)) == list(islice(spelt, 100))
