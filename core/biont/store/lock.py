"""One workbench a database."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from biont.exceptions import StoreConflict


@contextmanager
def hold_database(path: Path) -> Iterator[None]:
    """Keep any other workbench from running on the database at `path`.

    SQLite's own file lock is used, on a file beside the database: it works on
    every platform, and the system releases it when the process dies.

    Raises:
        StoreConflict: another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.with_name(path.name + ".lock")
    with contextlib.closing(sqlite3.connect(lock, timeout=0, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            raise StoreConflict(
                f"another process runs on {path}; stop it, or choose another database.url"
            ) from error
        yield
