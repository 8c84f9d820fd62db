"""Span: the part of a list that a page shows, in the order in which the rows were made.

The number of a row grows with its time of creation. So the limits of time are turned into numbers
by bisection, and a list needs no index by time. Rows that were made while the clock had been set
back are out of this order: a span may leave out some of these rows, and never shows a wrong row.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from peewee import Expression, Field, Model, ModelSelect

from biont.store.database import execute_sql, format_instant

M = TypeVar("M", bound=Model)

_LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Span:
    """Part of a list.

    Attributes:
        since: the earliest time; None for the beginning.
        until: the time before which the part ends; None for the end.
        place: the key of the last row of the previous page; None for the first page.
        oldest_first: whether the oldest row is the first; otherwise the newest is.
    """

    since: datetime | None = None
    until: datetime | None = None
    place: int | None = None
    oldest_first: bool = False

    def read(self, rows: ModelSelect[M], limit: int, *, key: Field, time: Field) -> list[M]:
        """Return up to ``limit + 1`` rows of the part, in its order.

        Args:
            rows: all rows of the list, which an index has in the order of `key`.
            limit: the size of a page; an extra row shows that there is another page.
            key: the column that grows from row to row.
            time: the column of the time at which a row was made.
        """
        for condition in self.find_conditions(rows, key=key, time=time):
            rows = rows.where(condition)
        order = key.asc() if self.oldest_first else key.desc()
        return list(rows.order_by(order).limit(limit + 1))

    def find_conditions(
        self, rows: ModelSelect[M], *, key: Field, time: Field
    ) -> Iterable[Expression]:
        """Return the conditions of the rows of the part; see `read`."""
        first, end = self.find_keys(rows, key=key, time=time)
        conditions = []
        if first > 0:
            conditions.append(key >= first)
        if end < _LARGEST:
            conditions.append(key < end)
        if self.since is not None:
            conditions.append(time >= self.since)
        if self.until is not None:
            conditions.append(time < self.until)
        return conditions

    def find_keys(self, rows: ModelSelect[M], *, key: Field, time: Field) -> tuple[int, int]:
        """Return the first key of the part, and the key before which the part ends."""
        first, end = 0, _LARGEST
        if self.place is not None:
            first, end = (self.place + 1, end) if self.oldest_first else (first, self.place)
        if self.since is not None:
            first = max(first, _find_key(rows, key, time, self.since))
        if self.until is not None:
            end = min(end, _find_key(rows, key, time, self.until))
        return first, end


ALL = Span()
"""The whole list, the newest row first."""


def _find_key(rows: ModelSelect[M], key: Field, time: Field, at: datetime) -> int:
    """Return the smallest key of a row from an instant on, or the number after all keys."""
    wanted = format_instant(at)
    # Built once: building a query takes ten times as long as running it.
    query = rows.select(key, time).where(key >= 0).order_by(key).limit(1)
    sql, (*others, _, one) = query.sql()
    last = rows.select(key).order_by(key.desc()).limit(1).scalar()
    if last is None:
        return 0
    low, high = 0, int(last) + 1
    while low < high:
        middle = (low + high) // 2
        found, at_text = execute_sql(sql, *others, middle, one).fetchone()
        if at_text >= wanted:
            high = middle
        else:
            low = found + 1
    return low
