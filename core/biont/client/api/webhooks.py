# Written by tests/client/generate.py from the API document. Do not edit.
"""Operations of the group ``webhooks``: webhooks, their deliveries and their explanation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, NotRequired, TypeAlias, TypedDict, Unpack, cast

from biont.client.api.shared_models import (
    Contains,
    ContainsSome,
    Equality,
    Every,
    Exists,
    Members,
    Membership,
    Not,
    OperationView,
    Order,
    Prefix,
    Some,
    Sort,
)
from biont.client.async_pages import AsyncPages
from biont.client.call import make_call
from biont.client.groups import AsyncOperationGroup, OperationGroup
from biont.client.json_types import JsonValue
from biont.client.pages import Pages

AttemptTrigger: TypeAlias = Literal["event", "retry", "resend", "recover", "replay", "test"]
"""Reason for an attempt."""


class AttemptView(TypedDict):
    """POST request made for a delivery.

    Attributes:
        trigger: The reason for the attempt.
        redelivered: True if an earlier attempt, whose record a crash has lost, may have
            arrived.
        error_class: The kind of the failure: an unexpected `status`, a `timeout`, a `forbidden`
            address, a failure to `resolve` the name or to `connect`, `tls`, an `answer` that is
            not HTTP, or something `unexpected`.
        answer: The first bytes of the receiver's answer.
        answer_problem: The error after the headers of the answer; the status decides
            nevertheless.
    """

    attempted_at: str
    trigger: AttemptTrigger
    redelivered: bool
    duration_ms: int
    status_code: int | None
    error: str | None
    error_class: ErrorClass | None
    answer: str
    answer_problem: str | None


class ChangedWebhook(TypedDict):
    """Webhook after a change, and warnings.

    Attributes:
        headers: The custom headers, with redacted values.
        status: While a webhook is `paused` or `disabled`, no deliveries are created, and
            pending deliveries wait. A webhook is disabled when its receiver keeps failing: ten
            attempts or more in at least five days, and none succeeded.
        failing_since: The first failed attempt after the last successful one, or after five
            days without an attempt; null while attempts succeed. Tests do not count.
        waits_until: The instant before which no attempt begins, because the receiver has
            answered 429 or 503 with `Retry-After`; an hour later at most. A resume, or another
            URL, ends the wait. Null when the endpoint does not wait.
        previous_secret_until: The instant until which replaced secrets still sign, after
            several rotations the last one; null when none signs any more.
        warnings: The event types that no plugin declares, each with the nearest declared name:
            the webhook receives no such event.
    """

    id: int
    name: str | None
    url: str
    event_types: list[str]
    filter: dict[str, JsonValue] | None
    success: Success
    retry: str | list[float]
    headers: dict[str, str]
    rate: float | None
    concurrency: int | None
    status: WebhookStatus
    disabled_reason: str | None
    failing_since: str | None
    waits_until: str | None
    previous_secret_until: str | None
    created_at: str
    updated_at: str
    warnings: list[str]


class CheckedCase(TypedDict):
    """Request of a check, with the answer of the receiver.

    Attributes:
        sent: Description of the request.
        answered: HTTP status; null for no answer.
        summary: The answer in words.
        advice: Remedy; null for the grade `ok`.
    """

    name: str
    sent: str
    expected: Expected
    answered: int | None
    summary: str
    grade: Grade
    advice: str | None


class CreatedListener(TypedDict):
    """Listener with the secret.

    Attributes:
        position: Number of the last acknowledged event in the event log.
        secret: The secret that signs messages. Shown only this once.
    """

    id: int
    name: str
    event_types: list[str]
    position: int
    created_at: str
    secret: str


class CreatedWebhook(TypedDict):
    """Webhook with its new secret.

    Attributes:
        headers: The custom headers, with redacted values.
        status: While a webhook is `paused` or `disabled`, no deliveries are created, and
            pending deliveries wait. A webhook is disabled when its receiver keeps failing: ten
            attempts or more in at least five days, and none succeeded.
        failing_since: The first failed attempt after the last successful one, or after five
            days without an attempt; null while attempts succeed. Tests do not count.
        waits_until: The instant before which no attempt begins, because the receiver has
            answered 429 or 503 with `Retry-After`; an hour later at most. A resume, or another
            URL, ends the wait. Null when the endpoint does not wait.
        previous_secret_until: The instant until which replaced secrets still sign, after
            several rotations the last one; null when none signs any more.
        secret: The secret that signs requests. Shown only this once.
    """

    id: int
    name: str | None
    url: str
    event_types: list[str]
    filter: dict[str, JsonValue] | None
    success: Success
    retry: str | list[float]
    headers: dict[str, str]
    rate: float | None
    concurrency: int | None
    status: WebhookStatus
    disabled_reason: str | None
    failing_since: str | None
    waits_until: str | None
    previous_secret_until: str | None
    created_at: str
    updated_at: str
    secret: str


class DeliveryCount(TypedDict):
    """Number of deliveries that an act would make pending."""

    count: int
    dry_run: Literal[True]


DeliveryStatus: TypeAlias = Literal["pending", "succeeded", "failed"]
"""Status of a delivery."""


class DeliveryView(TypedDict):
    """Delivery of an event to a webhook.

    Attributes:
        created_at: The creation time of the delivery.
        due_at: The earliest instant of the next attempt; null if the attempt is due now, or if
            none follows.
    """

    id: int
    event_id: str
    event_type: str
    status: DeliveryStatus
    created_at: str
    due_at: str | None
    attempts: list[AttemptView]


ErrorClass: TypeAlias = Literal[
    "status",
    "timeout",
    "forbidden",
    "resolve",
    "connect",
    "tls",
    "answer",
    "unexpected",
]
"""Kind of failure of an attempt."""


class EventExplanation(TypedDict):
    """Decisions of the webhooks about an event.

    Attributes:
        body: The exact body of each delivery; null if the key may not read the event.
        next: The cursor of the next page; null on the last page.
    """

    event_id: str
    event_type: str
    body: str | None
    webhooks: list[WebhookExplanation]
    next: str | None


Expected: TypeAlias = Literal["2xx", "2xx or 408", "4xx"]
"""Answer that a receiver should give."""


class FilterTrial(TypedDict):
    """Event types and a filter to try.

    Attributes:
        event_types: By default `["*"]`.
        filter: The filter that the payload of an event has to match.
        limit: The number of events to look at, the newest first. By default `100`.
    """

    event_types: NotRequired[Sequence[str]]
    filter: NotRequired[
        Equality
        | Membership
        | Order
        | Prefix
        | Exists
        | Contains
        | ContainsSome
        | Members
        | Every
        | Some
        | Not
        | None
    ]
    limit: NotRequired[int]


class FilterTrialResult(TypedDict):
    """Events that a webhook with these event types and this filter would have received.

    Attributes:
        looked_at: The number of events.
        matches: The number of events that a webhook would get.
        events: The events, the newest first.
    """

    looked_at: int
    matches: int
    events: list[TriedEvent]


Grade: TypeAlias = Literal["ok", "warning", "failed"]
"""Grade of an answer."""


class ListenerChange(TypedDict):
    """Fields to change, as a JSON merge patch (RFC 7396).

    Attributes:
        position: Number of the last event that the consumer has received. The position only
            moves forward; a smaller number changes nothing.
    """

    event_types: NotRequired[Sequence[str]]
    position: NotRequired[int]


class ListenerMessage(TypedDict):
    """Signed request, as a webhook would get it.

    Attributes:
        number: Number of the event in the log, to acknowledge.
        headers: The headers, with a signature of this instant.
        body: The exact body: its UTF-8 bytes are signed.
    """

    number: int
    event_id: str
    event_type: str
    headers: dict[str, str]
    body: str


class ListenerMessages(TypedDict):
    """Messages after a position.

    Attributes:
        position: The position after these messages.
        has_more: True if there may be more messages at once.
        lost_until: Number up to which retention has deleted events that the consumer had not
            received; null for none.
    """

    data: list[ListenerMessage]
    position: int
    has_more: bool
    lost_until: int | None


class ListenerView(TypedDict):
    """Named consumer of events.

    Attributes:
        position: Number of the last acknowledged event in the event log.
    """

    id: int
    name: str
    event_types: list[str]
    position: int
    created_at: str


class NewListener(TypedDict):
    """Listener to create.

    Attributes:
        name: Name of the consumer, unique among your listeners.
        event_types: By default `["*"]`.
        secret: The secret that signs messages; generated when left out.
    """

    name: str
    event_types: NotRequired[Sequence[str]]
    secret: NotRequired[str | None]


class NewSecret(TypedDict):
    """New secret of a webhook.

    Attributes:
        secret: The new secret; generated when left out.
    """

    secret: NotRequired[str | None]


class NewWebhook(TypedDict):
    """Webhook to register.

    Attributes:
        event_types: By default `["*"]`.
        filter: The filter that the payload of an event has to match.
        success: The answers that count as a success. By default `"200"`.
        retry: The retries of a failed delivery: `none`, `standard`, or the seconds to wait
            before each retry. By default `"none"`.
        rate: The most attempts that begin in a second.
        concurrency: The most simultaneous attempts, instead of the setting.
        secret: The secret that signs requests; generated when left out.
    """

    name: NotRequired[str | None]
    event_types: NotRequired[Sequence[str]]
    filter: NotRequired[
        Equality
        | Membership
        | Order
        | Prefix
        | Exists
        | Contains
        | ContainsSome
        | Members
        | Every
        | Some
        | Not
        | None
    ]
    success: NotRequired[Success]
    retry: NotRequired[Literal["none", "standard"] | Sequence[float]]
    rate: NotRequired[float | None]
    concurrency: NotRequired[int | None]
    url: str
    headers: NotRequired[Mapping[str, str] | None]
    secret: NotRequired[str | None]


class ReceiverCheck(TypedDict):
    """Report of a check.

    Attributes:
        passed: True if all cases were sent, and none has failed.
        problem: Reason why not all cases were sent; null if all were sent.
        cases: The cases that were sent, in order.
    """

    passed: bool
    problem: str | None
    cases: list[CheckedCase]


class Recovery(TypedDict):
    """Choice of the failed deliveries to attempt again.

    Attributes:
        since: Only deliveries created at this instant or later.
        dry_run: Only count the deliveries. By default `false`.
    """

    since: str | datetime
    dry_run: NotRequired[bool]


class RegisteredWebhook(TypedDict):
    """Webhook with its new secret, and warnings.

    Attributes:
        headers: The custom headers, with redacted values.
        status: While a webhook is `paused` or `disabled`, no deliveries are created, and
            pending deliveries wait. A webhook is disabled when its receiver keeps failing: ten
            attempts or more in at least five days, and none succeeded.
        failing_since: The first failed attempt after the last successful one, or after five
            days without an attempt; null while attempts succeed. Tests do not count.
        waits_until: The instant before which no attempt begins, because the receiver has
            answered 429 or 503 with `Retry-After`; an hour later at most. A resume, or another
            URL, ends the wait. Null when the endpoint does not wait.
        previous_secret_until: The instant until which replaced secrets still sign, after
            several rotations the last one; null when none signs any more.
        secret: The secret that signs requests. Shown only this once.
        warnings: The event types that no plugin declares, each with the nearest declared name:
            the webhook receives no such event.
    """

    id: int
    name: str | None
    url: str
    event_types: list[str]
    filter: dict[str, JsonValue] | None
    success: Success
    retry: str | list[float]
    headers: dict[str, str]
    rate: float | None
    concurrency: int | None
    status: WebhookStatus
    disabled_reason: str | None
    failing_since: str | None
    waits_until: str | None
    previous_secret_until: str | None
    created_at: str
    updated_at: str
    secret: str
    warnings: list[str]


class ReplayRequest(TypedDict):
    """Choice of the events to deliver.

    Attributes:
        since: Only events emitted at this instant or later.
        until: Only events emitted before this instant.
        event_types: Only events of these types, among the types that the webhook subscribes to.
        dry_run: Only count the deliveries. By default `false`.
    """

    since: str | datetime
    until: NotRequired[str | datetime | None]
    event_types: NotRequired[Sequence[str] | None]
    dry_run: NotRequired[bool]


Success: TypeAlias = Literal["200", "2xx"]
"""Answers that count as a success."""


class TriedEvent(TypedDict):
    """Decision about one event.

    Attributes:
        gets_it: True if a webhook would get the event.
        pointer: The field that decides, as a JSON pointer into a webhook with these fields.
    """

    event_id: str
    event_type: str
    created_at: str
    gets_it: bool
    pointer: str
    reason: str


class WebhookChange(TypedDict):
    """Fields to change, as a JSON merge patch (RFC 7396).

    The secret is replaced by `rotate-secret`.

    Attributes:
        name: The new name; null removes the name.
        filter: The new filter, which replaces the present filter as a whole; null removes the
            filter, so that any payload matches.
        success: The answers that count as a success.
        retry: The retries of a failed delivery: `none`, `standard`, or the seconds to wait
            before each retry.
        rate: The most attempts that begin in a second; null removes the limit.
        concurrency: The most simultaneous attempts; null for the setting.
        headers: Headers to set, merged one by one by name; null for a header removes the
            header, and null for the field removes all.
    """

    name: NotRequired[str | None]
    event_types: NotRequired[Sequence[str]]
    filter: NotRequired[
        Equality
        | Membership
        | Order
        | Prefix
        | Exists
        | Contains
        | ContainsSome
        | Members
        | Every
        | Some
        | Not
        | None
    ]
    success: NotRequired[Success]
    retry: NotRequired[Literal["none", "standard"] | Sequence[float]]
    rate: NotRequired[float | None]
    concurrency: NotRequired[int | None]
    url: NotRequired[str]
    headers: NotRequired[Mapping[str, str | None] | None]


class WebhookExplanation(TypedDict):
    """Decision of one webhook, in its present state, about an event.

    Attributes:
        pointer: The field of the webhook that decides, as a JSON pointer into the webhook.
        headers: The headers of the request if the request was made now; the values of custom
            headers are redacted. Null when the webhook does not receive the event.
        delivery_id: The delivery of this event to the webhook; null when none was created.
    """

    webhook_id: int
    name: str | None
    url: str
    gets_it: bool
    pointer: str
    reason: str
    headers: dict[str, str] | None
    delivery_id: int | None


WebhookStatus: TypeAlias = Literal["active", "paused", "disabled"]
"""Status of a webhook: only an active webhook gets deliveries."""


class WebhookView(TypedDict):
    """Webhook without its secret.

    Attributes:
        headers: The custom headers, with redacted values.
        status: While a webhook is `paused` or `disabled`, no deliveries are created, and
            pending deliveries wait. A webhook is disabled when its receiver keeps failing: ten
            attempts or more in at least five days, and none succeeded.
        failing_since: The first failed attempt after the last successful one, or after five
            days without an attempt; null while attempts succeed. Tests do not count.
        waits_until: The instant before which no attempt begins, because the receiver has
            answered 429 or 503 with `Retry-After`; an hour later at most. A resume, or another
            URL, ends the wait. Null when the endpoint does not wait.
        previous_secret_until: The instant until which replaced secrets still sign, after
            several rotations the last one; null when none signs any more.
    """

    id: int
    name: str | None
    url: str
    event_types: list[str]
    filter: dict[str, JsonValue] | None
    success: Success
    retry: str | list[float]
    headers: dict[str, str]
    rate: float | None
    concurrency: int | None
    status: WebhookStatus
    disabled_reason: str | None
    failing_since: str | None
    waits_until: str | None
    previous_secret_until: str | None
    created_at: str
    updated_at: str


class Webhooks(OperationGroup):
    """Webhooks, their deliveries and their explanation."""

    def register(
        self,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[NewWebhook],
    ) -> RegisteredWebhook:
        """Register a URL that gets a signed POST request for each matching event.

        `warnings` names the event types that no plugin declares. A key sees all events to which
        it may
        subscribe: of scope `webhook` too, these are all events of its user, unless the key is
        narrowed
        to some `events`.

        Needs an API key of scope `full` or `webhook`.
        """
        return self._read(
            RegisteredWebhook,
            make_call(
                "POST",
                "/api/v1/webhooks/outgoing/register",
                headers={"Idempotency-Key": idempotency_key},
                body=body,
            ),
        )

    def list(
        self,
        *,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        sort: Sort | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        fields: str | None = None,
    ) -> Pages[WebhookView]:
        """List your webhooks, the newest first.

        The secrets are not shown.

        Needs an API key of scope `full` or `read` or `webhook`.

        Args:
            since: Only what was made at this instant or later.
            until: Only what was made before this instant.
            sort: The order: `-created_at`, the newest first, or `created_at`.
            limit: The largest number of items in the page.
            cursor: The `next` of the previous page; absent for the first.
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            WebhookView,
            make_call(
                "GET",
                "/api/v1/webhooks/outgoing",
                query={
                    "since": since,
                    "until": until,
                    "sort": sort,
                    "limit": limit,
                    "fields": fields,
                },
            ),
            cursor,
        )

    def read(
        self,
        webhook_id: int,
        /,
        *,
        fields: str | None = None,
        if_match: str | None = None,
    ) -> WebhookView:
        """Read a webhook.

        The secret is not shown.

        Needs an API key of scope `full` or `read` or `webhook`.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._read(
            WebhookView,
            make_call(
                "GET",
                "/api/v1/webhooks/outgoing/{}",
                (webhook_id,),
                query={"fields": fields},
                headers={"If-Match": if_match},
            ),
        )

    def change(
        self,
        webhook_id: int,
        /,
        *,
        if_match: str | None = None,
        **body: Unpack[WebhookChange],
    ) -> ChangedWebhook:
        """Change a webhook by a merge patch; pending deliveries use the new values.

        `warnings` names the event types that no plugin declares. A key that is narrowed to some
        `events` may change a webhook for these only.

        Needs an API key of scope `full` or `webhook`.
        """
        return self._read(
            ChangedWebhook,
            make_call(
                "PATCH",
                "/api/v1/webhooks/outgoing/{}",
                (webhook_id,),
                headers={"If-Match": if_match},
                body=body,
            ),
        )

    def delete(
        self,
        webhook_id: int,
        /,
        *,
        if_match: str | None = None,
    ) -> None:
        """Delete a webhook with its deliveries; pending deliveries are not attempted.

        The webhook is gone at once, and its running operations are cancelled. Its deliveries
        are
        deleted in the background, by an operation of the kind `webhook_delete`.

        Needs an API key of scope `full` or `webhook`.
        """
        self._finish(
            make_call(
                "DELETE",
                "/api/v1/webhooks/outgoing/{}",
                (webhook_id,),
                headers={"If-Match": if_match},
            ),
        )

    def pause(
        self,
        webhook_id: int,
        /,
        *,
        idempotency_key: str | None = None,
    ) -> WebhookView:
        """Pause a webhook: no deliveries are created, and pending deliveries wait, until a resume.

        A test and a resend are attempted all the same.

        Needs an API key of scope `full` or `webhook`.
        """
        return self._read(
            WebhookView,
            make_call(
                "POST",
                "/api/v1/webhooks/outgoing/{}/pause",
                (webhook_id,),
                headers={"Idempotency-Key": idempotency_key},
            ),
        )

    def resume(
        self,
        webhook_id: int,
        /,
        *,
        idempotency_key: str | None = None,
    ) -> WebhookView:
        """Resume a webhook that was paused, or disabled because its receiver kept failing.

        Events from the time in between have no deliveries; `replay` creates these deliveries.

        Needs an API key of scope `full` or `webhook`.
        """
        return self._read(
            WebhookView,
            make_call(
                "POST",
                "/api/v1/webhooks/outgoing/{}/resume",
                (webhook_id,),
                headers={"Idempotency-Key": idempotency_key},
            ),
        )

    def rotate_secret(
        self,
        webhook_id: int,
        /,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[NewSecret],
    ) -> CreatedWebhook:
        """Replace the secret of a webhook; for a while the old secret signs requests too.

        Each secret of an earlier rotation signs until its own time is up. With twenty such
        secrets the
        answer is 409.

        Needs an API key of scope `full` or `webhook`.
        """
        return self._read(
            CreatedWebhook,
            make_call(
                "POST",
                "/api/v1/webhooks/outgoing/{}/rotate-secret",
                (webhook_id,),
                headers={"Idempotency-Key": idempotency_key},
                body=body or None,
            ),
        )

    def list_deliveries(
        self,
        webhook_id: int,
        /,
        *,
        status: Sequence[DeliveryStatus] | None = None,
        event_type: str | None = None,
        event_id: str | None = None,
        status_code: int | None = None,
        error_class: Sequence[ErrorClass] | None = None,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        fields: str | None = None,
    ) -> Pages[DeliveryView]:
        """List the deliveries of a webhook with all attempts, the newest first.

        `status` and `error_class` may be repeated: any of the values matches. `status_code` and
        `error_class` find the deliveries with such an attempt, and both together those with an
        attempt that has both. `since` and `until` limit the creation time of the deliveries. A
        page
        of a rare filter may have fewer deliveries than `limit`, or none; follow `next` until
        null.

        Needs an API key of scope `full` or `read` or `webhook`.

        Args:
            event_type: An event type, a prefix (`task_*`), or `*` for all event types.
            limit: The largest number of items in the page.
            cursor: The `next` of the previous page; absent for the first.
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            DeliveryView,
            make_call(
                "GET",
                "/api/v1/webhooks/outgoing/{}/deliveries",
                (webhook_id,),
                query={
                    "status": status,
                    "event_type": event_type,
                    "event_id": event_id,
                    "status_code": status_code,
                    "error_class": error_class,
                    "since": since,
                    "until": until,
                    "limit": limit,
                    "fields": fields,
                },
            ),
            cursor,
        )

    def read_delivery(
        self,
        webhook_id: int,
        delivery_id: int,
        /,
        *,
        fields: str | None = None,
    ) -> DeliveryView:
        """Read a delivery with all attempts.

        Each attempt has its status code, its duration and the beginning of the answer.

        Needs an API key of scope `full` or `read` or `webhook`.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._read(
            DeliveryView,
            make_call(
                "GET",
                "/api/v1/webhooks/outgoing/{}/deliveries/{}",
                (webhook_id, delivery_id),
                query={"fields": fields},
            ),
        )

    def send_test_event(
        self,
        webhook_id: int,
        /,
        *,
        idempotency_key: str | None = None,
    ) -> DeliveryView:
        """Create a test delivery of type `webhook_test` for this webhook alone.

        A test delivery is not an event: no other webhook and no handler receives the message.
        The
        delivery is signed and recorded like any other, and attempted once and at once: also
        while the
        webhook is paused or disabled, and while its endpoint waits.

        Needs an API key of scope `full` or `webhook`.
        """
        return self._read(
            DeliveryView,
            make_call(
                "POST",
                "/api/v1/webhooks/outgoing/{}/test",
                (webhook_id,),
                headers={"Idempotency-Key": idempotency_key},
            ),
        )

    def resend_delivery(
        self,
        webhook_id: int,
        delivery_id: int,
        /,
        *,
        idempotency_key: str | None = None,
    ) -> DeliveryView:
        """Attempt a delivery once more and at once, in any status.

        The attempt is made also while the webhook is paused or disabled, and while its endpoint
        waits. A finished delivery gets one attempt without retries. A pending delivery is
        attempted
        now and keeps its further retries.

        Needs an API key of scope `full` or `webhook`.
        """
        return self._read(
            DeliveryView,
            make_call(
                "POST",
                "/api/v1/webhooks/outgoing/{}/deliveries/{}/resend",
                (webhook_id, delivery_id),
                headers={"Idempotency-Key": idempotency_key},
            ),
        )

    def recover_deliveries(
        self,
        webhook_id: int,
        /,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[Recovery],
    ) -> OperationView | DeliveryCount:
        """Attempt all failed deliveries of a webhook that were created since an instant once more.

        The act is an operation of the kind `webhook_recover`, which `Location` names. Attempts
        begin
        at once. A repeated request gets the operation that still runs. A dry run begins
        nothing: the
        answer is the number of failed deliveries, without `Location`.

        Needs an API key of scope `full` or `webhook`.
        """
        return self._read(
            cast("type[OperationView | DeliveryCount]", object),
            make_call(
                "POST",
                "/api/v1/webhooks/outgoing/{}/recover",
                (webhook_id,),
                headers={"Idempotency-Key": idempotency_key},
                body=body,
            ),
        )

    def explain_event(
        self,
        *,
        event_id: str,
        webhook_id: int | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        fields: str | None = None,
    ) -> EventExplanation:
        """Explain why each of your webhooks, in its present state, receives an event or not.

        For each webhook that receives the event, the answer shows the exact request that would
        be
        made now. `webhook_id` limits the answer to one webhook. A key that is narrowed to some
        `events` may ask for these only. A key of scope `webhook` gets the `body` only if a
        webhook of
        its user subscribes to the event type.

        Needs an API key of scope `full` or `webhook`.

        Args:
            limit: The largest number of items in the page.
            cursor: The `next` of the previous page; absent for the first.
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._read(
            EventExplanation,
            make_call(
                "GET",
                "/api/v1/webhooks/outgoing/explain",
                query={
                    "event_id": event_id,
                    "webhook_id": webhook_id,
                    "limit": limit,
                    "cursor": cursor,
                    "fields": fields,
                },
            ),
        )

    def replay_events(
        self,
        webhook_id: int,
        /,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[ReplayRequest],
    ) -> OperationView | DeliveryCount:
        """Create the missing deliveries of past events for a webhook.

        Replay makes up for events from the time when the webhook was paused, disabled or not
        yet
        registered. Existing deliveries stay as they are; see `recover` and `resend`. Events
        that are
        emitted after the request are no part of the replay.

        The act is an operation of the kind `webhook_replay`, which `Location` names. Deliveries
        begin
        at once, the oldest events first. A repeated request gets the operation that still runs.
        A dry
        run begins nothing: the answer is the number of missing deliveries, without `Location`.

        Needs an API key of scope `full` or `webhook`.
        """
        return self._read(
            cast("type[OperationView | DeliveryCount]", object),
            make_call(
                "POST",
                "/api/v1/webhooks/outgoing/{}/replay",
                (webhook_id,),
                headers={"Idempotency-Key": idempotency_key},
                body=body,
            ),
        )

    def try_filter(
        self,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[FilterTrial],
    ) -> FilterTrialResult:
        """Try event types and a filter on your newest events, without a webhook.

        Nothing is changed or sent. A key that is narrowed to some `events` tries these only.

        Needs an API key of scope `full`.
        """
        return self._read(
            FilterTrialResult,
            make_call(
                "POST",
                "/api/v1/webhooks/outgoing/try-filter",
                headers={"Idempotency-Key": idempotency_key},
                body=body,
            ),
        )

    def check_receiver(
        self,
        webhook_id: int,
        /,
        *,
        idempotency_key: str | None = None,
    ) -> ReceiverCheck:
        """Check the receiver of a webhook with valid and invalid requests.

        Some 17 requests go to the URL of the webhook, one after the other, with its secret and
        its
        headers: right, repeated, old, forged, incomplete, large and slow ones. Valid requests
        have
        the event type `webhook_test`, so a receiver should do nothing for these. The answer
        comes
        within about 30 seconds. Nothing is stored, and the webhook is never disabled by a
        check. The
        status is 409 while another check of the webhook is under way.

        Needs an API key of scope `full` or `webhook`.
        """
        return self._read(
            ReceiverCheck,
            make_call(
                "POST",
                "/api/v1/webhooks/outgoing/{}/conformance",
                (webhook_id,),
                headers={"Idempotency-Key": idempotency_key},
            ),
        )

    def register_listener(
        self,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[NewListener],
    ) -> CreatedListener:
        """Register a named consumer, which fetches signed messages instead of getting requests.

        A listener is for a receiver without a public address, such as a program on your laptop.
        It
        begins with the next event, and keeps its position while the consumer is away.

        Needs an API key of scope `full` or `webhook`.
        """
        return self._read(
            CreatedListener,
            make_call(
                "POST",
                "/api/v1/webhooks/listeners",
                headers={"Idempotency-Key": idempotency_key},
                body=body,
            ),
        )

    def list_listeners(
        self,
        *,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        sort: Sort | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        fields: str | None = None,
    ) -> Pages[ListenerView]:
        """List your listeners, the newest first.

        Needs an API key of scope `full` or `read` or `webhook`.

        Args:
            since: Only what was made at this instant or later.
            until: Only what was made before this instant.
            sort: The order: `-created_at`, the newest first, or `created_at`.
            limit: The largest number of items in the page.
            cursor: The `next` of the previous page; absent for the first.
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            ListenerView,
            make_call(
                "GET",
                "/api/v1/webhooks/listeners",
                query={
                    "since": since,
                    "until": until,
                    "sort": sort,
                    "limit": limit,
                    "fields": fields,
                },
            ),
            cursor,
        )

    def read_listener(
        self,
        listener_id: int,
        /,
        *,
        fields: str | None = None,
        if_match: str | None = None,
    ) -> ListenerView:
        """Read a listener.

        Needs an API key of scope `full` or `read` or `webhook`.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._read(
            ListenerView,
            make_call(
                "GET",
                "/api/v1/webhooks/listeners/{}",
                (listener_id,),
                query={"fields": fields},
                headers={"If-Match": if_match},
            ),
        )

    def change_listener(
        self,
        listener_id: int,
        /,
        *,
        if_match: str | None = None,
        **body: Unpack[ListenerChange],
    ) -> ListenerView:
        """Acknowledge messages by a new `position`, or change the event types.

        Needs an API key of scope `full` or `webhook`.
        """
        return self._read(
            ListenerView,
            make_call(
                "PATCH",
                "/api/v1/webhooks/listeners/{}",
                (listener_id,),
                headers={"If-Match": if_match},
                body=body,
            ),
        )

    def delete_listener(
        self,
        listener_id: int,
        /,
        *,
        if_match: str | None = None,
    ) -> None:
        """Delete a listener and its position.

        Needs an API key of scope `full` or `webhook`.
        """
        self._finish(
            make_call(
                "DELETE",
                "/api/v1/webhooks/listeners/{}",
                (listener_id,),
                headers={"If-Match": if_match},
            ),
        )

    def fetch_messages(
        self,
        listener_id: int,
        /,
        *,
        after: int | None = None,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        limit: int | None = None,
        wait: float | None = None,
        fields: str | None = None,
    ) -> ListenerMessages:
        """Fetch the signed messages after the position of a listener, the oldest first.

        Fetching changes nothing: acknowledge by `PATCH` with the `number` of the last message
        that
        was worked on. Each event comes at least once, always with the same `webhook-id`. With
        `after`, the messages begin after that number instead of the position; `since` and
        `until`
        choose a window of time to replay. With `wait`, the answer comes as soon as there is a
        message.

        Needs an API key of scope `full` or `webhook`.

        Args:
            wait: Seconds to wait if there is no message yet.
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._read(
            ListenerMessages,
            make_call(
                "GET",
                "/api/v1/webhooks/listeners/{}/messages",
                (listener_id,),
                query={
                    "after": after,
                    "since": since,
                    "until": until,
                    "limit": limit,
                    "wait": wait,
                    "fields": fields,
                },
            ),
        )


class AsyncWebhooks(AsyncOperationGroup):
    """Webhooks, their deliveries and their explanation."""

    async def register(
        self,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[NewWebhook],
    ) -> RegisteredWebhook:
        """Register a URL that gets a signed POST request for each matching event.

        `warnings` names the event types that no plugin declares. A key sees all events to which
        it may
        subscribe: of scope `webhook` too, these are all events of its user, unless the key is
        narrowed
        to some `events`.

        Needs an API key of scope `full` or `webhook`.
        """
        return await self._read(
            RegisteredWebhook,
            make_call(
                "POST",
                "/api/v1/webhooks/outgoing/register",
                headers={"Idempotency-Key": idempotency_key},
                body=body,
            ),
        )

    def list(
        self,
        *,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        sort: Sort | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        fields: str | None = None,
    ) -> AsyncPages[WebhookView]:
        """List your webhooks, the newest first.

        The secrets are not shown.

        Needs an API key of scope `full` or `read` or `webhook`.

        Args:
            since: Only what was made at this instant or later.
            until: Only what was made before this instant.
            sort: The order: `-created_at`, the newest first, or `created_at`.
            limit: The largest number of items in the page.
            cursor: The `next` of the previous page; absent for the first.
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            WebhookView,
            make_call(
                "GET",
                "/api/v1/webhooks/outgoing",
                query={
                    "since": since,
                    "until": until,
                    "sort": sort,
                    "limit": limit,
                    "fields": fields,
                },
            ),
            cursor,
        )

    async def read(
        self,
        webhook_id: int,
        /,
        *,
        fields: str | None = None,
        if_match: str | None = None,
    ) -> WebhookView:
        """Read a webhook.

        The secret is not shown.

        Needs an API key of scope `full` or `read` or `webhook`.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return await self._read(
            WebhookView,
            make_call(
                "GET",
                "/api/v1/webhooks/outgoing/{}",
                (webhook_id,),
                query={"fields": fields},
                headers={"If-Match": if_match},
            ),
        )

    async def change(
        self,
        webhook_id: int,
        /,
        *,
        if_match: str | None = None,
        **body: Unpack[WebhookChange],
    ) -> ChangedWebhook:
        """Change a webhook by a merge patch; pending deliveries use the new values.

        `warnings` names the event types that no plugin declares. A key that is narrowed to some
        `events` may change a webhook for these only.

        Needs an API key of scope `full` or `webhook`.
        """
        return await self._read(
            ChangedWebhook,
            make_call(
                "PATCH",
                "/api/v1/webhooks/outgoing/{}",
                (webhook_id,),
                headers={"If-Match": if_match},
                body=body,
            ),
        )

    async def delete(
        self,
        webhook_id: int,
        /,
        *,
        if_match: str | None = None,
    ) -> None:
        """Delete a webhook with its deliveries; pending deliveries are not attempted.

        The webhook is gone at once, and its running operations are cancelled. Its deliveries
        are
        deleted in the background, by an operation of the kind `webhook_delete`.

        Needs an API key of scope `full` or `webhook`.
        """
        await self._finish(
            make_call(
                "DELETE",
                "/api/v1/webhooks/outgoing/{}",
                (webhook_id,),
                headers={"If-Match": if_match},
            ),
        )

    async def pause(
        self,
        webhook_id: int,
        /,
        *,
        idempotency_key: str | None = None,
    ) -> WebhookView:
        """Pause a webhook: no deliveries are created, and pending deliveries wait, until a resume.

        A test and a resend are attempted all the same.

        Needs an API key of scope `full` or `webhook`.
        """
        return await self._read(
            WebhookView,
            make_call(
                "POST",
                "/api/v1/webhooks/outgoing/{}/pause",
                (webhook_id,),
                headers={"Idempotency-Key": idempotency_key},
            ),
        )

    async def resume(
        self,
        webhook_id: int,
        /,
        *,
        idempotency_key: str | None = None,
    ) -> WebhookView:
        """Resume a webhook that was paused, or disabled because its receiver kept failing.

        Events from the time in between have no deliveries; `replay` creates these deliveries.

        Needs an API key of scope `full` or `webhook`.
        """
        return await self._read(
            WebhookView,
            make_call(
                "POST",
                "/api/v1/webhooks/outgoing/{}/resume",
                (webhook_id,),
                headers={"Idempotency-Key": idempotency_key},
            ),
        )

    async def rotate_secret(
        self,
        webhook_id: int,
        /,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[NewSecret],
    ) -> CreatedWebhook:
        """Replace the secret of a webhook; for a while the old secret signs requests too.

        Each secret of an earlier rotation signs until its own time is up. With twenty such
        secrets the
        answer is 409.

        Needs an API key of scope `full` or `webhook`.
        """
        return await self._read(
            CreatedWebhook,
            make_call(
                "POST",
                "/api/v1/webhooks/outgoing/{}/rotate-secret",
                (webhook_id,),
                headers={"Idempotency-Key": idempotency_key},
                body=body or None,
            ),
        )

    def list_deliveries(
        self,
        webhook_id: int,
        /,
        *,
        status: Sequence[DeliveryStatus] | None = None,
        event_type: str | None = None,
        event_id: str | None = None,
        status_code: int | None = None,
        error_class: Sequence[ErrorClass] | None = None,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        fields: str | None = None,
    ) -> AsyncPages[DeliveryView]:
        """List the deliveries of a webhook with all attempts, the newest first.

        `status` and `error_class` may be repeated: any of the values matches. `status_code` and
        `error_class` find the deliveries with such an attempt, and both together those with an
        attempt that has both. `since` and `until` limit the creation time of the deliveries. A
        page
        of a rare filter may have fewer deliveries than `limit`, or none; follow `next` until
        null.

        Needs an API key of scope `full` or `read` or `webhook`.

        Args:
            event_type: An event type, a prefix (`task_*`), or `*` for all event types.
            limit: The largest number of items in the page.
            cursor: The `next` of the previous page; absent for the first.
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            DeliveryView,
            make_call(
                "GET",
                "/api/v1/webhooks/outgoing/{}/deliveries",
                (webhook_id,),
                query={
                    "status": status,
                    "event_type": event_type,
                    "event_id": event_id,
                    "status_code": status_code,
                    "error_class": error_class,
                    "since": since,
                    "until": until,
                    "limit": limit,
                    "fields": fields,
                },
            ),
            cursor,
        )

    async def read_delivery(
        self,
        webhook_id: int,
        delivery_id: int,
        /,
        *,
        fields: str | None = None,
    ) -> DeliveryView:
        """Read a delivery with all attempts.

        Each attempt has its status code, its duration and the beginning of the answer.

        Needs an API key of scope `full` or `read` or `webhook`.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return await self._read(
            DeliveryView,
            make_call(
                "GET",
                "/api/v1/webhooks/outgoing/{}/deliveries/{}",
                (webhook_id, delivery_id),
                query={"fields": fields},
            ),
        )

    async def send_test_event(
        self,
        webhook_id: int,
        /,
        *,
        idempotency_key: str | None = None,
    ) -> DeliveryView:
        """Create a test delivery of type `webhook_test` for this webhook alone.

        A test delivery is not an event: no other webhook and no handler receives the message.
        The
        delivery is signed and recorded like any other, and attempted once and at once: also
        while the
        webhook is paused or disabled, and while its endpoint waits.

        Needs an API key of scope `full` or `webhook`.
        """
        return await self._read(
            DeliveryView,
            make_call(
                "POST",
                "/api/v1/webhooks/outgoing/{}/test",
                (webhook_id,),
                headers={"Idempotency-Key": idempotency_key},
            ),
        )

    async def resend_delivery(
        self,
        webhook_id: int,
        delivery_id: int,
        /,
        *,
        idempotency_key: str | None = None,
    ) -> DeliveryView:
        """Attempt a delivery once more and at once, in any status.

        The attempt is made also while the webhook is paused or disabled, and while its endpoint
        waits. A finished delivery gets one attempt without retries. A pending delivery is
        attempted
        now and keeps its further retries.

        Needs an API key of scope `full` or `webhook`.
        """
        return await self._read(
            DeliveryView,
            make_call(
                "POST",
                "/api/v1/webhooks/outgoing/{}/deliveries/{}/resend",
                (webhook_id, delivery_id),
                headers={"Idempotency-Key": idempotency_key},
            ),
        )

    async def recover_deliveries(
        self,
        webhook_id: int,
        /,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[Recovery],
    ) -> OperationView | DeliveryCount:
        """Attempt all failed deliveries of a webhook that were created since an instant once more.

        The act is an operation of the kind `webhook_recover`, which `Location` names. Attempts
        begin
        at once. A repeated request gets the operation that still runs. A dry run begins
        nothing: the
        answer is the number of failed deliveries, without `Location`.

        Needs an API key of scope `full` or `webhook`.
        """
        return await self._read(
            cast("type[OperationView | DeliveryCount]", object),
            make_call(
                "POST",
                "/api/v1/webhooks/outgoing/{}/recover",
                (webhook_id,),
                headers={"Idempotency-Key": idempotency_key},
                body=body,
            ),
        )

    async def explain_event(
        self,
        *,
        event_id: str,
        webhook_id: int | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        fields: str | None = None,
    ) -> EventExplanation:
        """Explain why each of your webhooks, in its present state, receives an event or not.

        For each webhook that receives the event, the answer shows the exact request that would
        be
        made now. `webhook_id` limits the answer to one webhook. A key that is narrowed to some
        `events` may ask for these only. A key of scope `webhook` gets the `body` only if a
        webhook of
        its user subscribes to the event type.

        Needs an API key of scope `full` or `webhook`.

        Args:
            limit: The largest number of items in the page.
            cursor: The `next` of the previous page; absent for the first.
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return await self._read(
            EventExplanation,
            make_call(
                "GET",
                "/api/v1/webhooks/outgoing/explain",
                query={
                    "event_id": event_id,
                    "webhook_id": webhook_id,
                    "limit": limit,
                    "cursor": cursor,
                    "fields": fields,
                },
            ),
        )

    async def replay_events(
        self,
        webhook_id: int,
        /,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[ReplayRequest],
    ) -> OperationView | DeliveryCount:
        """Create the missing deliveries of past events for a webhook.

        Replay makes up for events from the time when the webhook was paused, disabled or not
        yet
        registered. Existing deliveries stay as they are; see `recover` and `resend`. Events
        that are
        emitted after the request are no part of the replay.

        The act is an operation of the kind `webhook_replay`, which `Location` names. Deliveries
        begin
        at once, the oldest events first. A repeated request gets the operation that still runs.
        A dry
        run begins nothing: the answer is the number of missing deliveries, without `Location`.

        Needs an API key of scope `full` or `webhook`.
        """
        return await self._read(
            cast("type[OperationView | DeliveryCount]", object),
            make_call(
                "POST",
                "/api/v1/webhooks/outgoing/{}/replay",
                (webhook_id,),
                headers={"Idempotency-Key": idempotency_key},
                body=body,
            ),
        )

    async def try_filter(
        self,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[FilterTrial],
    ) -> FilterTrialResult:
        """Try event types and a filter on your newest events, without a webhook.

        Nothing is changed or sent. A key that is narrowed to some `events` tries these only.

        Needs an API key of scope `full`.
        """
        return await self._read(
            FilterTrialResult,
            make_call(
                "POST",
                "/api/v1/webhooks/outgoing/try-filter",
                headers={"Idempotency-Key": idempotency_key},
                body=body,
            ),
        )

    async def check_receiver(
        self,
        webhook_id: int,
        /,
        *,
        idempotency_key: str | None = None,
    ) -> ReceiverCheck:
        """Check the receiver of a webhook with valid and invalid requests.

        Some 17 requests go to the URL of the webhook, one after the other, with its secret and
        its
        headers: right, repeated, old, forged, incomplete, large and slow ones. Valid requests
        have
        the event type `webhook_test`, so a receiver should do nothing for these. The answer
        comes
        within about 30 seconds. Nothing is stored, and the webhook is never disabled by a
        check. The
        status is 409 while another check of the webhook is under way.

        Needs an API key of scope `full` or `webhook`.
        """
        return await self._read(
            ReceiverCheck,
            make_call(
                "POST",
                "/api/v1/webhooks/outgoing/{}/conformance",
                (webhook_id,),
                headers={"Idempotency-Key": idempotency_key},
            ),
        )

    async def register_listener(
        self,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[NewListener],
    ) -> CreatedListener:
        """Register a named consumer, which fetches signed messages instead of getting requests.

        A listener is for a receiver without a public address, such as a program on your laptop.
        It
        begins with the next event, and keeps its position while the consumer is away.

        Needs an API key of scope `full` or `webhook`.
        """
        return await self._read(
            CreatedListener,
            make_call(
                "POST",
                "/api/v1/webhooks/listeners",
                headers={"Idempotency-Key": idempotency_key},
                body=body,
            ),
        )

    def list_listeners(
        self,
        *,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        sort: Sort | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        fields: str | None = None,
    ) -> AsyncPages[ListenerView]:
        """List your listeners, the newest first.

        Needs an API key of scope `full` or `read` or `webhook`.

        Args:
            since: Only what was made at this instant or later.
            until: Only what was made before this instant.
            sort: The order: `-created_at`, the newest first, or `created_at`.
            limit: The largest number of items in the page.
            cursor: The `next` of the previous page; absent for the first.
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            ListenerView,
            make_call(
                "GET",
                "/api/v1/webhooks/listeners",
                query={
                    "since": since,
                    "until": until,
                    "sort": sort,
                    "limit": limit,
                    "fields": fields,
                },
            ),
            cursor,
        )

    async def read_listener(
        self,
        listener_id: int,
        /,
        *,
        fields: str | None = None,
        if_match: str | None = None,
    ) -> ListenerView:
        """Read a listener.

        Needs an API key of scope `full` or `read` or `webhook`.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return await self._read(
            ListenerView,
            make_call(
                "GET",
                "/api/v1/webhooks/listeners/{}",
                (listener_id,),
                query={"fields": fields},
                headers={"If-Match": if_match},
            ),
        )

    async def change_listener(
        self,
        listener_id: int,
        /,
        *,
        if_match: str | None = None,
        **body: Unpack[ListenerChange],
    ) -> ListenerView:
        """Acknowledge messages by a new `position`, or change the event types.

        Needs an API key of scope `full` or `webhook`.
        """
        return await self._read(
            ListenerView,
            make_call(
                "PATCH",
                "/api/v1/webhooks/listeners/{}",
                (listener_id,),
                headers={"If-Match": if_match},
                body=body,
            ),
        )

    async def delete_listener(
        self,
        listener_id: int,
        /,
        *,
        if_match: str | None = None,
    ) -> None:
        """Delete a listener and its position.

        Needs an API key of scope `full` or `webhook`.
        """
        await self._finish(
            make_call(
                "DELETE",
                "/api/v1/webhooks/listeners/{}",
                (listener_id,),
                headers={"If-Match": if_match},
            ),
        )

    async def fetch_messages(
        self,
        listener_id: int,
        /,
        *,
        after: int | None = None,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        limit: int | None = None,
        wait: float | None = None,
        fields: str | None = None,
    ) -> ListenerMessages:
        """Fetch the signed messages after the position of a listener, the oldest first.

        Fetching changes nothing: acknowledge by `PATCH` with the `number` of the last message
        that
        was worked on. Each event comes at least once, always with the same `webhook-id`. With
        `after`, the messages begin after that number instead of the position; `since` and
        `until`
        choose a window of time to replay. With `wait`, the answer comes as soon as there is a
        message.

        Needs an API key of scope `full` or `webhook`.

        Args:
            wait: Seconds to wait if there is no message yet.
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return await self._read(
            ListenerMessages,
            make_call(
                "GET",
                "/api/v1/webhooks/listeners/{}/messages",
                (listener_id,),
                query={
                    "after": after,
                    "since": since,
                    "until": until,
                    "limit": limit,
                    "wait": wait,
                    "fields": fields,
                },
            ),
        )
