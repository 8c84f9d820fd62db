"""Crash marks: the events that handlers were called with when the process died."""

from __future__ import annotations

from peewee import BooleanField, CompositeKey, IntegerField, TextField

from biont.store.database import Table


class CrashMark(Table):
    """An event whose handler was called after a crash and has not returned.

    Attributes:
        alone: whether no other suspect event was under way at the same time.
        crashes: the number of earlier crashes during such a call.
    """

    handler = TextField()
    event_id = TextField()
    alone = BooleanField()
    crashes = IntegerField()

    class Meta:
        primary_key = CompositeKey("handler", "event_id")


def take_suspects() -> dict[tuple[str, str], int]:
    """Return the crash count of each event that was under way, by handler and event id.

    Only crashes count during which no other suspect event was under way, the last crash
    included.
    """
    # In one statement with the reset of `alone`, so that a crash right now is not counted twice.
    CrashMark.update(alone=False, crashes=CrashMark.crashes + 1).where(CrashMark.alone).execute()
    return {(mark.handler, mark.event_id): mark.crashes for mark in CrashMark.select()}


def save_mark(handler: str, event_id: str, *, alone: bool, crashes: int) -> None:
    """Save a mark before `handler` is called with an event that may end the process."""
    row = {"handler": handler, "event_id": event_id, "alone": alone, "crashes": crashes}
    CrashMark.insert(row).on_conflict_replace().execute()


def delete_mark(handler: str, event_id: str) -> None:
    """Delete the mark of an event after the call of `handler`."""
    CrashMark.delete().where(
        CrashMark.handler == handler, CrashMark.event_id == event_id
    ).execute()


def delete_marks() -> None:
    """Delete all marks."""
    CrashMark.delete().execute()
