"""Write probe: a try to write to a database that could not be written."""

from __future__ import annotations

from peewee import Database

from biont.store.database import execute_sql

_BYTES = 256 * 1024
"""The size of a try: a few bytes fit on a disk that is full for every real write."""


def try_write(database: Database) -> None:
    """Write to the active database, and remove what was written.

    Raises:
        PeeweeException: the database cannot be written.
        sqlite3.Error: the transaction cannot be begun.
    """
    with database.atomic("IMMEDIATE"):
        execute_sql("DROP TABLE IF EXISTS biont_probe")
        execute_sql("CREATE TABLE biont_probe (content BLOB)")
        execute_sql("INSERT INTO biont_probe VALUES (zeroblob(?))", _BYTES)
    with database.atomic("IMMEDIATE"):
        execute_sql("DROP TABLE biont_probe")
