"""Connections that all webhooks share beyond one of each."""

from __future__ import annotations

import pytest
from support.webhooks import Crowd, emit, register, wait_for_deliveries

from biont.testing import ApiClient, WebhookReceiver


@pytest.fixture
def sections() -> dict[str, object]:
    webhooks = {"connections": 2}
    return {"plugins": {"webhooks": webhooks}, "egress": {"allow": ["127.0.0.0/8:*"]}}


async def test_webhooks_share_the_connections_beyond_their_first(
    client: ApiClient, receiver: WebhookReceiver
) -> None:
    crowd = Crowd()
    webhooks = [await register(client, receiver.url, event_types=["custom_*"]) for _ in range(2)]
    await emit(client)
    # After the first success a webhook may have several attempts under way.
    for webhook in webhooks:
        await wait_for_deliveries(client, webhook)

    receiver.respond = crowd.respond
    for number in range(10):
        await emit(client, n=number)
    await receiver.wait_for(2 + 4)
    crowd.gate.set()
    await receiver.wait_for(2 + 20)
    assert crowd.most == 4
