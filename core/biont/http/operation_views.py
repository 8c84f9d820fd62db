"""REST schema of operations."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from biont.operations.tables import Operation, OperationStatus
from biont.schema import Schema


class OperationView(Schema):
    """An act on many rows that is worked off in the background."""

    id: int
    kind: str = Field(description="The kind of the act.", examples=["webhook_replay"])
    subject: str = Field(
        description="The path of the object that the act is about.",
        examples=["/api/v1/webhooks/outgoing/1"],
    )
    status: OperationStatus
    counted: int | None = Field(
        description="The number of rows to look at; null until they are counted. At the end of "
        "the act the sum of `done`, `skipped` and `failed`.",
        examples=[3000],
    )
    done: int = Field(description="The number of rows that were changed.", examples=[1200])
    skipped: int = Field(description="The number of rows with nothing to do.", examples=[0])
    failed: int = Field(
        description="The number of rows for which the act has failed.", examples=[0]
    )
    error: str | None = Field(
        description="The last error, of a part that was tried again or not.", examples=[None]
    )
    begun_at: datetime
    ended_at: datetime | None = Field(
        description="Null while the operation runs.", examples=[None]
    )


def make_operation_view(operation: Operation) -> OperationView:
    """Return the view of an operation."""
    return OperationView(
        id=operation.id,
        kind=operation.kind,
        subject=operation.subject,
        status=OperationStatus(operation.status),
        counted=operation.counted,
        done=operation.done,
        skipped=operation.skipped,
        failed=operation.failed,
        error=operation.error,
        begun_at=operation.begun_at,
        ended_at=operation.ended_at,
    )
