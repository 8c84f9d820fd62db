# Written by tests/client/generate.py from the API document. Do not edit.
"""Operations of the group ``integrations``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, NotRequired, TypeAlias, TypedDict, Unpack

from biont.client.api.shared_models import Sort
from biont.client.async_pages import AsyncPages
from biont.client.call import make_call
from biont.client.groups import AsyncOperationGroup, OperationGroup
from biont.client.json_types import JsonValue
from biont.client.pages import Pages


class IntegrationChange(TypedDict):
    """Fields to change, as a JSON merge patch (RFC 7396).

    Attributes:
        settings: The settings to change: null removes a setting, and a setting that is left out
            stays, also a secret.
        reports: Receives the answers of schedules without `report_to`.
        shared: All users may send through the integration; for administrators only.
    """

    name: NotRequired[str]
    settings: NotRequired[Mapping[str, JsonValue]]
    reports: NotRequired[bool]
    shared: NotRequired[bool]


class IntegrationKindView(TypedDict):
    """Kind of outside system.

    Attributes:
        sends_test_message: Whether a test sends a message, because nothing else can prove the
            settings.
        settings_schema: The JSON schema of the settings; secrets have the format `password`.
    """

    name: str
    description: str
    sends_test_message: bool
    settings_schema: dict[str, JsonValue]


class IntegrationTest(TypedDict):
    """Test that an integration has passed.

    Attributes:
        sent_message: Whether a test message was sent.
    """

    connected: bool
    sent_message: bool


class IntegrationView(TypedDict):
    """Connection to an outside system, without secrets.

    Attributes:
        id: The number; null for a connection of the operator's configuration.
        managed_by: `file`: the operator's configuration, which this API does not change.
        reports: Receives the answers of schedules by default.
        shared: All users may send through the integration.
        settings: The settings without secrets; null if you may not change them.
        secrets: The names of the secrets that are set.
        failing: Whether the latest message or test failed.
    """

    id: int | None
    name: str
    kind: str
    managed_by: Manager
    reports: bool
    shared: bool
    settings: dict[str, JsonValue] | None
    secrets: list[str]
    failing: bool
    last_success_at: str | None
    last_failure_at: str | None
    last_error: str | None
    created_at: str | None
    updated_at: str | None


Manager: TypeAlias = Literal["file", "user"]
"""Place in which a connection is changed."""


class NewIntegration(TypedDict):
    """Integration to connect.

    Attributes:
        kind: The kind; see `GET /integrations/kinds`.
        settings: The settings of the kind. Secrets are encrypted, and never shown.
        reports: Receives the answers of schedules without `report_to`. By default `false`.
        shared: All users may send through the integration; for administrators only. By default
            `false`.
    """

    name: str
    kind: str
    settings: Mapping[str, JsonValue]
    reports: NotRequired[bool]
    shared: NotRequired[bool]


class NewMessage(TypedDict):
    """A message to send."""

    title: str
    text: NotRequired[str]


class SentMessageView(TypedDict):
    """A sent message.

    Attributes:
        cause: The id of the reported event.
    """

    id: int
    integration: str
    title: str
    cause: str | None
    sent_at: str


class Integrations(OperationGroup):
    """Connections to outside systems, and messages to them."""

    def list(
        self,
        *,
        fields: str | None = None,
    ) -> Pages[IntegrationView]:
        """List the integrations through which you may send messages, by name.

        These are your own, those that an administrator shares, and the connections of the
        operator's
        configuration. Secrets are not shown.

        Needs an API key of scope `full` or `read`.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            IntegrationView,
            make_call("GET", "/api/v1/integrations", query={"fields": fields}),
            None,
        )

    def connect(
        self,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[NewIntegration],
    ) -> IntegrationView:
        """Connect an outside system, to which you and your schedules send messages.

        The settings are checked for their form; `test` proves that they work. The status is 409
        for a
        name that is taken.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        return self._read(
            IntegrationView,
            make_call(
                "POST",
                "/api/v1/integrations",
                headers={"Idempotency-Key": idempotency_key},
                body=body,
            ),
        )

    def list_kinds(
        self,
        *,
        fields: str | None = None,
    ) -> Pages[IntegrationKindView]:
        """List the kinds of outside systems, each with the JSON schema of its settings.

        Needs an API key of scope `full` or `read`.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            IntegrationKindView,
            make_call("GET", "/api/v1/integrations/kinds", query={"fields": fields}),
            None,
        )

    def list_sent_messages(
        self,
        *,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        sort: Sort | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        fields: str | None = None,
    ) -> Pages[SentMessageView]:
        """List the messages sent on your behalf, the newest first.

        Messages are kept for `plugins.integrations.keep_days` days.

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
            SentMessageView,
            make_call(
                "GET",
                "/api/v1/integrations/messages",
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
        integration_id: int,
        /,
        *,
        fields: str | None = None,
        if_match: str | None = None,
    ) -> IntegrationView:
        """Read an integration, without secrets.

        Needs an API key of scope `full` or `read`.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._read(
            IntegrationView,
            make_call(
                "GET",
                "/api/v1/integrations/{}",
                (integration_id,),
                query={"fields": fields},
                headers={"If-Match": if_match},
            ),
        )

    def change(
        self,
        integration_id: int,
        /,
        *,
        if_match: str | None = None,
        **body: Unpack[IntegrationChange],
    ) -> IntegrationView:
        """Change an integration by a merge patch; a secret that is left out stays.

        The status is 403 for an integration that an administrator shares.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        return self._read(
            IntegrationView,
            make_call(
                "PATCH",
                "/api/v1/integrations/{}",
                (integration_id,),
                headers={"If-Match": if_match},
                body=body,
            ),
        )

    def delete(
        self,
        integration_id: int,
        /,
        *,
        if_match: str | None = None,
    ) -> None:
        """Delete an integration with its secrets; the records of its messages stay.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        self._finish(
            make_call(
                "DELETE",
                "/api/v1/integrations/{}",
                (integration_id,),
                headers={"If-Match": if_match},
            ),
        )

    def test(
        self,
        integration_id: int,
        /,
        *,
        idempotency_key: str | None = None,
    ) -> IntegrationTest:
        """Prove that an integration works, by its kind or else by a test message.

        Emits `integration_connected`, or `integration_failed` with the reason. The status is
        502 if
        the outside system refuses, or does not answer in time.

        Needs an API key of scope `full`.
        """
        return self._read(
            IntegrationTest,
            make_call(
                "POST",
                "/api/v1/integrations/{}/test",
                (integration_id,),
                headers={"Idempotency-Key": idempotency_key},
            ),
        )

    def send_message(
        self,
        name: str,
        /,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[NewMessage],
    ) -> None:
        """Send a message; the answer comes after the outside system accepted the message.

        The status is 502 if the outside system refuses the message or does not answer in time.

        Needs an API key of scope `full`.
        """
        self._finish(
            make_call(
                "POST",
                "/api/v1/integrations/{}/send",
                (name,),
                headers={"Idempotency-Key": idempotency_key},
                body=body,
            ),
        )


class AsyncIntegrations(AsyncOperationGroup):
    """Connections to outside systems, and messages to them."""

    def list(
        self,
        *,
        fields: str | None = None,
    ) -> AsyncPages[IntegrationView]:
        """List the integrations through which you may send messages, by name.

        These are your own, those that an administrator shares, and the connections of the
        operator's
        configuration. Secrets are not shown.

        Needs an API key of scope `full` or `read`.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            IntegrationView,
            make_call("GET", "/api/v1/integrations", query={"fields": fields}),
            None,
        )

    async def connect(
        self,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[NewIntegration],
    ) -> IntegrationView:
        """Connect an outside system, to which you and your schedules send messages.

        The settings are checked for their form; `test` proves that they work. The status is 409
        for a
        name that is taken.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        return await self._read(
            IntegrationView,
            make_call(
                "POST",
                "/api/v1/integrations",
                headers={"Idempotency-Key": idempotency_key},
                body=body,
            ),
        )

    def list_kinds(
        self,
        *,
        fields: str | None = None,
    ) -> AsyncPages[IntegrationKindView]:
        """List the kinds of outside systems, each with the JSON schema of its settings.

        Needs an API key of scope `full` or `read`.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            IntegrationKindView,
            make_call("GET", "/api/v1/integrations/kinds", query={"fields": fields}),
            None,
        )

    def list_sent_messages(
        self,
        *,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        sort: Sort | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        fields: str | None = None,
    ) -> AsyncPages[SentMessageView]:
        """List the messages sent on your behalf, the newest first.

        Messages are kept for `plugins.integrations.keep_days` days.

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
            SentMessageView,
            make_call(
                "GET",
                "/api/v1/integrations/messages",
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
        integration_id: int,
        /,
        *,
        fields: str | None = None,
        if_match: str | None = None,
    ) -> IntegrationView:
        """Read an integration, without secrets.

        Needs an API key of scope `full` or `read`.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return await self._read(
            IntegrationView,
            make_call(
                "GET",
                "/api/v1/integrations/{}",
                (integration_id,),
                query={"fields": fields},
                headers={"If-Match": if_match},
            ),
        )

    async def change(
        self,
        integration_id: int,
        /,
        *,
        if_match: str | None = None,
        **body: Unpack[IntegrationChange],
    ) -> IntegrationView:
        """Change an integration by a merge patch; a secret that is left out stays.

        The status is 403 for an integration that an administrator shares.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        return await self._read(
            IntegrationView,
            make_call(
                "PATCH",
                "/api/v1/integrations/{}",
                (integration_id,),
                headers={"If-Match": if_match},
                body=body,
            ),
        )

    async def delete(
        self,
        integration_id: int,
        /,
        *,
        if_match: str | None = None,
    ) -> None:
        """Delete an integration with its secrets; the records of its messages stay.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        await self._finish(
            make_call(
                "DELETE",
                "/api/v1/integrations/{}",
                (integration_id,),
                headers={"If-Match": if_match},
            ),
        )

    async def test(
        self,
        integration_id: int,
        /,
        *,
        idempotency_key: str | None = None,
    ) -> IntegrationTest:
        """Prove that an integration works, by its kind or else by a test message.

        Emits `integration_connected`, or `integration_failed` with the reason. The status is
        502 if
        the outside system refuses, or does not answer in time.

        Needs an API key of scope `full`.
        """
        return await self._read(
            IntegrationTest,
            make_call(
                "POST",
                "/api/v1/integrations/{}/test",
                (integration_id,),
                headers={"Idempotency-Key": idempotency_key},
            ),
        )

    async def send_message(
        self,
        name: str,
        /,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[NewMessage],
    ) -> None:
        """Send a message; the answer comes after the outside system accepted the message.

        The status is 502 if the outside system refuses the message or does not answer in time.

        Needs an API key of scope `full`.
        """
        await self._finish(
            make_call(
                "POST",
                "/api/v1/integrations/{}/send",
                (name,),
                headers={"Idempotency-Key": idempotency_key},
                body=body,
            ),
        )
