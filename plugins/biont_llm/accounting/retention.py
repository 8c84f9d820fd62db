"""Retention of the call log: deletes old records of LLM calls, the oldest first."""

from __future__ import annotations

from datetime import datetime

from biont.store import SLICE_ROWS
from biont_llm.accounting.tables import RecordedCall


def delete_old_calls(before: datetime) -> int:
    """Delete a slice of the calls recorded before an instant; return the number of them."""
    old = (
        RecordedCall.select(RecordedCall.id)
        .where(RecordedCall.created_at < before)
        .order_by(RecordedCall.created_at)
    )
    return int(RecordedCall.delete().where(RecordedCall.id.in_(old.limit(SLICE_ROWS))).execute())
