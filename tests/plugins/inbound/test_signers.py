"""Signatures that the senders' own packages make, accepted by inbound webhooks."""

from __future__ import annotations

import pytest
from pydantic import JsonValue
from support.node import Node
from support.senders import Sender

from biont.testing import ApiClient, ManualClock

SECRET = "whsec_0a1b2c3d4e5f6a7b"
ACTION: JsonValue = {"kind": "event", "event_type": "custom_sent"}
# With letters beyond ASCII and a line break, which a signature counts by bytes.
BODY = '{"id": "evt_1", "type": "invoice.paid",\n "text": "Grüße ✓ \\u0000"}'.encode()


@pytest.mark.parametrize(
    ("preset", "header", "headers"),
    [
        (
            "github",
            "X-Hub-Signature-256",
            {"X-GitHub-Event": "issues", "X-GitHub-Delivery": "d-1"},
        ),
        ("stripe", "Stripe-Signature", {}),
    ],
)
async def test_signature_of_the_senders_own_code_is_accepted(
    client: ApiClient,
    clock: ManualClock,
    node: Node,
    preset: str,
    header: str,
    headers: dict[str, str],
) -> None:
    made = await client.post(
        "/webhooks/incoming",
        {"name": preset, "preset": preset, "secret": SECRET, "action": ACTION},
    )
    sender = Sender(str(made["url"]), SECRET)
    timestamp = str(int(clock.now().timestamp()))

    async def sign(secret: str) -> dict[str, str]:
        signature = await node.run("sign.mjs", preset, secret, timestamp, stdin=BODY)
        return {**headers, "Content-Type": "application/json", header: signature}

    wrong, right = await sign("whsec_another"), await sign(SECRET)
    assert (await sender.post(BODY, wrong)).status == 401
    assert (await sender.post(BODY.replace(b"paid", b"void"), right)).status == 401
    assert (await sender.post(BODY, right)).status == 202
