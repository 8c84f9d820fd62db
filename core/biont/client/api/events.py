# Written by tests/client/generate.py from the API document. Do not edit.
"""Operations of the group ``events``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import datetime
from typing import Literal, NotRequired, TypeAlias, TypedDict, Unpack, cast

from biont.client.api.shared_models import OperationView
from biont.client.async_pages import AsyncPages
from biont.client.call import make_call
from biont.client.groups import AsyncOperationGroup, OperationGroup
from biont.client.json_types import JsonValue
from biont.client.pages import Pages


class DeadLetterItem(TypedDict):
    """A dead letter: an event that a handler failed to handle after all attempts.

    Attributes:
        attempts: The number of times that the handler got the event.
        replaying: True if a replay to the handler is pending.
        summary: The last line of the error.
    """

    id: int
    handler: str
    event_id: str
    event_type: str
    attempts: int
    failed_at: str
    replaying: bool
    summary: str


class DeadLetterReplay(TypedDict):
    """Selection of dead letters to replay; a dead letter must match all given fields.

    Attributes:
        handler: The handler, as `plugin.function`.
        since: Failed at this instant or later.
        until: Failed before this instant.
        dry_run: Only count the dead letters. By default `false`.
    """

    handler: NotRequired[str | None]
    since: NotRequired[str | datetime | None]
    until: NotRequired[str | datetime | None]
    dry_run: NotRequired[bool]


class DeadLetterView(TypedDict):
    """A dead letter with the event's payload and the traceback.

    Attributes:
        attempts: The number of times that the handler got the event.
        replaying: True if a replay to the handler is pending.
        summary: The last line of the error.
        error: The traceback, with secrets redacted.
    """

    id: int
    handler: str
    event_id: str
    event_type: str
    attempts: int
    failed_at: str
    replaying: bool
    summary: str
    payload: dict[str, JsonValue]
    correlation_id: str
    error: str


class EmittedEvent(TypedDict):
    """An emitted event, which is durable."""

    id: str
    event_type: str
    created_at: str
    correlation_id: str


class EventOrigin(TypedDict):
    """Origin of an event.

    Attributes:
        outside: True if text of another system has led to the event.
        steps: The steps from the event back, up to the request of another system.
    """

    outside: bool
    steps: list[OriginStep]


class EventTypeView(TypedDict):
    """An event type.

    Attributes:
        plugin: The plugin that declares the event type, or `core`.
        payload: The JSON schema of the payload.
    """

    event_type: str
    description: str
    plugin: str
    payload: dict[str, JsonValue]


class EventView(TypedDict):
    """An event in the log.

    Attributes:
        number: Number in the log, from which a stream can continue.
        origin: Event by which text from outside came in that led to this event; null for none.
    """

    id: str
    number: int
    user_id: int
    event_type: str
    payload: dict[str, JsonValue]
    created_at: str
    correlation_id: str
    causation_id: str | None
    origin: str | None


class HandlerExplanationList(TypedDict):
    """Progress of all handlers with an event."""

    data: list[HandlerExplanationView]


class HandlerExplanationView(TypedDict):
    """Progress of a handler with an event.

    Attributes:
        progress: `not_matched`: the handler is for other event types. `waiting`: the handler
            has yet to handle the event, or tries again. `dead_letter`: the handler has failed
            the event for good. `past`: the position of the handler is past the event, also if
            the handler is newer than the event. `stopped`: the plugin does not run. `unknown`:
            the handler is too far behind to look for the event.
        letter_id: The dead letter of the event, if there is one.
    """

    plugin: str
    handler: str
    progress: HandlerProgress
    reason: str
    letter_id: int | None


HandlerProgress: TypeAlias = Literal[
    "not_matched",
    "waiting",
    "dead_letter",
    "past",
    "stopped",
    "unknown",
]
"""Progress of a handler with an event."""


class LetterCount(TypedDict):
    """Number of dead letters that a replay would replay."""

    count: int
    dry_run: Literal[True]


class NewEvent(TypedDict):
    """A custom event to emit.

    Attributes:
        id: An id of your choice, such as a UUID, by which a repeated request is recognised: the
            event is emitted once. The event has an id of its own.
    """

    event_type: str
    payload: NotRequired[Mapping[str, JsonValue]]
    id: NotRequired[str | None]


class OriginStep(TypedDict):
    """Step on the way back from an event to its origin.

    Attributes:
        link: `self`: the event itself; `cause`: its handler emitted the event before; `text`:
            the event before comes from work that read text which came in by this event.
    """

    link: StepLink
    event: EventView


StepLink: TypeAlias = Literal["self", "cause", "text"]
"""Link from a step to the step before it in the list."""


class Events(OperationGroup):
    """The event log: emit, list and follow events; event types and dead letters."""

    def list_types(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        fields: str | None = None,
    ) -> Pages[EventTypeView]:
        """List all event types by name.

        Webhooks and streams subscribe by these names or by patterns such as `task_*`.

        Needs an API key of any scope.

        Args:
            limit: The largest number of items in the page.
            cursor: The `next` of the previous page; absent for the first.
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            EventTypeView,
            make_call(
                "GET",
                "/api/v1/event-types",
                query={"limit": limit, "fields": fields},
            ),
            cursor,
        )

    def emit(
        self,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[NewEvent],
    ) -> EmittedEvent:
        """Emit a custom event; the event is durable when the response arrives.

        The event type begins with `custom_`. Handlers and webhooks get the event soon after, at
        least
        once each. A request with the `id` of an earlier request gets the same answer and emits
        nothing; with another type or payload the status is 409. A key that is narrowed to some
        `events` may emit these only.

        Needs an API key of scope `full`.
        """
        return self._read(
            EmittedEvent,
            make_call(
                "POST",
                "/api/v1/events",
                headers={"Idempotency-Key": idempotency_key},
                body=body,
            ),
        )

    def list(
        self,
        *,
        event_type: str | None = None,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        correlation_id: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        fields: str | None = None,
    ) -> Pages[EventView]:
        """List your events, the newest first.

        A page of a rare filter may have fewer events than `limit`, or none; follow `next` until
        null.
        A key that is narrowed to some `events` gets these only.

        Needs an API key of scope `full` or `read`.

        Args:
            event_type: An event type, a prefix (`task_*`), or `*` for all.
            limit: The largest number of items in the page.
            cursor: The `next` of the previous page; absent for the first.
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            EventView,
            make_call(
                "GET",
                "/api/v1/events",
                query={
                    "event_type": event_type,
                    "since": since,
                    "until": until,
                    "correlation_id": correlation_id,
                    "limit": limit,
                    "fields": fields,
                },
            ),
            cursor,
        )

    def list_dead_letters(
        self,
        *,
        handler: str | None = None,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        fields: str | None = None,
    ) -> Pages[DeadLetterItem]:
        """List your dead letters, newest first.

        A dead letter is an event that a handler failed to handle after all retries.

        Needs an API key of scope `full` or `read`. A key that is narrowed to some `events` or
        `models` may not do this.

        Args:
            handler: The handler, as `plugin.function`.
            limit: The largest number of items in the page.
            cursor: The `next` of the previous page; absent for the first.
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            DeadLetterItem,
            make_call(
                "GET",
                "/api/v1/dead-letters",
                query={
                    "handler": handler,
                    "since": since,
                    "until": until,
                    "limit": limit,
                    "fields": fields,
                },
            ),
            cursor,
        )

    def read_dead_letter(
        self,
        letter_id: int,
        /,
        *,
        fields: str | None = None,
    ) -> DeadLetterView:
        """Read a dead letter with its event and traceback.

        Secrets in the traceback are redacted.

        Needs an API key of scope `full` or `read`. A key that is narrowed to some `events` or
        `models` may not do this.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._read(
            DeadLetterView,
            make_call(
                "GET",
                "/api/v1/dead-letters/{}",
                (letter_id,),
                query={"fields": fields},
            ),
        )

    def drop_dead_letter(
        self,
        letter_id: int,
        /,
    ) -> None:
        """Drop a dead letter; the handler never gets the event again.

        The event itself stays in the event log.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        self._finish(
            make_call("DELETE", "/api/v1/dead-letters/{}", (letter_id,)),
        )

    def replay_dead_letter(
        self,
        letter_id: int,
        /,
        *,
        idempotency_key: str | None = None,
    ) -> DeadLetterItem:
        """Replay a dead letter to its handler; on success the dead letter is removed.

        The handler gets the event again in the background; `replaying` is true until then.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        return self._read(
            DeadLetterItem,
            make_call(
                "POST",
                "/api/v1/dead-letters/{}/replay",
                (letter_id,),
                headers={"Idempotency-Key": idempotency_key},
            ),
        )

    def replay_dead_letters(
        self,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[DeadLetterReplay],
    ) -> OperationView | LetterCount:
        """Replay the dead letters of a handler or a time, or count them in a dry run.

        The replay is an operation of the kind `dead_letter_replay`, which `Location` names. A
        dry run
        begins nothing: the answer is the number, without `Location`.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        return self._read(
            cast("type[OperationView | LetterCount]", object),
            make_call(
                "POST",
                "/api/v1/dead-letters/replay",
                headers={"Idempotency-Key": idempotency_key},
                body=body,
            ),
        )

    def explain_handlers(
        self,
        event_id: str,
        /,
        *,
        fields: str | None = None,
    ) -> HandlerExplanationList:
        """Explain for each event handler of the plugins how far the handler is with an event.

        A key that is narrowed to some `events` may ask for these only.

        Needs an API key of scope `full` or `read`.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._read(
            HandlerExplanationList,
            make_call(
                "GET",
                "/api/v1/events/{}/handlers",
                (event_id,),
                query={"fields": fields},
            ),
        )

    def read(
        self,
        event_id: str,
        /,
        *,
        fields: str | None = None,
    ) -> EventView:
        """Read an event.

        Events that one request or run led to have one `correlation_id`. A key that is narrowed
        to
        some `events` may read these only.

        Needs an API key of scope `full` or `read`.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._read(
            EventView,
            make_call("GET", "/api/v1/events/{}", (event_id,), query={"fields": fields}),
        )

    def read_origin(
        self,
        event_id: str,
        /,
        *,
        fields: str | None = None,
    ) -> EventOrigin:
        """Read where an event came from, step by step.

        The last step is the request of another system, if text of such a request has led to the
        event.
        A key that is narrowed to some `events` may not see the origin of other events.

        Needs an API key of scope `full` or `read`.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._read(
            EventOrigin,
            make_call(
                "GET",
                "/api/v1/events/{}/origin",
                (event_id,),
                query={"fields": fields},
            ),
        )

    def follow(
        self,
        *,
        after: str | int | None = None,
        event_type: str | None = None,
    ) -> Iterator[EventView]:
        """Stream your events as server-sent events, as soon as the log has each event.

        The stream never ends: after an error of the connection it goes on, without a gap and
        with nothing twice.

        Args:
            after: the `number` of the last event that you have; None to begin with events after
                this call.
            event_type: only events of this type, or a prefix: `task_*`.
        """
        return self._follow(
            EventView,
            make_call("GET", "/api/v1/events/stream", query={"event_type": event_type}),
            after,
            make_call("GET", "/api/v1/events", query={"limit": 1}),
        )


class AsyncEvents(AsyncOperationGroup):
    """The event log: emit, list and follow events; event types and dead letters."""

    def list_types(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        fields: str | None = None,
    ) -> AsyncPages[EventTypeView]:
        """List all event types by name.

        Webhooks and streams subscribe by these names or by patterns such as `task_*`.

        Needs an API key of any scope.

        Args:
            limit: The largest number of items in the page.
            cursor: The `next` of the previous page; absent for the first.
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            EventTypeView,
            make_call(
                "GET",
                "/api/v1/event-types",
                query={"limit": limit, "fields": fields},
            ),
            cursor,
        )

    async def emit(
        self,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[NewEvent],
    ) -> EmittedEvent:
        """Emit a custom event; the event is durable when the response arrives.

        The event type begins with `custom_`. Handlers and webhooks get the event soon after, at
        least
        once each. A request with the `id` of an earlier request gets the same answer and emits
        nothing; with another type or payload the status is 409. A key that is narrowed to some
        `events` may emit these only.

        Needs an API key of scope `full`.
        """
        return await self._read(
            EmittedEvent,
            make_call(
                "POST",
                "/api/v1/events",
                headers={"Idempotency-Key": idempotency_key},
                body=body,
            ),
        )

    def list(
        self,
        *,
        event_type: str | None = None,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        correlation_id: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        fields: str | None = None,
    ) -> AsyncPages[EventView]:
        """List your events, the newest first.

        A page of a rare filter may have fewer events than `limit`, or none; follow `next` until
        null.
        A key that is narrowed to some `events` gets these only.

        Needs an API key of scope `full` or `read`.

        Args:
            event_type: An event type, a prefix (`task_*`), or `*` for all.
            limit: The largest number of items in the page.
            cursor: The `next` of the previous page; absent for the first.
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            EventView,
            make_call(
                "GET",
                "/api/v1/events",
                query={
                    "event_type": event_type,
                    "since": since,
                    "until": until,
                    "correlation_id": correlation_id,
                    "limit": limit,
                    "fields": fields,
                },
            ),
            cursor,
        )

    def list_dead_letters(
        self,
        *,
        handler: str | None = None,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        fields: str | None = None,
    ) -> AsyncPages[DeadLetterItem]:
        """List your dead letters, newest first.

        A dead letter is an event that a handler failed to handle after all retries.

        Needs an API key of scope `full` or `read`. A key that is narrowed to some `events` or
        `models` may not do this.

        Args:
            handler: The handler, as `plugin.function`.
            limit: The largest number of items in the page.
            cursor: The `next` of the previous page; absent for the first.
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            DeadLetterItem,
            make_call(
                "GET",
                "/api/v1/dead-letters",
                query={
                    "handler": handler,
                    "since": since,
                    "until": until,
                    "limit": limit,
                    "fields": fields,
                },
            ),
            cursor,
        )

    async def read_dead_letter(
        self,
        letter_id: int,
        /,
        *,
        fields: str | None = None,
    ) -> DeadLetterView:
        """Read a dead letter with its event and traceback.

        Secrets in the traceback are redacted.

        Needs an API key of scope `full` or `read`. A key that is narrowed to some `events` or
        `models` may not do this.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return await self._read(
            DeadLetterView,
            make_call(
                "GET",
                "/api/v1/dead-letters/{}",
                (letter_id,),
                query={"fields": fields},
            ),
        )

    async def drop_dead_letter(
        self,
        letter_id: int,
        /,
    ) -> None:
        """Drop a dead letter; the handler never gets the event again.

        The event itself stays in the event log.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        await self._finish(
            make_call("DELETE", "/api/v1/dead-letters/{}", (letter_id,)),
        )

    async def replay_dead_letter(
        self,
        letter_id: int,
        /,
        *,
        idempotency_key: str | None = None,
    ) -> DeadLetterItem:
        """Replay a dead letter to its handler; on success the dead letter is removed.

        The handler gets the event again in the background; `replaying` is true until then.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        return await self._read(
            DeadLetterItem,
            make_call(
                "POST",
                "/api/v1/dead-letters/{}/replay",
                (letter_id,),
                headers={"Idempotency-Key": idempotency_key},
            ),
        )

    async def replay_dead_letters(
        self,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[DeadLetterReplay],
    ) -> OperationView | LetterCount:
        """Replay the dead letters of a handler or a time, or count them in a dry run.

        The replay is an operation of the kind `dead_letter_replay`, which `Location` names. A
        dry run
        begins nothing: the answer is the number, without `Location`.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        return await self._read(
            cast("type[OperationView | LetterCount]", object),
            make_call(
                "POST",
                "/api/v1/dead-letters/replay",
                headers={"Idempotency-Key": idempotency_key},
                body=body,
            ),
        )

    async def explain_handlers(
        self,
        event_id: str,
        /,
        *,
        fields: str | None = None,
    ) -> HandlerExplanationList:
        """Explain for each event handler of the plugins how far the handler is with an event.

        A key that is narrowed to some `events` may ask for these only.

        Needs an API key of scope `full` or `read`.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return await self._read(
            HandlerExplanationList,
            make_call(
                "GET",
                "/api/v1/events/{}/handlers",
                (event_id,),
                query={"fields": fields},
            ),
        )

    async def read(
        self,
        event_id: str,
        /,
        *,
        fields: str | None = None,
    ) -> EventView:
        """Read an event.

        Events that one request or run led to have one `correlation_id`. A key that is narrowed
        to
        some `events` may read these only.

        Needs an API key of scope `full` or `read`.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return await self._read(
            EventView,
            make_call("GET", "/api/v1/events/{}", (event_id,), query={"fields": fields}),
        )

    async def read_origin(
        self,
        event_id: str,
        /,
        *,
        fields: str | None = None,
    ) -> EventOrigin:
        """Read where an event came from, step by step.

        The last step is the request of another system, if text of such a request has led to the
        event.
        A key that is narrowed to some `events` may not see the origin of other events.

        Needs an API key of scope `full` or `read`.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return await self._read(
            EventOrigin,
            make_call(
                "GET",
                "/api/v1/events/{}/origin",
                (event_id,),
                query={"fields": fields},
            ),
        )

    def follow(
        self,
        *,
        after: str | int | None = None,
        event_type: str | None = None,
    ) -> AsyncIterator[EventView]:
        """Stream your events as server-sent events, as soon as the log has each event.

        The stream never ends: after an error of the connection it goes on, without a gap and
        with nothing twice.

        Args:
            after: the `number` of the last event that you have; None to begin with events after
                this call.
            event_type: only events of this type, or a prefix: `task_*`.
        """
        return self._follow(
            EventView,
            make_call("GET", "/api/v1/events/stream", query={"event_type": event_type}),
            after,
            make_call("GET", "/api/v1/events", query={"limit": 1}),
        )
