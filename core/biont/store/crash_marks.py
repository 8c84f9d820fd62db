"""What handlers were at when the process died."""

from __future__ import annotations

from peewee import BooleanField, CompositeKey, IntegerField, TextField

from biont.store.database import Table


class CrashMark(Table):
    """An event that a handler was handed after a crash, and has not come back from."""

    handler = TextField()
    event_id = TextField()
    alone = BooleanField()
    crashes = IntegerField()

    class Meta:
        primary_key = CompositeKey("handler", "event_id")


def take_suspects() -> dict[tuple[str, str], int]:
    """Return what was under way when the process died, by handler and event.

    The number is how often it has died while nothing else could be to blame, this
    time included.
    """
    CrashMark.update(alone=False, crashes=CrashMark.crashes + 1).where(CrashMark.alone).execute()
    return {(mark.handler, mark.event_id): mark.crashes for mark in CrashMark.select()}


def save_mark(handler: str, event_id: str, *, alone: bool, crashes: int) -> None:
    """Note that `handler` is about to be handed an event that may end the process."""
    row = {"handler": handler, "event_id": event_id, "alone": alone, "crashes": crashes}
    CrashMark.insert(row).on_conflict_replace().execute()


def delete_mark(handler: str, event_id: str) -> None:
    """Note that `handler` has come back from an event."""
    CrashMark.delete().where(
        CrashMark.handler == handler, CrashMark.event_id == event_id
    ).execute()


def delete_marks() -> None:
    """Forget what all handlers were at."""
    CrashMark.delete().execute()
