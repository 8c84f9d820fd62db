r"""Detects poison events, whose handler kills the process, and dead-letters them.

"At least once" calls a handler again after a crash with the same event. An event that kills
the process would kill the process at every start. So after a crash, each event that may have
been under way is watched:

    watched --mark saved, handler called--> outcome recorded: mark deleted, event cleared
                                       \--> process died: mark stays, a suspect at next start

    suspect --called alone, mark with `alone`--> outcome recorded: mark deleted
                                            \--> process died: crash count + 1, suspect again
    suspect with `crash_limit` crashes ---------> poison event: dead letter, handler not called

A mark of the first kind proves nothing, because several handlers run at once. A suspect is
called while no other watched event is under way, in any handler, so a crash during such a call
counts. A mark lasts until the outcome is recorded: the retry, the dead letter, or the success.
Marks cost two commits per event, which is why nothing is watched after a clean stop.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from biont.events.ready_queues import QueuedEvent
from biont.exceptions import StoreUnavailable
from biont.store.crash_marks import delete_mark, save_mark
from biont.store.store import Store


class PoisonEvent(Exception):
    """The process has died too often while a handler was called with this event."""


@dataclass
class CrashInvestigation:
    """The facts about a crash, shared by all handlers.

    Attributes:
        suspects: the number of crashes of each suspect, by handler and event id.
        last: the number of the last event that may have been under way.
        count: the most events that a handler had in memory.
        limit: the number of crashes after which a suspect is a poison event.
    """

    suspects: Mapping[tuple[str, str], int]
    last: int
    count: int
    limit: int
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _is_quiet: asyncio.Event = field(default_factory=asyncio.Event)
    _under_way: int = 0

    @asynccontextmanager
    async def call_alone(self) -> AsyncIterator[None]:
        """Wait until no other watched call is under way, and let none begin in the block."""
        async with self._turn:
            if self._under_way:
                await self._is_quiet.wait()
            yield

    @asynccontextmanager
    async def call_beside_others(self) -> AsyncIterator[None]:
        """Wait while a suspect is called; other watched calls run at the same time."""
        async with self._turn:
            self._under_way += 1
            self._is_quiet.clear()
        try:
            yield
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._is_quiet.set()


class PoisonEventGuard:
    """Saves a mark for each watched event of one handler before the call.

    Args:
        store: keeps the marks.
        handler: the name of the handler.
        investigation: the facts about the crash.
    """

    def __init__(self, store: Store, handler: str, investigation: CrashInvestigation) -> None:
        self._store = store
        self._handler = handler
        self._investigation = investigation
        # At most these many of the old events were in memory, and so possibly under way.
        self._left = investigation.count

    def is_watching(self, queued: QueuedEvent) -> bool:
        """Return whether the event may have killed the process."""
        return self._is_suspect(queued) or (
            self._left > 0 and queued.sequence <= self._investigation.last
        )

    @asynccontextmanager
    async def watch(self, queued: QueuedEvent) -> AsyncIterator[None]:
        """Hold a mark for `queued` inside the block, which calls the handler.

        Raises:
            PoisonEvent: the handler must not be called.
            StoreUnavailable: no mark was saved, so the handler must not be called.
        """
        self._left -= 1
        if not self._is_suspect(queued):
            async with (
                self._investigation.call_beside_others(),
                self._keep_mark(queued, crashes=0),
            ):
                yield
            return
        async with self._investigation.call_alone():
            crashes = self._investigation.suspects[self._handler, queued.event.id]
            if crashes >= self._investigation.limit:
                raise PoisonEvent(
                    f"the process has died {crashes} times during a call with this event"
                )
            async with self._keep_mark(queued, crashes=crashes):
                yield

    def _is_suspect(self, queued: QueuedEvent) -> bool:
        return (self._handler, queued.event.id) in self._investigation.suspects

    @asynccontextmanager
    async def _keep_mark(self, queued: QueuedEvent, crashes: int) -> AsyncIterator[None]:
        alone = self._is_suspect(queued)
        await self._store.write(
            save_mark, self._handler, queued.event.id, alone=alone, crashes=crashes
        )
        try:
            yield
        finally:
            # Also after an exception: the handler came back, and the process lives. A mark that
            # stays makes the event a suspect after a crash, which the next call then clears.
            with contextlib.suppress(StoreUnavailable):
                await self._store.write(delete_mark, self._handler, queued.event.id)
