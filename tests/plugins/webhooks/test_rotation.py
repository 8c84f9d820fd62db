"""Rotation of secrets."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime

import pytest
from pydantic import JsonValue
from standardwebhooks import Webhook, WebhookVerificationError
from support.webhooks import PATH, emit, list_pointers, register

from biont.testing import ApiClient, ManualClock, Received, WebhookReceiver


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime.now(UTC))  # the library refuses what is older than five minutes


def verify(request: Received, secret: JsonValue) -> None:
    Webhook(str(secret)).verify(request.body.decode(), dict(request.headers))


async def rotate(
    client: ApiClient, webhook: dict[str, JsonValue], body: JsonValue = None
) -> dict[str, JsonValue]:
    return await client.post(f"{PATH}/{webhook['id']}/rotate-secret", body)


async def test_old_secret_still_signs_for_a_day(
    client: ApiClient, receiver: WebhookReceiver, clock: ManualClock
) -> None:
    webhook = await register(client, receiver.url)
    rotated = await rotate(client, webhook)
    assert rotated["secret"] != webhook["secret"]
    await emit(client)
    (request,) = await receiver.wait_for(1)
    verify(request, webhook["secret"])
    verify(request, rotated["secret"])
    expected = hmac.new(str(rotated["secret"]).encode(), request.body, hashlib.sha256)
    assert request.headers["X-ASI-Signature"] == expected.hexdigest()
    until = datetime.fromisoformat(str(rotated["previous_secret_until"]))
    assert (until - clock.now()).total_seconds() == 24 * 3600


async def test_old_secret_stops_signing_after_the_overlap(
    client: ApiClient, receiver: WebhookReceiver, clock: ManualClock
) -> None:
    clock.advance(days=-1)
    webhook = await register(client, receiver.url)
    rotated = await rotate(client, webhook)
    clock.advance(days=1)
    await emit(client)
    (request,) = await receiver.wait_for(1)
    verify(request, rotated["secret"])
    with pytest.raises(WebhookVerificationError):
        verify(request, webhook["secret"])


async def test_a_second_rotation_ends_the_first_secret(
    client: ApiClient, receiver: WebhookReceiver
) -> None:
    webhook = await register(client, receiver.url)
    first = await rotate(client, webhook)
    second = await rotate(client, webhook)
    await emit(client)
    (request,) = await receiver.wait_for(1)
    verify(request, first["secret"])
    verify(request, second["secret"])
    with pytest.raises(WebhookVerificationError):
        verify(request, webhook["secret"])


async def test_rotation_accepts_a_chosen_secret(
    client: ApiClient, receiver: WebhookReceiver
) -> None:
    webhook = await register(client, receiver.url)
    rotated = await rotate(client, webhook, {"secret": "a secret of my very own"})
    assert rotated["secret"] == "a secret of my very own"
    path = f"{PATH}/{webhook['id']}"
    assert await list_pointers(client, "POST", f"{path}/rotate-secret", {"secret": "short"}) == [
        "#/secret"
    ]
    assert "very own" not in str(await client.get(path))


@pytest.mark.parametrize("sections", [{"plugins": {"webhooks": {"rotation_overlap": 0}}}])
async def test_rotation_overlap_is_a_setting(client: ApiClient, receiver: WebhookReceiver) -> None:
    webhook = await register(client, receiver.url)
    rotated = await rotate(client, webhook)
    await emit(client)
    (request,) = await receiver.wait_for(1)
    verify(request, rotated["secret"])
    with pytest.raises(WebhookVerificationError):
        verify(request, webhook["secret"])
