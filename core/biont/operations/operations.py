"""Operations of all users: begun by requests, worked off in the background.

An operation is a row with a cursor. Each running operation has a task:

    prepare the next part (reads) -> wait for its turn -> write the part and the cursor -> pause

The changes of a part and the new cursor are committed together. So after a crash the operation
continues where it was: each part is written once. A stop cancels the tasks; a write that is under
way is committed as a whole or not at all.

The turns are handed out first come, first served, so that operations write parts alternately. A
pause as long as the write leaves half of the writer's time to everybody else. A part that takes
long is followed by smaller parts.

A part that raises an error is tried again after each wait of `BACKOFF`; then the operation has
failed. An operation whose kind is missing, because its plugin does not run, waits for a start at
which the kind is there.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from functools import partial

import structlog
from pydantic import BaseModel

from biont.accounts.users import Users
from biont.backoff import Backoff
from biont.clock import Clock
from biont.exceptions import NotFound, StoreUnavailable
from biont.operations.counting import count_operation
from biont.operations.part import BoundKind
from biont.operations.records import (
    cancel_operation,
    cancel_operations,
    find_running,
    get_operation,
    insert_operation,
    make_part,
    record_error,
    select_operations,
    select_running,
    write_chunk,
)
from biont.operations.tables import Operation
from biont.security.error_texts import explain_exception, format_traceback
from biont.store.patience import keep_trying
from biont.store.scan import Scan
from biont.store.span import Span
from biont.store.store import Store
from biont.store.transaction import Transaction

BACKOFF = Backoff([1.0, 5.0, 30.0])
"""The waits before a failed part is tried again."""

FIRST_ROWS = 100
"""The rows of the first part, so that an act begins at once."""

FEWEST_ROWS, MOST_ROWS = 20, 200
"""The limits within which parts shrink and grow."""

SHORT_SECONDS, LONG_SECONDS = 0.01, 0.025
"""Parts grow below the first, and shrink above the second duration of their write.

Measured beside 50 events a second: with parts of 500 rows and 50 ms, twice as many milliseconds
for the slowest of a hundred requests, and no more rows a second.
"""

_PREPARE_SECONDS = 60.0

_LONGEST_PAUSE = 1.0

_log = structlog.get_logger("biont.operations")


class Operations:
    """All operations.

    Args:
        store: keeps the operations.
        clock: gives the instants of begin and end.
        users: knows the disabled users, whose operations wait.

    Attributes:
        kinds: the operation kinds by name, once the workbench has started.
    """

    def __init__(self, store: Store, clock: Clock, users: Users) -> None:
        self.kinds: Mapping[str, BoundKind] = {}
        self._store = store
        self._clock = clock
        self._users = users
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._counting: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Lock()

    def begin(
        self, tx: Transaction, user_id: int, kind: str, subject: str, parameters: BaseModel
    ) -> Operation:
        """Begin an operation with the transaction, or return the running one of the same act.

        Args:
            tx: the transaction, in which the caller has checked that the user owns the subject.
            user_id: the user.
            kind: the name of the operation kind.
            subject: the path of the object that the act is about.
            parameters: an object of `OperationKind.parameters`.

        Raises:
            Conflict: too many operations of the user are running.
        """
        operation = insert_operation(user_id, kind, subject, parameters, self._clock.now())
        tx.after_commit(partial(self._start_task, operation.id))
        return operation

    async def list_operations(
        self,
        user_id: int,
        limit: int,
        span: Span,
        kinds: list[str] | None = None,
        statuses: list[str] | None = None,
    ) -> Scan[Operation]:
        """Return up to ``limit + 1`` operations of a user, in the order of the span."""
        return await self._store.read(select_operations, user_id, limit, span, kinds, statuses)

    async def read(
        self, user_id: int, operation_id: int, kinds: list[str] | None = None
    ) -> Operation:
        """Return an operation of a user, of one of the `kinds`; None for any kind.

        Raises:
            NotFound: the user has no such operation.
        """
        return await self._store.read(get_operation, user_id, operation_id, kinds)

    async def cancel(
        self, user_id: int, operation_id: int, kinds: list[str] | None = None
    ) -> Operation:
        """End a running operation; the changes that were made stay.

        Raises:
            NotFound: the user has no such operation of one of the `kinds`.
            Conflict: the operation has ended otherwise.
        """
        now = self._clock.now()
        return await self._store.transact(cancel_operation, user_id, operation_id, kinds, now)

    def cancel_all(self, tx: Transaction, user_id: int, subject: str) -> None:
        """End the running operations on an object, because the object is deleted."""
        cancel_operations(tx, user_id, subject, self._clock.now())

    async def start(self, kinds: Mapping[str, BoundKind]) -> None:
        """Continue the operations that were running when the workbench ended."""
        self.kinds = kinds
        for operation_id in await self._store.read(select_running):
            self._start_task(operation_id)

    def release_user(self, _: int) -> None:
        """Continue the operations of a user who was enabled."""
        releasing = asyncio.create_task(self._continue_all())
        self._counting.add(releasing)
        releasing.add_done_callback(self._counting.discard)

    async def _continue_all(self) -> None:
        for operation_id in await keep_trying(lambda: self._store.read(select_running)):
            self._start_task(operation_id)

    async def stop(self) -> None:
        """Stop between two parts; the next start continues."""
        tasks = [*self._tasks.values(), *self._counting]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start_task(self, operation_id: int) -> None:
        # Before the start, a task would not find its kind; the start begins all tasks.
        if self.kinds and operation_id not in self._tasks:
            task = asyncio.create_task(self._work_off(operation_id))
            self._tasks[operation_id] = task
            task.add_done_callback(lambda _: self._tasks.pop(operation_id, None))

    async def _work_off(self, operation_id: int) -> None:
        operation = await keep_trying(lambda: self._store.read(find_running, operation_id))
        kind = None if operation is None else self.kinds.get(operation.kind)
        if operation is None or kind is None:
            if operation is not None:
                _log.warning("operation waits for its plugin", kind=operation.kind)
            return
        if kind.count is not None:
            counting = asyncio.create_task(count_operation(self._store, operation_id, kind.count))
            self._counting.add(counting)
            counting.add_done_callback(self._counting.discard)
        rows, failures, is_running = FIRST_ROWS, 0, True
        while is_running:
            try:
                is_running, seconds = await self._write_part(operation_id, kind, rows)
            except StoreUnavailable as error:
                _log.warning("operation postponed: the store is unavailable", error=str(error))
                await asyncio.sleep(BACKOFF.waits[1])
            except Exception as error:  # noqa: BLE001  # a plugin may raise anything
                failures += 1
                is_running = await self._wait_after(error, operation_id, failures)
            else:
                failures = 0
                rows = _adapt(rows, seconds)

    async def _write_part(
        self, operation_id: int, kind: BoundKind, rows: int
    ) -> tuple[bool, float]:
        """Write the next part; return whether the operation goes on, and the seconds it took."""
        operation = await self._store.read(find_running, operation_id)
        # The operation of a disabled user waits; see `release_user`.
        if operation is None or operation.user_id in self._users.disabled:
            return False, 0.0
        async with asyncio.timeout(_PREPARE_SECONDS):
            chunk = await kind.step(make_part(operation, rows))
        async with self._turn:
            begun = time.monotonic()
            is_running, seconds = await self._store.transact(
                write_chunk, operation_id, chunk, self._clock.now()
            )
            # With the wait for the writer and for the disk: a busy store gets longer pauses.
            await asyncio.sleep(min(time.monotonic() - begun, _LONGEST_PAUSE))
        return is_running, seconds

    async def _wait_after(self, error: Exception, operation_id: int, failures: int) -> bool:
        """Record the error of a part, and wait; return False if the operation has failed."""
        # Another try finds no more than the first.
        wait = None if isinstance(error, NotFound) else BACKOFF.find_wait(failures)
        _log.warning(
            "part of an operation failed",
            operation=operation_id,
            retry_in=wait,
            # As text: the locals of all frames may be megabytes, and hold secrets.
            traceback=format_traceback(error),
        )
        text = explain_exception(error)
        await keep_trying(
            lambda: self._store.transact(
                record_error, operation_id, text, self._clock.now(), is_last=wait is None
            )
        )
        if wait is None:
            return False
        await asyncio.sleep(wait)
        return True


def _adapt(rows: int, seconds: float) -> int:
    """Return the rows of the next part after a part of `rows` that took `seconds`."""
    if seconds > LONG_SECONDS:
        return max(FEWEST_ROWS, rows // 2)
    return min(MOST_ROWS, rows * 2) if seconds < SHORT_SECONDS else rows
