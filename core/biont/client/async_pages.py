"""Lists of the async client, read page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class AsyncPages(Generic[T]):
    """Items of a list; iterating reads the pages in order.

    Args:
        read: reads the page at a cursor: the items, and the cursor of the next page.
        cursor: the cursor of the first page to read; None for the first page of the list.
    """

    def __init__(
        self,
        read: Callable[[str | None], Awaitable[tuple[list[T], str | None]]],
        cursor: str | None,
    ) -> None:
        self._read = read
        self._cursor = cursor

    async def __aiter__(self) -> AsyncIterator[T]:
        """Yield the items of all pages."""
        async for items, _ in self.pages():
            for item in items:
                yield item

    async def pages(self) -> AsyncIterator[tuple[list[T], str | None]]:
        """Yield the items of each page, and the cursor of the next page (None on the last)."""
        cursor = self._cursor
        while True:
            items, cursor = await self._read(cursor)
            yield items, cursor
            if cursor is None:
                return

    async def first_page(self) -> list[T]:
        """Return the items of the first page only."""
        return (await self._read(self._cursor))[0]
