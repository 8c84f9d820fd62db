"""Budgets: the daily spending that language models may cause, as a plugin reports it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Literal

from pydantic import Field

from biont.schema import Schema
from biont.services import Service


class BudgetView(Schema):
    """A daily budget for calls of language models."""

    owner: Literal["user", "key"] = Field(description="All keys of the user together, or the key.")
    unit: Literal["tokens", "cost"]
    limit: float
    used: float = Field(description="The recorded usage of today, in UTC.")
    left: float = Field(description="The rest of today's budget, not below 0.")
    resets_at: datetime


ReadBudgets = Callable[[int, int], Awaitable[Sequence[BudgetView]]]
"""Function that returns the budgets of a user and a key, by their numbers."""

BUDGETS = Service[ReadBudgets]("budgets", provider="llm")
"""The budgets for calls of language models."""
