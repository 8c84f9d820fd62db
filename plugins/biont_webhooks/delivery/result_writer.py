"""Records attempts, many in one write."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import structlog

from biont import Store, Transaction
from biont.exceptions import StoreUnavailable
from biont_webhooks.delivery.results import AttemptResult

_WAITING_LIMIT = 5000
_BATCH_LIMIT = 500
_WRITE_AGAIN = 1.0

_log = structlog.get_logger("biont.webhooks")


class ResultWriter:
    """Writes outcomes to the store in the background.

    An attempt whose record a crash prevents is made again: at least once.

    Args:
        store: where attempts are recorded.
        save: writes outcomes.
        on_recorded: called with what was written.
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
        self._waiting: asyncio.Queue[AttemptResult | None] = asyncio.Queue(_WAITING_LIMIT)
        self._closing = False

    @asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        """Write while this is open, and what is left when it closes."""
        writer = asyncio.create_task(self._write_all())
        try:
            yield
        finally:
            self._closing = True
            await self._waiting.put(None)
            await writer

    async def record(self, outcome: AttemptResult) -> None:
        """Hand in an outcome; waits while too many are unwritten."""
        await self._waiting.put(outcome)

    async def _write_all(self) -> None:
        is_open = True
        while is_open:
            outcomes: list[AttemptResult] = []
            item = await self._waiting.get()
            while item is not None:
                outcomes.append(item)
                if self._waiting.empty() or len(outcomes) == _BATCH_LIMIT:
                    break
                item = self._waiting.get_nowait()
            is_open = item is not None
            if outcomes:
                await self._write(outcomes)

    async def _write(self, outcomes: list[AttemptResult]) -> None:
        while True:
            try:
                await self._store.transact(self._save, outcomes)
            except StoreUnavailable as error:
                _log.warning("attempts not recorded", count=len(outcomes), error=str(error))
                if self._closing:
                    return
                await asyncio.sleep(_WRITE_AGAIN)
            except Exception as error:  # noqa: BLE001  # one of them must not stop all others
                await self._write_apart(outcomes, error)
                return
            else:
                self._on_recorded(outcomes)
                return

    async def _write_apart(self, outcomes: list[AttemptResult], error: Exception) -> None:
        """Record what can be recorded; the rest counts as never attempted from the next start."""
        if len(outcomes) > 1:
            for outcome in outcomes:
                await self._write([outcome])
        else:
            _log.error("attempt cannot be recorded", error=repr(error), exc_info=error)
