"""Options and contexts that several commands share: settings, store, accounts."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import click

if TYPE_CHECKING:
    from pydantic import BaseModel

    from biont.accounts.api_keys import ApiKeys
    from biont.accounts.users import Users
    from biont.settings.sections import Settings
    from biont.store.store import Store

M = TypeVar("M", bound="BaseModel")

config_option = click.option(
    "--config",
    envvar="BIONT_CONFIG",
    type=click.Path(path_type=Path),
    help="Folder of YAML files, or a single file; the folder `config` by default, if it exists.",
)
"""Adds the option ``--config`` to a command; its value goes to `read_settings`."""


def parse_instant(value: str) -> datetime:
    """Return the instant in an ISO 8601 text; UTC if the text has no offset.

    Raises:
        click.BadParameter: the text is not ISO 8601.
    """
    try:
        at = datetime.fromisoformat(value)
    except ValueError as error:
        raise click.BadParameter(
            f"{value!r} is not an instant; write for example 2026-03-01T12:00:00Z"
        ) from error
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def find_config(config: Path | None) -> Path | None:
    """Return the path of the configuration, a folder or a file; None for the defaults.

    Args:
        config: the value of `config_option`, which has precedence over the environment.
    """
    if config is None and os.environ.get("BIONT_CONFIG"):
        return Path(os.environ["BIONT_CONFIG"])
    if config is None and Path("config").is_dir():
        return Path("config")
    return config


def read_settings(config: Path | None, **overrides: object) -> Settings:
    """Return the settings for a command.

    Args:
        config: the value of `config_option`.
        overrides: variables with precedence over the environment; None keeps the environment's.

    Raises:
        SettingsError: the settings are invalid; the error has each problem with its place.
    """
    from biont.settings.loading import load_settings

    given = {name: str(value) for name, value in overrides.items() if value is not None}
    return load_settings(find_config(config), environ=os.environ | given)


def read_plugin_settings(config: Path | None, name: str, model: type[M]) -> M:
    """Return the validated section of the plugin `name`.

    Commands of plugins use this function; in a workbench, use `Workbench.plugin_settings`.

    Args:
        config: the value of `config_option`.
        name: the plugin's name, the key below ``plugins:``.
        model: the model that the plugin returns from `register_settings`.

    Raises:
        SettingsError: the core's settings or this section are invalid; the error has each
            problem with its place.
    """
    return read_settings(config).read_section(name, model)


@asynccontextmanager
async def open_store(config: Path | None) -> AsyncIterator[Store]:
    """Open the store, also while a workbench runs on the same database.

    Raises:
        SettingsError: the settings are invalid.
        StoreConflict: the database is missing.
        StoreUnavailable: the database cannot be opened.
    """
    from biont.cli.log_setup import configure_logs
    from biont.clock import SystemClock
    from biont.event import EventFactory
    from biont.store.failures import explain_failure
    from biont.store.lost_database import check_existence
    from biont.store.store import Store

    settings = read_settings(config)
    # Standard output is for the result of the command.
    configure_logs(settings.log)
    check_existence(settings.database.path, settings.vault.key_file)
    store = Store(
        settings.database.path,
        EventFactory(SystemClock(), settings.events.max_hops),
        readers=1,
        busy_timeout=settings.database.busy_timeout,
        # The events of this process go to the inbox, where a running workbench takes them.
        is_owner=False,
    )
    with explain_failure(settings.database.path):
        await store.open()
        try:
            yield store
        finally:
            await store.close()


def import_tables(config: Path | None) -> None:
    """Import the tables of all plugins, for commands that look at each table.

    Raises:
        SettingsError: the settings are invalid.
    """
    from biont.plugins.loading import load_plugins
    from biont.plugins.tables import list_tables

    list_tables(load_plugins(read_settings(config)))


class Accounts(NamedTuple):
    """Users and API keys."""

    users: Users
    keys: ApiKeys


@asynccontextmanager
async def open_accounts(config: Path | None) -> AsyncIterator[Accounts]:
    """Open users and API keys, also while a workbench runs on the same database.

    Raises:
        SettingsError: the settings are invalid.
        StoreUnavailable: the database cannot be opened.
    """
    from biont.accounts.api_keys import ApiKeys
    from biont.accounts.users import Users
    from biont.clock import SystemClock

    async with open_store(config) as store:
        yield Accounts(Users(store, SystemClock()), ApiKeys(store, SystemClock()))


@contextmanager
def read_database(config: Path | None) -> Iterator[None]:
    """Allow read-only queries while the context is open, also while a workbench runs.

    Args:
        config: the value of `config_option`.

    Raises:
        SettingsError: the settings are invalid.
        StoreUnavailable: the database does not exist, or belongs to another version.
    """
    import sqlite3

    from peewee import PeeweeException

    from biont.exceptions import StoreUnavailable
    from biont.store.database import activate, open_sqlite
    from biont.store.failures import explain_failure, translate_error

    settings = read_settings(config).database
    if not settings.path.exists():
        raise StoreUnavailable(f"the database {settings.path} does not exist; see database.url")
    database = open_sqlite(settings.path, settings.busy_timeout)
    try:
        with (
            explain_failure(settings.path),
            database.connection_context(),
            activate(database),
        ):
            # A command that only reads must not write by mistake beside a running workbench.
            database.connection().execute("PRAGMA query_only = 1")
            yield
    except (PeeweeException, sqlite3.Error) as error:
        failed = translate_error(error)
        if isinstance(failed, StoreUnavailable):
            raise StoreUnavailable(f"{settings.path}: {failed}") from error
        raise StoreUnavailable(
            f"{settings.path} cannot be read: {error}; "
            "if a table or column is missing, start the workbench once"
        ) from error
