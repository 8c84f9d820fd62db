"""Server-sent events (HTML standard, section 9.2) of an answer, and streams that resume.

A followed stream has a position: the id of the last event that was yielded. After an end or an
error of the connection the stream is opened again with ``Last-Event-ID``, so that no event is left
out and none comes twice.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, replace

from biont.client.call import Call
from biont.client.connection import AsyncConnection, SyncConnection
from biont.client.errors import ApiError, ClientError, NoAnswerError
from biont.client.json_types import JsonValue
from biont.client.retries import Retries, read_retry_after


@dataclass(frozen=True)
class StreamedEvent:
    """Event of a stream.

    Attributes:
        id: the position of the event in the stream; empty if the stream has no positions.
        event: the name of the event.
        data: the text of the event.
    """

    id: str
    event: str
    data: str

    def read_json(self) -> JsonValue:
        """Return the JSON value of `data`.

        Raises:
            ValueError: the data is not JSON.
        """
        value: JsonValue = json.loads(self.data)
        return value


class _Lines:
    """Parser of the lines of a stream."""

    def __init__(self) -> None:
        self._id, self._event, self._data = "", "", list[str]()

    def feed(self, line: str) -> StreamedEvent | None:
        """Take a line; return the event that the line completes."""
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            data, event = self._data, self._event or "message"
            self._event, self._data = "", []
            return StreamedEvent(self._id, event, "\n".join(data)) if data else None
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._event = value
        elif name == "id" and "\0" not in value:
            self._id = value
        return None


class _Resumption:
    """The place from which a followed stream continues, and the waits between its connections."""

    def __init__(self, call: Call, retries: Retries) -> None:
        self.call = call
        self._retries = retries
        self._failures = 0

    def note_event(self, event: StreamedEvent) -> None:
        self._failures = 0
        if event.id:
            headers = {**self.call.headers, "Last-Event-ID": event.id}
            self.call = replace(self.call, headers=headers)

    def get_wait(self, error: ClientError | None) -> float:
        """Return the wait before the next connection.

        Raises:
            ClientError: the stream cannot continue.
        """
        self._failures += 1
        wait = self._retries.get_backoff(self._failures)
        if isinstance(error, ApiError):
            # 409: the server still counts the connection that broke off.
            if error.status not in (409, 429) and error.status < 500:
                raise error
            return max(wait, read_retry_after(error.headers) or 0.0)
        if error is not None and not isinstance(error, NoAnswerError):
            raise error
        return wait


def read_stream(connection: SyncConnection, call: Call) -> Iterator[StreamedEvent]:
    """Yield the events of an answer, to its end."""
    parser = _Lines()
    with connection.stream(call) as lines:
        for line in lines:
            event = parser.feed(line)
            if event is not None:
                yield event


def follow_stream(
    connection: SyncConnection, call: Call, find_position: Callable[[], str] | None
) -> Iterator[StreamedEvent]:
    """Yield the events of a stream without end, across connections.

    Args:
        connection: the connection.
        call: opens the stream.
        find_position: returns the position to begin at; None if the call has a position.
    """
    if find_position is not None:
        # Without a position, events would be lost while the first connection is opened again.
        call = replace(call, headers={**call.headers, "Last-Event-ID": find_position()})
    resumption = _Resumption(call, connection.retries)
    while True:
        failure: ClientError | None = None
        try:
            for event in read_stream(connection, resumption.call):
                resumption.note_event(event)
                yield event
        except ClientError as error:
            failure = error
        connection.sleep(resumption.get_wait(failure))


async def read_async_stream(
    connection: AsyncConnection, call: Call
) -> AsyncIterator[StreamedEvent]:
    """Yield the events of an answer, to its end."""
    parser = _Lines()
    async with connection.stream(call) as lines:
        async for line in lines:
            event = parser.feed(line)
            if event is not None:
                yield event


async def follow_async_stream(
    connection: AsyncConnection,
    call: Call,
    find_position: Callable[[], Awaitable[str]] | None,
) -> AsyncIterator[StreamedEvent]:
    """Yield the events of a stream without end, across connections; see `follow_stream`."""
    if find_position is not None:
        call = replace(call, headers={**call.headers, "Last-Event-ID": await find_position()})
    resumption = _Resumption(call, connection.retries)
    while True:
        failure: ClientError | None = None
        try:
            async for event in read_async_stream(connection, resumption.call):
                resumption.note_event(event)
                yield event
        except ClientError as error:
            failure = error
        await connection.sleep(resumption.get_wait(failure))
