"""Approvals of tool calls: changed arguments, deadlines, and only one decision."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest
from conftest import Restart
from plugins.agents.test_agents import advance, start
from pydantic import JsonValue

from biont import Scope, Workbench
from biont.testing import (
    ApiClient,
    MakeClient,
    ManualClock,
    ModelServer,
    payload_of,
    rows_of,
    say,
)

SEND = say(calls=[("send_message", '{"integration": "chat", "title": "Hi"}')])
DENY = {"approval_timeout": 3600, "approval_default": "deny"}
PATH = "/tool-calls/1"


@pytest.fixture
def limits() -> Mapping[str, object]:
    """Settings of agents, set by `parametrize`."""
    return {}


@pytest.fixture
def sections(scripted: ModelServer, limits: Mapping[str, object]) -> dict[str, object]:
    openai = {"base_url": scripted.url, "api_key": "x", "model": "m", "native_tools": True}
    llm = {"backend": "openai", "openai": openai, "retries": 0}
    return {"plugins": {"llm": llm, "agents": dict(limits)}}


async def wait_for_approval(workbench: Workbench, scripted: ModelServer) -> int:
    """Begin a run whose only tool call waits; return the number of the run."""
    scripted.script += [SEND, say("Over.")]
    run_id = await start(workbench, ["send_message"])
    await advance(workbench, run_id)
    return run_id


async def test_a_call_is_made_with_the_arguments_that_the_user_changed(
    workbench: Workbench, client: ApiClient, scripted: ModelServer
) -> None:
    run_id = await wait_for_approval(workbench, scripted)
    changed: JsonValue = {"integration": "team", "title": "Hello"}
    call = await client.post(f"{PATH}/approve", {"arguments": changed})
    assert call["approved_arguments"] == changed
    assert call["arguments"] == '{"integration": "chat", "title": "Hi"}'
    (event,) = rows_of(await client.get("/events?event_type=tool_call_decided"))
    payload = payload_of(event)
    assert (payload["arguments_changed"], payload["decided_by"]) == (True, "user")
    await advance(workbench, run_id)
    assert "no integration 'team'" in str((await client.get(PATH))["result"])
    told = str(scripted.asked[-1].messages[-1])
    assert "the user changed the arguments" in told
    assert '"title":"Hello"' in told
    assert "no integration" in told


@pytest.mark.parametrize(
    "body", [None, {}, {"arguments": None}, {"arguments": {"title": "Hi", "integration": "chat"}}]
)
async def test_a_call_that_the_user_leaves_as_it_is_counts_as_unchanged(
    workbench: Workbench, client: ApiClient, scripted: ModelServer, body: dict[str, JsonValue]
) -> None:
    run_id = await wait_for_approval(workbench, scripted)
    assert (await client.post(f"{PATH}/approve", body))["approved_arguments"] is None
    await advance(workbench, run_id)
    assert "changed" not in str(scripted.asked[-1].messages[-1])


@pytest.mark.parametrize(
    ("arguments", "pointer"),
    [
        ({"integration": "chat"}, "#/arguments/title"),
        ({"integration": 7, "title": "x"}, "#/arguments/integration"),
        ({"integration": "chat", "title": "x", "to~/": 1}, "#/arguments/to~0~1"),
        (["chat"], "#/arguments"),
    ],
)
async def test_arguments_that_do_not_fit_the_tool_decide_nothing(
    workbench: Workbench,
    client: ApiClient,
    scripted: ModelServer,
    arguments: JsonValue,
    pointer: str,
) -> None:
    await wait_for_approval(workbench, scripted)
    status, problem = await client.ask("POST", f"{PATH}/approve", {"arguments": arguments})
    assert status == 422
    assert f"'pointer': '{pointer}'" in str(problem["errors"])
    assert (await client.get(PATH))["status"] == "waiting"


async def test_strangers_change_no_arguments(
    open_client: MakeClient, workbench: Workbench, scripted: ModelServer
) -> None:
    client, other = await open_client("ada"), await open_client("eve")
    reader = await open_client("ada", Scope.READ)
    await wait_for_approval(workbench, scripted)
    bad: JsonValue = {"arguments": {}}
    assert (await other.ask("POST", f"{PATH}/approve", bad))[0] == 404
    assert (await reader.ask("POST", f"{PATH}/approve", bad))[0] == 403
    assert (await client.get(PATH))["status"] == "waiting"


@pytest.mark.parametrize("limits", [DENY])
async def test_a_call_that_nobody_decides_is_rejected_at_the_deadline(
    workbench: Workbench, client: ApiClient, scripted: ModelServer, clock: ManualClock
) -> None:
    run_id = await wait_for_approval(workbench, scripted)
    (event,) = rows_of(await client.get("/events?event_type=tool_call_waiting"))
    call = await client.get(PATH)
    for deadline in (payload_of(event)["deadline"], call["deadline"]):
        assert str(deadline).startswith("2026-03-02T13:00:00")
    assert (call["overdue"], call["at_deadline"]) == (False, "deny")
    clock.advance(minutes=61)
    call = await client.get_until(PATH, lambda found: found["status"] != "waiting")
    assert (call["status"], call["decided_by"]) == ("rejected", "deadline")
    assert call["reason"] == "nobody decided within 3600 s"
    assert (await client.ask("POST", f"{PATH}/approve"))[0] == 409
    (event,) = rows_of(await client.get("/events?event_type=tool_call_decided"))
    payload = payload_of(event)
    assert (payload["approved"], payload["decided_by"]) == (False, "deadline")
    assert (await advance(workbench, run_id)).answer == "Over."
    assert "nobody decided within 3600 s" in str(scripted.asked[-1].messages[-1])
    assert "the user rejected" not in str(scripted.asked[-1].messages[-1])


@pytest.mark.parametrize("limits", [DENY | {"approval_timeout": 1}])
async def test_a_decision_at_the_deadline_is_made_once(
    workbench: Workbench, client: ApiClient, scripted: ModelServer, clock: ManualClock
) -> None:
    await wait_for_approval(workbench, scripted)
    clock.advance(seconds=1)
    answers = await asyncio.gather(*(client.ask("POST", f"{PATH}/approve") for _ in range(5)))
    assert {status for status, _ in answers} == {409}
    call = await client.get_until(PATH, lambda found: found["status"] != "waiting")
    assert call["status"] == "rejected"
    assert len(rows_of(await client.get("/events?event_type=tool_call_decided"))) == 1


async def test_two_keys_decide_once(
    open_client: MakeClient, workbench: Workbench, scripted: ModelServer
) -> None:
    one, two = await open_client("ada"), await open_client("ada")
    await wait_for_approval(workbench, scripted)
    body: JsonValue = {"arguments": {"integration": "team", "title": "Hello"}}
    answers = await asyncio.gather(
        one.ask("POST", f"{PATH}/approve"),
        two.ask("POST", f"{PATH}/approve", body),
        one.ask("POST", f"{PATH}/reject"),
    )
    assert sorted(status for status, _ in answers) == [200, 409, 409]
    assert len(rows_of(await one.get("/events?event_type=tool_call_decided"))) == 1


@pytest.mark.parametrize("limits", [{"approval_timeout": 60}])
async def test_an_overdue_call_can_still_be_approved(
    workbench: Workbench, client: ApiClient, scripted: ModelServer, clock: ManualClock
) -> None:
    await wait_for_approval(workbench, scripted)
    clock.advance(seconds=60)
    call = await client.get(PATH)
    assert (call["status"], call["overdue"], call["at_deadline"]) == ("waiting", True, "wait")
    call = await client.post(f"{PATH}/approve")
    assert (call["status"], call["overdue"], call["at_deadline"]) == ("queued", False, None)


@pytest.mark.parametrize("limits", [DENY])
async def test_a_deadline_that_passes_while_the_workbench_is_down_rejects_at_the_start(
    restart: Restart, scripted: ModelServer, clock: ManualClock
) -> None:
    async with restart() as client:
        scripted.script += [SEND, say("It was too late.")]
        body: JsonValue = {"message": "Tell them", "tools": ["send_message"]}
        assert (await client.post("/chat", body))["waiting"] == [1]
    clock.advance(hours=2)
    async with restart() as client:
        call = await client.get_until(PATH, lambda found: found["status"] == "rejected")
        assert call["decided_by"] == "deadline"
        path = "/conversations/1/messages"
        found = await client.get_until(path, lambda found: "It was too late." in str(found))
        assert len(rows_of(found)) == 2
