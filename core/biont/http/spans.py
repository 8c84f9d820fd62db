"""Query parameters that choose the part of a list: `since`, `until`, `sort`, `limit`, `cursor`."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from biont.http.paging import Cursor, Limit, decode_cursor
from biont.http.request import Instant
from biont.schema import Schema
from biont.store.span import Span


class Sort(StrEnum):
    """Order of a list."""

    NEWEST_FIRST = "-created_at"
    OLDEST_FIRST = "created_at"


class ListQuery(Schema):
    """Query parameters of a list, as one parameter of a route function.

    ::

        @api.get("/sales")
        async def list_sales(request: Request, query: ListQuery) -> Page[SaleView]:
            rows = await request.workbench.store.read(
                Sale.read_page, request.user_id, query.limit, query.span
            )
            return make_page(rows, query.limit, lambda sale: sale.id, make_sale_view)
    """

    since: Instant | None = Field(None, description="Only what was made at this instant or later.")
    until: Instant | None = Field(None, description="Only what was made before this instant.")
    sort: Sort = Field(
        Sort.NEWEST_FIRST,
        description="The order: `-created_at`, the newest first, or `created_at`.",
    )
    limit: Limit = 100
    cursor: Cursor = None

    @property
    def span(self) -> Span:
        """The part of the list.

        Raises:
            InvalidInput: the cursor is not the `next` of a page.
        """
        return Span(
            self.since, self.until, decode_cursor(self.cursor), self.sort is Sort.OLDEST_FIRST
        )
