"""Choice of rows for an act on many, which is an operation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Literal, NamedTuple, Self, TypeVar

from peewee import SQL, Expression
from pydantic import ConfigDict, Field, model_validator

from biont.accounts.owned_table import OwnedTable
from biont.http.operation_views import OperationView, make_operation_view
from biont.http.request import Instant, Request, RowId
from biont.operations.part import Part
from biont.schema import Schema
from biont.store.scan import SCAN_ROWS, find_scan_end
from biont.store.span import Span

T = TypeVar("T", bound=OwnedTable)


class RowChoice(Schema):
    """Choice of some of a user's rows; a row must match all given fields."""

    model_config = ConfigDict(extra="forbid")

    ids: Annotated[list[RowId], Field(min_length=1, max_length=1000)] | None = Field(
        None, description="Only these."
    )
    since: Instant | None = Field(None, description="Made at this instant or later.")
    until: Instant | None = Field(None, description="Made before this instant.")
    dry_run: bool = Field(False, description="Only count what the act would change.")

    @model_validator(mode="after")
    def _check_choice(self) -> Self:
        if not self.has_condition():
            raise ValueError("must name what to change, because without any choice that is all")
        return self

    def has_condition(self) -> bool:
        """Return whether any field chooses rows."""
        return self.ids is not None or self.since is not None or self.until is not None

    def list_filters(self, table: type[OwnedTable]) -> Sequence[Expression | SQL]:
        """Return the conditions of the chosen rows, besides those of time."""
        return [] if self.ids is None else [table.id.in_(self.ids)]


class RowCount(Schema):
    """Number of rows that an act would change."""

    count: int
    dry_run: Literal[True]


class FoundRows(NamedTuple):
    """Rows of a part.

    Attributes:
        ids: the numbers of the rows.
        cursor: the place of the next part; None for no more.
    """

    ids: list[int]
    cursor: str | None


def find_rows(part: Part, choice: RowChoice, table: type[T]) -> FoundRows:
    """Return the next rows of an operation, the newest first; called in a read.

    A part looks at `SCAN_ROWS` rows at most. Rows that were made after the begin of the operation
    do not belong to it.
    """
    begun = part.begun_at + timedelta(microseconds=1)
    until = begun if choice.until is None else min(choice.until, begun)
    span = Span(choice.since, until, None if part.cursor is None else int(part.cursor))
    rows = table.of_user(part.user_id)
    time = getattr(table, table.made_at)
    for condition in span.find_conditions(rows, key=table.id, time=time):
        rows = rows.where(condition)
    rows = rows.order_by(table.id.desc())
    end = find_scan_end(rows, table.id)
    if end is not None:
        rows = rows.where(table.id >= end)
    for filter_ in choice.list_filters(table):
        rows = rows.where(filter_)
    ids = [row.id for row in rows.select(table.id).limit(part.limit)]
    last = ids[-1] if len(ids) == part.limit else end
    return FoundRows(ids, None if last is None else str(last))


def count_rows(part: Part, choice: RowChoice, table: type[T]) -> tuple[int, str | None]:
    """Count the next rows of an operation; see `OperationKind.count`."""
    found = find_rows(part, choice, table)
    return len(found.ids), found.cursor


async def begin_act(
    request: Request, kind: str, subject: str, choice: RowChoice, table: type[T]
) -> OperationView | RowCount:
    """Begin an operation on the chosen rows of the caller, or count them in a dry run.

    Raises:
        Conflict: too many operations of the user are running.
    """
    workbench = request.workbench
    if not choice.dry_run:
        begin = workbench.operations.begin
        return make_operation_view(
            await workbench.store.transact(begin, request.user_id, kind, subject, choice)
        )
    now, count = workbench.clock.now(), 0
    part = Part(0, request.user_id, now, choice.model_dump_json(), None, SCAN_ROWS)
    while True:
        found, cursor = await workbench.store.read(count_rows, part, choice, table)
        count += found
        if cursor is None:
            return RowCount(count=count, dry_run=True)
        part = replace(part, cursor=cursor)
