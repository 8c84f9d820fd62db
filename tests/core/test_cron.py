from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from croniter import croniter
from hypothesis import given, settings
from hypothesis import strategies as st

from biont.cron.expression import CronExpression
from biont.cron.syntax import MAX_LENGTH
from biont.exceptions import InvalidExpression, UnknownTimeZone
from biont.time_zones import parse_time_zone

START = datetime(2026, 1, 1, tzinfo=UTC)
UTC_ZONE = ZoneInfo("UTC")


def due(expression: str, zone: str, after: str, count: int) -> list[str]:
    """Return the next occurrences in local time with the offset, as a person would check them."""
    zone_info = parse_time_zone(zone)
    start = datetime.fromisoformat(after).replace(tzinfo=zone_info).astimezone(UTC)
    instants = islice(CronExpression.parse(expression).instants(start, zone_info), count)
    return [f"{instant.astimezone(zone_info):%Y-%m-%d %H:%M%z}" for instant in instants]


@pytest.mark.parametrize(
    ("expression", "zone", "after", "expected"),
    [
        pytest.param(
            "30 * 17 2 *",
            "America/Sao_Paulo",
            "2018-02-17 22:00",
            [
                "2018-02-17 22:30-0200",
                "2018-02-17 23:30-0200",
                "2018-02-17 23:30-0300",
                "2019-02-17 00:30-0300",
            ],
            id="a repeated hour before a long pause",
        ),
        pytest.param(
            "10 * * * *",
            "Europe/Berlin",
            "2026-10-25 02:30",
            ["2026-10-25 02:10+0100", "2026-10-25 03:10+0100"],
            id="started within the hour that comes twice",
        ),
        pytest.param(
            "0 0 * * FRI#2,L1",
            "UTC",
            "2026-01-01 00:00",
            ["2026-01-09 00:00+0000", "2026-01-26 00:00+0000"],
            id="the second Friday and the last Monday",
        ),
        pytest.param(
            "0 0 29 2 *",
            "UTC",
            "2096-03-01 00:00",
            ["2104-02-29 00:00+0000"],
            id="a leap day over a century",
        ),
    ],
)
def test_due_instants(expression: str, zone: str, after: str, expected: list[str]) -> None:
    assert due(expression, zone, after, len(expected)) == expected


@pytest.mark.parametrize("sunday", ["0", "7", "SUN", "sun"])
def test_sunday_is_zero_and_seven(sunday: str) -> None:
    assert due(f"0 0 * * {sunday}", "UTC", "2026-01-01", 1) == ["2026-01-04 00:00+0000"]


@pytest.mark.parametrize(
    ("expression", "remedy"),
    [
        ("", "is empty"),
        ("   ", "is empty"),
        ("* * * *", "has 4 of five fields"),
        ("* * * * * *", "set seconds: true"),
        ("0 0 1 1 * 0 2030", "years are not supported"),
        ("TZ=Europe/Berlin 0 9 * * *", "set time_zone instead"),
        ("cron_tz=UTC 0 9 * * *", "set time_zone instead"),
        ("@every 5m", "set every instead"),
        ("0,15,61 * * * *", "the minute '61' in '0,15,61' is not valid"),
        ("0 9 é * *", "the character 'é'"),
        ("0 9 30W 2 *", "is never due"),
        ("0 9 L-31 * *", "is never due"),
        ("0 9 L-30 2 *", "is never due"),
        ("0 9 LW * 1", "beside #, W, LW"),
        ("0 9 L-3 * FRI", "beside #, W, LW"),
        ("0 9 1 * 5L", "beside #, W, LW"),
        ("0 9 15W,LW * *", "W stands for one day"),
        ("0 9 * * 8L", "the weekday '8L' is not valid"),
        ("0 9 L-x * *", "the day of the month 'L-x' is not valid"),
        ("60 * * * *", "the minute '60' is not valid; it takes 0-59"),
        ("0 24 * * *", "the hour '24' is not valid; it takes 0-23"),
        ("0 0 0 * *", "the day of the month '0' is not valid; it takes 1-31"),
        ("0 0 * 13 *", "the month '13' is not valid; it takes 1-12"),
        ("0 0 * * 8", "the weekday '8' is not valid; it takes 0-7"),
        ("61 25 * * *", "the minute '61' is not valid; it takes 0-59; the hour '25'"),
        ("*/0 * * * *", "the minute '*/0' is not valid"),
        ("-5 * * * *", "the minute '-5' is not valid"),
        ("0 0 * * monday", "the weekday 'monday' is not valid"),
        ("0 0 * * 1#6", "the weekday '1#6' is not valid"),
        ("0 0 * * 1,2#1", "all with '#' or none"),
        ("0 0 13 * 5#2", "give only the day of the month or only the weekday"),
        ("0 0 1 * L5", "give only the day of the month or only the weekday"),
        ("0 0 15W * 1-5", "give only the day of the month or only the weekday"),
        ("0 9-9 * * *", "write the value alone"),
        ("0 0 * jan-JAN *", "write the value alone"),
        ("R * * * *", "H and R are not supported"),
        ("r/5 * * * *", "H and R are not supported"),
        ("H(0-29) * * * *", "H and R are not supported"),
        ("0 0 31 2 *", "is never due"),
        ("0 0 30 2 *", "is never due"),
        ("0 0 31 4,6,9,11 *", "is never due"),
        ("@reboot", "is not one of @hourly, @daily"),
        ("0 0 * * *; rm", "no cron expression"),
        ("０ ０ * * *", "no cron expression"),  # noqa: RUF001 - full-width digits
        ("0\x000 * * * *", "no cron expression"),
        ("\ud800 * * * *", "no cron expression"),
    ],
)
def test_an_invalid_expression_is_refused_with_the_remedy(expression: str, remedy: str) -> None:
    with pytest.raises(InvalidExpression) as caught:
        CronExpression.parse(expression)
    assert remedy in str(caught.value)
    assert repr(" ".join(expression.split())) in str(caught.value)


def test_a_long_expression_is_refused_and_not_repeated() -> None:
    with pytest.raises(InvalidExpression, match="has 10009 characters; at most 200") as caught:
        CronExpression.parse("1," * 5000 + "1 * * * *")
    assert len(str(caught.value)) < MAX_LENGTH


def test_expressions_are_equal_by_their_text() -> None:
    assert CronExpression.parse(" 0  9 * *\t1 ") == CronExpression.parse("0 9 * * 1")
    assert CronExpression.parse(" 0  9 * *\t1 ").text == "0 9 * * 1"
    assert len({CronExpression.parse("@daily"), CronExpression.parse("@daily")}) == 1


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Europe/Berln", "did you mean 'Europe/Berlin'?"),
        ("europe/berlin", "did you mean 'Europe/Berlin'?"),
        ("Europe", "did you mean"),
        ("", "an example is"),
        ("../Berlin", "is not a time zone"),
        ("/usr/share/zoneinfo/Europe/Berlin", "is not a time zone"),
        ("posix/Europe/Berlin", "is not a time zone"),
        ("localtime", "is not a time zone"),
        ("UTC\x00", "is not a time zone"),
        ("\ud800", "is not a time zone"),
        ("x" * 10_000, "is not a time zone"),
    ],
)
def test_unknown_time_zones_are_refused_with_a_hint(name: str, hint: str) -> None:
    with pytest.raises(UnknownTimeZone) as caught:
        parse_time_zone(name)
    assert hint in str(caught.value)
    assert len(str(caught.value)) < 2 * MAX_LENGTH


def test_between_excludes_its_start_and_includes_its_end() -> None:
    expression = CronExpression.parse("0 * * * *")
    end = START + timedelta(hours=3)
    hours = [START + timedelta(hours=hour) for hour in (1, 2, 3)]
    assert expression.between(START, end, UTC_ZONE, limit=100) == hours
    assert expression.between(START, end, UTC_ZONE, limit=2) == hours[:2]
    assert expression.between(end, START, UTC_ZONE, limit=100) == []


def test_next_after_is_strictly_after_to_the_microsecond() -> None:
    expression = CronExpression.parse("0 0 * * *")
    midnight = START + timedelta(days=1)
    assert expression.next_after(midnight - timedelta(microseconds=1), UTC_ZONE) == midnight
    assert expression.next_after(midnight, UTC_ZONE) == midnight + timedelta(days=1)


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Apia", "America/New_York"])
@pytest.mark.parametrize("text", ["* * * * *", "0 0 29 2 *", "0 0 * * MON"])
def test_nothing_is_due_after_the_end_of_the_calendar(text: str, zone: str) -> None:
    expression = CronExpression.parse(text)
    for end in (datetime.min, datetime(9901, 1, 1), datetime.max):  # noqa: DTZ001, DTZ901 - below
        assert expression.next_after(end.replace(tzinfo=UTC), ZoneInfo(zone)) is None
    last = [*expression.instants(datetime(9899, 12, 30, tzinfo=UTC), ZoneInfo(zone))][-1]
    assert last.year >= 9899


def test_the_costliest_expressions_are_fast() -> None:
    costly = ("*/7 22-2 29W 2 *", "*/7 22-2 * 2 1#5", "0 0 29 2 *", "0 0 L 2 1")
    before = time.process_time()
    for text in costly:
        CronExpression.parse(text).next_after(START, UTC_ZONE)
    with pytest.raises(InvalidExpression):
        CronExpression.parse("59 23 31 2,4,6,9,11 *")
    assert time.process_time() - before < 1


ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "America/Sao_Paulo",
    "Pacific/Apia",
    "Asia/Kathmandu",
    "Europe/Amsterdam",
    "UTC",
)
CHANGES = (
    "2026-03-28",
    "2026-10-24",
    "2026-03-07",
    "2026-10-31",
    "2026-04-04",
    "2026-10-03",
    "2026-04-23",
    "2026-10-29",
    "2018-11-03",
    "2018-02-17",
    "2011-12-28",
    "1937-06-30",
    "1985-12-31",
)


def numbers(low: int, high: int) -> st.SearchStrategy[frozenset[int]]:
    return st.frozensets(st.integers(low, high), min_size=1, max_size=4)


def every(low: int, high: int) -> st.SearchStrategy[frozenset[int]]:
    return st.just(frozenset(range(low, high + 1)))


MINUTES = numbers(0, 59)
HOURS = numbers(0, 3) | numbers(0, 23) | every(0, 23)
STARTS = st.builds(
    lambda day, minutes: (
        datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(minutes=minutes)
    ),
    st.sampled_from(CHANGES),
    st.integers(0, 2 * 24 * 60),
)


def written(values: frozenset[int]) -> str:
    return ",".join(map(str, sorted(values)))


def minutes_from(start: datetime, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
    """Yield each half minute of two days with the time that the clock shows."""
    for half in range(1, 2 * 2 * 24 * 60):
        instant = start + timedelta(seconds=30 * half)
        yield instant, instant.astimezone(zone).replace(tzinfo=None)


def watch(
    start: datetime, zone: ZoneInfo, minutes: frozenset[int], hours: frozenset[int]
) -> set[datetime]:
    """Return the occurrences, found by watching a clock instead of by calculation."""
    found = set()
    latest = start.astimezone(zone).replace(tzinfo=None)
    for instant, shown in minutes_from(start, zone):
        if len(hours) == 24:
            if shown.minute in minutes and shown.second == 0:
                found.add(instant)
            continue
        while latest < shown:
            latest += timedelta(seconds=30)
            if latest.minute in minutes and latest.hour in hours and latest.second == 0:
                found.add(instant)
    return found


@settings(max_examples=60, deadline=None)
@given(MINUTES, HOURS, STARTS, st.sampled_from(ZONES[:-2]))
def test_occurrences_agree_with_a_watched_clock(
    minutes: frozenset[int], hours: frozenset[int], start: datetime, zone: str
) -> None:
    zone_info = parse_time_zone(zone)
    expression = CronExpression.parse(f"{written(minutes)} {written(hours)} * * *")
    expected = watch(start, zone_info, minutes, hours)
    end = start + timedelta(days=2) - timedelta(seconds=30)
    if repeats_at(start, zone_info):
        # The watch cannot know whether the clock has shown these times before its start.
        expected = {instant for instant in expected if instant > start + timedelta(hours=1)}
        start += timedelta(hours=1)
    assert set(expression.between(start, end, zone_info, limit=10_000)) == expected


def repeats_at(instant: datetime, zone: ZoneInfo) -> bool:
    return instant.astimezone(zone).fold == 1


@settings(max_examples=100, deadline=None)
@given(MINUTES, HOURS, STARTS, st.sampled_from(ZONES))
def test_occurrences_increase_and_show_a_matching_time_or_the_end_of_a_gap(
    minutes: frozenset[int], hours: frozenset[int], start: datetime, zone: str
) -> None:
    zone_info = parse_time_zone(zone)
    expression = CronExpression.parse(f"{written(minutes)} {written(hours)} * * *")
    instants = [start, *islice(expression.instants(start, zone_info), 20)]
    assert len(instants) == 21
    assert all(earlier < later for earlier, later in pairwise(instants))
    for instant in instants[1:]:
        local = instant.astimezone(zone_info)
        moment_before = (instant - timedelta(seconds=1)).astimezone(zone_info)
        at_end_of_gap = moment_before.utcoffset() != local.utcoffset()
        assert at_end_of_gap or (
            local.second == 0 and local.minute in minutes and local.hour in hours
        )


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(["*", "*/7", "0,30", "59"]),
    st.sampled_from(["*", "0", "*/5", "22-2"]),
    st.sampled_from(["*", "L", "31", "1-7", "15W", "*/10"]),
    st.sampled_from(["*", "2", "feb-apr", "*/5"]),
    st.sampled_from(["*", "7", "mon-fri", "2#2", "L5"]),
    STARTS,
)
def test_in_utc_croniter_finds_the_same_occurrences(
    minute: str, hour: str, day: str, month: str, weekday: str, start: datetime
) -> None:
    text = f"{minute} {hour} {day} {month} {weekday}"
    try:
        expression = CronExpression.parse(text)
    except InvalidExpression:
        return
    alone = croniter(text, start.replace(tzinfo=None), ret_type=datetime)
    expected = [alone.get_next().replace(tzinfo=UTC) for _ in range(3)]
    assert list(islice(expression.instants(start, UTC_ZONE), 3)) == expected


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=30) | st.text("0159*/,-#?lLwWrRhHjanmofri@ ", max_size=30))
def test_any_text_is_an_expression_or_is_refused(text: str) -> None:
    try:
        expression = CronExpression.parse(text)
    except InvalidExpression:
        return
    assert expression.next_after(START, UTC_ZONE) is not None
