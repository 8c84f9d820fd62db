"""``biont plugins``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from biont.cli.options import config_option, read_settings


@click.command("plugins")
@config_option
def command(config: Path | None) -> None:
    """List the plugins, a line each: name, state, summary; exit code 1 if any is quarantined."""
    from biont.cli.log_setup import configure_logs
    from biont.plugin_manager import PluginManager

    configure_logs()
    settings = read_settings(config)
    configure_logs(settings.log)
    plugins = PluginManager()
    plugins.load(disable=settings.plugins.disable, folder=settings.plugins.folder)
    for name, module in plugins.running.items():
        summary = (module.__doc__ or "").strip().partition("\n")[0]
        click.echo(f"{name}\trunning\t{summary}")
    for name in settings.plugins.disable:
        click.echo(f"{name}\tdisabled")
    for name, reason in plugins.quarantined.items():
        click.echo(f"{name}\tquarantined\t{reason}")
    if plugins.quarantined:
        sys.exit(1)
