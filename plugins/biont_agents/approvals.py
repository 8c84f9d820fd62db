"""Approves and rejects tool calls, inside a store function."""

from __future__ import annotations

from datetime import datetime

import orjson

from biont import Transaction
from biont.exceptions import Conflict
from biont_agents.event_types import TOOL_CALL_DECIDED
from biont_agents.tables import CallStatus, ToolCallRecord


def decide_call(tx: Transaction, user_id: int, call_id: int, approved: bool) -> ToolCallRecord:
    """Let a call that waits be made, or not, and say so by ``tool_call_decided``.

    Raises:
        NotFound: there is no such call, or it is somebody else's.
        Conflict: it does not wait.
    """
    call = ToolCallRecord.get_owned(user_id, call_id)
    if call.status != CallStatus.WAITING:
        raise Conflict(f"tool call {call_id} does not wait for an approval; it is {call.status}")
    call.status = CallStatus.QUEUED if approved else CallStatus.REJECTED
    call.save()
    tx.emit(
        TOOL_CALL_DECIDED.name,
        user_id,
        {
            "tool_call_id": call.id,
            "tool": call.tool,
            "source": call.source,
            "agent_run_id": call.run_id,
            "approved": approved,
        },
    )
    return call


def abandon_calls(run_id: int, now: datetime) -> None:
    """Let no further call of a run be made, since nobody wants its answer any more."""
    told = orjson.dumps({"error": "this call is not wanted any more"}).decode()
    ToolCallRecord.update(status=CallStatus.ABANDONED, result=told, ended_at=now).where(
        ToolCallRecord.run == run_id, ToolCallRecord.result.is_null()
    ).execute()


def select_calls(
    user_id: int, status: CallStatus | None, source: str | None, limit: int, before: int | None
) -> list[ToolCallRecord]:
    """Return a page of a user's tool calls and one more, the newest first."""
    query = ToolCallRecord.of_user(user_id)
    if status is not None:
        query = query.where(ToolCallRecord.status == status)
    if source is not None:
        query = query.where(ToolCallRecord.source == source)
    if before is not None:
        query = query.where(ToolCallRecord.id < before)
    return list(query.order_by(ToolCallRecord.id.desc()).limit(limit + 1))
