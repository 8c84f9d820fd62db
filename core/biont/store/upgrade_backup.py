"""Upgrade backup: a copy of the database, made before the migrations of a newer version run.

A migration cannot be undone, and an older version refuses the migrated database. The copy is the
way back.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import structlog

from biont.exceptions import StoreDamaged, StoreUnavailable
from biont.store.backup import back_up
from biont.store.failures import translate_error

_SPACE = 2
"""Free space that a backup needs, as a multiple of the database: the workbench needs some too."""

_log = structlog.get_logger("biont.store")


def back_up_before_upgrade(
    database: Path, owners: Mapping[str, Path], version: str, keep: int
) -> None:
    """Make a backup beside the database if a migration is going to change existing tables.

    Args:
        database: the database.
        owners: the folder of migrations of the core and of each plugin.
        version: the new version, for the name of the backup.
        keep: the number of such backups to keep; 0 makes none.

    Raises:
        StoreUnavailable: the database cannot be read, or is damaged.
    """
    if not keep or not database.exists() or not _is_older(database, owners):
        return
    target = _name_backup(database, version)
    try:
        _check_space(database)
        back_up(database, target)
    except StoreDamaged:
        raise  # a damaged database is not migrated
    except StoreUnavailable as error:
        _log.warning("migrates without a backup", reason=str(error))
        return
    _log.info("made a backup before the migration", path=str(target))
    backups = sorted(
        database.parent.glob(f"{database.name}.before-*.backup"),
        key=lambda path: path.stat().st_mtime,
    )
    for old in backups[:-keep]:
        old.unlink()


def _is_older(database: Path, owners: Mapping[str, Path]) -> bool:
    address = f"{database.absolute().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True)) as connection:
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
            for owner, migrations in owners.items():
                table = f"migrations_{owner}"
                if table in tables:
                    rows = connection.execute(f'SELECT name FROM "{table}"')  # noqa: S608
                    applied = {name for (name,) in rows}
                    # Tables of a plugin that is new here do not exist yet.
                    if applied and {path.stem for path in migrations.glob("0*.py")} - applied:
                        return True
    except sqlite3.Error as error:
        raise translate_error(error) from error
    return False


def _name_backup(database: Path, version: str) -> Path:
    number = 1
    while (
        target := database.with_name(f"{database.name}.before-{version}-{number}.backup")
    ).exists():
        number += 1
    return target


def _check_space(database: Path) -> None:
    needed = _SPACE * database.stat().st_size
    if shutil.disk_usage(database.parent).free < needed:
        raise StoreUnavailable(f"a backup of {database} needs {needed} bytes of free space")
