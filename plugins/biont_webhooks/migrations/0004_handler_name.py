"""New name of the handler that creates deliveries, in all records of the event system.

Without this migration the renamed handler would begin with the events to come: the position of
the former name would be dropped, together with the deferred events that wait behind it.
"""

_TABLES = ("handler_position", "dead_letter", "crash_mark")


def up(migrator, db):
    for table in _TABLES:
        db.execute_sql(
            f"UPDATE {table} SET handler = ? WHERE handler = ?",  # noqa: S608  # a constant
            ("webhooks.create_deliveries", "webhooks.owe_events"),
        )
