"""Reservations: concurrent calls never count on the same part of a budget."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from biont.exceptions import LimitReached
from biont_llm import Amount, Reservations


@dataclass
class Account:
    """Budget of `limit` tokens with a record of the used tokens.

    Attributes:
        limit: size of the budget.
        spent: recorded tokens.
        reads: released at each read of the record.
        gate: a read returns its result after this event.
    """

    limit: int
    spent: int = 0
    reads: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    reservations: Reservations[str] = field(default_factory=Reservations)

    async def find_left(self) -> Mapping[str, Amount]:
        left = self.limit - self.spent
        self.reads.release()
        await self.gate.wait()
        if left <= 0:
            raise LimitReached("used up")
        return {"it": Amount(left, 1)}

    async def call(self, reserved: int, took: int, end: asyncio.Event) -> None:
        """Make a call that uses `took` tokens and lasts until `end`."""
        async with self.reservations.hold(["it"], lambda _: Amount(reserved), self.find_left):
            await end.wait()
            self.spent += took


async def test_a_call_waits_while_other_calls_may_take_the_rest() -> None:
    account, end, ended = Account(limit=10), asyncio.Event(), asyncio.Event()
    account.gate.set()
    ended.set()
    first = asyncio.create_task(account.call(10, 5, end))
    await account.reads.acquire()
    second, third = [asyncio.create_task(account.call(10, 5, ended)) for _ in range(2)]
    for _ in range(2):
        await account.reads.acquire()
    assert account.spent == 0
    end.set()
    await asyncio.gather(first, second)
    assert account.spent == 10
    with pytest.raises(LimitReached):
        await third


async def test_a_call_that_settles_during_a_read_counts() -> None:
    account, end = Account(limit=10), asyncio.Event()
    account.gate.set()
    first = asyncio.create_task(account.call(10, 10, end))
    await account.reads.acquire()
    account.gate.clear()
    second = asyncio.create_task(account.call(10, 10, end))
    await account.reads.acquire()
    end.set()
    await first
    account.gate.set()
    with pytest.raises(LimitReached):
        await second
    assert account.spent == 10


async def test_a_cancelled_call_releases_its_reservation() -> None:
    account, end = Account(limit=10), asyncio.Event()
    account.gate.set()
    calls = [asyncio.create_task(account.call(10, 1, end)) for _ in range(2)]
    for _ in calls:
        await account.reads.acquire()
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    end.set()
    await account.call(10, 1, end)
    assert account.spent == 1
