"""LLM gateway: the one path of all calls to language models.

A call passes these stations:

1. The system prompt of the settings is added to a request without a system message, and the
   key of the call is checked for the model.
2. `CallRecorder` checks the budgets and reserves the tokens that the call may take.
3. The targets are tried in order: the model that the request names, or the default backend
   and then the fallbacks. A target is asked through its `ResilientBackend`, which adds
   timeout, concurrency limit, retries and circuit breaker.
4. The answer is checked and completed (`finish_answer`).
5. Each target that was asked gets a record, also after an error or an interruption.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import TypeVar

import structlog

from biont import Service, Workbench
from biont.exceptions import BackendError, BackendMissing, BackendRefused, Forbidden
from biont.http import BudgetView
from biont.llm import LLM_BACKENDS, Answer, BackendFactory, ChatRequest, LlmCall, Message
from biont_llm.accounting.call_log import CallLog
from biont_llm.accounting.call_recording import CallRecorder, OpenCall
from biont_llm.answer_stream import AnswerStream, finish_answer
from biont_llm.backend_health import BackendState, read_backend_state
from biont_llm.limit_settings import BackendLimits, find_backend_limits
from biont_llm.model_access import is_permitted, select_models
from biont_llm.model_routing import Target, choose_target
from biont_llm.resilient_backend import ResilientBackend
from biont_llm.settings import LlmSettings

T = TypeVar("T")

_log = structlog.get_logger("biont.llm")


class LlmGateway:
    """Gateway to all backends; creates each backend at its first use.

    Args:
        workbench: has the backends' factories, and is passed to each factory.
        settings: the default backend, the fallbacks and the limits.
        call_log: receives a record of each call.

    Raises:
        BackendMissing: the settings name a backend that does not exist.
    """

    def __init__(self, workbench: Workbench, settings: LlmSettings, call_log: CallLog) -> None:
        self._workbench = workbench
        self._settings = settings
        self._factories = workbench.get(LLM_BACKENDS)
        self._limits = {name: find_backend_limits(settings, name) for name in self._factories}
        self._backends: dict[str, ResilientBackend] = {}
        self._closing = AsyncExitStack()
        self._recorder = CallRecorder(settings, call_log, workbench.clock)
        self.default = settings.backend
        # A misspelt backend stops the start, and not the first call.
        places = {"plugins.llm.backend": self.default} | {
            f"plugins.llm.fallback.{index}": name for index, name in enumerate(settings.fallback)
        }
        for place, name in places.items():
            self._get_factory(name.partition("/")[0], f"{place}: ")

    @property
    def backends(self) -> list[str]:
        """The names of all backends, in alphabetical order."""
        return sorted(self._factories)

    async def chat(self, request: ChatRequest, call: LlmCall) -> Answer:
        """Return a model's answer.

        Args:
            request: the messages, and the model to ask.
            call: the user, key and schedule that the call is charged to.

        Raises:
            Forbidden: the key of the call may not use the model.
            BudgetExceeded: a daily budget is exhausted.
            BackendError: no backend gave a complete answer.
        """
        completed = self._add_system_prompt(request)
        targets = await self._list_allowed_targets(request.model, call)
        async with self._track(completed, call) as open_call:
            target, completion = await self._try_targets(
                open_call, targets, ResilientBackend.complete
            )
            open_call.answer = finish_answer(target.backend, completed, completion)
            return open_call.answer

    @asynccontextmanager
    async def stream(self, request: ChatRequest, call: LlmCall) -> AsyncIterator[AnswerStream]:
        """Open a streamed answer.

        The context is entered after the first chunk has arrived. Leaving the context stops
        the model.

        Args:
            request: the messages, and the model to ask.
            call: the user, key and schedule that the call is charged to.

        Raises:
            Forbidden: the key of the call may not use the model.
            BudgetExceeded: a daily budget is exhausted.
            BackendError: no backend answered; also raised inside the context, when the answer
                breaks off or exceeds the timeout.
        """
        completed = self._add_system_prompt(request)
        targets = await self._list_allowed_targets(request.model, call)
        async with self._track(completed, call) as open_call, AsyncExitStack() as stack:
            # The stack closes the model's stream first; the call is recorded afterwards.
            target, chunks = await self._try_targets(
                open_call,
                targets,
                lambda backend, routed: stack.enter_async_context(backend.open_stream(routed)),
            )
            open_call.stream = AnswerStream(target.backend, open_call.model, completed, chunks)
            yield open_call.stream

    def find_backend_limits(self, model: str | None) -> BackendLimits:
        """Return the limits of the backend that `model` names; None names the default."""
        return self._limits[self._choose_target(model).backend]

    async def read_budgets(self, user_id: int, key_id: int) -> list[BudgetView]:
        """Return the daily budgets of a user and a key."""
        return await self._recorder.read_budgets(user_id, key_id)

    def estimate_reservation(self, request: ChatRequest, limit: int) -> float:
        """Return the number of tokens to reserve for a call in a budget of `limit` tokens.

        For the `Reservations` of callers with budgets of their own.
        """
        return self._recorder.estimate_reservation(
            self._add_system_prompt(request), *self._find_longest(request), limit
        )

    async def read_backend_states(
        self, allowed: Sequence[str] | None = None
    ) -> list[BackendState]:
        """Ask all backends for their state; return the states in alphabetical order.

        Args:
            allowed: the models that a key may use; others are left out. None for all.
        """
        chosen = None if allowed is None else [self._choose_target(name) for name in allowed]
        names = self.backends
        if chosen is not None:
            names = sorted({target.backend for target in chosen})
        # Without slots and circuit breakers: a health check must neither wait nor count.
        backends = [self._open_backend(name) for name in names]
        states = await asyncio.gather(
            *(read_backend_state(each.name, each.backend) for each in backends)
        )
        return states if chosen is None else [select_models(state, chosen) for state in states]

    async def close(self) -> None:
        """Close the backends that were created, in reverse order."""
        await self._closing.aclose()

    def _track(self, request: ChatRequest, call: LlmCall) -> AbstractAsyncContextManager[OpenCall]:
        longest, backend = self._find_longest(request)
        return self._recorder.track(request, call, longest, backend)

    def _find_longest(self, request: ChatRequest) -> tuple[int, str]:
        """Return the token limit of the answer, and the backend that is asked first."""
        backend = self._choose_target(request.model).backend
        return request.max_tokens or self._limits[backend].max_tokens, backend

    async def _try_targets(
        self,
        open_call: OpenCall,
        targets: Sequence[Target],
        ask: Callable[[ResilientBackend, ChatRequest], Awaitable[T]],
    ) -> tuple[Target, T]:
        """Return the first target that answers, with its answer."""
        *first, last = targets
        for target in first:
            try:
                return target, await self._ask_target(open_call, target, ask)
            except BackendRefused:
                # Another backend would refuse the same request too.
                raise
            except BackendError as error:
                await self._recorder.record_outcome(open_call, error)
                _log.warning(
                    "LLM backend failed, asking the next fallback",
                    backend=target.backend,
                    user_id=open_call.call.user_id,
                    reason=str(error),
                )
        # The recorder records the outcome of the last target when the call ends.
        return last, await self._ask_target(open_call, last, ask)

    async def _ask_target(
        self,
        open_call: OpenCall,
        target: Target,
        ask: Callable[[ResilientBackend, ChatRequest], Awaitable[T]],
    ) -> T:
        open_call.begin_target(target, self._find_model_name(target))
        backend = self._open_backend(target.backend)
        return await ask(backend, replace(open_call.request, model=target.model))

    def _list_targets(self, model: str | None) -> list[Target]:
        chosen = self._choose_target(model)
        if model is not None:
            return [chosen]
        return [chosen, *(self._choose_target(name) for name in self._settings.fallback)]

    async def _list_allowed_targets(self, model: str | None, call: LlmCall) -> list[Target]:
        """Return the targets to try in order, without fallbacks that the key may not use.

        Raises:
            Forbidden: the key of the call may not use the model.
        """
        targets = self._list_targets(model)
        if call.key_id is None:
            return targets
        # By the number of the key: a mission goes on long after its request.
        keys = self._workbench.keys
        allowed = (await keys.read_narrowing(call.key_id)).models
        if allowed is None:
            keys.uses.note_model(call.key_id, self._name_target(targets[0]))
            return targets
        chosen = [self._choose_target(name) for name in allowed]
        names = {target: self._find_model_name(target) for target in targets}
        permitted = [each for each in targets if is_permitted(each.backend, names[each], chosen)]
        if targets[0] not in permitted:
            raise Forbidden(
                f"this key may not use the model {self._name_target(targets[0])}; it is "
                f"narrowed to {', '.join(allowed) or 'no models'}"
            )
        keys.uses.note_model(call.key_id, self._name_target(targets[0]))
        return permitted

    def _name_target(self, target: Target) -> str:
        return f"{target.backend}/{self._find_model_name(target)}"

    def _choose_target(self, model: str | None) -> Target:
        if model is None:
            return Target(self.default)
        models = {name: limits.models for name, limits in self._limits.items()}
        return choose_target(model, self._factories.keys(), models, self.default)

    def _find_model_name(self, target: Target) -> str:
        # For records without an answer, which would contain the name that the server reports.
        return target.model or next(iter(self._limits[target.backend].models), target.backend)

    def _open_backend(self, name: str) -> ResilientBackend:
        if name not in self._backends:
            backend = self._get_factory(name)(self._workbench)
            self._closing.push_async_callback(backend.close)
            self._backends[name] = ResilientBackend(
                name, backend, self._limits[name], self._workbench.clock
            )
        return self._backends[name]

    def _get_factory(self, name: str, place: str = "") -> BackendFactory:
        if name not in self._factories:
            raise BackendMissing(
                f"{place}there is no LLM backend {name!r}; there are {', '.join(self.backends)}"
            )
        return self._factories[name]

    def _add_system_prompt(self, request: ChatRequest) -> ChatRequest:
        prompt = self._settings.system_prompt
        if not prompt or any(message.role == "system" for message in request.messages):
            return request
        return replace(request, messages=[Message("system", prompt), *request.messages])


LLM_GATEWAY = Service[LlmGateway]("LLM gateway", provider="llm")
"""The gateway to all language models."""
