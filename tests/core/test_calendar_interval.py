"""Calendar intervals: every few days, weeks, months or years, at a wall time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest

from biont.exceptions import InvalidExpression
from biont.scheduling import CalendarInterval, parse_time_zone

NEVER = "never"


def list_due(interval: str, zone: str, anchor: str, after: str, count: int) -> list[str]:
    place = parse_time_zone(zone)
    start = datetime.fromisoformat(anchor).replace(tzinfo=place).astimezone(UTC)
    begin = datetime.fromisoformat(after).replace(tzinfo=place).astimezone(UTC)
    found = CalendarInterval.parse(interval).instants_and_wall_times(begin, start, place)
    return [
        f"{instant.astimezone(place):%Y-%m-%dT%H:%M%z}".removesuffix("00")
        for instant, _ in islice(found, count)
    ]


@pytest.mark.parametrize(
    ("interval", "zone", "anchor", "after", "due"),
    [
        (
            '{"weeks":2,"at":"09:00"}',
            "Europe/Berlin",
            "2026-03-04T12:00",
            "2026-03-04T12:00",
            "2026-03-18T09:00+01, 2026-04-01T09:00+02, 2026-04-15T09:00+02",
        ),
        (
            '{"weeks":2,"at":"09:00","weekdays":["FRI","MON"]}',
            "UTC",
            "2026-03-04T12:00",
            "2026-03-04T12:00",
            "2026-03-06T09:00+00, 2026-03-16T09:00+00, 2026-03-20T09:00+00",
        ),
        (
            '{"days":3}',
            "UTC",
            "2026-02-27T07:30",
            "2026-02-26T00:00",
            "2026-02-27T07:30+00, 2026-03-02T07:30+00, 2026-03-05T07:30+00",
        ),
        # A month without the day has no occurrence; each month has the last day.
        (
            '{"months":1,"at":"09:00","day":31}',
            "UTC",
            "2026-01-01T00:00",
            "2026-01-01T00:00",
            "2026-01-31T09:00+00, 2026-03-31T09:00+00, 2026-05-31T09:00+00",
        ),
        (
            '{"months":1,"at":"09:00","day":"last"}',
            "UTC",
            "2026-01-01T00:00",
            "2026-01-01T00:00",
            "2026-01-31T09:00+00, 2026-02-28T09:00+00, 2026-03-31T09:00+00",
        ),
        (
            '{"months":5,"at":"00:00"}',
            "UTC",
            "2026-01-15T10:00",
            "2026-01-15T10:00",
            "2026-06-15T00:00+00, 2026-11-15T00:00+00, 2027-04-15T00:00+00",
        ),
        (
            '{"years":1,"at":"09:00","day":29,"month":2}',
            "UTC",
            "2026-01-01T00:00",
            "2026-01-01T00:00",
            "2028-02-29T09:00+00, 2032-02-29T09:00+00",
        ),
        (
            '{"years":2,"day":"last","month":2}',
            "UTC",
            "2026-01-01T06:00",
            "2026-01-01T00:00",
            "2026-02-28T06:00+00, 2028-02-29T06:00+00",
        ),
        # A skipped time is due at the end of the gap, a time shown twice at the first time.
        (
            '{"days":1,"at":"02:30"}',
            "Europe/Berlin",
            "2026-03-28T00:00",
            "2026-03-28T00:00",
            "2026-03-28T02:30+01, 2026-03-29T03:00+02, 2026-03-30T02:30+02",
        ),
        (
            '{"weeks":1,"at":"02:30"}',
            "Europe/Berlin",
            "2026-10-18T00:00",
            "2026-10-19T00:00",
            "2026-10-25T02:30+02, 2026-11-01T02:30+01",
        ),
        (
            '{"days":1,"at":"12:00"}',
            "Pacific/Apia",
            "2011-12-28T00:00",
            "2011-12-29T00:00",
            "2011-12-29T12:00-10, 2011-12-31T00:00+14, 2011-12-31T12:00+14",
        ),
        ('{"years":2,"day":29,"month":2}', "UTC", "2027-01-01T00:00", "2027-01-01T00:00", NEVER),
        ('{"months":12,"day":31}', "UTC", "2026-02-01T00:00", "2026-02-01T00:00", NEVER),
    ],
)
def test_each_interval_is_due_at_its_times(
    interval: str, zone: str, anchor: str, after: str, due: str
) -> None:
    expected = [] if due == NEVER else due.split(", ")
    assert list_due(interval, zone, anchor, after, len(expected) or 1) == expected


@pytest.mark.parametrize(
    "interval",
    [
        '{"days":3,"at":"02:30"}',
        '{"weeks":3,"weekdays":["MON","SUN"],"at":"02:30"}',
        '{"months":1,"day":31,"at":"02:30"}',
        '{"years":1,"at":"02:30"}',
    ],
)
def test_a_search_from_any_instant_finds_the_same_occurrences(interval: str) -> None:
    zone, anchor = parse_time_zone("Europe/Berlin"), datetime(2024, 2, 29, 12, tzinfo=UTC)
    parsed = CalendarInterval.parse(interval)

    def find(start: datetime) -> list[datetime]:
        found = parsed.instants_and_wall_times(start, anchor, zone)
        return [instant for instant, _ in islice(found, 30)]

    every = find(anchor - timedelta(days=400))
    assert every == sorted(set(every))
    for number, instant in enumerate(every[:-1]):
        for start in (instant, every[number + 1] - timedelta(microseconds=1)):
            assert find(start)[: 29 - number] == every[number + 1 :]


@pytest.mark.parametrize(
    ("interval", "problem"),
    [
        ("{}", "one of days, weeks, months and years"),
        ('{"days":1,"weeks":1}', "one of days, weeks, months and years"),
        ('{"days":0}', "days"),
        ('{"weeks":true}', "weeks"),
        ('{"days":1,"at":"24:00"}', "at"),
        ('{"days":1,"at":"9:00"}', "at"),
        ('{"days":1,"weekdays":["MON"]}', "weekdays goes with weeks"),
        ('{"weeks":1,"weekdays":[]}', "weekdays"),
        ('{"weeks":1,"weekdays":["Montag"]}', "weekdays.0"),
        ('{"months":1,"day":32}', "day"),
        ('{"months":1,"month":3}', "month goes with years"),
        ('{"fortnights":1}', "fortnights"),
    ],
)
def test_a_wrong_interval_is_refused_with_the_place(interval: str, problem: str) -> None:
    with pytest.raises(InvalidExpression, match=problem):
        CalendarInterval.parse(interval)


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        ('{"days":1,"at":"09:00"}', "Every day at 09:00"),
        ('{"weeks":2}', "Every 2 weeks on Monday at 12:00"),
        (
            '{"weeks":1,"weekdays":["FRI","MON","SUN"],"at":"09:00:30"}',
            "Every week on Monday, Friday and Sunday at 09:00:30",
        ),
        (
            '{"months":1,"day":"last","at":"18:00"}',
            "Every month on the last day of the month at 18:00",
        ),
        ('{"months":3,"day":5}', "Every 3 months on day 5 of the month at 12:00"),
        ('{"years":1,"at":"09:00"}', "Every year on day 2 of March at 09:00"),
    ],
)
def test_an_interval_is_described_in_words(interval: str, words: str) -> None:
    anchor = datetime(2026, 3, 2, 12, tzinfo=UTC)
    assert CalendarInterval.parse(interval).describe(anchor, parse_time_zone("UTC")) == words
