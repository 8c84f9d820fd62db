"""The record of all calls: what is written down, and what it adds up to."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from biont import Store
from biont.llm import LlmCall, TokenUsage
from biont.store import execute_sql
from biont_llm.accounting.tables import RecordedCall


class Owner(StrEnum):
    """What budgets are for."""

    USER = "user"
    KEY = "key"
    SCHEDULE = "schedule"


_SUM = (
    "SELECT COALESCE(SUM(prompt_tokens + completion_tokens), 0), COALESCE(SUM(cost), 0.0)"
    " FROM llm_calls WHERE {}_id = ? AND day = ?"
)
_SUMS = {owner: _SUM.format(owner) for owner in Owner}


class Spent(NamedTuple):
    """What calls have taken.

    Attributes:
        tokens: read and written.
        cost: as far as prices are known.
    """

    tokens: int = 0
    cost: float = 0.0


@dataclass(frozen=True, kw_only=True)
class CallEntry:
    """One call, as it is written down.

    Attributes:
        call: on whose behalf.
        backend: who was asked.
        model: which of its models.
        usage: what it took.
        cost: what that costs; None without a price.
        duration: how long it took, in seconds.
        error: why there was no whole answer; None if there was.
        prompt: what was asked, as JSON; None where texts are not kept.
        answer: what was said; None where texts are not kept.
        at: when it ended.
    """

    call: LlmCall
    backend: str
    model: str
    usage: TokenUsage
    cost: float | None
    duration: float
    error: str | None
    prompt: str | None
    answer: str | None
    at: datetime


class CallLog(Protocol):
    """Where calls are written down."""

    async def add(self, entry: CallEntry) -> None:
        """Write a call down."""
        ...

    async def add_up(self, owner: Owner, number: int, day: str) -> Spent:
        """Return what an owner's calls have taken on a day of UTC, such as ``2026-03-02``."""
        ...


class StoredCallLog:
    """Writes calls into the database.

    Args:
        store: the door to it.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    async def add(self, entry: CallEntry) -> None:
        """Write a call down.

        Raises:
            StoreUnavailable: it was not written.
        """
        await self._store.write(_insert, entry)

    async def add_up(self, owner: Owner, number: int, day: str) -> Spent:
        """Return what an owner's calls have taken on a day.

        Raises:
            StoreUnavailable: the database cannot be read.
        """
        return await self._store.read(_sum_up, owner, number, day)


def tell_day(at: datetime) -> str:
    """Return the day of an instant, in UTC."""
    return at.date().isoformat()


def _insert(entry: CallEntry) -> None:
    owners = asdict(entry.call)
    RecordedCall.create(
        user=owners.pop("user_id"),
        **owners,
        day=tell_day(entry.at),
        backend=entry.backend,
        model=entry.model,
        prompt_tokens=entry.usage.prompt_tokens,
        completion_tokens=entry.usage.completion_tokens,
        estimated=entry.usage.estimated,
        cost=entry.cost,
        duration=entry.duration,
        error=entry.error,
        prompt=entry.prompt,
        answer=entry.answer,
        created_at=entry.at,
    )


def _sum_up(owner: Owner, number: int, day: str) -> Spent:
    return Spent(*execute_sql(_SUMS[owner], number, day).fetchone())
