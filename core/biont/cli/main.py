"""The group of all commands."""

from __future__ import annotations

import sys
from importlib import import_module

import click

from biont.exceptions import BiontError

_COMMANDS = ["config", "demo", "events", "keys", "plugins", "serve", "users"]


class _Commands(click.Group):
    """Finds the core's commands by name, and asks the plugins for all others."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the core's commands, and those that plugins have added by now."""
        return sorted({*_COMMANDS, *super().list_commands(ctx)})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of that name."""
        if cmd_name in _COMMANDS:
            command = import_module(f"biont.cli.{cmd_name}").command
            assert isinstance(command, click.Command)  # noqa: S101  # narrows the type for mypy
            return command
        if cmd_name not in self.commands:
            _add_plugin_commands(self)
        return super().get_command(ctx, cmd_name)

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; an error of ours is told in plain words, without a traceback."""
        try:
            return super().invoke(ctx)
        except BiontError as error:
            click.echo(f"biont: {error}", err=True)
            sys.exit(1)


@click.group(cls=_Commands)
@click.version_option(package_name="biont")
def main() -> None:
    """Biont Workbench connects an AI to any system.

    Plugins may add commands of their own; `biont plugins` lists the plugins.
    """


def _add_plugin_commands(group: click.Group) -> None:
    from biont.cli.options import read_settings
    from biont.logs import configure_logs
    from biont.plugins import Plugins

    configure_logs()
    settings = read_settings(None)
    plugins = Plugins()
    plugins.load(disable=settings.plugins.disable, folder=settings.plugins.folder)
    plugins.add_commands(group)
