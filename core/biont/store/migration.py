"""Migrations of the tables of the core and of each plugin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from peewee import Database, Model
from playhouse.migrations import Runner

from biont.exceptions import StoreConflict
from biont.store.database import execute_sql
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
        StoreConflict: the database was made by a newer version or by another program.
    """
    runner = Runner(database, str(migrations), table_name=f"migrations_{owner}")
    with database.atomic("IMMEDIATE"):
        _check_program(database)
        unknown = [migration.name for migration in runner.status() if migration.path is None]
        if unknown:
            raise StoreConflict(
                f"the database was used by a newer version of {owner}, which ran "
                f"{', '.join(unknown)}; install that version or restore a backup"
            )
        names = list(runner.up())
        add_autoincrement(database)
        return names


def find_newer_migrations(owner: str, migrations: Path) -> list[str]:
    """Return the migrations of `owner` that the active database has and this version lacks."""
    table = f"migrations_{owner}"
    tables = execute_sql("SELECT 1 FROM sqlite_schema WHERE name = ?", table)
    if tables.fetchone() is None:
        return []
    known = {path.stem for path in migrations.glob("*.py")}
    rows = execute_sql(f'SELECT name FROM "{table}" ORDER BY name').fetchall()  # noqa: S608
    return [name for (name,) in rows if name not in known]


def _check_program(database: Database) -> None:
    """Check that the database is new, or was made by this program."""
    tables = database.get_tables()
    if tables and not any(name.startswith("migrations_") for name in tables):
        raise StoreConflict(
            f"the database {database.database} belongs to another program: it has the table "
            f"{tables[0]!r} and no migrations of the workbench; correct database.url"
        )
