"""What goes round each call: budgets are looked at before, and all is written down after."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import orjson

from biont.clock import Clock
from biont.llm import Answer, ChatRequest, LlmCall, TokenUsage
from biont.security import redact_secrets
from biont_llm.accounting.budgets import Budgets
from biont_llm.accounting.call_log import CallEntry, CallLog, Spent
from biont_llm.answer_stream import AnswerStream
from biont_llm.model_routing import Target
from biont_llm.settings import LlmSettings
from biont_llm.token_estimates import estimate_usage

_ERROR_LIMIT = 500
_NOTHING = TokenUsage(0, 0)


@dataclass
class Account:
    """One call under way: what is known of it by now.

    Attributes:
        request: what is asked.
        call: on whose behalf.
        most: the tokens that it may take, by its own limits.
        target: who is being asked; None before anybody was.
        model: which of its models, as far as is known beforehand.
        stream: the answer as it comes, where it is streamed.
        answer: the whole answer, once it is there.
        since: when `target` was asked, by a clock that only tells durations.
    """

    request: ChatRequest
    call: LlmCall
    most: int
    target: Target | None = None
    model: str = ""
    stream: AnswerStream | None = None
    answer: Answer | None = None
    since: float = field(default_factory=time.perf_counter)

    def ask(self, target: Target, model: str) -> None:
        """Note who is asked from now on."""
        self.target, self.model = target, model
        self.since = time.perf_counter()

    def find_answer(self) -> Answer | None:
        """Return the whole answer, if there is one."""
        return self.answer or (self.stream.answer if self.stream else None)


class CallRecorder:
    """Opens an account for each call.

    Args:
        settings: prices and budgets, and whether texts are kept.
        book: where calls are written down.
        clock: tells when they end.
    """

    def __init__(self, settings: LlmSettings, book: CallLog, clock: Clock) -> None:
        self._settings = settings
        self._book = book
        self._clock = clock
        self._budgets = Budgets(settings.budgets, book, clock)

    @asynccontextmanager
    async def open(
        self, request: ChatRequest, call: LlmCall, longest: int, backend: str
    ) -> AsyncIterator[Account]:
        """Have an account for a call; write it down at the end.

        Args:
            request: what is asked.
            call: on whose behalf.
            longest: how many tokens the answer may have.
            backend: the backend that is asked first.

        Raises:
            BudgetExceeded: the call may not be made.
            StoreUnavailable: it was not written down.
        """
        most = _estimate_most(request, longest)
        account = Account(request, call, most)
        async with self._budgets.hold(call, Spent(most, self._find_dearest(most)), backend):
            try:
                yield account
            except BaseException as error:
                await self.close(account, error)
                raise
            await self.close(account, None)

    def foresee(self, request: ChatRequest, longest: int, backend: str, limit: int) -> float:
        """Return how many tokens to reserve for a call in a budget of `limit` tokens."""
        return self._budgets.factors.foresee(backend, _estimate_most(request, longest), limit)

    async def close(self, account: Account, error: BaseException | None) -> None:
        """Write down what has become of whom the account names."""
        if account.target is None:
            return
        answer = account.find_answer()
        model = answer.model if answer else account.model
        usage = _find_usage(account)
        if answer:
            billed = usage.prompt_tokens + usage.completion_tokens
            self._budgets.factors.learn(account.target.backend, account.most, billed)
        await self._book.add(
            CallEntry(
                call=account.call,
                backend=account.target.backend,
                model=model,
                usage=usage,
                cost=self._find_cost(account, model, usage),
                duration=time.perf_counter() - account.since,
                error=None if answer else _explain(error),
                prompt=self._keep(_write_prompt(account.request)),
                answer=self._keep(_find_text(account)),
                at=self._clock.now(),
            )
        )

    def _find_dearest(self, tokens: int) -> float:
        """Return what so many tokens cost at most, by any price."""
        prices = self._settings.prices.values()
        dearest = max((max(price.prompt, price.completion) for price in prices), default=0.0)
        return tokens * dearest / 1_000_000

    def _find_cost(self, account: Account, model: str, usage: TokenUsage) -> float | None:
        """Return the cost by the price of the model as it was asked for, or as it is called."""
        names = (account.model, model)
        backend = account.target.backend if account.target else ""
        for name in (*(f"{backend}/{name}" for name in names), *names):
            price = self._settings.prices.get(name)
            if price is not None:
                read, written = usage.prompt_tokens, usage.completion_tokens
                return (read * price.prompt + written * price.completion) / 1_000_000
        return None

    def _keep(self, text: str | None) -> str | None:
        return redact_secrets(text) if text is not None and self._settings.keep_texts else None


def _estimate_most(request: ChatRequest, longest: int) -> int:
    return estimate_usage(request, "", ()).prompt_tokens + longest


def _find_usage(account: Account) -> TokenUsage:
    answer = account.find_answer()
    if answer is not None:
        return answer.usage
    return account.stream.usage if account.stream else _NOTHING


def _find_text(account: Account) -> str | None:
    if account.answer is not None:
        return account.answer.text
    return account.stream.text if account.stream else None


def _write_prompt(request: ChatRequest) -> str:
    return orjson.dumps(list(request.messages)).decode()


def _explain(error: BaseException | None) -> str:
    if error is None or not isinstance(error, Exception):
        return "interrupted"
    return redact_secrets(f"{type(error).__name__}: {error}")[:_ERROR_LIMIT]
