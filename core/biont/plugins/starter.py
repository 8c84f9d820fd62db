"""Plugin starter: brings the plugins of one workbench up, step by step.

    register: hooks are called, clashes of names are settled, tables are migrated and compared
    make_endpoints: signatures of routes are read
    open_lifespans: the contexts of the plugins open

A plugin that fails in a step goes into quarantine, and all that the plugin has given so far is
taken back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial

from biont.contract.commands import CORE_COMMANDS
from biont.event import EventFactory
from biont.event_types import EventTypes
from biont.http.api import Api
from biont.http.app import make_endpoints
from biont.http.document.openapi import make_openapi
from biont.http.endpoint import Endpoint
from biont.operations.part import BoundKind
from biont.plugins.claims import make_core_claims
from biont.plugins.core_event_types import CORE_EVENT_TYPES
from biont.plugins.core_operations import CORE_OPERATIONS
from biont.plugins.lifespans import PluginLifespan
from biont.plugins.manager import PluginManager
from biont.plugins.registry import PluginRegistry
from biont.plugins.tables import open_tables
from biont.runtime.isolated_call import call_in_thread
from biont.runtime.plugin_tasks import PluginTasks
from biont.scheduler.run import Job
from biont.workbench import Workbench


class PluginStarter:
    """Start of the plugins of one workbench.

    Args:
        plugins: the loaded plugins.
        workbench: the workbench.
        factory: makes events; gets the event types of the plugins.
        tasks: the tasks of the plugins.
        core_apis: the routes of the core.
        version: the version of the installed distribution.

    Attributes:
        endpoints: the endpoints of the core and of the running plugins.
    """

    def __init__(  # the parts of a workbench that plugins add to
        self,
        plugins: PluginManager,
        workbench: Workbench,
        factory: EventFactory,
        *,
        tasks: PluginTasks,
        core_apis: Sequence[Api],
        version: str,
    ) -> None:
        self.endpoints: list[Endpoint] = []
        self._plugins = plugins
        self._workbench = workbench
        self._factory = factory
        self._tasks = tasks
        self._core_apis = core_apis
        self._version = version
        self._registry = PluginRegistry(plugins, workbench)

    def bind_jobs(self) -> Mapping[str, Job]:
        """Return the job of each kind, bound to the workbench."""
        return self._registry.bind_jobs()

    def bind_operations(self) -> Mapping[str, BoundKind]:
        """Return the operation kinds by name, bound to the workbench."""
        return self._registry.bind_operations()

    async def register(self) -> None:
        """Collect what the plugins register, and migrate their tables."""
        plugins = self._plugins
        routes = [route for api in self._core_apis for route in api]
        claims = make_core_claims(
            routes,
            CORE_EVENT_TYPES,
            CORE_COMMANDS,
            [kind.name for kind in CORE_OPERATIONS],
        )
        plugins.on_quarantine = self._withdraw
        collect = partial(plugins.collect, self._workbench, claims)
        await call_in_thread(collect, "biont-plugins")
        await open_tables(plugins, self._workbench.store)
        self._registry.provide()
        # Not before: until all plugins are registered, any event type may still be declared.
        self._factory.event_types = self._registry.event_types

    def _withdraw(self, plugin: str) -> None:
        """Take back all that a plugin in quarantine has registered or started."""
        self._registry.refresh()
        self._factory.event_types = self._registry.event_types
        self.endpoints = [each for each in self.endpoints if each.owner != plugin]
        self._workbench.background_tasks.forget(plugin)
        self._workbench.services.withdraw(plugin)
        self._tasks.cancel(plugin)

    async def make_endpoints(self) -> None:
        """Make the endpoints of the core and of all plugins."""
        self.endpoints = [
            endpoint
            for api in self._core_apis
            for endpoint in make_endpoints("core", api, self._workbench)
        ]
        await call_in_thread(self._make_plugin_endpoints, "biont-routes")

    def _make_plugin_endpoints(self) -> None:
        plugins = self._plugins
        for name in list(plugins.running):
            api = plugins.contributions[name].api
            if api is None:
                continue
            with plugins.guard(name):
                make = partial(make_endpoints, name, api, self._workbench)
                endpoints = plugins.call(name, make)
                if not plugins.is_built_in(name):
                    # A route without a schema would break the document for everybody.
                    check = partial(make_openapi, endpoints, EventTypes({}), version=self._version)
                    plugins.call(name, check)
                self.endpoints += endpoints

    async def open_lifespans(self, stack: AsyncExitStack, on_block: Callable[[str], None]) -> None:
        """Start the plugins, one after the other; `stack` closes the plugins in reverse order."""
        plugins, workbench = self._plugins, self._workbench
        for name in list(plugins.running):
            if name not in plugins.running:  # requires a plugin that was quarantined meanwhile
                continue
            with plugins.guard(name):
                context = await call_in_thread(
                    partial(plugins.lifespan, name, workbench), "biont-lifespan"
                )
                if context is None:
                    continue
                lifespan = PluginLifespan(name, context, on_block)
                # Built-in plugins have no limit: a large database may take a while to read.
                limit = None if plugins.is_built_in(name) else plugins.start_timeout
                await lifespan.open(limit)
                stack.push_async_callback(_close_lifespan, lifespan, workbench)


async def _close_lifespan(lifespan: PluginLifespan, workbench: Workbench) -> None:
    await lifespan.close(workbench.shutdown.time_left())
