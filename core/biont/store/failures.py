"""Failures of the database: the reason that SQLite gives, in words for an operator."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from peewee import PeeweeException

from biont.exceptions import BiontError, StoreDamaged, StoreUnavailable, VaultError

_DAMAGE = {
    sqlite3.SQLITE_CORRUPT: "the database is damaged",
    sqlite3.SQLITE_NOTADB: "the file is not an SQLite database, or its beginning is damaged",
}
DAMAGE_REMEDY = (
    "stop the workbench and restore a backup, or save the readable rows with the command "
    "`.recover` of sqlite3"
)
"""The way out of a damaged database, for error messages."""

_UNAVAILABLE = {
    sqlite3.SQLITE_FULL: "the disk of the database is full; free some space",
    # A write beyond a limit of the system or of a quota is an input/output error to SQLite.
    sqlite3.SQLITE_IOERR: "the disk of the database is full or fails; free some space, and check "
    "the disk",
    sqlite3.SQLITE_READONLY: "the database is read-only; let this user write to the file and its "
    "folder, and mount the disk writable",
    sqlite3.SQLITE_PERM: "the system forbids access to the database; check the permissions of "
    "the file and its folder",
    sqlite3.SQLITE_CANTOPEN: "the database cannot be opened; check that this user may read and "
    "write the file and its folder",
    sqlite3.SQLITE_BUSY: "another process has locked the database",
    sqlite3.SQLITE_LOCKED: "another process has locked the database",
}


@dataclass(frozen=True, slots=True)
class Failure:
    """A reason why the database cannot be used.

    Attributes:
        kind: the primary result code of SQLite.
        reason: the reason with the remedy, and without the path of the database.
        is_damage: whether the file itself is damaged, so that another try fails as well.
    """

    kind: int
    reason: str
    is_damage: bool


def find_failure(error: BaseException) -> Failure | None:
    """Return the failure of the database behind `error`; None for any other error."""
    if not isinstance(error, PeeweeException | sqlite3.Error):
        return None
    # The first error of SQLite decides: one that undoes a transaction hides the cause otherwise.
    for cause in _iterate_causes(error):
        # By the type: an error of foreign code may have broken attributes.
        code = (
            getattr(cause, "sqlite_errorcode", None)
            if issubclass(type(cause), sqlite3.Error)
            else None
        )
        if code is not None:
            kind = code & 0xFF  # the lowest byte is the kind, the rest is detail
            if kind in _DAMAGE:
                return Failure(kind, f"{_DAMAGE[kind]} ({cause}); {DAMAGE_REMEDY}", is_damage=True)
            if kind in _UNAVAILABLE:
                return Failure(kind, f"{_UNAVAILABLE[kind]} ({cause})", is_damage=False)
            return None
    return None


def translate_error(error: Exception) -> Exception:
    """Return a `StoreUnavailable` for a failure of the database.

    Any other error is a mistake in the calling code and is returned unchanged.
    """
    failure = find_failure(error)
    if failure is None:
        return error
    kind = StoreDamaged if failure.is_damage else StoreUnavailable
    translated = kind(failure.reason)
    translated.__cause__ = error
    return translated


@contextmanager
def explain_failure(path: Path) -> Iterator[None]:
    """Make errors of the block name the database at `path`, for an operator.

    Raises:
        StoreUnavailable: the block raised this error, here with the path.
        StoreDamaged: the block raised another error, and the database is damaged. A damaged row
            may look like a wrong value, so that any code may fail on it.
    """
    try:
        yield
    except StoreUnavailable as error:
        if str(path) in str(error):
            raise
        raise type(error)(f"{path}: {error}") from error
    except (BiontError, OSError) as error:
        # A damaged seal looks like a wrong key.
        if not isinstance(error, VaultError):
            raise
        damage = _find_damage(path)
        if damage is None:
            raise
        raise damage from error
    except Exception as error:
        damage = _find_damage(path)
        if damage is None:
            raise
        raise damage from error


def _find_damage(path: Path) -> StoreDamaged | None:
    """Return the damage that a check of every page finds; None for no damage."""
    address = f"{path.absolute().as_uri()}?mode=ro"  # a missing file is not created
    try:
        with closing(sqlite3.connect(address, uri=True)) as connection:
            (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        failure = find_failure(error)
        found = str(error) if failure is not None and failure.is_damage else "ok"
    if found == "ok":
        return None
    (line, *_) = str(found).splitlines()[-1:]
    return StoreDamaged(f"{path}: the database is damaged ({line}); {DAMAGE_REMEDY}")


def _iterate_causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    # Foreign code may set a cause that leads back to its own effect.
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__context__ if error.__cause__ is None else error.__cause__
