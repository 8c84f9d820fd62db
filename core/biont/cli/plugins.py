"""``biont plugins``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from biont.cli.options import config_option, read_settings


@click.command("plugins")
@config_option
def command(config: Path | None) -> None:
    """List the plugins: name, state, summary or reason; exit code 1 if one does not run.

    The states are those of the running workbench. If no workbench runs, the plugins are started on
    a temporary database.
    """
    from biont.cli.log_setup import configure_logs
    from biont.dry_start import start_dry
    from biont.plugins.state import read_states

    configure_logs()
    settings = read_settings(config)
    configure_logs(settings.log)
    states = read_states(settings.database.path)
    if states is None:
        states = start_dry(settings)
    for state in states:
        click.echo("\t".join(filter(None, [state.name, state.state, state.describe()])))
    if any(state.is_problem for state in states):
        sys.exit(1)
