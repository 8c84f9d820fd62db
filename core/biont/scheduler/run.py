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
"""Writes the product of a run and returns its result, stored in the table of runs.

Called in the transaction that ends the run: a crash leaves all of the product or nothing.
"""


@dataclass(frozen=True)
class Run:
    """A run under way.

    Attributes:
        id: the id of the run.
        schedule_id: the id of the schedule.
        schedule_name: the name of the schedule.
        user_id: the owner of the schedule.
        scheduled_for: the occurrence, in UTC.
        time_zone: the IANA name of the schedule's time zone.
        attempts: 1, or more when earlier attempts failed or were interrupted by a crash.
        parameters: the parameters of the job, as JSON.
        origin: the event by which text from outside came in that led to the schedule, if any.
    """

    id: int
    schedule_id: int
    schedule_name: str
    user_id: int
    scheduled_for: datetime
    time_zone: str
    attempts: int
    parameters: str
    origin: str | None = None

    def parameters_as(self, model: type[M]) -> M:
        """Return the parameters of the job.

        Args:
            model: the `JobKind.parameters` of the job kind.
        """
        return model.model_validate_json(self.parameters)


Job = Callable[[Run], Awaitable[Finish]]
"""Does the work of a run and returns the function that writes the product."""
