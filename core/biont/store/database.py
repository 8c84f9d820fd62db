"""SQLite by peewee: connection settings, the base class of tables, and column types."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import orjson
from peewee import Database, DatabaseProxy, DateTimeField, Model, SqliteDatabase
from playhouse.postgres_ext import DateTimeTZField

from biont.exceptions import BiontError

_active: ContextVar[Database] = ContextVar("biont_database")


class _ActiveDatabase(DatabaseProxy):
    """Proxy of the database whose read or write is running on this thread.

    Model classes outlive a workbench. All models are bound to this proxy instead of a
    database, so that two workbenches can run in one process.
    """

    def __getattr__(self, name: str) -> object:
        try:
            database = _active.get()
        except LookupError:
            raise BiontError(
                "a table was used outside the store; "
                "call it from a function handed to Store.read or Store.write"
            ) from None
        return getattr(database, name)


class Table(Model):
    """The base class of all tables, of the core and of plugins.

    Queries run inside a function that is passed to `Store.read`, `write` or `transact`.

    Attributes:
        keeps_rows_of_deleted_users: whether rows with a ``user_id`` stay when the user is deleted.
        ends_with_referrers: whether a row is deleted with the user whose rows refer to it, when
            no other row does.
    """

    keeps_rows_of_deleted_users: ClassVar[bool] = False
    ends_with_referrers: ClassVar[bool] = False

    class Meta:
        """Settings of all tables."""

        database = _ActiveDatabase()
        legacy_table_names = False


if TYPE_CHECKING:
    InstantField = DateTimeField
else:

    class InstantField(DateTimeTZField):
        """A timezone-aware instant, stored in UTC. Type checkers see a DateTimeField."""

        def db_value(self, value: object) -> object:
            """Return an instant in UTC, because SQLite compares instants as text."""
            if isinstance(value, datetime):
                value = value.astimezone(UTC)
            return super().db_value(value)

        def python_value(self, value: object) -> object:
            """Return the stored text as a datetime; peewee would try five formats."""
            return datetime.fromisoformat(value) if isinstance(value, str) else value


def format_instant(at: datetime) -> str:
    """Return an instant as tables store it: text in UTC that sorts by time.

    `at` is timezone-aware. The text equals the value of an `InstantField`, for plain SQL.
    """
    in_utc = at if at.tzinfo is UTC else at.astimezone(UTC)
    # Half the time of datetime.isoformat, and every event has an instant.
    return orjson.dumps(in_utc).decode()[1:-1].replace("T", " ")


def dump_json(value: object) -> str:
    """Return `value` as JSON text, as tables store it."""
    return orjson.dumps(value).decode()


@contextmanager
def activate(database: Database) -> Iterator[None]:
    """Bind all tables to `database` inside the block, in this context."""
    token = _active.set(database)
    try:
        yield
    finally:
        _active.reset(token)


class TransactionUndone(sqlite3.OperationalError):
    """SQLite has rolled back a whole transaction by itself: a full disk, or ``OR ROLLBACK``.

    No write of the transaction may be acknowledged, and no further write may follow in it.
    """


@contextmanager
def savepoint(connection: sqlite3.Connection) -> Iterator[None]:
    """Undo the changes of the block, and no others, when the block raises.

    Raises:
        TransactionUndone: the whole transaction was rolled back.
    """
    connection.execute("SAVEPOINT biont")
    try:
        yield
    except BaseException as error:
        if not connection.in_transaction:
            raise TransactionUndone("SQLite has undone the whole transaction") from error
        connection.execute("ROLLBACK TO biont")
        connection.execute("RELEASE biont")
        raise
    connection.execute("RELEASE biont")


def execute_sql(sql: str, *parameters: str | float | None) -> sqlite3.Cursor:
    """Run one statement on the database whose read or write is running on this thread.

    For fast statements on many rows. Each row that a cursor yields releases the
    interpreter's lock and has to acquire the lock again, so pass many rows by
    ``json_each(?)`` and return many rows by ``json_group_array``.
    """
    cursor: sqlite3.Cursor = _active.get().execute_sql(sql, parameters)
    return cursor


def active_savepoint() -> AbstractContextManager[None]:
    """Return a savepoint of the transaction that is open on this thread."""
    return savepoint(_active.get().connection())


class _Sqlite(SqliteDatabase):
    """SQLite database whose failed commits keep their cause."""

    def rollback(self) -> None:
        """Undo the transaction, unless SQLite has undone the transaction by itself.

        After a commit on a full disk a second rollback would fail, and its error "cannot
        rollback - no transaction is active" would hide the cause.
        """
        if Database.connection(self).in_transaction:
            super().rollback()


def open_sqlite(path: Path, busy_timeout: float) -> SqliteDatabase:
    """Return the database at `path`; each thread opens a connection of its own.

    Args:
        path: the file.
        busy_timeout: the longest wait of a statement for another process, in seconds.
    """
    return _Sqlite(
        str(path),
        timeout=busy_timeout,
        # FULL, because NORMAL may lose the last commits when the power fails.
        pragmas={
            "journal_mode": "wal",
            "synchronous": "full",
            "foreign_keys": 1,
            # Pages in the log before a checkpoint copies the pages into the file. The default
            # of 1,000 is reached by a few hundred deliveries, and a checkpoint stops all writes.
            "wal_autocheckpoint": 4000,
            # A negative number means KiB.
            "cache_size": -16_000,
        },
    )
