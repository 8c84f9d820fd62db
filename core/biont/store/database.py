"""The SQLite engine as peewee sees it, and the base class of every table."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
from peewee import Database, DatabaseProxy, DateTimeField, Model, OperationalError, SqliteDatabase
from playhouse.postgres_ext import DateTimeTZField

from biont.exceptions import BiontError, StoreUnavailable

_PASSING = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
}

_active: ContextVar[Database] = ContextVar("biont_database")


class _ActiveDatabase(DatabaseProxy):
    """Stands for the database whose read or write is running on this thread.

    Models are classes and outlive any workbench; bound to this proxy they
    belong to none, so that two workbenches can live in one process.
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
    """The base class of every table, the core's and the plugins' alike.

    Its queries run inside a function handed to `Store.read` or `Store.write`.
    """

    class Meta:
        """What all tables share."""

        database = _ActiveDatabase()
        legacy_table_names = False


if TYPE_CHECKING:
    InstantField = DateTimeField
else:

    class InstantField(DateTimeTZField):
        """An instant: timezone-aware, kept in UTC. Type checkers know it as a DateTimeField."""

        def db_value(self, value: object) -> object:
            """Return an instant in UTC: what SQLite compares is text."""
            if isinstance(value, datetime):
                value = value.astimezone(UTC)
            return super().db_value(value)

        def python_value(self, value: object) -> object:
            """Return what the engine gave as a datetime; peewee's own way tries five formats."""
            return datetime.fromisoformat(value) if isinstance(value, str) else value


def format_instant(at: datetime) -> str:
    """Return an instant as the tables have it: in UTC, as text whose order is that of time.

    `at` is timezone-aware. It is what an `InstantField` keeps, for statements of one's own.
    """
    in_utc = at if at.tzinfo is UTC else at.astimezone(UTC)
    # In half the time of datetime.isoformat: each event has one.
    return orjson.dumps(in_utc).decode()[1:-1].replace("T", " ")


def dump_json(value: object) -> str:
    """Return `value` as JSON text, as the tables keep it."""
    return orjson.dumps(value).decode()


@contextmanager
def activate(database: Database) -> Iterator[None]:
    """Let the tables used inside, in this context, mean `database`."""
    token = _active.set(database)
    try:
        yield
    finally:
        _active.reset(token)


class TransactionUndone(sqlite3.OperationalError):
    """SQLite has undone a transaction by itself, as it may on a full disk or ``OR ROLLBACK``.

    Nothing of it may be acknowledged, and nothing more be written as if it went on.
    """


@contextmanager
def savepoint(connection: sqlite3.Connection) -> Iterator[None]:
    """Undo what was done inside, and no more, when it raises.

    Raises:
        TransactionUndone: more was undone than that.
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

    For what has to be quick with many rows: each row that a cursor yields gives the
    interpreter's lock away and has to win it back, so let a statement take its rows
    from ``json_each(?)`` and give them back by ``json_group_array``.
    """
    cursor: sqlite3.Cursor = _active.get().execute_sql(sql, parameters)
    return cursor


def active_savepoint() -> AbstractContextManager[None]:
    """Return a savepoint of the transaction that is open on this thread."""
    return savepoint(_active.get().connection())


def judge_error(error: OperationalError) -> Exception:
    """Return what an error of SQLite means to the caller.

    Locked, full, out of reach: `StoreUnavailable`, since the same call may succeed
    later. Anything else is a mistake in the calling code, and stays what it is.
    """
    code = getattr(error.__context__, "sqlite_errorcode", 0)
    if code & 0xFF in _PASSING:  # the lowest byte is the kind, the rest is detail
        return StoreUnavailable(f"the database cannot be used for now: {error}; try again")
    return error


def open_sqlite(path: Path, busy_timeout: float) -> SqliteDatabase:
    """Return the database at `path`; each thread that uses it opens a connection of its own.

    Args:
        path: the file, created with its folder where missing.
        busy_timeout: how long a statement waits for another process, in seconds.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    return SqliteDatabase(
        str(path),
        timeout=busy_timeout,
        # FULL, since NORMAL may lose the last commits when the power fails.
        pragmas={
            "journal_mode": "wal",
            "synchronous": "full",
            "foreign_keys": 1,
            # Pages that may be written before they are copied into the file: by default
            # 1,000, which a few hundred deliveries dirty, and each copy holds all writes up.
            "wal_autocheckpoint": 4000,
            # In KiB, when it is negative.
            "cache_size": -16_000,
        },
    )
