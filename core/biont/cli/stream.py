"""Client of the event stream, for `biont events`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import aiohttp

from biont.exceptions import BiontError
from biont.http.sse import read_sse

_RECONNECT_SECONDS = 1.0


async def follow_events(
    url: str,
    key: str,
    event_type: str | None,
    after: str | None,
    report: Callable[[str], None],
    *,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Report the number and JSON of each event; reconnect whenever the stream ends.

    Args:
        url: the root URL of the workbench.
        key: an API key.
        event_type: the event type or pattern to follow; None for all events.
        after: the number of the event after which the stream begins; None for now.
        report: gets a line for each event.
        sleep: waits before each reconnect.

    Raises:
        BiontError: the workbench refuses the stream; the message quotes the answer.
    """
    headers = {"X-API-Key": key, "Accept": "text/event-stream"}
    query = {} if event_type is None else {"event_type": event_type}
    # The server sends a comment every 15 seconds; a minute of silence means a dead connection.
    timeout = aiohttp.ClientTimeout(total=None, sock_read=60)
    async with aiohttp.ClientSession(timeout=timeout) as session:  # noqa: TID251  # the operator's own
        while True:
            # The server continues after the last event that was printed.
            if after is not None:
                headers["Last-Event-ID"] = after
            try:
                async with session.get(
                    f"{url.rstrip('/')}/api/v1/events/stream", headers=headers, params=query
                ) as response:
                    if response.status != 200:
                        raise BiontError(
                            f"{url} answered {response.status}: {await response.text()}"
                        )
                    async for event in read_sse(response.content):
                        after = event.id
                        report(f"{event.id}\t{event.data}")
            except (aiohttp.ClientError, TimeoutError):
                pass  # The next connection continues after the last event.
            # Also after a clean end: a server that ends each stream must not be flooded.
            await sleep(_RECONNECT_SECONDS)
