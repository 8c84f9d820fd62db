"""Group of all commands: the core's by name, and plugins' by hook or index."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import click

from biont.cli.command_index import read_index
from biont.cli.options import find_config
from biont.contract.commands import CORE_COMMANDS
from biont.exceptions import BiontError

_SPACES = 6


class _Commands(click.Group):
    """Group that imports a command of the core by name, and plugins for any other command."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the core's and the plugins' commands."""
        plugins = read_index(find_config(None)).commands
        return sorted({*CORE_COMMANDS, *plugins, *super().list_commands(ctx)})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command `cmd_name`."""
        if cmd_name in CORE_COMMANDS:
            return _import_command(cmd_name)
        if cmd_name not in self.commands:
            _add_plugin_commands(self, ctx.meta.get(__name__))
        return super().get_command(ctx, cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; the command's option ``--config`` decides which plugins exist."""
        # Click parses the command's options after it has found the command, but the plugins that
        # may have the command depend on the option.
        ctx.meta[__name__] = _find_option("--config", args)
        return super().resolve_command(ctx, args)

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002  # the signature is click's
        formatter: click.HelpFormatter,
    ) -> None:
        """Write the core's commands, and plugins' commands from their index."""
        index = read_index(find_config(None))
        core = {name: _import_command(name) for name in CORE_COMMANDS}
        added = {
            name: click.Command(name, help=text)
            for name, text in sorted(index.commands.items())
            if name not in core
        }
        limit = formatter.width - _SPACES - max(map(len, [*core, *added]))
        for title, commands in (("Commands", core), ("Commands of plugins", added)):
            rows = [(name, found.get_short_help_str(limit)) for name, found in commands.items()]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)
        if index.problems:
            with formatter.section("Plugins whose commands are missing"):
                for problem in index.problems:
                    formatter.write_text(problem)

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; print a `BiontError` as its message, without a traceback."""
        try:
            return super().invoke(ctx)
        except BiontError as error:
            click.echo(f"biont: {error}", err=True)
            sys.exit(1)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="biont")
def main() -> None:
    """Biont Workbench connects an AI to any system.

    Plugins may add commands of their own; `biont plugins` lists the plugins.
    """


def _import_command(name: str) -> click.Command:
    command: click.Command = import_module(f"biont.cli.{name}").command
    return command


def _find_option(name: str, arguments: Sequence[str]) -> Path | None:
    for argument, following in zip(arguments, [*arguments[1:], None], strict=True):
        given, equals, value = argument.partition("=")
        if given == name and (equals or following):
            return Path(value if equals else str(following))
    return None


def _add_plugin_commands(group: click.Group, config: Path | None) -> None:
    from biont.cli.log_setup import configure_logs
    from biont.cli.options import read_settings
    from biont.plugins.loading import load_plugins

    settings = read_settings(config)
    configure_logs(settings.log)
    load_plugins(settings).add_commands(group)
