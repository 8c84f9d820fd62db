"""Routes of the user: read and change the own account."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from biont.accounts.users import User
from biont.http.api import Api
from biont.http.merge_patch import MergePatch
from biont.http.request import Request
from biont.schema import Schema
from biont.time_zones import TimeZone

api = Api("core")


class UserView(Schema):
    """A user."""

    id: int
    name: str
    time_zone: str | None = Field(
        description="The time zone of schedules that name none; null for the setting."
    )
    created_at: datetime


class UserChange(MergePatch):
    """Fields of the user to change, as a JSON merge patch (RFC 7396)."""

    time_zone: TimeZone | None = Field(
        None, description="The time zone of new schedules that name none; null for the setting."
    )


@api.get("/me")
async def read_me(request: Request) -> UserView:
    """Read your own user.

    The user is the owner of the key of this request.
    """
    return _make_user_view(await request.workbench.users.get(request.user_id))


@api.patch("/me", example={"time_zone": "Europe/Berlin"})
async def change_me(request: Request, body: UserChange) -> UserView:
    """Change your time zone; existing schedules keep their time zones.

    New schedules that name no time zone use it.
    """
    users = request.workbench.users
    if "time_zone" not in body.model_fields_set:
        return _make_user_view(await users.get(request.user_id))
    return _make_user_view(await users.set_time_zone(request.user_id, body.time_zone))


def _make_user_view(user: User) -> UserView:
    return UserView(
        id=user.id, name=user.name, time_zone=user.time_zone, created_at=user.created_at
    )
