"""Plugin ``dashboard``: pages on which a person sees and does what the REST API offers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import click

from biont import Api, Tables, Workbench, hookimpl
from biont_dashboard.links import make_first_link
from biont_dashboard.pages import api
from biont_dashboard.settings import DashboardSettings
from biont_dashboard.tables import SignInLink


@hookimpl
def register_settings() -> type[DashboardSettings]:
    """Return the settings of sessions and links."""
    return DashboardSettings


@hookimpl
def register_tables() -> Tables:
    """Return the table of the links to sign in."""
    return Tables(Path(__file__).parent / "migrations", [SignInLink])


@hookimpl
def register_routes() -> Api:
    """Return the routes of all pages."""
    return api


@hookimpl
def register_commands(cli: click.Group) -> None:
    """Add ``biont dashboard``."""
    from biont_dashboard.commands import dashboard  # noqa: PLC0415  # a server has no use for click

    cli.add_command(dashboard)


@hookimpl
async def greet_operator(workbench: Workbench, url: str) -> Sequence[str]:
    """Return a link to make the first user, as long as there is none."""
    settings = workbench.plugin_settings("dashboard", DashboardSettings)
    now = workbench.clock.now()
    until = now + timedelta(minutes=settings.link_minutes)
    token = await workbench.store.write(make_first_link, now, until)
    if token is None:
        return []
    return [f"Make your user and your API key: {settings.url or url}/dashboard/link/{token}"]
