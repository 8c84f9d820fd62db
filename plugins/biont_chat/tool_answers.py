"""Answers for which a model may call tools.

An answer belongs to an agent run, and goes through these states:

    running --done--> stored with its question
       |
       +--a tool call needs approval--> waiting --decision--> running (without a client)
       +--client left, shutdown--> stored as interrupted, open tool calls abandoned
       +--error--> failed, nothing is stored, open tool calls abandoned

The module `waiting_answers` continues a waiting answer after the decision.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

from biont import Request as ApiRequest
from biont import Scope
from biont.events import mark_origin
from biont.exceptions import (
    BiontError,
    Conflict,
    Forbidden,
)
from biont.http import describe_error
from biont.llm import (
    TOOLS,
    Answer,
    Chunk,
    DoneChunk,
    TextChunk,
    TokenUsage,
    UsageChunk,
    check_tool_names,
)
from biont_agents import (
    AGENTS,
    AgentOutcome,
    AgentStatus,
    NewAgentRun,
    abandon_calls,
    name_source,
    read_progress,
)
from biont_chat.answering import Exchange
from biont_chat.conversations import (
    Reply,
    find_conversation_origin,
    save_waiting_question,
)
from biont_chat.schemas import ChatAnswer, StreamEnd, make_answer_usage
from biont_chat.sse import EventFormat, EventResponse
from biont_chat.streams import STREAMS
from biont_chat.tables import ChatMessage
from biont_chat.waiting_answers import make_outcome_reply, resume_answer


def check_tools(request: ApiRequest, tools: Sequence[str], pointer: str = "#/tools") -> None:
    """Check that a request may use `tools`.

    Args:
        request: the request.
        tools: names of the tools.
        pointer: JSON pointer to the names in the body.

    Raises:
        Forbidden: the key has the scope `chat`, or is narrowed, and tools can do more.
        InvalidInput: a tool does not exist.
    """
    if not tools:
        return
    if request.principal is None or request.principal.scope is not Scope.FULL:
        raise Forbidden("a key of this scope may not use tools; use a key of scope full")
    if request.narrowing.is_narrow:
        raise Forbidden(
            "a key that is narrowed to some events or models may not use tools; use another key"
        )
    check_tool_names(request.workbench.get(TOOLS), tools, pointer)


async def open_tool_exchange(exchange: Exchange) -> ToolExchange:
    """Create an agent run for a question; return the exchange that runs the agent."""
    workbench, question = exchange.request.workbench, exchange.question
    source, source_url = _describe_source(question.conversation_id)
    new = NewAgentRun(
        user_id=question.user_id,
        source=source,
        source_url=source_url,
        messages=exchange.chat_request.messages,
        tools=exchange.tools,
        model=exchange.chat_request.model,
    )
    agents = workbench.get(AGENTS)
    if question.conversation_id is not None:
        # An earlier answer may repeat text from outside, and is part of the prompt.
        mark_origin(await workbench.store.read(find_conversation_origin, question.conversation_id))
    run = await workbench.store.write(agents.create, new)
    return ToolExchange(exchange, run.id)


def _describe_source(conversation_id: int | None) -> tuple[str, str]:
    """Return the name and the REST path of the work of an answer."""
    if conversation_id is None:
        return "chat", "/api/v1/chat"
    return f"conversation-{conversation_id}", f"/api/v1/conversations/{conversation_id}"


class _Saved(NamedTuple):
    """Stored message of an exchange, and the tool calls that wait for approval."""

    message: ChatMessage | None
    waiting: Sequence[int] = ()


@dataclass
class ToolExchange:
    """Exchange whose answer an agent run produces.

    Attributes:
        exchange: the question, prepared for a model.
        run_id: the agent run.
    """

    exchange: Exchange
    run_id: int
    _texts: list[str] = field(default_factory=list)

    async def answer_whole(self) -> tuple[Answer, ChatMessage | None]:
        """Return the whole answer, and its stored message.

        Raises:
            BackendError: no backend answered; the question is not stored.
        """
        outcome, saved = await self._complete()
        answer = Answer(
            text=outcome.answer or "",
            model=outcome.model,
            backend=outcome.backend,
            finish_reason="stop",
            tool_calls=(),
            usage=outcome.usage,
        )
        return answer, saved.message

    async def answer(self) -> ChatAnswer:
        """Return the whole answer, or the tool calls that wait for approval.

        Raises:
            BackendError: no backend answered; the question is not stored.
        """
        outcome, (message, waiting) = await self._complete()
        return ChatAnswer(
            answer=outcome.answer or "",
            model=outcome.model,
            backend=outcome.backend,
            usage=make_answer_usage(outcome.usage),
            conversation_id=message.conversation_id if message else None,
            message_id=message.id if message and outcome.status is AgentStatus.DONE else None,
            waiting=list(waiting),
        )

    async def send_stream(self, event_format: EventFormat) -> EventResponse:
        """Send the answer as a stream, until the end, a waiting tool call, or an interruption.

        Raises:
            BackendError: no backend answered; no part of the response was sent.
        """
        request = self.exchange.request
        response = EventResponse(request, event_format)
        try:
            outcome = await self._advance_streaming(response)
            end = await self._save_stream(outcome)
        except asyncio.CancelledError:  # aiohttp cancels requests when the stop takes too long
            await self._save_stream(None)
            raise
        except BiontError as error:
            await self._abandon_calls()
            # Before the first byte, the error becomes a response with a status of its own.
            if not response.prepared:
                raise
            await response.send_last(event_format.format_problem(describe_error(error)))
        else:
            last = b"" if outcome is None else _format_last_chunks(outcome, event_format)
            await response.send_last(last + event_format.format_end(end))
        return response

    async def _complete(self) -> tuple[AgentOutcome, _Saved]:
        agents = self.exchange.request.workbench.get(AGENTS)
        try:
            outcome = await agents.advance(self.run_id, self.exchange.call)
        except BiontError:
            await self._abandon_calls()
            raise
        mark_origin(outcome.origin)
        return outcome, await self._save_outcome(outcome)

    async def _advance_streaming(self, response: EventResponse) -> AgentOutcome | None:
        """Advance the agent run, and stream its chunks; return None if interrupted."""
        workbench = self.exchange.request.workbench

        async def forward_chunk(chunk: Chunk) -> None:
            if isinstance(chunk, TextChunk):
                self._texts.append(chunk.text)
            # Not earlier: an error before the first chunk gets a status of its own.
            if not response.prepared:
                await response.start()
            await response.send_chunk(chunk)

        outcome: AgentOutcome | None = None
        # An interrupted stream leaves its context silently; a ConnectionError means that the
        # client has left. Both leave `outcome` at None.
        with suppress(ConnectionError):
            async with workbench.get(STREAMS).open(response):
                outcome = await workbench.get(AGENTS).advance(
                    self.run_id, self.exchange.call, on_chunk=forward_chunk
                )
                mark_origin(outcome.origin)
        return outcome

    async def _save_stream(self, outcome: AgentOutcome | None) -> StreamEnd:
        if outcome is None:
            message, waiting = _Saved(await self._save_interrupted())
        else:
            message, waiting = await self._save_outcome(outcome)
        return StreamEnd(
            conversation_id=message and message.conversation_id,
            message_id=message.id if message and not waiting else None,
            model=outcome and outcome.model,
            backend=outcome and outcome.backend,
            finish_reason=None if outcome is None or waiting else "stop",
            interrupted=outcome is None,
            waiting=list(waiting),
        )

    async def _save_outcome(self, outcome: AgentOutcome) -> _Saved:
        """Store the answer with its question, or the question with its waiting tool calls."""
        workbench = self.exchange.request.workbench
        if outcome.status is AgentStatus.DONE:
            return _Saved(
                await self._name_source(await self.exchange.save(make_outcome_reply(outcome)))
            )
        question, call = self.exchange.question, self.exchange.call
        message = await workbench.store.write(
            save_waiting_question, question, self.run_id, call.key_id, workbench.clock.now()
        )
        await self._name_source(message)
        progress = await workbench.store.read(read_progress, self.run_id)
        # The user may have decided before the question was stored: the handler of
        # `tool_call_decided` then found no waiting answer, and nobody else continues.
        if not progress.waiting:
            with suppress(Conflict):
                await resume_answer(workbench, self.run_id)
        return _Saved(message, progress.waiting)

    async def _save_interrupted(self) -> ChatMessage | None:
        """Store the text that arrived before the interruption; return None for no text."""
        await self._abandon_calls()
        text = "".join(self._texts).strip()
        if not text:
            return None
        default, model = self.exchange.gateway.default, self.exchange.chat_request.model
        reply = Reply(text, model or default, default, TokenUsage(0, 0, True), interrupted=True)
        return await self._name_source(await self.exchange.save(reply))

    async def _name_source(self, message: ChatMessage | None) -> ChatMessage | None:
        """Name the new conversation in the tool calls of its first question; return `message`."""
        if message is not None and self.exchange.question.conversation_id is None:
            number = message.conversation_id
            await self.exchange.request.workbench.store.write(
                name_source, self.run_id, *_describe_source(number)
            )
        return message

    async def _abandon_calls(self) -> None:
        """Abandon the open tool calls of an answer that nobody receives."""
        workbench = self.exchange.request.workbench
        await workbench.store.write(abandon_calls, self.run_id, workbench.clock.now())


def _format_last_chunks(outcome: AgentOutcome, event_format: EventFormat) -> bytes:
    """Return the events of the last two chunks of an answer."""
    end = DoneChunk(outcome.model)
    return event_format.format_chunk(UsageChunk(outcome.usage)) + event_format.format_chunk(end)
