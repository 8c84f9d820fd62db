"""One workbench a database."""

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
    """Keep any other workbench from running on the database at `path`.

    Gives whether the last one that ran on it was killed: whether it left the
    file that says it is running behind.

    SQLite's own file lock is used, on a file beside the database: it works on
    every platform, and the system releases it when the process dies.

    Raises:
        StoreConflict: another process holds it.
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
        was_killed = running.exists()
        _write_durably(running)
        yield was_killed
        running.unlink()


def _write_durably(marker: Path) -> None:
    with marker.open("wb") as file:
        file.write(b"%d\n" % os.getpid())
        file.flush()
        os.fsync(file.fileno())
