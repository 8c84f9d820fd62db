"""``biont config``."""

from __future__ import annotations

from pathlib import Path

import click

from biont.cli.options import config_option, read_settings


@click.group("config")
def command() -> None:
    """Check the configuration."""


@command.command("check")
@config_option
def check(config: Path | None) -> None:
    """Check all settings, including plugins'; report each problem with its place."""
    from biont.cli.log_setup import configure_logs
    from biont.plugin_manager import PluginManager

    configure_logs()
    settings = read_settings(config)
    configure_logs(settings.log)
    plugins = PluginManager()
    plugins.load(disable=settings.plugins.disable, folder=settings.plugins.folder)
    settings.read_sections(
        plugins.settings_models(),
        absent={*settings.plugins.disable, *plugins.quarantined},
    )
    click.echo("the configuration is valid")
