"""Inbox: events emitted by a process that does not run the workbench, such as a command.

Only the workbench numbers events and hands them to handlers. Another process inserts its
events here, in the transaction of its other changes:

    inserted --the writer notices the commit, or starts--> taken

The writer of the workbench takes the events in the transaction that adds the same events to
the journal. So a crash in between leaves an event in exactly one of both.
"""

from __future__ import annotations

from collections.abc import Sequence

from peewee import AutoField, TextField

from biont.event import Event, decode_event, encode_event
from biont.store.database import Table


class InboxRow(Table):
    """An event in the inbox."""

    id = AutoField()
    event = TextField()

    class Meta:
        table_name = "inbox"


def insert_inbox_events(events: Sequence[Event]) -> None:
    """Insert `events` into the inbox."""
    InboxRow.insert_many([(encode_event(event),) for event in events], [InboxRow.event]).execute()


def take_inbox_events() -> list[Event]:
    """Delete and return all events of the inbox, the oldest first."""
    rows = list(InboxRow.select().order_by(InboxRow.id))
    if rows:
        InboxRow.delete().where(InboxRow.id <= rows[-1].id).execute()
    return [decode_event(row.event) for row in rows]
