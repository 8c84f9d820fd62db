"""Waiting runs of one schedule: a bound, and a pause that holds these runs."""

from __future__ import annotations

import asyncio

import pytest
from pydantic import JsonValue

from biont.testing import ApiClient, ManualClock, ModelServer, rows_of, wait_for

BOUND = 20


@pytest.fixture
def sections(scripted: ModelServer) -> dict[str, object]:
    openai = {"base_url": scripted.url, "api_key": "x", "model": "m"}
    return {"plugins": {"llm": {"backend": "openai", "openai": openai}}}


async def run_now(client: ApiClient, clock: ManualClock, path: str) -> int:
    clock.advance(seconds=1)
    return (await client.ask("POST", f"{path}/run-now"))[0]


def count(page: dict[str, JsonValue], status: str) -> int:
    return sum(run["status"] == status for run in rows_of(page))


async def test_runs_by_hand_wait_up_to_a_bound_and_a_pause_holds_them(
    client: ApiClient, clock: ManualClock, scripted: ModelServer
) -> None:
    go_on = asyncio.Event()
    scripted.script = [wait_for(go_on)]
    made = await client.post("/schedule", {"name": "S", "cron": "0 9 * * *", "prompt": "Hi."})
    path = f"/schedule/{made['id']}"
    assert await run_now(client, clock, path) == 202
    await scripted.wait_until_busy(1)
    statuses = [await run_now(client, clock, path) for _ in range(BOUND + 5)]
    assert statuses == [202] * BOUND + [409] * 5
    clock.advance(seconds=1)
    await client.post(f"{path}/pause")
    go_on.set()
    await client.get_until(f"{path}/runs", lambda page: count(page, "succeeded") == 1)
    # A run by hand of a paused schedule goes on; the held runs do not.
    for run in rows_of(await client.get(f"{path}/runs"))[:1]:
        await client.ask("POST", f"{path}/runs/{run['id']}/cancel")
    assert await run_now(client, clock, path) == 202
    await client.get_until(f"{path}/runs", lambda page: count(page, "succeeded") == 2, seconds=120)
    assert count(await client.get(f"{path}/runs"), "queued") == BOUND - 1
    clock.advance(seconds=1)
    await client.post(f"{path}/resume")
    await client.get_until(
        f"{path}/runs?limit=100",
        lambda page: count(page, "succeeded") == BOUND + 1,
        seconds=120,
    )
