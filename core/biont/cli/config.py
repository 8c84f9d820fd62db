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
    from biont.plugin_manager import PluginManager
    from biont.runtime.log_setup import configure_logs

    configure_logs()
    settings = read_settings(config)
    plugins = PluginManager()
    plugins.load(disable=settings.plugins.disable, folder=settings.plugins.folder)
    settings.read_sections(
        plugins.settings_models(),
        absent={*settings.plugins.disable, *plugins.quarantined},
    )
    click.echo("the configuration is valid")
