"""All language models of one workbench, behind one call."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from biont import Backend, BackendFactory, Completion, Message, Service, Workbench
from biont.exceptions import BackendTimeout, BackendUnavailable


@dataclass(frozen=True)
class _OpenBackend:
    backend: Backend
    places: asyncio.Semaphore


class LanguageModels:
    """Makes each backend when it is first used, and asks it within limits.

    Args:
        factories: what makes each backend, by its name.
        workbench: handed to the factories.
        default: the backend that is asked when none is named.
        system_prompt: goes before messages that have no system message of their
            own; an empty one is left out.
        timeout: how long one call may take, in seconds. Waiting for a place does
            not count: it is no fault of the model's server.
        concurrency: how many calls each backend has under way at most.

    Raises:
        BackendUnavailable: there is no backend `default`.
    """

    def __init__(
        self,
        factories: Mapping[str, BackendFactory],
        workbench: Workbench,
        *,
        default: str,
        system_prompt: str,
        timeout: float,
        concurrency: int,
    ) -> None:
        self._factories = factories
        self._workbench = workbench
        self._system_prompt = system_prompt
        self._timeout = timeout
        self._concurrency = concurrency
        self._open: dict[str, _OpenBackend] = {}
        self._closing = AsyncExitStack()
        self.default = default
        self._get_factory(default)

    @property
    def backends(self) -> list[str]:
        """The names of all backends, in alphabetical order."""
        return sorted(self._factories)

    async def complete(
        self, messages: Sequence[Message], *, backend: str | None = None, model: str | None = None
    ) -> Completion:
        """Return a model's answer to `messages`.

        Args:
            messages: the conversation so far, the newest turn last.
            backend: which one to ask; None for the default.
            model: one of the backend's models; None for the one it is set to.

        Raises:
            BackendError: there is no answer, or none that can be trusted to be whole.
        """
        name = backend or self.default
        opened = self._open_backend(name)
        async with opened.places:
            limit = asyncio.timeout(self._timeout)
            try:
                async with limit:
                    return await opened.backend.complete(self._prepare(messages), model=model)
            except TimeoutError as error:
                if not limit.expired():
                    raise
                raise BackendTimeout(
                    f"the LLM backend {name!r} gave no answer within {self._timeout:g} s; "
                    "plugins.llm.timeout sets how long it may take"
                ) from error

    async def close(self) -> None:
        """Close the backends that were made, in reverse order."""
        await self._closing.aclose()

    def _open_backend(self, name: str) -> _OpenBackend:
        if name not in self._open:
            backend = self._get_factory(name)(self._workbench)
            self._closing.push_async_callback(backend.close)
            self._open[name] = _OpenBackend(backend, asyncio.Semaphore(self._concurrency))
        return self._open[name]

    def _get_factory(self, name: str) -> BackendFactory:
        if name not in self._factories:
            raise BackendUnavailable(
                f"there is no LLM backend {name!r}; there are {', '.join(self.backends)}"
            )
        return self._factories[name]

    def _prepare(self, messages: Sequence[Message]) -> Sequence[Message]:
        if not self._system_prompt or any(message.role == "system" for message in messages):
            return messages
        return [Message("system", self._system_prompt), *messages]


LANGUAGE_MODELS = Service[LanguageModels]("language models", provider="llm")
