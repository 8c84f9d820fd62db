"""Merged page: a page of the rows that match any of several values of a filter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Protocol, TypeVar

from biont.store.span import Span

V = TypeVar("V")


class _Numbered(Protocol):
    @property
    def id(self) -> int: ...


R = TypeVar("R", bound=_Numbered)


def read_merged_page(
    values: Sequence[V] | None,
    limit: int,
    span: Span,
    read: Callable[[V | None], Sequence[R]],
) -> list[R]:
    """Return up to ``limit + 1`` rows that match any of `values`, in the order of the span.

    Args:
        values: the values of the filter; None for no filter.
        limit: the rows of a page.
        span: the part of the list, which `read` knows too.
        read: returns up to ``limit + 1`` rows for one value, or without the filter for None.
    """
    if values is None:
        return list(read(None))
    # A query for each value: an index gives the rows of one value in the order of their numbers,
    # but not those of several values, so that SQLite would sort all.
    rows = chain.from_iterable(read(value) for value in dict.fromkeys(values))
    return sorted(rows, key=lambda row: row.id, reverse=not span.oldest_first)[: limit + 1]
