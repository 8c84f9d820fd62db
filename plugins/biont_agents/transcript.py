"""Transcripts: the messages and tool calls of agent runs, as the tables keep both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import orjson

from biont import JsonObject, Transaction
from biont.llm import Answer, Message, ToolCall
from biont.store import dump_json
from biont_agents.event_types import TOOL_CALL_WAITING
from biont_agents.tables import AgentRun, AgentStatus, CallStatus, ToolCallRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAgentRun:
    """An agent run to create.

    Attributes:
        user_id: the user on whose behalf the model works.
        source: the work that the run belongs to, by kind and number: ``task-7``.
        source_url: the REST path of the work.
        messages: the prompt.
        tools: the names of the allowed tools; the model cannot call other tools.
        model: the model, as in `biont.llm.ChatRequest`; None for the default.
        max_rounds: the largest number of requests to the model; None for the setting.
        max_tokens: the token budget; None for the setting.
    """

    user_id: int
    source: str
    source_url: str
    messages: Sequence[Message]
    tools: Sequence[str] = ()
    model: str | None = None
    max_rounds: int | None = None
    max_tokens: int | None = None


@dataclass(frozen=True)
class Transcript:
    """An agent run so far.

    Attributes:
        run: the row of the run.
        calls: all tool calls, by round and position.
    """

    run: AgentRun
    calls: Sequence[ToolCallRecord]

    @property
    def tools(self) -> list[str]:
        """The names of the allowed tools."""
        return list(orjson.loads(self.run.tools))

    @property
    def open_calls(self) -> list[ToolCallRecord]:
        """The calls without a result."""
        return [call for call in self.calls if call.result is None]

    def list_messages(self) -> list[Message]:
        """Return all messages, each answer followed by the results of its calls."""
        messages: list[Message] = []
        round_number = 0
        for turn in orjson.loads(self.run.messages):
            calls = tuple(ToolCall(**call) for call in turn.pop("tool_calls"))
            messages.append(Message(**turn, tool_calls=calls))
            if calls:
                # Only answers with calls are counted, as in `append_answer`.
                round_number += 1
                messages += [
                    Message("tool", _write_result(call), tool_call_id=call.call_id)
                    for call in self.calls
                    if call.round == round_number
                ]
        return messages


def read_transcript(run_id: int) -> Transcript:
    """Return the transcript of a run."""
    calls = ToolCallRecord.select().where(ToolCallRecord.run == run_id)
    order = (ToolCallRecord.round, ToolCallRecord.position)
    return Transcript(AgentRun.get_by_id(run_id), list(calls.order_by(*order)))


class Progress(NamedTuple):
    """Progress of a run.

    Attributes:
        tokens: the number of tokens used so far.
        waiting: the numbers of the calls that wait for an approval.
    """

    tokens: int
    waiting: list[int]


def read_progress(run_id: int) -> Progress:
    """Return the progress of a run, inside a store function."""
    waiting = [
        call.id for call in read_transcript(run_id).open_calls if call.status == CallStatus.WAITING
    ]
    return Progress(AgentRun.get_by_id(run_id).tokens, waiting)


def dump_messages(messages: Sequence[Message]) -> str:
    """Return messages as JSON text."""
    return dump_json([asdict(message) for message in messages])


def append_answer(
    tx: Transaction,
    run_id: int,
    answer: Answer,
    statuses: Sequence[CallStatus],
    now: datetime,
    approval_time: timedelta | None,
) -> None:
    """Append an answer of the model to a run, and create the records of its calls.

    Emits ``tool_call_waiting`` for each call that needs an approval.

    Args:
        tx: the transaction.
        run_id: the run.
        answer: the answer.
        statuses: the first status of each call of the answer.
        now: the present instant.
        approval_time: the time that the user has to decide; None for any.
    """
    run = AgentRun.get_by_id(run_id)
    turn = Message("assistant", answer.text, answer.tool_calls)
    turns = orjson.loads(run.messages)
    round_number = 1 + sum(bool(earlier["tool_calls"]) for earlier in turns)
    run.messages = dump_json([*turns, asdict(turn)])
    run.rounds += 1
    run.prompt_tokens += answer.usage.prompt_tokens
    run.completion_tokens += answer.usage.completion_tokens
    run.tokens_estimated = run.tokens_estimated or answer.usage.estimated
    run.answered_by, run.backend = answer.model, answer.backend
    run.updated_at = now
    if not answer.tool_calls:
        # The messages are not needed any more, and may be long.
        run.status, run.answer, run.messages = AgentStatus.DONE, answer.text, "[]"
    run.save()
    for position, (call, status) in enumerate(zip(answer.tool_calls, statuses, strict=True)):
        record = ToolCallRecord.create(
            user=run.user_id,
            run=run,
            source=run.source,
            round=round_number,
            position=position,
            call_id=call.id,
            tool=call.name,
            arguments=call.arguments,
            status=status,
            created_at=now,
            deadline=now + approval_time
            if approval_time and status is CallStatus.WAITING
            else None,
        )
        if status is CallStatus.WAITING:
            _emit_waiting(tx, record)


def _write_result(call: ToolCallRecord) -> str:
    """Return the result of a call, as the model reads it."""
    if call.result is None or call.approved_arguments is None:
        return call.result or ""
    # Else the model would believe that its own arguments led to this result.
    told: JsonObject = {
        "notice": "the user changed the arguments of this call before approving it",
        "arguments": orjson.loads(call.approved_arguments),
        "result": orjson.loads(call.result),
    }
    return dump_json(told)


def _emit_waiting(tx: Transaction, call: ToolCallRecord) -> None:
    payload: JsonObject = {
        "tool_call_id": call.id,
        "tool": call.tool,
        "source": call.source,
        "deadline": None if call.deadline is None else call.deadline.isoformat(),
    }
    tx.emit(TOOL_CALL_WAITING.name, call.user_id, payload)
