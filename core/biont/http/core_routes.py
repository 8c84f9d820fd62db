"""Routes of the core: health, API documents, API keys, event types and emitting events."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from aiohttp import web
from pydantic import ConfigDict, Field, JsonValue, SkipValidation

from biont.accounts.api_keys import ApiKey, Scope
from biont.event_types import CUSTOM_PATTERN, KnownType
from biont.exceptions import NotFound, StoreUnavailable, Unauthorized
from biont.http.api import Api
from biont.http.paging import Cursor, Limit, Page, decode_cursor, make_page
from biont.http.request import Instant, Request, RowId
from biont.http.system import SYSTEM
from biont.schema import Schema

api = Api("core", description="Health, documents, your API keys and your user.")


class StallView(Schema):
    """A time during which the event loop was blocked."""

    at: datetime
    seconds: float
    culprit: str | None = Field(
        description="The handler or route that blocked the event loop; null for other code."
    )


class HealthProblemView(Schema):
    """A reason why a part of the workbench does not work as it should."""

    part: str
    reason: str


class TaskProblemView(Schema):
    """A background task that has died, or whose latest run has failed."""

    plugin: str
    task: str
    error: str | None = Field(
        description="The last error; null without an API key of scope `full`."
    )
    since: datetime = Field(
        description="The instant at which the task died, or first failed since its last success."
    )


class HealthView(Schema):
    """Health of the workbench and of its plugins."""

    status: Literal["ok", "degraded"]
    version: str
    plugins: list[str] = Field(description="The running plugins.")
    quarantined: list[str] = Field(description="The plugins in quarantine, which are not used.")
    reasons: dict[str, str] = Field(
        description="The reason of each quarantine; empty without an API key of scope `full`."
    )
    failing_tasks: list[TaskProblemView] = Field(
        description="Background tasks that have died, or whose latest run has failed."
    )
    problems: list[HealthProblemView] = Field(description="The present problems of all parts.")
    stalls: list[StallView] = Field(
        description="The latest times at which the event loop was blocked, newest first."
    )


class NewKey(Schema):
    """An API key to create."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=100)]
    scope: Scope = Scope.FULL
    expires_at: Instant | None = None


class KeyView(Schema):
    """An API key without its secret."""

    id: int
    name: str
    prefix: str = Field(description="The first characters of the key, to recognise the key by.")
    scope: Scope
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


class CreatedKey(KeyView):
    """A new API key with its secret."""

    key: str = Field(description="The key in plain text, which no later response contains.")


class NewEvent(Schema):
    """A custom event to emit."""

    model_config = ConfigDict(extra="forbid")

    event_type: Annotated[str, Field(pattern=CUSTOM_PATTERN, examples=["custom_invoice_paid"])]
    # The payload comes from the JSON parser, so a second validation would only cost time.
    payload: dict[str, SkipValidation[JsonValue]] = Field(
        default_factory=dict, examples=[{"invoice": 17}]
    )


class EventTypeView(Schema):
    """An event type."""

    event_type: str
    description: str
    plugin: str = Field(description="The plugin that declares the event type, or `core`.")
    payload: dict[str, JsonValue] = Field(description="The JSON schema of the payload.")


class EmittedEvent(Schema):
    """An emitted event, which is durable."""

    id: str
    event_type: str
    created_at: datetime
    correlation_id: str


@api.get("/health", public=True)
async def read_health(request: Request) -> HealthView:
    """Report the health of the workbench and of its plugins.

    The status is 503 while a problem makes the whole workbench useless, for example a database
    file that was removed.
    """
    system = request.workbench.get(SYSTEM)
    problems = request.workbench.health.find_problems()
    for problem in problems:
        if problem.is_fatal:
            raise StoreUnavailable(f"{problem.part}: {problem.reason}")
    # Errors may quote settings or rows, so strangers learn only that something has failed.
    is_trusted = await _has_full_key(request)
    return HealthView(
        status="degraded" if system.quarantined_plugins or problems else "ok",
        version=system.version,
        plugins=list(system.running_plugins),
        quarantined=list(system.quarantined_plugins),
        reasons=dict(system.quarantine_reasons) if is_trusted else {},
        failing_tasks=[
            TaskProblemView(
                plugin=problem.plugin,
                task=problem.task,
                error=problem.error if is_trusted else None,
                since=problem.since,
            )
            for problem in system.task_problems
        ],
        problems=[
            HealthProblemView(part=problem.part, reason=problem.reason) for problem in problems
        ],
        stalls=[
            StallView(at=stall.at, seconds=stall.seconds, culprit=stall.culprit)
            for stall in system.stalls
        ],
    )


async def _has_full_key(request: Request) -> bool:
    plain = request.http.headers.get("X-API-Key")
    if plain is None:
        return False
    try:
        principal = await request.workbench.keys.authenticate(plain)
    except (Unauthorized, StoreUnavailable):
        # The health is public: a wrong key changes nothing.
        return False
    return principal.scope is Scope.FULL


async def _check_reader(request: Request) -> None:
    """Check that the caller may read the documents: anybody, or with any key.

    Raises:
        Unauthorized: the documents are not public, and the caller has no valid key.
    """
    if not request.workbench.settings.server.docs:
        await request.workbench.keys.authenticate(request.http.headers.get("X-API-Key"))


@api.get("/openapi.json", public=True, media_type="application/json", problems=(401,))
async def read_openapi(request: Request) -> web.Response:
    """Return the OpenAPI 3.1 document of this API."""
    await _check_reader(request)
    return web.Response(
        body=request.workbench.get(SYSTEM).openapi, content_type="application/json"
    )


@api.get("/asyncapi.json", public=True, media_type="application/json", problems=(401,))
async def read_asyncapi(request: Request) -> web.Response:
    """Return the AsyncAPI 3.0 document of all outgoing events."""
    await _check_reader(request)
    return web.Response(
        body=request.workbench.get(SYSTEM).asyncapi, content_type="application/json"
    )


@api.post(
    "/keys/create",
    location="/keys/{id}",
    example={"name": "My script", "scope": "chat", "expires_at": "2030-01-31T09:00:00Z"},
)
async def create_key(request: Request, body: NewKey) -> CreatedKey:
    """Create an API key; only this response contains the key."""
    plain, record = await request.workbench.keys.create(
        request.user_id, body.name, body.scope, body.expires_at
    )
    return CreatedKey(key=plain, **_make_key_view(record).model_dump())


@api.get("/keys")
async def list_keys(request: Request, limit: Limit = 100, cursor: Cursor = None) -> Page[KeyView]:
    """List your API keys, including revoked keys, newest first."""
    records = await request.workbench.keys.list_keys(
        request.user_id, limit + 1, decode_cursor(cursor)
    )
    return make_page(records, limit, lambda record: record.id, _make_key_view)


@api.get("/keys/{key_id}")
async def read_key(request: Request, key_id: RowId) -> KeyView:
    """Read one of your API keys, without its secret."""
    # The list begins with the newest key before the given number.
    found = await request.workbench.keys.list_keys(request.user_id, 1, min(key_id + 1, 2**63 - 1))
    if not found or found[0].id != key_id:
        raise NotFound(f"there is no key {key_id}")
    return _make_key_view(found[0])


@api.delete("/keys/{key_id}")
async def revoke_key(request: Request, key_id: RowId) -> None:
    """Revoke an API key with immediate effect."""
    await request.workbench.keys.revoke(key_id, user_id=request.user_id)


@api.get("/event-types", scopes=frozenset(Scope))
async def list_event_types(
    request: Request, limit: Limit = 100, cursor: Cursor = None
) -> Page[EventTypeView]:
    """List all event types by name."""
    after = decode_cursor(cursor) or 0
    known = list(enumerate(request.workbench.events.event_types, start=1))
    return make_page(
        known[after : after + limit + 1], limit, lambda row: row[0], _make_event_type_view
    )


@api.post("/events", location="/events/{id}")
async def emit_event(request: Request, body: NewEvent) -> EmittedEvent:
    """Emit a custom event; the event is durable when the response arrives."""
    events = request.workbench.events
    await events.intake.wait(request.user_id)
    event = await events.emit(body.event_type, request.user_id, body.payload)
    return EmittedEvent(
        id=event.id,
        event_type=event.event_type,
        created_at=event.created_at,
        correlation_id=event.correlation_id,
    )


def _make_event_type_view(row: tuple[int, KnownType]) -> EventTypeView:
    _, known = row
    return EventTypeView(
        event_type=known.name,
        description=known.description,
        plugin=known.plugin,
        payload=known.payload.json_schema(),
    )


def _make_key_view(record: ApiKey) -> KeyView:
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
