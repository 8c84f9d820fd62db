"""Dead letters: events that a handler has failed for good, to be read, replayed or deleted.

    saved --replay requested--> replaying --handled------------> deleted
      ^                             |
      +-----failed for good again---+

A request to replay only sets the mark `replaying` on the row. So a request is durable,
survives a restart, and may come from another process, such as a command. One task hands the
marked letters to the handler queues, `_BATCH` at a time, and waits for the whole batch before
the next read, so that no letter is handed out twice.

A crash during a replay leaves the mark: the next start replays the letter again. When the
deletion after a replay fails, the mark stays as well, and the handler sees the event once more.

An event of a deleted user leaves no letter, because no user could read or replay such a letter.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import structlog
from peewee import IntegrityError

from biont.clock import Clock
from biont.event import decode_event
from biont.exceptions import Conflict, NotFound, StoreUnavailable
from biont.store.dead_letters import (
    DeadLetter,
    DeadLetterFilter,
    count_letters,
    delete_dead_letter,
    get_letter,
    insert_dead_letter,
    mark_replaying,
    mark_some_replaying,
    select_letters,
    select_replaying,
    update_dead_letter,
)
from biont.store.scan import Scan
from biont.store.store import Store
from biont.store.transaction import Transaction

if TYPE_CHECKING:
    from biont.events.handler_queue import HandlerQueue
    from biont.events.handlers import Handler
    from biont.events.ready_queues import QueuedEvent

_BATCH = 500
_READ_RETRY = 5.0

_log = structlog.get_logger("biont.events")


class DeadLetters:
    """All dead letters, with their replay.

    Args:
        store: keeps the letters.
        clock: gives the instants of failure.
        has_user: a store function that returns whether a user exists.
    """

    def __init__(self, store: Store, clock: Clock, has_user: Callable[[int], bool]) -> None:
        self._store = store
        self._clock = clock
        self._has_user = has_user
        self._queues: Mapping[str, HandlerQueue] = {}
        self._requested = asyncio.Event()
        self._under_way: set[int] = set()
        self._batch_ended = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def list_letters(
        self, choice: DeadLetterFilter, limit: int, before: int | None = None
    ) -> Scan[DeadLetter]:
        """Return up to `limit` of the chosen letters, the newest first, older than `before`."""
        return await self._store.read(select_letters, choice, limit, before)

    async def read(self, letter_id: int, *, user_id: int | None = None) -> DeadLetter:
        """Return a letter of `user_id`, or of any user for None.

        Raises:
            NotFound: the letter does not exist, or belongs to another user.
        """
        return await self._store.read(get_letter, letter_id, user_id)

    async def count(self, choice: DeadLetterFilter) -> int:
        """Return the number of letters that `replay` would replay."""
        return await self._store.read(count_letters, choice)

    async def replay(self, choice: DeadLetterFilter) -> int:
        """Replay the chosen letters to their handlers; return the number of letters.

        A letter is deleted when its handler has handled the event. When all retries fail
        again, the letter stays, with the new error.
        """
        count, last = 0, 0
        while True:
            marked = await self._store.write(mark_some_replaying, choice, last)
            self._requested.set()
            count += len(marked.rows)
            if marked.end is None:
                return count
            # By id: a letter may fail again while the later letters are marked.
            last = marked.end

    def mark(self, tx: Transaction, letter_ids: Sequence[int]) -> int:
        """Replay letters after the transaction; return the number of newly marked letters."""
        tx.after_commit(self._requested.set)
        return mark_replaying(letter_ids)

    async def replay_one(self, letter_id: int, *, user_id: int | None = None) -> DeadLetter:
        """Replay a letter to its handler; return the letter.

        Raises:
            NotFound: the letter does not exist, or belongs to another user.
            Conflict: the handler is not running, or the letter is being replayed.
        """
        return await self._store.transact(self._request_one, letter_id, user_id)

    async def delete(self, letter_id: int, *, user_id: int | None = None) -> None:
        """Delete a letter; the handler never handles the event.

        Raises:
            NotFound: the letter does not exist, or belongs to another user.
        """
        await self._store.write(_delete_checked, letter_id, user_id)

    def start(self, queues: Mapping[str, HandlerQueue]) -> None:
        """Start replaying by the queues of the handlers, by name; first the marked letters."""
        self._queues = queues
        # A request of another process has no callback; every foreign commit causes a look.
        self._store.on_foreign_change(self._requested.set)
        self._requested.set()
        self._task = asyncio.create_task(self._replay_marked())

    async def stop(self) -> None:
        """Stop replaying; the next start continues with the marked letters."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def save(self, handler: Handler, item: QueuedEvent, error: str) -> None:
        """Save a dead letter for an event, or update the letter of a replay."""
        # An error text may hold half a surrogate pair, which no database accepts.
        error = error.encode(errors="backslashreplace").decode()
        if not await self._store.write(self._write_letter, handler.name, item, error):
            _log.info(
                "event of a deleted user dropped", handler=handler.name, event_id=item.event.id
            )
        if item.letter_id is not None:
            self._end_replay(item.letter_id)

    async def is_dropped(self, item: QueuedEvent, error: Exception, *, is_last: bool) -> bool:
        """Return whether a failed event is dropped, because its user was deleted.

        Args:
            item: the event.
            error: the error of the handler.
            is_last: whether no retry is left.
        """
        # Any other error may be gone at the next call, also when the user is gone.
        if not is_last and not isinstance(error, IntegrityError | NotFound):
            return False
        try:
            return not await self._store.read(self._has_user, item.event.user_id)
        except StoreUnavailable:
            return False

    async def delete_replayed(self, letter_id: int) -> None:
        """Delete a letter whose replay was handled."""
        try:
            await self._store.write(delete_dead_letter, letter_id)
        except StoreUnavailable as error:
            # The mark stays: the handler sees the event once more, after the next start.
            _log.warning("dead letter not deleted", error=str(error), letter=letter_id)
        self._end_replay(letter_id)

    def _end_replay(self, letter_id: int) -> None:
        self._under_way.discard(letter_id)
        if not self._under_way:
            self._batch_ended.set()

    async def _replay_marked(self) -> None:
        while True:
            await self._requested.wait()
            self._requested.clear()
            try:
                while letters := await self._read_replaying():
                    await self._replay_all(letters)
            except StoreUnavailable as error:
                _log.warning("dead letters not read", error=str(error))
                asyncio.get_running_loop().call_later(_READ_RETRY, self._requested.set)

    async def _read_replaying(self) -> list[DeadLetter]:
        return await self._store.read(select_replaying, list(self._queues), _BATCH)

    async def _replay_all(self, letters: list[DeadLetter]) -> None:
        # Before the first letter is handed out, because a quick handler may end the batch at once.
        self._batch_ended.clear()
        self._under_way.update(letter.id for letter in letters)
        for letter in letters:
            self._queues[letter.handler].replay(letter.id, decode_event(letter.event))
        await self._batch_ended.wait()

    def _request_one(self, tx: Transaction, letter_id: int, user_id: int | None) -> DeadLetter:
        letter = get_letter(letter_id, user_id)
        if letter.handler not in self._queues:
            raise Conflict(
                f"the handler {letter.handler} is not running; repair or enable its plugin first"
            )
        if letter.replaying:
            raise Conflict(
                f"dead letter {letter_id} is being replayed already; read the letter again later"
            )
        letter.replaying = True
        letter.save()
        tx.after_commit(self._requested.set)
        return letter

    def _write_letter(self, handler: str, item: QueuedEvent, error: str) -> bool:
        now = self._clock.now()
        # In the transaction of the letter, because the user may be deleted at any moment.
        has_user = self._has_user(item.event.user_id)
        if item.letter_id is not None and has_user:
            update_dead_letter(item.letter_id, error, item.failures, now)
        elif item.letter_id is not None:
            delete_dead_letter(item.letter_id)
        elif has_user:
            insert_dead_letter(handler, item.event, error, item.failures, now)
        return has_user


def _delete_checked(letter_id: int, user_id: int | None) -> None:
    get_letter(letter_id, user_id)
    delete_dead_letter(letter_id)
