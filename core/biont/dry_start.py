"""Dry start: starts all plugins on a temporary database, and reports their states.

The temporary database has the tables of the operator's database, so that new migrations run, and
the rows of users and keys, to which settings refer. There are no other rows: nothing is delivered,
no schedule runs, and no mission goes on. Handlers, scheduler and background tasks do not start.
Lifespans open and close; a lifespan that acts on an outside system acts then, too.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Coroutine
from pathlib import Path

from biont.application import open_application
from biont.exceptions import BiontError, SettingsError
from biont.plugins.lifespans import describe_block
from biont.plugins.state import PluginState, list_states
from biont.settings.sections import Settings
from biont.store.lost_database import check_existence

_KEPT = ("users", "api_keys", "vault_seals")


def start_dry(settings: Settings) -> list[PluginState]:
    """Start and stop a workbench on a temporary database; return the states of the plugins.

    Raises:
        BiontError: the workbench cannot start.
    """
    # Records below an error are about the temporary database, and would mislead.
    logging.disable(logging.WARNING)
    check_existence(settings.database.path, settings.vault.key_file)
    with tempfile.TemporaryDirectory(prefix="biont-", ignore_cleanup_errors=True) as folder:
        copied = _copy_settings(settings, Path(folder))
        try:
            return _run(_start(copied, Path(folder)))
        except SettingsError:
            raise
        except BiontError as error:
            # The operator knows the paths of the settings, and no temporary paths.
            reason = str(error).replace(str(copied.database.path), str(settings.database.path))
            key_file = str(copied.vault.key_file)
            raise BiontError(reason.replace(key_file, str(settings.vault.key_file))) from error


def _run(start: Coroutine[None, None, list[PluginState]]) -> list[PluginState]:
    """Run `start` on an event loop; leave behind the tasks that do not end.

    `asyncio.run` would wait for ever for a task of a plugin that ignores its cancellation.
    """
    loop = asyncio.new_event_loop()
    # A task that is left behind is reported as one, which says nothing new to the operator.
    loop.set_exception_handler(lambda *_: None)
    try:
        return loop.run_until_complete(start)
    finally:
        loop.close()


async def _start(settings: Settings, folder: Path) -> list[PluginState]:
    def end(plugin: str) -> None:
        # The event loop is blocked, and Python cannot end the code that blocks it.
        sys.stderr.write(f"biont: {describe_block(plugin)}\n")
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(1)

    async with open_application(settings, on_block=end, is_dry=True) as application:
        return list_states(application.plugins, application.task_problems)


def _copy_settings(settings: Settings, folder: Path) -> Settings:
    database, key_file = folder / "biont.sqlite3", folder / "biont.key"
    if settings.database.path.exists():
        _copy_database(settings.database.path, database)
    if settings.vault.key_file.exists():
        # With the mode of the file, which a start checks.
        shutil.copy(settings.vault.key_file, key_file)
    return settings.model_copy(
        update={
            "database": settings.database.model_copy(update={"url": f"sqlite:///{database}"}),
            "vault": settings.vault.model_copy(update={"key_file": key_file}),
        }
    )


def _copy_database(source: Path, target: Path) -> None:
    """Copy all tables, and the rows that a start refers to."""
    target.touch(0o600)
    with (
        contextlib.closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as old,
        contextlib.closing(sqlite3.connect(target)) as new,
    ):
        shadows = {row[0] for row in old.execute(_SHADOWS)}
        for name, kind, sql in old.execute(_OBJECTS).fetchall():
            if name in shadows:
                continue
            new.execute(sql)
            if kind == "table" and (name in _KEPT or name.startswith("migrations_")):
                # SQL has no parameters for names; this one comes from SQLite's own schema.
                rows = old.execute(f'SELECT * FROM "{name}"').fetchall()  # noqa: S608  # a name
                if rows:
                    marks = ", ".join("?" * len(rows[0]))
                    insert = f'INSERT INTO "{name}" VALUES ({marks})'  # noqa: S608  # a name
                    new.executemany(insert, rows)
        new.commit()


_OBJECTS = (
    "SELECT name, type, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
    " ORDER BY type <> 'table', rowid"
)
_SHADOWS = "SELECT name FROM pragma_table_list WHERE type = 'shadow'"
