"""When a delivery is attempted again, and which answers end it well."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Annotated, Literal

import orjson
from pydantic import Field, TypeAdapter, WrapValidator

from biont.backoff import Backoff

MAX_JITTER = 0.2
"""The part of a wait by which chance may lengthen it."""

MAX_RETRY_AFTER = 24 * 3600.0
"""How long a receiver may keep us waiting by ``Retry-After``, in seconds."""

_MINUTE, _HOUR = 60.0, 3600.0

_STANDARD = (
    5.0,
    5 * _MINUTE,
    30 * _MINUTE,
    2 * _HOUR,
    5 * _HOUR,
    10 * _HOUR,
    14 * _HOUR,
    20 * _HOUR,
    24 * _HOUR,
)


class Success(StrEnum):
    """Which answers count as a success."""

    OK = "200"
    ANY_2XX = "2xx"

    def accepts(self, status: int) -> bool:
        """Say whether an answer of this HTTP status is a success."""
        return status == 200 if self is Success.OK else 200 <= status < 300


Waits = Annotated[
    list[Annotated[float, Field(ge=0, le=604_800, allow_inf_nan=False)]],
    Field(min_length=1, max_length=20),
]

_WAITS: TypeAdapter[Waits] = TypeAdapter(Waits)


def _validate_retry(value: object, _: object) -> object:
    """Validate `value` as what it looks like; a union would complain twice."""
    if isinstance(value, list):
        return _WAITS.validate_python(value)
    if value in ("none", "standard"):
        return value
    raise ValueError("must be none, standard, or a list of seconds to wait before each retry")


Retry = Annotated[Literal["none", "standard"] | Waits, WrapValidator(_validate_retry)]
"""A retry policy as REST clients send it: a name, or the waits before each retry in seconds."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often, and after which waits, a failed delivery is attempted again.

    Attributes:
        waits: seconds before the second attempt, the third, and so on. There is
            one attempt more than there are waits.
    """

    waits: tuple[float, ...] = ()

    def delay_after(
        self, attempts_made: int, *, retry_after: float | None, chance: float
    ) -> float | None:
        """Return how long to wait before the next attempt, in seconds.

        Args:
            attempts_made: how many attempts there were.
            retry_after: how long the receiver asks us to wait at least, in seconds;
                see `parse_retry_after`.
            chance: 0 to 1, drawn anew each time: it lengthens the wait by up to a
                fifth, so that what failed together does not come back together.

        Returns:
            None when there is to be no further attempt; 0 before the first.
        """
        if not attempts_made:
            return retry_after or 0.0
        wait = Backoff(self.waits, MAX_JITTER).find_wait(attempts_made, chance)
        return None if wait is None else max(wait, retry_after or 0.0)


def make_retry_policy(retry: Retry) -> RetryPolicy:
    """Return the policy that a client has asked for."""
    if retry == "standard":
        return RetryPolicy(_STANDARD)
    return RetryPolicy() if isinstance(retry, str) else RetryPolicy(tuple(retry))


def load_retry_policy(text: str) -> RetryPolicy:
    """Return the policy that `dump_retry` has written."""
    return make_retry_policy(orjson.loads(text))


def dump_retry(retry: Retry) -> str:
    """Return a policy, as a client has sent it, as JSON."""
    return orjson.dumps(retry).decode()


def parse_retry_after(header: str, now: datetime) -> float | None:
    """Return how long a ``Retry-After`` header asks to wait, in seconds.

    Args:
        header: seconds, or an HTTP date.
        now: what a date is compared with.

    Returns:
        At most `MAX_RETRY_AFTER`, 0 for a date in the past, None for what is neither.
    """
    text = header.strip()
    if text.isascii() and text.isdigit():
        # What has more digits is above the limit, and may be too long for a number.
        return min(float(text[:10]), MAX_RETRY_AFTER) if len(text) <= 10 else MAX_RETRY_AFTER
    try:
        wait = (parsedate_to_datetime(text) - now).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(wait, 0.0), MAX_RETRY_AFTER)
