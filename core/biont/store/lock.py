"""Lock that keeps a second workbench from running on the same database."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from biont.exceptions import StoreConflict


@contextmanager
def hold_database(path: Path) -> Iterator[bool]:
    """Hold the lock of the database at `path`; yield whether the last workbench was killed.

    A workbench that is killed leaves the file ``.running`` beside the database. The lock is
    SQLite's own file lock, on a file of its own, because that lock works on every platform
    and the system releases the lock when the process dies.

    Raises:
        StoreConflict: another process holds the lock.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.with_name(path.name + ".lock")
    running = path.with_name(path.name + ".running")
    with contextlib.closing(sqlite3.connect(lock, timeout=0, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            raise StoreConflict(
                f"another process runs on {path}; stop it, or choose another database.url"
            ) from error
        # After the lock: the file of a workbench that still runs says nothing of a crash.
        was_killed = running.exists()
        _write_durably(running)
        yield was_killed
        running.unlink()


def _write_durably(marker: Path) -> None:
    with marker.open("wb") as file:
        file.write(b"%d\n" % os.getpid())
        file.flush()
        os.fsync(file.fileno())
