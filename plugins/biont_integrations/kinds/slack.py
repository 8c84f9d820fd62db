"""Kind ``slack``: incoming webhooks of Slack, and of Mattermost, which takes the same format."""

from __future__ import annotations

from pydantic import Field

from biont import IntegrationContext, OutgoingMessage, make_integration_kind
from biont_integrations.kinds.fields import Headers, KindSettings, SecretUrl
from biont_integrations.kinds.requests import send_json, truncate

_TEXT_LIMIT = 40_000


class SlackSettings(KindSettings):
    """Settings of the kind ``slack``."""

    url: SecretUrl = Field(
        description="The URL of an incoming webhook: https://hooks.slack.com/services/..."
    )
    headers: Headers = Field(default_factory=dict, description="Headers of each message.")


async def _send(context: IntegrationContext[SlackSettings], message: OutgoingMessage) -> None:
    # https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks for the request;
    # https://docs.slack.dev/messaging/formatting-message-text: these three characters must be
    # escaped.
    content = f"*{message.title}*\n{message.text}"
    for sign, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        content = content.replace(sign, entity)
    settings = context.settings
    await send_json(
        context,
        settings.url.get_secret_value(),
        {"text": truncate(content, _TEXT_LIMIT)},
        headers=settings.headers,
    )


SLACK = make_integration_kind(
    "slack",
    "A channel of Slack or Mattermost, by an incoming webhook of the channel.",
    SlackSettings,
    _send,
)
