"""Result writer: records the results of attempts, many in one transaction.

A result is in memory between the end of the attempt and the commit of its record. A crash in
between loses the record, not the delivery: the claim is still in the table, and the next start
makes the attempt again (at least once). While the store is unavailable, results wait; at most
`_WAITING_LIMIT` of them, then the attempts themselves wait in `record`. At a stop the writer
tries once more and gives up, and the claims remain for the next start.

One result that the database refuses must not lose the others of its batch: after an error other
than `StoreUnavailable`, each result is written alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import structlog

from biont import Store, Transaction
from biont.exceptions import StoreUnavailable
from biont_webhooks.delivery.results import AttemptResult
from biont_webhooks.tables import DeliveryStatus

# Results hold answers of up to 16 KiB, so this bounds the memory while the store is unavailable.
_WAITING_LIMIT = 5000
_BATCH_LIMIT = 500
_RETRY_SECONDS = 1.0
_INTERVAL = 0.01
"""The pause after each write, in seconds: a commit for a few results costs as much as one for
many, and delays the events that arrive meanwhile."""

_log = structlog.get_logger("biont.webhooks")


class ResultWriter:
    """Background task that records the results of attempts.

    Args:
        store: the store with the deliveries.
        save: writes results inside a transaction.
        on_recorded: called with the results that were recorded.
    """

    def __init__(
        self,
        store: Store,
        save: Callable[[Transaction, Sequence[AttemptResult]], None],
        on_recorded: Callable[[Sequence[AttemptResult]], None],
    ) -> None:
        self._store = store
        self._save = save
        self._on_recorded = on_recorded
        self._waiting: list[AttemptResult] = []
        self._has_results = asyncio.Event()
        self._has_room = asyncio.Event()
        self._closing = False

    @asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        """Write results while the context is open, and the remaining results at its end."""
        task = asyncio.create_task(self._write_until_closed())
        try:
            yield
        finally:
            self._closing = True
            self._has_results.set()
            await task

    async def record(self, result: AttemptResult) -> None:
        """Hand in a result; wait while too many results are unwritten."""
        self._waiting.append(result)
        self._has_results.set()
        if len(self._waiting) > _WAITING_LIMIT:
            self._has_room.clear()
            await self._has_room.wait()

    async def _write_until_closed(self) -> None:
        while True:
            await self._has_results.wait()
            batch = self._waiting[:_BATCH_LIMIT]
            del self._waiting[:_BATCH_LIMIT]
            if not batch:
                if self._closing:
                    return
                self._has_results.clear()
                continue
            self._has_room.set()
            await self._write_batch(batch)
            if not self._closing:
                await asyncio.sleep(_INTERVAL)

    async def _write_batch(self, batch: list[AttemptResult]) -> None:
        while True:
            try:
                await self._store.transact(self._save, batch)
            except StoreUnavailable as error:
                _log.warning("attempts not recorded", count=len(batch), error=str(error))
                if self._closing:
                    return
                await asyncio.sleep(_RETRY_SECONDS)
            except Exception as error:  # noqa: BLE001  # one result must not stop the others
                await self._write_singly(batch, error)
                return
            else:
                self._report(batch)
                return

    def _report(self, batch: list[AttemptResult]) -> None:
        _log_failures(batch)
        try:
            self._on_recorded(batch)
        except Exception as error:  # noqa: BLE001  # later results must be recorded nevertheless
            _log.error("recorded attempts not processed", exc_info=error)

    async def _write_singly(self, batch: list[AttemptResult], error: Exception) -> None:
        """Write each result alone; a result that fails alone stays unrecorded.

        The claim of an unrecorded delivery remains, so the next start attempts it again.
        """
        if len(batch) > 1:
            for result in batch:
                await self._write_batch([result])
        else:
            _log.error("attempt cannot be recorded", exc_info=error)


def _log_failures(results: Sequence[AttemptResult]) -> None:
    """Log each delivery that has failed for good; an attempt that is repeated is no failure."""
    for result in results:
        if result.status is DeliveryStatus.FAILED:
            _log.warning(
                "delivery failed",
                webhook_id=result.delivery.webhook_id,
                delivery_id=result.delivery.id,
                event_id=result.delivery.event_id,
                attempts=result.delivery.attempts + 1,
                status_code=result.status_code,
                error=result.error,
            )
