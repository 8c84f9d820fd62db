"""Failures of webhooks: decides by their number and their time which webhooks to disable.

    no failure --failed attempt--> failing --success--> no failure

A failing webhook is disabled by a failed attempt that is at least the tenth in a row
(`FAILURE_LIMIT`) and comes at least five days after the first (`GIVE_UP_AFTER`). More than five
days without any attempt prove nothing about the receiver, so the next failure counts as the first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import orjson

from biont.store import dump_json, execute_sql, format_instant

GIVE_UP_AFTER = timedelta(days=5)
"""The least time between the first failure and the failure that disables a webhook."""

FAILURE_LIMIT = 10
"""The least number of failed attempts that disables a webhook."""

# The second condition: a row that would not change is not written.
_CLEAR = """
    UPDATE webhooks SET failing_since = NULL, failed_attempts = 0, last_failed_at = NULL
    WHERE id IN (SELECT value FROM json_each(?)) AND failing_since IS NOT NULL
"""

_READ = """
    SELECT json_group_array(json_array(id, failing_since, failed_attempts, last_failed_at))
    FROM webhooks WHERE id IN (SELECT value FROM json_each(?))
"""

_WRITE = """
    UPDATE webhooks SET failing_since = j.value ->> 1, failed_attempts = j.value ->> 2,
        last_failed_at = j.value ->> 3
    FROM json_each(?) AS j WHERE webhooks.id = j.value ->> 0
"""


class CountedAttempt(NamedTuple):
    """Attempt in the form that counts.

    Attributes:
        webhook_id: the number of the webhook.
        at: the start of the attempt.
        failed: whether the attempt failed.
    """

    webhook_id: int
    at: datetime
    failed: bool


@dataclass(slots=True)
class _Failures:
    """Failures of a webhook since its last success.

    Attributes:
        since: the first failure; None for no failure.
        attempts: the number of failed attempts.
        last: the last failure; None for no failure, or for an unknown instant.
    """

    since: datetime | None
    attempts: int
    last: datetime | None

    def add(self, attempt: CountedAttempt) -> None:
        """Count an attempt."""
        if not attempt.failed:
            self.since, self.attempts, self.last = None, 0, None
            return
        at = attempt.at
        if self.since is None or (self.last is not None and at - self.last > GIVE_UP_AFTER):
            self.since, self.attempts = at, 0
        self.attempts += 1
        self.last = at

    def is_too_long(self) -> bool:
        """Return whether the webhook has to be disabled."""
        if self.since is None or self.last is None:
            return False
        return self.attempts >= FAILURE_LIMIT and self.last - self.since >= GIVE_UP_AFTER


def count_failures(attempts: Sequence[CountedAttempt]) -> list[int]:
    """Count failures in the order of `attempts`; return the webhooks that have failed too long."""
    failed = {attempt.webhook_id for attempt in attempts if attempt.failed}
    succeeded = {attempt.webhook_id for attempt in attempts} - failed
    if succeeded:
        execute_sql(_CLEAR, dump_json(list(succeeded)))
    if not failed:
        return []
    known = _read_failures(failed)
    for attempt in attempts:
        # The webhook may have been deleted during the attempt.
        if attempt.webhook_id in known:
            known[attempt.webhook_id].add(attempt)
    rows = [
        (webhook_id, _format(found.since), found.attempts, _format(found.last))
        for webhook_id, found in known.items()
    ]
    execute_sql(_WRITE, dump_json(rows))
    return [webhook_id for webhook_id, found in known.items() if found.is_too_long()]


def _read_failures(webhook_ids: Iterable[int]) -> dict[int, _Failures]:
    (found,) = execute_sql(_READ, dump_json(list(webhook_ids))).fetchone()
    return {
        webhook_id: _Failures(_parse(since), attempts, _parse(last))
        for webhook_id, since, attempts, last in orjson.loads(found)
    }


def _parse(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _format(at: datetime | None) -> str | None:
    return None if at is None else format_instant(at)
