"""Bounded scans: pages of lists whose filter has no index.

A filter that few rows match would read the whole table for one page. Such a page looks at
`SCAN_ROWS` rows at most. The page may then have fewer rows than its limit, and still lead to a
next page, which continues after the last row that was looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from peewee import Field, Model, ModelSelect

Row = TypeVar("Row")
M = TypeVar("M", bound=Model)

SCAN_ROWS = 10_000
"""The most rows that one page looks at: about 10 ms."""


@dataclass(frozen=True, slots=True)
class Scan(Generic[Row]):
    """The rows of a page.

    Attributes:
        rows: up to one row more than the page has, which shows that there is another page.
        end: the key of the last row that was looked at; None when no row is left.
    """

    rows: Sequence[Row]
    end: int | None = None


def find_scan_end(rows: ModelSelect[M], key: Field) -> int | None:
    """Return the key of the last row that a page may look at; None if all rows are fewer.

    Args:
        rows: all rows that the page would look at, in the order of the list.
        key: the column that is the cursor of the list.
    """
    end: int | None = rows.select(key).offset(SCAN_ROWS - 1).limit(1).scalar()
    return end
