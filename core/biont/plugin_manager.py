"""Plugin manager: finds and imports plugins, calls their hooks, and quarantines broken plugins.

A plugin is running, or in quarantine, or disabled by the operator:

    found --import and hooks succeed--> running --any later error in a hook--> quarantined
    found --import fails--> quarantined

Nothing of a plugin in quarantine is called again. Its events and schedules wait for the next
start, because its handlers and job kinds are missing until then.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

import pluggy
import structlog

from biont.contract import hookspecs
from biont.contract.jobs import JobKind
from biont.contract.llm import BackendFactory
from biont.contract.tools import Tool
from biont.event_types import EventType, EventTypes
from biont.events.handlers import Handler, collect_handlers
from biont.exceptions import PluginError, SettingsError, StoreUnavailable
from biont.http.api import Api
from biont.scheduler.event_types import SCHEDULED_TRIGGER
from biont.store.migration import Tables

if TYPE_CHECKING:
    import click
    from pydantic import BaseModel

    from biont.workbench import Workbench

T = TypeVar("T")

GROUP = "biont"
"""The entry point group in which plugins are found."""

_log = structlog.get_logger("biont.plugin_manager")


@dataclass
class PluginManager:
    """Plugins of one workbench.

    Attributes:
        running: the plugins in use, by name, in the order in which they start.
        quarantined: the reason of each quarantine, by the plugin's name.
    """

    running: dict[str, ModuleType] = field(default_factory=dict)
    quarantined: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._manager = pluggy.PluginManager("biont")
        self._manager.add_hookspecs(hookspecs)

    def load(
        self,
        *,
        disable: Sequence[str] = (),
        folder: Path | None = None,
        further: Mapping[str, ModuleType] = MappingProxyType({}),
    ) -> None:
        """Import the installed plugins and the plugins in `folder`, except for `disable`.

        Args:
            disable: the names of plugins that are not loaded.
            folder: plugins that are single files.
            further: imported plugins by name.

        Raises:
            PluginError: two plugins have the same name.
        """
        sources = _find_sources(folder, further)
        for name in sorted(sources.keys() - set(disable)):
            with self.guard(name):
                self._register(name, sources[name]())

    def guard(self, name: str) -> _Guard:
        """Return a context that puts the plugin `name` into quarantine after an exception.

        The context suppresses the exception. `SettingsError` passes, and so does each
        `BaseException` that is no `Exception`, except `SystemExit`.
        """
        return _Guard(self, name)

    def quarantine(self, name: str, reason: str) -> None:
        """Take a plugin out of use; nothing of the plugin is called any more."""
        _log.error("plugin quarantined", plugin=name, reason=reason)
        self.quarantined[name] = reason
        module = self.running.pop(name, None)
        if module is not None:
            self._manager.unregister(module)

    def settings_models(self) -> dict[str, type[BaseModel]]:
        """Return the model of each plugin's section in the settings."""
        return self._call_hook_of_each("register_settings")

    def tables(self) -> dict[str, Tables]:
        """Return the tables of each plugin.

        Raises:
            PluginError: two plugins claim the same table.
        """
        tables: dict[str, Tables] = self._call_hook_of_each("register_tables")
        _refuse_duplicates(
            "table",
            {
                name: [model._meta.table_name for model in found.models]  # noqa: SLF001  # peewee's way
                for name, found in tables.items()
            },
        )
        return tables

    def apis(self) -> dict[str, Api]:
        """Return the routes of each plugin."""
        return self._call_hook_of_each("register_routes")

    def job_kinds(self) -> dict[str, JobKind]:
        """Return all job kinds by name.

        Raises:
            PluginError: two plugins claim the same name.
        """
        found: dict[str, Sequence[JobKind]] = self._call_hook_of_each("register_jobs")
        _refuse_duplicates(
            "job kind", {name: [kind.name for kind in kinds] for name, kinds in found.items()}
        )
        return {kind.name: kind for kinds in found.values() for kind in kinds}

    def event_types(self) -> EventTypes:
        """Return the event types that the core and the plugins declare.

        Raises:
            PluginError: the same name is declared twice.
        """
        declared: dict[str, Sequence[EventType]] = {"core": [SCHEDULED_TRIGGER]}
        declared |= self._call_hook_of_each("register_event_types")
        _refuse_duplicates(
            "event type",
            {name: [found.name for found in types] for name, types in declared.items()},
        )
        return EventTypes(declared)

    def llm_backends(self, workbench: Workbench) -> dict[str, BackendFactory]:
        """Return the factories of all LLM backends by name.

        Args:
            workbench: the workbench, from which factories read their settings.

        Raises:
            PluginError: two plugins claim the same name.
        """
        found: dict[str, Mapping[str, BackendFactory]] = self._call_hook_of_each(
            "register_llm_backends", workbench=workbench
        )
        _refuse_duplicates("LLM backend", {name: list(names) for name, names in found.items()})
        return {name: factory for names in found.values() for name, factory in names.items()}

    def tools(self) -> dict[str, Tool]:
        """Return all tools by name.

        Raises:
            PluginError: two plugins claim the same name.
        """
        found: dict[str, Sequence[Tool]] = self._call_hook_of_each("register_tools")
        _refuse_duplicates(
            "tool", {name: [tool.name for tool in of] for name, of in found.items()}
        )
        return {tool.name: tool for of in found.values() for tool in of}

    def add_commands(self, cli: click.Group) -> None:
        """Let each plugin add its commands to `cli`."""
        self._call_hook_of_each("register_commands", cli=cli)

    def handlers(self, workbench: Workbench) -> list[Handler]:
        """Return the event handlers that the plugins have marked, bound to `workbench`."""
        return [
            handler
            for name, module in self.running.items()
            for handler in collect_handlers(name, module, workbench)
        ]

    def lifespan(
        self, name: str, workbench: Workbench
    ) -> AbstractAsyncContextManager[None] | None:
        """Return the lifespan of the plugin `name`; None for a plugin without lifespan."""
        answers = self._call_hook(self.running[name], "lifespan", workbench=workbench)
        return answers[0] if answers else None

    def _register(self, name: str, module: ModuleType) -> None:
        self._manager.register(module, name)
        try:
            # Finds misspelt hooks, which pluggy otherwise ignores.
            self._manager.check_pending()
        except pluggy.PluginValidationError:
            self._manager.unregister(module)
            raise
        self.running[name] = module

    def _call_hook_of_each(self, hook: str, **arguments: object) -> dict[str, Any]:
        """Return the result of `hook` by plugin; a plugin that raises is quarantined."""
        answers: dict[str, Any] = {}
        for name, module in list(self.running.items()):
            with self.guard(name):
                found = self._call_hook(module, hook, **arguments)
                if found:
                    answers[name] = found[0]
        return answers

    def _call_hook(self, module: ModuleType, hook: str, **arguments: object) -> list[Any]:
        # One plugin at a time: pluggy's call of all plugins would not say which one has raised.
        others = [plugin for plugin in self._manager.get_plugins() if plugin is not module]
        answers: list[Any] = self._manager.subset_hook_caller(hook, others)(**arguments)
        return answers


class _Guard:
    """Context that turns an error of a plugin into its quarantine."""

    def __init__(self, plugins: PluginManager, name: str) -> None:
        self._plugins = plugins
        self._name = name

    def __enter__(self) -> None:
        """Enter the context."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        """Suppress an ordinary error after the plugin is in quarantine."""
        # Wrong settings and a failed database are for the operator, and stop the start. A file
        # that calls `sys.exit` when it is imported is a script, and must not end the workbench.
        if not isinstance(error, Exception | SystemExit) or isinstance(
            error, SettingsError | StoreUnavailable
        ):
            return False
        self._plugins.quarantine(self._name, f"{type(error).__name__}: {error}")
        return True


def _find_sources(
    folder: Path | None, further: Mapping[str, ModuleType]
) -> dict[str, Callable[[], ModuleType]]:
    sources: dict[str, Callable[[], ModuleType]] = {}
    for name, load in _iterate_sources(folder, further):
        if name in sources:
            raise PluginError(f"there are two plugins called {name!r}; rename or remove one")
        sources[name] = load
    return sources


def _return(module: ModuleType) -> ModuleType:
    return module


def _iterate_sources(
    folder: Path | None, further: Mapping[str, ModuleType]
) -> Iterator[tuple[str, Callable[[], ModuleType]]]:
    for name, module in further.items():
        yield name, partial(_return, module)
    for point in entry_points(group=GROUP):
        yield point.name, point.load
    if folder is None:
        return
    if not folder.is_dir():
        raise PluginError(f"plugins.folder: there is no folder {folder}; create it")
    for path in sorted(folder.glob("*.py")):
        yield path.stem, _FileLoader(path)


@dataclass(frozen=True)
class _FileLoader:
    """Loader of a plugin that is a single file."""

    path: Path

    def __call__(self) -> ModuleType:
        spec = importlib.util.spec_from_file_location(f"biont_file_{self.path.stem}", self.path)
        if spec is None or spec.loader is None:
            raise PluginError(f"{self.path} cannot be imported")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module


def _refuse_duplicates(what: str, names: Mapping[str, Sequence[str]]) -> None:
    owners: dict[str, str] = {}
    for plugin, claimed in names.items():
        for name in claimed:
            if name in owners:
                raise PluginError.from_conflict(f"{what} {name!r}", owners[name], plugin)
            owners[name] = plugin
