"""Run: one due occurrence of a schedule, as its job receives it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from pydantic import BaseModel

from biont.event import JsonObject
from biont.store.transaction import Transaction

M = TypeVar("M", bound=BaseModel)

Finish = Callable[[Transaction], JsonObject]
"""Writes what a run has produced and returns its result, as the ledger keeps it.

It runs in the transaction that ends the run: a crash leaves all of it or nothing.
"""


@dataclass(frozen=True)
class Run:
    """One due instant that is being worked on.

    Attributes:
        id: the number of its row in the ledger.
        schedule_id: which schedule was due.
        schedule_name: what the schedule is called.
        user_id: whose schedule it is.
        scheduled_for: the instant that was due, in UTC.
        time_zone: the IANA name of the zone that the schedule lives in.
        attempts: 1, or more when a crash interrupted earlier attempts.
        parameters: what the schedule says beside its expression, as JSON.
    """

    id: int
    schedule_id: int
    schedule_name: str
    user_id: int
    scheduled_for: datetime
    time_zone: str
    attempts: int
    parameters: str

    def parameters_as(self, model: type[M]) -> M:
        """Return what the schedule says beside its expression.

        Args:
            model: the kind's own `JobKind.parameters`.
        """
        return model.model_validate_json(self.parameters)


Job = Callable[[Run], Awaitable[Finish]]
"""Does the work of a run and returns the function that writes its outcome."""
