"""Routes of the state of the workbench, for administrators: process, settings and plugins."""

from __future__ import annotations

import platform
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, Field

from biont.events.observation import HandlerLag
from biont.http.api import Api
from biont.http.request import Request
from biont.http.system import SYSTEM
from biont.schema import Schema
from biont.security.redaction import redact_secrets
from biont.store.database import dump_json
from biont.store.journal import read_last_sequence
from biont.workbench import Workbench

api = Api("core")

_LOG = "-wal"


class HandlerState(Schema):
    """An event handler and its lag."""

    name: str
    behind: int = Field(
        description="Number of events after the last event that the handler has handled."
    )
    waiting_since: datetime | None = Field(
        description="The instant of the oldest of these events; null if none waits."
    )


class LaggingHandler(HandlerState):
    """An event handler with its plugin and its lag."""

    plugin: str


class HandlerList(Schema):
    """All event handlers."""

    data: list[LaggingHandler]


class PluginDetails(Schema):
    """A plugin, with all that it has registered."""

    name: str
    state: str = Field(
        description="`running`, `starting`, `disabled`, `quarantined` or `failing`."
    )
    description: str = Field(description="The summary, or the reason and the remedy of a problem.")
    built_in: bool
    routes: list[str]
    event_types: list[str]
    tools: list[str]
    jobs: list[str]
    handlers: list[HandlerState]


class PluginList(Schema):
    """All plugins."""

    data: list[PluginDetails]


class SettingView(Schema):
    """A setting, with its value and the place that sets it."""

    key: str
    value: str = Field(
        description="The value as JSON, the names of entries with values that may be secret."
    )
    place: str | None = Field(
        description="The file and line, or the environment variable; null for the default."
    )


class SystemView(Schema):
    """State of the process and its database."""

    version: str
    python: str
    sqlite: str
    started_at: datetime
    database_bytes: int = Field(description="Size of the database file.")
    log_bytes: int = Field(description="Size of the database's write-ahead log.")
    free_bytes: int = Field(description="Free space on the disk of the database.")
    last_event: int = Field(description="The number of the newest event.")
    settings: list[SettingView]


@api.get("/plugins", operation="list_plugins", admin=True, narrowable=False)
async def list_plugins(request: Request) -> PluginList:
    """List all plugins with their states and all that they have registered.

    For administrators. `behind` of a handler is the number of events that wait for the handler.
    """
    workbench = request.workbench
    lags = {(lag.plugin, lag.handler): lag for lag in await workbench.events.measure_lags()}
    return PluginList(
        data=[
            PluginDetails(
                name=plugin.name,
                state=plugin.state,
                description=redact_secrets(plugin.description),
                built_in=plugin.is_built_in,
                routes=[*plugin.routes],
                event_types=[*plugin.event_types],
                tools=[*plugin.tools],
                jobs=[*plugin.jobs],
                handlers=[
                    _make_state(name, lags.get((plugin.name, name))) for name in plugin.handlers
                ],
            )
            for plugin in workbench.get(SYSTEM).list_plugins()
        ]
    )


@api.get("/system/handlers", operation="list_handlers", admin=True, narrowable=False)
async def list_handlers(request: Request) -> HandlerList:
    """List the event handlers of all running plugins, those that are behind the longest first.

    For administrators. A handler that is behind for long is slow, or waits for another program.
    """
    now = request.workbench.clock.now()
    lags = await request.workbench.events.measure_lags()
    lags.sort(key=lambda lag: lag.waiting_since or now)
    return HandlerList(
        data=[
            LaggingHandler(plugin=lag.plugin, **_make_state(lag.handler, lag).model_dump())
            for lag in lags
        ]
    )


@api.get("/system", operation="read_system", admin=True, narrowable=False)
async def read_system(request: Request) -> SystemView:
    """Get the state of the process, its database and its settings.

    For administrators. Secrets are masked.
    """
    workbench = request.workbench
    path = workbench.settings.database.path
    system = workbench.get(SYSTEM)
    return SystemView(
        version=system.version,
        python=platform.python_version(),
        sqlite=sqlite3.sqlite_version,
        started_at=system.started_at,
        database_bytes=_measure(path),
        log_bytes=_measure(path.with_name(path.name + _LOG)),
        free_bytes=shutil.disk_usage(path.parent).free,
        last_event=await workbench.store.read(read_last_sequence),
        settings=[*_list_settings(workbench)],
    )


def _make_state(name: str, lag: HandlerLag | None) -> HandlerState:
    if lag is None:
        return HandlerState(name=name, behind=0, waiting_since=None)
    return HandlerState(name=name, behind=lag.behind, waiting_since=lag.waiting_since)


def _list_settings(workbench: Workbench) -> Iterator[SettingView]:
    settings = workbench.settings
    yield from _walk(workbench, settings, ())
    for name, section in workbench.sections.items():
        yield from _walk(workbench, section, ("plugins", name))


def _walk(
    workbench: Workbench, section: BaseModel, place: tuple[str, ...]
) -> Iterator[SettingView]:
    for name in type(section).model_fields:
        value, path = getattr(section, name), (*place, name)
        if isinstance(value, BaseModel):
            yield from _walk(workbench, value, path)
            continue
        if isinstance(value, Mapping):
            # The values may be secrets that have no form, such as the URL of an integration.
            text = dump_json([*value])
        else:
            dumped = section.model_dump_json(include={name})
            # Without the name of the setting, which a reader knows.
            text = dumped.partition(":")[2].removesuffix("}")
        found = workbench.settings.find_place(path)
        yield SettingView(key=".".join(path), value=redact_secrets(text), place=found)


def _measure(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
