"""One backend, asked within the terms that the settings set."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from biont.backoff import Backoff
from biont.clock import Clock
from biont.exceptions import (
    BackendError,
    BackendFailed,
    BackendMissing,
    BackendOverloaded,
    BackendRefused,
    BackendTimeout,
    BackendUnavailable,
    InvalidAnswer,
)
from biont.llm import Backend, ChatRequest, Chunk, Completion
from biont_llm.backend_limits import BackendLimits
from biont_llm.circuit_breaker import CircuitBreaker

T = TypeVar("T")

_PASSING = (BackendOverloaded, BackendUnavailable, BackendFailed)
_FIRST_PAUSE = 0.5
_JITTER = 0.5


@dataclass(frozen=True)
class _Opened:
    first: Chunk
    rest: AsyncGenerator[Chunk, None]
    stack: AsyncExitStack


class ResilientBackend:
    """Holds one backend to its time, its concurrency, its retries and its circuit.

    Args:
        name: what the backend is called.
        backend: what is asked.
        terms: what it is held to.
        clock: tells when a pause of the circuit is over.
        chance: returns a random number from 0 to 1, for the jitter of retries.
    """

    def __init__(
        self,
        name: str,
        backend: Backend,
        terms: BackendLimits,
        clock: Clock,
        *,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.name = name
        self.backend = backend
        self.terms = terms
        self.circuit = CircuitBreaker(
            clock, failures=terms.circuit_failures, pause=terms.circuit_pause
        )
        self._places = asyncio.Semaphore(terms.concurrency)
        self._chance = chance
        self._backoff = Backoff.exponential(
            _FIRST_PAUSE, terms.retries, jitter=_JITTER, longest=terms.longest_pause
        )

    async def chat(self, request: ChatRequest) -> Completion:
        """Return the backend's answer.

        Raises:
            BackendError: there is none, also after the retries.
        """

        async def ask() -> Completion:
            async with self._hold_place():
                return await self.backend.chat(request)

        return await self._repeat(ask)

    @asynccontextmanager
    async def stream(self, request: ChatRequest) -> AsyncIterator[AsyncIterator[Chunk]]:
        """Yield the backend's answer as it comes; nothing is repeated behind the first chunk.

        The time that an answer may take goes on inside.

        Raises:
            BackendError: there is no answer, or it broke off.
        """
        opened = await self._repeat(lambda: self._open_stream(request))
        async with opened.stack:
            yield _chain(opened.first, opened.rest)

    async def _open_stream(self, request: ChatRequest) -> _Opened:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._hold_place())
            chunks = self.backend.stream(request)
            await stack.enter_async_context(aclosing(chunks))
            first = await anext(chunks, None)
            if first is None:
                raise InvalidAnswer(f"the LLM backend {self.name!r} streamed nothing")
            return _Opened(first, chunks, stack.pop_all())

    @asynccontextmanager
    async def _hold_place(self) -> AsyncIterator[None]:
        """Have one of the places, for as long as an answer may take; note what became of it."""
        async with self._places:
            try:
                async with self._limit_time():
                    yield
            except BackendRefused:
                self.circuit.succeed()
                raise
            except BackendError:
                self.circuit.fail()
                raise
            self.circuit.succeed()

    @asynccontextmanager
    async def _limit_time(self) -> AsyncIterator[None]:
        limit = asyncio.timeout(self.terms.timeout)
        try:
            async with limit:
                yield
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise BackendTimeout(
                f"the LLM backend {self.name!r} gave no answer within {self.terms.timeout:g} s; "
                "plugins.llm.timeout sets how long it may take"
            ) from error

    async def _repeat(self, ask: Callable[[], Awaitable[T]]) -> T:
        for retry in range(1, self.terms.retries + 1):
            self._check_circuit()
            try:
                return await ask()
            except _PASSING as error:
                pause = self._find_pause(error, retry)
                if pause is None or self.circuit.wait:
                    raise
            await asyncio.sleep(pause)
        self._check_circuit()
        return await ask()

    def _find_pause(self, error: BackendError, retry: int) -> float | None:
        """Return how long to wait before the next try; None if there shall be none."""
        if (
            isinstance(error, BackendMissing)
            or (error.retry_after or 0) > self.terms.longest_pause
        ):
            return None
        if error.retry_after is not None:
            return error.retry_after
        return self._backoff.find_wait(retry, self._chance())

    def _check_circuit(self) -> None:
        wait = self.circuit.wait
        if wait:
            raise BackendUnavailable(
                f"the LLM backend {self.name!r} failed {self.terms.circuit_failures} times in a "
                f"row and is left alone for {wait:.0f} s",
                retry_after=wait,
            )
        self.circuit.try_again()


async def _chain(first: Chunk, rest: AsyncIterator[Chunk]) -> AsyncIterator[Chunk]:
    yield first
    async for chunk in rest:
        yield chunk
