"""Counting of the rows that an operation has to look at, beside the operation itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import structlog

from biont.operations.part import Part
from biont.operations.records import find_running, make_part, save_count
from biont.security.error_texts import format_traceback
from biont.store.scan import SCAN_ROWS
from biont.store.store import Store

CountRows = Callable[[Part], tuple[int, str | None]]

_log = structlog.get_logger("biont.operations")


async def count_operation(store: Store, operation_id: int, count: CountRows) -> None:
    """Count the rows of an operation in short reads, and store their number."""
    try:
        first = await store.read(_count_first, operation_id, count)
        if first is None:
            return
        part, counted = first
        while part.cursor is not None:
            number, cursor = await store.read(count, part)
            counted, part = counted + number, replace(part, cursor=cursor)
        await store.write(save_count, operation_id, counted)
    except Exception as error:  # noqa: BLE001  # of a plugin
        # The number is for the eyes of the client: the operation goes on without it.
        _log.warning(
            "rows of an operation not counted",
            operation=operation_id,
            traceback=format_traceback(error),
        )


def _count_first(operation_id: int, count: CountRows) -> tuple[Part, int] | None:
    """Return the part after the first counted rows, and the number of rows so far."""
    operation = find_running(operation_id)
    if operation is None or operation.counted is not None:
        return None
    # In one read: the written parts and the rows after their cursor belong to the same instant.
    part = make_part(operation, SCAN_ROWS)
    number, cursor = count(part)
    return replace(part, cursor=cursor), operation.looked_at + number
