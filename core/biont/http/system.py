"""System: the state of the whole application, as the core's own routes report it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from biont.http.api import Route
from biont.runtime.log_tail import LogTail
from biont.runtime.loop_watchdog import Stall
from biont.runtime.task_problem import TaskProblem
from biont.services import Service
from biont.store.backup_folder import BackupFolder
from biont.store.growth import TableSizes


@dataclass(frozen=True, slots=True)
class PluginSummary:
    """Plugin with all that it has registered.

    Attributes:
        name: the name.
        state: ``running``, ``starting``, ``disabled``, ``quarantined`` or ``failing``.
        description: the summary; the reason and the remedy of a problem.
        is_built_in: whether the plugin comes with the workbench.
        routes: the method and path of each route.
        event_types: the names of the event types.
        tools: the names of the tools.
        jobs: the names of the job kinds.
        handlers: the names of the event handlers.
    """

    name: str
    state: str
    description: str
    is_built_in: bool
    routes: Sequence[str]
    event_types: Sequence[str]
    tools: Sequence[str]
    jobs: Sequence[str]
    handlers: Sequence[str]


class System(Protocol):
    """State of the running application."""

    @property
    def version(self) -> str:
        """The version of the installed distribution."""
        ...

    @property
    def started_at(self) -> datetime:
        """The instant of the start."""
        ...

    def list_plugins(self) -> Sequence[PluginSummary]:
        """Return all plugins, running plugins first."""
        ...

    @property
    def running_plugins(self) -> Sequence[str]:
        """The names of the plugins that run."""
        ...

    @property
    def quarantined_plugins(self) -> Sequence[str]:
        """The names of the plugins in quarantine."""
        ...

    @property
    def quarantine_reasons(self) -> Mapping[str, str]:
        """The reason of each quarantine, by the plugin's name."""
        ...

    @property
    def task_problems(self) -> Sequence[TaskProblem]:
        """The background tasks that have died, or whose latest run has failed."""
        ...

    @property
    def stalls(self) -> Sequence[Stall]:
        """The last times that the event loop was blocked, the newest first."""
        ...

    @property
    def routes(self) -> Mapping[str, tuple[str, Route]]:
        """The `operationId` and the route of each route with a key, by method and path."""
        ...

    @property
    def openapi(self) -> bytes:
        """The OpenAPI document, as JSON."""
        ...

    @property
    def asyncapi(self) -> bytes:
        """The AsyncAPI document, as JSON."""
        ...


SYSTEM = Service[System]("system", provider="core")
"""The state of the whole application."""

LOG_TAIL = Service[LogTail]("log tail", provider="core")
"""The last lines of the log."""

BACKUPS = Service[BackupFolder]("backups", provider="core")
"""The backups that administrators make."""

TABLE_SIZES = Service[TableSizes]("table sizes", provider="core")
"""The sizes of the tables of the database."""
