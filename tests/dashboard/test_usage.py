"""Page of the usage: groups with names, the prices, and the cost of a mission."""

from __future__ import annotations

import pytest
from dashboard.conftest import Visit
from pydantic import JsonValue
from support.missions import wait_for_end
from support.thinker import Thinker
from support.visitor import Visitor

from biont import Scope
from biont.testing import MODEL, ApiClient, ModelServer, rows_of

STEPS: list[JsonValue] = [{"title": "One"}]


@pytest.fixture
def prices() -> dict[str, object]:
    """Prices of models, set by `parametrize`."""
    return {MODEL: {"prompt": 1000, "completion": 10_000}, "other": {"prompt": 2, "completion": 3}}


@pytest.fixture
def sections(scripted: ModelServer, prices: dict[str, object]) -> dict[str, object]:
    """Settings with the scripted model and prices."""
    scripted.default = Thinker()
    openai = {"base_url": scripted.url, "api_key": "x", "model": MODEL}
    llm = {"backend": "openai", "openai": openai, "retries": 0, "prices": prices}
    return {"plugins": {"llm": llm}}


async def run_missions(client: ApiClient, *goals: str) -> list[dict[str, JsonValue]]:
    """Run missions to their ends."""
    ended = []
    for goal in goals:
        made = await client.post("/missions", {"goal": goal, "steps": STEPS, "reviews": 0})
        ended.append(await wait_for_end(client, made))
    return ended


async def test_page_has_the_cost_of_missions_and_schedules_by_name(
    visitor: Visitor, visit: Visit, client: ApiClient
) -> None:
    missions = await run_missions(client, "Open <i>it</i>", "Close it")
    await client.post("/schedule", {"name": "Daily <b>", "cron": "0 9 * * *", "prompt": "x"})
    await client.post("/schedule/1/run-now")
    await client.get_until("/schedule/1/runs/1", lambda found: found["ended_at"])
    usages = rows_of(await client.get("/usage?group_by=mission"))
    assert [usage["mission_id"] for usage in usages] == [None, 1, 2]
    costs = [float(str(mission["cost"])) for mission in missions]
    assert costs == [pytest.approx(float(str(usage["cost"]))) for usage in usages[1:]]
    assert min(costs) > 0
    screen = await visitor.open("/dashboard/usage?group=mission")
    assert 'href="/dashboard/missions/1">Open &lt;i&gt;it&lt;/i&gt;</a>' in screen.text
    assert "No mission" in screen.text
    assert "Cost by mission" in screen.text
    by_schedule = await visitor.open("/dashboard/usage?group=schedule")
    assert 'href="/dashboard/schedules/1">Daily &lt;b&gt;</a>' in by_schedule.text
    assert f"{costs[0]:.3f}" in (await visitor.open("/dashboard/missions/1")).text
    bob = await visit("bob")
    assert "Open" not in (await bob.open("/dashboard/usage?group=mission")).text


async def test_page_has_the_prices(visitor: Visitor, visit: Visit) -> None:
    for reader in (visitor, await visit("ada", Scope.READ)):
        text = (await reader.open("/dashboard/usage")).text
        table = text.partition("<h2>Prices of a million tokens</h2>")[2]
        assert table.index("other") < table.index("3.00")
    assert (await visitor.open("/dashboard/usage?group=user")).status == 422


@pytest.mark.parametrize("prices", [{}])
async def test_missions_without_prices_have_no_cost(visitor: Visitor, client: ApiClient) -> None:
    (mission,) = await run_missions(client, "Open it")
    assert mission["cost"] is None
    assert "no prices" in (await visitor.open("/dashboard/missions/1")).text
    screen = await visitor.open("/dashboard/usage?group=mission")
    assert "No prices" in screen.text
    assert (await client.get("/usage/prices"))["data"] == []
