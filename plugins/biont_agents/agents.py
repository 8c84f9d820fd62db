"""Agents: run a model with tools, round by round, until the model answers.

One round asks the model once, records the answer, and makes the tool calls of the answer:

    going --answer without tool calls-----------------------> done
      |
      +--answer with tool calls--> each call is made, or refused;
      |                            a tool with `confirm` waits for an approval
      |
      +--all open calls wait--> `advance` returns ``waiting``; a later `advance` continues

The row of the run stays ``going`` while calls wait: ``waiting`` is only an `AgentOutcome`.

The answer and the records of its calls are written in one transaction, and so is the result
of each call. `advance` reads everything from the tables in each round. So after a crash a
new `advance` continues: a lost answer is asked for again, a recorded answer never. A call
without a result is made; `biont_agents.tool_calls` says which calls may be made twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from biont import Service, Transaction, Workbench
from biont.events import find_origin, led_by, mark_origin
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
from biont.store import dump_json
from biont_agents.json_tool_calling import explain_tools, make_response_format, read_answer
from biont_agents.settings import AgentSettings
from biont_agents.tables import AgentRun, AgentStatus, CallStatus
from biont_agents.tool_calls import ToolCaller, check_calls
from biont_agents.transcript import (
    NewAgentRun,
    Transcript,
    append_answer,
    dump_messages,
    read_transcript,
)
from biont_llm import LLM_GATEWAY, LlmGateway

OnChunk = Callable[[Chunk], Awaitable[None]]
"""Callback that receives each piece of text and each tool call while the model answers."""


class RunBudget(Protocol):
    """Token budget that a run shares with other runs."""

    def reserve(self, request: ChatRequest) -> AbstractAsyncContextManager[None]:
        """Reserve the tokens that a request may use, until the context ends.

        The request is made, and its usage recorded, inside the context.

        Raises:
            BiontError: the model must not be asked again.
        """
        ...

    def record_usage(self, usage: TokenUsage) -> None:
        """Count the tokens of an answer, in the transaction that records the answer."""
        ...


@dataclass(frozen=True, slots=True)
class AgentOutcome:
    """Outcome of `Agents.advance`.

    Attributes:
        status: ``done``, or ``waiting`` for an approval.
        answer: the answer of the model; None while the run waits.
        usage: the tokens used so far.
        model: the model that was asked last, by the name that its server gives.
        backend: the backend of that model.
        origin: the event by which text from outside came in that the run has read, if any.
    """

    status: AgentStatus
    answer: str | None
    usage: TokenUsage
    model: str
    backend: str
    origin: str | None = None


class Agents:
    """Runs of models with tools; an interrupted run can be continued, also after a crash.

    Args:
        workbench: the workbench with the store, the tools and the models.
        settings: the limits.
    """

    def __init__(self, workbench: Workbench, settings: AgentSettings) -> None:
        self._workbench = workbench
        self._settings = settings
        self._caller = ToolCaller(workbench, settings.tool_timeout, settings.outside_tools)
        self._active: set[int] = set()

    def create(self, new: NewAgentRun) -> AgentRun:
        """Insert a run, inside a store function; `advance` starts the run."""
        now = self._workbench.clock.now()
        return AgentRun.create(
            user=new.user_id,
            source=new.source,
            source_url=new.source_url,
            model=new.model,
            messages=dump_messages(new.messages),
            tools=dump_json(list(new.tools)),
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
        """Continue a run until the model answers, or all open tool calls wait for approvals.

        Args:
            run_id: the run.
            call: the user on whose behalf the model is asked.
            on_chunk: a callback for the text and the tool calls of each round.
            budget: a shared budget; its errors are passed on.

        Raises:
            Conflict: another `advance` of the run is under way.
            LimitReached: the run exceeds its rounds, its tokens or the timeout.
            BackendError: the model gives no answer, or an unusable answer.
            StoreUnavailable: an answer or a result could not be recorded.
        """
        # Two callers would make the same open call twice.
        if run_id in self._active:
            raise Conflict(f"agent run {run_id} is already active")
        self._active.add(run_id)
        try:
            with led_by(find_origin()):
                async with asyncio.timeout(self._settings.timeout) as deadline:
                    return await self._advance(run_id, call, on_chunk, budget)
        except TimeoutError:
            # A TimeoutError from inside is another limit, and must not name this setting.
            if not deadline.expired():
                raise
            raise LimitReached(
                f"no answer within {self._settings.timeout:g} seconds; see plugins.agents.timeout"
            ) from None
        finally:
            self._active.discard(run_id)

    async def _advance(
        self, run_id: int, call: LlmCall, on_chunk: OnChunk | None, budget: RunBudget | None
    ) -> AgentOutcome:
        while True:
            transcript = await self._workbench.store.read(read_transcript, run_id)
            # In each round: the run may have been interrupted after it read text from outside.
            mark_origin(transcript.run.origin)
            run, open_calls = transcript.run, transcript.open_calls
            decided = [call for call in open_calls if call.status != CallStatus.WAITING]
            for record in decided:
                await self._caller.make_call(run, record, transcript.tools)
            if decided:
                # Read again: the user may have approved another call in the meantime.
                continue
            if open_calls:
                return _make_outcome(run, AgentStatus.WAITING)
            if run.status == AgentStatus.DONE:
                return _make_outcome(run, AgentStatus.DONE)
            _check_limits(run)
            await self._ask_and_record(transcript, call, on_chunk, budget)

    async def _ask_and_record(
        self,
        transcript: Transcript,
        call: LlmCall,
        on_chunk: OnChunk | None,
        budget: RunBudget | None,
    ) -> None:
        run, tools = transcript.run, transcript.tools
        request = self._make_request(transcript)
        # The reservation ends after the usage is in the table, so that the same tokens are
        # never free for another run in between.
        async with budget.reserve(request) if budget else nullcontext():
            answer = check_calls(await self._ask(run, request, call, on_chunk))
            statuses = [
                self._caller.decide_status(each.name, tools, run.origin)
                for each in answer.tool_calls
            ]
            now = self._workbench.clock.now()
            await self._workbench.store.transact(
                partial(
                    _record_answer,
                    run_id=run.id,
                    answer=answer,
                    statuses=statuses,
                    now=now,
                    approval_time=self._settings.approval_time,
                    budget=budget,
                )
            )

    def _make_request(self, transcript: Transcript) -> ChatRequest:
        model, tools = transcript.run.model, self._define_tools(transcript)
        messages = transcript.list_messages()
        limits = self._workbench.get(LLM_GATEWAY).find_backend_limits(model)
        if tools and not limits.native_tools:
            response_format = make_response_format(tools)
            return ChatRequest(
                explain_tools(messages, tools), model, response_format=response_format
            )
        return ChatRequest(messages, model, tools=tools)

    async def _ask(
        self, run: AgentRun, request: ChatRequest, call: LlmCall, on_chunk: OnChunk | None
    ) -> Answer:
        models = self._workbench.get(LLM_GATEWAY)
        if request.response_format is not None:
            # Not streamed: the pieces of a JSON object are no use to a reader.
            answer = read_answer(await models.chat(request, call), run.rounds)
            if on_chunk is not None:
                await _send_as_chunks(answer, on_chunk)
            return answer
        if on_chunk is None:
            return await models.chat(request, call)
        return await _stream_answer(models, request, call, on_chunk)

    def _define_tools(self, transcript: Transcript) -> list[ToolDefinition]:
        known = self._workbench.get(TOOLS)
        # A tool may be gone, because its plugin was removed after the run was created.
        return [known[name].define() for name in transcript.tools if name in known]


AGENTS = Service[Agents]("agents", provider="agents")
"""Runs models with tools; for other plugins."""


def _record_answer(
    tx: Transaction,
    *,
    run_id: int,
    answer: Answer,
    statuses: Sequence[CallStatus],
    now: datetime,
    approval_time: timedelta | None,
    budget: RunBudget | None,
) -> None:
    append_answer(tx, run_id, answer, statuses, now, approval_time)
    if budget is not None:
        budget.record_usage(answer.usage)


def _check_limits(run: AgentRun) -> None:
    if run.rounds >= run.max_rounds:
        raise LimitReached(
            f"the model gave no answer in {run.max_rounds} rounds; see plugins.agents.rounds"
        )
    if run.tokens >= run.max_tokens:
        raise LimitReached(f"the answer has used up its {run.max_tokens} tokens")


async def _stream_answer(
    models: LlmGateway, request: ChatRequest, call: LlmCall, on_chunk: OnChunk
) -> Answer:
    async with models.stream(request, call) as stream:
        async for chunk in stream:
            if isinstance(chunk, TextChunk | ToolCallChunk):
                await on_chunk(chunk)
        if stream.answer is None:
            raise InvalidAnswer(f"the LLM backend {stream.backend!r} broke off")
        return stream.answer


async def _send_as_chunks(answer: Answer, on_chunk: OnChunk) -> None:
    """Pass an answer that was not streamed to `on_chunk`."""
    if answer.text:
        await on_chunk(TextChunk(answer.text))
    for call in answer.tool_calls:
        await on_chunk(ToolCallChunk(call))


def _make_outcome(run: AgentRun, status: AgentStatus) -> AgentOutcome:
    return AgentOutcome(
        status, run.answer, run.usage, run.answered_by or "", run.backend or "", run.origin
    )
