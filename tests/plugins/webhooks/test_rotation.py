"""Rotation of secrets."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

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


async def test_each_replaced_secret_signs_until_its_own_time_is_up(
    client: ApiClient, receiver: WebhookReceiver, clock: ManualClock
) -> None:
    clock.advance(days=-1)
    webhook = await register(client, receiver.url)
    first = await rotate(client, webhook)
    clock.advance(hours=1)
    second = await rotate(client, webhook)
    until = datetime.fromisoformat(str(second["previous_secret_until"]))
    assert until - clock.now() == timedelta(days=1)

    clock.advance(hours=22, minutes=59)
    await emit(client)
    (request,) = await receiver.wait_for(1)
    assert len(request.headers["webhook-signature"].split(" ")) == 3
    for secret in (webhook["secret"], first["secret"], second["secret"]):
        verify(request, secret)

    clock.advance(minutes=1)
    await emit(client)
    _, request = await receiver.wait_for(2)
    verify(request, first["secret"])
    verify(request, second["secret"])
    with pytest.raises(WebhookVerificationError):
        verify(request, webhook["secret"])

    clock.advance(hours=1)
    assert (await client.get(f"{PATH}/{webhook['id']}"))["previous_secret_until"] is None
    await rotate(client, webhook)
    await emit(client)
    *_, request = await receiver.wait_for(3)
    assert len(request.headers["webhook-signature"].split(" ")) == 2


async def test_replaced_secrets_that_sign_are_limited(
    client: ApiClient, clock: ManualClock
) -> None:
    webhook = await register(client, "https://example.com/hook")
    for _ in range(20):
        await rotate(client, webhook)
    status, problem = await client.ask("POST", f"{PATH}/{webhook['id']}/rotate-secret")
    assert (status, "20 replaced secrets" in str(problem["detail"])) == (409, True)
    clock.advance(days=1)
    await rotate(client, webhook)


@pytest.mark.parametrize(
    "secret",
    [
        f"v1,whsec_{'a2tr' * 8}",
        f"WHSEC_{'a2tr' * 8}",
        f" whsec_{'a2tr' * 8}",
        "some words of mine",
    ],
)
async def test_a_secret_that_would_count_as_plain_text_is_refused(
    client: ApiClient, secret: str
) -> None:
    webhook = await register(client, "https://example.com/hook")
    body: dict[str, JsonValue] = {"secret": secret}
    rotation = f"{PATH}/{webhook['id']}/rotate-secret"
    assert await list_pointers(client, "POST", rotation, body) == ["#/secret"]
    body |= {"url": "https://example.com/hook"}
    assert await list_pointers(client, "POST", f"{PATH}/register", body) == ["#/secret"]


async def test_rotation_accepts_a_chosen_secret(
    client: ApiClient, receiver: WebhookReceiver
) -> None:
    webhook = await register(client, receiver.url)
    rotated = await rotate(client, webhook, {"secret": "a-secret-of-my-very-own"})
    assert rotated["secret"] == "a-secret-of-my-very-own"
    path = f"{PATH}/{webhook['id']}"
    assert await list_pointers(client, "POST", f"{path}/rotate-secret", {"secret": "short"}) == [
        "#/secret"
    ]
    assert "very-own" not in str(await client.get(path))


@pytest.mark.parametrize("sections", [{"plugins": {"webhooks": {"rotation_overlap": 0}}}])
async def test_rotation_overlap_is_a_setting(client: ApiClient, receiver: WebhookReceiver) -> None:
    webhook = await register(client, receiver.url)
    rotated = await rotate(client, webhook)
    await emit(client)
    (request,) = await receiver.wait_for(1)
    verify(request, rotated["secret"])
    with pytest.raises(WebhookVerificationError):
        verify(request, webhook["secret"])
