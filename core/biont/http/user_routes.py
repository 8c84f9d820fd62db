"""The routes by which users see and change what is known of them."""

from __future__ import annotations

from datetime import datetime

from pydantic import ConfigDict, Field

from biont.accounts.users import User
from biont.http.api import Api
from biont.http.request import Request
from biont.schema import Schema
from biont.time_zones import TimeZone

api = Api("core")


class UserView(Schema):
    """Who you are."""

    id: int
    name: str
    time_zone: str | None = Field(description="Of schedules that name none; null for the setting.")
    created_at: datetime


class UserChange(Schema):
    """What is to be otherwise."""

    model_config = ConfigDict(extra="forbid")

    time_zone: TimeZone | None = Field(
        description="Of schedules that name none from now on; null for the setting."
    )


@api.get("/me")
async def read_me(request: Request) -> UserView:
    """Read who you are."""
    return _show(await request.workbench.users.get(request.user_id))


@api.patch("/me")
async def change_me(request: Request, body: UserChange) -> UserView:
    """Change your time zone; schedules that there are stay in theirs."""
    return _show(await request.workbench.users.set_time_zone(request.user_id, body.time_zone))


def _show(user: User) -> UserView:
    return UserView(
        id=user.id, name=user.name, time_zone=user.time_zone, created_at=user.created_at
    )
