"""The contract between the workbench and its plugins, on one page.

A plugin is a module. It implements any of these hooks as functions marked with
`biont.hookimpl`, and marks event handlers with `biont.on`; it needs neither.
Hooks are synchronous and only *say* what the plugin has: they are called once,
at start, after every plugin has been imported. What they return may be async.

A hook may leave out parameters it does not need. A function marked with
`hookimpl` whose name is not on this page is an error that names its plugin.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

import pluggy

from biont.contract.jobs import JobKind
from biont.contract.llm import BackendFactory
from biont.contract.tools import Tool
from biont.event_types import EventType
from biont.http.api import Api
from biont.store.schema import Tables

if TYPE_CHECKING:
    import click
    from pydantic import BaseModel

    from biont.workbench import Workbench

hookspec = pluggy.HookspecMarker("biont")
hookimpl = pluggy.HookimplMarker("biont")


@hookspec
def register_settings() -> type[BaseModel]:
    """Return the model of the plugin's own section, ``plugins: {<name>: ...}``, in YAML.

    It should forbid extra keys and give every field a default and a description.
    The validated section is `biont.Workbench.plugin_settings`. Since 0.1.
    """
    raise AssertionError


@hookspec
def register_tables() -> Tables:
    """Return the plugin's tables and the folder of the migrations that make them.

    Migrations run before the plugin's `lifespan` is opened. Since 0.1.
    """
    raise AssertionError


@hookspec
def register_routes() -> Api:
    """Return the plugin's routes, below ``/api/v1``.

    A route that the core or another plugin has is an error that names both.
    Since 0.1.
    """
    raise AssertionError


@hookspec
def register_jobs() -> Sequence[JobKind]:
    """Return the kinds of job that schedules may have. Since 0.1."""
    raise AssertionError


@hookspec
def register_event_types() -> Sequence[EventType]:
    """Return the types of event that the plugin emits.

    A type that nobody declares is refused where it is emitted, and so is a
    payload that is not as declared; only names that begin with ``custom_``
    need no declaration. Since 0.1.
    """
    raise AssertionError


@hookspec
def register_llm_backends(workbench: Workbench) -> Mapping[str, BackendFactory]:
    """Return ways to reach a language model, by the name that settings and requests choose.

    A name has no ``/``. A factory is called when its backend is first used. Since 0.1.

    Args:
        workbench: has the plugin's settings, and is not running yet.
    """
    raise AssertionError


@hookspec
def register_tools() -> Sequence[Tool]:
    """Return what a language model may do, on behalf of its user.

    Two tools of one name are an error that names both plugins. Since 0.1.
    """
    raise AssertionError


@hookspec
def register_commands(cli: click.Group) -> None:
    """Add commands to ``biont``.

    Called when the command line is not one of the core's own. A command reads the
    plugin's own settings by `biont.cli.read_plugin_settings`. Since 0.1.

    Args:
        cli: the group of all commands.
    """


@hookspec
def lifespan(workbench: Workbench) -> AbstractAsyncContextManager[None]:
    """Return a context that is open while the workbench runs.

    Opened in the order of the plugins' names, before the first event is handled;
    closed in reverse, after the last. Since 0.1.

    Args:
        workbench: the running whole.
    """
    raise AssertionError
