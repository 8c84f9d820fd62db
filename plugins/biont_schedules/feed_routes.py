"""REST routes of calendar feeds."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from aiohttp import web
from pydantic import Field

from biont import Api, Request, Schema
from biont.http import Header
from biont_schedules.feeds import create_feed, delete_feed, read_feed, read_occurrences
from biont_schedules.ical import write_calendar

_PATH = "/api/v1/schedule/feed"

api = Api("schedule")


class FeedView(Schema):
    """Calendar feed."""

    created_at: datetime


class FeedAddress(FeedView):
    """New calendar feed with the address, which is shown only once."""

    path: str = Field(description="Path of the feed on this server, with the secret token.")


def _find_feed(request: Request) -> FeedView:
    return FeedView(created_at=read_feed(request.user_id).created_at)


@api.post("/schedule/feed", narrowable=False, location="/schedule/feed")
async def create_calendar_feed(request: Request) -> FeedAddress:
    """Create the address of your calendar feed; an earlier address is revoked.

    Calendar programs read the address without a key, because such programs send no keys. Keep
    the address secret.
    """
    now = request.workbench.clock.now()
    feed, token = await request.workbench.store.write(create_feed, request.user_id, now)
    return FeedAddress(created_at=feed.created_at, path=f"{_PATH}/{token}.ics")


@api.get("/schedule/feed", problems=(404,))
async def read_calendar_feed(request: Request) -> FeedView:
    """Get your calendar feed; the address is not stored and cannot be shown again.

    The status is 404 if you have no calendar feed.
    """
    return await request.workbench.store.read(_find_feed, request)


@api.delete("/schedule/feed", narrowable=False, problems=(404,), present=_find_feed)
async def revoke_calendar_feed(request: Request) -> None:
    """Revoke the address of your calendar feed.

    The status is 404 if you have no calendar feed.
    """
    await request.workbench.store.write(delete_feed, request.user_id)


@api.get(
    "/schedule/feed/{token}.ics",
    public=True,
    media_type="text/calendar",
    sends=(
        Header("Cache-Control", "`private, no-cache`."),
        Header("Content-Disposition", "The name of the file."),
    ),
)
async def read_calendar(
    request: Request, token: Annotated[str, Field(max_length=100)]
) -> web.Response:
    """Read the upcoming occurrences of a user's schedules as iCalendar; the token is the key.

    Calendar programs subscribe to this address.
    """
    now = request.workbench.clock.now()
    # Written off the event loop: a year of occurrences takes a while.
    body = await request.workbench.store.read(
        lambda: write_calendar(read_occurrences(token, now), now)
    )
    return web.Response(
        body=body,
        content_type="text/calendar",
        charset="utf-8",
        headers={
            "Cache-Control": "private, no-cache",
            "Content-Disposition": 'inline; filename="schedules.ics"',
        },
    )
