"""Tables of the plugins: migrated one plugin after the other, then compared with the models."""

from __future__ import annotations

import threading
from functools import partial

from biont.exceptions import PluginError
from biont.plugins.contributions import check_tables
from biont.plugins.manager import PluginManager
from biont.runtime.isolated_call import call_in_thread
from biont.settings.sections import DatabaseSettings
from biont.store.migration import CORE_MIGRATIONS, Tables
from biont.store.store import Store
from biont.store.upgrade_backup import back_up_before_upgrade

_PATIENCE = 3.0
"""Seconds that a migration gets to end after its time limit."""


async def open_tables(plugins: PluginManager, store: Store) -> None:
    """Migrate the tables of all running plugins; quarantine a plugin whose tables do not fit.

    Raises:
        PluginError: a migration hangs and has locked the database.
    """
    for name in list(plugins.running):
        found = plugins.contributions.get(name)
        if found is not None and found.tables is not None:
            await _open_tables_of(plugins, name, found.tables, store)


def list_tables(plugins: PluginManager) -> dict[str, Tables]:
    """Return the tables of each running plugin; quarantine a plugin whose hook fails."""
    found: dict[str, Tables] = {}
    for name in list(plugins.running):
        with plugins.guard(name):
            tables = check_tables(plugins.call_hook(name, "register_tables"))
            if tables is not None:
                found[name] = tables
    return found


async def back_up_tables(plugins: PluginManager, settings: DatabaseSettings, version: str) -> None:
    """Make a backup if a migration of the core or of a plugin is going to change its tables.

    Raises:
        StoreUnavailable: the database cannot be read, or is damaged.
    """

    def make_backup() -> None:
        owners = {"core": CORE_MIGRATIONS} | {
            name: tables.migrations for name, tables in list_tables(plugins).items()
        }
        back_up_before_upgrade(settings.path, owners, version, settings.upgrade_backups)

    if settings.upgrade_backups:
        await call_in_thread(make_backup, "biont-backup")


async def _open_tables_of(plugins: PluginManager, name: str, tables: Tables, store: Store) -> None:
    ended = threading.Event()

    def migrate() -> None:
        try:
            store.migrate_tables(name, tables)
        finally:
            ended.set()

    with plugins.guard(name):
        if not tables.migrations.is_dir():
            ended.set()
            raise PluginError(
                f"the folder of migrations {tables.migrations} does not exist; create it, "
                "with a migration that creates the tables"
            )
        # Built-in plugins have no limit: a migration of a large table may take minutes.
        await call_in_thread(partial(plugins.call, name, migrate), "biont-migrations")
    if not await call_in_thread(partial(ended.wait, _PATIENCE), "biont-migrations"):
        # The migration holds the lock of the database, and no other part could write.
        raise PluginError(
            f"a migration of the plugin {name!r} hangs and has locked the database; "
            f"add {name!r} to plugins.disable"
        )
