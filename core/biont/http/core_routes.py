"""The routes that the core itself has: health, documentation, keys, events."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from aiohttp import web
from pydantic import ConfigDict, Field, JsonValue, SkipValidation

from biont.accounts.api_keys import ApiKey, Scope
from biont.event_types import CUSTOM_PATTERN, KnownType
from biont.http.api import Api
from biont.http.paging import Cursor, Limit, Page, decode_cursor, make_page
from biont.http.request import Instant, Request, RowId
from biont.http.system import SYSTEM
from biont.schema import Schema

api = Api("core")


class StallView(Schema):
    """A time during which nothing but one piece of code ran."""

    at: datetime
    seconds: float
    culprit: str | None = Field(description="The handler or route, where it was one.")


class Health(Schema):
    """Whether the workbench serves, and what of it does not."""

    status: Literal["ok", "degraded"]
    version: str
    plugins: list[str] = Field(description="The plugins that run.")
    quarantined: list[str] = Field(description="The plugins that could not be started.")
    stalls: list[StallView] = Field(
        description="The last times that something kept the event loop to itself, and what."
    )


class NewKey(Schema):
    """What a key is to be."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=100)]
    scope: Scope = Scope.FULL
    expires_at: Instant | None = None


class KeyView(Schema):
    """A key as it may be shown: never the key itself."""

    id: int
    name: str
    prefix: str = Field(description="How the key begins, to tell it from others.")
    scope: Scope
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


class CreatedKey(KeyView):
    """A key that was just created."""

    key: str = Field(description="The key in plain text. It is shown only this once.")


class NewEvent(Schema):
    """An event of a client's own."""

    model_config = ConfigDict(extra="forbid")

    event_type: Annotated[str, Field(pattern=CUSTOM_PATTERN)]
    # What was read from JSON needs no second look.
    payload: dict[str, SkipValidation[JsonValue]] = Field(default_factory=dict)


class EventTypeView(Schema):
    """A type of event that may be emitted."""

    event_type: str
    description: str
    plugin: str = Field(description="Who declares it; `core` is none.")
    payload: dict[str, JsonValue] = Field(description="The JSON schema of its payload.")


class EmittedEvent(Schema):
    """An event that is durable by now."""

    id: str
    event_type: str
    created_at: datetime
    correlation_id: str


@api.get("/health", public=True)
async def read_health(request: Request) -> Health:
    """Say whether the workbench serves."""
    system = request.workbench.get(SYSTEM)
    return Health(
        status="degraded" if system.quarantined_plugins else "ok",
        version=system.version,
        plugins=list(system.running_plugins),
        quarantined=list(system.quarantined_plugins),
        stalls=[
            StallView(at=stall.at, seconds=stall.seconds, culprit=stall.culprit)
            for stall in system.stalls
        ],
    )


@api.get("/openapi.json", public=True)
async def read_openapi(request: Request) -> web.Response:
    """Return the description of this API as OpenAPI 3.1."""
    return web.Response(
        body=request.workbench.get(SYSTEM).openapi, content_type="application/json"
    )


@api.get("/asyncapi.json", public=True)
async def read_asyncapi(request: Request) -> web.Response:
    """Return the description of all outgoing events as AsyncAPI 3.0."""
    return web.Response(
        body=request.workbench.get(SYSTEM).asyncapi, content_type="application/json"
    )


@api.post("/keys/create")
async def create_key(request: Request, body: NewKey) -> CreatedKey:
    """Create an API key; the answer is the only place where it is ever shown."""
    plain, record = await request.workbench.keys.create(
        request.user_id, body.name, body.scope, body.expires_at
    )
    return CreatedKey(key=plain, **_show_key(record).model_dump())


@api.get("/keys")
async def list_keys(request: Request, limit: Limit = 100, cursor: Cursor = None) -> Page[KeyView]:
    """List your API keys, the newest first, revoked ones too."""
    records = await request.workbench.keys.list_keys(
        request.user_id, limit + 1, decode_cursor(cursor)
    )
    return make_page(records, limit, lambda record: record.id, _show_key)


@api.delete("/keys/{key_id}")
async def revoke_key(request: Request, key_id: RowId) -> None:
    """Revoke an API key; it stops working at once."""
    await request.workbench.keys.revoke(key_id, user_id=request.user_id)


@api.get("/event-types", scopes=frozenset(Scope))
async def list_event_types(
    request: Request, limit: Limit = 100, cursor: Cursor = None
) -> Page[EventTypeView]:
    """List the types of event that there are, by name."""
    after = decode_cursor(cursor) or 0
    known = list(enumerate(request.workbench.events.event_types, start=1))
    return make_page(known[after : after + limit + 1], limit, lambda row: row[0], _show_event_type)


@api.post("/events")
async def emit_event(request: Request, body: NewEvent) -> EmittedEvent:
    """Emit an event of your own; it is durable once this is answered."""
    event = await request.workbench.events.emit(body.event_type, request.user_id, body.payload)
    return EmittedEvent(
        id=event.id,
        event_type=event.event_type,
        created_at=event.created_at,
        correlation_id=event.correlation_id,
    )


def _show_event_type(row: tuple[int, KnownType]) -> EventTypeView:
    _, known = row
    return EventTypeView(
        event_type=known.name,
        description=known.description,
        plugin=known.plugin,
        payload=known.payload.json_schema(),
    )


def _show_key(record: ApiKey) -> KeyView:
    return KeyView(
        id=record.id,
        name=record.name,
        prefix=record.prefix,
        scope=Scope(record.scope),
        created_at=record.created_at,
        expires_at=record.expires_at,
        revoked_at=record.revoked_at,
        last_used_at=record.last_used_at,
    )
