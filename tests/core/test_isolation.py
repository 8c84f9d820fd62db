"""No route shows or changes what belongs to another user, whoever asks and however."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

import orjson
import pytest
from pydantic import JsonValue

from biont import Event, Scope, Workbench, on
from biont.application import Application
from biont.llm import LlmCall, Message
from biont.testing import ApiClient, MakeClient, ModelServer, rows_of, say
from biont_agents import AGENTS, NewAgentRun

SECRET = "the-secret-of-ada"

Ids = dict[str, JsonValue]

BODIES: dict[str, JsonValue] = {
    "PATCH /keys/{key_id}": {"name": "mine"},
    "POST /keys/{key_id}/dry-run": {"scope": "read"},
    "PATCH /users/{user_id}": {"role": "admin"},
    "PATCH /conversations/{conversation_id}": {"title": "mine"},
    "PATCH /notes/{note_id}": {"title": "mine"},
    "PATCH /integrations/{integration_id}": {"name": "mine"},
    "PATCH /reminders/{reminder_id}": {"text": "mine"},
    "PATCH /schedule/{schedule_id}": {"name": "mine"},
    "PATCH /webhooks/outgoing/{webhook_id}": {"name": "mine"},
    "PATCH /webhooks/listeners/{listener_id}": {"position": 1},
    "PATCH /webhooks/incoming/{inbound_id}": {"name": "mine"},
    "POST /webhooks/incoming/{inbound_id}/rotate-secret": {"secret": "mine-mine"},
    "POST /webhooks/incoming/{inbound_id}/try": {"body": "{}"},
    "POST /tasks/{task_id}/complete": {"result": "mine"},
    "POST /webhooks/outgoing/{webhook_id}/recover": {"since": "2026-01-01T00:00:00Z"},
    "POST /webhooks/outgoing/{webhook_id}/replay": {"since": "2026-01-01T00:00:00Z"},
}
"""Bodies of routes with an id in the path; a route that is not here needs none."""

NESTED: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "/chat", {"message": "What did I say?", "conversation_id": "conversation_id"}),
    ("POST", "/schedule/preview", {"every": 60, "schedule_id": "schedule_id"}),
    ("GET", "/schedule/upcoming?schedule_id={schedule_id}", {}),
    ("GET", "/webhooks/outgoing/explain?event_id={event_id}", {}),
]
"""Routes that take the id of an object elsewhere than in the path."""

NO_OBJECT = {"/integrations/{name}/send", "/schedule/feed/{token}.ics", "/system/backups/{name}"}
"""Paths whose parameter is no id of a user's object."""


@pytest.fixture
def sections(scripted: ModelServer) -> dict[str, object]:
    return {**scripted.sections, "events": {"handler_retry": []}}


@pytest.fixture
def plugins() -> Mapping[str, ModuleType]:
    @on("custom_broken")
    async def fail(event: Event, workbench: Workbench) -> None:
        """Leave a dead letter."""
        raise ConnectionError(event.id, workbench)

    module = ModuleType("fragile")
    module.fail = fail  # type: ignore[attr-defined]  # as a module has its functions
    return {"fragile": module}


async def make_objects(client: ApiClient, workbench: Workbench, scripted: ModelServer) -> Ids:
    """Make an object of each kind; return their ids, by the names of path parameters."""

    async def make(path: str, body: JsonValue = None) -> JsonValue:
        return (await client.post(path, body))["id"]

    ids: Ids = {
        "note_id": await make("/notes", {"title": SECRET, "content": SECRET, "tags": ["tea"]}),
        "task_id": await make("/tasks", {"title": SECRET}),
        "mission_id": await make("/missions", {"goal": SECRET, "start": False}),
        "reminder_id": await make("/reminders", {"text": SECRET, "every": 3600}),
        "schedule_id": await make("/schedule", {"every": 3600, "prompt": SECRET}),
        "key_id": await make("/keys/create", {"name": SECRET}),
        "operation_id": await make("/notes/tag", {"ids": [999], "add": [SECRET]}),
        "inbound_id": await make(
            "/webhooks/incoming",
            {
                "name": SECRET,
                "preset": "github",
                "action": {"kind": "event", "event_type": "custom_issue"},
            },
        ),
        "integration_id": await make(
            "/integrations",
            {"name": "hers", "kind": "slack", "settings": {"url": f"http://127.0.0.1:9/{SECRET}"}},
        ),
        "listener_id": await make("/webhooks/listeners", {"name": "hers"}),
        "webhook_id": await make(
            "/webhooks/outgoing/register",
            {"url": f"http://127.0.0.1:9/{SECRET}", "event_types": ["custom_*"]},
        ),
        "event_id": await make(
            "/events", {"event_type": "custom_broken", "payload": {"n": SECRET}}
        ),
        "user_id": (await client.get("/me"))["id"],
        "version": 1,
    }
    await client.request("PATCH", f"/notes/{ids['note_id']}", {"title": f"{SECRET} 2"})
    ids["conversation_id"] = (await client.post("/chat", {"message": SECRET}))["conversation_id"]
    ids["run_id"] = await make(f"/schedule/{ids['schedule_id']}/run-now")
    await client.post("/schedule/feed")
    letters = await client.get_until("/dead-letters", lambda page: page["data"])
    ids["letter_id"] = rows_of(letters)[0]["id"]
    deliveries = f"/webhooks/outgoing/{ids['webhook_id']}/deliveries"
    ids["delivery_id"] = rows_of(await client.get_until(deliveries, lambda page: page["data"]))[0][
        "id"
    ]
    # Or the run would get the answer of the model that is for the agent.
    place = f"/schedule/{ids['schedule_id']}/runs/{ids['run_id']}"
    await client.get_until(place, lambda it: it["ended_at"])
    scripted.script += [say(calls=[("send_message", '{"integration": "chat", "title": "Hi"}')])]
    new = NewAgentRun(
        user_id=int(str(ids["user_id"])),
        source="task-7",
        source_url="/api/v1/tasks/7",
        messages=[Message("user", SECRET)],
        tools=["send_message"],
    )
    agents = workbench.get(AGENTS)
    run = await workbench.store.write(agents.create, new)
    await agents.advance(run.id, LlmCall(user_id=new.user_id))
    ids["call_id"] = rows_of(await client.get("/tool-calls?status=waiting"))[0]["id"]
    return ids


def list_routes(application: Application) -> Iterator[tuple[str, str]]:
    """Yield the method and the path of each route of our own API."""
    paths: dict[str, Any] = orjson.loads(application.openapi)["paths"]
    for path, methods in paths.items():
        for method in methods:
            if path.startswith("/api/v1"):
                yield method.upper(), path.removeprefix("/api/v1")


async def test_the_ids_of_another_user_lead_nowhere(
    application: Application,
    open_client: MakeClient,
    workbench: Workbench,
    scripted: ModelServer,
) -> None:
    admin, ada = await open_client("root"), await open_client("ada")
    ids = await make_objects(ada, workbench, scripted)
    await ada.get_until(f"/operations/{ids['operation_id']}", lambda it: it["status"] == "done")
    before = await list_rows(ada)
    clients = [await open_client("bob", scope) for scope in Scope]
    for bob in clients:
        for method, path in list_routes(application):
            if "{" not in path or path in NO_OBJECT:
                continue
            body = BODIES.get(f"{method} {path}")
            for headers in ({}, {"If-Match": "*"}, {"If-None-Match": '"x"'}):
                place = path.format_map(ids)
                query = "?confirm=ada" if method == "DELETE" and "users" in path else ""
                answer = await bob.request(method, place + query, body, headers=headers)
                # A route that needs a larger scope, or the role of an administrator, is a 403.
                assert answer.status in (403, 404, 412), (bob, method, path, answer.document)
                assert SECRET not in str(answer.document)
    assert await list_rows(ada) == before
    assert (await admin.get(f"/users/{ids['user_id']}"))["disabled_at"] is None


async def test_no_member_sees_another_user_by_a_header(
    application: Application,
    open_client: MakeClient,
    workbench: Workbench,
    scripted: ModelServer,
) -> None:
    admin, ada = await open_client("root"), await open_client("ada")
    ids = await make_objects(ada, workbench, scripted)
    before = await list_rows(ada)
    headers = {"X-User-ID": str(ids["user_id"])}
    paths: dict[str, Any] = orjson.loads(application.openapi)["paths"]
    routes = [
        (method, path)
        for method, path in list_routes(application)
        if paths[f"/api/v1{path}"][method.lower()]["security"]
    ]
    for bob in [await open_client("bob", scope) for scope in Scope]:
        for method, path in routes:
            place = path.format_map({**ids, "name": "x", "token": "x"})
            answer = await bob.request(
                method, place, BODIES.get(f"{method} {path}"), headers=headers
            )
            assert answer.status == 403, (bob, method, path, answer.document)
    for method, path in routes:
        place = path.format_map({**ids, "name": "x", "token": "x"})
        if method != "GET":
            answer = await admin.request(
                method, place, BODIES.get(f"{method} {path}"), headers=headers
            )
            assert answer.status == 403, (method, path, answer.document)
    assert await list_rows(ada) == before


async def list_rows(client: ApiClient) -> dict[str, Any]:
    """Return the rows of a user, without the count of key uses."""
    lists = (
        "webhooks/incoming",
        "notes",
        "tasks",
        "missions",
        "reminders",
        "schedule",
        "webhooks/outgoing",
    )
    more = ("conversations", "dead-letters", "operations", "tool-calls", "schedule/feed")
    return {name: await client.get(f"/{name}") for name in (*lists, *more)}


async def test_ids_of_another_user_in_bodies_and_queries_lead_nowhere(
    open_client: MakeClient, workbench: Workbench, scripted: ModelServer
) -> None:
    await open_client("root")
    ada, bob = await open_client("ada"), await open_client("bob")
    ids = await make_objects(ada, workbench, scripted)
    for method, path, body in NESTED:
        filled = {
            name: ids.get(value, value) if isinstance(value, str) else value
            for name, value in body.items()
        }
        answer = await bob.request(method, path.format_map(ids), filled or None)
        assert answer.status == 404, (path, answer.document)
    acts: dict[str, dict[str, JsonValue]] = {
        "/notes/delete": {"ids": [ids["note_id"]]},
        "/notes/tag": {"ids": [ids["note_id"]], "add": ["x"]},
        "/tasks/delete": {"ids": [ids["task_id"]]},
        "/dead-letters/replay": {"since": "2020-01-01T00:00:00Z"},
    }
    for path, choice in acts.items():
        counted = await bob.request("POST", path, {**choice, "dry_run": True})
        assert counted.document["count"] == 0, path


async def test_lists_searches_and_exports_have_the_rows_of_their_user(
    application: Application,
    open_client: MakeClient,
    workbench: Workbench,
    scripted: ModelServer,
) -> None:
    await open_client("root")
    ada, bob = await open_client("ada"), await open_client("bob")
    await make_objects(ada, workbench, scripted)
    for method, path in list_routes(application):
        if method != "GET" or "{" in path or path in ("/events/stream", "/openapi.json"):
            continue
        query = "?q=secret*" if path.endswith("/search") else ""
        async with bob._session.get(f"{bob.url}/api/v1{path}{query}") as answer:  # noqa: SLF001  # exports are no JSON
            assert SECRET not in await answer.text(), path
    # The same searches find the rows of their user.
    for path in ("/notes/search", "/conversations/search"):
        assert SECRET in str(await ada.get(f"{path}?q=secret*"))


async def test_an_idempotency_key_is_one_of_its_api_key(open_client: MakeClient) -> None:
    ada, bob = await open_client("ada"), await open_client("bob")
    headers = {"Idempotency-Key": "the-same"}
    first = await ada.request("POST", "/notes", {"title": SECRET}, headers=headers)
    second = await bob.request("POST", "/notes", {"title": SECRET}, headers=headers)
    assert (first.status, second.status) == (201, 201)
    assert first.document["id"] != second.document["id"]
    assert "Idempotency-Replayed" not in second.headers
    event: JsonValue = {"event_type": "custom_x", "id": "the-same"}
    events = [await each.request("POST", "/events", event) for each in (ada, bob)]
    assert events[0].document["id"] != events[1].document["id"]
