"""Lock that keeps a second workbench from running on the same database."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from biont.exceptions import StoreConflict, StoreUnavailable
from biont.store.failures import translate_error
from biont.store.file_modes import make_private_folder, open_private

_PATIENCE = 1.0
"""Seconds that a start waits for the lock, because `is_held` holds the lock for an instant."""


def is_held(path: Path) -> bool:
    """Return whether a workbench runs on the database at `path`."""
    lock = _find_lock(path)
    if not lock.exists():
        return False
    with contextlib.closing(sqlite3.connect(lock, timeout=0, isolation_level=None)) as connection:
        try:
            connection.execute("SELECT 1 FROM sqlite_master").fetchall()
        except sqlite3.OperationalError:
            return True
    return False


@contextmanager
def hold_database(path: Path) -> Iterator[bool]:
    """Hold the lock of the database at `path`; yield whether the last workbench was killed.

    A workbench that is killed leaves the file ``.running`` beside the database. The lock is
    SQLite's own file lock, on a file of its own, because that lock works on every platform
    and the system releases the lock when the process dies.

    Raises:
        StoreConflict: another process holds the lock.
        StoreUnavailable: the folder cannot be written.
    """
    lock = _find_lock(path)
    running = path.with_name(path.name + ".running")
    with contextlib.ExitStack() as stack:
        try:
            make_private_folder(path.parent)
            # Who can read the file could hold its lock.
            lock.touch(mode=0o600)
            stack.enter_context(_hold(lock, path))
            # After the lock: the file of a workbench that still runs says nothing of a crash.
            was_killed = running.exists()
            _write_durably(running)
        except OSError as error:
            raise StoreUnavailable(
                f"{path}: the folder of the database cannot be written: {error.strerror}; let "
                "this user write to the folder, or choose another database.url"
            ) from error
        yield was_killed
        # Missing if somebody has removed the whole folder.
        running.unlink(missing_ok=True)


@contextmanager
def _hold(lock: Path, path: Path) -> Iterator[None]:
    try:
        connection = sqlite3.connect(lock, timeout=_PATIENCE, isolation_level=None)
    except sqlite3.Error as error:
        raise translate_error(error) from error
    with contextlib.closing(connection):
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise translate_error(error) from error
            raise StoreConflict(
                f"another process runs on {path}; stop it, or choose another database.url"
            ) from error
        yield


def _find_lock(path: Path) -> Path:
    return path.with_name(path.name + ".lock")


def _write_durably(marker: Path) -> None:
    with open(marker, "wb", opener=open_private) as file:  # Path.open takes no opener
        file.write(b"%d\n" % os.getpid())
        file.flush()
        os.fsync(file.fileno())
