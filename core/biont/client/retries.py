"""Retry policy: decides whether a call is made again, and the wait before the next attempt.

A call is made again after a connection error, 429, 5xx, or a 409 with ``Retry-After``, which is
the answer while the first request with the same idempotency key still runs. Each attempt of a POST
carries the same key, so that the call takes effect once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime


@dataclass(frozen=True)
class Retries:
    """Limits of repeated attempts.

    Attributes:
        attempts: the most attempts of a call, the first included; 1 for no retry.
        first_wait: the seconds before the second attempt; each further wait is twice as long.
        longest_wait: the longest wait in seconds; a longer ``Retry-After`` ends the attempts.
        patience: the seconds to wait in all for a request that still runs on the server.
    """

    attempts: int = 5
    first_wait: float = 0.5
    longest_wait: float = 60.0
    patience: float = 600.0

    def get_backoff(self, failures: int) -> float:
        """Return the wait after a number of failures in a row, from 1 on."""
        return float(min(self.first_wait * 2 ** min(failures - 1, 30), self.longest_wait))


class Attempts:
    """The attempts of one call.

    Args:
        limits: the limits.
    """

    def __init__(self, limits: Retries) -> None:
        self._limits = limits
        self._made = 0
        self._waited = 0.0

    def after_error(self) -> float | None:
        """Return the wait after an attempt without an answer; None to give up."""
        self._made += 1
        if self._made >= self._limits.attempts:
            return None
        return self._limits.get_backoff(self._made)

    def after_answer(self, status: int, headers: Mapping[str, str]) -> float | None:
        """Return the wait after an answer; None if the answer is final.

        Args:
            status: the HTTP status.
            headers: the headers, by names in lower case.
        """
        asked = read_retry_after(headers)
        if status == 409 and asked is not None:
            return self._wait_for_running(asked)
        if status != 429 and status < 500:
            return None
        wait = self.after_error()
        if wait is None or asked is None:
            return wait
        return None if asked > self._limits.longest_wait else max(wait, asked)

    def _wait_for_running(self, asked: float) -> float | None:
        self._waited += max(asked, 1.0)
        if self._limits.attempts < 2 or self._waited > self._limits.patience:
            return None
        return asked


def read_retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that the header ``retry-after`` asks for; None without the header."""
    text = headers.get("retry-after", "").strip()
    if text.isdecimal():
        return float(text[:9])
    try:
        # Relative to the clock of the server, which may differ from the clock of this machine.
        wait = parsedate_to_datetime(text) - parsedate_to_datetime(headers.get("date", ""))
    except (TypeError, ValueError):
        return None
    return max(wait / timedelta(seconds=1), 0.0)
