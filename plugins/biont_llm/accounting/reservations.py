"""Reservations: parts of shared budgets that calls under way may still take.

A call goes through these states:

    waiting --room beside the reserved calls--> reserved --usage recorded--> settled
       |
       +--budget exhausted--> refused

`Reservations` compares and reserves without an await in between, so that no two calls
see the same room. A reservation ends after the usage of the call is recorded: at any moment a
call counts by its reservation, by its record, or by both. When a call settles during a read of
the records, the read may be older than the new record, and is repeated.

A call fits when the other reservations leave a part of the budget, however small. A budget is
therefore exceeded by a single call at most, provided that `BillingFactors` estimates the bills
correctly.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Hashable, Mapping
from contextlib import asynccontextmanager
from typing import Generic, NamedTuple, TypeVar

K = TypeVar("K", bound=Hashable)

# A third and a little more: three calls fit while nothing is known of a backend's bills.
_UNKNOWN_SHARE = 0.34

# A factor fades by half within 35 calls, so that a single odd bill is forgotten.
_FADE = 0.98


class Amount(NamedTuple):
    """Part of a budget.

    Attributes:
        tokens: tokens of prompts and answers.
        cost: cost of the calls with a known price.
    """

    tokens: float = 0.0
    cost: float = 0.0


class Reservations(Generic[K]):
    """Reservations of all calls under way; `K` identifies a budget."""

    def __init__(self) -> None:
        self._reserved: dict[K, list[Amount]] = {}
        self._settled = asyncio.Event()

    @asynccontextmanager
    async def hold(
        self,
        budgets: Collection[K],
        estimate: Callable[[K], Amount],
        find_left: Callable[[], Awaitable[Mapping[K, Amount]]],
    ) -> AsyncIterator[None]:
        """Reserve a part of `budgets` for a call that is made and recorded inside the context.

        Waits until the call fits. A call without other calls beside it always fits.

        Args:
            budgets: the budgets that the call counts in.
            estimate: returns the amount to reserve in a budget; called after the wait, because
                other calls may have shown more of the backend's billing.
            find_left: reads the unrecorded rest of each budget; raises when nothing is left.
        """
        while True:
            settled = self._settled
            left = await find_left()
            # A call has settled meanwhile: `left` may not contain its record.
            if settled.is_set():
                continue
            # No await from here to the reservation, or two calls would see the same room.
            if all(self._has_room(budget, left[budget]) for budget in budgets):
                break
            await settled.wait()
        amounts = {budget: estimate(budget) for budget in budgets}
        for budget, amount in amounts.items():
            self._reserved.setdefault(budget, []).append(amount)
        try:
            yield
        finally:
            for budget, amount in amounts.items():
                self._release(budget, amount)
            # A new event for each settlement: each waiting call wakes up exactly once.
            self._settled.set()
            self._settled = asyncio.Event()

    def _has_room(self, budget: K, left: Amount) -> bool:
        reserved = self._reserved.get(budget, [])
        tokens = sum(amount.tokens for amount in reserved)
        cost = sum(amount.cost for amount in reserved)
        return not reserved or (tokens < left.tokens and cost < left.cost)

    def _release(self, budget: K, amount: Amount) -> None:
        reserved = self._reserved[budget]
        reserved.remove(amount)
        if not reserved:
            del self._reserved[budget]


class BillingFactors:
    """Billing factor of each backend: billed tokens divided by estimated tokens.

    A backend bills more than the estimate because of another tokenizer, a long chat template or
    a system prompt of its own.
    """

    def __init__(self) -> None:
        self._factors: dict[str, float] = {}

    def learn(self, backend: str, estimated: float, billed: float) -> None:
        """Learn from the bill of a call; a high factor fades with the following calls."""
        faded = self._factors.get(backend, 1.0) * _FADE
        self._factors[backend] = max(1.0, faded, billed / max(estimated, 1.0))

    def estimate_bill(self, backend: str, estimated: float, limit: float) -> float:
        """Return the amount to reserve for a call in a budget of `limit`.

        Before the first answer of a backend, its factor is unknown. Each call then reserves a
        third of the budget, so that three calls run at once.
        """
        factor = self._factors.get(backend)
        return limit * _UNKNOWN_SHARE if factor is None else estimated * factor
