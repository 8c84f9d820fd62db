"""Routes of the user: read and change the own account."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from biont.accounts.principal import Scope
from biont.accounts.quotas import QUOTAS
from biont.accounts.user_records import Role, User
from biont.exceptions import PluginError
from biont.http.admission import ADMISSION
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
    role: Role
    time_zone: str | None = Field(
        description="The time zone of schedules that name none; null for the setting."
    )
    created_at: datetime


class UserChange(MergePatch):
    """Fields of the user to change, as a JSON merge patch (RFC 7396)."""

    time_zone: TimeZone | None = Field(
        None, description="The time zone of new schedules that name none; null for the setting."
    )


class RateView(Schema):
    """A limit of requests in a time, for a user."""

    name: str = Field(description="The name of the limit, as in the header `RateLimit-Policy`.")
    limit: int
    seconds: int = Field(description="The time, in seconds.")
    left: int = Field(description="The requests that are left now.")


class QuotaView(Schema):
    """A limit of the objects of a user."""

    name: str
    limit: int
    used: int


class MeView(UserView):
    """The user and the key of a request, with their limits."""

    key: KeyView
    rates: list[RateView] = Field(description="The limits for requests of the user.")
    quotas: list[QuotaView] = Field(description="The limits for objects of the user.")
    budgets: list[BudgetView] = Field(
        description="The daily budgets of the user and the key; empty without a budget."
    )


@api.get("/me", scopes=frozenset(Scope))
async def read_me(request: Request) -> MeView:
    """Read your own user, the key of this request, and what is left for both.

    A client learns here what its key may do, and when the key ends. With `X-User-ID`, the user is
    the other one, and the key is yours.
    """
    workbench = request.workbench
    user = await workbench.users.get(request.user_id)
    key = await workbench.keys.read(request.key_id, user_id=request.key_user_id)
    return MeView(
        **_make_user_view(user).model_dump(),
        key=make_key_view(key),
        rates=_list_rates(request),
        quotas=await _list_quotas(request),
        budgets=await _list_budgets(request),
    )


def _list_rates(request: Request) -> list[RateView]:
    return [
        RateView(name=limit.name, limit=limit.rate.amount, seconds=limit.rate.seconds, left=left)
        for limit, left in request.workbench.get(ADMISSION).list_limits(request.user_id)
    ]


async def _list_quotas(request: Request) -> list[QuotaView]:
    quotas = request.workbench.get(QUOTAS)
    found = await request.workbench.store.read(quotas.list_use, request.user_id)
    return [QuotaView(name=use.name, limit=use.limit, used=use.used) for use in found]


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
    """Change your time zone; existing schedules keep the old time zone.

    New schedules that name no time zone use your time zone.
    """
    users = request.workbench.users
    if "time_zone" not in body.model_fields_set:
        return _make_user_view(await users.get(request.user_id))
    return _make_user_view(await users.set_time_zone(request.user_id, body.time_zone))


def _make_user_view(user: User) -> UserView:
    return UserView(
        id=user.id,
        name=user.name,
        role=Role(user.role),
        time_zone=user.time_zone,
        created_at=user.created_at,
    )
