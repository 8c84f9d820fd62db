"""Retry policy: the waits between attempts, and the answers that count as a success."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Annotated, Literal

import orjson
from pydantic import Field, TypeAdapter, WrapValidator

from biont.backoff import Backoff
from biont.store import dump_json

MAX_JITTER = 0.2
"""The largest random extension of a wait, as a part of the wait."""

MAX_RETRY_AFTER = 24 * 3600.0
"""The longest wait that a receiver may ask for by ``Retry-After``, in seconds."""

_MINUTE, _HOUR = 60.0, 3600.0

# The schedule of the Standard Webhooks specification: nine retries within four days.
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
    """Answers that count as a success."""

    OK = "200"
    ANY_2XX = "2xx"

    def accepts(self, status: int) -> bool:
        """Return whether an answer with this HTTP status is a success."""
        return status == 200 if self is Success.OK else 200 <= status < 300


Waits = Annotated[
    list[Annotated[float, Field(ge=0, le=604_800, allow_inf_nan=False)]],
    Field(min_length=1, max_length=20),
]

_WAITS: TypeAdapter[Waits] = TypeAdapter(Waits)


def _validate_retry(value: object, _: object) -> object:
    """Validate a retry policy from a REST request."""
    # By hand, because a union of two types would report one error for each type.
    if isinstance(value, list):
        return _WAITS.validate_python(value, strict=True)
    if value in ("none", "standard"):
        return value
    raise ValueError("must be none, standard, or a list of seconds to wait before each retry")


Retry = Annotated[Literal["none", "standard"] | Waits, WrapValidator(_validate_retry)]
"""A retry policy in a REST request: a name, or the wait before each retry in seconds."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Waits between the attempts of a delivery.

    Attributes:
        waits: the seconds before the second attempt, the third, and so on. A delivery
            with n waits has at most n + 1 attempts.
    """

    waits: tuple[float, ...] = ()

    def delay_after(
        self, attempts_made: int, *, retry_after: float | None, chance: float
    ) -> float | None:
        """Return the wait before the next attempt, in seconds.

        Args:
            attempts_made: the number of attempts made so far.
            retry_after: the least wait that the receiver asks for, in seconds; see
                `parse_retry_after`.
            chance: a new random number from 0 to 1, which lengthens the wait by up to a
                fifth: deliveries that failed together are then not retried together.

        Returns:
            None for no further attempt; 0 before the first attempt.
        """
        if not attempts_made:
            return retry_after or 0.0
        wait = Backoff(self.waits, MAX_JITTER).find_wait(attempts_made, chance)
        return None if wait is None else max(wait, retry_after or 0.0)


def make_retry_policy(retry: Retry) -> RetryPolicy:
    """Return the retry policy of a REST request."""
    if retry == "standard":
        return RetryPolicy(_STANDARD)
    return RetryPolicy() if isinstance(retry, str) else RetryPolicy(tuple(retry))


def load_retry_policy(text: str) -> RetryPolicy:
    """Return the retry policy of the text that `dump_retry` made."""
    return make_retry_policy(orjson.loads(text))


def dump_retry(retry: Retry) -> str:
    """Return the retry policy of a REST request as JSON."""
    return dump_json(retry)


def parse_retry_after(header: str, now: datetime) -> float | None:
    """Return the wait that a ``Retry-After`` header asks for, in seconds.

    Args:
        header: a number of seconds, or an HTTP date.
        now: the instant from which a date counts.

    Returns:
        At most `MAX_RETRY_AFTER`; 0 for a date in the past; None for a malformed header.
    """
    text = header.strip()
    if text.isascii() and text.isdigit():
        # More digits are above the limit anyway, and `float` could overflow.
        return min(float(text[:10]), MAX_RETRY_AFTER) if len(text) <= 10 else MAX_RETRY_AFTER
    try:
        wait = (parsedate_to_datetime(text) - now).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(wait, 0.0), MAX_RETRY_AFTER)
