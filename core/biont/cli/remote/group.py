"""Groups of commands that act on a server, a group for each tag of the API document."""

from __future__ import annotations

import os
from collections.abc import Callable

import click

from biont.cli.remote.document import (
    Document,
    fetch_document,
    read_kept_document,
    read_packaged_document,
)
from biont.cli.remote.settings import (
    acts_here_alone,
    check_place,
    find_server,
    list_groups,
    make_server_options,
    open_client,
)
from biont.client.operation_names import group_names
from biont.exceptions import BiontError

_COMPLETION = "_BIONT_COMPLETE"
_ANY_AGE = float("inf")
_SPACES = 6


def find_further_group(ctx: click.Context, name: str) -> click.Command | None:
    """Return a group that only the server has, such as a plugin's; None if there is none."""
    tags = {operation["tags"][0] for _, _, operation in _list_operations(_read_document(ctx))}
    return ServerGroup(name, lambda: None) if name in tags else None


class ServerGroup(click.Group):
    """Commands of a tag, and the commands of this machine with the same name.

    Args:
        name: the tag.
        find_local: returns the group of this machine; None if there is none.
    """

    def __init__(self, name: str, find_local: Callable[[], click.Command | None]) -> None:
        super().__init__(
            name,
            params=[*make_server_options()],
            help=list_groups().get(name, f"Operations of the group {name}."),
            no_args_is_help=True,
        )
        self._find_local = find_local
        self._document: Document | None = None

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands of the server and of this machine."""
        local = self._get_local(ctx)
        own = [] if local is None else local.list_commands(ctx)
        return sorted({*self._list_names(ctx), *own})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command of the server, if there is a server, or of this machine."""
        if find_server(ctx) is None:
            return self._get_local_command(ctx, cmd_name) or self._make(ctx, cmd_name)
        found = self._make(ctx, cmd_name)
        if found is not None:
            return found
        local = self._get_local_command(ctx, cmd_name)
        return None if local is None else check_place(ctx, local)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands of this machine, and the commands of the server."""
        local = self._get_local(ctx)
        here = [] if local is None else local.list_commands(ctx)
        there = self._list_names(ctx)
        if find_server(ctx) is None:
            there = {name: each for name, each in there.items() if name not in here}
        else:
            here = [name for name in here if name not in there and self._is_here_too(ctx, name)]
        title = "Commands that act on a server (--server URL)"
        for heading, names in (("Commands", here), (title, sorted(there))):
            found = [(name, self.get_command(ctx, name)) for name in names]
            limit = formatter.width - _SPACES - max(map(len, names), default=0)
            rows = [(name, each.get_short_help_str(limit)) for name, each in found if each]
            if rows:
                with formatter.section(heading):
                    formatter.write_dl(rows)

    def _is_here_too(self, ctx: click.Context, name: str) -> bool:
        local = self._get_local_command(ctx, name)
        return local is not None and not acts_here_alone(local)

    def _make(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        from biont.cli.remote.operation import (  # the HTTP client is slow to import
            RestOperation,
            make_command,
        )

        document = self._read_document(ctx)
        names = self._list_names(ctx)
        for path, method, content in _list_operations(document):
            if content["operationId"] == names.get(cmd_name):
                shared = document["components"]["parameters"]
                parameters = [
                    shared[each["$ref"].rpartition("/")[2]] if "$ref" in each else each
                    for each in content.get("parameters", [])
                ]
                full = {**content, "parameters": parameters}
                schemas = document["components"]["schemas"]
                return make_command(cmd_name, RestOperation(method.upper(), path, full, schemas))
        return None

    def _list_names(self, ctx: click.Context) -> dict[str, str]:
        operations = _list_operations(self._read_document(ctx))
        names = group_names((each["tags"][0], each["operationId"]) for _, _, each in operations)
        found = names.get(self.name or "", {})
        return {name.replace("_", "-"): operation for name, operation in found.items()}

    def _read_document(self, ctx: click.Context) -> Document:
        if self._document is None:
            self._document = _read_document(ctx)
        return self._document

    def _get_local(self, ctx: click.Context) -> click.Group | None:
        try:
            local = self._find_local()
        except BiontError:
            # The configuration of this machine does not matter to a command of a server.
            if find_server(ctx) is None:
                raise
            return None
        return local if isinstance(local, click.Group) else None

    def _get_local_command(self, ctx: click.Context, name: str) -> click.Command | None:
        local = self._get_local(ctx)
        return None if local is None else local.get_command(ctx, name)


def _read_document(ctx: click.Context) -> Document:
    url = find_server(ctx)
    if url is None:
        return read_packaged_document()
    if _COMPLETION in os.environ:
        return read_kept_document(url, seconds=_ANY_AGE) or read_packaged_document()
    kept = read_kept_document(url)
    if kept is not None:
        return kept
    with open_client(ctx) as client:
        return fetch_document(client, url)


def _list_operations(document: Document) -> list[tuple[str, str, Document]]:
    return [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
