# Written by tests/client/generate.py from the API document. Do not edit.
"""Operations of the group ``inbound``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, NotRequired, TypeAlias, TypedDict, Unpack

from biont.client.api.shared_models import (
    Contains,
    ContainsSome,
    Equality,
    Every,
    Exists,
    Members,
    Membership,
    Not,
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

ActionState: TypeAlias = Literal["pending", "done"]
"""State of the action of an accepted request."""


class CreatedInboundWebhook(TypedDict):
    """New inbound webhook, with its URL and secret, which are shown once.

    Attributes:
        signature: The signature; null for requests without signature.
        has_secret: False while the secret of the sender is missing: all requests are refused.
        previous_secrets_until: The instant up to which replaced secrets are accepted; null for
            none.
        url: The URL for the sender. Keep it secret; it is shown once.
        secret: The secret for the sender, shown once; null if the sender makes the secret.
        help: The place of URL and secret at the sender.
    """

    id: int
    name: str
    preset: str
    signature: SignatureTemplateOutput | None
    has_secret: bool
    previous_secrets_until: str | None
    action: EmitEventOutput | RunPromptOutput | StartMissionOutput | KeepNoteOutput
    filter: dict[str, JsonValue] | None
    addresses: list[str] | None
    rate: float | None
    paused: bool
    warnings: list[str]
    last_received_at: str | None
    created_at: str
    updated_at: str
    url: str
    secret: str | None
    help: str


class EmitEvent(TypedDict):
    """Emit a custom event.

    Attributes:
        payload: The payload: a JSON object, in which `{{ body.issue.title }}` is a value of the
            request. By default `{"event":"{{ event }}","delivery_id":"{{ delivery_id
            }}","body":"{{ body }}"}`.
    """

    kind: Literal["event"]
    event_type: str
    payload: NotRequired[Mapping[str, JsonValue]]


class EmitEventOutput(TypedDict):
    """Emit a custom event.

    Attributes:
        payload: The payload: a JSON object, in which `{{ body.issue.title }}` is a value of the
            request. By default `{"event":"{{ event }}","delivery_id":"{{ delivery_id
            }}","body":"{{ body }}"}`.
    """

    kind: Literal["event"]
    event_type: str
    payload: dict[str, JsonValue]


class InboundDeliveryView(TypedDict):
    """Accepted request, with the result of its action.

    Attributes:
        result: The path of the result, such as of a note.
    """

    id: int
    delivery_id: str | None
    event_id: str
    state: ActionState
    result: str | None
    received_at: str


class InboundPresetView(TypedDict):
    """Well-known sender.

    Attributes:
        event: The place of the sender's name of an event.
        makes_secret: The sender makes the secret, which you set here.
    """

    name: str
    title: str
    signature: SignatureTemplateOutput | None
    event: str | None
    makes_secret: bool
    help: str
    docs: str


class InboundRequestView(TypedDict):
    """One of the last requests, without credentials."""

    id: int
    verdict: Verdict
    reason: str | None
    address: str
    headers: dict[str, str]
    body: str
    event_id: str | None
    received_at: str


class InboundSecret(TypedDict):
    """Secret to use from now on.

    Attributes:
        secret: The secret that the sender shows; generated when left out.
    """

    secret: NotRequired[str | None]


class InboundTrial(TypedDict):
    """Result of a trial: the verdict, and the action that would follow.

    Attributes:
        action: The action with the values of the request; null if the request does not act.
    """

    verdict: Verdict
    reason: str | None
    event: str | None
    delivery_id: str | None
    action: dict[str, JsonValue] | None


class InboundUrl(TypedDict):
    """New URL of an inbound webhook, which is shown once."""

    url: str


class InboundWebhookChange(TypedDict):
    """Fields to change, as a JSON merge patch (RFC 7396).

    Attributes:
        signature: The new signature; null for that of the preset.
        secret: The secret that the sender shows; the former one ends at once.
        filter: The new filter; null for none.
        addresses: The new addresses; null for all.
        rate: The new rate; null for the setting.
    """

    name: NotRequired[str]
    signature: NotRequired[SignatureTemplate | None]
    secret: NotRequired[str]
    action: NotRequired[EmitEvent | RunPrompt | StartMission | KeepNote]
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
    addresses: NotRequired[Sequence[str] | None]
    rate: NotRequired[float | None]
    paused: NotRequired[bool]


class InboundWebhookView(TypedDict):
    """Inbound webhook, without its URL and its secret.

    Attributes:
        signature: The signature; null for requests without signature.
        has_secret: False while the secret of the sender is missing: all requests are refused.
        previous_secrets_until: The instant up to which replaced secrets are accepted; null for
            none.
    """

    id: int
    name: str
    preset: str
    signature: SignatureTemplateOutput | None
    has_secret: bool
    previous_secrets_until: str | None
    action: EmitEventOutput | RunPromptOutput | StartMissionOutput | KeepNoteOutput
    filter: dict[str, JsonValue] | None
    addresses: list[str] | None
    rate: float | None
    paused: bool
    warnings: list[str]
    last_received_at: str | None
    created_at: str
    updated_at: str


class KeepNote(TypedDict):
    """Keep a note."""

    kind: Literal["note"]
    title: str
    content: str
    tags: NotRequired[Sequence[str]]


class KeepNoteOutput(TypedDict):
    """Keep a note."""

    kind: Literal["note"]
    title: str
    content: str
    tags: list[str]


class NewInboundWebhook(TypedDict):
    """Inbound webhook to create.

    Attributes:
        preset: The sender; see `GET /webhooks/incoming/presets`.
        signature: The signature, instead of that of the preset.
        secret: The secret. Left out, the workbench makes one, or waits for the secret that the
            sender shows.
        filter: The filter that the document of a request has to match: `event`, `body.action`.
        addresses: The addresses and networks from which requests are accepted; null for all.
        rate: The most requests in a second, ten times as many in a burst; null for the setting.
    """

    name: str
    preset: Literal[
        "standard",
        "github",
        "gitlab",
        "stripe",
        "slack",
        "shopify",
        "linear",
        "mailgun",
        "twilio",
        "hmac",
        "bearer",
        "none",
    ]
    signature: NotRequired[SignatureTemplate | None]
    secret: NotRequired[str | None]
    action: EmitEvent | RunPrompt | StartMission | KeepNote
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
    addresses: NotRequired[Sequence[str] | None]
    rate: NotRequired[float | None]


class RotatedInboundSecret(TypedDict):
    """New secret, which is shown once."""

    secret: str
    previous_secrets_until: str | None


class RunPrompt(TypedDict):
    """Ask a model, and keep the answer as a note.

    Attributes:
        title: The title of the note. By default `"{{ event }}"`.
        model: The model; null for the default.
    """

    kind: Literal["prompt"]
    prompt: str
    title: NotRequired[str]
    tags: NotRequired[Sequence[str]]
    model: NotRequired[str | None]


class RunPromptOutput(TypedDict):
    """Ask a model, and keep the answer as a note.

    Attributes:
        title: The title of the note. By default `"{{ event }}"`.
        model: The model; null for the default.
    """

    kind: Literal["prompt"]
    prompt: str
    title: str
    tags: list[str]
    model: str | None


class SignatureTemplate(TypedDict):
    """Description of the signature of a sender.

    Attributes:
        algorithm: The hash of the HMAC; `equal` for a sender that sends the secret itself. By
            default `"sha256"`.
        encoding: By default `"hex"`.
        signature: The place of the signature: `headers.x-signature`, `body.signature.value`.
        separator: The character between several signatures in one header.
        prefix: The text before each signature: `sha256=`.
        signed: The signed text, with `{body}`, `{timestamp}`, `{id}`, `{url}`, and `{form}`,
            the sorted names and values of a form. By default `"{body}"`.
        key: The key of the HMAC: the text of the secret, or the bytes of its base64 after
            `whsec_`. By default `"text"`.
        timestamp: The place of the signed time, in seconds or milliseconds since 1970.
        timestamp_prefix: The text before the time, if the time is a part of the signature's
            header.
        tolerance: The most seconds between the signed time and the present. By default `300`.
        ids: The places of the id of a request; the first place with a text counts.
        body_digest: The place of the SHA-256 of the body in hex, for senders that sign the URL.
    """

    algorithm: NotRequired[Literal["sha1", "sha256", "sha512", "equal"]]
    encoding: NotRequired[Literal["hex", "base64"]]
    signature: str
    separator: NotRequired[str | None]
    prefix: NotRequired[str]
    signed: NotRequired[str]
    key: NotRequired[Literal["text", "base64"]]
    timestamp: NotRequired[str | None]
    timestamp_prefix: NotRequired[str]
    tolerance: NotRequired[int]
    ids: NotRequired[Sequence[str]]
    body_digest: NotRequired[str | None]


class SignatureTemplateOutput(TypedDict):
    """Description of the signature of a sender.

    Attributes:
        algorithm: The hash of the HMAC; `equal` for a sender that sends the secret itself. By
            default `"sha256"`.
        encoding: By default `"hex"`.
        signature: The place of the signature: `headers.x-signature`, `body.signature.value`.
        separator: The character between several signatures in one header.
        prefix: The text before each signature: `sha256=`.
        signed: The signed text, with `{body}`, `{timestamp}`, `{id}`, `{url}`, and `{form}`,
            the sorted names and values of a form. By default `"{body}"`.
        key: The key of the HMAC: the text of the secret, or the bytes of its base64 after
            `whsec_`. By default `"text"`.
        timestamp: The place of the signed time, in seconds or milliseconds since 1970.
        timestamp_prefix: The text before the time, if the time is a part of the signature's
            header.
        tolerance: The most seconds between the signed time and the present. By default `300`.
        ids: The places of the id of a request; the first place with a text counts.
        body_digest: The place of the SHA-256 of the body in hex, for senders that sign the URL.
    """

    algorithm: Literal["sha1", "sha256", "sha512", "equal"]
    encoding: Literal["hex", "base64"]
    signature: str
    separator: str | None
    prefix: str
    signed: str
    key: Literal["text", "base64"]
    timestamp: str | None
    timestamp_prefix: str
    tolerance: int
    ids: list[str]
    body_digest: str | None


class StartMission(TypedDict):
    """Start a mission.

    Attributes:
        tools: Tools that the tasks may call; null for the setting, `[]` for none.
        model: The model; null for the default.
    """

    kind: Literal["mission"]
    goal: str
    tools: NotRequired[Sequence[str] | None]
    model: NotRequired[str | None]


class StartMissionOutput(TypedDict):
    """Start a mission.

    Attributes:
        tools: Tools that the tasks may call; null for the setting, `[]` for none.
        model: The model; null for the default.
    """

    kind: Literal["mission"]
    goal: str
    tools: list[str] | None
    model: str | None


class TriedInboundRequest(TypedDict):
    """Request to try.

    Attributes:
        body: The exact body.
        check_signature: False tries filter and action alone, for a request without signature.
            By default `true`.
    """

    headers: NotRequired[Mapping[str, str]]
    query: NotRequired[Mapping[str, str]]
    body: NotRequired[str]
    check_signature: NotRequired[bool]


Verdict: TypeAlias = Literal["accepted", "duplicate", "filtered", "handshake", "refused"]
"""Verdict on a request."""


class Inbound(OperationGroup):
    """URLs at which other systems start events, prompts, missions and notes."""

    def create_webhook(
        self,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[NewInboundWebhook],
    ) -> CreatedInboundWebhook:
        """Create a URL at which another system starts an action for you.

        `url` and `secret` are shown once. The sender's signature is checked before anything
        else; a
        request is answered 202 after the commit of its event, and a repeated request 200
        without a
        second action.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        return self._read(
            CreatedInboundWebhook,
            make_call(
                "POST",
                "/api/v1/webhooks/incoming",
                headers={"Idempotency-Key": idempotency_key},
                body=body,
            ),
        )

    def list_webhooks(
        self,
        *,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        sort: Sort | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        fields: str | None = None,
    ) -> Pages[InboundWebhookView]:
        """List your inbound webhooks, the newest first.

        URLs and secrets are not shown.

        Needs an API key of scope `full` or `read`.

        Args:
            since: Only what was made at this instant or later.
            until: Only what was made before this instant.
            sort: The order: `-created_at`, the newest first, or `created_at`.
            limit: The largest number of items in the page.
            cursor: The `next` of the previous page; absent for the first.
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            InboundWebhookView,
            make_call(
                "GET",
                "/api/v1/webhooks/incoming",
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

    def list_presets(
        self,
        *,
        fields: str | None = None,
    ) -> Pages[InboundPresetView]:
        """List the known senders, each with its signature and the place of its secret.

        Needs an API key of scope `full` or `read`.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            InboundPresetView,
            make_call("GET", "/api/v1/webhooks/incoming/presets", query={"fields": fields}),
            None,
        )

    def read_webhook(
        self,
        inbound_id: int,
        /,
        *,
        fields: str | None = None,
        if_match: str | None = None,
    ) -> InboundWebhookView:
        """Read an inbound webhook.

        URL and secret are not shown.

        Needs an API key of scope `full` or `read`.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._read(
            InboundWebhookView,
            make_call(
                "GET",
                "/api/v1/webhooks/incoming/{}",
                (inbound_id,),
                query={"fields": fields},
                headers={"If-Match": if_match},
            ),
        )

    def change_webhook(
        self,
        inbound_id: int,
        /,
        *,
        if_match: str | None = None,
        **body: Unpack[InboundWebhookChange],
    ) -> InboundWebhookView:
        """Change an inbound webhook by a merge patch.

        `action` and `filter` are replaced as a whole. `secret` replaces the secret at once,
        while
        `rotate-secret` accepts the former one for some time.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        return self._read(
            InboundWebhookView,
            make_call(
                "PATCH",
                "/api/v1/webhooks/incoming/{}",
                (inbound_id,),
                headers={"If-Match": if_match},
                body=body,
            ),
        )

    def delete_webhook(
        self,
        inbound_id: int,
        /,
        *,
        if_match: str | None = None,
    ) -> None:
        """Delete an inbound webhook with its requests; the URL ends at once.

        Events, notes and missions stay.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        self._finish(
            make_call(
                "DELETE",
                "/api/v1/webhooks/incoming/{}",
                (inbound_id,),
                headers={"If-Match": if_match},
            ),
        )

    def rotate_secret(
        self,
        inbound_id: int,
        /,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[InboundSecret],
    ) -> RotatedInboundSecret:
        """Replace the secret; the former secret is accepted for a while too.

        The status is 409 for a webhook without signature.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        return self._read(
            RotatedInboundSecret,
            make_call(
                "POST",
                "/api/v1/webhooks/incoming/{}/rotate-secret",
                (inbound_id,),
                headers={"Idempotency-Key": idempotency_key},
                body=body or None,
            ),
        )

    def rotate_url(
        self,
        inbound_id: int,
        /,
        *,
        idempotency_key: str | None = None,
    ) -> InboundUrl:
        """Give the inbound webhook another URL, shown once; the former URL ends at once.

        Do so when the URL has become known to others.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        return self._read(
            InboundUrl,
            make_call(
                "POST",
                "/api/v1/webhooks/incoming/{}/rotate-url",
                (inbound_id,),
                headers={"Idempotency-Key": idempotency_key},
            ),
        )

    def list_requests(
        self,
        inbound_id: int,
        /,
        *,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        sort: Sort | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        fields: str | None = None,
    ) -> Pages[InboundRequestView]:
        """List the last ten requests of an inbound webhook with their verdicts, the newest first.

        Requests beyond the rate are not kept. Credentials are hidden.

        Needs an API key of scope `full` or `read`.

        Args:
            since: Only what was made at this instant or later.
            until: Only what was made before this instant.
            sort: The order: `-created_at`, the newest first, or `created_at`.
            limit: The largest number of items in the page.
            cursor: The `next` of the previous page; absent for the first.
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            InboundRequestView,
            make_call(
                "GET",
                "/api/v1/webhooks/incoming/{}/requests",
                (inbound_id,),
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

    def list_deliveries(
        self,
        inbound_id: int,
        /,
        *,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        sort: Sort | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        fields: str | None = None,
    ) -> Pages[InboundDeliveryView]:
        """List the accepted requests of an inbound webhook with their results, the newest first.

        They are kept for `plugins.inbound.keep_days` days.

        Needs an API key of scope `full` or `read`.

        Args:
            since: Only what was made at this instant or later.
            until: Only what was made before this instant.
            sort: The order: `-created_at`, the newest first, or `created_at`.
            limit: The largest number of items in the page.
            cursor: The `next` of the previous page; absent for the first.
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            InboundDeliveryView,
            make_call(
                "GET",
                "/api/v1/webhooks/incoming/{}/deliveries",
                (inbound_id,),
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

    def try_webhook(
        self,
        inbound_id: int,
        /,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[TriedInboundRequest],
    ) -> InboundTrial:
        """Try a request that you paste: the verdict, and the action that would follow.

        Nothing is stored and nothing acts.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        return self._read(
            InboundTrial,
            make_call(
                "POST",
                "/api/v1/webhooks/incoming/{}/try",
                (inbound_id,),
                headers={"Idempotency-Key": idempotency_key},
                body=body,
            ),
        )

    def receive_request(
        self,
        token: str,
        /,
    ) -> dict[str, JsonValue]:
        """Receive a request of another system.

        The status is 202 for an accepted request, after the commit of its event; 200 for a
        repeated
        request, and for a request that the filter leaves out; 401 for a wrong signature.

        Needs no API key.
        """
        return self._read(
            dict[str, JsonValue],
            make_call("POST", "/hooks/{}", (token,)),
        )


class AsyncInbound(AsyncOperationGroup):
    """URLs at which other systems start events, prompts, missions and notes."""

    async def create_webhook(
        self,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[NewInboundWebhook],
    ) -> CreatedInboundWebhook:
        """Create a URL at which another system starts an action for you.

        `url` and `secret` are shown once. The sender's signature is checked before anything
        else; a
        request is answered 202 after the commit of its event, and a repeated request 200
        without a
        second action.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        return await self._read(
            CreatedInboundWebhook,
            make_call(
                "POST",
                "/api/v1/webhooks/incoming",
                headers={"Idempotency-Key": idempotency_key},
                body=body,
            ),
        )

    def list_webhooks(
        self,
        *,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        sort: Sort | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        fields: str | None = None,
    ) -> AsyncPages[InboundWebhookView]:
        """List your inbound webhooks, the newest first.

        URLs and secrets are not shown.

        Needs an API key of scope `full` or `read`.

        Args:
            since: Only what was made at this instant or later.
            until: Only what was made before this instant.
            sort: The order: `-created_at`, the newest first, or `created_at`.
            limit: The largest number of items in the page.
            cursor: The `next` of the previous page; absent for the first.
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            InboundWebhookView,
            make_call(
                "GET",
                "/api/v1/webhooks/incoming",
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

    def list_presets(
        self,
        *,
        fields: str | None = None,
    ) -> AsyncPages[InboundPresetView]:
        """List the known senders, each with its signature and the place of its secret.

        Needs an API key of scope `full` or `read`.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            InboundPresetView,
            make_call("GET", "/api/v1/webhooks/incoming/presets", query={"fields": fields}),
            None,
        )

    async def read_webhook(
        self,
        inbound_id: int,
        /,
        *,
        fields: str | None = None,
        if_match: str | None = None,
    ) -> InboundWebhookView:
        """Read an inbound webhook.

        URL and secret are not shown.

        Needs an API key of scope `full` or `read`.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return await self._read(
            InboundWebhookView,
            make_call(
                "GET",
                "/api/v1/webhooks/incoming/{}",
                (inbound_id,),
                query={"fields": fields},
                headers={"If-Match": if_match},
            ),
        )

    async def change_webhook(
        self,
        inbound_id: int,
        /,
        *,
        if_match: str | None = None,
        **body: Unpack[InboundWebhookChange],
    ) -> InboundWebhookView:
        """Change an inbound webhook by a merge patch.

        `action` and `filter` are replaced as a whole. `secret` replaces the secret at once,
        while
        `rotate-secret` accepts the former one for some time.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        return await self._read(
            InboundWebhookView,
            make_call(
                "PATCH",
                "/api/v1/webhooks/incoming/{}",
                (inbound_id,),
                headers={"If-Match": if_match},
                body=body,
            ),
        )

    async def delete_webhook(
        self,
        inbound_id: int,
        /,
        *,
        if_match: str | None = None,
    ) -> None:
        """Delete an inbound webhook with its requests; the URL ends at once.

        Events, notes and missions stay.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        await self._finish(
            make_call(
                "DELETE",
                "/api/v1/webhooks/incoming/{}",
                (inbound_id,),
                headers={"If-Match": if_match},
            ),
        )

    async def rotate_secret(
        self,
        inbound_id: int,
        /,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[InboundSecret],
    ) -> RotatedInboundSecret:
        """Replace the secret; the former secret is accepted for a while too.

        The status is 409 for a webhook without signature.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        return await self._read(
            RotatedInboundSecret,
            make_call(
                "POST",
                "/api/v1/webhooks/incoming/{}/rotate-secret",
                (inbound_id,),
                headers={"Idempotency-Key": idempotency_key},
                body=body or None,
            ),
        )

    async def rotate_url(
        self,
        inbound_id: int,
        /,
        *,
        idempotency_key: str | None = None,
    ) -> InboundUrl:
        """Give the inbound webhook another URL, shown once; the former URL ends at once.

        Do so when the URL has become known to others.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        return await self._read(
            InboundUrl,
            make_call(
                "POST",
                "/api/v1/webhooks/incoming/{}/rotate-url",
                (inbound_id,),
                headers={"Idempotency-Key": idempotency_key},
            ),
        )

    def list_requests(
        self,
        inbound_id: int,
        /,
        *,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        sort: Sort | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        fields: str | None = None,
    ) -> AsyncPages[InboundRequestView]:
        """List the last ten requests of an inbound webhook with their verdicts, the newest first.

        Requests beyond the rate are not kept. Credentials are hidden.

        Needs an API key of scope `full` or `read`.

        Args:
            since: Only what was made at this instant or later.
            until: Only what was made before this instant.
            sort: The order: `-created_at`, the newest first, or `created_at`.
            limit: The largest number of items in the page.
            cursor: The `next` of the previous page; absent for the first.
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            InboundRequestView,
            make_call(
                "GET",
                "/api/v1/webhooks/incoming/{}/requests",
                (inbound_id,),
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

    def list_deliveries(
        self,
        inbound_id: int,
        /,
        *,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        sort: Sort | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        fields: str | None = None,
    ) -> AsyncPages[InboundDeliveryView]:
        """List the accepted requests of an inbound webhook with their results, the newest first.

        They are kept for `plugins.inbound.keep_days` days.

        Needs an API key of scope `full` or `read`.

        Args:
            since: Only what was made at this instant or later.
            until: Only what was made before this instant.
            sort: The order: `-created_at`, the newest first, or `created_at`.
            limit: The largest number of items in the page.
            cursor: The `next` of the previous page; absent for the first.
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            InboundDeliveryView,
            make_call(
                "GET",
                "/api/v1/webhooks/incoming/{}/deliveries",
                (inbound_id,),
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

    async def try_webhook(
        self,
        inbound_id: int,
        /,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[TriedInboundRequest],
    ) -> InboundTrial:
        """Try a request that you paste: the verdict, and the action that would follow.

        Nothing is stored and nothing acts.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        return await self._read(
            InboundTrial,
            make_call(
                "POST",
                "/api/v1/webhooks/incoming/{}/try",
                (inbound_id,),
                headers={"Idempotency-Key": idempotency_key},
                body=body,
            ),
        )

    async def receive_request(
        self,
        token: str,
        /,
    ) -> dict[str, JsonValue]:
        """Receive a request of another system.

        The status is 202 for an accepted request, after the commit of its event; 200 for a
        repeated
        request, and for a request that the filter leaves out; 401 for a wrong signature.

        Needs no API key.
        """
        return await self._read(
            dict[str, JsonValue],
            make_call("POST", "/hooks/{}", (token,)),
        )
