"""Companions of writes: work that a request adds to the transaction of its effect.

Companions test a condition before a write, or record the request after the write. They are in a
context variable, so that a route function and all that it calls need to know nothing of them.
Tasks that the request starts inherit the companions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from biont.store.transaction import Transaction

T = TypeVar("T")


class Companion:
    """Adds to each write of a request."""

    def precede(self, transaction: Transaction) -> None:
        """Test the tables before a write; called on the writer's thread.

        An exception cancels the write.
        """

    def follow(self, transaction: Transaction, result: object) -> None:
        """Change tables in the transaction of a write; called on the writer's thread.

        Args:
            transaction: the transaction of the write.
            result: the result of the write.
        """


_companions: ContextVar[tuple[Companion, ...]] = ContextVar("biont_companions", default=())


@contextmanager
def accompanied_by(companion: Companion) -> Iterator[None]:
    """Let `companion` accompany each write of the block, beside those of an outer block."""
    token = _companions.set((*_companions.get(), companion))
    try:
        yield
    finally:
        _companions.reset(token)


@contextmanager
def bookkeeping() -> Iterator[None]:
    """Mark the writes of the block as no effect of a request, such as the record of its cost.

    A request that had no effect may be repeated with the same ``Idempotency-Key``.
    """
    token = _companions.set(())
    try:
        yield
    finally:
        _companions.reset(token)


def has_companion() -> bool:
    """Return whether companions accompany the writes of the running code."""
    return bool(_companions.get())


def accompany(function: Callable[[Transaction], T]) -> Callable[[Transaction], T]:
    """Return `function` with the work of the companions around it, in the same transaction."""
    companions = _companions.get()
    if not companions:
        return function

    def call(transaction: Transaction) -> T:
        for companion in companions:
            companion.precede(transaction)
        result = function(transaction)
        for companion in companions:
            companion.follow(transaction, result)
        return result

    return call
