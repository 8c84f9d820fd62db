"""A request with an Idempotency-Key takes effect once, and gets the first answer again."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from types import ModuleType

import orjson
import pytest
from pydantic import JsonValue

from biont import Api, Request, Schema, Scope, Transaction, hookimpl
from biont.accounts.idempotency_records import delete_old_requests
from biont.application import Application
from biont.exceptions import Conflict
from biont.testing import ApiClient, MakeClient, ManualClock, rows_of
from biont.testing.client import ApiAnswer

NOTE: dict[str, JsonValue] = {"title": "Tee ü", "content": "grün"}


class Thing(Schema):
    """The body and the result of a route that acts as it is told."""

    id: int = 7
    mood: str = "good"


@pytest.fixture
def entered() -> asyncio.Event:
    """The route of the plugin was entered."""
    return asyncio.Event()


@pytest.fixture
def gate() -> asyncio.Event:
    """The route of the plugin may go on."""
    gate = asyncio.Event()
    gate.set()
    return gate


@pytest.fixture
def plugins(gate: asyncio.Event, entered: asyncio.Event) -> Mapping[str, ModuleType]:
    @hookimpl
    def register_routes() -> Api:
        api = Api("things")

        @api.post("/things", location="/things/{id}")
        async def create_thing(request: Request, body: Thing) -> Thing:
            """Create a thing."""
            entered.set()
            await gate.wait()
            if body.mood == "refused":
                raise Conflict("not now")
            if body.mood == "broken":
                raise ValueError("broken")

            def write(tx: Transaction) -> Thing:
                tx.emit("custom_thing", request.user_id, {})
                if body.mood == "undone":
                    raise Conflict("undone")
                return body

            await request.workbench.store.transact(write)
            if body.mood == "refused late":
                raise Conflict("not now, but something was done")
            if body.mood == "broken late":
                raise ValueError("broken")
            return body

        return api

    module = ModuleType("things")
    setattr(module, register_routes.__name__, register_routes)
    return {"things": module}


async def post(
    client: ApiClient, key: str, path: str = "/notes", body: JsonValue = None
) -> ApiAnswer:
    return await client.request(
        "POST", path, NOTE if body is None else body, headers={"Idempotency-Key": key}
    )


def is_replayed(answer: ApiAnswer) -> bool:
    return answer.headers.get("Idempotency-Replayed") == "true"


async def count_things(client: ApiClient) -> int:
    return len(rows_of(await client.get("/events?event_type=custom_thing&limit=1000")))


async def test_a_repeated_request_gets_the_first_answer_and_creates_nothing(
    client: ApiClient,
) -> None:
    first = await post(client, '"k 1"')
    assert (first.status, is_replayed(first)) == (201, False)
    for key in ("k 1", '"k 1"'):
        again = await post(client, key)
        assert is_replayed(again)
        assert (again.status, again.document) == (first.status, first.document)
        for name in ("Location", "Content-Type", "Content-Length"):
            assert again.headers[name] == first.headers[name]
        assert again.headers["X-Request-ID"] != first.headers["X-Request-ID"]
    assert len(rows_of(await client.get("/notes"))) == 1
    other = await post(client, "k 2")
    assert other.document["id"] != first.document["id"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/events", {"event_type": "custom_sale", "payload": {"a": 1}}),
        ("/keys/create", {"name": "mine"}),
        ("/schedule", {"every": 3600, "prompt": "x"}),
        ("/schedule/preview", {"every": 3600}),
        ("/schedule/feed", {}),
        ("/reminders", {"text": "x", "every": 3600}),
        ("/webhooks/outgoing/register", {"url": "https://example.com/hook"}),
        ("/tasks", {"title": "x"}),
        ("/missions", {"goal": "x", "start": False}),
        ("/dead-letters/replay", {"handler": "nobody.nothing"}),
    ],
)
async def test_each_route_replays_its_answer(
    client: ApiClient, path: str, body: dict[str, JsonValue]
) -> None:
    first = await post(client, "k", path, body)
    assert first.status < 300, first.document
    again = await post(client, "k", path, body)
    assert is_replayed(again)
    assert (again.status, again.document) == (first.status, first.document)


async def test_an_event_is_emitted_once(client: ApiClient) -> None:
    body: JsonValue = {"event_type": "custom_thing"}
    ids = {(await post(client, "k", "/events", body)).document["id"] for _ in range(3)}
    assert len(ids) == 1
    assert await count_things(client) == 1


async def test_another_body_or_path_with_the_same_key_is_refused(client: ApiClient) -> None:
    await post(client, "k")
    assert (await post(client, "k", "/notes", {"title": "Other"})).status == 422
    other = await post(client, "k", "/tasks", {"title": "Other"})
    assert other.status == 422
    assert other.document["errors"][0]["parameter"] == "Idempotency-Key"  # type: ignore[index, call-overload]  # JSON


@pytest.mark.parametrize("key", ["", '""', "x" * 256, "ü", '"open', "a\tb", 'a" ; "'])
async def test_an_invalid_key_is_refused(client: ApiClient, key: str) -> None:
    answer = await post(client, key)
    assert (answer.status, key) == (201 if key == 'a" ; "' else 422, key)


async def test_a_second_request_during_the_first_is_a_conflict(
    client: ApiClient, gate: asyncio.Event, entered: asyncio.Event
) -> None:
    gate.clear()
    body: JsonValue = {"mood": "good"}
    first = asyncio.create_task(post(client, "k", "/things", body))
    await entered.wait()
    second = await post(client, "k", "/things", body)
    assert second.status == 409
    assert second.headers["Retry-After"] == "1"
    assert (await post(client, "k", "/things", {"mood": "other"})).status == 422
    gate.set()
    answer = await first
    assert answer.status == 201
    assert is_replayed(await post(client, "k", "/things", body))
    assert await count_things(client) == 1


@pytest.mark.parametrize("mood", ["refused", "undone", "broken"])
async def test_a_failure_without_effect_frees_the_key(client: ApiClient, mood: str) -> None:
    answer = await post(client, "k", "/things", {"mood": mood})
    assert answer.status == (500 if mood == "broken" else 409)
    free = await post(client, "k", "/things", {"mood": "good"})
    assert (free.status, is_replayed(free)) == (201, False)


async def test_a_refusal_after_an_effect_is_repeated(client: ApiClient) -> None:
    body: JsonValue = {"mood": "refused late"}
    first = await post(client, "k", "/things", body)
    again = await post(client, "k", "/things", body)
    assert (again.status, again.document, is_replayed(again)) == (409, first.document, True)
    assert await count_things(client) == 1


async def test_a_lost_answer_is_a_conflict_that_names_the_created_object(
    client: ApiClient,
) -> None:
    body: JsonValue = {"mood": "broken late"}
    assert (await post(client, "k", "/things", body)).status == 500
    again = await post(client, "k", "/things", body)
    assert again.status == 409
    assert again.headers["Location"] == "/api/v1/things/7"
    assert await count_things(client) == 1


async def test_a_key_belongs_to_one_api_key(client: ApiClient, open_client: MakeClient) -> None:
    first = await post(client, "k")
    for user in ("ada", "grace"):
        other = await open_client(user)
        answer = await post(other, "k")
        assert (answer.status, is_replayed(answer)) == (201, False), user
        assert answer.document["id"] != first.document["id"]


async def test_a_key_is_free_again_after_a_day(client: ApiClient, clock: ManualClock) -> None:
    first = await post(client, "k")
    clock.advance(hours=23)
    assert is_replayed(await post(client, "k"))
    clock.advance(hours=2)
    later = await post(client, "k")
    assert not is_replayed(later)
    assert later.document["id"] != first.document["id"]


async def test_retention_deletes_old_records(
    client: ApiClient, application: Application, clock: ManualClock
) -> None:
    await post(client, "old")
    clock.advance(hours=1)
    boundary = clock.now()
    await post(client, "new")
    store = application.workbench.store
    assert await store.write(delete_old_requests, boundary) == 1
    assert await store.write(delete_old_requests, boundary) == 0
    assert is_replayed(await post(client, "new"))


async def test_a_stored_answer_hides_secrets(client: ApiClient, application: Application) -> None:
    made = await post(client, "k", "/keys/create", {"name": "mine"})
    path = application.workbench.settings.database.path
    with closing(sqlite3.connect(path)) as database:
        rows = database.execute("SELECT * FROM idempotency_records").fetchall()
    assert len(rows) == 1
    assert str(made.document["key"]) not in str(rows)


async def test_a_stream_with_a_key_is_refused(open_client: MakeClient) -> None:
    chat = await open_client("ada", Scope.CHAT)
    answer = await post(chat, "k", "/chat", {"message": "Hello", "stream": True})
    assert answer.status == 422
    assert "stream" in str(answer.document)


def test_the_document_names_both_headers(application: Application) -> None:
    for path, methods in orjson.loads(application.openapi)["paths"].items():
        for method, operation in methods.items():
            names = [each.get("$ref", "") for each in operation["parameters"]]
            has_key = "#/components/parameters/Idempotency-Key" in names
            # A public route has no key to which an idempotency key could belong.
            assert has_key is (method == "post" and operation.get("security") != []), path
            success = next(value for key, value in operation["responses"].items() if key < "3")
            assert ("Idempotency-Replayed" in success["headers"]) is has_key, path
