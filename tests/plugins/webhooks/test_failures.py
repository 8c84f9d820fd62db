"""Webhooks that fail for days are disabled."""

from __future__ import annotations

from support.webhooks import PATH, Document, emit, list_deliveries, register, wait_for_deliveries

from biont.testing import ApiClient, ManualClock, WebhookReceiver


async def fail(
    client: ApiClient, receiver: WebhookReceiver, webhook: Document, count: int = 1
) -> None:
    """Let so many attempts fail."""
    receiver.status = 500
    for _ in range(count):
        await emit(client)
    await wait_for_all(client, webhook)


async def wait_for_all(client: ApiClient, webhook: Document) -> None:
    await wait_for_deliveries(client, webhook, len(await list_deliveries(client, webhook)))


async def read_status(client: ApiClient, webhook: Document) -> object:
    return (await client.get(f"{PATH}/{webhook['id']}"))["status"]


async def test_ten_failures_in_five_days_disable_a_webhook_until_it_is_resumed(
    client: ApiClient, receiver: WebhookReceiver, clock: ManualClock
) -> None:
    webhook = await register(client, receiver.url)
    await fail(client, receiver, webhook, 9)
    clock.advance(days=4, hours=23)
    await fail(client, receiver, webhook)
    assert await read_status(client, webhook) == "active"
    clock.advance(hours=1)
    await fail(client, receiver, webhook)
    shown = await client.get(f"{PATH}/{webhook['id']}")
    assert shown["status"] == "disabled"
    assert "5 days" in str(shown["disabled_reason"])

    await client.post(f"{PATH}/{webhook['id']}/resume")
    await fail(client, receiver, webhook)
    assert await read_status(client, webhook) == "active"


async def test_nine_failures_never_disable(
    client: ApiClient, receiver: WebhookReceiver, clock: ManualClock
) -> None:
    webhook = await register(client, receiver.url)
    for _ in range(9):
        await fail(client, receiver, webhook)
        clock.advance(days=4)
    assert await read_status(client, webhook) == "active"
    await fail(client, receiver, webhook)
    assert await read_status(client, webhook) == "disabled"


async def test_an_idle_week_between_failures_begins_to_count_anew(
    client: ApiClient, receiver: WebhookReceiver, clock: ManualClock
) -> None:
    webhook = await register(client, receiver.url)
    await fail(client, receiver, webhook, 12)
    clock.advance(days=7)
    await fail(client, receiver, webhook)
    shown = await client.get(f"{PATH}/{webhook['id']}")
    assert (shown["status"], shown["failing_since"]) == ("active", "2026-03-09T12:00:00Z")


async def test_a_success_ends_the_failures(
    client: ApiClient, receiver: WebhookReceiver, clock: ManualClock
) -> None:
    webhook = await register(client, receiver.url)
    await fail(client, receiver, webhook, 10)
    clock.advance(days=3)
    receiver.status = 200
    await emit(client)
    await wait_for_all(client, webhook)
    assert (await client.get(f"{PATH}/{webhook['id']}"))["failing_since"] is None
    await fail(client, receiver, webhook, 10)
    clock.advance(days=3)
    await fail(client, receiver, webhook)
    assert await read_status(client, webhook) == "active"


async def test_tests_count_neither_as_failure_nor_as_success(
    client: ApiClient, receiver: WebhookReceiver, clock: ManualClock
) -> None:
    webhook = await register(client, receiver.url, retry=[3600])
    receiver.status = 500
    for _ in range(10):
        await client.post(f"{PATH}/{webhook['id']}/test")
    await wait_for_all(client, webhook)
    clock.advance(days=5)
    receiver.status = 410
    await client.post(f"{PATH}/{webhook['id']}/test")
    await wait_for_all(client, webhook)
    shown = await client.get(f"{PATH}/{webhook['id']}")
    assert (shown["status"], shown["failing_since"]) == ("active", None)

    webhook = await register(client, receiver.url)
    await fail(client, receiver, webhook, 9)
    receiver.status = 200
    await client.post(f"{PATH}/{webhook['id']}/test")
    await wait_for_all(client, webhook)
    clock.advance(days=5)
    await fail(client, receiver, webhook)
    assert await read_status(client, webhook) == "disabled"
