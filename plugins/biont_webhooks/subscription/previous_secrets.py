"""Replaced secrets of a webhook: each signs until its own time is up.

The column `previous_secrets` is a JSON list of ``[token, instant]``, the latest replaced secret
first. A token is the secret, encrypted by the vault.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import orjson

from biont.exceptions import Conflict
from biont.store import dump_json, format_instant
from biont_webhooks.tables import Webhook

LIMIT = 20
"""The most replaced secrets that sign: each makes the header ``webhook-signature`` longer."""


class PreviousSecret(NamedTuple):
    """Replaced secret.

    Attributes:
        token: the encrypted secret.
        until: the instant at which signing with the secret ends.
    """

    token: str
    until: datetime


def load_previous_secrets(webhook: Webhook) -> list[PreviousSecret]:
    """Return the replaced secrets of a webhook, also those whose time is up."""
    if webhook.previous_secrets is None:
        return []
    return [
        PreviousSecret(token, datetime.fromisoformat(until))
        for token, until in orjson.loads(webhook.previous_secrets)
    ]


def dump_previous_secrets(secrets: Sequence[PreviousSecret]) -> str | None:
    """Return replaced secrets as the value of the column."""
    if not secrets:
        return None
    return dump_json([(secret.token, format_instant(secret.until)) for secret in secrets])


def add_present_secret(webhook: Webhook, now: datetime, until: datetime) -> str | None:
    """Return the column after a rotation: the present secret joins those that still sign.

    Raises:
        Conflict: too many replaced secrets still sign.
    """
    present = PreviousSecret(webhook.secret, until)
    signing = [each for each in (present, *load_previous_secrets(webhook)) if now < each.until]
    if len(signing) > LIMIT:
        first = min(secret.until for secret in signing)
        raise Conflict(
            f"{LIMIT} replaced secrets of webhook {webhook.id} still sign; rotate again after "
            f"{first.isoformat()}"
        )
    return dump_previous_secrets(signing)


def find_last_end(webhook: Webhook, now: datetime) -> datetime | None:
    """Return the instant after which no replaced secret signs; None if none signs at `now`."""
    return max(
        (each.until for each in load_previous_secrets(webhook) if now < each.until), default=None
    )
