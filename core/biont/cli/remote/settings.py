"""Server and API key of a command, from its options or the environment."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from biont.exceptions import BiontError

if TYPE_CHECKING:
    from biont.client import AsyncClient, Client

Command = TypeVar("Command", bound=Callable[..., object])

_SERVER, _KEY = "BIONT_SERVER_URL", "BIONT_KEY"


def make_server_options() -> list[click.Option]:
    """Return the options that choose the server and the key."""
    return [
        click.Option(
            ["--server"],
            metavar="URL",
            expose_value=False,
            callback=_keep(_SERVER),
            help=f"URL of the workbench to act on. Default: {_SERVER}.",
        ),
        click.Option(
            ["--key-file"],
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            expose_value=False,
            callback=_keep(_KEY),
            help=f"File with the API key. Default: the key in {_KEY}.",
        ),
    ]


def server_options(command: Command) -> Command:
    """Add ``--server`` and ``--key-file`` to a command; see `find_server` and `open_client`."""
    url, key = make_server_options()
    for option in (key, url):
        command = click.option(
            option.opts[0],
            metavar=option.metavar,
            type=option.type,
            expose_value=False,
            callback=option.callback,
            help=option.help,
        )(command)
    return command


def keep_server(context: click.Context, url: str) -> None:
    """Let the command act on the server at `url`."""
    context.meta[_SERVER] = url


def forget_server(context: click.Context) -> None:
    """Let the command act on this machine, unless an option names a server."""
    context.meta.setdefault(_SERVER, "")


def find_server(context: click.Context) -> str | None:
    """Return the URL of the server that a command acts on; None for no server."""
    return str(context.meta.get(_SERVER, os.environ.get(_SERVER, ""))) or None


def names_server(context: click.Context) -> bool:
    """Return whether an option names a server, and not only the environment."""
    return bool(context.meta.get(_SERVER))


def list_groups() -> dict[str, str]:
    """Return the groups of the REST API of this version: their descriptions, by name."""
    text = (Path(__file__).parents[2] / "client" / "assets" / "groups.json").read_text("utf-8")
    groups: dict[str, str] = json.loads(text)
    return groups


def acts_here_alone(command: click.Command) -> bool:
    """Return whether a command acts on the workbench of a configuration, and on no server."""
    if isinstance(command, click.Group) and command.commands:
        return all(acts_here_alone(each) for each in command.commands.values())
    options = {name for parameter in command.params for name in parameter.opts}
    return "--config" in options and "--server" not in options


def check_place(context: click.Context, command: click.Command) -> click.Command:
    """Return a command of this machine, if it can act on the server that is named.

    A command that would ignore the server would change the wrong workbench.

    Raises:
        click.UsageError: the command acts on this machine alone.
    """
    if acts_here_alone(command):
        raise click.UsageError(
            f"{command.name} acts on this machine, and not on a server; leave out --server, and "
            f"unset {_SERVER} or give --config",
            context,
        )
    return command


def require_server(context: click.Context) -> str:
    """Return the URL of the server that a command acts on.

    Raises:
        click.UsageError: no server is named.
    """
    found = find_server(context)
    if found is None:
        raise click.UsageError(
            f"this command acts on a server: give --server URL, or set {_SERVER}", context
        )
    return found


def read_key(context: click.Context) -> str | None:
    """Return the API key; None if there is none.

    Raises:
        BiontError: the file of the key cannot be read.
    """
    path = context.meta.get(_KEY)
    if path is None:
        return os.environ.get(_KEY) or None
    try:
        return Path(path).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BiontError(f"the key file cannot be read: {error}") from error


def open_client(context: click.Context) -> Client:
    """Return a client of the server.

    Raises:
        click.UsageError: no server is named, or the URL is not valid.
    """
    from biont.client import Client  # help must not wait for the HTTP client

    url, key = require_server(context), read_key(context)
    try:
        return Client(url, key)
    except ValueError as error:
        raise click.UsageError(str(error), context) from error


def open_async_client(context: click.Context) -> AsyncClient:
    """Return an async client of the server.

    Raises:
        click.UsageError: no server is named, or the URL is not valid.
    """
    from biont.client import AsyncClient  # help must not wait for the HTTP client

    url, key = require_server(context), read_key(context)
    try:
        return AsyncClient(url, key)
    except ValueError as error:
        raise click.UsageError(str(error), context) from error


def _keep(name: str) -> Callable[[click.Context, click.Parameter, object], None]:
    # In `meta`, which all contexts of a command line share: the options may stand anywhere.
    def keep(context: click.Context, _: click.Parameter, value: object) -> None:
        if value is not None:
            context.meta[name] = value

    return keep
