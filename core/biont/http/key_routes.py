"""Routes of API keys: create, list, read and revoke."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from biont.accounts.key_records import get_key
from biont.accounts.principal import Scope
from biont.exceptions import InputProblem, InvalidInput
from biont.http.api import Api
from biont.http.key_views import (
    EVENTS,
    MODELS,
    EventPatterns,
    KeyView,
    ModelNames,
    make_key_view,
    make_narrowing,
)
from biont.http.paging import Cursor, Limit, Page, decode_cursor, make_page
from biont.http.request import Instant, Request, RowId
from biont.schema import Schema

api = Api("keys", description="Your API keys.")


class NewKey(Schema):
    """An API key to create."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=100)]
    scope: Scope = Scope.FULL
    expires_at: Instant | None = None
    events: EventPatterns | None = Field(None, description=EVENTS)
    models: ModelNames | None = Field(None, description=MODELS)


class CreatedKey(KeyView):
    """A new API key with its secret."""

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

    A key has one scope, and ends at `expires_at` if given. `events` and `models` narrow the key
    within its scope; a key that is narrowed makes keys within its own limits only. Only a hash is
    stored, so that a lost key cannot be shown again.
    """
    narrowing = request.narrowing.inherit(make_narrowing(body.events, body.models))
    excess = request.narrowing.find_excess(narrowing)
    if excess is not None:
        raise InvalidInput(
            InputProblem("must lie within the limits of the key that makes this key", excess)
        )
    plain, record = await request.workbench.keys.create(
        request.user_id, body.name, body.scope, body.expires_at, narrowing=narrowing
    )
    return CreatedKey(key=plain, **make_key_view(record).model_dump())


@api.get("/keys")
async def list_keys(request: Request, limit: Limit = 100, cursor: Cursor = None) -> Page[KeyView]:
    """List your API keys, including revoked keys, newest first.

    The secrets are not stored; `prefix` tells the keys apart.
    """
    records = await request.workbench.keys.list_keys(
        request.user_id, limit + 1, decode_cursor(cursor)
    )
    return make_page(records, limit, lambda record: record.id, make_key_view)


@api.get("/keys/{key_id}")
async def read_key(request: Request, key_id: RowId) -> KeyView:
    """Read one of your API keys, without its secret.

    `last_used_at` may lag behind by a minute.
    """
    return await request.workbench.store.read(_find_key, request, key_id)


@api.delete("/keys/{key_id}", present=_find_key)
async def revoke_key(request: Request, key_id: RowId) -> None:
    """Revoke an API key with immediate effect.

    The next request with the key gets 401. The key stays in the list, with `revoked_at`.
    """
    await request.workbench.keys.revoke(key_id, user_id=request.user_id)
