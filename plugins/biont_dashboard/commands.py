"""Command ``biont dashboard``: links to sign in."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import click

from biont.accounts import User
from biont.cli import config_option, open_store, read_plugin_settings, read_settings
from biont.clock import SystemClock
from biont.exceptions import NotFound
from biont_dashboard.links import make_first_link, make_link
from biont_dashboard.settings import DashboardSettings


@click.group("dashboard")
def dashboard() -> None:
    """Open the dashboard."""


@dashboard.command("link")
@click.option("--user", help="Name of the user to sign in; without a user, the first one is made.")
@config_option
def print_link(user: str | None, config: Path | None) -> None:
    """Print a link that signs a browser in once.

    The workbench may be running. On a workbench without users, the link makes the first user.
    """
    settings = read_plugin_settings(config, "dashboard", DashboardSettings)
    server = read_settings(config).server
    base = settings.url or f"http://{server.host}:{server.port}"

    async def run() -> None:
        now = SystemClock().now()
        until = now + timedelta(minutes=settings.link_minutes)
        async with open_store(config) as store:
            if user is None:
                token = await store.write(make_first_link, now, until)
                if token is None:
                    raise NotFound("name the user who signs in, by --user NAME")
            else:
                token = await store.write(
                    make_link, await store.read(_find_user, user), now, until
                )
        click.echo(f"{base}/dashboard/link/{token}")

    asyncio.run(run())


def _find_user(name: str) -> int:
    user = User.get_or_none(User.name == name)
    if user is None:
        raise NotFound(f"there is no user {name!r}; `biont users list` lists all users")
    return int(user.id)
