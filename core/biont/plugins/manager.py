"""Plugin manager: loads plugins, calls their hooks, and quarantines broken plugins.

A plugin is running, or in quarantine, or disabled by the operator:

    found --import--> running --any error up to the end of the start--> quarantined
      |------import fails, or a required plugin is missing------------> quarantined

Nothing of a plugin in quarantine is called again: the manager takes back its tools, job kinds,
event types, backends, services and background tasks. Its events wait for the next start. A plugin
that requires a plugin in quarantine goes into quarantine as well.

Code of a plugin that is not built in runs on a thread of its own until its lifespan opens, so that
a hook that never returns, or that ends the process, harms no other plugin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from functools import partial
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

import pluggy
import structlog

from biont.contract import hookspecs
from biont.events.handlers import Handler, collect_handlers
from biont.exceptions import PluginError, SettingsError, StoreUnavailable
from biont.plugins.claims import Claims
from biont.plugins.contributions import Contributions, collect_contributions, contain
from biont.plugins.requirements import find_cycle, find_dependants, sort_by_requirements
from biont.plugins.sources import FoundSources, find_sources
from biont.runtime.containment import contain_exit
from biont.runtime.isolated_call import IsolatedCall, NotReturned
from biont.security.error_texts import describe_exception, explain_exception

if TYPE_CHECKING:
    import click
    from pydantic import BaseModel

    from biont.workbench import Workbench

T = TypeVar("T")

_log = structlog.get_logger("biont.plugins")


class PluginManager:
    """Plugins of one workbench.

    Args:
        start_timeout: the seconds that each call of a plugin may take during the start.

    Attributes:
        running: the plugins in use, by name, in the order in which they start.
        quarantined: the reason of each quarantine, by the plugin's name.
        disabled: the names of the plugins that the operator has disabled.
        contributions: all that the running plugins register, by the plugin's name.
        lost_job_kinds: the names of the job kinds that quarantined plugins have registered.
        on_quarantine: called with the name of each plugin that goes into quarantine.
    """

    def __init__(self, start_timeout: float = 30.0) -> None:
        self.running: dict[str, ModuleType] = {}
        self.quarantined: dict[str, str] = {}
        self.disabled: tuple[str, ...] = ()
        self.contributions: dict[str, Contributions] = {}
        self.lost_job_kinds: dict[str, list[str]] = {}
        self.on_quarantine: Callable[[str], None] = lambda _: None
        self.start_timeout = start_timeout
        self._found = FoundSources()
        self._requirements: dict[str, Sequence[str]] = {}
        self._manager = pluggy.PluginManager("biont")
        self._manager.add_hookspecs(hookspecs)

    @property
    def names(self) -> list[str]:
        """The names of all plugins that were found, also of disabled plugins."""
        return [*self._found.sources]

    def load(
        self,
        *,
        disable: Sequence[str] = (),
        folder: Path | None = None,
        further: Mapping[str, ModuleType] = MappingProxyType({}),
    ) -> None:
        """Import the plugins except for `disable`, and put them in the order of the start.

        Built-in plugins start first, then the others by name; required plugins come before.

        Args:
            disable: the names of plugins that are not loaded.
            folder: plugins that are single files.
            further: imported plugins by name.

        Raises:
            PluginError: there is no such folder.
        """
        self._found = find_sources(folder, further)
        self.disabled = tuple(disable)
        for label, reason in self._found.refused.items():
            self.quarantine(label, reason)
        for name in [name for name in self._found.sources if name not in disable]:
            with self.guard(name):
                self._register(name, self.call(name, self._found.sources[name].load))
        self._check_requirements()
        order = sort_by_requirements(self.running, self._requirements)
        self.running = {name: self.running[name] for name in order}

    def is_built_in(self, name: str) -> bool:
        """Return whether the plugin comes with the workbench."""
        return name in self._found.sources and self._found.sources[name].is_built_in

    @contextmanager
    def guard(self, name: str) -> Iterator[None]:
        """Put the plugin `name` into quarantine after an error, and suppress the error.

        `SettingsError` and `StoreUnavailable` pass: wrong settings and a failed database are for
        the operator to correct, and stop the start.
        """
        try:
            yield
        except (SettingsError, StoreUnavailable):
            raise
        except Exception as error:  # noqa: BLE001  # a plugin may raise anything
            # The message of an error of our own says all.
            describe = explain_exception if type(error) is PluginError else describe_exception
            self.quarantine(name, describe(error))

    def quarantine(self, name: str, reason: str) -> None:
        """Take a plugin, and the plugins that require it, out of use."""
        _log.error("plugin quarantined", plugin=name, reason=reason)
        self.quarantined[name] = reason
        lost = self.contributions.pop(name, None)
        if lost is not None:
            self.lost_job_kinds[name] = [kind.name for kind in lost.jobs]
        module = self.running.pop(name, None)
        if module is None:
            return
        self._manager.unregister(module)
        self.on_quarantine(name)
        for dependant in find_dependants(name, self._requirements):
            if dependant in self.running:
                self.quarantine(
                    dependant, f"requires the plugin {name!r}, which is in quarantine: {reason}"
                )

    def call(self, name: str, function: Callable[[], T]) -> T:
        """Call code of the plugin `name`; an exit of the process becomes an error.

        Raises:
            PluginError: the code has not returned within `start_timeout`.
        """

        def call() -> T:
            with contain_exit(is_async=False):
                return function()

        if self.is_built_in(name):
            return call()
        try:
            return IsolatedCall(call, f"biont-plugin-{name}").call(self.start_timeout)
        except NotReturned:
            raise PluginError(describe_timeout(name, self.start_timeout)) from None

    def settings_models(self) -> dict[str, type[BaseModel]]:
        """Return the model of each plugin's section in the settings."""
        models: dict[str, type[BaseModel]] = {}
        for name in list(self.running):
            with self.guard(name):
                model = self.call_hook(name, "register_settings")
                if model is not None:
                    models[name] = model
        return models

    def collect(self, workbench: Workbench, claims: Claims) -> None:
        """Call all hooks that register something, and settle clashes of names.

        Args:
            workbench: the workbench, from which factories read their settings.
            claims: the names of the core.
        """
        # The command line imports the modules of commands; a server needs them only to compare.
        with_commands = not all(map(self.is_built_in, self.running))
        # Built-in plugins first, so that a clash quarantines the stranger.
        for name in sorted(self.running, key=lambda name: (not self.is_built_in(name), name)):
            if name not in self.running:  # requires a plugin that was quarantined meanwhile
                continue
            with self.guard(name):
                found = collect_contributions(
                    partial(self.call_hook, name), workbench, with_commands=with_commands
                )
                if not self.is_built_in(name):
                    found = self.call(name, partial(contain, found))
                claims.take(name, found.list_claims())
                self.contributions[name] = found

    def verify_database(self) -> list[str]:
        """Return the problems that the plugins find in the database that is bound now."""
        found = {name: self.call_hook(name, "verify_database") for name in self.running}
        return [f"{name}: {problem}" for name, problem in found.items() if problem]

    def add_commands(self, cli: click.Group) -> None:
        """Let each plugin add its commands to `cli`; a name belongs to the first owner."""
        import click  # noqa: PLC0415  # a server without commands needs no click

        claimed: dict[str, str] = {}
        for name in sorted(self.running, key=lambda name: (not self.is_built_in(name), name)):
            with self.guard(name):
                own = click.Group()
                self.call_hook(name, "register_commands", cli=own)
                for command in own.commands.keys() & claimed.keys():
                    raise PluginError.from_conflict(f"command {command!r}", claimed[command], name)
                claimed |= dict.fromkeys(own.commands, name)
                cli.commands.update(own.commands)

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
        """Return the lifespan of the plugin `name`; None for a plugin without lifespan.

        Raises:
            PluginError: the hook does not return an async context manager.
        """
        found = self.call_hook(name, "lifespan", workbench=workbench)
        if found is None or isinstance(found, AbstractAsyncContextManager):
            return found
        raise PluginError(
            f"lifespan must return an async context manager, not {type(found).__name__}; "
            "decorate the function with contextlib.asynccontextmanager"
        )

    def _register(self, name: str, module: ModuleType) -> None:
        self._manager.register(module, name)
        try:
            # Finds misspelt hooks, which pluggy otherwise ignores.
            self._manager.check_pending()
        except pluggy.PluginValidationError:
            self._manager.unregister(module)
            raise
        self.running[name] = module
        required = self.call_hook(name, "requires") or ()
        if isinstance(required, str) or not all(isinstance(each, str) for each in required):
            raise PluginError("requires must return a list of names of plugins")
        self._requirements[name] = tuple(required)

    def _check_requirements(self) -> None:
        for name in list(self.running):
            cycle = find_cycle(name, self._requirements)
            if cycle is not None and name in self.running:
                self.quarantine(name, f"requires itself: {' -> '.join(cycle)}")
        for name, required in list(self._requirements.items()):
            missing = next((each for each in required if each not in self.running), None)
            if missing is not None and name in self.running:
                self.quarantine(name, self.explain_absence(missing))

    def explain_absence(self, name: str) -> str:
        """Return a phrase that says why the required plugin `name` does not run."""
        if name in self.disabled:
            state = "disabled; remove it from plugins.disable, or disable this plugin too"
        elif name in self.quarantined:
            state = f"in quarantine: {self.quarantined[name]}"
        else:
            state = "not installed"
        return f"requires the plugin {name!r}, which is {state}"

    def call_hook(self, name: str, hook: str, **arguments: object) -> Any:  # noqa: ANN401
        """Return the unchecked result of a hook of a running plugin; None without the hook."""
        module = self.running[name]
        # One plugin at a time: pluggy's call of all plugins would not say which one has raised.
        others = [plugin for plugin in self._manager.get_plugins() if plugin is not module]
        caller = self._manager.subset_hook_caller(hook, others)
        if not caller.get_hookimpls():
            return None
        answers: list[Any] = self.call(name, partial(caller, **arguments))
        return answers[0] if answers else None


def describe_timeout(name: str, seconds: float) -> str:
    """Return the reason for the quarantine of a plugin that does not start in time."""
    return (
        f"has not started within {seconds:g} s; raise plugins.start_timeout, "
        f"or add {name!r} to plugins.disable"
    )
