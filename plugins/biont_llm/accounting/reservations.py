"""Reservations: the parts of shared budgets that calls under way may still take.

A call goes through these states:

    waiting --room beside the reserved calls--> reserved --usage recorded--> settled
       |
       +--budget used up--> refused

`Reservations` compares and reserves without an await between the two, so that no two calls
see the same room. A reservation ends after the call's usage is recorded: at any moment a call
counts by its reservation, by its record, or by both. When a call settles while the records are
being read, the read may be older than the call's record, and is made again.

A call fits when the other reservations leave a part of the budget, however small. A budget is
therefore exceeded by one call at most, as far as `BillingFactors` foresees the usage of a call.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Hashable, Mapping
from contextlib import asynccontextmanager
from typing import Generic, NamedTuple, TypeVar

K = TypeVar("K", bound=Hashable)

_UNKNOWN_SHARE = 0.34
_FADE = 0.98


class Amount(NamedTuple):
    """A part of a budget.

    Attributes:
        tokens: read and written.
        cost: as far as prices are known.
    """

    tokens: float = 0.0
    cost: float = 0.0


class Reservations(Generic[K]):
    """The reservations of all calls under way; `K` identifies a budget."""

    def __init__(self) -> None:
        self._reserved: dict[K, list[Amount]] = {}
        self._settled = asyncio.Event()

    @asynccontextmanager
    async def hold(
        self,
        budgets: Collection[K],
        size_up: Callable[[K], Amount],
        find_left: Callable[[], Awaitable[Mapping[K, Amount]]],
    ) -> AsyncIterator[None]:
        """Reserve the most that a call may take; make the call and record its usage inside.

        Waits until the call fits. A call that has a budget for itself always fits.

        Args:
            budgets: the budgets that the call counts in.
            size_up: returns the amount to reserve in a budget; called when the call fits,
                because meanwhile more may be known of the backend's billing.
            find_left: reads for each of these budgets the part that no record has taken;
                raises when there is none.
        """
        while True:
            settled = self._settled
            left = await find_left()
            if settled.is_set():
                continue
            # No await from here to the reservation.
            if all(self._has_room(budget, left[budget]) for budget in budgets):
                break
            await settled.wait()
        amounts = {budget: size_up(budget) for budget in budgets}
        for budget, amount in amounts.items():
            self._reserved.setdefault(budget, []).append(amount)
        try:
            yield
        finally:
            for budget, amount in amounts.items():
                self._release(budget, amount)
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
    """The billed usage of each backend, as a multiple of the estimate made before the call.

    Backends bill more than estimated when they have another tokenizer, a long chat template or
    a system prompt of their own.
    """

    def __init__(self) -> None:
        self._factors: dict[str, float] = {}

    def learn(self, backend: str, estimated: float, billed: float) -> None:
        """Note the billed tokens of a call; a high factor fades with the calls that follow."""
        faded = self._factors.get(backend, 1.0) * _FADE
        self._factors[backend] = max(1.0, faded, billed / max(estimated, 1.0))

    def foresee(self, backend: str, estimated: float, limit: float) -> float:
        """Return the amount to reserve for a call in a budget of `limit`.

        Before the first answer of a backend nothing is known of its billing. Each call then
        reserves a third of the budget, so that three calls go at once.
        """
        factor = self._factors.get(backend)
        return limit * _UNKNOWN_SHARE if factor is None else estimated * factor
