"""Companion of writes: adds a record of a request to the transaction of the request's effect.

The companion is a context variable, so that a route function and all that it calls need to know
nothing of the record. Tasks that the request starts inherit the companion.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Protocol, TypeVar

from biont.store.transaction import Transaction

T = TypeVar("T")


class Companion(Protocol):
    """Adds to each write of a request."""

    def follow(self, transaction: Transaction, result: object) -> None:
        """Change tables in the transaction of a write; called on the writer's thread.

        Args:
            transaction: the transaction of the write.
            result: the result of the write.
        """
        ...


_companion: ContextVar[Companion | None] = ContextVar("biont_companion", default=None)


@contextmanager
def accompanied_by(companion: Companion | None) -> Iterator[None]:
    """Let `companion` follow each write of the block; None for no companion."""
    token = _companion.set(companion)
    try:
        yield
    finally:
        _companion.reset(token)


def bookkeeping() -> AbstractContextManager[None]:
    """Mark the writes of the block as no effect of a request, such as the record of its cost.

    A request that had no effect may be repeated with the same ``Idempotency-Key``.
    """
    return accompanied_by(None)


def has_companion() -> bool:
    """Return whether a companion follows the writes of the running code."""
    return _companion.get() is not None


def accompany(function: Callable[[Transaction], T]) -> Callable[[Transaction], T]:
    """Return `function` with the work of the companion after it, in the same transaction."""
    companion = _companion.get()
    if companion is None:
        return function

    def call(transaction: Transaction) -> T:
        result = function(transaction)
        companion.follow(transaction, result)
        return result

    return call
