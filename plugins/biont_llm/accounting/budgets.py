"""Daily budgets of users, API keys and schedules, checked before each LLM call.

A call passes two checks:

    arriving --own limit fits--> waiting --billing fits--> reserved --usage recorded--> settled
       |                            |
       +-----budget exhausted-------+--> refused

1. The own limit of a call is its estimated prompt plus its longest answer. The call is refused
   at once if records and calls under way leave nothing for it.
2. A backend may bill more than the estimate. The call waits until the expected bills of the
   other calls leave room (`Reservations`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, time, timedelta
from functools import partial
from math import inf

from biont.clock import Clock
from biont.exceptions import BudgetExceeded
from biont.http import BudgetView
from biont.llm import LlmCall
from biont_llm.accounting.call_log import CallLog, Owner, Spending, format_day
from biont_llm.accounting.reservations import Amount, BillingFactors, Reservations
from biont_llm.settings import BudgetSettings, DailyBudget

_BudgetKey = tuple[Owner, int]


class Budgets:
    """Daily budgets of all owners; refuses the calls of owners with an exhausted budget.

    Args:
        settings: size of the budgets.
        call_log: the recorded calls.
        clock: the current day, in UTC.

    Attributes:
        factors: the learned billing factor of each backend.
    """

    def __init__(self, settings: BudgetSettings, call_log: CallLog, clock: Clock) -> None:
        self._limits = {
            owner: limit
            for owner, limit in (
                (Owner.USER, settings.user),
                (Owner.KEY, settings.key),
                (Owner.SCHEDULE, settings.schedule),
            )
            if limit.is_set
        }
        self._call_log = call_log
        self._clock = clock
        self._under_way: dict[_BudgetKey, Spending] = {}
        self._reservations = Reservations[_BudgetKey]()
        self.factors = BillingFactors()

    async def read_budgets(self, user_id: int, key_id: int) -> list[BudgetView]:
        """Return the daily budgets of a user and a key."""
        now = self._clock.now()
        found: list[BudgetView] = []
        for owner, number in self._list_budgets(LlmCall(user_id=user_id, key_id=key_id)):
            spent = await self._call_log.sum_spending(owner, number, format_day(now))
            limit = self._limits[owner]
            found += [
                BudgetView(
                    owner="user" if owner is Owner.USER else "key",
                    unit=unit,
                    limit=most,
                    used=used,
                    left=max(0, most - used),
                    resets_at=_find_reset(now),
                )
                for unit, most, used in (
                    ("tokens", limit.tokens, spent.tokens),
                    ("cost", limit.cost, spent.cost),
                )
                if most is not None
            ]
        return found

    @asynccontextmanager
    async def reserve(self, call: LlmCall, most: Spending, backend: str) -> AsyncIterator[None]:
        """Reserve the part of the budgets that a call may take, until its usage is recorded.

        Args:
            call: the owners of the budgets.
            most: the own limit of the call.
            backend: the backend that is asked first.

        Raises:
            BudgetExceeded: a budget is exhausted; the message names the budget and the reset.
        """
        keys = self._list_budgets(call)
        if not keys:
            yield
            return
        await self._find_left(keys, counts_calls_under_way=True)
        # No await between the comparison and this loop, or two calls would see the same room.
        for key in keys:
            self._add_under_way(key, most.tokens, most.cost)
        try:
            estimate = partial(self._estimate_reservation, most, backend)
            find_left = partial(self._find_left, keys)
            async with self._reservations.hold(keys, estimate, find_left):
                yield
        finally:
            for key in keys:
                self._add_under_way(key, -most.tokens, -most.cost)

    async def _find_left(
        self, keys: list[_BudgetKey], *, counts_calls_under_way: bool = False
    ) -> Mapping[_BudgetKey, Amount]:
        """Return the rest of today's budgets.

        Raises:
            BudgetExceeded: a budget is exhausted.
        """
        now = self._clock.now()
        recorded = [await self._call_log.sum_spending(*key, format_day(now)) for key in keys]
        left: dict[_BudgetKey, Amount] = {}
        for key, spent in zip(keys, recorded, strict=True):
            under_way = self._under_way.get(key) if counts_calls_under_way else None
            total = _add_spending(spent, under_way or Spending())
            limit = self._limits[key[0]]
            _check_budget(key, limit, total, now)
            left[key] = Amount(
                inf if limit.tokens is None else limit.tokens - total.tokens,
                inf if limit.cost is None else limit.cost - total.cost,
            )
        return left

    def _estimate_reservation(self, most: Spending, backend: str, key: _BudgetKey) -> Amount:
        limit = self._limits[key[0]]
        return Amount(
            self.factors.estimate_bill(backend, most.tokens, limit.tokens or 0),
            self.factors.estimate_bill(backend, most.cost, limit.cost or 0),
        )

    def _add_under_way(self, key: _BudgetKey, tokens: int, cost: float) -> None:
        total = _add_spending(self._under_way.pop(key, Spending()), Spending(tokens, cost))
        # By tokens, which are exact: costs add up to zero with a rounding error.
        if total.tokens:
            self._under_way[key] = total

    def _list_budgets(self, call: LlmCall) -> list[_BudgetKey]:
        numbers = {
            Owner.USER: call.user_id,
            Owner.KEY: call.key_id,
            Owner.SCHEDULE: call.schedule_id,
        }
        return [
            (owner, number)
            for owner, number in numbers.items()
            if owner in self._limits and number is not None
        ]


def _add_spending(first: Spending, second: Spending) -> Spending:
    return Spending(first.tokens + second.tokens, first.cost + second.cost)


def _check_budget(key: _BudgetKey, limit: DailyBudget, spent: Spending, now: datetime) -> None:
    owner, number = key
    if limit.tokens is not None and spent.tokens >= limit.tokens:
        used = f"{spent.tokens} of {limit.tokens} tokens"
    elif limit.cost is not None and spent.cost >= limit.cost:
        used = f"{spent.cost:.4g} of {limit.cost:g}"
    else:
        return
    reset = _find_reset(now)
    raise BudgetExceeded(
        f"the daily LLM budget of {owner} {number} is exhausted: {used} used; it resets at "
        f"{reset:%Y-%m-%dT%H:%M:%SZ}; plugins.llm.budgets.{owner} sets its size",
        retry_after=(reset - now).total_seconds(),
    )


def _find_reset(now: datetime) -> datetime:
    """Return the beginning of the next day in UTC."""
    return datetime.combine(now.date() + timedelta(days=1), time(), UTC)
