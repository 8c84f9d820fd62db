"""What was said between a workbench and a model, as it is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import NamedTuple

import orjson

from biont import JsonObject, Transaction
from biont.llm import Answer, Message, ToolCall
from biont_agents.event_types import TOOL_CALL_WAITING
from biont_agents.tables import AgentRun, AgentStatus, CallStatus, ToolCallRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAgentRun:
    """What a model is asked to do.

    Attributes:
        user_id: on whose behalf.
        source: for what, by kind and number: ``task-7``.
        source_url: the path at which that is read.
        messages: what it is told.
        tools: the names of the tools that it may call, and of no others.
        model: who is asked, as `biont.ChatRequest` says it; None for the default.
        max_rounds: how often it is asked at most; None for the setting.
        max_tokens: what that may cost; None for the setting.
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
    """An agent's run as far as it has come.

    Attributes:
        run: its row.
        calls: all tool calls, in their order.
    """

    run: AgentRun
    calls: Sequence[ToolCallRecord]

    @property
    def tools(self) -> list[str]:
        """The names of the tools that may be called."""
        return list(orjson.loads(self.run.tools))

    @property
    def open_calls(self) -> list[ToolCallRecord]:
        """The calls that have no result yet."""
        return [call for call in self.calls if call.result is None]

    def list_messages(self) -> list[Message]:
        """Return what was said so far, each call followed by its result."""
        messages: list[Message] = []
        number = 0
        for turn in orjson.loads(self.run.messages):
            calls = tuple(ToolCall(**call) for call in turn.pop("tool_calls"))
            messages.append(Message(**turn, tool_calls=calls))
            if calls:
                number += 1
                messages += [
                    Message("tool", call.result or "", tool_call_id=call.call_id)
                    for call in self.calls
                    if call.round == number
                ]
        return messages


def read_transcript(run_id: int) -> Transcript:
    """Return a run as far as it has come."""
    calls = ToolCallRecord.select().where(ToolCallRecord.run == run_id)
    order = (ToolCallRecord.round, ToolCallRecord.position)
    return Transcript(AgentRun.get_by_id(run_id), list(calls.order_by(*order)))


class Progress(NamedTuple):
    """How far a run has come.

    Attributes:
        tokens: what it has cost.
        waiting: its calls that wait for an approval, by their numbers.
    """

    tokens: int
    waiting: list[int]


def read_progress(run_id: int) -> Progress:
    """Return how far a run has come, inside a store function."""
    waiting = [
        call.id for call in read_transcript(run_id).open_calls if call.status == CallStatus.WAITING
    ]
    return Progress(AgentRun.get_by_id(run_id).tokens, waiting)


def dump_messages(messages: Sequence[Message]) -> str:
    """Return turns as JSON."""
    return orjson.dumps([asdict(message) for message in messages]).decode()


def add_answer(
    tx: Transaction, run_id: int, answer: Answer, statuses: Sequence[CallStatus], now: datetime
) -> None:
    """Keep what a model has said, and the calls that it wants made.

    Args:
        tx: the write that it is part of.
        run_id: in which run.
        answer: what it said.
        statuses: of each of its calls.
        now: the present instant.
    """
    run = AgentRun.get_by_id(run_id)
    turn = Message("assistant", answer.text, answer.tool_calls)
    turns = orjson.loads(run.messages)
    number = 1 + sum(bool(said["tool_calls"]) for said in turns)
    run.messages = orjson.dumps([*turns, asdict(turn)]).decode()
    run.rounds += 1
    run.prompt_tokens += answer.usage.prompt_tokens
    run.completion_tokens += answer.usage.completion_tokens
    run.tokens_estimated = run.tokens_estimated or answer.usage.estimated
    run.answered_by, run.backend = answer.model, answer.backend
    run.updated_at = now
    if not answer.tool_calls:
        # What was said is not needed any more, and may be much.
        run.status, run.answer, run.messages = AgentStatus.DONE, answer.text, "[]"
    run.save()
    for position, (call, status) in enumerate(zip(answer.tool_calls, statuses, strict=True)):
        record = ToolCallRecord.create(
            user=run.user_id,
            run=run,
            source=run.source,
            round=number,
            position=position,
            call_id=call.id,
            tool=call.name,
            arguments=call.arguments,
            status=status,
            created_at=now,
        )
        if status is CallStatus.WAITING:
            payload: JsonObject = {
                "tool_call_id": record.id,
                "tool": record.tool,
                "source": run.source,
            }
            tx.emit(TOOL_CALL_WAITING.name, run.user_id, payload)
