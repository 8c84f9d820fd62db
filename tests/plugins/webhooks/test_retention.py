"""What is finished is kept for a while, then deleted."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer
from support.client import Client
from support.clock import FakeClock
from support.config import write_config
from support.receiver import Receiver
from support.webhooks import PATH, emit, list_deliveries, register, wait_for_deliveries

from biont import Scope, load_settings, open_workbench

Start = Callable[[], AbstractAsyncContextManager[Client]]


@pytest.fixture
def keep_days() -> int:
    return 30


@pytest.fixture
async def start(tmp_path: Path, clock: FakeClock, keep_days: int) -> Start:
    """Start a workbench on the same database each time; yield a client of it."""
    sections: dict[str, object] = {"plugins": {"webhooks": {"keep_days": keep_days}}}
    settings = load_settings(write_config(tmp_path, sections), environ={})

    @asynccontextmanager
    async def run() -> AsyncIterator[Client]:
        async with (
            open_workbench(settings, clock=clock) as workbench,
            TestServer(workbench.app, host="127.0.0.1") as server,
        ):
            users = await workbench.keys.list_users()
            user = users[0] if users else await workbench.keys.create_user("ada")
            key, _ = await workbench.keys.create(user.id, "test", Scope.FULL)
            async with Client(str(server.make_url("")).rstrip("/"), key) as client:
                yield client

    return run


def count(folder: Path, table: str) -> int:
    with closing(sqlite3.connect(folder / "biont.sqlite3")) as connection:
        (number,) = connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()  # noqa: S608
        return int(number)


async def wait_for_count(client: Client, folder: Path, table: str, expected: int) -> None:
    await client.get_until("/health", lambda _: count(folder, table) == expected)


@pytest.mark.parametrize("page", [500, 2])
async def test_what_is_old_and_finished_goes_and_the_rest_stays(
    start: Start,
    clock: FakeClock,
    receiver: Receiver,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    page: int,
) -> None:
    monkeypatch.setattr("biont_webhooks.retention.SLICE", page)
    async with start() as client:
        webhook = await register(client, receiver.url)
        paused = await register(client, receiver.url)
        await client.post(f"{PATH}/{paused['id']}/pause")
        pending = await client.post(f"{PATH}/{paused['id']}/test")
        for number in range(3):
            await emit(client, number=number)
        resent, *_ = await wait_for_deliveries(client, webhook, 3)
        clock.advance(days=20)
        await client.post(f"{PATH}/{webhook['id']}/deliveries/{resent['id']}/resend")
        young = await emit(client, number=3)
        await wait_for_deliveries(client, webhook, 4)

    clock.advance(days=10, seconds=1)
    async with start() as client:
        await wait_for_count(client, tmp_path, "webhook_messages", 3)
        left = await list_deliveries(client, webhook)
        assert [row["event_id"] for row in left] == [young["id"], resent["event_id"]]
        assert [row["id"] for row in await list_deliveries(client, paused)] == [pending["id"]]
        assert count(tmp_path, "webhook_attempts") == 3


async def test_what_a_deleted_webhook_leaves_goes_too(
    start: Start, clock: FakeClock, receiver: Receiver, tmp_path: Path
) -> None:
    async with start() as client:
        webhook = await register(client, receiver.url)
        await emit(client)
        await wait_for_deliveries(client, webhook)
        await client.ask("DELETE", f"{PATH}/{webhook['id']}")
        assert count(tmp_path, "webhook_messages") == 1
    clock.advance(days=30, seconds=1)
    async with start() as client:
        await wait_for_count(client, tmp_path, "webhook_messages", 0)


@pytest.mark.parametrize("keep_days", [0])
async def test_the_operator_may_keep_everything(
    start: Start, clock: FakeClock, receiver: Receiver
) -> None:
    async with start() as client:
        webhook = await register(client, receiver.url)
        await emit(client)
        await wait_for_deliveries(client, webhook)
    clock.advance(days=3650)
    async with start() as client:
        await emit(client)
        assert len(await wait_for_deliveries(client, webhook, 2)) == 2
