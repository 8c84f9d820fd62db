"""Kind ``ntfy``: topics of ntfy.sh or of an own ntfy server."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator
from yarl import URL

from biont import IntegrationContext, OutgoingMessage, make_integration_kind
from biont_integrations.kinds.fields import (
    Headers,
    HeaderValue,
    KindSettings,
    SecretUrl,
    ServerUrl,
)
from biont_integrations.kinds.requests import join_secret_token, send_json, truncate_bytes

_TEXT_BYTES = 4096


class NtfySettings(KindSettings):
    """Settings of the kind ``ntfy``: a topic with its server, or the URL of a topic."""

    topic: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")] | None = Field(
        None, description="The topic."
    )
    server: ServerUrl = Field("https://ntfy.sh", description="The URL of the server.")
    token: HeaderValue | None = Field(None, description="An access token.")
    url: SecretUrl | None = Field(
        None, description="The URL of a topic, instead of `server` and `topic`."
    )
    headers: Headers = Field(default_factory=dict, description="Headers of each message.")

    @model_validator(mode="after")
    def _check_topic(self) -> Self:
        if (self.topic is None) == (self.url is None):
            raise ValueError("needs either a topic or the URL of a topic")
        return self


async def _send(context: IntegrationContext[NtfySettings], message: OutgoingMessage) -> None:
    # https://docs.ntfy.sh/publish/#publish-as-json: JSON goes to the root of the server, with
    # at most 4,096 bytes.
    settings = context.settings
    server, topic = URL(settings.server), settings.topic
    if settings.url is not None:
        url = URL(settings.url.get_secret_value())
        # ntfy accepts an access token in the query, so the query stays.
        server, topic = url.parent.with_query(url.query), url.name
    headers = {**settings.headers}
    if settings.token is not None:
        headers["Authorization"] = join_secret_token(settings.token.get_secret_value())
    document = {
        "topic": topic,
        "title": message.title,
        "message": truncate_bytes(message.text, _TEXT_BYTES),
    }
    await send_json(context, server, document, headers=headers)


NTFY = make_integration_kind(
    "ntfy", "A topic of ntfy.sh, or of your own ntfy server.", NtfySettings, _send
)
