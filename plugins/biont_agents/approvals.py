"""Approvals: store functions that approve, reject, abandon and list tool calls.

    waiting --approval of the user--------------------------> queued
       |
       +--rejection of the user-----------------------------> rejected
       +--deadline passes, `approval_default` is ``deny``---> rejected

Each decision is one transaction that first reads the status. So a call is decided once: two
users' clicks, or a click and the deadline, cannot both decide. A deadline is stored with its
call, so it also holds over a restart, and after a change of the setting.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import orjson
from peewee import SQL, ModelSelect

from biont import Transaction
from biont.exceptions import Conflict
from biont.store import Span, dump_json
from biont_agents.event_types import TOOL_CALL_DECIDED
from biont_agents.settings import LateDecision
from biont_agents.tables import AgentRun, CallStatus, Decider, ToolCallRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class CallDecision:
    """Decision of a user about a waiting tool call.

    Attributes:
        is_approved: whether the call may be made.
        at: the instant of the decision.
        reason: the reason of a rejection, for the model.
        arguments: other arguments for an approved call, as JSON; None for those of the model.
    """

    is_approved: bool
    at: datetime
    reason: str | None = None
    arguments: str | None = None


def decide_call(
    tx: Transaction, user_id: int, call_id: int, decision: CallDecision, late: LateDecision
) -> ToolCallRecord:
    """Approve or reject a waiting tool call, and emit ``tool_call_decided``.

    The handlers of the event resume the run of the call; the model learns the reason of a
    rejection, and the arguments that the user has changed.

    Raises:
        NotFound: the call does not exist, or belongs to another user.
        Conflict: the call is not waiting, or the deadline has decided.
    """
    call = ToolCallRecord.get_owned(user_id, call_id)
    if call.status != CallStatus.WAITING:
        raise Conflict(f"tool call {call_id} does not wait for an approval; it is {call.status}")
    # The background task that rejects late calls may run a moment after the deadline, or after
    # a restart. The deadline holds all the same.
    if late is LateDecision.DENY and call.is_overdue(decision.at):
        raise Conflict(f"the deadline of tool call {call_id} has passed; the call is rejected")
    call.reason = decision.reason
    call.approved_arguments = _find_change(call.arguments, decision.arguments)
    _end_wait(tx, call, Decider.USER, is_approved=decision.is_approved)
    return call


def has_late_calls(now: datetime) -> bool:
    """Return whether a call waits beyond its deadline."""
    return bool(_select_late(now).exists())


def reject_late_calls(tx: Transaction, now: datetime, limit: int) -> None:
    """Reject up to `limit` calls that wait beyond their deadlines."""
    for call in _select_late(now).order_by(ToolCallRecord.deadline).limit(limit):
        seconds = ((call.deadline or now) - call.created_at).total_seconds()
        call.reason = f"nobody decided within {seconds:.12g} s"
        _end_wait(tx, call, Decider.DEADLINE, is_approved=False)


def _select_late(now: datetime) -> ModelSelect[ToolCallRecord]:
    # A literal status, because a partial index serves no parameter.
    return ToolCallRecord.select().where(
        ToolCallRecord.status == SQL(f"'{CallStatus.WAITING}'"),
        ToolCallRecord.deadline.is_null(False),
        ToolCallRecord.deadline <= now,
    )


def _find_change(proposed: str, approved: str | None) -> str | None:
    """Return the approved arguments, if these are not the proposed ones."""
    if approved is None:
        return None
    try:
        is_same = _sort_keys(proposed or "{}") == _sort_keys(approved)
    except orjson.JSONDecodeError:
        return approved
    return None if is_same else approved


def _sort_keys(text: str) -> bytes:
    return orjson.dumps(orjson.loads(text), option=orjson.OPT_SORT_KEYS)


def _end_wait(
    tx: Transaction, call: ToolCallRecord, decider: Decider, *, is_approved: bool
) -> None:
    call.status = CallStatus.QUEUED if is_approved else CallStatus.REJECTED
    call.decided_by = decider
    call.save()
    tx.emit(
        TOOL_CALL_DECIDED.name,
        call.user_id,
        {
            "tool_call_id": call.id,
            "tool": call.tool,
            "source": call.source,
            "agent_run_id": call.run_id,
            "approved": is_approved,
            "arguments_changed": call.approved_arguments is not None,
            "decided_by": decider,
        },
    )


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
