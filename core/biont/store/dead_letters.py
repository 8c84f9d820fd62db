"""Table of dead letters: events that a handler has failed for good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from peewee import AutoField, BooleanField, Expression, IntegerField, TextField

from biont.event import Event, encode_event
from biont.exceptions import NotFound
from biont.store.database import InstantField, Table
from biont.store.retention import SLICE_ROWS
from biont.store.scan import Scan, find_scan_end


class DeadLetter(Table):
    """An event that one handler has failed for good.

    Attributes:
        event: the whole event as JSON text, because the journal is pruned.
        replaying: whether a replay was requested and has not ended.
    """

    id = AutoField()
    # Indexed, because a handler looks for its replays at each start.
    handler = TextField(index=True)
    event_id = TextField()
    event_type = TextField()
    # No foreign key: the dead letter has to outlive a deleted user.
    user_id = IntegerField()
    event = TextField()
    error = TextField()
    attempts = IntegerField()
    failed_at = InstantField()
    replaying = BooleanField(default=False)


@dataclass(frozen=True, slots=True)
class DeadLetterFilter:
    """A choice of dead letters; None means any.

    Attributes:
        user_id: the user of the event.
        handler: the name of the handler.
        since: the earliest instant of failure.
        until: the end of the range, exclusive.
    """

    user_id: int | None = None
    handler: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def conditions(self) -> list[Expression]:
        """Return the SQL conditions of the choice."""
        found: list[Expression] = []
        if self.user_id is not None:
            found.append(DeadLetter.user_id == self.user_id)
        if self.handler is not None:
            found.append(DeadLetter.handler == self.handler)
        if self.since is not None:
            found.append(DeadLetter.failed_at >= self.since)
        if self.until is not None:
            found.append(DeadLetter.failed_at < self.until)
        return found


def select_letters(choice: DeadLetterFilter, limit: int, before: int | None) -> Scan[DeadLetter]:
    """Return up to `limit` of the chosen letters, the newest first, older than `before`."""
    first = DeadLetter.id < (2**63 - 1 if before is None else before)
    newest_first = DeadLetter.select().order_by(DeadLetter.id.desc())
    end = None
    if choice.since is not None or choice.until is not None:
        # Not the order of the list, because a failed replay sets the instant again.
        indexed = replace(choice, since=None, until=None)
        end = find_scan_end(newest_first.where(first, *indexed.conditions()), DeadLetter.id)
    query = newest_first.where(first, DeadLetter.id >= (end or 0), *choice.conditions())
    return Scan(list(query.limit(limit)), end)


def count_letters(choice: DeadLetterFilter) -> int:
    """Return the number of chosen letters that are not being replayed."""
    conditions = [*choice.conditions(), ~DeadLetter.replaying]
    return int(DeadLetter.select().where(*conditions).count())


def get_letter(letter_id: int, user_id: int | None) -> DeadLetter:
    """Return a letter of `user_id`, or of any user for None.

    Raises:
        NotFound: there is no such letter, or another user has the letter.
    """
    found = DeadLetter.get_or_none(DeadLetter.id == letter_id)
    if found is None or user_id not in (None, found.user_id):
        raise NotFound(f"there is no dead letter {letter_id}")
    return found


def find_letters_of_event(event_id: str) -> list[DeadLetter]:
    """Return the letters of an event: at most one of each handler."""
    return list(DeadLetter.select().where(DeadLetter.event_id == event_id))


def find_letters(choice: DeadLetterFilter, after: int, limit: int) -> Scan[int]:
    """Return the ids of the chosen letters among the next `limit`, the oldest first.

    Args:
        choice: the choice.
        after: only letters with a higher id.
        limit: the most letters to look at; those whose time of failure does not match count too.
    """
    oldest_first = DeadLetter.select(DeadLetter.id).order_by(DeadLetter.id)
    indexed = replace(choice, since=None, until=None)
    looked_at = oldest_first.where(DeadLetter.id > after, *indexed.conditions())
    end: int | None = looked_at.offset(limit - 1).limit(1).scalar()
    query = oldest_first.where(DeadLetter.id > after, *choice.conditions(), ~DeadLetter.replaying)
    if end is not None:
        query = query.where(DeadLetter.id <= end)
    return Scan([letter.id for letter in query], end)


def mark_replaying(letter_ids: Sequence[int]) -> int:
    """Mark letters for replay; return the number of letters that were not marked before."""
    update = DeadLetter.update(replaying=True)
    return int(update.where(DeadLetter.id.in_(letter_ids), ~DeadLetter.replaying).execute())


def mark_some_replaying(choice: DeadLetterFilter, after: int) -> Scan[int]:
    """Mark some of the chosen letters with ids above `after`; return their ids."""
    found = find_letters(choice, after, SLICE_ROWS)
    mark_replaying(found.rows)
    return found


def select_replaying(handlers: Sequence[str], limit: int) -> list[DeadLetter]:
    """Return up to `limit` letters of `handlers` marked for replay, the oldest first."""
    query = DeadLetter.select().where(DeadLetter.replaying, DeadLetter.handler.in_(handlers))
    return list(query.order_by(DeadLetter.id).limit(limit))


def insert_dead_letter(
    handler: str, event: Event, error: str, attempts: int, now: datetime
) -> None:
    """Insert a dead letter for an event that `handler` has failed for good."""
    DeadLetter.create(
        handler=handler,
        event_id=event.id,
        event_type=event.event_type,
        user_id=event.user_id,
        event=encode_event(event),
        error=error,
        attempts=attempts,
        failed_at=now,
    )


def update_dead_letter(letter_id: int, error: str, attempts: int, now: datetime) -> None:
    """Update a letter whose replay has failed; `attempts` is added to the earlier attempts."""
    DeadLetter.update(
        error=error, attempts=DeadLetter.attempts + attempts, failed_at=now, replaying=False
    ).where(DeadLetter.id == letter_id).execute()


def delete_dead_letter(letter_id: int) -> None:
    """Delete the letter of this id."""
    DeadLetter.delete().where(DeadLetter.id == letter_id).execute()


def find_old_letters(before: datetime, limit: int) -> list[int]:
    """Return the ids of up to `limit` letters from before an instant, the oldest first."""
    old = DeadLetter.select(DeadLetter.id).where(
        DeadLetter.failed_at < before, ~DeadLetter.replaying
    )
    return [letter.id for letter in old.order_by(DeadLetter.failed_at).limit(limit)]


def delete_letters(letter_ids: Sequence[int]) -> None:
    """Delete the letters of these ids that are not being replayed."""
    DeadLetter.delete().where(DeadLetter.id.in_(letter_ids), ~DeadLetter.replaying).execute()
