"""What handlers were at when the process died."""

from __future__ import annotations

from peewee import IntegerField, TextField

from biont.store.database import Table


class CrashMark(Table):
    """An event that a handler was handed after a crash, and has not come back from."""

    handler = TextField(primary_key=True)
    event_id = TextField()
    crashes = IntegerField()


def read_marks() -> dict[str, tuple[str, int]]:
    """Return each handler's mark: the event, and how often the process has died over it."""
    return {mark.handler: (mark.event_id, mark.crashes) for mark in CrashMark.select()}


def save_mark(handler: str, event_id: str, crashes: int) -> None:
    """Note that `handler` is about to be handed an event that may end the process."""
    row = {"handler": handler, "event_id": event_id, "crashes": crashes}
    CrashMark.insert(row).on_conflict_replace().execute()


def delete_mark(handler: str) -> None:
    """Forget what `handler` was at."""
    CrashMark.delete().where(CrashMark.handler == handler).execute()


def delete_marks() -> None:
    """Forget what all handlers were at."""
    CrashMark.delete().execute()
