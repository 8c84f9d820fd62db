from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, JsonValue, ValidationError

from biont_webhooks.subscription.retry_policy import (
    MAX_RETRY_AFTER,
    Retry,
    RetryPolicy,
    Success,
    make_retry_policy,
    parse_retry_after,
)

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MINUTE, HOUR = 60, 3600


class Document(BaseModel):
    """What a retry policy is part of, so that pointers can be seen."""

    retry: Retry = "none"


def read_policy(retry: JsonValue) -> RetryPolicy:
    return make_retry_policy(Document.model_validate({"retry": retry}).retry)


def list_delays(policy: RetryPolicy, chance: float = 0) -> list[float]:
    delays: list[float] = []
    while (delay := policy.delay_after(len(delays), retry_after=None, chance=chance)) is not None:
        delays.append(delay)
    return delays


@pytest.mark.parametrize(
    ("retry", "delays"),
    [
        ("none", [0]),
        (
            "standard",
            [
                0,
                5,
                5 * MINUTE,
                30 * MINUTE,
                2 * HOUR,
                5 * HOUR,
                10 * HOUR,
                14 * HOUR,
                20 * HOUR,
                24 * HOUR,
            ],
        ),
        ([1, 0, 604_800], [0, 1, 0, 604_800]),
    ],
)
def test_waits_follow_the_retry_policy(retry: JsonValue, delays: list[float]) -> None:
    assert list_delays(read_policy(retry)) == delays


def test_jitter_lengthens_each_wait_by_up_to_a_fifth() -> None:
    policy = read_policy([10, 100])
    assert list_delays(policy, chance=0.5) == pytest.approx([0, 11, 110])
    assert list_delays(policy, chance=1) == pytest.approx([0, 12, 120])


@given(asked=st.floats(0, MAX_RETRY_AFTER), chance=st.floats(0, 1))
def test_retry_after_lengthens_a_wait_but_never_shortens_it(asked: float, chance: float) -> None:
    policy = read_policy([60])
    delay = policy.delay_after(1, retry_after=asked, chance=chance)
    unasked = policy.delay_after(1, retry_after=None, chance=chance)
    assert unasked is not None
    assert delay == max(asked, unasked)


def test_a_receiver_cannot_ask_for_more_attempts() -> None:
    assert read_policy("none").delay_after(1, retry_after=5, chance=0) is None
    assert read_policy([5]).delay_after(7, retry_after=5, chance=0) is None


@pytest.mark.parametrize(
    ("retry", "pointer", "detail"),
    [
        ("often", "", "must be none, standard, or a list"),
        (None, "", "must be none, standard, or a list"),
        (5, "", "must be none, standard, or a list"),
        ({}, "", "must be none, standard, or a list"),
        ([], "", "at least 1"),
        ([1] * 21, "", "at most 20"),
        ([1, -1], "1", "greater than or equal to 0"),
        ([604_801], "0", "less than or equal to 604800"),
        (["soon"], "0", "number"),
    ],
)
def test_invalid_retry_policy_is_refused_with_a_pointer(
    retry: JsonValue, pointer: str, detail: str
) -> None:
    with pytest.raises(ValidationError) as refusal:
        read_policy(retry)
    (problem,) = refusal.value.errors()
    assert ".".join(map(str, problem["loc"][1:])) == pointer
    assert detail in problem["msg"]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        (" 120 ", 120),
        ("86400", 86_400),
        ("86401", 86_400),
        ("9" * 5000, 86_400),
        (format_datetime(NOW + timedelta(minutes=3), usegmt=True), 180),
        (format_datetime(NOW + timedelta(days=3), usegmt=True), 86_400),
        (format_datetime(NOW - timedelta(minutes=3), usegmt=True), 0),
        ("Mon, 02-Mar-26 12:01:00 GMT", 60),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("Mon, 99 Foo 2026 12:01:00 GMT", None),
        ("Mon, 02 Mar 99999 12:01:00 GMT", None),
        ("2026-03-02T12:01:00Z", None),
    ],
)
def test_retry_after_is_parsed_and_limited(header: str, seconds: float | None) -> None:
    assert parse_retry_after(header, NOW) == seconds


@given(header=st.text())
def test_no_retry_after_raises(header: str) -> None:
    seconds = parse_retry_after(header, NOW)
    assert seconds is None or 0 <= seconds <= MAX_RETRY_AFTER


@pytest.mark.parametrize(
    ("status", "ok", "any_2xx"),
    [(199, False, False), (200, True, True), (204, False, True), (299, False, True)]
    + [(status, False, False) for status in (300, 302, 400, 410, 500)],
)
def test_statuses_that_are_a_success(status: int, ok: bool, any_2xx: bool) -> None:
    assert Success("200").accepts(status) is ok
    assert Success("2xx").accepts(status) is any_2xx
