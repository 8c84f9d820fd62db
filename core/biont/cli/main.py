"""Group of all commands: the core's by name, and plugins' by hook or index."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import click

from biont.cli.command_index import read_index
from biont.cli.options import find_config
from biont.cli.remote.settings import (
    check_place,
    find_server,
    forget_server,
    keep_server,
    list_groups,
    names_server,
    server_options,
)
from biont.contract.commands import CORE_COMMANDS
from biont.exceptions import BiontError

_SPACES = 6


class CommandGroup(click.Group):
    """Group that imports a command of the core by name, and plugins for any other command."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands of the core, the plugins and the server."""
        plugins = read_index(find_config(None)).commands
        return sorted({*CORE_COMMANDS, *plugins, *list_groups(), *super().list_commands(ctx)})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command `cmd_name`, for the server and for this machine."""
        if cmd_name in list_groups():
            from biont.cli.remote.group import ServerGroup

            return ServerGroup(cmd_name, lambda: self.get_local_command(ctx, cmd_name))
        found = self.get_local_command(ctx, cmd_name)
        if found is None and find_server(ctx) is not None:
            from biont.cli.remote.group import find_further_group

            return find_further_group(ctx, cmd_name)
        # The environment names a server for all commands, also for those of this machine.
        return check_place(ctx, found) if found is not None and names_server(ctx) else found

    def get_local_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of the core or of a plugin."""
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
        config, server = _find_option("--config", args), _find_option("--server", args)
        ctx.meta[__name__] = None if config is None else Path(config)
        if server is not None:
            keep_server(ctx, server)
        elif config is not None:
            # A command that names a configuration acts on this machine.
            forget_server(ctx)
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
        there = {
            name: click.Command(name, help=text)
            for name, text in list_groups().items()
            if name not in core and name not in added
        }
        limit = formatter.width - _SPACES - max(map(len, [*core, *added, *there]))
        for title, commands in (
            ("Commands", core),
            ("Commands of plugins", added),
            ("Commands that act on a server (--server URL)", there),
        ):
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


@click.group(cls=CommandGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="biont")
@server_options
def main() -> None:
    """Biont Workbench connects an AI to any system.

    Plugins may add commands of their own; `biont plugins` lists the plugins. With --server the
    groups of the REST API act on a workbench on any machine: `biont --server URL notes list`.
    """


def _import_command(name: str) -> click.Command:
    command: click.Command = import_module(f"biont.cli.{name}").command
    return command


def _find_option(name: str, arguments: Sequence[str]) -> str | None:
    for argument, following in zip(arguments, [*arguments[1:], None], strict=True):
        given, equals, value = argument.partition("=")
        if given == name and (equals or following):
            return value if equals else following
    return None


def _add_plugin_commands(group: click.Group, config: Path | None) -> None:
    from biont.cli.log_setup import configure_logs
    from biont.cli.options import read_settings
    from biont.plugins.loading import load_plugins

    settings = read_settings(config)
    configure_logs(settings.log)
    load_plugins(settings).add_commands(group)
