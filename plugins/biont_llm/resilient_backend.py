"""LLM backend with timeout, concurrency limit, retries and circuit breaker.

An attempt goes through these states:

    admitted --> waiting for a slot --> under way --> succeeded
       |                                   |
       +--circuit open--> refused          +--> failed --transient--> delay, next attempt

The timeout covers the state "under way" only, because the queue for a slot is not the
backend's fault. A stream is under way until its consumer leaves, and keeps its slot until then.
A stream is retried up to its first chunk: afterwards the consumer has seen a part of the answer.
"""

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
    CircuitOpen,
    InvalidAnswer,
)
from biont.llm import Backend, ChatRequest, Chunk, Completion
from biont_llm.circuit_breaker import CircuitBreaker
from biont_llm.limit_settings import BackendLimits

T = TypeVar("T")

_TRANSIENT = (BackendOverloaded, BackendUnavailable, BackendFailed)
_FIRST_DELAY = 0.5
_JITTER = 0.5


@dataclass(frozen=True)
class _OpenedStream:
    first: Chunk
    rest: AsyncGenerator[Chunk, None]
    stack: AsyncExitStack


class ResilientBackend:
    """Backend whose calls are limited, retried and guarded by a circuit breaker.

    Args:
        name: name of the backend.
        backend: the backend that makes each attempt.
        limits: timeout, concurrency, retries and circuit breaker settings.
        clock: the circuit breaker's clock.
        chance: returns a random number from 0 to 1, for the jitter of retries.
    """

    def __init__(
        self,
        name: str,
        backend: Backend,
        limits: BackendLimits,
        clock: Clock,
        *,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.name = name
        self.backend = backend
        self._limits = limits
        self._circuit = CircuitBreaker(
            name, clock, failures=limits.circuit_failures, pause=limits.circuit_pause
        )
        self._slots = asyncio.Semaphore(limits.concurrency)
        self._chance = chance
        self._backoff = Backoff.exponential(
            _FIRST_DELAY, limits.retries, jitter=_JITTER, longest=limits.longest_pause
        )

    async def complete(self, request: ChatRequest) -> Completion:
        """Return the backend's whole answer.

        Raises:
            BackendError: the last attempt failed, or the circuit is open.
        """

        async def attempt() -> Completion:
            async with self._hold_slot():
                return await self.backend.chat(request)

        return await self._retry(attempt)

    @asynccontextmanager
    async def open_stream(self, request: ChatRequest) -> AsyncIterator[AsyncIterator[Chunk]]:
        """Open the backend's streamed answer; retry until the first chunk has arrived.

        The timeout continues inside the context.

        Raises:
            BackendError: the last attempt failed, the circuit is open, or the answer broke off.
        """
        opened = await self._retry(lambda: self._attempt_stream(request))
        async with opened.stack:
            yield _chain(opened.first, opened.rest)

    async def _attempt_stream(self, request: ChatRequest) -> _OpenedStream:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._hold_slot())
            chunks = self.backend.stream(request)
            await stack.enter_async_context(aclosing(chunks))
            first = await anext(chunks, None)
            if first is None:
                raise InvalidAnswer(f"the LLM backend {self.name!r} streamed nothing")
            # The slot and the timeout pass to `open_stream`, which closes the stack.
            return _OpenedStream(first, chunks, stack.pop_all())

    @asynccontextmanager
    async def _hold_slot(self) -> AsyncIterator[None]:
        """Hold a slot during an attempt; report the outcome to the circuit breaker."""
        async with self._slots:
            try:
                async with self._limit_time():
                    yield
            except BackendRefused:
                # A refusal shows that the backend works.
                self._circuit.record_success()
                raise
            except BackendError:
                self._circuit.record_failure()
                raise
            self._circuit.record_success()

    @asynccontextmanager
    async def _limit_time(self) -> AsyncIterator[None]:
        limit = asyncio.timeout(self._limits.timeout)
        try:
            async with limit:
                yield
        except TimeoutError as error:
            # The backend may raise a TimeoutError of its own.
            if not limit.expired():
                raise
            raise BackendTimeout(
                f"the LLM backend {self.name!r} gave no answer within {self._limits.timeout:g} s; "
                "plugins.llm.timeout sets the limit"
            ) from error

    async def _retry(self, attempt: Callable[[], Awaitable[T]]) -> T:
        for retry in range(1, self._limits.retries + 1):
            try:
                async with self._circuit.admit():
                    return await attempt()
            except CircuitOpen:
                raise
            except _TRANSIENT as error:
                delay = self._find_delay(error, retry)
                # The attempt may have opened the circuit, and the error says more than
                # the refusal of the next attempt would.
                if delay is None or self._circuit.seconds_left:
                    raise
            await asyncio.sleep(delay)
        async with self._circuit.admit():
            return await attempt()

    def _find_delay(self, error: BackendError, retry: int) -> float | None:
        """Return the delay before a retry, in seconds; None if a retry is useless.

        Args:
            error: the error of the attempt before.
            retry: 1 for the first retry.
        """
        longest = self._limits.longest_pause
        if isinstance(error, BackendMissing) or (error.retry_after or 0) > longest:
            return None
        if error.retry_after is not None:
            return error.retry_after
        return self._backoff.find_wait(retry, self._chance())


async def _chain(first: Chunk, rest: AsyncIterator[Chunk]) -> AsyncIterator[Chunk]:
    yield first
    async for chunk in rest:
        yield chunk
