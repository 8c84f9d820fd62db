"""``biont keys``."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from pathlib import Path

import click

from biont.cli.options import config_option, open_accounts
from biont.event_patterns import PATTERN

user_option = click.option("--user", required=True, help="Name of the user.")


@click.group("keys")
def command() -> None:
    """Create, list, rename, rotate and revoke API keys."""


def _check_patterns(
    _: click.Context, __: click.Parameter, patterns: tuple[str, ...]
) -> tuple[str, ...]:
    for pattern in patterns:
        if not re.fullmatch(PATTERN, pattern):
            raise click.BadParameter(
                f"{pattern!r} is no event type and no prefix such as custom_*"
            )
    return patterns


@command.command("create")
@user_option
@click.option("--name", default="cli", show_default=True, help="A name to recognise the key by.")
@click.option(
    "--scope",
    type=click.Choice(["full", "read", "chat", "webhook"]),
    default="full",
    show_default=True,
    help="The routes that the key may use.",
)
@click.option("--expires", type=click.DateTime(), help="Time at which the key expires, in UTC.")
@click.option(
    "--events",
    multiple=True,
    callback=_check_patterns,
    help="An event type that the key may use, or a prefix (custom_*); may be repeated.",
)
@click.option(
    "--models",
    multiple=True,
    help="A model that the key may use, or a backend; may be repeated.",
)
@config_option
def create(  # each is an option
    user: str,
    name: str,
    scope: str,
    *,
    expires: datetime | None,
    events: tuple[str, ...],
    models: tuple[str, ...],
    config: Path | None,
) -> None:
    """Create a key and print it; no later command shows the key.

    Without --events and --models the key is not narrowed within its scope.
    """
    from biont.accounts.principal import Narrowing, Scope

    async def run() -> None:
        async with open_accounts(config) as accounts:
            owner = await accounts.users.find(user)
            expires_at = None if expires is None else expires.replace(tzinfo=UTC)
            plain, _ = await accounts.keys.create(
                owner.id,
                name,
                Scope(scope),
                expires_at,
                narrowing=Narrowing(events or None, models or None),
            )
            click.echo(plain)

    asyncio.run(run())


@command.command("list")
@user_option
@config_option
def list_keys(user: str, config: Path | None) -> None:
    """List a user's keys, a line each: number, prefix, scope, state, name.

    The state is active, session (of a browser), expired or revoked.
    """
    from biont.clock import SystemClock

    async def run() -> None:
        now = SystemClock().now()
        async with open_accounts(config) as accounts:
            owner = await accounts.users.find(user)
            for key in await accounts.keys.list_keys(owner.id):
                state = "session" if key.is_session else "active"
                if key.revoked_at is not None:
                    state = "revoked"
                if key.expires_at is not None and key.expires_at <= now:
                    state = "expired"
                click.echo(f"{key.id}\t{key.prefix}...\t{key.scope}\t{state}\t{key.name}")

    asyncio.run(run())


@command.command("rotate")
@click.argument("key_id", type=int)
@click.option(
    "--overlap", default="24h", show_default=True, help="Time for which the old key is valid."
)
@click.option("--expires", type=click.DateTime(), help="End of the new key, in UTC.")
@config_option
def rotate(key_id: int, overlap: str, expires: datetime | None, config: Path | None) -> None:
    """Replace the key number KEY_ID by a new key, and print the new key.

    The new key has the rights and the name of the old key, and by default its end.
    """
    from biont.accounts.key_rotation import Rotation, parse_overlap

    try:
        length = parse_overlap(overlap)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--overlap") from error
    expires_at = None if expires is None else expires.replace(tzinfo=UTC)

    async def run() -> None:
        async with open_accounts(config) as accounts:
            plain, _ = await accounts.keys.rotate(Rotation(key_id, None, length, expires_at))
            click.echo(plain)

    asyncio.run(run())


@command.command("rename")
@click.argument("key_id", type=int)
@click.argument("name")
@config_option
def rename(key_id: int, name: str, config: Path | None) -> None:
    """Rename the key number KEY_ID to NAME."""

    async def run() -> None:
        async with open_accounts(config) as accounts:
            key = await accounts.keys.rename(key_id, name)
            click.echo(f"renamed {key.prefix}... ({key.name})")

    asyncio.run(run())


@command.command("revoke")
@click.argument("key_id", type=int)
@config_option
def revoke(key_id: int, config: Path | None) -> None:
    """Revoke the key number KEY_ID, and all keys that it has made.

    A running workbench notices within a second.
    """

    async def run() -> None:
        async with open_accounts(config) as accounts:
            key = await accounts.keys.revoke(key_id)
            click.echo(f"revoked {key.prefix}... ({key.name})")

    asyncio.run(run())
