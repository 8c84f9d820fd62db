"""Tables of the plugins: migrated one plugin after the other, then compared with the models."""

from __future__ import annotations

from functools import partial

from biont.exceptions import PluginError
from biont.plugins.manager import PluginManager
from biont.runtime.isolated_call import call_in_thread
from biont.store.store import Store


async def open_tables(plugins: PluginManager, store: Store) -> None:
    """Migrate the tables of all running plugins; quarantine a plugin whose tables do not fit."""
    for name in list(plugins.running):
        found = plugins.contributions.get(name)
        if found is None or found.tables is None:
            continue
        with plugins.guard(name):
            tables = found.tables
            if not tables.migrations.is_dir():
                raise PluginError(
                    f"the folder of migrations {tables.migrations} does not exist; create it, "
                    "with a migration that creates the tables"
                )
            migrate = partial(store.migrate_tables, name, tables)
            # Built-in plugins have no limit: a migration of a large table may take minutes.
            await call_in_thread(partial(plugins.call, name, migrate), "biont-migrations")
