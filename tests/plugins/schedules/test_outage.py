"""Runs whose model is out of service wait, and are not failed."""

from __future__ import annotations

import pytest
from pydantic import JsonValue

from biont import Workbench
from biont.testing import ApiClient, ManualClock, ModelServer, respond, rows_of

COUNT = 30


@pytest.fixture
def sections(scripted: ModelServer) -> dict[str, object]:
    openai = {"base_url": scripted.url, "api_key": "x", "model": "m"}
    llm: dict[str, object] = {"backend": "openai", "openai": openai, "retries": 0}
    llm |= {"circuit_failures": 2, "circuit_pause": 3600}
    return {"plugins": {"llm": llm}, "scheduler": {"concurrency": 8, "catch_up_window": 86400}}


async def break_model(client: ApiClient, scripted: ModelServer) -> None:
    """Let requests fail until the circuit breaker opens."""
    scripted.script += [respond(500, b"down")] * 2
    for _ in range(2):
        assert (await client.ask("POST", "/chat", {"message": "Hello"}))[0] == 502


async def create_schedules(client: ApiClient) -> None:
    for number in range(COUNT):
        body: dict[str, JsonValue] = {"name": f"S{number}", "cron": "30 12 * * *", "prompt": "Hi."}
        await client.post("/schedule", body)


def count_runs(page: dict[str, JsonValue], status: str) -> int:
    return sum(run["status"] == status for run in rows_of(page))


async def read_runs(client: ApiClient) -> list[dict[str, JsonValue]]:
    schedules = rows_of(await client.get("/schedule?limit=100"))
    return [
        run
        for schedule in schedules
        for run in rows_of(await client.get(f"/schedule/{schedule['id']}/runs"))
    ]


async def wait_for_notes(client: ApiClient) -> None:
    await client.get_until("/notes?limit=100", lambda page: len(rows_of(page)) == COUNT)


async def test_all_runs_succeed_that_are_due_together_after_an_outage(
    workbench: Workbench, client: ApiClient, clock: ManualClock, scripted: ModelServer
) -> None:
    await create_schedules(client)
    await break_model(client, scripted)
    clock.advance(hours=3)
    workbench.scheduler.wake()
    await wait_for_notes(client)
    runs = await read_runs(client)
    assert [(run["status"], run["attempts"]) for run in runs] == [("succeeded", 1)] * COUNT


async def test_runs_wait_while_the_circuit_breaker_is_open(
    workbench: Workbench, client: ApiClient, clock: ManualClock, scripted: ModelServer
) -> None:
    await create_schedules(client)
    await break_model(client, scripted)
    clock.advance(minutes=31)
    workbench.scheduler.wake()
    # The last schedule's run was started and put back like all others before.
    await client.get_until(
        f"/schedule/{COUNT}/runs", lambda page: "gets no requests" in str(rows_of(page))
    )
    (run,) = rows_of(await client.get(f"/schedule/{COUNT}/runs"))
    assert (run["status"], run["attempts"], run["error"]) == ("queued", 0, None)
    assert run["waits_until"] is not None
    # A restart or a long outage does not make the run late.
    clock.advance(hours=5)
    workbench.scheduler.wake()
    await wait_for_notes(client)
    runs = await read_runs(client)
    assert {(run["status"], run["attempts"], run["reason"]) for run in runs} == {
        ("succeeded", 1, None)
    }
