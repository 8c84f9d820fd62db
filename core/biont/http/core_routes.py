"""Routes of the core: health, API documents, event types and emitting events."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from aiohttp import web
from pydantic import ConfigDict, Field, JsonValue, SkipValidation

from biont.accounts.principal import Scope
from biont.event import Event
from biont.event_types import CUSTOM_PATTERN, KnownType
from biont.events.client_ids import CLIENT_ID_PATTERN, EmittedOnce, emit_once
from biont.exceptions import StoreUnavailable, Unauthorized
from biont.http.api import Api
from biont.http.paging import Cursor, Limit, Page, decode_cursor, make_page
from biont.http.request import Request
from biont.http.system import SYSTEM
from biont.schema import Schema

api = Api("core", description="Health, documents and your user.")
event_api = Api("events")


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


class NewEvent(Schema):
    """A custom event to emit."""

    model_config = ConfigDict(extra="forbid")

    event_type: Annotated[str, Field(pattern=CUSTOM_PATTERN, examples=["custom_invoice_paid"])]
    # The payload comes from the JSON parser, so a second validation would only cost time.
    payload: dict[str, SkipValidation[JsonValue]] = Field(
        default_factory=dict, examples=[{"invoice": 17}]
    )
    id: Annotated[str, Field(pattern=CLIENT_ID_PATTERN)] | None = Field(
        None,
        description="An id of your choice, such as a UUID, by which a repeated request is "
        "recognised: the event is emitted once. The event has an id of its own.",
        examples=["invoice-17-paid"],
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
    is_trusted = await _may_see_reasons(request)
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


async def _may_see_reasons(request: Request) -> bool:
    plain = request.http.headers.get("X-API-Key")
    if plain is None:
        return False
    try:
        principal = await request.workbench.keys.authenticate(plain)
    except (Unauthorized, StoreUnavailable):
        # The health is public: a wrong key changes nothing.
        return False
    return principal.scope in (Scope.FULL, Scope.READ)


async def _check_reader(request: Request) -> None:
    """Check that the caller may read the documents: anybody, or with any key.

    Raises:
        Unauthorized: the documents are not public, and the caller has no valid key.
    """
    if not request.workbench.settings.server.docs:
        await request.workbench.keys.authenticate(request.http.headers.get("X-API-Key"))


@api.get("/openapi.json", public=True, media_type="application/json", problems=(401,))
async def read_openapi(request: Request) -> web.Response:
    """Return the OpenAPI 3.1 document of this API.

    Generators of clients and testing tools read this document. `/docs` shows it in a browser.
    """
    await _check_reader(request)
    return web.Response(
        body=request.workbench.get(SYSTEM).openapi, content_type="application/json"
    )


@api.get("/asyncapi.json", public=True, media_type="application/json", problems=(401,))
async def read_asyncapi(request: Request) -> web.Response:
    """Return the AsyncAPI 3.0 document of all outgoing events.

    Each event type is a channel, with the schema of its payload and the headers of a delivery.
    """
    await _check_reader(request)
    return web.Response(
        body=request.workbench.get(SYSTEM).asyncapi, content_type="application/json"
    )


@event_api.get("/event-types", scopes=frozenset(Scope))
async def list_event_types(
    request: Request, limit: Limit = 100, cursor: Cursor = None
) -> Page[EventTypeView]:
    """List all event types by name.

    Webhooks and streams subscribe by these names or by patterns such as `task_*`.
    """
    after = decode_cursor(cursor) or 0
    known = list(enumerate(request.workbench.events.event_types, start=1))
    return make_page(
        known[after : after + limit + 1], limit, lambda row: row[0], _make_event_type_view
    )


@event_api.post("/events", location="/events/{id}")
async def emit_event(request: Request, body: NewEvent) -> EmittedEvent:
    """Emit a custom event; the event is durable when the response arrives.

    The event type begins with `custom_`. Handlers and webhooks get the event soon after, at least
    once each. A request with the `id` of an earlier request gets the same answer and emits
    nothing; with another type or payload the status is 409. A key that is narrowed to some
    `events` may emit these only.
    """
    events = request.workbench.events
    request.use_events([body.event_type])
    await events.intake.wait(request.user_id)
    event: Event | EmittedOnce
    if body.id is None:
        event = await events.emit(body.event_type, request.user_id, body.payload)
    else:
        event = await request.workbench.store.transact(
            emit_once, body.id, body.event_type, request.user_id, body.payload
        )
    return EmittedEvent(
        id=event.id,
        event_type=body.event_type,
        created_at=event.created_at,
        correlation_id=event.correlation_id,
    )


def _make_event_type_view(row: tuple[int, KnownType]) -> EventTypeView:
    _, known = row
    return EventTypeView(
        event_type=known.name,
        description=known.description,
        plugin=known.plugin,
        payload=known.schema,
    )
