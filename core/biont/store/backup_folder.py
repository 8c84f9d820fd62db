"""Folder of backups that administrators make of a running workbench.

A backup has the time in its name, and no backup is ever replaced or deleted: whoever makes backups
decides how many are enough. One backup is made at a time.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import structlog

from biont.clock import Clock
from biont.exceptions import Conflict, StoreUnavailable
from biont.runtime.isolated_call import call_in_thread
from biont.store.backup import back_up

_log = structlog.get_logger("biont.store")

_PATTERN = "biont-*.sqlite3"
_PARTIAL = f"{_PATTERN}.partial"
# The workbench needs some space, too.
_SPACE = 1.1


@dataclass(frozen=True, slots=True)
class BackupFile:
    """Backup in the folder.

    Attributes:
        name: the name of the file.
        size: the size, in bytes.
        made_at: the instant at which the backup was complete.
    """

    name: str
    size: int
    made_at: datetime


class BackupFolder:
    """Backups of a database in a folder.

    Args:
        database: the database.
        folder: the folder, which the first backup makes.
        clock: tells the times in the names.
    """

    def __init__(self, database: Path, folder: Path, clock: Clock) -> None:
        self.folder = folder
        self._database = database
        self._clock = clock
        self._is_busy = False

    async def make(self) -> tuple[BackupFile, float]:
        """Return a new backup, and the seconds that the backup has taken.

        Raises:
            Conflict: another backup is being made.
            StoreUnavailable: the folder cannot be written, or has too little space.
            StoreDamaged: the database is damaged.
        """
        if self._is_busy:
            raise Conflict("another backup is being made; wait for its end")
        self._is_busy = True
        # A client that leaves does not end the backup, so that the next one waits for its end.
        task = asyncio.create_task(self._make())
        task.add_done_callback(self._end)
        return await asyncio.shield(task)

    async def list_files(self) -> Sequence[BackupFile]:
        """Return the backups, the newest first.

        Raises:
            StoreUnavailable: the folder cannot be read.
        """
        return await call_in_thread(partial(_list_files, self.folder), "biont-backups")

    async def _make(self) -> tuple[BackupFile, float]:
        now = self._clock.now()
        make = partial(_back_up, self._database, self.folder, f"biont-{now:%Y%m%dT%H%M%SZ}")
        # Not a thread of asyncio: a long backup must not hold up the end of the process.
        file, seconds = await call_in_thread(make, "biont-backup")
        _log.info("made a backup", path=str(self.folder / file.name), seconds=round(seconds, 3))
        return file, seconds

    def _end(self, task: asyncio.Task[tuple[BackupFile, float]]) -> None:
        self._is_busy = False
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.warning("no backup was made", reason=str(error))


def _back_up(database: Path, folder: Path, stem: str) -> tuple[BackupFile, float]:
    begun = time.monotonic()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Left by a process that has ended in the middle of a backup.
        for partial_file in folder.glob(_PARTIAL):
            partial_file.unlink()
        needed = int(_SPACE * database.stat().st_size)
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise _explain(folder, error) from error
    if free < needed:
        raise StoreUnavailable(
            f"a backup needs {needed} bytes in {folder}, where {free} are free; free some space, "
            "or set database.backup_folder"
        )
    target, number = folder / f"{stem}.sqlite3", 1
    while target.exists():
        number += 1
        target = folder / f"{stem}-{number}.sqlite3"
    back_up(database, target)
    return _describe(target), time.monotonic() - begun


def _list_files(folder: Path) -> Sequence[BackupFile]:
    try:
        found = [_describe(path) for path in folder.glob(_PATTERN)]
    except OSError as error:
        raise _explain(folder, error) from error
    return sorted(found, key=lambda file: (file.made_at, file.name), reverse=True)


def _describe(path: Path) -> BackupFile:
    state = path.stat()
    return BackupFile(path.name, state.st_size, datetime.fromtimestamp(state.st_mtime, UTC))


def _explain(folder: Path, error: OSError) -> StoreUnavailable:
    return StoreUnavailable(
        f"the folder of backups {folder} cannot be used: {error.strerror}; set "
        "database.backup_folder"
    )
