"""Pages of missions: the list, the graph of tasks, and approvals in place."""

from __future__ import annotations

import pytest
from dashboard.conftest import Visit
from pydantic import JsonValue
from support.missions import tasks_of, wait_for_end
from support.thinker import Thinker
from support.visitor import Visitor

from biont import Scope
from biont.testing import ApiClient, ModelServer, say
from biont_dashboard.mission_graph import make_task_graph

SEND = say(calls=[("send_message", '{"integration": "x", "title": "Hi <b>all</b>"}')])


@pytest.fixture
def sections(scripted: ModelServer) -> dict[str, object]:
    """Settings with the scripted model."""
    return scripted.sections


@pytest.fixture(autouse=True)
def thinker(scripted: ModelServer) -> Thinker:
    """A model that works on missions."""
    thinker = Thinker()
    scripted.default = thinker
    return thinker


async def draft(client: ApiClient, **fields: JsonValue) -> dict[str, JsonValue]:
    """Create a draft with two tasks."""
    steps: list[JsonValue] = [{"title": "One"}, {"title": "Two", "depends_on": [1]}]
    return await client.post(
        "/missions", {"goal": "Open it", "steps": steps, "reviews": 0, "start": False, **fields}
    )


async def test_mission_is_made_run_and_shown_with_its_results(
    visitor: Visitor, client: ApiClient
) -> None:
    assert "No missions yet" in (await visitor.open("/dashboard/missions")).text
    form = await visitor.open("/dashboard/missions/new")
    changes = {
        "body.goal": "Open <i>it</i>",
        "body.steps:json:optional": '[{"title": "One"}, {"title": "Two", "depends_on": [1]}]',
        "body.reviews:int:optional": "0",
        "body.start:bool": "false",
    }
    shown = await visitor.press(form, "Create mission", **changes)
    assert shown.path == "/dashboard/missions/1"
    assert "Open &lt;i&gt;it&lt;/i&gt;" in shown.text
    await visitor.press(shown, "Run")
    await wait_for_end(client, {"id": 1})
    ended = await visitor.open("/dashboard/missions/1")
    assert "2 of 2" in ended.text
    assert 'href="/dashboard/notes/' in ended.text
    assert "completed" in (await visitor.open("/dashboard/missions?status=completed")).text
    none = await visitor.open("/dashboard/missions?status=failed")
    assert "No mission with this status" in none.text


async def test_cancelled_mission_is_tried_again(visitor: Visitor, client: ApiClient) -> None:
    await draft(client)
    path = "/dashboard/missions/1"
    cancelled = await visitor.press(await visitor.open(path), "Cancel")
    assert (await client.get("/missions/1"))["status"] == "cancelled"
    await visitor.press(cancelled, "Retry")
    assert (await wait_for_end(client, {"id": 1}))["status"] == "completed"


async def test_call_that_waits_is_approved_on_the_page_of_the_mission(
    visitor: Visitor, client: ApiClient, thinker: Thinker
) -> None:
    thinker.replies["One"] = [SEND, say("Tried.")]
    made = await draft(client, start=True, tools=["send_message"])
    await client.get_until("/missions/1", lambda found: "'waiting'" in str(found["tasks"]))
    screen = await visitor.open("/dashboard/missions/1")
    assert "Hi &lt;b&gt;all&lt;/b&gt;" in screen.text
    approvals = await visitor.open("/dashboard/approvals")
    assert 'href="/dashboard/missions/1"' in approvals.text
    await visitor.press(screen, "Approve")
    mission = await wait_for_end(client, made)
    assert tasks_of(mission)[0]["result"] == "Tried."


async def test_other_user_and_reader(visit: Visit, client: ApiClient) -> None:
    await draft(client, goal="Secret goal")
    bob = await visit("bob")
    assert (await bob.open("/dashboard/missions/1")).status == 404
    assert "Secret goal" not in (await bob.open("/dashboard/missions")).text
    reader = await visit("ada", Scope.READ)
    screen = await reader.open("/dashboard/missions/1")
    assert (screen.status, "Secret goal" in screen.text) == (200, True)
    assert not [form for form in screen.forms if form.action == "/dashboard/act"]


def test_graph_places_tasks_right_of_what_they_need() -> None:
    needs: list[list[JsonValue]] = [[], [], [1, 2], [3, 99]]
    tasks: list[dict[str, JsonValue]] = [
        {
            "id": n,
            "position": n,
            "title": "T",
            "status": "pending",
            "tokens": 0,
            "depends_on": need,
        }
        for n, need in enumerate(needs, 1)
    ]
    graph = make_task_graph(tasks)
    columns = [node.x for node in graph.nodes]
    assert columns[0] == columns[1] < columns[2] < columns[3]
    assert graph.nodes[0].y != graph.nodes[1].y
    assert graph.edges == [(0, 2), (1, 2), (2, 3)]
