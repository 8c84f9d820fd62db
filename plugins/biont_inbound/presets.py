"""Presets: the signatures and events of well-known senders, as data.

Each preset is written from the public documentation of the sender, which `docs` names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from biont_inbound.signatures import SignatureTemplate


@dataclass(frozen=True)
class Preset:
    """Well-known sender.

    Attributes:
        title: the name of the sender.
        template: the signature; None for a sender without.
        event: the path of the sender's name of an event; None if there is none.
        makes_secret: whether the sender shows a secret that the user copies here; otherwise the
            workbench makes a secret that the user copies to the sender.
        help: where the user finds or enters the secret.
        docs: the page of the sender's documentation.
        challenge: whether the sender first asks for the text ``challenge`` of the body.
    """

    title: str
    template: SignatureTemplate | None
    help: str
    docs: str
    event: str | None = None
    makes_secret: bool = False
    challenge: bool = False


PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        "standard": Preset(
            "Standard Webhooks",
            SignatureTemplate(
                signature="headers.webhook-signature",
                separator=" ",
                prefix="v1,",
                encoding="base64",
                key="base64",
                signed="{id}.{timestamp}.{body}",
                timestamp="headers.webhook-timestamp",
                ids=["headers.webhook-id"],
            ),
            "Copy the secret, whsec_..., to the sender, or set the secret that the sender shows.",
            "https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md",
            event="body.type",
        ),
        "github": Preset(
            "GitHub",
            SignatureTemplate(
                signature="headers.x-hub-signature-256",
                prefix="sha256=",
                ids=["headers.x-github-delivery"],
            ),
            "Repository, Settings, Webhooks, Add webhook: enter the secret under Secret.",
            "https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries",
            event="headers.x-github-event",
        ),
        "gitlab": Preset(
            "GitLab",
            SignatureTemplate(
                algorithm="equal",
                signature="headers.x-gitlab-token",
                ids=["headers.idempotency-key", "headers.x-gitlab-event-uuid"],
            ),
            "Project, Settings, Webhooks: enter the secret under Secret token.",
            "https://docs.gitlab.com/user/project/integrations/webhooks/",
            event="headers.x-gitlab-event",
        ),
        "stripe": Preset(
            "Stripe",
            SignatureTemplate(
                signature="headers.stripe-signature",
                separator=",",
                prefix="v1=",
                signed="{timestamp}.{body}",
                timestamp="headers.stripe-signature",
                timestamp_prefix="t=",
                ids=["body.id"],
            ),
            "Workbench, Webhooks, your destination: copy the signing secret, whsec_...",
            "https://docs.stripe.com/webhooks/signature",
            event="body.type",
            makes_secret=True,
        ),
        "slack": Preset(
            "Slack",
            SignatureTemplate(
                signature="headers.x-slack-signature",
                prefix="v0=",
                signed="v0:{timestamp}:{body}",
                timestamp="headers.x-slack-request-timestamp",
                ids=["body.event_id"],
            ),
            "Your app, Basic Information: copy the Signing Secret. Set it here before you enter "
            "the URL, because Slack tries the URL at once.",
            "https://docs.slack.dev/authentication/verifying-requests-from-slack",
            event="body.event.type",
            makes_secret=True,
            challenge=True,
        ),
        "shopify": Preset(
            "Shopify",
            SignatureTemplate(
                signature="headers.x-shopify-hmac-sha256",
                encoding="base64",
                ids=["headers.x-shopify-webhook-id", "headers.x-shopify-event-id"],
            ),
            "Settings, Notifications, Webhooks: copy the key under the list of webhooks; for an "
            "app, the client secret.",
            "https://shopify.dev/docs/apps/build/webhooks/subscribe/https",
            event="headers.x-shopify-topic",
            makes_secret=True,
        ),
        "linear": Preset(
            "Linear",
            SignatureTemplate(
                signature="headers.linear-signature",
                timestamp="body.webhookTimestamp",
                tolerance=60,
                ids=["headers.linear-delivery"],
            ),
            "Settings, API, your webhook: copy the signing secret.",
            "https://linear.app/developers/webhooks",
            event="headers.linear-event",
            makes_secret=True,
        ),
        "mailgun": Preset(
            "Mailgun",
            SignatureTemplate(
                signature="body.signature.signature",
                signed="{timestamp}{id}",
                timestamp="body.signature.timestamp",
                # "There can be delays that are outside of Mailgun's control."
                tolerance=3600,
                ids=["body.signature.token"],
            ),
            "Sending, Webhooks: copy the HTTP webhook signing key. Mailgun signs time and token "
            "only, not the message.",
            "https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks",
            event="body.event-data.event",
            makes_secret=True,
        ),
        "twilio": Preset(
            "Twilio",
            SignatureTemplate(
                algorithm="sha1",
                encoding="base64",
                signature="headers.x-twilio-signature",
                signed="{url}{form}",
                ids=["headers.i-twilio-idempotency-token"],
                body_digest="query.bodySHA256",
            ),
            "Console, Account Info: copy the Auth Token. Twilio signs the URL: set "
            "plugins.inbound.public_url behind a proxy.",
            "https://www.twilio.com/docs/usage/webhooks/webhooks-security",
            makes_secret=True,
        ),
        "hmac": Preset(
            "HMAC of the body",
            SignatureTemplate(signature="headers.x-signature"),
            "Copy the secret to the sender. Describe the signature by `signature`.",
            "https://www.rfc-editor.org/rfc/rfc2104",
        ),
        "bearer": Preset(
            "Bearer token",
            SignatureTemplate(
                algorithm="equal", signature="headers.authorization", prefix="Bearer "
            ),
            "Let the sender send the header Authorization: Bearer and the secret.",
            "https://www.rfc-editor.org/rfc/rfc6750",
        ),
        "none": Preset(
            "No signature",
            None,
            "Anybody who knows the URL can send requests: prefer any other preset.",
            "https://www.rfc-editor.org/rfc/rfc9110",
        ),
    }
)
