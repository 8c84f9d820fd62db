"""Event types of operations."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from biont.event_types import EventType
from biont.schema import Schema


class OperationFinished(Schema):
    """An operation that has ended."""

    operation_id: int
    kind: str
    subject: str = Field(description="The path of the object that the operation was about.")
    status: Literal["done", "cancelled", "failed"]
    done: int
    skipped: int
    failed: int
    error: str | None


OPERATION_FINISHED = EventType(
    "operation_finished", OperationFinished, "An operation is done, was cancelled or has failed."
)
