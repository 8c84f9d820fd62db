"""Routes of users, for administrators: create, list, change, disable, export and delete."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from biont.accounts.api_keys import make_secret
from biont.accounts.key_acts import KeyDraft, create_key
from biont.accounts.key_records import ApiKey
from biont.accounts.user_acts import create_user, get_user
from biont.accounts.user_records import Role, User
from biont.accounts.user_rows import list_sources, read_rows, read_user
from biont.exceptions import Conflict, InputProblem, InvalidInput
from biont.http.api import ROOT, Api, Header
from biont.http.key_routes import NewKey
from biont.http.key_views import make_narrowing
from biont.http.merge_patch import MergePatch
from biont.http.paging import Page, make_page
from biont.http.request import Request, RowId
from biont.http.spans import ListQuery
from biont.schema import Schema
from biont.store.transaction import Transaction
from biont.time_zones import TimeZone

USER_DELETE = "user_delete"
"""The operation kind that deletes a user with all rows."""

_PAGE = 500

_JSON_LINES = "application/x-ndjson"
_BYTES = "application/octet-stream"

api = Api("users", description="The users of the workbench, for administrators.")

UserName = Annotated[str, Field(min_length=1, max_length=100)]


class UserDeletion(BaseModel):
    """Parameters of a deletion.

    Attributes:
        user_id: the user.
        key_id: the API key of the request.
        address: the address of the client.
    """

    user_id: int
    key_id: int | None
    address: str | None


class NewUser(Schema):
    """A user to create."""

    model_config = ConfigDict(extra="forbid")

    name: UserName
    role: Role = Role.MEMBER
    time_zone: TimeZone | None = Field(
        None, description="The time zone of schedules that name none; null for the setting."
    )
    key: NewKey | None = Field(
        None,
        description="The first API key of the user, which ends no later than the key of the "
        "request; null for a user without a key.",
    )


class UserChangeByAdmin(MergePatch):
    """Fields of a user to change, as a JSON merge patch (RFC 7396)."""

    name: UserName = ""
    role: Role = Role.MEMBER


class UserAccount(Schema):
    """A user, as administrators see the account."""

    id: int
    name: str
    role: Role
    time_zone: str | None
    created_at: datetime
    disabled_at: datetime | None = Field(
        description="The instant since which the user is disabled; null for an enabled user."
    )


class CreatedUser(UserAccount):
    """A new user."""

    key: str | None = Field(
        description="The first API key in plain text, which no later response contains."
    )


def _find_user(_: Request, user_id: RowId) -> UserAccount:
    return _make_view(get_user(user_id))


@api.post(
    "/users",
    operation="create_user",
    admin=True,
    narrowable=False,
    location="/users/{id}",
    example={"name": "grace", "key": {"name": "First key"}},
)
async def create_user_account(request: Request, body: NewUser) -> CreatedUser:
    """Create a user, optionally with a first API key; only this response contains the key.

    The key is made in the same transaction. Further keys are made by the user, or by the command
    line.
    """
    plain, secret = make_secret()
    now, actor = request.workbench.clock.now(), request.actor

    def write(tx: Transaction) -> tuple[User, ApiKey | None]:
        user = create_user(tx, body.name, body.time_zone, now, body.role, actor)
        if body.key is None:
            return user, None
        draft = KeyDraft(
            user_id=user.id,
            name=body.key.name,
            scope=body.key.scope,
            narrowing=make_narrowing(body.key.events, body.key.models),
            expires_at=body.key.expires_at,
        )
        return user, create_key(tx, draft, secret, now, actor)

    user, key = await request.workbench.store.transact(write)
    return CreatedUser(key=None if key is None else plain, **_make_view(user).model_dump())


@api.get("/users", admin=True, narrowable=False)
async def list_users(request: Request, query: ListQuery) -> Page[UserAccount]:
    """List all users, the newest first.

    What a user has is not shown.
    """
    users = await request.workbench.users.list_page(query.limit, query.span)
    return make_page(users, query.limit, lambda user: user.id, _make_view)


@api.get("/users/{user_id}", operation="read_user", admin=True, narrowable=False)
async def read_user_account(request: Request, user_id: RowId) -> UserAccount:
    """Read a user.

    What the user has is not shown; see the export.
    """
    return await request.workbench.store.read(_find_user, request, user_id)


@api.patch(
    "/users/{user_id}",
    operation="change_user",
    admin=True,
    narrowable=False,
    example={"role": "admin"},
    present=_find_user,
)
async def change_user_account(
    request: Request, user_id: RowId, body: UserChangeByAdmin
) -> UserAccount:
    """Change the name or the role of a user.

    The status is 409 for the last administrator, and for a name that another user has.
    """
    given = body.model_fields_set
    return _make_view(
        await request.workbench.users.change(
            user_id,
            name=body.name if "name" in given else None,
            role=body.role if "role" in given else None,
            actor=request.actor,
        )
    )


@api.post("/users/{user_id}/disable", admin=True, narrowable=False, status=200)
async def disable_user(request: Request, user_id: RowId) -> UserAccount:
    """Disable a user: all that acts for the user stops, and everything is kept.

    Keys are refused with 403, streams end, schedules are not due, runs, missions and operations
    are interrupted, and deliveries wait. The status is 409 for the last administrator.
    """
    return _make_view(await request.workbench.users.disable(user_id, actor=request.actor))


@api.post("/users/{user_id}/enable", admin=True, narrowable=False, status=200)
async def enable_user(request: Request, user_id: RowId) -> UserAccount:
    """Enable a user again; the work of the user continues.

    For each schedule, its catch-up policy decides about the occurrences in between. Deliveries
    that waited are attempted.
    """
    return _make_view(await request.workbench.users.enable(user_id, actor=request.actor))


@api.get(
    "/users/{user_id}/export",
    admin=True,
    readable=False,
    narrowable=False,
    media_type=(_JSON_LINES, _BYTES),
    sends=(Header("Content-Disposition", "The name of the file."),),
)
async def export_user(request: Request, user_id: RowId) -> web.Response:
    """Export all rows of a user, as JSON lines with the table and the row.

    Secrets and digests are left out: `[redacted]`. The events in the log are part of the export. A
    request with `Accept: application/octet-stream` gets the same bytes with this media type.
    """
    first = await request.workbench.store.read(_read_first, user_id)
    return web.Response(
        body=_export_rows(request, user_id, first),
        content_type=_BYTES if _BYTES in request.http.headers.get("Accept", "") else _JSON_LINES,
        headers={"Content-Disposition": f'attachment; filename="user-{user_id}.jsonl"'},
    )


@api.delete(
    "/users/{user_id}",
    operation="delete_user",
    admin=True,
    narrowable=False,
    present=_find_user,
)
async def delete_user_account(
    request: Request,
    user_id: RowId,
    confirm: Annotated[str, Field(description="The name of the user.")],
) -> None:
    """Delete a user with all rows, except for the events in the log; export the rows before.

    The user is disabled at once. The rows are deleted in the background, by an operation of the
    kind `user_delete`, which ends with the event `user_deleted`.
    """
    workbench = request.workbench
    user = await workbench.users.get(user_id)
    if confirm != user.name:
        raise InvalidInput(InputProblem(f"must be the name of the user {user_id}", "confirm"))
    if user_id == request.user_id:
        raise Conflict("you cannot delete yourself; let another administrator do this")
    await workbench.users.disable(user_id, actor=request.actor)
    parameters = UserDeletion(
        user_id=user_id, key_id=request.actor.key_id, address=request.actor.address
    )
    await workbench.store.transact(
        workbench.operations.begin,
        request.user_id,
        USER_DELETE,
        f"{ROOT}/users/{user_id}",
        parameters,
    )


def _read_first(user_id: int) -> bytes:
    get_user(user_id)
    return read_user(user_id)


async def _export_rows(request: Request, user_id: int, first: bytes) -> AsyncIterator[bytes]:
    store = request.workbench.store
    yield first + b"\n"
    for source in await store.read(list_sources):
        after: int | None = 0
        while after is not None:
            rows = await store.read(read_rows, user_id, source, after, _PAGE)
            if rows:
                yield b"".join(line + b"\n" for _, line in rows)
            after = rows[-1][0] if len(rows) == _PAGE else None


def _make_view(user: User) -> UserAccount:
    return UserAccount(
        id=user.id,
        name=user.name,
        role=Role(user.role),
        time_zone=user.time_zone,
        created_at=user.created_at,
        disabled_at=user.disabled_at,
    )
