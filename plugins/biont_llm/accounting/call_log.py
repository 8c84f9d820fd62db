"""Call log: the records of all LLM calls, and the sums that budgets are compared with."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from biont import Store
from biont.llm import LlmCall, TokenUsage
from biont.store import bookkeeping, execute_sql
from biont_llm.accounting.tables import RecordedCall


class Owner(StrEnum):
    """Kind of owner of a budget."""

    USER = "user"
    KEY = "key"
    SCHEDULE = "schedule"


# Summed in the database, because the sum is needed before each call, and a user may have
# thousands of calls on a day.
_SPENDING = (
    "SELECT COALESCE(SUM(prompt_tokens + completion_tokens), 0), COALESCE(SUM(cost), 0.0)"
    " FROM llm_calls WHERE {}_id = ? AND day = ?"
)
_SPENDING_BY_OWNER = {owner: _SPENDING.format(owner) for owner in Owner}


class Spending(NamedTuple):
    """Tokens and cost of calls.

    Attributes:
        tokens: tokens of prompts and answers.
        cost: cost of the calls with a known price.
    """

    tokens: int = 0
    cost: float = 0.0


@dataclass(frozen=True, kw_only=True)
class CallEntry:
    """Record of one call.

    Attributes:
        call: the owners of the call.
        backend: name of the backend.
        model: name of the model.
        usage: tokens of prompt and answer.
        cost: cost of the tokens; None without a price.
        duration: duration in seconds.
        error: error of an incomplete answer; None for a whole answer.
        prompt: the messages, as JSON; None unless texts are kept.
        answer: text of the answer; None unless texts are kept.
        ended_at: end of the call.
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
    ended_at: datetime


class CallLog(Protocol):
    """Storage of call records."""

    async def add(self, entry: CallEntry) -> None:
        """Add the record of a call."""
        ...

    async def sum_spending(self, owner: Owner, number: int, day: str) -> Spending:
        """Return the spending of an owner on a day in UTC, such as ``2026-03-02``."""
        ...


class StoredCallLog:
    """Call log in the database.

    Args:
        store: the database.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    async def add(self, entry: CallEntry) -> None:
        """Add the record of a call.

        Raises:
            StoreUnavailable: the record was not written.
        """
        # A call that has failed is recorded too, and the client may repeat such a request.
        with bookkeeping():
            await self._store.write(_insert_record, entry)

    async def sum_spending(self, owner: Owner, number: int, day: str) -> Spending:
        """Return the spending of an owner on a day in UTC.

        Raises:
            StoreUnavailable: the database cannot be read.
        """
        return await self._store.read(_select_spending, owner, number, day)


def format_day(at: datetime) -> str:
    """Return the day of an instant in UTC, such as ``2026-03-02``."""
    return at.date().isoformat()


def _insert_record(entry: CallEntry) -> None:
    owners = asdict(entry.call)
    RecordedCall.create(
        user=owners.pop("user_id"),
        **owners,
        day=format_day(entry.ended_at),
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
        created_at=entry.ended_at,
    )


def _select_spending(owner: Owner, number: int, day: str) -> Spending:
    return Spending(*execute_sql(_SPENDING_BY_OWNER[owner], number, day).fetchone())
