"""Event streams: the events of a user as server-sent events, as soon as the log has each.

A stream repeats three steps: it clears its signal, reads the next entries after the last sent
number from the log, and waits for the signal if there are no more. The commit of new events
sets the signal. The signal carries no events, so a stream that is slow or wakes late misses
nothing, and an event committed between the read and the wait sets the signal again.

The number of an event is its ``id`` in the stream. A client that connects again sends the last
number, and the stream continues after that number: no gap, nothing twice, also after a crash.
"""

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
from biont_audit.queries import EventFilter, read_log_slice
from biont_audit.tables import LogEntry
from biont_audit.views import make_event_view

_ENTRIES_PER_READ = 50

_log = structlog.get_logger("biont.audit")


class Stream:
    """One open connection that receives the events of a user.

    Args:
        request: the request that opened the stream.
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        self._has_new_events = asyncio.Event()
        self._is_over = False
        self._response = EventStreamResponse(request.http)

    @property
    def reader_id(self) -> int:
        """The user who reads: an administrator, or the user of the events."""
        return self._request.key_user_id

    @property
    def is_open(self) -> bool:
        """True if the client is connected, as far as the server knows."""
        return self._response.has_client

    def wake(self) -> None:
        """Read the log again, because there are new events."""
        self._has_new_events.set()

    def end(self) -> None:
        """End the stream, also while a slow client blocks a write."""
        self._is_over = True
        self._has_new_events.set()
        self._response.abort_blocked_write()

    async def send(self, choice: EventFilter, after: int) -> web.StreamResponse:
        """Send the events after the number `after`, until the client leaves or `end` is called.

        The status 200 is sent already, so a later error can only end the stream. The client
        connects again with the last number, and gets the error as a status.
        """
        try:
            await self._response.start()
            await self._response.send(encode_sse_comment("your events, as they are logged"))
            while not self._is_over:
                after = await self._send_slice(choice, after)
        except ConnectionError:
            _log.debug("client left the event stream", user_id=self._request.user_id)
        except BiontError as error:
            _log.info(
                "event stream ended by an error", user_id=self._request.user_id, reason=str(error)
            )
        return self._response

    async def _send_slice(self, choice: EventFilter, after: int) -> int:
        workbench = self._request.workbench
        self._has_new_events.clear()
        part = await workbench.store.read(read_log_slice, choice, after, _ENTRIES_PER_READ)
        # Each time, because the key may have been revoked after the stream was opened.
        await self._request.check_key()
        if part.entries:
            await self._response.send(b"".join(_encode_entry(entry) for entry in part.entries))
        if not part.has_more:
            await self._wait_for_events()
        return part.last

    async def _wait_for_events(self) -> None:
        try:
            async with asyncio.timeout(self._response.silence_limit):
                await self._has_new_events.wait()
        except TimeoutError:
            await self._response.send_keep_alive()


class EventStreams:
    """All event streams of a workbench.

    Args:
        limit: the largest number of open streams per user.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._by_user: defaultdict[int, set[Stream]] = defaultdict(set)

    @contextmanager
    def open(self, request: Request) -> Iterator[Stream]:
        """Open a stream for the user of a request; the context closes the stream.

        Raises:
            Conflict: the user has too many open streams.
        """
        streams = self._by_user[request.user_id]
        # Not the size of the set: the stream of a client that has left stays in the set until
        # the next write fails.
        # Those of administrators who look count for themselves.
        mine = [stream for stream in streams if stream.reader_id == request.key_user_id]
        if sum(stream.is_open for stream in mine) >= self._limit:
            raise Conflict(
                f"you have {self._limit} streams open, the limit of plugins.audit.streams; "
                "close one first"
            )
        stream = Stream(request)
        streams.add(stream)
        try:
            yield stream
        finally:
            streams.discard(stream)

    def wake(self, user_ids: Collection[int]) -> None:
        """Wake the streams of users that have new events."""
        for user_id in user_ids & self._by_user.keys():
            for stream in self._by_user[user_id]:
                stream.wake()

    def end(self) -> None:
        """End every stream."""
        for streams in self._by_user.values():
            for stream in streams:
                stream.end()


STREAMS = Service[EventStreams]("event streams", provider="audit")
"""The event streams of a workbench."""


def _encode_entry(entry: LogEntry) -> bytes:
    data = make_event_view(entry).model_dump_json().encode()
    return encode_sse(data, event=entry.event_type, event_id=str(entry.number))
