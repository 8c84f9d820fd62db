"""Migrations of the tables of the core and of each plugin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from peewee import Database, Model
from playhouse.migrations import Runner

from biont.exceptions import StoreConflict
from biont.store.unique_ids import add_autoincrement

CORE_MIGRATIONS = Path(__file__).parent / "migrations"


@dataclass(frozen=True)
class Tables:
    """The tables of a plugin.

    Attributes:
        migrations: the folder of scripts, ``0001_name.py`` and so on, each with
            ``up(migrator, db)``, as `playhouse.migrations` runs them.
        models: the model classes of the tables.
    """

    migrations: Path
    models: Sequence[type[Model]]


def migrate(database: Database, owner: str, migrations: Path) -> list[str]:
    """Run the migrations of `owner` that this database lacks; return the names.

    All migrations run in one transaction. A second process that starts at the same moment
    waits for the transaction and then finds nothing to do. At the end of the transaction every
    table that SQLite numbers has AUTOINCREMENT, whichever way a migration has made the table.

    Raises:
        StoreConflict: the database was made by a newer version.
    """
    runner = Runner(database, str(migrations), table_name=f"migrations_{owner}")
    with database.atomic("IMMEDIATE"):
        unknown = [migration.name for migration in runner.status() if migration.path is None]
        if unknown:
            raise StoreConflict(
                f"the database was used by a newer version of {owner}, which ran "
                f"{', '.join(unknown)}; install that version or restore a backup"
            )
        names = list(runner.up())
        add_autoincrement(database)
        return names
