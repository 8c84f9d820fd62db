"""REST routes of listeners."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import orjson
from pydantic import Field

from biont import Api, Page, Request, RowId, Scope, Workbench
from biont.exceptions import Conflict, PluginError
from biont.http import ListQuery, make_page
from biont_audit import EVENT_LOG, EventLog
from biont_webhooks.listeners.schemas import (
    CreatedListener,
    ListenerChange,
    ListenerMessages,
    ListenerView,
    NewListener,
    Position,
)
from biont_webhooks.listeners.service import (
    LISTENER_WAITS,
    change_listener,
    create_listener,
    list_patterns,
    make_message,
)
from biont_webhooks.listeners.tables import Listener
from biont_webhooks.subscription.signing import generate_secret

SCOPES = frozenset({Scope.WEBHOOK})
LISTENER = "/webhooks/listeners/{listener_id}"

MessageLimit = Annotated[int, Field(ge=1, le=100)]
Wait = Annotated[
    float, Field(ge=0, le=25, description="Seconds to wait if there is no message yet.")
]

api = Api("webhooks")


def _find_view(request: Request, listener_id: RowId) -> ListenerView:
    return _make_view(Listener.get_owned(request.user_id, listener_id))


@api.post(
    "/webhooks/listeners",
    scopes=SCOPES,
    location="/webhooks/listeners/{id}",
    example={"name": "laptop", "event_types": ["note_*"]},
)
async def register_listener(request: Request, body: NewListener) -> CreatedListener:
    """Register a named consumer, which fetches signed messages instead of getting requests.

    A listener is for a receiver without a public address, such as a program on your laptop. It
    begins with the next event, and keeps its position while the consumer is away.
    """
    request.use_events(body.event_types)
    workbench = request.workbench
    secret = body.secret or generate_secret()
    listener = await workbench.store.write(
        create_listener,
        request.user_id,
        body.name,
        body.event_types,
        workbench.vault.encrypt(secret),
        await _get_log(workbench).find_end(),
        workbench.clock.now(),
    )
    return CreatedListener(secret=secret, **_make_view(listener).model_dump())


@api.get("/webhooks/listeners", scopes=SCOPES)
async def list_listeners(
    request: Request,
    query: ListQuery,
) -> Page[ListenerView]:
    """List your listeners, the newest first."""
    rows = await request.workbench.store.read(
        Listener.read_page, request.user_id, query.limit, query.span
    )
    return make_page(rows, query.limit, lambda listener: listener.id, _make_view)


@api.get(LISTENER, scopes=SCOPES)
async def read_listener(request: Request, listener_id: RowId) -> ListenerView:
    """Read a listener."""
    return _make_view(await _find_listener(request, listener_id))


@api.patch(
    LISTENER,
    scopes=SCOPES,
    operation="change_listener",
    example={"position": 1},
    present=_find_view,
)
async def update_listener(
    request: Request, listener_id: RowId, body: ListenerChange
) -> ListenerView:
    """Acknowledge messages by a new `position`, or change the event types."""
    await _find_listener(request, listener_id)
    if "event_types" in body.model_fields_set:
        request.use_events(body.event_types)
    listener = await request.workbench.store.write(
        change_listener, request.user_id, listener_id, body
    )
    return _make_view(listener)


@api.delete(LISTENER, scopes=SCOPES, present=_find_view)
async def delete_listener(request: Request, listener_id: RowId) -> None:
    """Delete a listener and its position."""
    await _find_listener(request, listener_id)
    await request.workbench.store.write(_delete, request.user_id, listener_id)


@api.get(
    f"{LISTENER}/messages",
    scopes=SCOPES,
    # The signed requests would let a reader post as the workbench.
    readable=False,
)
async def fetch_messages(
    request: Request,
    listener_id: RowId,
    after: Position | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: MessageLimit = 20,
    wait: Wait = 0,
) -> ListenerMessages:
    """Fetch the signed messages after the position of a listener, the oldest first.

    Fetching changes nothing: acknowledge by `PATCH` with the `number` of the last message that
    was worked on. Each event comes at least once, always with the same `webhook-id`. With
    `after`, the messages begin after that number instead of the position; `since` and `until`
    choose a window of time to replay. With `wait`, the answer comes as soon as there is a message.
    """
    listener = await _find_listener(request, listener_id)
    start = listener.position if after is None else after
    workbench = request.workbench
    waits = workbench.get(LISTENER_WAITS)
    # Before the read: an event between the read and the wait has to wake the request.
    news = waits.announce(request.user_id)
    try:
        found = await _read(request, listener, start, since, until, limit)
        if not found.data and not found.has_more and wait:
            await waits.wait(request.user_id, news, wait)
            # The key may have been revoked, or the user disabled, during the wait.
            await request.check_key()
            found = await _read(request, listener, found.position, since, until, limit)
    finally:
        waits.forget(request.user_id, news)
    return found


async def _read(
    request: Request,
    listener: Listener,
    after: int,
    since: datetime | None,
    until: datetime | None,
    limit: int,
) -> ListenerMessages:
    workbench = request.workbench
    found = await _get_log(workbench).read_following(
        request.user_id,
        after,
        list_patterns(listener),
        since=since,
        until=until,
        limit=limit,
    )
    return ListenerMessages(
        data=[
            make_message(listener, number, event, workbench.vault, workbench.clock)
            for number, event in found.events
        ],
        position=found.last,
        has_more=found.has_more,
        lost_until=found.lost_until,
    )


async def _find_listener(request: Request, listener_id: int) -> Listener:
    listener = await request.workbench.store.read(Listener.get_owned, request.user_id, listener_id)
    # A narrowed key could read other events by a listener for these.
    request.use_events(list_patterns(listener))
    return listener


def _delete(user_id: int, listener_id: int) -> None:
    Listener.get_owned(user_id, listener_id).delete_instance()


def _make_view(listener: Listener) -> ListenerView:
    return ListenerView(
        id=listener.id,
        name=listener.name,
        event_types=orjson.loads(listener.event_types),
        position=listener.position,
        created_at=listener.created_at,
    )


def _get_log(workbench: Workbench) -> EventLog:
    try:
        return workbench.get(EVENT_LOG)
    except PluginError as error:
        raise Conflict(f"this request needs the event log: {error}") from error
