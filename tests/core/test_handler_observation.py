"""Observation of handlers: how far they are behind, and how far they are with one event."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType

import pytest
from pydantic import JsonValue

from biont import Event, Scope, Transaction, Workbench, on
from biont.testing import ApiClient, MakeClient, ManualClock, rows_of

Fields = dict[str, JsonValue]


@pytest.fixture
def gate() -> asyncio.Event:
    """Lets the handler `slow` go on."""
    return asyncio.Event()


@pytest.fixture
def sections() -> dict[str, object]:
    """Small queues, so that events wait in the journal, and no retries."""
    return {"events": {"lane_size": 4, "handler_retry": []}}


@pytest.fixture
def plugins(gate: asyncio.Event) -> Iterator[Mapping[str, ModuleType]]:
    @on("custom_*", ordered=True)
    async def slow(_: Event, __: Workbench) -> None:
        await gate.wait()

    @on("custom_bad")
    async def fail(_: Event, __: Workbench) -> None:
        raise ConnectionError("no route to it")

    @on("note_created", transactional=True)
    def count(_: Transaction, __: Sequence[Event], ___: Workbench) -> None:
        """Do nothing."""

    module = ModuleType("watched")
    for function in (slow, fail, count):
        setattr(module, function.__name__, function)
    yield {"watched": module}
    gate.set()


async def explain(client: ApiClient, event_id: object) -> dict[str, Fields]:
    rows = rows_of(await client.get(f"/events/{event_id}/handlers"))
    return {str(row["handler"]): row for row in rows}


async def explain_until(client: ApiClient, event_id: object, handler: str, state: str) -> Fields:
    path = f"/events/{event_id}/handlers"
    found = await client.get_until(
        path,
        lambda page: any(
            (row["handler"], row["progress"]) == (handler, state) for row in rows_of(page)
        ),
    )
    return next(row for row in rows_of(found) if row["handler"] == handler)


async def emit(client: ApiClient, event_type: str) -> str:
    return str((await client.post("/events", {"event_type": event_type}))["id"])


async def test_each_handler_says_how_far_it_is_with_an_event(
    client: ApiClient, gate: asyncio.Event
) -> None:
    bad = await emit(client, "custom_bad")
    letter = await explain_until(client, bad, "watched.fail", "dead_letter")
    assert "no route to it" in str(letter["reason"])
    letters = rows_of(await client.get("/dead-letters"))
    assert letter["letter_id"] == letters[0]["id"]
    later = [await emit(client, "custom_later") for _ in range(20)]
    # In memory, and in the journal behind.
    for event_id in (bad, later[0], later[10], later[-1]):
        states = await explain(client, event_id)
        assert states["watched.slow"]["progress"] == "waiting", event_id
        assert states["watched.count"]["progress"] == "not_matched"
        assert "note_created" in str(states["watched.count"]["reason"])
        assert states["audit.log_events"]["progress"] == "past"
    assert (await explain(client, later[0]))["watched.fail"]["progress"] == "not_matched"
    gate.set()
    for event_id in (bad, later[0], later[10], later[-1]):
        await explain_until(client, event_id, "watched.slow", "past")
    await client.request("DELETE", f"/dead-letters/{letter['letter_id']}")
    assert (await explain(client, bad))["watched.fail"]["progress"] == "past"


async def test_lag_is_the_age_of_the_oldest_waiting_event(
    client: ApiClient, clock: ManualClock, gate: asyncio.Event
) -> None:
    begun = clock.now()
    await emit(client, "custom_first")
    clock.advance(seconds=30)
    for _ in range(5):
        await emit(client, "custom_later")
    first, *others = rows_of(await client.get("/system/handlers"))
    assert (first["plugin"], first["name"], first["behind"]) == ("watched", "watched.slow", 6)
    assert first["waiting_since"] == begun.isoformat().replace("+00:00", "Z")
    assert {row["waiting_since"] for row in others} == {None}
    plugins = {row["name"]: row for row in rows_of(await client.get("/plugins"))}
    assert "'behind': 6" in str(plugins["watched"]["handlers"])
    gate.set()
    await client.get_until(
        "/system/handlers", lambda page: not any(row["behind"] for row in rows_of(page))
    )


async def test_events_of_others_and_beyond_a_narrow_key_are_not_explained(
    client: ApiClient, open_client: MakeClient
) -> None:
    event_id = await emit(client, "custom_x")
    other = await open_client("bob")
    assert (await other.ask("GET", f"/events/{event_id}/handlers"))[0] == 404
    made = await client.post("/keys/create", {"name": "n", "events": ["note_*"]})
    async with ApiClient(client.url, str(made["key"])) as narrow:
        assert (await narrow.ask("GET", f"/events/{event_id}/handlers"))[0] == 403
    reader = await open_client("ada", Scope.READ)
    assert (await reader.ask("GET", f"/events/{event_id}/handlers"))[0] == 200
