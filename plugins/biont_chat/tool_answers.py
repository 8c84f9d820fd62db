"""Answers for which a model may call tools."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from biont import Request as ApiRequest
from biont import Scope, Workbench
from biont.exceptions import (
    BackendRefused,
    BiontError,
    Conflict,
    Forbidden,
    LimitReached,
)
from biont.http import describe_error
from biont.llm import (
    TOOLS,
    Answer,
    Chunk,
    DoneChunk,
    LlmCall,
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
    read_progress,
)
from biont_chat.answering import Exchange
from biont_chat.conversations import Reply, keep_late_reply, keep_question
from biont_chat.sse import EventResponse, Wording
from biont_chat.streams import STREAMS
from biont_chat.tables import ChatMessage, WaitingAnswer
from biont_chat.views import ChatAnswer, StreamEnd, show_usage


def check_tools(request: ApiRequest, tools: Sequence[str], pointer: str = "#/tools") -> None:
    """Check that a request may name these tools.

    Args:
        request: who names them.
        tools: their names.
        pointer: where they stand in its body.

    Raises:
        Forbidden: its key may only chat: by tools it could do all else.
        InvalidInput: there is no tool of one of the names.
    """
    if not tools:
        return
    if request.principal is None or request.principal.scope is not Scope.FULL:
        raise Forbidden("a key of this scope may not use tools; use a full one")
    check_tool_names(request.workbench.get(TOOLS), tools, pointer)


async def open_tool_exchange(exchange: Exchange) -> ToolExchange:
    """Return a question that a model may answer by calling tools."""
    workbench, question = exchange.request.workbench, exchange.question
    number = question.conversation_id
    new = NewAgentRun(
        user_id=question.user_id,
        source="chat" if number is None else f"conversation-{number}",
        source_url="/api/v1/" + ("chat" if number is None else f"conversations/{number}"),
        messages=exchange.asked.messages,
        tools=exchange.tools,
        model=exchange.asked.model,
    )
    agents = workbench.get(AGENTS)

    run = await workbench.store.write(agents.create, new)
    return ToolExchange(exchange, run.id)


@dataclass
class ToolExchange:
    """A question, and what a model says and does for its answer.

    Attributes:
        exchange: the question.
        run_id: what the model says and does.
    """

    exchange: Exchange
    run_id: int
    _said: list[str] = field(default_factory=list)

    async def answer_whole(self) -> tuple[Answer, ChatMessage | None]:
        """Return the whole answer, in no shape of ours, and what is kept of it by then.

        Raises:
            BackendError: there is none; the question is not kept either.
        """
        outcome, message, _ = await self._complete()
        said = Answer(
            text=outcome.answer or "",
            model=outcome.model,
            backend=outcome.backend,
            finish_reason="stop",
            tool_calls=(),
            usage=outcome.usage,
        )
        return said, message

    async def answer(self) -> ChatAnswer:
        """Return the whole answer, or what it waits for.

        Raises:
            BackendError: there is none; the question is not kept either.
        """
        outcome, message, waiting = await self._complete()
        return ChatAnswer(
            answer=outcome.answer or "",
            model=outcome.model,
            backend=outcome.backend,
            usage=show_usage(outcome.usage),
            conversation_id=message.conversation_id if message else None,
            message_id=message.id if message and outcome.status is AgentStatus.DONE else None,
            waiting=waiting,
        )

    async def stream(self, wording: Wording) -> EventResponse:
        """Send the answer as it comes, until it ends, waits, or its client leaves.

        Raises:
            BackendError: there is no answer, and nothing was sent yet.
        """
        request = self.exchange.request
        response = EventResponse(request, wording)
        try:
            outcome = await self._advance(response)
            end = await self._end(outcome)
        except asyncio.CancelledError:  # by aiohttp, when stopping takes too long
            await self._end(None)
            raise
        except BiontError as error:
            await self._give_up()
            if not response.prepared:
                raise
            await response.send_last(wording.write_problem(describe_error(error)))
        else:
            told = b"" if outcome is None else _write_last(outcome, wording)
            await response.send_last(told + wording.write_end(end))
        return response

    async def _complete(self) -> tuple[AgentOutcome, ChatMessage | None, list[int]]:
        agents = self.exchange.request.workbench.get(AGENTS)
        try:
            outcome = await agents.advance(self.run_id, self.exchange.call)
        except BiontError:
            await self._give_up()
            raise
        return outcome, *await self._keep(outcome)

    async def _advance(self, response: EventResponse) -> AgentOutcome | None:
        """Return how far the answer has come; None if it was cut off."""
        workbench = self.exchange.request.workbench

        async def tell(chunk: Chunk) -> None:
            if isinstance(chunk, TextChunk):
                self._said.append(chunk.text)
            if not response.prepared:
                await response.start()
            await response.send_chunk(chunk)

        outcome: AgentOutcome | None = None
        # It ends when the streams are told to end; a ConnectionError is a client who has left.
        with suppress(ConnectionError):
            async with workbench.get(STREAMS).open(response):
                outcome = await workbench.get(AGENTS).advance(
                    self.run_id, self.exchange.call, on_chunk=tell
                )
        return outcome

    async def _end(self, outcome: AgentOutcome | None) -> StreamEnd:
        if outcome is None:
            message, waiting = await self._keep_rest(), list[int]()
        else:
            message, waiting = await self._keep(outcome)
        return StreamEnd(
            conversation_id=message and message.conversation_id,
            message_id=message.id if message and not waiting else None,
            model=outcome and outcome.model,
            backend=outcome and outcome.backend,
            finish_reason=None if outcome is None or waiting else "stop",
            interrupted=outcome is None,
            waiting=waiting,
        )

    async def _keep(self, outcome: AgentOutcome) -> tuple[ChatMessage | None, list[int]]:
        """Keep an answer with its question, or the question and what it waits for."""
        workbench = self.exchange.request.workbench
        if outcome.status is AgentStatus.DONE:
            return await self.exchange.keep(make_reply(outcome)), []
        question, call = self.exchange.question, self.exchange.call
        message = await workbench.store.write(
            keep_question, question, self.run_id, call.key_id, workbench.clock.now()
        )
        progress = await workbench.store.read(read_progress, self.run_id)
        if not progress.waiting:  # it was decided while the question was being kept
            with suppress(Conflict):
                await resume_answer(workbench, self.run_id)
        return message, progress.waiting

    async def _keep_rest(self) -> ChatMessage | None:
        """Keep what was said until the answer was cut off."""
        await self._give_up()
        text = "".join(self._said).strip()
        if not text:
            return None
        models, model = self.exchange.models, self.exchange.asked.model
        reply = Reply(
            text, model or models.default, models.default, TokenUsage(0, 0, True), interrupted=True
        )
        return await self.exchange.keep(reply)

    async def _give_up(self) -> None:
        """Let no tool be called any more for an answer that nobody gets."""
        workbench = self.exchange.request.workbench
        await workbench.store.write(abandon_calls, self.run_id, workbench.clock.now())


def _write_last(outcome: AgentOutcome, wording: Wording) -> bytes:
    """Return the last two chunks of an answer."""
    end = DoneChunk(outcome.model)
    return wording.write_chunk(UsageChunk(outcome.usage)) + wording.write_chunk(end)


def make_reply(outcome: AgentOutcome) -> Reply:
    """Return what a model has said at the end."""
    return Reply(outcome.answer or "", outcome.model, outcome.backend, outcome.usage)


async def resume_answer(workbench: Workbench, run_id: int) -> None:
    """Go on with an answer that has waited for an approval, if this run is one.

    Where there will be no answer, that is said instead.

    Raises:
        BackendError: there is no answer yet; it may be tried again.
    """
    waiting = await workbench.store.read(_find_waiting, run_id)
    if waiting is None:
        return
    row, user_id = waiting
    call = LlmCall(
        user_id=user_id, key_id=row.key_id, conversation_id=row.question.conversation_id
    )
    try:
        outcome = await workbench.get(AGENTS).advance(run_id, call)
    except (BackendRefused, LimitReached) as error:
        reply = Reply(f"There is no answer: {error}", "", "", TokenUsage(0, 0), interrupted=True)
    else:
        if outcome.status is AgentStatus.WAITING:
            return
        reply = make_reply(outcome)
    await workbench.store.transact(keep_late_reply, row.id, reply, workbench.clock.now())


def _find_waiting(run_id: int) -> tuple[WaitingAnswer, int] | None:
    row = WaitingAnswer.get_or_none(WaitingAnswer.agent_run_id == run_id)
    return None if row is None else (row, row.question.conversation.user_id)
