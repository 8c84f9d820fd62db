"""Retention of deliveries."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from conftest import Restart
from support.webhooks import (
    PATH,
    emit,
    leave_pending,
    list_deliveries,
    register,
    wait_for_deliveries,
)

from biont.testing import ApiClient, ManualClock, WebhookReceiver


def count(folder: Path, table: str) -> int:
    with closing(sqlite3.connect(folder / "biont.sqlite3")) as connection:
        (number,) = connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()  # noqa: S608
        return int(number)


async def wait_for_count(client: ApiClient, folder: Path, table: str, expected: int) -> None:
    await client.get_until("/health", lambda _: count(folder, table) == expected)


@pytest.mark.parametrize("page", [500, 2])
async def test_retention_deletes_old_finished_deliveries_only(
    restart: Restart,
    clock: ManualClock,
    receiver: WebhookReceiver,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    page: int,
) -> None:
    monkeypatch.setattr("biont_webhooks.delivery.retention.SLICE_ROWS", page)
    async with restart() as client:
        paused = await register(client, receiver.url)
        pending = await leave_pending(client, paused)
        webhook = await register(client, receiver.url)
        for number in range(3):
            await emit(client, number=number)
        resent, *_ = await wait_for_deliveries(client, webhook, 3)
        clock.advance(days=20)
        await client.post(f"{PATH}/{webhook['id']}/deliveries/{resent['id']}/resend")
        young = await emit(client, number=3)
        await wait_for_deliveries(client, webhook, 4)

    clock.advance(days=10, seconds=1)
    async with restart() as client:
        await wait_for_count(client, tmp_path, "webhook_messages", 3)
        left = await list_deliveries(client, webhook)
        assert [row["event_id"] for row in left] == [young["id"], resent["event_id"]]
        (kept,) = await list_deliveries(client, paused)
        assert kept["event_id"] == pending["id"]
        assert count(tmp_path, "webhook_attempts") == 3


async def test_retention_deletes_messages_of_deleted_webhooks(
    restart: Restart, clock: ManualClock, receiver: WebhookReceiver, tmp_path: Path
) -> None:
    async with restart() as client:
        webhook = await register(client, receiver.url)
        await emit(client)
        await wait_for_deliveries(client, webhook)
        await client.ask("DELETE", f"{PATH}/{webhook['id']}")
        assert count(tmp_path, "webhook_messages") == 1
    clock.advance(days=30, seconds=1)
    async with restart() as client:
        await wait_for_count(client, tmp_path, "webhook_messages", 0)


@pytest.mark.parametrize("sections", [{"plugins": {"webhooks": {"keep_days": 0}}}])
async def test_keep_days_0_keeps_everything(
    restart: Restart, clock: ManualClock, receiver: WebhookReceiver
) -> None:
    async with restart() as client:
        webhook = await register(client, receiver.url)
        await emit(client)
        await wait_for_deliveries(client, webhook)
    clock.advance(days=3650)
    async with restart() as client:
        await emit(client)
        assert len(await wait_for_deliveries(client, webhook, 2)) == 2
