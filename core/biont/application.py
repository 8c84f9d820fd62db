"""Application: builds all parts of a workbench, and opens and closes them in order.

The plugins are imported before any part opens. Parts open from the inside out: database lock,
store, vault, the plugins' tables and routes, egress, the plugins' lifespans, background tasks,
event system, scheduler, operations. They close in the reverse order. So nothing handles an event
before the plugin that needs it is open, and nothing is closed while an event is handled.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import cached_property, partial
from importlib.metadata import version
from types import MappingProxyType, ModuleType

import orjson
import structlog
from aiohttp import web
from pydantic import BaseModel

from biont.clock import Clock, SystemClock
from biont.core_services import provide_services
from biont.event import EventFactory
from biont.exceptions import StoreFailed, StoreUnavailable
from biont.http.api import Route
from biont.http.app import make_app
from biont.http.asyncapi import make_asyncapi
from biont.http.core_apis import CORE_APIS
from biont.http.document.openapi import make_openapi
from biont.http.document.operations import name_operations
from biont.http.system import SYSTEM, PluginSummary
from biont.key_tasks import register_key_tasks, save_key_usage
from biont.plugins.code_names import name_code
from biont.plugins.lifespans import report_block
from biont.plugins.loading import load_plugins, read_sections
from biont.plugins.manager import PluginManager
from biont.plugins.starter import PluginStarter
from biont.plugins.state import StateFile, list_states
from biont.plugins.summaries import summarise_plugins
from biont.plugins.tables import back_up_tables
from biont.retention import register_retention
from biont.runtime.health import HealthProblem
from biont.runtime.isolated_call import call_in_thread
from biont.runtime.log_tail import LogTail
from biont.runtime.loop_watchdog import LoopWatchdog, Stall
from biont.runtime.plugin_tasks import PluginTasks
from biont.runtime.task_problem import TaskProblem
from biont.security.redaction import redact_secrets
from biont.settings.sections import Settings
from biont.store.failures import explain_failure
from biont.store.lock import hold_database
from biont.store.lost_database import check_existence
from biont.workbench_factory import make_workbench

_log = structlog.get_logger("biont")


class Application:
    """A workbench with its plugins, its HTTP routes and its documents.

    `open_application` returns one that runs.

    Attributes:
        workbench: the parts that plugins may use.
        plugins: the loaded and the quarantined plugins.
        version: the version of the installed distribution.
        started_at: the instant of the start.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        plugins: PluginManager,
        sections: Mapping[str, BaseModel],
        log_tail: LogTail | None,
    ) -> None:
        self.version = version("biont")
        self.started_at = clock.now()
        self.plugins = plugins
        self._settings = settings
        self._factory = EventFactory(clock, settings.events.max_hops)
        self._watchdog = LoopWatchdog(clock, settings.server.stall_limit)
        self._tasks = PluginTasks(clock)
        self._states = StateFile(settings.database.path)
        self.workbench = make_workbench(settings, sections, clock, self._factory)
        self.workbench.provide(SYSTEM, self)
        provide_services(self.workbench, log_tail)
        self.workbench.health.add_check(self._check_tasks)
        self._starter = PluginStarter(
            plugins,
            self.workbench,
            self._factory,
            tasks=self._tasks,
            core_apis=CORE_APIS,
            version=self.version,
        )

    @cached_property
    def app(self) -> web.Application:
        """The HTTP application."""
        server = self._settings.server
        return make_app(
            self._starter.endpoints,
            body_limit=server.body_limit,
            body_timeout=server.body_timeout,
            cors_origins=server.cors_origins,
            trusted_proxies=server.trusted_proxies,
        )

    @cached_property
    def openapi(self) -> bytes:
        """The OpenAPI document of all routes and outgoing events, as JSON."""
        types, endpoints = self.workbench.events.event_types, self._starter.endpoints
        return orjson.dumps(make_openapi(endpoints, types, version=self.version))

    @cached_property
    def routes(self) -> Mapping[str, tuple[str, Route]]:
        """The `operationId` and the route of each route with a key, by method and path."""
        endpoints = self._starter.endpoints
        return {
            endpoint.route.name: (name, endpoint.route)
            for endpoint, name in zip(endpoints, name_operations(endpoints), strict=True)
            if not endpoint.route.public
        }

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
    def quarantine_reasons(self) -> Mapping[str, str]:
        """The reason of each quarantine, by the plugin's name."""
        return self.plugins.quarantined

    def list_plugins(self) -> list[PluginSummary]:
        """Return all plugins, running plugins first."""
        states = list_states(self.plugins, self.task_problems)
        return summarise_plugins(self.plugins, states, self.plugins.handlers(self.workbench))

    @property
    def task_problems(self) -> list[TaskProblem]:
        """The background tasks that have died, or whose latest run has failed."""
        periodic = self.workbench.background_tasks.problems
        return [
            # Here, because the parts that find the problems know nothing of secrets.
            replace(problem, error=redact_secrets(problem.error))
            for problem in (*self._tasks.problems.values(), *periodic.values())
        ]

    @property
    def stalls(self) -> list[Stall]:
        """The last times that the event loop was blocked, the newest first."""
        return self._watchdog.stalls

    @asynccontextmanager
    async def run(
        self,
        on_block: Callable[[str], None],
        *,
        is_dry: bool = False,
        new_database: bool = False,
    ) -> AsyncIterator[None]:
        """Open all parts; close them in reverse order at the end.

        Args:
            on_block: see `open_application`.
            is_dry: see `open_application`.
            new_database: see `open_application`.
        """
        workbench = self.workbench
        async with AsyncExitStack() as stack:
            stack.enter_context(self._tasks.watch())
            # Before anything is read or migrated: another process may be running.
            was_killed = stack.enter_context(hold_database(self._settings.database.path))
            check_existence(
                self._settings.database.path, self._settings.vault.key_file, is_new=new_database
            )
            workbench.store.on_death(self._end)
            if not is_dry:
                stack.enter_context(self._states.keep())
                self._write_states(is_open=False)
                await back_up_tables(self.plugins, self._settings.database, self.version)
            await workbench.store.open()
            stack.push_async_callback(workbench.store.close)
            # Before the plugins: their migrations and lifespans read encrypted columns.
            await workbench.vault.open(workbench.store)
            # Before the plugins, whose lifespans begin to act for users.
            await workbench.users.load()
            await self._starter.register()
            await self._starter.make_endpoints()
            await stack.enter_async_context(workbench.egress)
            # Before the lifespans, so that the key usage is saved after the lifespans close.
            await stack.enter_async_context(save_key_usage(workbench.keys))
            await self._starter.open_lifespans(stack, on_block)
            if is_dry:
                yield
                return
            register_retention(workbench)
            register_key_tasks(workbench)
            handlers = self.plugins.handlers(workbench)
            self._watchdog.names = name_code(self._starter.endpoints, handlers)
            await stack.enter_async_context(self._watchdog.run())
            # Handlers last but one: from here on events reach plugins, which are all open now.
            await workbench.events.start(
                handlers,
                waiting_plugins=self.quarantined_plugins,
                was_killed=was_killed,
            )
            stack.push_async_callback(workbench.events.stop, workbench.shutdown.time_left)
            # After the handlers: the first run of a task emits events, such as `key_expiring`, and
            # the journal keeps no event that no handler awaits.
            await stack.enter_async_context(workbench.background_tasks.run())
            await workbench.scheduler.start(self._starter.bind_jobs())
            stack.push_async_callback(workbench.scheduler.stop, workbench.shutdown.time_left)
            stack.push_async_callback(workbench.operations.stop)
            await workbench.operations.start(self._starter.bind_operations())
            self._write_states(is_open=True)
            workbench.background_tasks.on_change = partial(self._write_states, is_open=True)
            self._tasks.on_change = partial(self._write_states, is_open=True)
            yield

    def _end(self, error: BaseException) -> None:
        """End the workbench, because a thread of the store has ended by an error."""
        # A process that answers but cannot write would wait for ever; a supervisor restarts it.
        _log.critical("the store has failed; the workbench ends", exc_info=error)
        self.workbench.shutdown.fail(f"the store has failed: {type(error).__name__}: {error}")

    def _check_tasks(self) -> list[HealthProblem]:
        return [
            HealthProblem(f"plugin {problem.plugin}", f"the background task {problem.task} fails")
            for problem in self.task_problems
        ]

    def _write_states(self, *, is_open: bool) -> None:
        """Write the states of the plugins for the command line."""
        self._states.write(list_states(self.plugins, self.task_problems, is_open=is_open))


@asynccontextmanager
async def open_application(
    settings: Settings,
    *,
    clock: Clock | None = None,
    plugins: Mapping[str, ModuleType] = MappingProxyType({}),
    new_database: bool = False,
    on_block: Callable[[str], None] = report_block,
    is_dry: bool = False,
    log_tail: LogTail | None = None,
) -> AsyncIterator[Application]:
    """Start everything but the HTTP socket; stop everything in reverse order.

    Stopping takes at most ``server.shutdown_timeout``. Work that does not end by then is
    cancelled, and continues at the next start.

    Args:
        settings: the operator's settings.
        clock: tells the time to every part; by default the clock of the machine.
        plugins: plugins by name, beside the installed ones and those of ``plugins.folder``.
        new_database: whether to begin with an empty database, although there was one before.
        on_block: called, on a thread of its own, with the name of a plugin whose lifespan blocks
            the event loop, so that the start cannot go on.
        is_dry: whether to start neither background tasks, handlers nor scheduler.
        log_tail: the last lines of the log, for administrators; None without a log.

    Raises:
        SettingsError: a setting, or a plugin's section, cannot be used.
        PluginError: ``plugins.folder`` does not exist.
        StoreConflict: another process runs on this database, a newer version did, or the
            database is missing.
        StoreUnavailable: the database is locked, full, damaged or out of reach.
        StoreFailed: at the end, if the store has stopped for good.
        VaultError: the key file does not belong to this database.
    """
    # In a thread, so that the event loop hears signals while a plugin is imported.
    manager = await call_in_thread(partial(load_plugins, settings, plugins), "biont-import")
    sections = await call_in_thread(partial(read_sections, settings, manager), "biont-settings")
    application = Application(settings, clock or SystemClock(), manager, sections, log_tail)
    shutdown = application.workbench.shutdown
    with explain_failure(settings.database.path):
        try:
            async with application.run(on_block, is_dry=is_dry, new_database=new_database):
                yield application
        except StoreUnavailable:
            # Parts that cannot save at the stop say only that the store is unavailable.
            if shutdown.failure is None:
                raise
    if shutdown.failure is not None:
        raise StoreFailed(shutdown.failure)
