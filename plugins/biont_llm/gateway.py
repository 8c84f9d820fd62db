"""All language models of one workbench: the one place through which they are called."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import TypeVar

import structlog

from biont import Service, Workbench
from biont.exceptions import BackendError, BackendMissing, BackendRefused
from biont.llm import LLM_BACKENDS, Answer, BackendFactory, ChatRequest, LlmCall, Message
from biont_llm.accounting.call_log import CallLog
from biont_llm.accounting.call_recording import Account, CallRecorder
from biont_llm.answer_stream import AnswerStream, finish_answer
from biont_llm.backend_health import BackendState, read_backend_state
from biont_llm.backend_limits import BackendLimits, find_backend_limits
from biont_llm.model_routing import Target, choose_target
from biont_llm.resilient_backend import ResilientBackend
from biont_llm.settings import LlmSettings

T = TypeVar("T")

_log = structlog.get_logger("biont.contract.llm")


class LlmGateway:
    """Makes each backend when it is first used, and asks it within limits.

    Args:
        workbench: has the backends' factories, and is handed to them.
        settings: who is asked, and within which limits.
        book: where each call is written down.

    Raises:
        BackendMissing: there is no backend of a name that the settings choose.
    """

    def __init__(self, workbench: Workbench, settings: LlmSettings, book: CallLog) -> None:
        self._workbench = workbench
        self._settings = settings
        self._factories = workbench.get(LLM_BACKENDS)
        self._terms = {name: find_backend_limits(settings, name) for name in self._factories}
        self._lines: dict[str, ResilientBackend] = {}
        self._closing = AsyncExitStack()
        self._ledger = CallRecorder(settings, book, workbench.clock)
        self.default = settings.backend
        for name in (self.default, *settings.fallback):
            self._get_factory(name.partition("/")[0])

    @property
    def backends(self) -> list[str]:
        """The names of all backends, in alphabetical order."""
        return sorted(self._factories)

    async def chat(self, request: ChatRequest, call: LlmCall) -> Answer:
        """Return a model's answer.

        Args:
            request: what is asked, and of whom.
            call: on whose behalf.

        Raises:
            BudgetExceeded: the day's budget is used up.
            BackendError: there is no answer, or none that can be trusted to be whole.
        """
        asked = self._prepare(request)
        async with self._open_account(asked, call) as account:
            target, completion = await self._ask_in_turn(account, ResilientBackend.chat)
            account.answer = finish_answer(target.backend, asked, completion)
            return account.answer

    @asynccontextmanager
    async def stream(self, request: ChatRequest, call: LlmCall) -> AsyncIterator[AnswerStream]:
        """Open a model's answer that comes piece by piece.

        The first piece has come when it is open. The model is let go when it is closed.

        Args:
            request: what is asked, and of whom.
            call: on whose behalf.

        Raises:
            BudgetExceeded: the day's budget is used up.
            BackendError: there is no answer; also inside, where it breaks off or takes
                longer than it may.
        """
        asked = self._prepare(request)
        async with self._open_account(asked, call) as account, AsyncExitStack() as stack:
            target, chunks = await self._ask_in_turn(
                account, lambda line, wanted: stack.enter_async_context(line.stream(wanted))
            )
            account.stream = AnswerStream(target.backend, account.model, asked, chunks)
            yield account.stream

    def find_backend_limits(self, model: str | None) -> BackendLimits:
        """Return what holds for the backend that `model` means; None is the default."""
        return self._terms[self._choose(model).backend]

    def foresee_tokens(self, request: ChatRequest, limit: int) -> float:
        """Return how many tokens to reserve for a call in a budget of `limit` tokens.

        For the `Reservations` of callers that have budgets of their own.
        """
        return self._ledger.foresee(self._prepare(request), *self._find_longest(request), limit)

    async def survey(self) -> list[BackendState]:
        """Return how each backend is, in alphabetical order; all are asked now."""
        lines = [self._open_line(name) for name in self.backends]
        return await asyncio.gather(
            *(read_backend_state(line.name, line.backend) for line in lines)
        )

    async def close(self) -> None:
        """Close the backends that were made, in reverse order."""
        await self._closing.aclose()

    def _open_account(
        self, request: ChatRequest, call: LlmCall
    ) -> AbstractAsyncContextManager[Account]:
        longest, backend = self._find_longest(request)
        return self._ledger.open(request, call, longest, backend)

    def _find_longest(self, request: ChatRequest) -> tuple[int, str]:
        """Return how many tokens an answer may have, and the backend that is asked first."""
        backend = self._choose(request.model).backend
        return request.max_tokens or self._terms[backend].max_tokens, backend

    async def _ask_in_turn(
        self, account: Account, ask: Callable[[ResilientBackend, ChatRequest], Awaitable[T]]
    ) -> tuple[Target, T]:
        """Return the first answer of those whom the request may mean, and whose it is."""
        *first, last = self._list_targets(account.request.model)
        for target in first:
            try:
                return target, await self._ask(account, target, ask)
            except BackendRefused:
                raise
            except BackendError as error:
                await self._ledger.close(account, error)
                _log.warning(
                    "the next LLM backend is asked",
                    backend=target.backend,
                    user_id=account.call.user_id,
                    reason=str(error),
                )
        return last, await self._ask(account, last, ask)

    async def _ask(
        self,
        account: Account,
        target: Target,
        ask: Callable[[ResilientBackend, ChatRequest], Awaitable[T]],
    ) -> T:
        account.ask(target, self._name_model(target))
        line = self._open_line(target.backend)
        return await ask(line, replace(account.request, model=target.model))

    def _list_targets(self, model: str | None) -> list[Target]:
        chosen = self._choose(model)
        if model is not None:
            return [chosen]
        return [chosen, *(self._choose(name) for name in self._settings.fallback)]

    def _choose(self, model: str | None) -> Target:
        if model is None:
            return Target(self.default)
        known = {name: terms.models for name, terms in self._terms.items()}
        return choose_target(model, self._factories.keys(), known, self.default)

    def _name_model(self, target: Target) -> str:
        return target.model or next(iter(self._terms[target.backend].models), target.backend)

    def _open_line(self, name: str) -> ResilientBackend:
        if name not in self._lines:
            backend = self._get_factory(name)(self._workbench)
            self._closing.push_async_callback(backend.close)
            self._lines[name] = ResilientBackend(
                name, backend, self._terms[name], self._workbench.clock
            )
        return self._lines[name]

    def _get_factory(self, name: str) -> BackendFactory:
        if name not in self._factories:
            raise BackendMissing(
                f"there is no LLM backend {name!r}; there are {', '.join(self.backends)}"
            )
        return self._factories[name]

    def _prepare(self, request: ChatRequest) -> ChatRequest:
        words = self._settings.system_prompt
        if not words or any(message.role == "system" for message in request.messages):
            return request
        return replace(request, messages=[Message("system", words), *request.messages])


LANGUAGE_MODELS = Service[LlmGateway]("language models", provider="llm")
