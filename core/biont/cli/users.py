"""``biont users``."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from biont.cli.options import config_option, open_accounts


@click.group("users")
def command() -> None:
    """Create and list users."""


@command.command("create")
@click.argument("name")
@click.option("--time-zone", help="Time zone of schedules that name none, such as Europe/Berlin.")
@config_option
def create(name: str, time_zone: str | None, config: Path | None) -> None:
    """Create the user NAME."""
    from biont.time_zones import parse_time_zone

    if time_zone is not None:
        parse_time_zone(time_zone)

    async def run() -> None:
        async with open_accounts(config) as accounts:
            user = await accounts.users.create(name, time_zone)
            click.echo(f"{user.id}\t{user.name}")

    asyncio.run(run())


@command.command("list")
@config_option
def list_users(config: Path | None) -> None:
    """List all users, a line each: number, name, creation time."""

    async def run() -> None:
        async with open_accounts(config) as accounts:
            for user in await accounts.users.list_all():
                click.echo(f"{user.id}\t{user.name}\t{user.created_at:%Y-%m-%d %H:%M}")

    asyncio.run(run())
