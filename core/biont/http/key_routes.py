"""Routes of API keys: create, list, read, rename, rotate and revoke."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, ConfigDict, Field

from biont.accounts.key_records import ApiKey, get_key
from biont.accounts.key_rotation import LONGEST_OVERLAP, Rotation, parse_overlap
from biont.accounts.key_uses import KeyUse, UseKind
from biont.accounts.principal import Scope
from biont.http.api import Api
from biont.http.key_report import DryRun, KeyJudge, KeyReport, KeyRights, list_names
from biont.http.key_views import (
    EVENTS,
    MODELS,
    EventPatterns,
    KeyView,
    ModelNames,
    make_key_view,
    make_narrowing,
)
from biont.http.merge_patch import MergePatch
from biont.http.paging import Page, make_page
from biont.http.request import Instant, Request, RowId
from biont.http.spans import ListQuery
from biont.http.system import SYSTEM
from biont.schema import Schema

api = Api("keys", description="Your API keys.")


_DAY = 86_400


def _parse_overlap(value: object) -> object:
    """Return a duration like ``24h`` in seconds; return other values unchanged."""
    return int(parse_overlap(value).total_seconds()) if isinstance(value, str) else value


_OverlapSeconds = Annotated[int, Field(ge=0, le=int(LONGEST_OVERLAP.total_seconds()))]

Overlap = Annotated[
    _OverlapSeconds,
    BeforeValidator(
        _parse_overlap,
        json_schema_input_type=(
            _OverlapSeconds
            | Annotated[str, Field(pattern="^[0-9]{1,9}(s|m|h|d)$", examples=["24h"])]
        ),
    ),
]

KeyName = Annotated[str, Field(min_length=1, max_length=100)]


class NewKey(Schema):
    """An API key to create."""

    model_config = ConfigDict(extra="forbid")

    name: KeyName
    scope: Scope = Scope.FULL
    expires_at: Instant | None = None
    events: EventPatterns | None = Field(None, description=EVENTS)
    models: ModelNames | None = Field(None, description=MODELS)


class KeyChange(MergePatch):
    """Fields of an API key to change, as a JSON merge patch (RFC 7396)."""

    name: KeyName = ""


class KeyRotation(Schema):
    """Rotation of an API key."""

    model_config = ConfigDict(extra="forbid")

    overlap: Overlap = Field(
        _DAY, description="The seconds for which the old key remains valid, or `24h`."
    )
    expires_at: Instant | None = Field(
        None, description="The end of the new key; by default that of the old key."
    )


class CreatedKey(KeyView):
    """A new API key with the secret."""

    key: str = Field(description="The key in plain text, which no later response contains.")


def _find_key(request: Request, key_id: RowId) -> KeyView:
    return make_key_view(get_key(key_id, request.user_id))


@api.post(
    "/keys/create",
    quota="keys",
    location="/keys/{id}",
    example={"name": "My script", "scope": "webhook", "events": ["custom_*"]},
)
async def create_key(request: Request, body: NewKey) -> CreatedKey:
    """Create an API key; only this response contains the key.

    A key has a scope, and ends at `expires_at` if given. `events` and `models` narrow the key
    within its scope. The key of the request is the maker of the new key: the new key lies within
    its limits, ends no later, and is revoked with it. A session acts for the key that signed in,
    which is the maker then. Only a hash is stored, so that a lost key cannot be shown again.
    """
    plain, record = await request.workbench.keys.create(
        request.user_id,
        body.name,
        body.scope,
        body.expires_at,
        narrowing=make_narrowing(body.events, body.models),
        actor=request.actor,
    )
    return CreatedKey(key=plain, **make_key_view(record).model_dump())


@api.get("/keys")
async def list_keys(
    request: Request,
    query: ListQuery,
    is_session: Annotated[
        bool | None, Field(description="True for sessions only, false for all other keys.")
    ] = None,
) -> Page[KeyView]:
    """List your API keys, including revoked keys and sessions of browsers, newest first.

    The secrets are not stored; `prefix` tells the keys apart.
    """
    keys = request.workbench.keys
    records = await keys.list_keys(request.user_id, query.limit, query.span, is_session=is_session)
    return make_page(records, query.limit, lambda record: record.id, make_key_view)


@api.get("/keys/report")
async def report_keys(request: Request, query: ListQuery) -> Page[KeyReport]:
    """Report what each of your keys has used, and the smallest key that would do.

    `smaller` has the scope and the narrowing with which all recorded uses would have worked: make
    such a key, and revoke the old key. The newest keys come first. Sessions are left out.
    """
    keys = request.workbench.keys
    records = await keys.list_keys(request.user_id, query.limit, query.span, is_session=False)
    uses = await keys.uses.read([record.id for record in records])
    judge = KeyJudge(request.workbench.get(SYSTEM).routes)
    return make_page(
        records,
        query.limit,
        lambda record: record.id,
        lambda record: _make_report(record, uses[record.id], judge),
    )


@api.post(
    "/keys/{key_id}/dry-run",
    status=200,
    operation="test_key_rights",
    example={"scope": "read"},
)
async def dry_run(request: Request, key_id: RowId, body: KeyRights) -> DryRun:
    """Test other rights against the recorded uses of an API key; nothing is changed.

    `refused` lists the uses that a key with these rights would have refused.
    """
    keys = request.workbench.keys
    record = await keys.read(key_id, user_id=request.user_id)
    uses = (await keys.uses.read([record.id]))[record.id]
    refused = KeyJudge(request.workbench.get(SYSTEM).routes).find_refused(uses, body)
    count = sum(use.count for use in uses if use.kind == UseKind.ROUTE)
    return DryRun(suffices=not refused, uses=count, refused=refused)


def _make_report(record: ApiKey, uses: Sequence[KeyUse], judge: KeyJudge) -> KeyReport:
    view = make_key_view(record)
    smallest = judge.find_smallest(uses) if uses else None
    present = KeyRights(scope=view.scope, events=view.events, models=view.models)
    return KeyReport(
        **view.model_dump(),
        operations=judge.list_operations(uses),
        used_events=list_names(uses, UseKind.EVENT),
        used_models=list_names(uses, UseKind.MODEL),
        smaller=None if smallest == present else smallest,
    )


@api.get("/keys/{key_id}")
async def read_key(request: Request, key_id: RowId) -> KeyView:
    """Read an API key of yours, without the secret.

    `last_used_at` may be a minute late.
    """
    return await request.workbench.store.read(_find_key, request, key_id)


@api.patch("/keys/{key_id}", example={"name": "The till"}, present=_find_key)
async def change_key(request: Request, key_id: RowId, body: KeyChange) -> KeyView:
    """Rename an API key.

    What a key may do cannot be changed; create another key. The status is 409 for a session.
    """
    keys, user_id = request.workbench.keys, request.user_id
    if "name" not in body.model_fields_set:
        return make_key_view(await keys.read(key_id, user_id=user_id))
    return make_key_view(
        await keys.rename(key_id, body.name, user_id=user_id, actor=request.actor)
    )


@api.post(
    "/keys/{key_id}/rotate",
    quota="keys",
    location="/keys/{id}",
    example={"overlap": "24h"},
)
async def rotate_key(
    request: Request, key_id: RowId, body: KeyRotation | None = None
) -> CreatedKey:
    """Replace an API key by a new key; only this response contains the new key.

    The new key has the name, the scope, the narrowing and the maker of the old key, and its
    children. The old key is refused after the overlap. A key may rotate itself and the keys that
    it has made; a key without a maker may rotate all keys within its limits. The status is 409
    for a session.
    """
    chosen = body or KeyRotation()
    rotation = Rotation(
        key_id, request.user_id, timedelta(seconds=chosen.overlap), chosen.expires_at
    )
    plain, record = await request.workbench.keys.rotate(rotation, actor=request.actor)
    return CreatedKey(key=plain, **make_key_view(record).model_dump())


@api.delete("/keys/{key_id}", present=_find_key)
async def revoke_key(request: Request, key_id: RowId) -> None:
    """Revoke an API key and all keys made by it, or end a session, with immediate effect.

    The next request with such a key gets 401. The keys stay in the list, with `revoked_at`.
    """
    await request.workbench.keys.revoke(key_id, user_id=request.user_id, actor=request.actor)
