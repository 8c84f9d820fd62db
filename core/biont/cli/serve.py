"""``biont serve``."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import click

from biont.cli.options import config_option, read_settings


@click.command("serve")
@config_option
@click.option("--host", help="Listen on this address instead of server.host.")
@click.option(
    "--port", type=int, help="Listen on this port instead of server.port; 0 for a free port."
)
@click.option(
    "--new-database",
    is_flag=True,
    help="Begin with an empty database, although there was one before.",
)
def command(config: Path | None, host: str | None, port: int | None, new_database: bool) -> None:
    """Run the workbench until SIGTERM or Ctrl-C."""
    from biont.cli.log_setup import configure_logs
    from biont.server import serve
    from biont.server_process import run_process

    configure_logs()
    settings = read_settings(config, BIONT_SERVER__HOST=host, BIONT_SERVER__PORT=port)
    log_tail = configure_logs(settings.log)
    loop_factory: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
    if sys.platform != "win32":
        from uvloop import new_event_loop

        loop_factory = new_event_loop

    main = partial(serve, settings, click.echo, new_database=new_database, log_tail=log_tail)
    try:
        run_process(main, settings.server.shutdown_timeout, loop_factory)
    except OSError as error:
        click.echo(f"biont: cannot serve: {error}; choose another server.port", err=True)
        sys.exit(1)
