"""HTTP server: serves a workbench until SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable

import structlog
from aiohttp import web

from biont.application import open_application
from biont.http.bounded_site import BoundedSite
from biont.http.connections import ConnectionLimits
from biont.plugins.greetings import list_greetings
from biont.runtime.log_tail import LogTail
from biont.runtime.tuning import tune_interpreter
from biont.server_process import StopSignal, end_blocked_process
from biont.settings.sections import Settings
from biont.settings.server_section import ServerSettings

# Before this version, two connections that write or checkpoint at the same time can lose a WAL
# reset and corrupt the database.
_SAFE_SQLITE = (3, 51, 3)

_log = structlog.get_logger("biont")


async def serve(
    settings: Settings,
    print_line: Callable[[str], None],
    stop_signal: StopSignal,
    *,
    new_database: bool = False,
    log_tail: LogTail | None = None,
) -> None:
    """Run a workbench until SIGTERM or SIGINT, then stop it in order.

    Args:
        settings: the operator's settings.
        print_line: prints the URL as soon as the server accepts connections, and then the
            greetings of the plugins.
        new_database: whether to begin with an empty database, although there was one before.
        log_tail: the last lines of the log, for administrators.
        stop_signal: says when to stop.

    Raises:
        BiontError: the workbench cannot start; the message names the reason and the remedy.
        OSError: the server cannot listen on the address.
    """
    if sqlite3.sqlite_version_info < _SAFE_SQLITE:
        _log.warning(
            "this SQLite has a rare bug in its write-ahead log; do not let other programs "
            "write to the database while the workbench runs",
            sqlite=sqlite3.sqlite_version,
            fixed_in=".".join(map(str, _SAFE_SQLITE)),
        )
    async with open_application(
        settings,
        new_database=new_database,
        on_block=end_blocked_process,
        log_tail=log_tail,
    ) as application:
        shutdown = application.workbench.shutdown
        runner = web.AppRunner(
            application.app,
            access_log=None,
            shutdown_timeout=settings.server.shutdown_timeout,
        )
        # Everything is loaded by now, which tune_interpreter relies on.
        await runner.setup()
        tune_interpreter()
        try:
            await _make_site(runner, settings.server).start()
            stop_signal.has_started = True
            url = _find_url(runner)
            print_line(f"Biont Workbench serves {url}")
            async for line in list_greetings(application.plugins, application.workbench, url):
                print_line(line)
            await _wait_for_any(stop_signal.requested, shutdown.requested)
        finally:
            # The shutdown timeout begins here, so that open responses share it with all parts.
            shutdown.request()
            await runner.cleanup()


def _make_site(runner: web.AppRunner, settings: ServerSettings) -> BoundedSite:
    limits = ConnectionLimits(
        settings.connections,
        settings.head_timeout,
        settings.idle_timeout,
        settings.write_timeout,
    )
    return BoundedSite(runner, settings.host, settings.port, limits)


async def _wait_for_any(*events: asyncio.Event) -> None:
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


def _find_url(runner: web.AppRunner) -> str:
    host, port = runner.addresses[0][:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
