"""Routes of API keys: create, list, read and revoke."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import ConfigDict, Field

from biont.accounts.key_records import ApiKey
from biont.accounts.principal import Narrowing, Scope
from biont.event_patterns import PATTERN
from biont.exceptions import InputProblem, InvalidInput, NotFound
from biont.http.api import Api
from biont.http.paging import Cursor, Limit, Page, decode_cursor, make_page
from biont.http.request import Instant, Request, RowId
from biont.schema import Schema

api = Api("keys", description="Your API keys.")


EventPatterns = Annotated[
    list[Annotated[str, Field(pattern=PATTERN, max_length=100)]],
    Field(max_length=100),
]
ModelNames = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=200)]], Field(max_length=100)
]

_EVENTS = (
    "The event types that the key may emit, read and subscribe webhooks to: exact, or by prefix "
    "(`custom_*`); null for all."
)
_MODELS = (
    "The models that requests of the key may use: `backend/model`, or a backend with all its "
    "models; null for all."
)


class NewKey(Schema):
    """An API key to create."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=100)]
    scope: Scope = Scope.FULL
    expires_at: Instant | None = None
    events: EventPatterns | None = Field(None, description=_EVENTS)
    models: ModelNames | None = Field(None, description=_MODELS)


class KeyView(Schema):
    """An API key without its secret."""

    id: int
    name: str
    prefix: str = Field(description="The first characters of the key, to recognise the key by.")
    scope: Scope
    events: list[str] | None = Field(description=_EVENTS)
    models: list[str] | None = Field(description=_MODELS)
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


class CreatedKey(KeyView):
    """A new API key with its secret."""

    key: str = Field(description="The key in plain text, which no later response contains.")


@api.post(
    "/keys/create",
    location="/keys/{id}",
    example={"name": "My script", "scope": "webhook", "events": ["custom_*"]},
)
async def create_key(request: Request, body: NewKey) -> CreatedKey:
    """Create an API key; only this response contains the key.

    A key has one scope, and ends at `expires_at` if given. `events` and `models` narrow the key
    within its scope; a key that is narrowed makes keys within its own limits only. Only a hash is
    stored, so that a lost key cannot be shown again.
    """
    narrowing = request.narrowing.inherit(
        Narrowing(_to_tuple(body.events), _to_tuple(body.models))
    )
    excess = request.narrowing.find_excess(narrowing)
    if excess is not None:
        raise InvalidInput(
            InputProblem("must lie within the limits of the key that makes this key", excess)
        )
    plain, record = await request.workbench.keys.create(
        request.user_id, body.name, body.scope, body.expires_at, narrowing=narrowing
    )
    return CreatedKey(key=plain, **_make_key_view(record).model_dump())


@api.get("/keys")
async def list_keys(request: Request, limit: Limit = 100, cursor: Cursor = None) -> Page[KeyView]:
    """List your API keys, including revoked keys, newest first.

    The secrets are not stored; `prefix` tells the keys apart.
    """
    records = await request.workbench.keys.list_keys(
        request.user_id, limit + 1, decode_cursor(cursor)
    )
    return make_page(records, limit, lambda record: record.id, _make_key_view)


@api.get("/keys/{key_id}")
async def read_key(request: Request, key_id: RowId) -> KeyView:
    """Read one of your API keys, without its secret.

    `last_used_at` may lag behind by a minute.
    """
    # The list begins with the newest key before the given number.
    found = await request.workbench.keys.list_keys(request.user_id, 1, min(key_id + 1, 2**63 - 1))
    if not found or found[0].id != key_id:
        raise NotFound(f"there is no key {key_id}")
    return _make_key_view(found[0])


@api.delete("/keys/{key_id}")
async def revoke_key(request: Request, key_id: RowId) -> None:
    """Revoke an API key with immediate effect.

    The next request with the key gets 401. The key stays in the list, with `revoked_at`.
    """
    await request.workbench.keys.revoke(key_id, user_id=request.user_id)


def _make_key_view(record: ApiKey) -> KeyView:
    narrowing = record.narrowing
    return KeyView(
        id=record.id,
        name=record.name,
        prefix=record.prefix,
        scope=Scope(record.scope),
        events=None if narrowing.events is None else [*narrowing.events],
        models=None if narrowing.models is None else [*narrowing.models],
        created_at=record.created_at,
        expires_at=record.expires_at,
        revoked_at=record.revoked_at,
        last_used_at=record.last_used_at,
    )


def _to_tuple(texts: list[str] | None) -> tuple[str, ...] | None:
    return None if texts is None else tuple(texts)
