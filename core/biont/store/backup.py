"""Backup of the database, also while a workbench runs, and its restoration.

A backup is one SQLite file, copied by SQLite's backup API inside a read transaction: the copy has
the state of one moment, and writes go on meanwhile. A file that is copied by other means while a
workbench runs lacks the writes of the write-ahead log, and may be damaged.

A restoration works in these steps, of which each but the last leaves the database as it was:

    lock held --> backup checked --> copied beside the database, durable
              --> database moved aside (`.replaced`) --> copy moved to its place
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from peewee import SqliteDatabase

from biont.exceptions import StoreConflict, StoreDamaged, StoreUnavailable
from biont.store.database import activate
from biont.store.failures import DAMAGE_REMEDY, translate_error
from biont.store.file_modes import open_private

_BESIDE = ("", "-wal", "-shm", "-journal")
_SHOWN = 5
_READ_ERRORS = (sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ)


def back_up(database: Path, target: Path) -> None:
    """Copy the database to the new file `target`, which appears only when it is complete.

    Raises:
        StoreConflict: `target` exists.
        StoreUnavailable: the database cannot be read, or `target` cannot be written.
        StoreDamaged: the database is damaged, so that its copy would be no backup.
    """
    if not database.is_file():
        raise StoreUnavailable(f"the database {database} does not exist; see database.url")
    if target.exists():
        raise StoreConflict(f"the file {target} exists; name a new file")
    partial = target.with_name(f"{target.name}.partial")
    try:
        _create(partial)
        _copy_database(database, partial)
        damage = find_damage(partial)
        if damage is not None:
            raise StoreDamaged(f"{database}: the database is damaged ({damage}); {DAMAGE_REMEDY}")
        _replace(partial, target)
    except sqlite3.Error as error:
        raise _explain(database, target, error) from error
    except OSError as error:
        raise StoreUnavailable(
            f"the backup {target} cannot be written: {error.strerror}; choose another file"
        ) from error
    finally:
        partial.unlink(missing_ok=True)


def find_damage(backup: Path) -> str | None:
    """Return the first damages that SQLite finds in a backup; None for a whole database.

    Raises:
        StoreUnavailable: the file cannot be read.
    """
    if not backup.is_file():
        raise StoreUnavailable(f"there is no backup {backup}")
    try:
        # Immutable: the check leaves no file beside the backup.
        with closing(sqlite3.connect(_address(backup, "immutable=1"), uri=True)) as connection:
            found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(10)")]
            if found != ["ok"]:
                return "; ".join(found[:_SHOWN])
            orphans = connection.execute("PRAGMA foreign_key_check").fetchmany(_SHOWN)
            if orphans:
                return "rows refer to missing rows: " + _describe_orphans(orphans)
            tables = connection.execute("SELECT name FROM sqlite_schema").fetchall()
    except sqlite3.Error as error:
        return str(error)
    return None if ("migrations_core",) in tables else "the file is no database of Biont"


@contextmanager
def open_backup(backup: Path) -> Iterator[None]:
    """Bind all tables to `backup` inside the block, which must only read."""
    database = SqliteDatabase(_address(backup, "immutable=1"), uri=True)
    with database.connection_context(), activate(database):
        yield


def replace_database(database: Path, backup: Path) -> Path | None:
    """Put a copy of `backup` in the place of the database; return the path of the old database.

    Call this function while the lock of the database is held.

    Raises:
        StoreUnavailable: a file cannot be written; the database is as it was.
    """
    new = database.with_name(f"{database.name}.restoring")
    try:
        _create(new)
        shutil.copyfile(backup, new)
        _sync(new)
        old = _move_aside(database)
        _replace(new, database)
    except OSError as error:
        raise StoreUnavailable(
            f"{database}: the backup cannot be copied here: {error.strerror}"
        ) from error
    finally:
        new.unlink(missing_ok=True)
    return old


def _copy_database(database: Path, target: Path) -> None:
    with (
        closing(sqlite3.connect(_address(database, "mode=ro"), uri=True)) as source,
        closing(sqlite3.connect(target)) as copy,
    ):
        # One step, inside one read transaction: a backup in several steps begins again
        # whenever another process has written in between, and may never end.
        source.backup(copy, pages=-1)
        # A single file, whoever opens it next and wherever.
        copy.execute("PRAGMA journal_mode = DELETE")
    _sync(target)


def _move_aside(database: Path) -> Path | None:
    """Move the database and its log aside; return the new path, or None without a database."""
    if not database.exists():
        # A log without its database would be applied to the restored one.
        for suffix in _BESIDE[1:]:
            database.with_name(database.name + suffix).unlink(missing_ok=True)
        return None
    number = 1
    while (old := database.with_name(f"{database.name}.replaced-{number}")).exists():
        number += 1
    # The log first: without it, a crash here leaves an older but whole database in place.
    for suffix in reversed(_BESIDE):
        file = database.with_name(database.name + suffix)
        if file.exists():
            file.rename(old.with_name(old.name + suffix))
    return old


def _create(file: Path) -> None:
    with open(file, "wb", opener=open_private):  # Path.open takes no opener
        pass


def _replace(file: Path, target: Path) -> None:
    file.replace(target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _address(path: Path, option: str) -> str:
    return f"{path.absolute().as_uri()}?{option}"


def _explain(database: Path, target: Path, error: sqlite3.Error) -> StoreUnavailable:
    code = error.sqlite_errorcode
    is_full = code == sqlite3.SQLITE_FULL
    if is_full or (code & 0xFF == sqlite3.SQLITE_IOERR and code not in _READ_ERRORS):
        return StoreUnavailable(
            f"the backup {target} cannot be written: the disk {'is full' if is_full else 'fails'} "
            f"({error}); free some space, or choose another file"
        )
    return StoreUnavailable(f"{database}: {translate_error(error)}")


def _describe_orphans(rows: Sequence[tuple[object, ...]]) -> str:
    return ", ".join(f"{table} {row_id} to {parent}" for table, row_id, parent, _ in rows)
