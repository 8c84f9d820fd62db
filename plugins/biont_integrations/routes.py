"""REST routes of integrations."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import ConfigDict, Field

from biont import Api, Page, Request, Schema
from biont.http import ListQuery, make_page
from biont_integrations.integrations import INTEGRATIONS
from biont_integrations.settings import ConnectionName, Kind
from biont_integrations.tables import SentMessage

api = Api("integrations", description="Messages through the configured outside systems.")


class IntegrationView(Schema):
    """A connection, without the URL, which may be a secret."""

    name: str
    kind: Kind
    reports: bool = Field(description="Receives the answers of schedules by default.")


class NewMessage(Schema):
    """A message to send."""

    model_config = ConfigDict(extra="forbid")

    title: Annotated[str, Field(min_length=1, max_length=200)]
    text: Annotated[str, Field(max_length=100_000)] = ""


class SentMessageView(Schema):
    """A sent message."""

    id: int
    integration: str
    title: str
    cause: str | None = Field(description="The id of the reported event.")
    sent_at: datetime


@api.get("/integrations")
async def list_integrations(request: Request) -> Page[IntegrationView]:
    """List the integrations of the workbench, by name.

    The operator configures the connections; URLs and secrets are not shown.
    """
    connections = request.workbench.get(INTEGRATIONS).connections
    views = [
        IntegrationView(name=name, kind=connection.kind, reports=connection.reports)
        for name, connection in sorted(connections.items())
    ]
    return Page(data=views, next=None)


@api.get("/integrations/messages")
async def list_sent_messages(
    request: Request,
    query: ListQuery,
) -> Page[SentMessageView]:
    """List the messages sent on your behalf, the newest first.

    Messages are kept for `plugins.integrations.keep_days` days.
    """
    rows = await request.workbench.store.read(
        SentMessage.read_page, request.user_id, query.limit, query.span
    )
    return make_page(rows, query.limit, lambda row: row.id, _make_message_view)


@api.post(
    "/integrations/{name}/send",
    status=204,
    problems=(502,),
    example={"title": "Report", "text": "All is well."},
)
async def send_message(request: Request, name: ConnectionName, body: NewMessage) -> None:
    """Send a message; the answer comes after the outside system accepted the message.

    The status is 502 if the outside system refuses the message or does not answer in time.
    """
    await request.workbench.get(INTEGRATIONS).send(request.user_id, name, body.title, body.text)


def _make_message_view(message: SentMessage) -> SentMessageView:
    return SentMessageView(
        id=message.id,
        integration=message.integration,
        title=message.title,
        cause=message.cause,
        sent_at=message.sent_at,
    )
