"""Daily budgets of users, keys and schedules, checked before each call."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, time, timedelta
from functools import partial
from math import inf

from biont.clock import Clock
from biont.exceptions import BudgetExceeded
from biont.llm import LlmCall
from biont_llm.accounting.call_log import CallLog, Owner, Spent, tell_day
from biont_llm.accounting.reservations import Amount, BillingFactors, Reservations
from biont_llm.settings import BudgetSettings, DailyBudget

_Key = tuple[Owner, int]


class Budgets:
    """Refuses a call whose user, key or schedule has used up the budget of the day.

    A call passes two checks. The calls under way count in both, with the most each may take:

    1. by its own limits, the estimated prompt and the longest answer: a call that finds
       nothing left is refused at once;
    2. by what its backend may bill beyond that: a call that finds nothing left waits until
       one of the others has settled. See `Reservations`.

    Args:
        settings: the budget of each owner.
        book: the record of all calls.
        clock: tells the day, in UTC.
    """

    def __init__(self, settings: BudgetSettings, book: CallLog, clock: Clock) -> None:
        self._limits = {
            owner: limit
            for owner, limit in (
                (Owner.USER, settings.user),
                (Owner.KEY, settings.key),
                (Owner.SCHEDULE, settings.schedule),
            )
            if limit.is_set
        }
        self._book = book
        self._clock = clock
        self._under_way: dict[_Key, Spent] = {}
        self._reservations = Reservations[_Key]()
        self.factors = BillingFactors()

    @asynccontextmanager
    async def hold(self, call: LlmCall, most: Spent, backend: str) -> AsyncIterator[None]:
        """Reserve the most that a call may take, while it is made and recorded inside.

        Args:
            call: names the user, key and schedule.
            most: the tokens and cost that the call may take by its own limits.
            backend: the backend that is asked first.

        Raises:
            BudgetExceeded: a budget is used up; the message names it, and when it resets.
        """
        owners = self._list_owners(call)
        if not owners:
            yield
            return
        await self._find_left(owners, counts_calls_under_way=True)
        # No await from the comparison to this.
        for owner in owners:
            self._add(owner, most.tokens, most.cost)
        try:
            size_up = partial(self._size_up, most, backend)
            find_left = partial(self._find_left, owners)
            async with self._reservations.hold(owners, size_up, find_left):
                yield
        finally:
            for owner in owners:
                self._add(owner, -most.tokens, -most.cost)

    async def _find_left(
        self, owners: list[_Key], *, counts_calls_under_way: bool = False
    ) -> Mapping[_Key, Amount]:
        """Return the part of each owner's budget that is left today.

        Raises:
            BudgetExceeded: a budget is used up.
        """
        now = self._clock.now()
        found = [await self._book.add_up(*owner, tell_day(now)) for owner in owners]
        left: dict[_Key, Amount] = {}
        for owner, spent in zip(owners, found, strict=True):
            going = self._under_way.get(owner) if counts_calls_under_way else None
            total = _add_up(spent, going or Spent())
            limit = self._limits[owner[0]]
            _compare(owner, limit, total, now)
            left[owner] = Amount(
                inf if limit.tokens is None else limit.tokens - total.tokens,
                inf if limit.cost is None else limit.cost - total.cost,
            )
        return left

    def _size_up(self, most: Spent, backend: str, owner: _Key) -> Amount:
        limit = self._limits[owner[0]]
        return Amount(
            self.factors.foresee(backend, most.tokens, limit.tokens or 0),
            self.factors.foresee(backend, most.cost, limit.cost or 0),
        )

    def _add(self, owner: _Key, tokens: int, cost: float) -> None:
        total = _add_up(self._under_way.pop(owner, Spent()), Spent(tokens, cost))
        if total.tokens:
            self._under_way[owner] = total

    def _list_owners(self, call: LlmCall) -> list[_Key]:
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


def _add_up(one: Spent, other: Spent) -> Spent:
    return Spent(one.tokens + other.tokens, one.cost + other.cost)


def _compare(owner: _Key, limit: DailyBudget, spent: Spent, now: datetime) -> None:
    if limit.tokens is not None and spent.tokens >= limit.tokens:
        used = f"{spent.tokens} of {limit.tokens} tokens"
    elif limit.cost is not None and spent.cost >= limit.cost:
        used = f"{spent.cost:.4g} of {limit.cost:g}"
    else:
        return
    reset = datetime.combine(now.date() + timedelta(days=1), time(), UTC)
    raise BudgetExceeded(
        f"the day's budget of {owner[0]} {owner[1]} is used up: {used}; it resets at "
        f"{reset:%Y-%m-%dT%H:%M:%SZ}; plugins.llm.budgets.{owner[0]} sets it",
        retry_after=(reset - now).total_seconds(),
    )
