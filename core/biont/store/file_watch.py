"""File watch: notices that the files of the open database were removed, replaced or truncated.

A process that has a file open continues to write to the file after its removal, and all of
that is lost when the process ends. SQLite does not notice. So the writer compares the files at
the paths with those that were there when the database was opened.

The database is never opened here: closing the file would drop all locks that SQLite holds on it
(https://sqlite.org/howtocorrupt.html, section 2.2). `LogWatch` reads the other two files.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from biont.store.log_watch import LogWatch

_REMEDY = (
    "put the same file back, or stop the workbench, restore a backup and start the workbench again"
)
_LOG_REMEDY = (
    "changes that were only in this file are lost at the next start; stop the workbench, keep a "
    "copy of the files, and start again with what is left, or restore a backup"
)


class FileWatch:
    """Compares the files of one database with those that were opened.

    Args:
        path: the database; its log and index are the files beside it.
    """

    def __init__(self, path: Path) -> None:
        self._path = str(path)
        # The two files beside are as needed as the database: a change in a removed log is lost.
        self._opened: dict[str, tuple[int, int] | None] = {
            f"{path}{suffix}": None for suffix in ("", "-wal", "-shm")
        }
        self._log = LogWatch(path)
        self._size = 0
        self._is_truncated = False

    def close(self) -> None:
        """Close the files; call this method when the database is closed."""
        self._log.close()

    def find_loss(self, connection: sqlite3.Connection) -> str | None:
        """Return the loss with its remedy, or None while all files are in place.

        Args:
            connection: an open connection without a transaction.
        """
        for path, opened in self._opened.items():
            try:
                # Not `Path.stat`: this runs before each commit.
                found = os.stat(path)  # noqa: PTH116
            except OSError:
                if opened is not None:
                    return _describe(path, "removed")
                continue
            identity = (found.st_dev, found.st_ino)
            if opened is None:
                self._opened[path] = identity
            elif identity != opened:
                return _describe(path, "replaced by another file")
            if path == self._path and self._has_lost_pages(connection, found.st_size):
                return _describe(path, "truncated")
        change = self._log.find_change()
        return None if change is None else _describe(f"{self._path}-wal", change, _LOG_REMEDY)

    def _has_lost_pages(self, connection: sqlite3.Connection, size: int) -> bool:
        # Remembered, because a file that is being copied over grows to its former size again.
        if size < self._size and not self._is_truncated:
            self._is_truncated = size < _count_bytes(connection)
        self._size = size
        return self._is_truncated


def _count_bytes(connection: sqlite3.Connection) -> int:
    """Return the size of the database according to SQLite: smaller than before after VACUUM."""
    try:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        (page_size,) = connection.execute("PRAGMA page_size").fetchone()
    except sqlite3.Error:
        # SQLite has noticed that pages are missing.
        return 2**63
    # A database has at least one page.
    return max(int(pages), 1) * int(page_size)


def _describe(path: str, change: str, remedy: str = _REMEDY) -> str:
    return f"the file {Path(path).name} of the open database was {change}; {remedy}"
