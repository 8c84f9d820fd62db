"""Lists in pages, by key and not by offset: rows that come and go move nothing."""

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

Limit = Annotated[int, Field(ge=1, le=1000, description="How many items a page has at most.")]
Cursor = Annotated[
    str | None,
    Field(max_length=200, description="Where the page begins: `next` of the page before."),
]


class Page(Schema, Generic[T]):
    """One page of a list."""

    data: list[T]
    next: str | None = Field(description="The cursor of the next page; null on the last one.")


def make_page(
    rows: Sequence[Row], limit: int, key: Callable[[Row], int], show: Callable[[Row], T]
) -> Page[T]:
    """Return a page of `rows`, which were read with a limit of ``limit + 1``.

    Args:
        rows: what was read; one more than `limit` says that there is another page.
        limit: how many items the page has at most.
        key: the number by which the rows are ordered.
        show: turns a row into what the client sees.
    """
    shown = rows[:limit]
    has_more = len(rows) > limit
    return Page(
        data=[show(row) for row in shown],
        next=encode_cursor(key(shown[-1])) if has_more else None,
    )


def encode_cursor(key: int) -> str:
    """Return an opaque text for the place behind the row `key`."""
    return base64.urlsafe_b64encode(str(key).encode()).decode().rstrip("=")


def decode_cursor(cursor: str | None) -> int | None:
    """Return the key of the row that a page begins behind; None for the first page.

    Raises:
        InvalidInput: it is none of ours.
    """
    if cursor is None:
        return None
    try:
        key = int(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii"))
    except (binascii.Error, ValueError) as error:
        raise InvalidInput(
            InputProblem("must be the `next` of an earlier page", "cursor")
        ) from error
    if not 0 <= key < 2**63:
        raise InvalidInput(InputProblem("must be the `next` of an earlier page", "cursor"))
    return key
