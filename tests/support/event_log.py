"""Events from the past, written into a database whose workbench does not run."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

_INSERT = """
    INSERT INTO event_logs (number, event_id, user_id, event_type, payload, created_at,
        correlation_id, hops, hash)
    VALUES (?, ?, 1, 'custom_past', ?, '2026-03-01 12:00:00+00:00', ?, 0, '')
"""


def add_past_events(database: Path, count: int) -> Sequence[str]:
    """Append events of the first user to the event log; return their ids."""
    ids = [str(uuid.uuid4()) for _ in range(count)]
    with closing(sqlite3.connect(database)) as connection, connection:
        ((head,),) = connection.execute("SELECT head_number FROM event_log_ends")
        connection.executemany(
            _INSERT,
            (
                (head + number, event_id, f'{{"n":{number}}}', event_id)
                for number, event_id in enumerate(ids, 1)
            ),
        )
        connection.execute(
            "UPDATE event_log_ends SET head_number = ?, head_hash = ''", (head + count,)
        )
    return ids
