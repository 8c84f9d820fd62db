"""Command ``biont webhooks listen``: a receiver that shows or forwards deliveries."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict, Unpack

import click

from biont.cli import config_option, open_async_client, server_options
from biont.client import ClientError
from biont.clock import SystemClock
from biont.egress import EgressSession
from biont.exceptions import BiontError
from biont_webhooks.receiver_testing.listener import Forwarder, ShowingReceiver
from biont_webhooks.receiver_testing.options import make_policy, secret_option
from biont_webhooks.receiver_testing.remote_listener import RemoteListener, parse_past


class ListenerOptions(TypedDict):
    """Options of `listen`."""

    host: str
    port: int
    secrets: Sequence[str]
    forward: str | None
    status: int
    keep: Path | None
    count: int | None
    verbose: bool
    name: str | None
    events: Sequence[str]
    since: str | None
    replay: tuple[str, str] | None
    skip_refused: bool
    config: Path | None


@click.command("listen")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=9000, show_default=True, help="Port to listen on; 0 for any free port."
)
@secret_option
@click.option("--forward", metavar="URL", help="Forward each delivery, and return the answer.")
@click.option(
    "--status", type=click.IntRange(200, 599), default=200, help="HTTP status to answer."
)
@click.option(
    "--keep", type=click.Path(path_type=Path), help="Folder to write each delivery into."
)
@click.option("--count", type=click.IntRange(min=1), help="Stop after this number of deliveries.")
@click.option("--once", "count", flag_value=1, type=int, help="Stop after the first delivery.")
@click.option("-v", "--verbose", is_flag=True, help="Show headers and the whole payload.")
@click.option(
    "--name", help="Name of a listener on the server, whose messages are fetched and forwarded."
)
@click.option(
    "--events", multiple=True, metavar="PATTERN", help="Event types of the listener; repeatable."
)
@click.option("--since", metavar="TIME", help="Begin again with past events: an instant, or 1h.")
@click.option(
    "--replay",
    nargs=2,
    metavar="FROM TO",
    help="Only forward the events of this window again; instants, or 1h for an hour ago.",
)
@click.option(
    "--skip-refused", is_flag=True, help="Attempt each message once, instead of until accepted."
)
@server_options
@config_option
@click.pass_context
def listen_for_deliveries(context: click.Context, /, **options: Unpack[ListenerOptions]) -> None:
    """Listen for deliveries; show each delivery and the result of its verification.

    With --server and --name, no port is opened: the messages of a durable listener on the server
    are fetched and forwarded, original bytes and signature included. The position is kept on
    the server, so that the command continues after a pause or a crash.
    """
    if options["name"] is None:
        if options["since"] or options["replay"] or options["events"] or options["skip_refused"]:
            raise click.UsageError("--since, --replay, --events and --skip-refused need --name")
        asyncio.run(_listen(options))
        return
    if options["forward"] is None:
        raise click.UsageError("give --forward URL, where your receiver listens")
    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(_forward_messages(context, options))


async def _forward_messages(context: click.Context, options: ListenerOptions) -> None:
    task = asyncio.current_task()
    for stop in (signal.SIGTERM, signal.SIGINT):
        if task is not None:
            asyncio.get_running_loop().add_signal_handler(stop, task.cancel)
    policy, clock = make_policy(options["config"]), SystemClock()
    now = clock.now()
    since = None if options["since"] is None else parse_past(options["since"], now)
    window = [parse_past(text, now) for text in options["replay"] or ()]
    async with EgressSession(policy) as egress, open_async_client(context) as client:
        forwarder = Forwarder(egress, policy.check_url(str(options["forward"])))
        listener = RemoteListener(
            client, forwarder, clock, click.echo, options["skip_refused"], options["count"]
        )
        try:
            number = await listener.open(str(options["name"]), options["events"])
            if window:
                await listener.replay(number, *window)
                return
            if since is not None:
                await listener.replay(number, since, None)
            await listener.follow(number)
        except ClientError as error:
            raise BiontError(str(error)) from error


async def _listen(options: ListenerOptions) -> None:
    policy = make_policy(options["config"])
    url = options["forward"]
    async with EgressSession(policy) as egress:
        listener = ShowingReceiver(
            SystemClock(),
            click.echo,
            secrets=options["secrets"],
            status=options["status"],
            forwarder=None if url is None else Forwarder(egress, policy.check_url(url)),
            keep=options["keep"],
            count=options["count"],
            verbose=options["verbose"],
        )
        await listener.run(
            options["host"], options["port"], lambda url: click.echo(f"listening at {url}/")
        )
