"""``biont users``."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from biont.cli.options import config_option, import_tables, open_accounts, open_store

_ROWS = 500


@click.group("users")
def command() -> None:
    """Create, list, change, disable, export and delete users."""


@command.command("create")
@click.argument("name")
@click.option("--time-zone", help="Time zone of schedules that name none, such as Europe/Berlin.")
@click.option(
    "--role",
    type=click.Choice(["admin", "member"]),
    help="By default admin for the first user, and member for all others.",
)
@config_option
def create(name: str, time_zone: str | None, role: str | None, config: Path | None) -> None:
    """Create the user NAME."""
    from biont.accounts.user_records import Role
    from biont.time_zones import parse_time_zone

    if time_zone is not None:
        parse_time_zone(time_zone)

    async def run() -> None:
        async with open_accounts(config) as accounts:
            user = await accounts.users.create(
                name, time_zone, role=None if role is None else Role(role)
            )
            click.echo(f"{user.id}\t{user.name}")

    asyncio.run(run())


@command.command("list")
@config_option
def list_users(config: Path | None) -> None:
    """List all users, a line each: number, name, creation time, role, state."""

    async def run() -> None:
        async with open_accounts(config) as accounts:
            for user in await accounts.users.list_all():
                state = "enabled" if user.disabled_at is None else "disabled"
                created = f"{user.created_at:%Y-%m-%d %H:%M}"
                click.echo(f"{user.id}\t{user.name}\t{created}\t{user.role}\t{state}")

    asyncio.run(run())


@command.command("role")
@click.argument("name")
@click.argument("role", type=click.Choice(["admin", "member"]))
@config_option
def change_role(name: str, role: str, config: Path | None) -> None:
    """Give the user NAME a role; an administrator manages the users."""
    from biont.accounts.user_records import Role

    async def run() -> None:
        async with open_accounts(config) as accounts:
            user = await accounts.users.find(name)
            await accounts.users.change(user.id, role=Role(role))
            click.echo(f"{name} is {role}")

    asyncio.run(run())


@command.command("disable")
@click.argument("name")
@config_option
def disable(name: str, config: Path | None) -> None:
    """Disable the user NAME: nothing acts for the user, and all is kept.

    A running workbench notices within a second.
    """

    async def run() -> None:
        async with open_accounts(config) as accounts:
            user = await accounts.users.find(name)
            await accounts.users.disable(user.id)
            click.echo(f"disabled {name}")

    asyncio.run(run())


@command.command("enable")
@click.argument("name")
@config_option
def enable(name: str, config: Path | None) -> None:
    """Enable the user NAME again; a running workbench notices within a second."""

    async def run() -> None:
        async with open_accounts(config) as accounts:
            user = await accounts.users.find(name)
            await accounts.users.enable(user.id)
            click.echo(f"enabled {name}")

    asyncio.run(run())


@command.command("export")
@click.argument("name")
@config_option
def export(name: str, config: Path | None) -> None:
    """Write all rows of the user NAME to standard output, as JSON lines, without secrets."""
    from biont.accounts.user_rows import list_sources, read_rows, read_user
    from biont.accounts.users import Users
    from biont.clock import SystemClock

    async def run() -> None:
        import_tables(config)
        async with open_store(config) as store:
            user = await Users(store, SystemClock()).find(name)
            click.echo(await store.read(read_user, user.id))
            for source in await store.read(list_sources):
                after = 0
                while rows := await store.read(read_rows, user.id, source, after, _ROWS):
                    click.echo(b"\n".join(line for _, line in rows))
                    after = rows[-1][0]

    asyncio.run(run())


@command.command("delete")
@click.argument("name")
@click.option("--confirm", required=True, help="The name of the user once more.")
@config_option
def delete(name: str, confirm: str, config: Path | None) -> None:
    """Delete the user NAME with all rows, except for the events in the log; export them before."""
    from biont.accounts.principal import OPERATOR
    from biont.accounts.user_acts import delete_some
    from biont.accounts.users import Users
    from biont.clock import SystemClock

    if confirm != name:
        raise click.BadParameter("must be the name of the user", param_hint="--confirm")

    async def run() -> None:
        import_tables(config)
        async with open_store(config) as store:
            users = Users(store, SystemClock())
            user = await users.find(name)
            await users.disable(user.id)
            # In slices, so that a running workbench can write in between.
            while await store.transact(delete_some, user.id, _ROWS, OPERATOR, user.id):
                pass
            click.echo(f"deleted {name}")

    asyncio.run(run())
