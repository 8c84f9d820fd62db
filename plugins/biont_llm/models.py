"""All language models of one workbench: the one place through which they are called."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import TypeVar

import structlog

from biont import (
    Answer,
    BackendFactory,
    ChatRequest,
    LlmCall,
    Message,
    Service,
    Workbench,
)
from biont.exceptions import BackendError, BackendMissing, BackendRefused
from biont_llm.answer_stream import AnswerStream, finish_answer
from biont_llm.book import Book
from biont_llm.choice import Target, choose_target
from biont_llm.ledger import Account, Ledger
from biont_llm.line import Line
from biont_llm.settings import LlmSettings
from biont_llm.survey import BackendState, ask_state
from biont_llm.terms import Terms, find_terms

T = TypeVar("T")

_log = structlog.get_logger("biont.llm")


class LanguageModels:
    """Makes each backend when it is first used, and asks it within limits.

    Args:
        workbench: has the backends' factories, and is handed to them.
        settings: who is asked, and within which limits.
        book: where each call is written down.

    Raises:
        BackendMissing: there is no backend of a name that the settings choose.
    """

    def __init__(self, workbench: Workbench, settings: LlmSettings, book: Book) -> None:
        self._workbench = workbench
        self._settings = settings
        self._factories = workbench.llm_backends
        self._terms = {name: find_terms(settings, name) for name in self._factories}
        self._lines: dict[str, Line] = {}
        self._closing = AsyncExitStack()
        self._ledger = Ledger(settings, book, workbench.clock)
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
            target, completion = await self._ask_in_turn(account, Line.chat)
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

    def find_terms(self, model: str | None) -> Terms:
        """Return what holds for the backend that `model` means; None is the default."""
        return self._terms[self._choose(model).backend]

    async def survey(self) -> list[BackendState]:
        """Return how each backend is, in alphabetical order; all are asked now."""
        lines = [self._open_line(name) for name in self.backends]
        return await asyncio.gather(*(ask_state(line.name, line.backend) for line in lines))

    async def close(self) -> None:
        """Close the backends that were made, in reverse order."""
        await self._closing.aclose()

    def _open_account(
        self, request: ChatRequest, call: LlmCall
    ) -> AbstractAsyncContextManager[Account]:
        most = request.max_tokens or self.find_terms(request.model).max_tokens
        return self._ledger.open(request, call, most)

    async def _ask_in_turn(
        self, account: Account, ask: Callable[[Line, ChatRequest], Awaitable[T]]
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
        self, account: Account, target: Target, ask: Callable[[Line, ChatRequest], Awaitable[T]]
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

    def _open_line(self, name: str) -> Line:
        if name not in self._lines:
            backend = self._get_factory(name)(self._workbench)
            self._closing.push_async_callback(backend.close)
            self._lines[name] = Line(name, backend, self._terms[name], self._workbench.clock)
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


LANGUAGE_MODELS = Service[LanguageModels]("language models", provider="llm")
