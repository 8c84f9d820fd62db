"""Where a process that does not run the workbench leaves its events.

Only the workbench numbers events and hands them on; it takes what lies here as
soon as it notices, or at its next start.
"""

from __future__ import annotations

from collections.abc import Sequence

from peewee import AutoField, TextField

from biont.event import Event, decode_event, encode_event
from biont.store.database import Table


class InboxRow(Table):
    """One event that waits to be taken."""

    id = AutoField()
    event = TextField()

    class Meta:
        table_name = "inbox"


def leave_events(events: Sequence[Event]) -> None:
    """Put `events` into the inbox."""
    InboxRow.insert_many([(encode_event(event),) for event in events], [InboxRow.event]).execute()


def take_events() -> list[Event]:
    """Empty the inbox; return what was in it, the oldest first."""
    rows = list(InboxRow.select().order_by(InboxRow.id))
    if rows:
        InboxRow.delete().where(InboxRow.id <= rows[-1].id).execute()
    return [decode_event(row.event) for row in rows]
