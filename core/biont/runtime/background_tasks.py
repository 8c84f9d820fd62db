"""What is done in the background, now and then, to keep a workbench in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from biont.exceptions import StoreUnavailable

Chore = Callable[[], Awaitable[None]]

_log = structlog.get_logger("biont.runtime.background_tasks")


@dataclass(frozen=True)
class _Entry:
    name: str
    chore: Chore
    seconds: float


class BackgroundTasks:
    """Does chores again and again, each by itself and never twice at once.

    APScheduler says when. It goes by the machine's clock, and may be late by as much as
    that is set back: nothing here has to be done at a certain time.
    """

    def __init__(self) -> None:
        self._entries: list[_Entry] = []
        self._going: dict[str, asyncio.Task[None]] = {}

    def every(self, seconds: float, name: str, chore: Chore) -> None:
        """Have something done at the start and then again and again, from within a `lifespan`.

        Args:
            seconds: from one time to the next.
            name: tells it from others, in the log: ``audit.retention``.
            chore: what is done. When it raises, that is logged, and it is done again at
                its next time.
        """
        self._entries.append(_Entry(name, chore, seconds))

    @asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        """Do what was asked for while this is open; what goes on at its end is cancelled."""
        ticker = AsyncIOScheduler(timezone="UTC", job_defaults={"misfire_grace_time": None})
        for entry in self._entries:
            ticker.add_job(self._tick, "interval", seconds=entry.seconds, args=[entry])
            await self._tick(entry)
        ticker.start()
        try:
            yield
        finally:
            ticker.shutdown(wait=False)
            for task in self._going.values():
                task.cancel()
            await asyncio.gather(*self._going.values(), return_exceptions=True)

    async def _tick(self, entry: _Entry) -> None:
        # Async, though it awaits nothing: APScheduler runs what is not in threads.
        going = self._going.get(entry.name)
        if going is None or going.done():
            self._going[entry.name] = asyncio.create_task(self._do(entry))

    async def _do(self, entry: _Entry) -> None:
        try:
            await entry.chore()
        except StoreUnavailable as error:
            _log.warning("put off", chore=entry.name, error=str(error))
        except Exception:  # noqa: BLE001  # a mistake must not stop the workbench
            _log.exception("failed", chore=entry.name)
