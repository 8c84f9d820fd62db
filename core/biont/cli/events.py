"""``biont events``."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from biont.cli.options import config_option, open_accounts, open_store, parse_instant

if TYPE_CHECKING:
    from biont.event import JsonObject


@click.group("events")
def command() -> None:
    """Emit events, follow events, and replay dead letters."""


@command.command("emit")
@click.argument("event_type")
@click.argument("payload", default="{}")
@click.option("--user", required=True, help="Name of the user whom the event concerns.")
@click.option("--id", "own_id", help="Emit the event once for this id of your choice.")
@config_option
def emit(
    event_type: str, payload: str, user: str, own_id: str | None, config: Path | None
) -> None:
    """Emit an event of type EVENT_TYPE, which begins with `custom_`; print the event's id.

    PAYLOAD is a JSON object. With an --id that was used before, nothing is emitted, and the id of
    the earlier event is printed. A running workbench handles the event within a second; otherwise
    the next start does.
    """
    from biont.events.client_ids import check_client_id, emit_once
    from biont.store import Transaction

    content = _parse_payload(payload)
    if not event_type.startswith("custom_"):
        raise click.BadParameter("must begin with custom_", param_hint="EVENT_TYPE")
    if own_id is not None and not check_client_id(own_id):
        raise click.BadParameter("must be 1-64 letters, digits, _ and -", param_hint="--id")

    def write(tx: Transaction, user_id: int) -> str:
        if own_id is None:
            return tx.emit(event_type, user_id, content).id
        return emit_once(tx, own_id, event_type, user_id, content).id

    async def run() -> None:
        async with open_accounts(config) as accounts:
            owner = await accounts.users.find(user)
        async with open_store(config) as store:
            event_id = await store.transact(write, owner.id)
        click.echo(event_id)

    asyncio.run(run())


def _parse_payload(text: str) -> JsonObject:
    from biont.exceptions import BiontError
    from biont.json_text import parse_json

    try:
        content = parse_json(text.encode(errors="surrogateescape"))
    except BiontError as error:
        raise click.BadParameter(str(error), param_hint="PAYLOAD") from error
    if not isinstance(content, dict):
        raise click.BadParameter("must be a JSON object", param_hint="PAYLOAD")
    return content


@command.command("replay")
@click.option("--handler", help="Only dead letters of this handler: plugin.function.")
@click.option("--user", help="Only dead letters of this user.")
@click.option("--since", type=parse_instant, help="Only failures at this instant or later.")
@click.option("--until", type=parse_instant, help="Only failures before this instant.")
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
    """Replay dead letters to their handlers; print their number first."""
    from biont.store.dead_letters import (
        DeadLetterFilter,
        count_letters,
        mark_some_replaying,
    )

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
            count, last = 0, 0
            # In short writes, between which a running workbench writes. A command that is cut off
            # has marked some letters, and the next one marks the rest.
            while True:
                marked = await store.write(mark_some_replaying, choice, last)
                count += len(marked.rows)
                if marked.end is None:
                    return count
                last = marked.end

    # A loop for each step: nothing stays open while the question waits for its answer.
    choice = asyncio.run(find_choice())
    found = asyncio.run(count(choice))
    click.echo(f"dead letters that match: {found}")
    if found and (yes or click.confirm("replay them?")):
        click.echo(f"to be replayed: {asyncio.run(mark(choice))}")


@command.command("tail")
@click.option("--url", default="http://127.0.0.1:8080", show_default=True, help="The workbench.")
@click.option("--key", envvar="BIONT_KEY", help="An API key; $BIONT_KEY by default.")
@click.option("--type", "event_type", help="Only events of this type, or of a prefix: task_*.")
@click.option(
    "--after", help="Begin after the event with this number, the first column of the output."
)
def tail(url: str, key: str | None, event_type: str | None, after: str | None) -> None:
    """Print your events as they happen, a line each: number and JSON. Ends with Ctrl-C.

    The command reconnects after a lost connection, and leaves out no event.
    """
    from biont.cli.stream import follow_events

    if key is None:
        raise click.UsageError("give an API key with --key or in BIONT_KEY")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(follow_events(url, key, event_type, after, click.echo))
