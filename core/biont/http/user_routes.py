"""Routes of the user: read and change the own account."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from biont.accounts.principal import Scope
from biont.accounts.users import User
from biont.exceptions import PluginError
from biont.http.api import Api
from biont.http.budgets import BUDGETS, BudgetView
from biont.http.key_views import KeyView, make_key_view
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


class LimitView(Schema):
    """A limit of requests."""

    name: str = Field(description="The setting of the limit.")
    limit: int


class MeView(UserView):
    """The user and the key of a request, with their limits."""

    key: KeyView
    limits: list[LimitView] = Field(description="The limits for requests of the key.")
    budgets: list[BudgetView] = Field(
        description="The daily budgets of the user and the key; empty without a budget."
    )


@api.get("/me", scopes=frozenset(Scope))
async def read_me(request: Request) -> MeView:
    """Read your own user, the key of this request, and what is left for both.

    A client learns here what its key may do, and when the key ends.
    """
    workbench = request.workbench
    user = await workbench.users.get(request.user_id)
    key = await workbench.keys.read(request.key_id, user_id=request.user_id)
    return MeView(
        **_make_user_view(user).model_dump(),
        key=make_key_view(key),
        limits=_list_limits(request),
        budgets=await _list_budgets(request),
    )


def _list_limits(request: Request) -> list[LimitView]:
    server = request.workbench.settings.server
    return [LimitView(name="server.body_limit", limit=server.body_limit)]


async def _list_budgets(request: Request) -> list[BudgetView]:
    try:
        read = request.workbench.get(BUDGETS)
    except PluginError:
        # Without language models there is nothing to spend.
        return []
    return [*await read(request.user_id, request.key_id)]


def _find_me(request: Request) -> UserView:
    return _make_user_view(User.get_by_id(request.user_id))


@api.patch("/me", example={"time_zone": "Europe/Berlin"}, present=_find_me)
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
