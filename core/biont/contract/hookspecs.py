"""Hook specifications: the contract between the workbench and its plugins.

A plugin is a module with hooks, functions that are marked with `biont.hookimpl`, and event
handlers, functions that are marked with `biont.on`. Every hook is optional. Hooks are synchronous
and only *register*: the workbench calls each hook once, at the start, after it has imported all
plugins. The registered functions may be async.

A hook may leave out parameters. A function marked with `hookimpl` whose name is not in this
module is an error that names the plugin.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

import pluggy

from biont.contract.integrations import IntegrationKind
from biont.contract.jobs import JobKind
from biont.contract.llm import BackendFactory
from biont.contract.operation_kinds import OperationKind
from biont.contract.panels import Panel
from biont.contract.tools import Tool
from biont.event_types import EventType
from biont.http.api import Api
from biont.store.migration import Tables

if TYPE_CHECKING:
    import click
    from pydantic import BaseModel

    from biont.workbench import Workbench

hookspec = pluggy.HookspecMarker("biont")
hookimpl = pluggy.HookimplMarker("biont")
"""Marks a function of a plugin as the implementation of a hook."""


@hookspec
def requires() -> Sequence[str]:
    """Return the names of the plugins that this plugin needs.

    The workbench calls this hook first. Required plugins start before, and stop after, this
    plugin. Without a required plugin this plugin goes into quarantine, and no other hook is
    called. Since 0.1.
    """
    raise AssertionError


@hookspec
def register_settings() -> type[BaseModel]:
    """Return the model of the plugin's section, ``plugins: {<name>: ...}``, in YAML.

    The model should forbid extra keys, and every field should have a default and a description.
    `biont.Workbench.plugin_settings` returns the validated section. Since 0.1.
    """
    raise AssertionError


@hookspec
def register_tables() -> Tables:
    """Return the plugin's tables and the folder of their migrations.

    Migrations run before the plugin's `lifespan` opens. Since 0.1.
    """
    raise AssertionError


@hookspec
def register_routes() -> Api:
    """Return the plugin's routes, below ``/api/v1``.

    A route of the core or of an earlier plugin puts this plugin into quarantine. Since 0.1.
    """
    raise AssertionError


@hookspec
def register_jobs() -> Sequence[JobKind]:
    """Return the job kinds that schedules can run. Since 0.1."""
    raise AssertionError


@hookspec
def register_operations() -> Sequence[OperationKind]:
    """Return the kinds of acts on many rows, which are worked off in the background.

    A route begins such an act by `biont.operations.Operations.begin`. Since 0.1.
    """
    raise AssertionError


@hookspec
def register_event_types() -> Sequence[EventType]:
    """Return the event types that the plugin emits.

    `emit` refuses an undeclared event type and a payload that does not fit the declaration.
    Only names that begin with ``custom_`` need no declaration. Since 0.1.
    """
    raise AssertionError


@hookspec
def register_llm_backends(workbench: Workbench) -> Mapping[str, BackendFactory]:
    """Return factories of LLM backends, by the name that settings and requests use.

    A name has no ``/``. The workbench calls a factory at the first use of the backend. Since 0.1.

    Args:
        workbench: the workbench, which is not running yet, with the plugin's settings.
    """
    raise AssertionError


@hookspec
def register_tools() -> Sequence[Tool]:
    """Return tools that language models may call on behalf of a user.

    A tool with the name of an earlier plugin's tool puts this plugin into quarantine. Since 0.1.
    """
    raise AssertionError


@hookspec
def register_integrations() -> Sequence[IntegrationKind]:
    """Return kinds of outside systems that take messages, made by `make_integration_kind`.

    Users connect systems of these kinds. A kind with the name of an earlier plugin's kind puts
    this plugin into quarantine. Since 0.1.
    """
    raise AssertionError


@hookspec
def register_panels() -> Sequence[Panel]:
    """Return the plugin's parts of the dashboard's pages.

    A panel with the name of an earlier plugin's panel puts this plugin into quarantine. Since 0.1.
    """
    raise AssertionError


@hookspec
def greet_operator(workbench: Workbench, url: str) -> Awaitable[Sequence[str]]:
    """Return lines that ``biont serve`` prints below its own URL, once it serves. Since 0.1.

    Args:
        workbench: the workbench, which runs.
        url: the URL of the server.
    """
    raise AssertionError


@hookspec
def register_commands(cli: click.Group) -> None:
    """Add commands to ``biont``.

    The command line calls this hook for a command that is not the core's. A command reads the
    settings of its plugin with `biont.cli.read_plugin_settings`. Since 0.1.

    Args:
        cli: the group of all commands.
    """


@hookspec
def verify_database() -> str | None:
    """Return the first problem in the plugin's tables; None if the tables are whole.

    Called before a backup is restored, with all tables bound to the backup. The plugin is not
    started, and must only read. Since 0.1.
    """
    raise AssertionError


@hookspec
def lifespan(workbench: Workbench) -> AbstractAsyncContextManager[None]:
    """Return a context that is open while the workbench runs.

    Contexts open before the first event is handled, each in a task of its own: first those of the
    built-in plugins, then the others by name, and required plugins before. They close in the
    reverse order, after the last event. A context that does not open within
    ``plugins.start_timeout`` seconds puts the plugin into quarantine. Since 0.1.

    Args:
        workbench: the workbench.
    """
    raise AssertionError
