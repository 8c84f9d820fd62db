"""Bases of the generated groups of operations."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import TypeVar, cast

from biont.client.async_pages import AsyncPages
from biont.client.call import Call
from biont.client.connection import AsyncConnection, SyncConnection
from biont.client.errors import ClientError
from biont.client.event_stream import (
    StreamedEvent,
    follow_async_stream,
    follow_stream,
    read_async_stream,
    read_stream,
)
from biont.client.pages import Pages

T = TypeVar("T")

# Each method takes the type of the JSON value. The value is not checked against the type: a client
# then works with a newer server, whose answers have more fields.


class OperationGroup:
    """Operations of a tag, for the sync client.

    Args:
        connection: the connection to the server.
    """

    def __init__(self, connection: SyncConnection) -> None:
        self._connection = connection

    def _read(self, kind: type[T], call: Call) -> T:  # noqa: ARG002  # names the type of the value
        return cast("T", self._connection.send(call).read_json())

    def _read_bytes(self, call: Call) -> bytes:
        return self._connection.send(call).content

    def _read_text(self, call: Call) -> str:
        return self._connection.send(call).content.decode()

    def _finish(self, call: Call) -> None:
        self._connection.send(call)

    def _list(self, kind: type[T], call: Call, cursor: str | None) -> Pages[T]:  # noqa: ARG002  # names the type of the items
        def read(cursor: str | None) -> tuple[list[T], str | None]:
            answer = self._connection.send(move_to(call, cursor)).read_json()
            return cast("tuple[list[T], str | None]", read_page(answer))

        return Pages(read, cursor)

    def _stream(self, call: Call) -> Iterator[StreamedEvent]:
        return read_stream(self._connection, call)

    def _follow(
        self,
        kind: type[T],  # noqa: ARG002  # names the type of the events
        call: Call,
        after: str | int | None,
        newest: Call,
    ) -> Iterator[T]:
        def find_position() -> str:
            return read_position(self._connection.send(newest).read_json())

        if after is not None:
            call = replace(call, headers={**call.headers, "Last-Event-ID": str(after)})
        find = find_position if after is None else None
        for event in follow_stream(self._connection, call, find):
            yield cast("T", event.read_json())


class AsyncOperationGroup:
    """Operations of a tag, for the async client.

    Args:
        connection: the connection to the server.
    """

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def _read(self, kind: type[T], call: Call) -> T:  # noqa: ARG002  # names the type of the value
        return cast("T", (await self._connection.send(call)).read_json())

    async def _read_bytes(self, call: Call) -> bytes:
        return (await self._connection.send(call)).content

    async def _read_text(self, call: Call) -> str:
        return (await self._connection.send(call)).content.decode()

    async def _finish(self, call: Call) -> None:
        await self._connection.send(call)

    def _list(self, kind: type[T], call: Call, cursor: str | None) -> AsyncPages[T]:  # noqa: ARG002  # names the type of the items
        async def read(cursor: str | None) -> tuple[list[T], str | None]:
            answer = (await self._connection.send(move_to(call, cursor))).read_json()
            return cast("tuple[list[T], str | None]", read_page(answer))

        return AsyncPages(read, cursor)

    def _stream(self, call: Call) -> AsyncIterator[StreamedEvent]:
        return read_async_stream(self._connection, call)

    async def _follow(
        self,
        kind: type[T],  # noqa: ARG002  # names the type of the events
        call: Call,
        after: str | int | None,
        newest: Call,
    ) -> AsyncIterator[T]:
        async def find_position() -> str:
            return read_position((await self._connection.send(newest)).read_json())

        if after is not None:
            call = replace(call, headers={**call.headers, "Last-Event-ID": str(after)})
        find = find_position if after is None else None
        async for event in follow_async_stream(self._connection, call, find):
            yield cast("T", event.read_json())


def move_to(call: Call, cursor: str | None) -> Call:
    """Return the call that reads the page at `cursor`."""
    return call if cursor is None else replace(call, query=[*call.query, ("cursor", cursor)])


def read_page(answer: object) -> tuple[list[object], str | None]:
    """Return the items of a page, and the cursor of the next page."""
    match answer:
        case {"data": list(items), "next": str() | None as following}:
            return items, following
        case {"data": list(items)}:
            return items, None
    raise ClientError("the answer is no page of a list, so the URL may not be a workbench's")


def read_position(answer: object) -> str:
    """Return the position after the newest event of a page of the event log."""
    match read_page(answer)[0]:
        case [{"number": int(number)}, *_]:
            return str(number)
    return "0"
