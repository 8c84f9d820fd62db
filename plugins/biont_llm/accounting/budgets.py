"""What may be spent in a day, looked at before each call."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, time, timedelta

from biont.clock import Clock
from biont.exceptions import BudgetExceeded
from biont.llm import LlmCall
from biont_llm.accounting.call_log import CallLog, Owner, Spent, tell_day
from biont_llm.settings import BudgetSettings, DailyBudget

_Key = tuple[Owner, int]


class Budgets:
    """Refuses calls of those who have used up what they have for the day.

    What is under way counts with the most that it may take, so that many calls at once
    exceed a budget no further than one call does.

    Args:
        settings: what each owner has.
        book: what was spent.
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

    @asynccontextmanager
    async def hold(self, call: LlmCall, most: Spent) -> AsyncIterator[None]:
        """Let a call be under way inside, and count `most` as spent by it meanwhile.

        Raises:
            BudgetExceeded: a budget is used up; the message names it, and when it resets.
        """
        now = self._clock.now()
        owners = self._list_owners(call)
        known = [await self._book.add_up(*owner, tell_day(now)) for owner in owners]
        # Nothing is awaited from here on until it is counted.
        for owner, spent in zip(owners, known, strict=True):
            going = self._under_way.get(owner, Spent())
            total = Spent(spent.tokens + going.tokens, spent.cost + going.cost)
            _compare(owner, self._limits[owner[0]], total, now)
        for owner in owners:
            self._add(owner, most.tokens, most.cost)
        try:
            yield
        finally:
            for owner in owners:
                self._add(owner, -most.tokens, -most.cost)

    def _add(self, owner: _Key, tokens: int, cost: float) -> None:
        going = self._under_way.pop(owner, Spent())
        if going.tokens + tokens:
            self._under_way[owner] = Spent(going.tokens + tokens, going.cost + cost)

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
