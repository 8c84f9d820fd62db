"""Call recording: checks budgets before, and records usage after, every LLM call.

A call goes through these states:

    reserved --target asked--> answered | failed | interrupted --> recorded
       |                                              |
       +--budget exhausted--> refused                 +--fallback asked--> (a further record)

The record is written before the reservation ends, so that no other call sees the budget
without either. A call that fails or is interrupted is recorded with the tokens that had arrived
by then. A crash during a call loses its record: the provider may have billed the tokens.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from biont.clock import Clock
from biont.http import BudgetView
from biont.llm import Answer, ChatRequest, LlmCall, TokenUsage
from biont.security import describe_exception, redact_secrets
from biont.store import dump_json
from biont_llm.accounting.budgets import Budgets
from biont_llm.accounting.call_log import CallEntry, CallLog, Spending
from biont_llm.answer_stream import AnswerStream
from biont_llm.model_routing import Target
from biont_llm.settings import LlmSettings
from biont_llm.token_estimates import estimate_usage

_ERROR_LIMIT = 500
_NO_USAGE = TokenUsage(0, 0)


@dataclass
class OpenCall:
    """LLM call under way.

    Attributes:
        request: the request, with its system prompt.
        call: the owners of the call.
        most: own limit of the call: estimated prompt and longest answer, in tokens.
        target: the target that is being asked; None before the first target.
        model: name of the requested model.
        stream: the streamed answer; None for other answers, and before the first chunk.
        answer: the whole answer that was not streamed; None until it has arrived.
        since: start of the current target's attempt, by a monotonic clock.
    """

    request: ChatRequest
    call: LlmCall
    most: int
    target: Target | None = None
    model: str = ""
    stream: AnswerStream | None = None
    answer: Answer | None = None
    since: float = field(default_factory=time.perf_counter)

    def begin_target(self, target: Target, model: str) -> None:
        """Set the target that is asked from now on, and restart the duration."""
        self.target, self.model = target, model
        self.since = time.perf_counter()

    def find_answer(self) -> Answer | None:
        """Return the whole answer; None while it is incomplete."""
        return self.answer or (self.stream.answer if self.stream else None)


class CallRecorder:
    """Recorder of all calls.

    Args:
        settings: prices, budgets and `keep_texts`.
        call_log: receives the records.
        clock: the current time.
    """

    def __init__(self, settings: LlmSettings, call_log: CallLog, clock: Clock) -> None:
        self._settings = settings
        self._call_log = call_log
        self._clock = clock
        self._budgets = Budgets(settings.budgets, call_log, clock)

    @asynccontextmanager
    async def track(
        self, request: ChatRequest, call: LlmCall, longest: int, backend: str
    ) -> AsyncIterator[OpenCall]:
        """Reserve budget for a call that is made inside the context; record the call at the end.

        Args:
            request: the request, with its system prompt.
            call: the owners of the call.
            longest: token limit of the answer.
            backend: the backend that is asked first.

        Raises:
            BudgetExceeded: a daily budget is exhausted.
            StoreUnavailable: the record was not written.
        """
        most = _estimate_most(request, longest)
        open_call = OpenCall(request, call, most)
        spending = Spending(most, self._find_highest_cost(most))
        async with self._budgets.reserve(call, spending, backend):
            try:
                yield open_call
            except BaseException as error:
                # Also a cancelled call: its tokens were used.
                await self.record_outcome(open_call, error)
                raise
            await self.record_outcome(open_call, None)

    async def read_budgets(self, user_id: int, key_id: int) -> list[BudgetView]:
        """Return the daily budgets of a user and a key."""
        return await self._budgets.read_budgets(user_id, key_id)

    def estimate_reservation(
        self, request: ChatRequest, longest: int, backend: str, limit: int
    ) -> float:
        """Return the number of tokens to reserve for a call in a budget of `limit` tokens."""
        most = _estimate_most(request, longest)
        return self._budgets.factors.estimate_bill(backend, most, limit)

    async def record_outcome(self, open_call: OpenCall, error: BaseException | None) -> None:
        """Record the current target's answer or error; do nothing before the first target."""
        if open_call.target is None:
            return
        answer = open_call.find_answer()
        model = answer.model if answer else open_call.model
        usage = _find_usage(open_call)
        if answer:
            # Only whole answers: an interrupted answer says nothing of the backend's billing.
            billed = usage.prompt_tokens + usage.completion_tokens
            self._budgets.factors.learn(open_call.target.backend, open_call.most, billed)
        await self._call_log.add(
            CallEntry(
                call=open_call.call,
                backend=open_call.target.backend,
                model=model,
                usage=usage,
                cost=self._find_cost(open_call, model, usage),
                duration=time.perf_counter() - open_call.since,
                error=None if answer else _describe_outcome(error),
                prompt=self._redact_text(_dump_prompt(open_call.request)),
                answer=self._redact_text(_find_text(open_call)),
                ended_at=self._clock.now(),
            )
        )

    def _find_highest_cost(self, tokens: int) -> float:
        """Return the cost of `tokens` by the highest of all prices."""
        # The model that will answer is unknown: a fallback may be more expensive.
        prices = self._settings.prices.values()
        highest = max((max(price.prompt, price.completion) for price in prices), default=0.0)
        return tokens * highest / 1_000_000

    def _find_cost(self, open_call: OpenCall, model: str, usage: TokenUsage) -> float | None:
        """Return the cost by the price of the requested model, or of the model that answered."""
        # The most specific price first: with the backend, and by the requested name.
        names = (open_call.model, model)
        backend = open_call.target.backend if open_call.target else ""
        for name in (*(f"{backend}/{name}" for name in names), *names):
            price = self._settings.prices.get(name)
            if price is not None:
                read, written = usage.prompt_tokens, usage.completion_tokens
                return (read * price.prompt + written * price.completion) / 1_000_000
        return None

    def _redact_text(self, text: str | None) -> str | None:
        return redact_secrets(text) if text is not None and self._settings.keep_texts else None


def _estimate_most(request: ChatRequest, longest: int) -> int:
    return estimate_usage(request, "", ()).prompt_tokens + longest


def _find_usage(open_call: OpenCall) -> TokenUsage:
    answer = open_call.find_answer()
    if answer is not None:
        return answer.usage
    return open_call.stream.usage if open_call.stream else _NO_USAGE


def _find_text(open_call: OpenCall) -> str | None:
    if open_call.answer is not None:
        return open_call.answer.text
    return open_call.stream.text if open_call.stream else None


def _dump_prompt(request: ChatRequest) -> str:
    return dump_json(list(request.messages))


def _describe_outcome(error: BaseException | None) -> str:
    # A cancelled call raises a BaseException; a stream that its consumer leaves raises nothing.
    if error is None or not isinstance(error, Exception):
        return "interrupted"
    # Servers may repeat a wrong key in their error messages.
    return describe_exception(error, _ERROR_LIMIT)
