"""Application: builds all parts of a workbench, and opens and closes them in order.

Parts open from the inside out: database lock, store, vault, plugins and their tables, routes,
egress, the plugins' lifespans, background tasks, event system, scheduler. They close in the
reverse order. So nothing handles an event before the plugin that needs it is open, and
nothing is closed while an event is handled.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cached_property
from importlib.metadata import version
from types import CodeType, MappingProxyType, ModuleType

import orjson
import structlog
from aiohttp import web
from pydantic import BaseModel

from biont.accounts.api_keys import ApiKeys
from biont.clock import Clock, SystemClock
from biont.contract.jobs import JOB_KINDS
from biont.contract.llm import LLM_BACKENDS
from biont.contract.tools import TOOLS
from biont.event import EventFactory
from biont.exceptions import StoreFailed, StoreUnavailable
from biont.http.app import make_app, make_endpoints, refuse_conflicts
from biont.http.asyncapi import make_asyncapi
from biont.http.core_routes import api as core_api
from biont.http.dead_letter_routes import api as dead_letter_api
from biont.http.endpoint import Endpoint
from biont.http.openapi import make_openapi
from biont.http.system import SYSTEM
from biont.http.user_routes import api as user_api
from biont.plugin_manager import PluginManager
from biont.retention import register_retention
from biont.runtime.loop_watchdog import LoopWatchdog, Stall, name_function
from biont.scheduler.run import Job
from biont.settings.sections import Settings
from biont.store.failures import explain_failure
from biont.store.lock import hold_database
from biont.store.lost_database import check_existence
from biont.workbench_factory import make_workbench

_USAGE_INTERVAL = 60.0

_log = structlog.get_logger("biont")


class Application:
    """A workbench with its plugins, its HTTP routes and its documents.

    `open_application` returns one that runs.

    Attributes:
        workbench: the parts that plugins may use.
        plugins: the loaded and the quarantined plugins.
        version: the version of the installed distribution.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        plugins: Mapping[str, ModuleType] = MappingProxyType({}),
    ) -> None:
        self.version = version("biont")
        self.plugins = PluginManager()
        self._settings = settings
        self._factory = EventFactory(clock, settings.events.max_hops)
        self._watchdog = LoopWatchdog(clock, settings.server.stall_limit)
        self._endpoints: list[Endpoint] = []
        self.workbench = make_workbench(
            settings, self._load_plugins(plugins), clock, self._factory
        )
        self.workbench.provide(SYSTEM, self)

    @cached_property
    def app(self) -> web.Application:
        """The HTTP application."""
        return make_app(self._endpoints, body_limit=self._settings.server.body_limit)

    @cached_property
    def openapi(self) -> bytes:
        """The OpenAPI document of all routes and outgoing events, as JSON."""
        event_types = self.workbench.events.event_types
        return orjson.dumps(make_openapi(self._endpoints, event_types, version=self.version))

    @cached_property
    def asyncapi(self) -> bytes:
        """The AsyncAPI document of all outgoing events, as JSON."""
        return orjson.dumps(make_asyncapi(self.workbench.events.event_types, version=self.version))

    @property
    def running_plugins(self) -> list[str]:
        """The names of the plugins that run, sorted."""
        return sorted(self.plugins.running)

    @property
    def quarantined_plugins(self) -> list[str]:
        """The names of the plugins in quarantine, sorted."""
        return sorted(self.plugins.quarantined)

    @property
    def stalls(self) -> list[Stall]:
        """The last times that the event loop was blocked, the newest first."""
        return self._watchdog.stalls

    @asynccontextmanager
    async def run(self, *, new_database: bool = False) -> AsyncIterator[None]:
        """Open all parts; close them in reverse order at the end."""
        workbench = self.workbench
        async with AsyncExitStack() as stack:
            # Before anything is read or migrated: another process may be running.
            was_killed = stack.enter_context(hold_database(self._settings.database.path))
            check_existence(
                self._settings.database.path, self._settings.vault.key_file, is_new=new_database
            )
            workbench.store.on_death(self._end)
            await workbench.store.open()
            stack.push_async_callback(workbench.store.close)
            # Before the plugins: their migrations and lifespans read encrypted columns.
            await workbench.vault.open(workbench.store)
            await self._register_plugins()
            self._make_endpoints()
            await stack.enter_async_context(workbench.egress)
            # Before the lifespans, so that the key usage is saved after the lifespans close.
            await stack.enter_async_context(_save_key_usage(workbench.keys))
            await self._open_lifespans(stack)
            register_retention(workbench)
            workbench.background_tasks.every(
                _USAGE_INTERVAL, "keys.usage", workbench.keys.save_usage
            )
            await stack.enter_async_context(workbench.background_tasks.run())
            self._name_functions()
            await stack.enter_async_context(self._watchdog.run())
            # Handlers last but one: from here on events reach plugins, which are all open now.
            await workbench.events.start(
                self.plugins.handlers(workbench),
                waiting_plugins=self.quarantined_plugins,
                was_killed=was_killed,
            )
            stack.push_async_callback(workbench.events.stop, workbench.shutdown.time_left)
            await workbench.scheduler.start(self._bind_jobs())
            stack.push_async_callback(workbench.scheduler.stop, workbench.shutdown.time_left)
            yield

    def _end(self, error: BaseException) -> None:
        """End the workbench, because a thread of the store has ended by an error."""
        # A process that answers but cannot write would wait for ever; a supervisor restarts it.
        _log.critical("the store has failed; the workbench ends", exc_info=error)
        self.workbench.shutdown.fail(f"the store has failed: {type(error).__name__}: {error}")

    def _load_plugins(self, further: Mapping[str, ModuleType]) -> dict[str, BaseModel]:
        """Import all plugins, and return their validated settings."""
        chosen = self._settings.plugins
        self.plugins.load(disable=chosen.disable, folder=chosen.folder, further=further)
        return self._settings.read_sections(
            self.plugins.settings_models(),
            absent={*chosen.disable, *self.plugins.quarantined},
        )

    async def _register_plugins(self) -> None:
        """Migrate the plugins' tables, and collect what the plugins register."""
        for name, tables in self.plugins.tables().items():
            with self.plugins.guard(name):
                await self.workbench.store.migrate(name, tables.migrations)
        # Not before: until all plugins are registered, any event type may still be declared.
        self._factory.event_types = self.plugins.event_types()
        self.workbench.provide(JOB_KINDS, self.plugins.job_kinds())
        self.workbench.provide(TOOLS, self.plugins.tools())
        self.workbench.provide(LLM_BACKENDS, self.plugins.llm_backends(self.workbench))

    def _make_endpoints(self) -> None:
        """Make the endpoints of the core and of all plugins."""
        endpoints = [
            endpoint
            for api in (core_api, user_api, dead_letter_api)
            for endpoint in make_endpoints("core", api, self.workbench)
        ]
        for name, api in self.plugins.apis().items():
            with self.plugins.guard(name):
                endpoints += make_endpoints(name, api, self.workbench)
        refuse_conflicts(endpoints)
        self._endpoints = endpoints

    async def _open_lifespans(self, stack: AsyncExitStack) -> None:
        """Start the plugins, one after the other; drop the endpoints of plugins that failed.

        `stack` closes the plugins in reverse order.
        """
        for name in list(self.plugins.running):
            with self.plugins.guard(name):
                lifespan = self.plugins.lifespan(name, self.workbench)
                if lifespan is not None:
                    await stack.enter_async_context(lifespan)
        self._endpoints = [
            endpoint
            for endpoint in self._endpoints
            if endpoint.owner == "core" or endpoint.owner in self.plugins.running
        ]

    def _bind_jobs(self) -> Mapping[str, Job]:
        """Return the job of each kind, bound to the workbench."""

        def bind(name: str) -> Job:
            kind = self.workbench.get(JOB_KINDS)[name]
            return lambda run: kind.run(run, self.workbench)

        return {name: bind(name) for name in self.workbench.get(JOB_KINDS)}

    def _name_functions(self) -> None:
        """Name the routes and handlers, so that the watchdog can report a blocking one."""
        names: dict[CodeType, str] = {}
        for endpoint in self._endpoints:
            route = endpoint.route
            names |= name_function(route.function, f"{route.method} {route.path}")
        for handler in self.plugins.handlers(self.workbench):
            names |= name_function(handler.function, f"handler {handler.name}")
        self._watchdog.names = names


@asynccontextmanager
async def open_application(
    settings: Settings,
    *,
    clock: Clock | None = None,
    plugins: Mapping[str, ModuleType] = MappingProxyType({}),
    new_database: bool = False,
) -> AsyncIterator[Application]:
    """Start everything but the HTTP socket; stop everything in reverse order.

    Stopping takes at most ``server.shutdown_timeout``. Work that does not end by then is
    cancelled, and continues at the next start.

    Args:
        settings: the operator's settings.
        clock: tells the time to every part; by default the clock of the machine.
        plugins: plugins by name, beside the installed ones and those of ``plugins.folder``.
        new_database: whether to begin with an empty database, although there was one before.

    Raises:
        SettingsError: a plugin's section cannot be used.
        PluginError: two plugins claim the same name.
        StoreConflict: another process runs on this database, a newer version did, or the
            database is missing.
        StoreUnavailable: the database is locked, full, damaged or out of reach.
        StoreFailed: at the end, if the store has stopped for good.
        VaultError: the key file does not belong to this database.
    """
    application = Application(settings, clock or SystemClock(), plugins)
    shutdown = application.workbench.shutdown
    with explain_failure(settings.database.path):
        try:
            async with application.run(new_database=new_database):
                yield application
        except StoreUnavailable:
            # Parts that cannot save at the stop say only that the store is unavailable.
            if shutdown.failure is None:
                raise
    if shutdown.failure is not None:
        raise StoreFailed(shutdown.failure)


@asynccontextmanager
async def _save_key_usage(keys: ApiKeys) -> AsyncIterator[None]:
    """Store the last use of each key at the end; a background task does so meanwhile."""
    try:
        yield
    finally:
        with contextlib.suppress(StoreUnavailable):
            await keys.save_usage()
