"""Lists of the sync client, read page by page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Pages(Generic[T]):
    """Items of a list; iterating reads the pages in order.

    Args:
        read: reads the page at a cursor: the items, and the cursor of the next page.
        cursor: the cursor of the first page to read; None for the first page of the list.
    """

    def __init__(
        self, read: Callable[[str | None], tuple[list[T], str | None]], cursor: str | None
    ) -> None:
        self._read = read
        self._cursor = cursor

    def __iter__(self) -> Iterator[T]:
        """Yield the items of all pages."""
        for items, _ in self.pages():
            yield from items

    def pages(self) -> Iterator[tuple[list[T], str | None]]:
        """Yield the items of each page, and the cursor of the next page (None on the last)."""
        cursor = self._cursor
        while True:
            items, cursor = self._read(cursor)
            yield items, cursor
            if cursor is None:
                return

    def first_page(self) -> list[T]:
        """Return the items of the first page only."""
        return self._read(self._cursor)[0]
