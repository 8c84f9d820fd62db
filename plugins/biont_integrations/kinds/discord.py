"""Kind ``discord``: webhooks of Discord channels."""

from __future__ import annotations

from pydantic import Field

from biont import IntegrationContext, OutgoingMessage, make_integration_kind
from biont_integrations.kinds.fields import Headers, KindSettings, SecretUrl
from biont_integrations.kinds.requests import send_json, truncate

_TEXT_LIMIT = 2000


class DiscordSettings(KindSettings):
    """Settings of the kind ``discord``."""

    url: SecretUrl = Field(
        description="The URL of a channel's webhook: https://discord.com/api/webhooks/..."
    )
    headers: Headers = Field(default_factory=dict, description="Headers of each message.")


async def _send(context: IntegrationContext[DiscordSettings], message: OutgoingMessage) -> None:
    # https://discord.com/developers/docs/resources/webhook#execute-webhook: at most 2,000
    # characters. No mentions, because a model writes the text and could notify everybody by
    # `@everyone`.
    content = truncate(f"**{message.title}**\n{message.text}", _TEXT_LIMIT)
    await send_json(
        context,
        context.settings.url.get_secret_value(),
        {"content": content, "allowed_mentions": {"parse": []}},
        headers=context.settings.headers,
    )


async def _connect(context: IntegrationContext[DiscordSettings]) -> None:
    # https://discord.com/developers/docs/resources/webhook#get-webhook-with-token
    await send_json(
        context,
        context.settings.url.get_secret_value(),
        None,
        method="GET",
        headers=context.settings.headers,
    )


DISCORD = make_integration_kind(
    "discord",
    "A channel of Discord, by a webhook of the channel.",
    DiscordSettings,
    _send,
    _connect,
)
