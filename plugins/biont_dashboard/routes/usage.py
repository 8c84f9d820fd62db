"""Routes of the page of the usage of language models."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from aiohttp import web

from biont import Request
from biont_dashboard.dialect import make_api
from biont_dashboard.page import open_page
from biont_dashboard.rendering import describe_number
from biont_dashboard.usage_groups import UsageGroup, count_tokens, read_groups
from biont_dashboard.visit import Object, list_rows

api = make_api()

_ROWS = 50
_DAYS = 30


@api.get("/dashboard/usage")
async def show_usage(request: Request, group: UsageGroup = UsageGroup.MODEL) -> web.Response:
    """Show the usage by day and by group, the budgets, the prices, and the calls."""
    page = await open_page(request, plugin="llm")
    now = request.workbench.clock.now()
    since = (now - timedelta(days=_DAYS - 1)).replace(hour=0, minute=0, second=0, microsecond=0)
    me, days, groups, prices, calls = await asyncio.gather(
        page.read("/api/v1/me", fields="budgets"),
        page.read("/api/v1/usage", group_by="day", since=since.isoformat()),
        read_groups(page, group, since.isoformat()),
        page.read("/api/v1/usage/prices"),
        page.read_list("/api/v1/usage/calls", limit=_ROWS),
    )
    names = [f"{since + timedelta(days=index):%Y-%m-%d}" for index in range(_DAYS)]
    rows = list_rows(days)
    return await page.render(
        "usage/usage.html",
        panels_of="usage",
        points=_make_points(names, rows),
        total=_sum_up(rows),
        group=group,
        groups=list(UsageGroup),
        found=groups,
        prices=list_rows(prices),
        listing=calls,
        budgets=me["budgets"],
    )


def _make_points(names: Sequence[str], rows: Sequence[Object]) -> list[tuple[str, int, str]]:
    """Return the tokens of each day, also of days without a call."""
    tokens = {str(row["day"]): count_tokens(row) for row in rows}
    return [
        (name, tokens.get(name, 0), f"{describe_number(tokens.get(name, 0))} tokens")
        for name in names
    ]


def _sum_up(rows: Sequence[Object]) -> dict[str, float | None]:
    costs = [float(str(row["cost"])) for row in rows if row["cost"] is not None]
    return {
        "calls": sum(int(str(row["calls"])) for row in rows),
        "failed": sum(int(str(row["failed"])) for row in rows),
        "tokens": sum(map(count_tokens, rows)),
        "cost": sum(costs) if costs else None,
    }
