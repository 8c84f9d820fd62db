"""``biont config``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from biont.cli.options import config_option, read_settings


@click.group("config")
def command() -> None:
    """Check the configuration."""


@command.command("check")
@config_option
def check(config: Path | None) -> None:
    """Check settings and plugins by a start on a temporary database; report each problem."""
    from biont.cli.log_setup import configure_logs
    from biont.dry_start import start_dry

    configure_logs()
    settings = read_settings(config)
    configure_logs(settings.log)
    states = start_dry(settings)
    problems = [state for state in states if state.is_problem]
    for state in problems:
        click.echo(f"biont: the plugin {state.name} would not run: {state.reason}", err=True)
    if problems:
        sys.exit(1)
    click.echo("the configuration is valid")
