"""Lets a model call tools, again and again, until it has an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import orjson

from biont import Service, Transaction, Workbench
from biont.exceptions import Conflict, InvalidAnswer, LimitReached
from biont.llm import (
    TOOLS,
    Answer,
    ChatRequest,
    Chunk,
    LlmCall,
    TextChunk,
    TokenUsage,
    ToolCallChunk,
    ToolDefinition,
)
from biont_agents.calls import Caller, check_calls
from biont_agents.json_tool_calling import explain_tools, make_format, read_answer
from biont_agents.settings import AgentSettings
from biont_agents.tables import AgentRun, AgentStatus, CallStatus
from biont_agents.transcript import (
    NewAgentRun,
    Transcript,
    add_answer,
    dump_messages,
    read_transcript,
)
from biont_llm import LANGUAGE_MODELS, LlmGateway

OnChunk = Callable[[Chunk], Awaitable[None]]
"""Is told what the model says as it comes: its text, and each tool that it calls."""


class RunBudget(Protocol):
    """A budget that a run shares with others."""

    def reserve(self, request: ChatRequest) -> AbstractAsyncContextManager[None]:
        """Reserve what a question may take, while it is asked and charged inside.

        Raises:
            BiontError: the model is not to be asked again.
        """
        ...

    def record_usage(self, usage: TokenUsage) -> None:
        """Count what a question took, in the transaction that keeps the answer."""
        ...


@dataclass(frozen=True, slots=True)
class AgentOutcome:
    """How far a run has come.

    Attributes:
        status: ``done``, or ``waiting`` for an approval.
        answer: what came of it; None while it waits.
        usage: what it has cost so far.
        model: who was asked last, as its server names it.
        backend: who has that model.
    """

    status: AgentStatus
    answer: str | None
    usage: TokenUsage
    model: str
    backend: str


class Agents:
    """Sees runs through; each can be taken up again where it was, also after a crash.

    Args:
        workbench: has store, tools and models.
        settings: the limits.
    """

    def __init__(self, workbench: Workbench, settings: AgentSettings) -> None:
        self._workbench = workbench
        self._settings = settings
        self._caller = Caller(workbench, settings.tool_timeout)
        self._going: set[int] = set()

    def create(self, new: NewAgentRun) -> AgentRun:
        """Keep a run that is to be advanced, as part of a write."""
        now = self._workbench.clock.now()
        return AgentRun.create(
            user=new.user_id,
            source=new.source,
            source_url=new.source_url,
            model=new.model,
            messages=dump_messages(new.messages),
            tools=orjson.dumps(list(new.tools)).decode(),
            max_rounds=new.max_rounds or self._settings.rounds,
            max_tokens=new.max_tokens or self._settings.tokens,
            created_at=now,
            updated_at=now,
        )

    async def advance(
        self,
        run_id: int,
        call: LlmCall,
        *,
        on_chunk: OnChunk | None = None,
        budget: RunBudget | None = None,
    ) -> AgentOutcome:
        """See a run through, up to its answer or to a call that needs an approval.

        Args:
            run_id: which run.
            call: on whose behalf the model is asked.
            on_chunk: is told what the model says as it comes, also between calls.
            budget: each question is taken from it; what it raises, this raises.

        Raises:
            Conflict: it is being advanced already.
            LimitReached: it takes more rounds, tokens or time than it may.
            BackendError: there is no answer, or none that can be used.
            StoreUnavailable: nothing could be recorded.
        """
        if run_id in self._going:
            raise Conflict(f"agent run {run_id} is already going on")
        self._going.add(run_id)
        try:
            async with asyncio.timeout(self._settings.timeout) as deadline:
                return await self._advance(run_id, call, on_chunk, budget)
        except TimeoutError:
            if not deadline.expired():
                raise
            raise LimitReached(
                f"no answer within {self._settings.timeout:g} seconds; see plugins.agents.timeout"
            ) from None
        finally:
            self._going.discard(run_id)

    async def _advance(
        self, run_id: int, call: LlmCall, on_chunk: OnChunk | None, budget: RunBudget | None
    ) -> AgentOutcome:
        while True:
            transcript = await self._workbench.store.read(read_transcript, run_id)
            run, open_calls = transcript.run, transcript.open_calls
            decided = [call for call in open_calls if call.status != CallStatus.WAITING]
            for record in decided:
                await self._caller.make(run, record, transcript.tools)
            if decided:
                continue  # another may have been approved meanwhile
            if open_calls:
                return _make_outcome(run, AgentStatus.WAITING)
            if run.status == AgentStatus.DONE:
                return _make_outcome(run, AgentStatus.DONE)
            _check_limits(run)
            request = self._make_request(transcript)
            async with budget.reserve(request) if budget else nullcontext():
                answer = check_calls(await self._ask(run, request, call, on_chunk))
                statuses = [
                    self._caller.judge(c.name, transcript.tools) for c in answer.tool_calls
                ]
                now = self._workbench.clock.now()
                await self._workbench.store.transact(
                    _keep_answer, run_id, answer, statuses, now, budget
                )

    def _make_request(self, transcript: Transcript) -> ChatRequest:
        model, tools = transcript.run.model, self._define_tools(transcript)
        messages = transcript.list_messages()
        if (
            tools
            and not self._workbench.get(LANGUAGE_MODELS).find_backend_limits(model).native_tools
        ):
            shape = make_format(tools)
            return ChatRequest(explain_tools(messages, tools), model, response_format=shape)
        return ChatRequest(messages, model, tools=tools)

    async def _ask(
        self, run: AgentRun, request: ChatRequest, call: LlmCall, on_chunk: OnChunk | None
    ) -> Answer:
        models = self._workbench.get(LANGUAGE_MODELS)
        if request.response_format is not None:
            answer = read_answer(await models.chat(request, call), run.rounds)
            if on_chunk is not None:
                await _tell(answer, on_chunk)
            return answer
        if on_chunk is None:
            return await models.chat(request, call)
        return await _stream(models, request, call, on_chunk)

    def _define_tools(self, transcript: Transcript) -> list[ToolDefinition]:
        known = self._workbench.get(TOOLS)
        return [known[name].define() for name in transcript.tools if name in known]


AGENTS = Service[Agents]("agents", provider="agents")


def _keep_answer(
    tx: Transaction,
    run_id: int,
    answer: Answer,
    statuses: Sequence[CallStatus],
    now: datetime,
    budget: RunBudget | None,
) -> None:
    add_answer(tx, run_id, answer, statuses, now)
    if budget is not None:
        budget.record_usage(answer.usage)


def _check_limits(run: AgentRun) -> None:
    if run.rounds >= run.max_rounds:
        raise LimitReached(
            f"the model has come to no answer in {run.max_rounds} rounds; "
            "see plugins.agents.rounds"
        )
    if run.tokens >= run.max_tokens:
        raise LimitReached(f"the answer has used up its {run.max_tokens} tokens")


async def _stream(
    models: LlmGateway, request: ChatRequest, call: LlmCall, on_chunk: OnChunk
) -> Answer:
    async with models.stream(request, call) as stream:
        async for chunk in stream:
            if isinstance(chunk, TextChunk | ToolCallChunk):
                await on_chunk(chunk)
        if stream.answer is None:
            raise InvalidAnswer(f"the LLM backend {stream.backend!r} broke off")
        return stream.answer


async def _tell(answer: Answer, on_chunk: OnChunk) -> None:
    """Tell of an answer that came in one piece."""
    if answer.text:
        await on_chunk(TextChunk(answer.text))
    for call in answer.tool_calls:
        await on_chunk(ToolCallChunk(call))


def _make_outcome(run: AgentRun, status: AgentStatus) -> AgentOutcome:
    return AgentOutcome(status, run.answer, run.usage, run.answered_by or "", run.backend or "")
