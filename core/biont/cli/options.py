"""What several commands share."""

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
    help="Folder of YAML files, or one file. By default the folder `config`, where there is one.",
)


def parse_instant(value: str) -> datetime:
    """Return an instant in ISO 8601; without a zone it is in UTC.

    Raises:
        click.BadParameter: it is none.
    """
    try:
        at = datetime.fromisoformat(value)
    except ValueError as error:
        raise click.BadParameter(
            f"{value!r} is no instant; write it as 2026-03-01T12:00:00Z"
        ) from error
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def find_config(config: Path | None) -> Path | None:
    """Return the configuration, a folder or one file; None where there is none.

    Args:
        config: as given by `config_option`, which stands over the environment.
    """
    if config is None and os.environ.get("BIONT_CONFIG"):
        return Path(os.environ["BIONT_CONFIG"])
    if config is None and Path("config").is_dir():
        return Path("config")
    return config


def read_settings(config: Path | None, **overrides: object) -> Settings:
    """Return the settings that a command runs with.

    Args:
        config: as given by `config_option`.
        overrides: variables that stand over the environment; None leaves one as it is.

    Raises:
        SettingsError: they cannot be used; each problem is named with its place.
    """
    from biont.settings.loading import load_settings

    given = {name: str(value) for name, value in overrides.items() if value is not None}
    return load_settings(find_config(config), environ=os.environ | given)


def read_plugin_settings(config: Path | None, name: str, model: type[M]) -> M:
    """Return the section of the plugin `name`, checked against its model.

    For a command that a plugin adds; a running workbench has `Workbench.plugin_settings`.

    Args:
        config: as given by `config_option`.
        name: the plugin's name, the key below ``plugins:``.
        model: the model that the plugin returns from `register_settings`.

    Raises:
        SettingsError: the core's settings or this section cannot be used; each problem is
            named with its place.
    """
    return read_settings(config).read_section(name, model)


@asynccontextmanager
async def open_store(config: Path | None) -> AsyncIterator[Store]:
    """Open the database, beside a workbench that may be running.

    Raises:
        SettingsError: the settings cannot be used.
        StoreUnavailable: the database cannot be used.
    """
    from biont.clock import SystemClock
    from biont.event import EventFactory
    from biont.store.store import Store

    settings = read_settings(config)
    store = Store(
        settings.database.path,
        EventFactory(SystemClock(), settings.events.max_hops),
        readers=1,
        busy_timeout=settings.database.busy_timeout,
        is_owner=False,
    )
    await store.open()
    try:
        yield store
    finally:
        await store.close()


class Accounts(NamedTuple):
    """Users and their keys."""

    users: Users
    keys: ApiKeys


@asynccontextmanager
async def open_accounts(config: Path | None) -> AsyncIterator[Accounts]:
    """Open users and keys, beside a workbench that may be running.

    Raises:
        SettingsError: the settings cannot be used.
        StoreUnavailable: the database cannot be used.
    """
    from biont.accounts.api_keys import ApiKeys
    from biont.accounts.users import Users
    from biont.clock import SystemClock

    async with open_store(config) as store:
        yield Accounts(Users(store, SystemClock()), ApiKeys(store, SystemClock()))


@contextmanager
def read_database(config: Path | None) -> Iterator[None]:
    """Let tables be used inside, for reading only, beside a workbench that may be running.

    Args:
        config: as given by `config_option`.

    Raises:
        SettingsError: the settings cannot be used.
        StoreUnavailable: there is no database, or not of this version.
    """
    import sqlite3

    from peewee import OperationalError

    from biont.exceptions import StoreUnavailable
    from biont.store.database import activate, open_sqlite

    settings = read_settings(config).database
    if not settings.path.exists():
        raise StoreUnavailable(f"there is no database {settings.path}; see database.url")
    database = open_sqlite(settings.path, settings.busy_timeout)
    try:
        with database.connection_context(), activate(database):
            database.connection().execute("PRAGMA query_only = 1")
            yield
    except (OperationalError, sqlite3.Error) as error:
        raise StoreUnavailable(
            f"{settings.path} cannot be read: {error}; "
            "if a table or column is missing, start the workbench once"
        ) from error
