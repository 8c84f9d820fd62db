"""Retention of sent messages: deletes the records of old messages."""

from __future__ import annotations

from datetime import datetime

from biont.store import SLICE_ROWS
from biont_integrations.tables import SentMessage


def delete_old_messages(before: datetime) -> int:
    """Delete a slice of the messages sent before an instant; return the number of them."""
    old = (
        SentMessage.select(SentMessage.id)
        .where(SentMessage.sent_at < before)
        .order_by(SentMessage.sent_at)
        .limit(SLICE_ROWS)
    )
    return int(SentMessage.delete().where(SentMessage.id.in_(old)).execute())
