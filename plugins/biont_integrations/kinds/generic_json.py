"""Kind ``json``: any server that takes a title and a text as JSON."""

from __future__ import annotations

from pydantic import Field

from biont import IntegrationContext, OutgoingMessage, make_integration_kind
from biont_integrations.kinds.fields import Headers, KindSettings, SecretUrl
from biont_integrations.kinds.requests import send_json


class JsonSettings(KindSettings):
    """Settings of the kind ``json``."""

    url: SecretUrl = Field(description="The URL to post messages to.")
    headers: Headers = Field(default_factory=dict, description="Headers of each message.")


async def _send(context: IntegrationContext[JsonSettings], message: OutgoingMessage) -> None:
    settings = context.settings
    await send_json(
        context,
        settings.url.get_secret_value(),
        {"title": message.title, "text": message.text},
        headers=settings.headers,
    )


JSON = make_integration_kind(
    "json", "Any server that accepts `title` and `text` as JSON.", JsonSettings, _send
)
