"""Checks of a backup before its restoration."""

from __future__ import annotations

from pathlib import Path

from peewee import PeeweeException

from biont.exceptions import StoreConflict, StoreDamaged
from biont.plugins.loading import load_plugins
from biont.plugins.manager import PluginManager
from biont.plugins.tables import list_tables
from biont.security.vault import identify_key
from biont.settings.sections import Settings
from biont.store.backup import find_damage, open_backup
from biont.store.migration import CORE_MIGRATIONS, find_newer_migrations


def check_backup(backup: Path, settings: Settings) -> None:
    """Check that a backup is whole, and that the key file belongs to the backup.

    Plugins check their own tables by the hook `verify_database`.

    Raises:
        StoreDamaged: the file is damaged, or is no database of Biont.
        StoreConflict: the backup was made by a newer version.
        VaultError: the key file lacks the key that has encrypted the secrets of the backup.
    """
    problem = find_damage(backup)
    if problem is None:
        with open_backup(backup):
            identify_key(settings.vault.key_file)
            plugins = load_plugins(settings)
            _check_version(backup, plugins)
            problem = _find_problem(plugins)
    if problem is not None:
        raise StoreDamaged(f"{backup} is no usable backup: {problem}; choose another backup")


def _check_version(backup: Path, plugins: PluginManager) -> None:
    owners = {"core": CORE_MIGRATIONS} | {
        name: tables.migrations for name, tables in list_tables(plugins).items()
    }
    for owner, migrations in owners.items():
        newer = find_newer_migrations(owner, migrations)
        if newer:
            raise StoreConflict(
                f"the backup {backup} was made by a newer version of {owner}, which ran "
                f"{', '.join(newer)}; install that version, or choose another backup"
            )


def _find_problem(plugins: PluginManager) -> str | None:
    try:
        return "; ".join(plugins.verify_database()) or None
    except PeeweeException as error:
        # A backup from before the first start of a plugin has none of its tables.
        return f"{error}; start the workbench once before the backup"
