# Written by tests/client/generate.py from the API document. Do not edit.
"""Operations of the group ``integrations``: messages through the configured outside systems."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NotRequired, TypeAlias, TypedDict, Unpack

from biont.client.api.shared_models import Sort
from biont.client.async_pages import AsyncPages
from biont.client.call import make_call
from biont.client.groups import AsyncOperationGroup, OperationGroup
from biont.client.pages import Pages


class IntegrationView(TypedDict):
    """A connection, without the URL, which may be a secret.

    Attributes:
        reports: Receives the answers of schedules by default.
    """

    name: str
    kind: Kind
    reports: bool


Kind: TypeAlias = Literal["json", "slack", "discord", "ntfy"]
"""Message format of an outside system."""


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
    """Messages through the configured outside systems."""

    def list(
        self,
        *,
        fields: str | None = None,
    ) -> Pages[IntegrationView]:
        """List the integrations of the workbench, by name.

        The operator configures the connections; URLs and secrets are not shown.

        Needs an API key of scope `full` or `read`.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            IntegrationView,
            make_call("GET", "/api/v1/integrations", query={"fields": fields}),
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
    """Messages through the configured outside systems."""

    def list(
        self,
        *,
        fields: str | None = None,
    ) -> AsyncPages[IntegrationView]:
        """List the integrations of the workbench, by name.

        The operator configures the connections; URLs and secrets are not shown.

        Needs an API key of scope `full` or `read`.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            IntegrationView,
            make_call("GET", "/api/v1/integrations", query={"fields": fields}),
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
