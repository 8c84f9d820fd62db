"""Growth of the database: its size once an hour for 30 days, and the share of each table now."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from peewee import AutoField, BigIntegerField

from biont.clock import Clock
from biont.runtime.isolated_call import call_in_thread
from biont.store.database import InstantField, Table
from biont.store.failures import translate_error

_KEPT = timedelta(days=30)
# A workbench that restarts often keeps no more sizes than any other.
_INTERVAL = timedelta(minutes=50)
_FRESH = timedelta(hours=1)
_PATIENCE = 2.0

# Reads each page of the file once; the cells of leaf pages are the rows of a table.
_SIZES = """
    SELECT s.tbl_name, sum(d.pgsize),
        sum(CASE WHEN d.pagetype = 'leaf' AND s.type = 'table' THEN d.ncell ELSE 0 END)
    FROM dbstat d JOIN sqlite_schema s ON s.name = d.name
    GROUP BY s.tbl_name ORDER BY 2 DESC, 1
"""


class DatabaseSize(Table):
    """Size of the database file at an instant, in bytes."""

    id = AutoField()
    measured_at = InstantField()
    bytes = BigIntegerField()

    class Meta:
        table_name = "database_sizes"


@dataclass(frozen=True, slots=True)
class TableSize:
    """Share of a table in the database.

    Attributes:
        name: the name of the table.
        rows: the number of rows.
        bytes: the size with all indexes; None if this SQLite cannot tell.
    """

    name: str
    rows: int
    bytes: int | None


def keep_size(now: datetime, size: int) -> None:
    """Keep the present size, unless one was kept just now; delete old sizes."""
    last = DatabaseSize.select().order_by(DatabaseSize.id.desc()).first()
    if last is None or abs(now - last.measured_at) >= _INTERVAL:
        DatabaseSize.create(measured_at=now, bytes=size)
    DatabaseSize.delete().where(DatabaseSize.measured_at < now - _KEPT).execute()


def list_sizes() -> list[DatabaseSize]:
    """Return the kept sizes, the oldest first."""
    return list(DatabaseSize.select().order_by(DatabaseSize.id))


class TableSizes:
    """Sizes of all tables, measured at most once an hour, because each page of the file is read.

    Args:
        database: the database.
        clock: tells whether a measurement is fresh.
    """

    def __init__(self, database: Path, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._sizes: Sequence[TableSize] = ()
        self.measured_at: datetime | None = None
        self._task: asyncio.Task[None] | None = None

    async def read(self) -> Sequence[TableSize]:
        """Return the sizes, the largest first; the last ones while a measurement takes long.

        Raises:
            StoreUnavailable: the database cannot be read.
        """
        now = self._clock.now()
        is_fresh = self.measured_at is not None and now - self.measured_at < _FRESH
        if self._task is None and not is_fresh:
            self._task = asyncio.create_task(self._measure(now))
        task = self._task
        if task is not None:
            await asyncio.wait([task], timeout=_PATIENCE)
            if task.done():
                self._task = None
                task.result()
        return self._sizes

    async def _measure(self, now: datetime) -> None:
        measure = partial(_measure, self._database)
        self._sizes = await call_in_thread(measure, "biont-table-sizes")
        self.measured_at = now


def _measure(database: Path) -> Sequence[TableSize]:
    address = f"{database.absolute().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True)) as connection:
            options = {name for (name,) in connection.execute("PRAGMA compile_options")}
            if "ENABLE_DBSTAT_VTAB" in options:
                rows = connection.execute(_SIZES).fetchall()
                return [TableSize(name, count, size) for name, size, count in rows]
            return _count_rows(connection)
    except sqlite3.Error as error:
        raise translate_error(error) from error


def _count_rows(connection: sqlite3.Connection) -> Sequence[TableSize]:
    """Return the tables without sizes, for an SQLite without the table `dbstat`."""
    names = connection.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0"
    ).fetchall()
    found = []
    for (name,) in names:
        count = connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608  # a name of the schema
        found.append(TableSize(name, count, None))
    return sorted(found, key=lambda table: (-table.rows, table.name))
