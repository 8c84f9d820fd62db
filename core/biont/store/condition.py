"""Condition of the database: the present problems, for the health and the log.

The writer and the readers report each failure, on their threads:

    well --a write fails--> unwritable --a write succeeds--> well
    well --SQLite finds a damaged page--> damaged, until the process ends
    well --a file is removed, replaced or truncated--> lost --the same file is back--> well

While the database is unwritable and nobody writes, the writer tries a write of its own, so that
the health is good again as soon as there is space.
"""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import structlog

from biont.exceptions import StoreUnavailable
from biont.runtime.health import HealthProblem
from biont.store.failures import find_failure, translate_error
from biont.store.file_watch import FileWatch

_LOG_INTERVAL = 60.0
"""The seconds after which a failure that goes on is logged again."""

_log = structlog.get_logger("biont.store")


class DatabaseCondition:
    """The present problems of one database.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._files = FileWatch(path)
        self._unwritable: str | None = None
        self._damage: str | None = None
        self._loss: str | None = None
        self._logged_at: float | None = None
        self._refused = 0

    @property
    def is_unwritable(self) -> bool:
        """True while the last write has failed because of the database."""
        return self._unwritable is not None

    def find_problems(self) -> list[HealthProblem]:
        """Return the present problems."""
        fatal = [reason for reason in (self._loss, self._damage) if reason is not None]
        problems = [HealthProblem("database", reason, is_fatal=True) for reason in fatal]
        if self._unwritable is not None:
            problems.append(HealthProblem("database", self._unwritable))
        return problems

    def check_files(self, connection: sqlite3.Connection) -> None:
        """Check that the files of the open database are still in place, before a write.

        Args:
            connection: an open connection without a transaction.

        Raises:
            StoreUnavailable: the files were removed, replaced or truncated.
        """
        loss = self._find_loss(connection)
        if loss is not None:
            raise StoreUnavailable(f"nothing was written: {loss}")

    def find_doubt(self, connection: sqlite3.Connection) -> StoreUnavailable | None:
        """Return an error if the files were lost while a transaction was committed.

        Args:
            connection: the connection, after the commit.
        """
        loss = self._find_loss(connection)
        if loss is None:
            return None
        return StoreUnavailable(f"this write may be lost: {loss}")

    def close(self) -> None:
        """Close the files that are watched; call this method when the database is closed."""
        self._files.close()

    def _find_loss(self, connection: sqlite3.Connection) -> str | None:
        loss = self._files.find_loss(connection)
        if loss != self._loss:
            self._loss = loss
            if loss is None:
                _log.warning("the files of the database are back", path=str(self._path))
            else:
                _log.error("the database is lost: writes are refused", reason=loss)
        return loss

    def report_read(self, error: Exception) -> Exception:
        """Record the failure of a read; return the error for its caller."""
        failure = find_failure(error)
        if failure is not None and failure.is_damage:
            self._report_damage(failure.reason)
        if failure is not None and failure.kind == sqlite3.SQLITE_READONLY:
            return error  # a read that tries to write: a mistake in the calling code
        if failure is not None and self._loss is not None:
            return StoreUnavailable(f"the database cannot be read: {self._loss}")
        return translate_error(error)

    def report_write(self, error: Exception) -> Exception:
        """Record the failure of a write; return the error for its caller."""
        failure = find_failure(error)
        if failure is not None and failure.is_damage:
            self._report_damage(failure.reason)
        elif failure is not None:
            self._report_unwritable(failure.reason)
        return translate_error(error)

    def report_written(self) -> None:
        """Record that a write has reached the disk."""
        if self._unwritable is not None:
            self._unwritable = self._logged_at = None
            _log.warning("the database can be written again", refused=self._refused)
            self._refused = 0

    def _report_damage(self, reason: str) -> None:
        if self._damage is None:
            self._damage = reason
            _log.error("the database is damaged", path=str(self._path), reason=reason)

    def _report_unwritable(self, reason: str) -> None:
        self._unwritable = reason
        self._refused += 1
        now = time.monotonic()
        # Rate-limited, because each of thousands of requests fails.
        if self._logged_at is None or now - self._logged_at >= _LOG_INTERVAL:
            self._logged_at = now
            _log.error(
                "the database cannot be written",
                path=str(self._path),
                reason=reason,
                refused=self._refused,
            )
