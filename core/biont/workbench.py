"""The running whole: the one place where all parts are put together."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cached_property
from importlib.metadata import version
from types import CodeType
from typing import TYPE_CHECKING, TypeVar

import orjson
from aiohttp import web
from pydantic import BaseModel

from biont.clock import Clock, SystemClock
from biont.egress import EgressPolicy, EgressSession
from biont.event import EventFactory
from biont.event_types import EventTypes
from biont.events import EventSystem
from biont.exceptions import PluginError, StoreUnavailable
from biont.http.app import make_app, make_endpoints, refuse_conflicts
from biont.http.asyncapi import make_asyncapi
from biont.http.core_routes import api as core_api
from biont.http.dead_letter_routes import api as dead_letter_api
from biont.http.openapi import make_openapi
from biont.http.user_routes import api as user_api
from biont.keys import Keys
from biont.llm import BackendFactory
from biont.plugins import Plugins
from biont.scheduler import JobKind, Scheduler
from biont.services import Service, Services
from biont.store import Store
from biont.store.lock import hold_database
from biont.tools import Tool
from biont.upkeep import Upkeep
from biont.vault import Vault
from biont.watchdog import Watchdog, name_function

if TYPE_CHECKING:
    from biont.http.endpoint import Endpoint
    from biont.settings import Settings

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)

_USAGE_INTERVAL = 60.0


class Workbench:
    """Settings, store, events, scheduler, HTTP and plugins, as one object.

    Use `open_workbench` to get one that runs.

    Attributes:
        settings: what the operator wrote.
        clock: tells the time to every part.
        store: the door to the database.
        vault: encrypts what must not be readable there.
        keys: users and their API keys.
        events: the bus between all parts.
        scheduler: what is due when.
        egress: the one way out to addresses that a user may name.
        upkeep: does what keeps all in order, in the background.
        plugins: what is loaded, and what could not be.
        watchdog: notices what blocks the event loop.
        event_types: the types of event that may be emitted.
        tools: what a language model may do, by name.
        job_kinds: what schedules can do when they are due, by name.
        llm_backends: the ways to reach a language model that plugins have, by name.
        was_killed: whether the workbench that ran here before did not end by itself.
        stopping: is set as soon as all parts are to end.
        version: of the installed distribution.
    """

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self.was_killed = False
        self.version = version("biont")
        self._factory = factory = EventFactory(clock, settings.events.max_hops)
        self.store = Store(
            settings.database.path,
            factory,
            readers=settings.database.readers,
            busy_timeout=settings.database.busy_timeout,
        )
        self.vault = Vault(settings.vault.key_file)
        self.keys = Keys(self.store, clock)
        self.events = EventSystem(
            self.store,
            factory,
            clock,
            lane_size=settings.events.lane_size,
            timeout=settings.events.handler_timeout,
            retry=settings.events.handler_retry,
            crash_limit=settings.events.crash_limit,
        )
        self.scheduler = Scheduler(
            self.store,
            clock,
            poll_interval=settings.scheduler.poll_interval,
            concurrency=settings.scheduler.concurrency,
            catch_up_window=settings.scheduler.catch_up_window,
            late_after=settings.scheduler.late_after,
            run_timeout=settings.scheduler.run_timeout,
        )
        # Those who send decide how much at once: a wait here would count as the receiver's.
        self.egress = EgressSession(EgressPolicy(settings.egress.allow), connections=0)
        self.watchdog = Watchdog(clock, settings.server.stall_limit)
        self.upkeep = Upkeep()
        self.plugins = Plugins()
        self._services = Services()
        self.event_types = EventTypes({})
        self.job_kinds: Mapping[str, JobKind] = {}
        self.tools: Mapping[str, Tool] = {}
        self.llm_backends: Mapping[str, BackendFactory] = {}
        self.stopping = asyncio.Event()
        self._stop_by: float | None = None
        self._sections: dict[str, BaseModel] = {}
        self._endpoints: list[Endpoint] = []

    def provide(self, service: Service[T], value: T) -> None:
        """Offer something to other plugins, from within a `lifespan`.

        Raises:
            PluginError: somebody offers it already.
        """
        self._services.provide(service, value)

    def get(self, service: Service[T]) -> T:
        """Return what another plugin offers.

        Raises:
            PluginError: it is missing; the message names the plugin.
        """
        return self._services.get(service)

    def plugin_settings(self, name: str, model: type[M]) -> M:
        """Return the section of the plugin `name`, as its `register_settings` declared it.

        Raises:
            PluginError: the plugin declared none, or another model.
        """
        section = self._sections.get(name)
        if not isinstance(section, model):
            raise PluginError(f"the plugin {name!r} has not registered {model.__name__}")
        return section

    async def find_time_zone(self, user_id: int) -> str:
        """Return the IANA name of the zone of a user's schedules that name none."""
        user = await self.keys.get_user(user_id)
        return user.time_zone or self.settings.scheduler.time_zone

    def time_to_stop(self) -> float:
        """Return how many seconds stopping may still take.

        All parts share ``server.shutdown_timeout``, counted from the first call.
        """
        now = asyncio.get_running_loop().time()
        if self._stop_by is None:
            self._stop_by = now + self.settings.server.shutdown_timeout
            self.stopping.set()
        return max(0.0, self._stop_by - now)

    @cached_property
    def app(self) -> web.Application:
        """The HTTP application."""
        return make_app(self._endpoints, body_limit=self.settings.server.body_limit)

    @cached_property
    def openapi(self) -> bytes:
        """The OpenAPI document of all routes and outgoing events, as JSON."""
        return orjson.dumps(make_openapi(self._endpoints, self.event_types, version=self.version))

    @cached_property
    def asyncapi(self) -> bytes:
        """The AsyncAPI document of all outgoing events, as JSON."""
        return orjson.dumps(make_asyncapi(self.event_types, version=self.version))

    async def load_plugins(self) -> None:
        """Import all plugins, check their settings, and bring their tables to shape.

        Raises:
            SettingsError: a section is wrong, or belongs to no plugin.
            PluginError: two plugins claim the same thing.
        """
        chosen = self.settings.plugins
        self.plugins.load(disable=chosen.disable, folder=chosen.folder)
        self._sections = self.settings.read_sections(
            self.plugins.settings_models(),
            absent={*chosen.disable, *self.plugins.quarantined},
        )
        for name, tables in self.plugins.tables().items():
            with self.plugins.guard(name):
                await self.store.migrate(name, tables.migrations)
        self.event_types = self._factory.event_types = self.plugins.event_types()
        self.job_kinds = self.plugins.job_kinds()
        self.tools = self.plugins.tools()
        self.llm_backends = self.plugins.llm_backends(self)

    def load_routes(self) -> None:
        """Make the routes of the core and of all plugins ready.

        Raises:
            PluginError: two claim the same route.
        """
        endpoints = [
            endpoint
            for api in (core_api, user_api, dead_letter_api)
            for endpoint in make_endpoints("core", api, self)
        ]
        for name, api in self.plugins.apis().items():
            with self.plugins.guard(name):
                endpoints += make_endpoints(name, api, self)
        refuse_conflicts(endpoints)
        self._endpoints = endpoints

    def name_functions(self) -> None:
        """Tell the watchdog what may be at work."""
        names: dict[CodeType, str] = {}
        for endpoint in self._endpoints:
            route = endpoint.route
            names |= name_function(route.function, f"{route.method} {route.path}")
        for handler in self.plugins.handlers():
            names |= name_function(handler.function, f"handler {handler.name}")
        self.watchdog.names = names

    async def open_lifespans(self, stack: AsyncExitStack) -> None:
        """Start the plugins, one after the other; `stack` closes them in reverse."""
        for name in list(self.plugins.running):
            with self.plugins.guard(name):
                lifespan = self.plugins.lifespan(name, self)
                if lifespan is not None:
                    await stack.enter_async_context(lifespan)
        self._endpoints = [
            endpoint
            for endpoint in self._endpoints
            if endpoint.owner == "core" or endpoint.owner in self.plugins.running
        ]


@asynccontextmanager
async def open_workbench(
    settings: Settings, *, clock: Clock | None = None
) -> AsyncIterator[Workbench]:
    """Start everything but the HTTP socket; stop it all in reverse order.

    Stopping takes at most ``server.shutdown_timeout``: what does not end by then
    is cancelled, and goes on at the next start.

    Raises:
        SettingsError: a plugin's section cannot be used.
        PluginError: two plugins claim the same thing.
        StoreConflict: another process runs on this database, or a newer version did.
        VaultError: the key file does not belong to this database.
    """
    workbench = Workbench(settings, clock or SystemClock())
    async with AsyncExitStack() as stack:
        workbench.was_killed = stack.enter_context(hold_database(settings.database.path))
        await workbench.store.open()
        stack.push_async_callback(workbench.store.close)
        await workbench.vault.open(workbench.store)
        await workbench.load_plugins()
        workbench.load_routes()
        await stack.enter_async_context(workbench.egress)
        await stack.enter_async_context(_save_key_usage(workbench.keys))
        await workbench.open_lifespans(stack)
        workbench.upkeep.every(_USAGE_INTERVAL, "keys.usage", workbench.keys.save_usage)
        await stack.enter_async_context(workbench.upkeep.run())
        workbench.name_functions()
        await stack.enter_async_context(workbench.watchdog.run())
        await workbench.events.start(
            workbench.plugins.handlers(),
            workbench,
            waiting_plugins=sorted(workbench.plugins.quarantined),
            was_killed=workbench.was_killed,
        )
        stack.push_async_callback(workbench.events.stop, workbench.time_to_stop)
        await workbench.scheduler.start(workbench.job_kinds, workbench)
        stack.push_async_callback(workbench.scheduler.stop, workbench.time_to_stop)
        yield workbench


@asynccontextmanager
async def _save_key_usage(keys: Keys) -> AsyncIterator[None]:
    """Store at the end when keys were last used; `Upkeep` does it before."""
    try:
        yield
    finally:
        with contextlib.suppress(StoreUnavailable):
            await keys.save_usage()
