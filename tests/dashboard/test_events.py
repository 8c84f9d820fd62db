"""Pages of events: the log, and one event with causes, effects and receivers."""

from __future__ import annotations

import html

import pytest
from dashboard.conftest import Visit
from pydantic import JsonValue
from support.visitor import Visitor
from support.webhooks import emit, register, wait_for_deliveries

from biont import Scope
from biont.testing import ApiClient, ModelServer, WebhookReceiver, rows_of
from biont_dashboard.event_graph import (
    GraphBox,
    Surroundings,
    draw_trees,
    iterate_trees,
    make_trees,
)
from biont_dashboard.visit import Object

EVENTS = "/dashboard/events"


def make_event(id_: str, cause: str | None = None) -> Object:
    return {"id": id_, "event_type": f"custom_{id_}", "causation_id": cause, "payload": {}}


async def test_list_is_filtered_by_type_and_correlation(
    visitor: Visitor, client: ApiClient
) -> None:
    event = await emit(client, "custom_sale", title="<b>Bread</b>")
    await emit(client, "custom_visit")
    screen = await visitor.open(EVENTS)
    assert "&lt;b&gt;Bread" in screen.text
    assert "custom_visit" in screen.text
    for query in ("event_type=custom_s*", f"correlation_id={event['correlation_id']}"):
        screen = await visitor.open(f"{EVENTS}?{query}&since=&until=")
        assert str(event["id"]) in screen.text
        assert "custom_visit" not in screen.text
    assert 'data-live="custom_s*"' in (await visitor.open(f"{EVENTS}?event_type=custom_s*")).text
    assert "No such events" in (await visitor.open(f"{EVENTS}?event_type=nothing")).text


async def test_event_shows_payload_links_and_receivers(
    visitor: Visitor, client: ApiClient, receiver: WebhookReceiver
) -> None:
    webhook = await register(client, receiver.url, name="Warehouse", event_types=["note_*"])
    await register(client, "http://127.0.0.1:9/", event_types=["task_*"])
    await client.post("/notes", {"title": "<i>Bread</i>", "content": "Rye"})
    await wait_for_deliveries(client, webhook)
    (event,) = rows_of(await client.get("/events?event_type=note_created"))
    screen = await visitor.open(f"{EVENTS}/{event['id']}")
    assert "<i>Bread" not in screen.text
    for part in (
        "/dashboard/notes/1",
        "/dashboard/webhooks/1/deliveries/1",
        "no pattern matches note_created",
        "delivery, succeeded",
    ):
        assert part in screen.text
    await visitor.press(screen, "Resend")
    await receiver.wait_for(2)


async def test_event_is_replayed_to_a_webhook_that_missed_it(
    visitor: Visitor, client: ApiClient, receiver: WebhookReceiver
) -> None:
    event = await emit(client, "custom_sale")
    await emit(client, "custom_visit")
    webhook = await register(client, receiver.url, event_types=["custom_*"])
    await visitor.press(await visitor.open(f"{EVENTS}/{event['id']}"), "Replay")
    (delivery,) = await wait_for_deliveries(client, webhook)
    assert delivery["event_id"] == event["id"]


async def test_effects_of_an_event_are_shown_with_their_cause(
    visitor: Visitor, client: ApiClient
) -> None:
    sale = await emit(client, "custom_sale")
    headers = {"X-Correlation-ID": str(sale["correlation_id"]), "X-Biont-Hops": "1"}
    bill: JsonValue = {"event_type": "custom_bill"}
    await client.request("POST", "/events", bill, headers=headers)
    assert "custom_bill" in (await visitor.open(f"{EVENTS}/{sale['id']}")).text


async def test_read_only_session_sees_deliveries_without_signed_requests(
    visit: Visit, client: ApiClient, receiver: WebhookReceiver
) -> None:
    webhook = await register(client, receiver.url, event_types=["custom_*"])
    event = await emit(client)
    await wait_for_deliveries(client, webhook)
    screen = await (await visit("ada", Scope.READ)).open(f"{EVENTS}/{event['id']}")
    assert "/dashboard/webhooks/1/deliveries/1" in screen.text
    assert "/dashboard/act" not in screen.text


async def test_session_of_a_narrowed_key_sees_its_events_only(
    visit: Visit, client: ApiClient
) -> None:
    order = await emit(client, "custom_order")
    seen = await emit(client, "custom_visit")
    await register(client, "http://127.0.0.1:9/", name="Orders", event_types=["custom_order"])
    new: JsonValue = {"name": "narrow", "events": ["custom_visit"]}
    visitor = await visit(None)
    await visitor.sign_in(str((await client.post("/keys/create", new))["key"]))
    screen = await visitor.open(EVENTS)
    assert (str(seen["id"]) in screen.text, str(order["id"]) in screen.text) == (True, False)
    assert (await visitor.open(f"{EVENTS}/{seen['id']}")).status == 200
    for path in (f"{EVENTS}/{order['id']}", "/dashboard/webhooks/1", "/dashboard/dead-letters"):
        assert (await visitor.open(path)).status == 403


async def test_event_of_another_user_is_not_found(visit: Visit, client: ApiClient) -> None:
    event = await emit(client)
    bob = await visit("bob")
    assert (await bob.open(f"{EVENTS}/{event['id']}")).status == 404
    assert str(event["id"]) not in html.unescape((await bob.open(EVENTS)).text)


class TestWithModel:
    """A workbench with a language model."""

    @pytest.fixture
    def sections(self, model: ModelServer) -> dict[str, object]:
        """The model as the default backend, with a price."""
        sections = model.sections
        plugins = sections["plugins"]
        assert isinstance(plugins, dict)
        plugins["llm"]["prices"] = {"scripted-1": {"prompt": 1.0, "completion": 1.0}}
        return sections

    async def test_event_of_a_run_shows_schedule_run_and_calls_with_cost(
        self, visitor: Visitor, client: ApiClient
    ) -> None:
        new: JsonValue = {"name": "<b>Digest</b>", "every": 3600, "prompt": "Hello"}
        schedule = await client.post("/schedule", new)
        await client.post(f"/schedule/{schedule['id']}/run-now")
        found = await client.get_until(
            "/events?event_type=note_created", lambda page: page["data"]
        )
        (event,) = rows_of(found)
        screen = await visitor.open(f"{EVENTS}/{event['id']}")
        for part in ("&lt;b&gt;Digest", "Run 1", "schedules/1/runs/1", "12 tokens, cost 0.000012"):
            assert part in screen.text, part
        assert "<b>Digest" not in screen.text


async def test_event_of_a_mission_shows_the_mission(visitor: Visitor, client: ApiClient) -> None:
    await client.post("/missions", {"goal": "Compare bread", "start": False})
    headers = {"X-Correlation-ID": "mission-1", "X-Biont-Hops": "1"}
    body: JsonValue = {"event_type": "custom_sale"}
    event = (await client.request("POST", "/events", body, headers=headers)).document
    screen = await visitor.open(f"{EVENTS}/{event['id']}")
    assert 'href="/dashboard/missions/1"' in screen.text
    assert "mission 1, draft" in screen.text


def test_drawing_places_effects_beside_their_cause_without_overlap() -> None:
    events = [
        make_event("a"),
        make_event("b", "a"),
        make_event("c", "b"),
        make_event("d", "a"),
        make_event("e", "gone"),
        make_event("f", "f"),
    ]
    roots = make_trees(events)
    assert [(depth, tree.event["id"]) for depth, tree in iterate_trees(roots)] == [
        (0, "a"),
        (1, "b"),
        (2, "c"),
        (1, "d"),
        (0, "e"),
        (0, "f"),
    ]
    drawing = draw_trees(roots, "a", {}, Surroundings())
    places = [(node.x, node.y) for node in drawing.nodes]
    assert len(set(places)) == len(places)
    assert drawing.edges == [(0, 1), (1, 2), (0, 3)]
    assert drawing.nodes[2].y == drawing.nodes[0].y
    assert drawing.nodes[3].y > drawing.nodes[2].y


def test_drawing_begins_with_the_source_and_shows_deliveries_beside_the_event() -> None:
    boxes = [GraphBox(name, "", "", "") for name in ("schedule", "run", "call", "one", "two")]
    roots = make_trees([make_event("a"), make_event("b", "a")])
    drawing = draw_trees(roots, "a", {}, Surroundings(boxes[:2], boxes[2:3], boxes[3:]))
    titles = [node.title for node in drawing.nodes]
    assert [(titles[start], titles[end]) for start, end in drawing.edges] == [
        ("schedule", "run"),
        ("run", "call"),
        ("run", "custom_a"),
        ("custom_a", "one"),
        ("custom_a", "two"),
        ("custom_a", "custom_b"),
    ]
    places = [(node.x, node.y) for node in drawing.nodes]
    assert len(set(places)) == len(places)


def test_drawing_of_a_long_chain_ends() -> None:
    events = [make_event(str(number), str(number - 1)) for number in range(1000)]
    assert len(draw_trees(make_trees(events), "0", {}, Surroundings()).nodes) == 80
