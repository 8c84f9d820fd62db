"""Follows the stream of events over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import aiohttp

from biont.exceptions import BiontError

_CONNECT_AGAIN = 1.0


async def follow(
    url: str,
    key: str,
    event_type: str | None,
    after: str | None,
    tell: Callable[[str], None],
) -> None:
    """Tell each event, as its number and its JSON; connect again whenever it ends.

    Raises:
        BiontError: the workbench refuses; the message is its own.
    """
    headers = {"X-API-Key": key, "Accept": "text/event-stream"}
    query = {} if event_type is None else {"event_type": event_type}
    timeout = aiohttp.ClientTimeout(total=None, sock_read=60)
    async with aiohttp.ClientSession(timeout=timeout) as session:  # noqa: TID251  # the operator's own
        while True:
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
                    async for number, data in _read_events(response.content):
                        after = number
                        tell(f"{number}\t{data}")
            except (aiohttp.ClientError, TimeoutError):
                await asyncio.sleep(_CONNECT_AGAIN)


async def _read_events(content: aiohttp.StreamReader) -> AsyncIterator[tuple[str, str]]:
    """Yield id and data of each event of a stream (HTML standard, server-sent events)."""
    fields: dict[str, str] = {}
    async for raw in content:
        line = raw.decode().rstrip("\r\n")
        if line:
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
        elif "data" in fields:
            yield fields.get("id", ""), fields["data"]
            fields = {}
