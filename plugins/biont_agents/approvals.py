"""Approvals: store functions that approve, reject, abandon and list tool calls."""

from __future__ import annotations

from datetime import datetime

from biont import Transaction
from biont.exceptions import Conflict
from biont.store import Span, dump_json
from biont_agents.event_types import TOOL_CALL_DECIDED
from biont_agents.tables import AgentRun, CallStatus, ToolCallRecord


def decide_call(
    tx: Transaction, user_id: int, call_id: int, approved: bool, reason: str | None = None
) -> ToolCallRecord:
    """Approve or reject a waiting tool call, and emit ``tool_call_decided``.

    The handlers of the event resume the run of the call; the model learns the `reason` of a
    rejection.

    Raises:
        NotFound: the call does not exist, or belongs to another user.
        Conflict: the call is not waiting.
    """
    call = ToolCallRecord.get_owned(user_id, call_id)
    if call.status != CallStatus.WAITING:
        raise Conflict(f"tool call {call_id} does not wait for an approval; it is {call.status}")
    call.status = CallStatus.QUEUED if approved else CallStatus.REJECTED
    call.reason = reason
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
    """Abandon all tool calls of a run that have no result.

    A call under way is not interrupted, but its result is discarded.
    """
    result = dump_json({"error": "this call is not wanted any more"})
    ToolCallRecord.update(status=CallStatus.ABANDONED, result=result, ended_at=now).where(
        ToolCallRecord.run == run_id, ToolCallRecord.result.is_null()
    ).execute()


def name_source(run_id: int, source: str, source_url: str) -> None:
    """Name the work of a run, whose object was stored only after its tool calls."""
    AgentRun.update(source=source, source_url=source_url).where(AgentRun.id == run_id).execute()
    ToolCallRecord.update(source=source).where(ToolCallRecord.run == run_id).execute()


def select_calls(
    user_id: int, status: CallStatus | None, source: str | None, limit: int, span: Span
) -> list[ToolCallRecord]:
    """Return up to ``limit + 1`` tool calls of a user, the newest first."""
    conditions = []
    if status is not None:
        conditions.append(ToolCallRecord.status == status)
    if source is not None:
        conditions.append(ToolCallRecord.source == source)
    return ToolCallRecord.read_page(user_id, limit, span, *conditions)
