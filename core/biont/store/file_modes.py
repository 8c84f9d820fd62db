"""File modes: keeps the files of the database from other users of the machine.

SQLite creates files by the umask, so that everybody could read the database. A new database is
therefore created before SQLite opens it; SQLite gives the files beside it the same mode.

As with PostgreSQL, an operator may let a group read the files, for backups: only a mode that lets
everybody in is taken for an accident, and corrected.
"""

from __future__ import annotations

import os
from pathlib import Path

import structlog

_OTHERS = 0o007
_PRIVATE = 0o600

_log = structlog.get_logger("biont.store")


def make_private_folder(folder: Path) -> None:
    """Create `folder` where it is missing, for this user alone."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def open_private(path: str, flags: int) -> int:
    """Open a file, which is created for this user alone; the `opener` of `open`."""
    return os.open(path, flags, _PRIVATE)


def protect_files(path: Path) -> None:
    """Create the database at `path` where it is missing; close its files to everybody else."""
    make_private_folder(path.parent)
    if not path.exists():
        # Not for an existing file: closing it would drop the locks that this process holds.
        os.close(open_private(str(path), os.O_CREAT | os.O_RDWR))
        # Nobody can know whether there was a database in a folder that is gone.
        _log.warning("created a new database", path=str(path))
        return
    for file in (path, *(path.with_name(f"{path.name}{end}") for end in ("-wal", "-shm"))):
        if file.exists() and file.stat().st_mode & _OTHERS:
            _close_to_others(file)


def _close_to_others(file: Path) -> None:
    try:
        file.chmod(_PRIVATE)
    except OSError as error:
        _log.warning(
            "everybody may read this file; type: chmod 600 and its path",
            path=str(file),
            error=error.strerror,
        )
    else:
        _log.warning("everybody could read this file; its mode is 600 now", path=str(file))
