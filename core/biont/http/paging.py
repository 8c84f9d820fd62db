"""Pagination of lists by key instead of offset: new and deleted rows shift no page."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, Generic, TypeVar

from pydantic import Field

from biont.exceptions import InputProblem, InvalidInput
from biont.schema import Schema

T = TypeVar("T")
Row = TypeVar("Row")

Limit = Annotated[
    int, Field(ge=1, le=1000, description="The largest number of items in the page.")
]
"""The query parameter `limit` of a list."""
Cursor = Annotated[
    str | None,
    Field(max_length=200, description="The `next` of the previous page; absent for the first."),
]
"""The query parameter `cursor` of a list."""


class Page(Schema, Generic[T]):
    """A page of a list."""

    data: list[T]
    next: str | None = Field(description="The cursor of the next page; null on the last page.")


def make_page(
    rows: Sequence[Row],
    limit: int,
    key: Callable[[Row], int],
    show: Callable[[Row], T],
    *,
    scanned_to: int | None = None,
) -> Page[T]:
    """Return a page of `rows`, which were selected with a limit of ``limit + 1``.

    Args:
        rows: the rows; an extra row beyond `limit` shows that there is another page.
        limit: the largest number of items in the page.
        key: returns the number by which the rows are ordered.
        show: returns the view of a row.
        scanned_to: the key of the last row that a bounded scan has looked at (`Scan.end`); the
            next page continues there if `rows` has no extra row.
    """
    shown = rows[:limit]
    last = key(shown[-1]) if len(rows) > limit else scanned_to
    return Page(
        data=[show(row) for row in shown], next=None if last is None else encode_cursor(last)
    )


def encode_cursor(key: int) -> str:
    """Return the opaque cursor of the page that follows the row `key`."""
    # Opaque, so that clients do not compute cursors and the key can change its meaning later.
    return base64.urlsafe_b64encode(str(key).encode()).decode().rstrip("=")


def decode_cursor(cursor: str | None) -> int | None:
    """Return the key of the last row of the previous page; None for the first page.

    Raises:
        InvalidInput: the cursor does not come from `encode_cursor`.
    """
    if cursor is None:
        return None
    try:
        key = int(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii"))
    except (binascii.Error, ValueError) as error:
        raise InvalidInput(InputProblem("must be the `next` of a page", "cursor")) from error
    # SQLite's integers have 64 bits; a larger number would be an error of the database.
    if not 0 <= key < 2**63:
        raise InvalidInput(InputProblem("must be the `next` of a page", "cursor"))
    return key
