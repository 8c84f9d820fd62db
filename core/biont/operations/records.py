"""Records of operations: the store functions that begin, advance and end an operation."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime

from peewee import SQL
from pydantic import BaseModel

from biont.exceptions import Conflict, NotFound, PluginError
from biont.operations.event_types import OPERATION_FINISHED
from biont.operations.part import Chunk, Part
from biont.operations.tables import Operation, OperationStatus
from biont.store.scan import Scan, find_scan_end
from biont.store.span import Span
from biont.store.transaction import Transaction

MOST_RUNNING = 20
"""The most operations that a user may run at the same time."""

_IS_RUNNING = Operation.status == OperationStatus.RUNNING
# Not a parameter, which SQLite could not compare with the condition of the partial index.
_IS_RUNNING_BY_INDEX = SQL('"t1"."status" = \'running\'')


def insert_operation(
    user_id: int, kind: str, subject: str, parameters: BaseModel, now: datetime
) -> Operation:
    """Return a new operation, or the running operation of the same act.

    Raises:
        Conflict: the user has `MOST_RUNNING` running operations.
    """
    text = parameters.model_dump_json()
    running = list(Operation.of_user(user_id).where(_IS_RUNNING_BY_INDEX))
    for operation in running:
        # A client that has lost the answer repeats the request, and means the same act.
        if (operation.kind, operation.subject, operation.parameters) == (kind, subject, text):
            return operation
    if len(running) >= MOST_RUNNING:
        raise Conflict(
            f"{MOST_RUNNING} operations of yours run already; wait for the end of one, or cancel "
            "one by POST /api/v1/operations/{id}/cancel"
        )
    return Operation.create(
        user=user_id, kind=kind, subject=subject, parameters=text, begun_at=now
    )


def select_running() -> list[int]:
    """Return the ids of all running operations, the oldest first."""
    query = Operation.select(Operation.id).where(_IS_RUNNING_BY_INDEX)
    return sorted(operation.id for operation in query)


def find_running(operation_id: int) -> Operation | None:
    """Return a running operation; None if the operation has ended."""
    return Operation.get_or_none(Operation.id == operation_id, _IS_RUNNING)


def select_operations(
    user_id: int,
    limit: int,
    span: Span,
    kinds: Sequence[str] | None,
    statuses: Sequence[str] | None,
) -> Scan[Operation]:
    """Return up to ``limit + 1`` operations of a user, in the order of the span.

    Args:
        user_id: the user.
        limit: the size of a page.
        span: the part of the list.
        kinds: the kinds, any of which matches; None for all.
        statuses: the statuses, any of which matches; None for all.
    """
    query = Operation.of_user(user_id)
    for condition in span.find_conditions(query, key=Operation.id, time=Operation.begun_at):
        query = query.where(condition)
    order = Operation.id.asc() if span.oldest_first else Operation.id.desc()
    query = query.order_by(order)
    end = None
    if kinds is not None or statuses is not None:
        end = find_scan_end(query, Operation.id)
        if end is not None:
            within = Operation.id <= end if span.oldest_first else Operation.id >= end
            query = query.where(within)
    if kinds is not None:
        query = query.where(Operation.kind.in_(kinds))
    if statuses is not None:
        query = query.where(Operation.status.in_(statuses))
    return Scan(list(query.limit(limit + 1)), end)


def make_part(operation: Operation, limit: int) -> Part:
    """Return the next part of an operation."""
    return Part(
        operation.id,
        operation.user_id,
        operation.begun_at,
        operation.parameters,
        operation.cursor,
        limit,
    )


def write_chunk(
    tx: Transaction, operation_id: int, chunk: Chunk, now: datetime
) -> tuple[bool, float]:
    """Write a part of an operation; end the operation after the last part.

    Returns:
        Whether the operation still runs, and the seconds that the part has taken.
    """
    operation = find_running(operation_id)
    if operation is None:  # cancelled, or deleted with its user, while the part was prepared
        return False, 0.0
    if chunk.cursor is not None and chunk.cursor == operation.cursor:
        raise PluginError(
            f"the operation kind {operation.kind!r} does not advance: its part ends where it began"
        )
    begun = time.perf_counter()
    counts = chunk.write(tx)
    seconds = time.perf_counter() - begun
    operation.done += counts.done
    operation.skipped += counts.skipped
    operation.failed += counts.failed
    operation.cursor = chunk.cursor
    if chunk.cursor is None:
        # Rows may have come or gone since the count.
        operation.counted = operation.looked_at
        end_operation(tx, operation, OperationStatus.DONE, now)
    operation.save()
    return chunk.cursor is not None, seconds


def cancel_operation(
    tx: Transaction, user_id: int, operation_id: int, kinds: Sequence[str] | None, now: datetime
) -> Operation:
    """End a running operation; the changes of its written parts stay.

    Raises:
        NotFound: the user has no such operation of one of the `kinds`.
        Conflict: the operation has ended.
    """
    operation = get_operation(user_id, operation_id, kinds)
    if operation.status == OperationStatus.CANCELLED:
        return operation
    if operation.status != OperationStatus.RUNNING:
        raise Conflict(f"operation {operation_id} is {operation.status} and cannot be cancelled")
    end_operation(tx, operation, OperationStatus.CANCELLED, now)
    operation.save()
    return operation


def cancel_operations(tx: Transaction, user_id: int, subject: str, now: datetime) -> None:
    """End the running operations on an object of a user."""
    running = Operation.of_user(user_id).where(_IS_RUNNING_BY_INDEX, Operation.subject == subject)
    for operation in list(running):
        end_operation(tx, operation, OperationStatus.CANCELLED, now)
        operation.save()


def get_operation(user_id: int, operation_id: int, kinds: Sequence[str] | None) -> Operation:
    """Return an operation of a user, of one of the `kinds`; None for any kind.

    Raises:
        NotFound: the user has no such operation.
    """
    operation = Operation.get_owned(user_id, operation_id)
    if kinds is not None and operation.kind not in kinds:
        raise NotFound(f"there is no operation {operation_id}")
    return operation


def save_count(operation_id: int, counted: int) -> None:
    """Store the number of rows that a running operation has to look at."""
    Operation.update(counted=counted).where(Operation.id == operation_id, _IS_RUNNING).execute()


def record_error(
    tx: Transaction, operation_id: int, error: str, now: datetime, *, is_last: bool
) -> None:
    """Record the error of a part; end the operation as failed after the last try."""
    operation = find_running(operation_id)
    if operation is None:
        return
    operation.error = error
    if is_last:
        end_operation(tx, operation, OperationStatus.FAILED, now)
    operation.save()


def end_operation(
    tx: Transaction, operation: Operation, status: OperationStatus, now: datetime
) -> None:
    """End an operation, and emit its event."""
    operation.status = status
    operation.ended_at = now
    tx.emit(
        OPERATION_FINISHED.name,
        operation.user_id,
        {
            "operation_id": operation.id,
            "kind": operation.kind,
            "subject": operation.subject,
            "status": status.value,
            "done": operation.done,
            "skipped": operation.skipped,
            "failed": operation.failed,
            "error": operation.error,
        },
    )
