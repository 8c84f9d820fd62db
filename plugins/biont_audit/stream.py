"""EventStreams: a user's events as they are logged, as server-sent events."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterator
from contextlib import contextmanager

import structlog
from aiohttp import web

from biont import Request, Service
from biont.exceptions import BiontError, Conflict
from biont.http import EventStreamResponse, encode_sse, encode_sse_comment
from biont_audit.queries import EventFilter, read_part
from biont_audit.tables import LogEntry
from biont_audit.views import show_entry

_ENTRIES_A_READ = 50

_log = structlog.get_logger("biont.audit")


class Stream:
    """One connection on which a user's events are sent.

    Args:
        request: what has opened it.
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        self._news = asyncio.Event()
        self._is_over = False
        self._response = EventStreamResponse(request.http)

    @property
    def is_open(self) -> bool:
        """Whether the client is there, as far as is known."""
        return self._response.has_client

    def wake(self) -> None:
        """Look at the log: there is something new."""
        self._news.set()

    def end(self) -> None:
        """Send nothing more."""
        self._is_over = True
        self._news.set()
        self._response.abort_blocked_write()

    async def send(self, choice: EventFilter, after: int) -> web.StreamResponse:
        """Send what follows on the number `after`, until the client leaves or `end` is called.

        What cannot be told by a status any more ends the stream; the client goes on with
        the number that it has seen last.
        """
        try:
            await self._response.start()
            await self._response.send(encode_sse_comment("your events, as they are logged"))
            while not self._is_over:
                after = await self._send_part(choice, after)
        except ConnectionError:
            _log.debug("the client has left the stream", user_id=self._request.user_id)
        except BiontError as error:
            _log.info("stream ended", user_id=self._request.user_id, reason=str(error))
        return self._response

    async def _send_part(self, choice: EventFilter, after: int) -> int:
        workbench, http = self._request.workbench, self._request.http
        self._news.clear()
        part = await workbench.store.read(read_part, choice, after, _ENTRIES_A_READ)
        # It may have been revoked since the stream was opened.
        await workbench.keys.authenticate(http.headers.get("X-API-Key"))
        if part.entries:
            await self._response.send(b"".join(_encode(entry) for entry in part.entries))
        if not part.has_more:
            await self._wait_for_news()
        return part.last

    async def _wait_for_news(self) -> None:
        try:
            async with asyncio.timeout(self._response.silence_limit):
                await self._news.wait()
        except TimeoutError:
            await self._response.send_keep_alive()


class EventStreams:
    """All streams of one workbench.

    Args:
        limit: how many a user may have open at once.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._by_user: defaultdict[int, set[Stream]] = defaultdict(set)

    @contextmanager
    def open(self, request: Request) -> Iterator[Stream]:
        """Have a stream of the user who asks, as long as the context is open.

        Raises:
            Conflict: the user has too many.
        """
        streams = self._by_user[request.user_id]
        # One whose client has left is known to have ended only when it is written to.
        if sum(stream.is_open for stream in streams) >= self._limit:
            raise Conflict(
                f"you have {self._limit} streams open, as many as plugins.audit.streams allows; "
                "close one first"
            )
        stream = Stream(request)
        streams.add(stream)
        try:
            yield stream
        finally:
            streams.discard(stream)

    def wake(self, user_ids: Collection[int]) -> None:
        """Tell the streams of these users that there is something new."""
        for user_id in user_ids & self._by_user.keys():
            for stream in self._by_user[user_id]:
                stream.wake()

    def end(self) -> None:
        """End every stream."""
        for streams in self._by_user.values():
            for stream in streams:
                stream.end()


STREAMS = Service[EventStreams]("event streams", provider="audit")
"""The streams of a workbench."""


def _encode(entry: LogEntry) -> bytes:
    data = show_entry(entry).model_dump_json().encode()
    return encode_sse(data, event=entry.event_type, event_id=str(entry.number))
