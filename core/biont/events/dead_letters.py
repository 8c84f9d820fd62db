"""What handlers have failed for good: to be read, replayed or dropped."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

import structlog

from biont.clock import Clock
from biont.event import decode_event
from biont.exceptions import Conflict, StoreUnavailable
from biont.store.dead_letters import (
    DeadLetter,
    DeadLetterFilter,
    bury,
    bury_again,
    count_letters,
    drop_letter,
    get_letter,
    mark_replaying,
    select_letters,
    select_replaying,
)
from biont.store.store import Store
from biont.store.transaction import Transaction

if TYPE_CHECKING:
    from biont.events.handler_queue import HandlerQueue
    from biont.events.handlers import Handler
    from biont.events.queues import Item

_AT_ONCE = 500
_LOOK_AGAIN = 5.0

_log = structlog.get_logger("biont.events")


class DeadLetters:
    """All dead letters, and the way back to their handlers.

    A replay is asked for by a mark on the row: it is durable, survives a restart,
    and may come from another process.

    Args:
        store: where they are kept.
        clock: stamps them.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._lanes: Mapping[str, HandlerQueue] = {}
        self._wanted = asyncio.Event()
        self._under_way: set[int] = set()
        self._settled = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def list_letters(
        self, choice: DeadLetterFilter, limit: int, before: int | None = None
    ) -> list[DeadLetter]:
        """Return up to `limit` of the chosen letters, the newest first, older than `before`."""
        return await self._store.read(select_letters, choice, limit, before)

    async def read(self, letter_id: int, *, user_id: int | None = None) -> DeadLetter:
        """Return one letter.

        Raises:
            NotFound: there is none of that number, or it is not the user's.
        """
        return await self._store.read(get_letter, letter_id, user_id)

    async def count(self, choice: DeadLetterFilter) -> int:
        """Return how many letters `replay` would replay."""
        return await self._store.read(count_letters, choice)

    async def replay(self, choice: DeadLetterFilter) -> int:
        """Let the handlers of the chosen letters see them again; return how many.

        A letter is gone once its handler has handled it. When it fails again by its
        retry policy, the letter is there again, with the new error.
        """
        return await self._store.transact(self._mark, choice)

    async def replay_one(self, letter_id: int, *, user_id: int | None = None) -> DeadLetter:
        """Let the handler of one letter see it again; return the letter.

        Raises:
            NotFound: there is none of that number, or it is not the user's.
            Conflict: its handler does not run, or is at it already.
        """
        return await self._store.transact(self._mark_one, letter_id, user_id)

    async def drop(self, letter_id: int, *, user_id: int | None = None) -> None:
        """Delete a letter; its handler will never have handled the event.

        Raises:
            NotFound: there is none of that number, or it is not the user's.
        """
        await self._store.write(_drop, letter_id, user_id)

    def start(self, lanes: Mapping[str, HandlerQueue]) -> None:
        """Begin to hand replays to their handlers, by name; first those left by a former run."""
        self._lanes = lanes
        self._store.on_foreign_change(self._wanted.set)
        self._wanted.set()
        self._task = asyncio.create_task(self._hand_over())

    async def stop(self) -> None:
        """Hand over no more; what is not handled yet goes on at the next start."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def bury(self, handler: Handler, item: Item, error: str) -> None:
        """Make a dead letter of an event, or keep the one that it comes from."""
        # What a handler quotes may hold half a surrogate pair, which no database takes.
        error = error.encode(errors="backslashreplace").decode()
        await self._store.write(self._bury, handler.name, item, error)
        self._settle(item)

    async def forget(self, item: Item) -> None:
        """Drop the letter of an event whose replay was handled."""
        assert item.letter_id is not None  # noqa: S101  # narrows the type for mypy
        try:
            await self._store.write(_drop_handled, item.letter_id)
        except StoreUnavailable as error:
            # It is still marked: the handler sees it once more, after the next start.
            _log.warning("dead letter not dropped", error=str(error), letter=item.letter_id)
        self._settle(item)

    def _settle(self, item: Item) -> None:
        if item.letter_id is not None:
            self._under_way.discard(item.letter_id)
            if not self._under_way:
                self._settled.set()

    async def _hand_over(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            try:
                while letters := await self._read_replaying():
                    await self._replay_all(letters)
            except StoreUnavailable as error:
                _log.warning("dead letters not read", error=str(error))
                asyncio.get_running_loop().call_later(_LOOK_AGAIN, self._wanted.set)

    async def _read_replaying(self) -> list[DeadLetter]:
        return await self._store.read(select_replaying, list(self._lanes), _AT_ONCE)

    async def _replay_all(self, letters: list[DeadLetter]) -> None:
        self._settled.clear()
        self._under_way.update(letter.id for letter in letters)
        for letter in letters:
            self._lanes[letter.handler].replay(letter.id, decode_event(letter.event))
        await self._settled.wait()

    def _mark(self, tx: Transaction, choice: DeadLetterFilter) -> int:
        tx.after_commit(self._wanted.set)
        return mark_replaying(choice)

    def _mark_one(self, tx: Transaction, letter_id: int, user_id: int | None) -> DeadLetter:
        letter = get_letter(letter_id, user_id)
        if letter.handler not in self._lanes:
            raise Conflict(
                f"the handler {letter.handler} does not run; mend or enable its plugin first"
            )
        if letter.replaying:
            raise Conflict(f"dead letter {letter_id} is being replayed already; read it again")
        letter.replaying = True
        letter.save()
        tx.after_commit(self._wanted.set)
        return letter

    def _bury(self, handler: str, item: Item, error: str) -> None:
        now = self._clock.now()
        if item.letter_id is None:
            bury(handler, item.event, error, item.attempts, now)
        else:
            bury_again(item.letter_id, error, item.attempts, now)


def _drop(letter_id: int, user_id: int | None) -> None:
    get_letter(letter_id, user_id)
    drop_letter(letter_id)


def _drop_handled(letter_id: int) -> None:
    drop_letter(letter_id)
