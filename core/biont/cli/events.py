"""``biont events``."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime
from pathlib import Path

import click

from biont.cli.options import config_option, open_accounts, open_store, parse_instant


@click.group("events")
def command() -> None:
    """Emit events, follow them, and replay those that a handler has failed."""


@command.command("emit")
@click.argument("event_type")
@click.argument("payload", default="{}")
@click.option("--user", required=True, help="Name of the user whom it concerns.")
@config_option
def emit(event_type: str, payload: str, user: str, config: Path | None) -> None:
    """Emit an event of type EVENT_TYPE, which begins with `custom_`; print its id.

    PAYLOAD is a JSON object. A running workbench hands the event on within a second;
    otherwise it waits for the next start.
    """
    import orjson

    try:
        content = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise click.BadParameter(f"is not JSON: {error}", param_hint="PAYLOAD") from error
    if not isinstance(content, dict):
        raise click.BadParameter("must be a JSON object", param_hint="PAYLOAD")
    if not event_type.startswith("custom_"):
        raise click.BadParameter("must begin with custom_", param_hint="EVENT_TYPE")

    async def run() -> None:
        async with open_accounts(config) as accounts:
            owner = await accounts.users.find(user)
        async with open_store(config) as store:
            event = await store.transact(lambda tx: tx.emit(event_type, owner.id, content))
        click.echo(event.id)

    asyncio.run(run())


@command.command("replay")
@click.option("--handler", help="Only of this handler, as plugin.function.")
@click.option("--user", help="Only events of this user.")
@click.option("--since", type=parse_instant, help="Only what failed at this instant or later.")
@click.option("--until", type=parse_instant, help="Only what failed before this instant.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@config_option
def replay(
    handler: str | None,
    user: str | None,
    since: datetime | None,
    until: datetime | None,
    yes: bool,
    config: Path | None,
) -> None:
    """Let handlers see again what they have failed for good; say how many before."""
    from biont.store.dead_letters import DeadLetterFilter, count_letters, mark_replaying

    async def find_choice() -> DeadLetterFilter:
        if user is None:
            return DeadLetterFilter(None, handler, since, until)
        async with open_accounts(config) as accounts:
            return DeadLetterFilter((await accounts.users.find(user)).id, handler, since, until)

    async def count(choice: DeadLetterFilter) -> int:
        async with open_store(config) as store:
            return await store.read(count_letters, choice)

    async def mark(choice: DeadLetterFilter) -> int:
        async with open_store(config) as store:
            return await store.write(lambda: mark_replaying(choice))

    choice = asyncio.run(find_choice())
    found = asyncio.run(count(choice))
    click.echo(f"dead letters that match: {found}")
    if found and (yes or click.confirm("replay them?")):
        click.echo(f"to be replayed: {asyncio.run(mark(choice))}")


@command.command("tail")
@click.option("--url", default="http://127.0.0.1:8080", show_default=True, help="The workbench.")
@click.option("--key", envvar="BIONT_KEY", help="An API key; by default $BIONT_KEY.")
@click.option("--type", "event_type", help="Only this type, or a prefix: task_*.")
@click.option("--after", help="Begin behind the event of this number, as printed first.")
def tail(url: str, key: str | None, event_type: str | None, after: str | None) -> None:
    """Print your events as they happen, one a line: number and JSON. Ends with Ctrl-C.

    When the connection is lost it is made again, and no event is left out.
    """
    from biont.cli.stream import follow_events

    if key is None:
        raise click.UsageError("give an API key with --key or in BIONT_KEY")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(follow_events(url, key, event_type, after, click.echo))
