"""An event that a client names by an id is emitted once."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing

import pytest
from conftest import Restart
from pydantic import JsonValue

from biont.application import Application
from biont.events.client_ids import delete_client_ids, find_old_client_ids
from biont.testing import ApiClient, MakeClient, ManualClock, rows_of

SALE: dict[str, JsonValue] = {
    "id": "order-17",
    "event_type": "custom_sale",
    "payload": {"a": 1, "b": [2]},
}


async def count_sales(client: ApiClient) -> int:
    return len(rows_of(await client.get("/events?event_type=custom_*&limit=1000")))


async def test_the_same_id_and_content_gets_the_same_answer(client: ApiClient) -> None:
    answers = [await client.request("POST", "/events", SALE) for _ in range(2)]
    swapped: JsonValue = {**SALE, "payload": {"b": [2], "a": 1}}
    answers.append(await client.request("POST", "/events", swapped))
    answers += await asyncio.gather(
        *(client.request("POST", "/events", SALE, headers={"X-Correlation-ID": "x"}) for _ in "ab")
    )
    for answer in answers:
        assert (answer.status, answer.document) == (201, answers[0].document)
        assert answer.headers["Location"] == f"/api/v1/events/{answer.document['id']}"
    assert await count_sales(client) == 1


@pytest.mark.parametrize("change", [{"payload": {"a": 2}}, {"event_type": "custom_return"}])
async def test_another_content_under_the_id_is_a_conflict(
    client: ApiClient, change: dict[str, JsonValue]
) -> None:
    await client.post("/events", SALE)
    status, document = await client.ask("POST", "/events", SALE | change)
    assert status == 409
    assert "order-17" in str(document["detail"])
    assert await count_sales(client) == 1


async def test_an_id_belongs_to_one_user(open_client: MakeClient) -> None:
    ada, also_ada, grace = [await open_client(user) for user in ("ada", "ada", "grace")]
    first = await ada.post("/events", SALE)
    assert await also_ada.post("/events", SALE) == first
    assert (await grace.post("/events", SALE | {"payload": {}}))["id"] != first["id"]


async def test_an_id_outlives_a_restart(restart: Restart) -> None:
    async with restart() as client:
        first = await client.post("/events", SALE)
    async with restart() as client:
        assert await client.post("/events", SALE) == first
        assert await count_sales(client) == 1


@pytest.mark.parametrize("name", ["", "x" * 65, "a b", "ü", "a\n", 17])
async def test_an_invalid_id_is_refused(client: ApiClient, name: JsonValue) -> None:
    status, document = await client.ask("POST", "/events", SALE | {"id": name})
    assert status == 422
    assert "#/id" in str(document["errors"])
    assert await count_sales(client) == 0


async def test_a_refused_event_leaves_its_id_free(client: ApiClient) -> None:
    headers = {"X-Biont-Hops": "99"}
    assert (await client.request("POST", "/events", SALE, headers=headers)).status == 409
    await client.post("/events", SALE)
    assert await count_sales(client) == 1


async def test_old_ids_are_deleted(
    client: ApiClient, application: Application, clock: ManualClock
) -> None:
    await client.post("/events", SALE)
    store = application.workbench.store
    assert await store.read(find_old_client_ids, clock.now(), 10) == []
    clock.advance(days=1)
    await store.write(delete_client_ids, await store.read(find_old_client_ids, clock.now(), 10))
    with closing(sqlite3.connect(application.workbench.settings.database.path)) as database:
        assert database.execute("SELECT count(*) FROM client_event_ids").fetchone() == (0,)
