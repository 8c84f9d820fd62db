"""Event types: which events may be emitted, and where event types are described."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue
from support.node import Node

from biont import EventType, Scope, Workbench
from biont.application import Application
from biont.event import EventFactory
from biont.event_types import EventTypes
from biont.exceptions import InvalidInput
from biont.testing import ApiClient, MakeClient, ManualClock, WebhookReceiver

OWNERS = {
    "ai_message": "chat",
    "inbound_received": "inbound",
    "integration_connected": "integrations",
    "integration_failed": "integrations",
    "key_created": "core",
    "key_expiring": "core",
    "key_renamed": "core",
    "key_revoked": "core",
    "key_rotated": "core",
    "mission_completed": "missions",
    "mission_created": "missions",
    "mission_failed": "missions",
    "note_created": "notes",
    "operation_finished": "core",
    "reminder_triggered": "reminders",
    "scheduled_trigger": "core",
    "task_completed": "missions",
    "task_failed": "missions",
    "tool_call_decided": "agents",
    "tool_call_waiting": "agents",
    "user_changed": "core",
    "user_created": "core",
    "user_deleted": "core",
    "user_disabled": "core",
    "user_enabled": "core",
    "user_viewed": "core",
    "webhook_disabled": "webhooks",
    "custom_*": "core",
}
BUILT_IN = list(OWNERS)


class Item(BaseModel):
    model_config = ConfigDict(extra="allow")

    count: int = Field(ge=1)


class Order(BaseModel):
    model_config = ConfigDict(extra="forbid")

    at: AwareDatetime
    items: list[Item] = Field(default_factory=list)


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")

    number: int


class Plain(BaseModel):
    number: int


@pytest.fixture
def factory(clock: ManualClock) -> EventFactory:
    made = EventFactory(clock, 3)
    made.event_types = EventTypes(
        {
            "shop": [EventType("order_placed", Order, "An order was placed.")],
            "other": [EventType("opened", Open, "So."), EventType("plain", Plain, "So.")],
        }
    )
    return made


@pytest.mark.parametrize(
    ("event_type", "payload"),
    [
        ("order_placed", {"at": "2026-03-02T12:00:00Z"}),
        ("order_placed", {"at": "2026-03-02T12:00:00+01:00", "items": [{"count": 1, "x": 2}]}),
        ("opened", {"number": 1, "anything": ["else"]}),
        ("plain", {"number": 1}),
        ("custom_x", {"anything": True}),
    ],
)
def test_a_payload_that_matches_its_declaration_is_kept_unchanged(
    factory: EventFactory, event_type: str, payload: dict[str, JsonValue]
) -> None:
    event = factory.make(event_type, 1, payload)
    assert (event.event_type, event.payload) == (event_type, payload)


@pytest.mark.parametrize(
    ("event_type", "payload", "pointers"),
    [
        ("order_placed", {}, ["#/payload/at"]),
        ("order_placed", {"at": "2026-03-02T12:00:00"}, ["#/payload/at"]),
        ("order_placed", {"at": "2026-03-02T12:00:00Z", "a/b~c": 1}, ["#/payload/a~1b~0c"]),
        (
            "order_placed",
            {"at": "2026-03-02T12:00:00Z", "items": [{"count": 1}, {"count": 0}, {"count": "1"}]},
            ["#/payload/items/1/count", "#/payload/items/2/count"],
        ),
        ("opened", {"number": "1"}, ["#/payload/number"]),
        ("plain", {"number": 1, "more": 2}, ["#/payload/more"]),
        ("order_cancelled", {}, ["#/event_type"]),
        ("custom_", {}, ["#/event_type"]),
        ("custom_x\n", {}, ["#/event_type"]),
        ("opened\n", {"number": 1}, ["#/event_type"]),
    ],
)
def test_a_payload_that_does_not_match_its_declaration_is_refused_with_a_pointer(
    factory: EventFactory, event_type: str, payload: dict[str, JsonValue], pointers: list[str]
) -> None:
    with pytest.raises(InvalidInput) as refused:
        factory.make(event_type, 1, payload)
    assert [problem.place for problem in refused.value.problems] == pointers


async def test_an_undeclared_type_is_refused_with_a_remedy(
    workbench: Workbench,
) -> None:
    with pytest.raises(InvalidInput, match=r"'order_lost'.*register_event_types.*custom_"):
        await workbench.events.emit("order_lost", 1, {})
    with pytest.raises(InvalidInput, match="#/payload/note_id"):
        await workbench.events.emit("note_created", 1, {"title": "Plan", "source": None})


@pytest.mark.parametrize("scope", list(Scope))
async def test_the_list_of_event_types_has_the_plugin_and_schema_of_each_type(
    open_client: MakeClient, scope: Scope
) -> None:
    client = await open_client(scope=scope)
    types: list[Any] = (await client.get("/event-types"))["data"]  # type: ignore[assignment]  # it is a list
    assert [found["event_type"] for found in types] == BUILT_IN
    assert [found["plugin"] for found in types] == list(OWNERS.values())
    note = Draft202012Validator(types[BUILT_IN.index("note_created")]["payload"])
    assert note.is_valid({"note_id": 1, "title": "Plan", "source": None})
    assert not note.is_valid({"note_id": "1", "title": "Plan", "source": None})


async def test_the_list_of_event_types_has_pages(client: ApiClient) -> None:
    names: list[object] = []
    path = "/event-types?limit=2"
    while True:
        page: dict[str, Any] = await client.get(path)
        names += [found["event_type"] for found in page["data"]]
        if page["next"] is None:
            break
        path = f"/event-types?limit=2&cursor={page['next']}"
    assert names == BUILT_IN


async def test_the_openapi_document_describes_each_delivery(
    application: Application, client: ApiClient, receiver: WebhookReceiver
) -> None:
    await client.post("/webhooks/outgoing/register", {"url": receiver.url})
    await client.post("/notes", {"title": "Plan"})
    await client.post("/events", {"event_type": "custom_x", "payload": {"n": [1, None]}})
    document = orjson.loads(application.openapi)
    validate(document)
    assert sorted(document["webhooks"]) == sorted(BUILT_IN)
    for request in await receiver.wait_for(2):
        name = str(request.event["event_type"]).replace("custom_x", "custom_*")
        operation = document["webhooks"][name]["post"]
        described = {item["name"].lower(): item["required"] for item in operation["parameters"]}
        sent = {name.lower() for name in request.headers}
        assert described.keys() == {name for name in sent if name.startswith(("x-", "webhook-"))}
        assert [name for name, required in described.items() if not required] == [
            "x-correlation-id",
            "x-biont-hops",
        ]
        body = operation["requestBody"]["content"]["application/json"]["schema"]
        schema = body | {"components": document["components"]}
        assert Draft202012Validator(schema).is_valid(request.event)
        assert not Draft202012Validator(schema).is_valid(request.event | {"event_type": "x"})


async def test_the_asyncapi_document_is_accepted_by_the_official_parser(
    open_client: MakeClient, node: Node
) -> None:
    stranger = await open_client(None)
    document = await stranger.get("/asyncapi.json")
    judged = orjson.loads(await node.run("check_asyncapi.mjs", stdin=orjson.dumps(document)))
    assert judged == {"errors": [], "sent": BUILT_IN}
