"""Table of operations.

running --last part written--> done
|-----cancelled-----------> cancelled
|-----a part keeps failing-> failed
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from peewee import IntegerField, TextField

from biont.accounts.owned_table import OwnedTable
from biont.store.database import InstantField


class OperationStatus(StrEnum):
    """Status of an operation."""

    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


class Operation(OwnedTable):
    """An act of a user on many rows.

    Attributes:
        kind: the name of the operation kind.
        subject: the path of the object that the act is about.
        parameters: the parameters of the kind, as JSON.
        cursor: the place at which the next part begins; None for the first part.
        status: an `OperationStatus`.
        counted: the number of rows to look at; None until they are counted.
        done: the number of rows that the act has changed.
        skipped: the number of rows with nothing to do.
        failed: the number of rows for which the act has failed.
        error: the last error; None if no part has failed.
        begun_at: the instant of the request.
        ended_at: the instant of the end; None while the operation runs.
    """

    made_at = "begun_at"

    kind = TextField()
    subject = TextField()
    parameters = TextField()
    cursor = TextField(null=True)
    status = TextField(default=OperationStatus.RUNNING)
    counted = IntegerField(null=True)
    done = IntegerField(default=0)
    skipped = IntegerField(default=0)
    failed = IntegerField(default=0)
    error = TextField(null=True)
    begun_at = InstantField()
    ended_at = InstantField(null=True)

    class Meta:
        table_name = "operations"

    @property
    def looked_at(self) -> int:
        """The number of rows that the written parts have looked at."""
        return int(self.done + self.skipped + self.failed)


def find_old_operations(before: datetime, limit: int) -> list[int]:
    """Return the ids of up to `limit` operations that ended before an instant."""
    old = Operation.select(Operation.id).where(Operation.ended_at < before)
    return [operation.id for operation in old.order_by(Operation.ended_at).limit(limit)]


def delete_operations(operation_ids: Sequence[int]) -> None:
    """Delete the operations of these ids, which have ended."""
    Operation.delete().where(Operation.id.in_(operation_ids)).execute()
