"""Operations of a plugin: failures, turns, isolation, lists, limits and retention."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from types import ModuleType

import pytest
from conftest import Restart
from pydantic import BaseModel, JsonValue

from biont import Api, Request, Scope, Transaction, Workbench, hookimpl
from biont.application import Application
from biont.backoff import Backoff
from biont.exceptions import NotFound, StoreUnavailable
from biont.operations import (
    Chunk,
    Counts,
    OperationKind,
    OperationView,
    Part,
    make_operation_view,
    operations,
)
from biont.operations.tables import delete_operations, find_old_operations
from biont.testing import ApiClient, MakeClient, ManualClock, rows_of


class Sweep(BaseModel):
    """Parameters of the kind ``sweep``: the number of parts, and the mood of the steps."""

    parts: int = 3
    mood: str = "good"


class Sweeper:
    """A plugin with operations of some parts, and a record of the parts that were written."""

    def __init__(self) -> None:
        self.limits: list[int] = []
        self.written: list[tuple[int, int]] = []
        self.failures = 0
        self.gate = asyncio.Event()
        self.gate.set()

    def make(self) -> ModuleType:
        sweeper = self

        @hookimpl
        def register_operations() -> Sequence[OperationKind]:
            scopes = frozenset({Scope.CHAT})
            return [
                OperationKind("sweep", Sweep, sweeper.step, sweeper.count),
                OperationKind("open_sweep", Sweep, sweeper.step, scopes=scopes),
            ]

        @hookimpl
        def register_routes() -> Api:
            api = Api("sweeper")

            @api.post("/sweeps/{kind}", status=202, location="/operations/{id}")
            async def sweep(request: Request, kind: str, body: Sweep) -> OperationView:
                """Begin an operation."""
                begin = request.workbench.operations.begin
                return make_operation_view(
                    await request.workbench.store.transact(
                        begin, request.user_id, kind, "/api/v1/sweeps", body
                    )
                )

            return api

        module = ModuleType("sweeper")
        for function in (register_operations, register_routes):
            setattr(module, function.__name__, function)
        return module

    async def step(self, part: Part, _: Workbench) -> Chunk:
        await self.gate.wait()
        chosen = part.parameters_as(Sweep)
        number = int(part.cursor or 0)
        if chosen.mood == "broken" or (chosen.mood == "shaky" and self.failures):
            self.failures -= 1
            raise ConnectionError("https://ada:hunter2@sweeps.example refuses")
        if chosen.mood == "gone":
            raise NotFound("there is no broom")
        if chosen.mood == "leaving":
            raise SystemExit(1)
        if chosen.mood == "postponed" and self.failures:
            self.failures -= 1
            raise StoreUnavailable("the database is locked")

        self.limits.append(part.limit)

        def write(_: Transaction) -> Counts:
            if chosen.mood == "slow":
                time.sleep(operations.LONG_SECONDS * 1.2)
            if chosen.mood == "broken write":
                raise ValueError("cannot be written")
            self.written.append((part.operation_id, number))
            return Counts(done=2, skipped=1, failed=1)

        stuck = chosen.mood == "stuck" and number
        last = number + 1 == chosen.parts
        return Chunk(write, None if last else str(number if stuck else number + 1))

    def count(self, part: Part) -> tuple[int, str | None]:
        if part.parameters_as(Sweep).mood == "uncounted":
            raise ValueError("cannot be counted")
        number = int(part.cursor or 0)
        parts = part.parameters_as(Sweep).parts
        return 4, None if number + 1 >= parts else str(number + 1)


@pytest.fixture
def sweeper() -> Sweeper:
    return Sweeper()


@pytest.fixture
def plugins(sweeper: Sweeper) -> Mapping[str, ModuleType]:
    return {"sweeper": sweeper.make()}


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try failed parts again at once."""
    monkeypatch.setattr(operations, "BACKOFF", Backoff([0.0, 0.0, 0.0]))


async def begin(client: ApiClient, kind: str = "sweep", **parameters: JsonValue) -> str:
    """Begin an operation; return its path."""
    answer = await client.request("POST", f"/sweeps/{kind}", parameters)
    assert answer.status == 202, answer.document
    path = f"/operations/{answer.document['id']}"
    assert answer.headers["Location"] == f"/api/v1{path}"
    return path


async def wait_for_end(client: ApiClient, path: str) -> dict[str, JsonValue]:
    return await client.get_until(path, lambda operation: operation["status"] != "running")


async def test_an_operation_is_worked_off_part_by_part(
    client: ApiClient, sweeper: Sweeper
) -> None:
    sweeper.gate.clear()
    path = await begin(client)
    # Counted while the first part is prepared.
    counted = await client.get_until(path, lambda operation: operation["counted"] is not None)
    sweeper.gate.set()
    expected = {
        "id": 1,
        "kind": "sweep",
        "subject": "/api/v1/sweeps",
        "status": "running",
        "counted": 12,
        "done": 0,
        "skipped": 0,
        "failed": 0,
        "error": None,
        "begun_at": "2026-03-02T12:00:00Z",
        "ended_at": None,
    }
    assert counted == expected
    ended = await wait_for_end(client, path)
    assert ended == expected | {
        "status": "done",
        "done": 6,
        "skipped": 3,
        "failed": 3,
        "ended_at": "2026-03-02T12:00:00Z",
    }
    assert sweeper.written == [(1, 0), (1, 1), (1, 2)]
    (event,) = rows_of(await client.get("/events?event_type=operation_finished"))
    assert event["payload"] == {
        "operation_id": 1,
        "kind": "sweep",
        "subject": "/api/v1/sweeps",
        "status": "done",
        "done": 6,
        "skipped": 3,
        "failed": 3,
        "error": None,
    }


@pytest.mark.parametrize(
    ("mood", "error"),
    [
        ("broken", "https://ada:***@sweeps.example refuses"),
        ("broken write", "cannot be written"),
        ("gone", "there is no broom"),
        ("leaving", "SystemExit"),
        ("stuck", "does not advance"),
    ],
)
async def test_a_part_that_keeps_failing_ends_its_operation_alone(
    client: ApiClient, mood: str, error: str
) -> None:
    path = await begin(client, mood=mood)
    other = await begin(client, parts=4)
    failed = await wait_for_end(client, path)
    assert failed["status"] == "failed"
    assert error in str(failed["error"])
    assert failed["ended_at"] is not None
    assert (await wait_for_end(client, other))["done"] == 8
    events = rows_of(await client.get("/events?event_type=operation_finished"))
    assert {str(event["payload"]).count("'status': 'failed'") for event in events} == {0, 1}


@pytest.mark.parametrize(("mood", "error"), [("shaky", True), ("postponed", False)])
async def test_a_part_that_fails_now_and_then_is_tried_again(
    client: ApiClient, sweeper: Sweeper, mood: str, error: bool
) -> None:
    # Thrice in a row are the tries of a part; an unavailable store may be longer so.
    sweeper.failures = 3 if error else 7
    ended = await wait_for_end(client, await begin(client, mood=mood))
    assert (ended["status"], ended["done"]) == ("done", 6)
    assert (ended["error"] is not None) is error


async def test_an_operation_that_cannot_be_counted_goes_on(client: ApiClient) -> None:
    ended = await wait_for_end(client, await begin(client, mood="uncounted"))
    assert (ended["status"], ended["counted"]) == ("done", 12)


async def test_slow_parts_are_followed_by_smaller_ones(
    client: ApiClient, sweeper: Sweeper
) -> None:
    await wait_for_end(client, await begin(client, mood="slow", parts=5))
    assert sweeper.limits == [100, 50, 25, 20, 20]


async def test_quick_parts_are_followed_by_larger_ones(
    client: ApiClient, sweeper: Sweeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operations, "SHORT_SECONDS", 60.0)
    monkeypatch.setattr(operations, "LONG_SECONDS", 60.0)
    await wait_for_end(client, await begin(client))
    assert sweeper.limits == [100, 200, 200]


async def test_operations_take_turns(client: ApiClient, sweeper: Sweeper) -> None:
    sweeper.gate.clear()
    paths = [await begin(client, parts=parts) for parts in (6, 7, 8)]
    sweeper.gate.set()
    for path in paths:
        await wait_for_end(client, path)
    assert sorted(sweeper.written) == [
        (operation, number) for operation in (1, 2, 3) for number in range(5 + operation)
    ]
    # None is done before the others are well under way.
    last = sweeper.written.index((1, 5))
    assert {operation for operation, number in sweeper.written[:last] if number > 2} == {1, 2, 3}


async def test_the_same_act_is_begun_once_and_the_number_of_acts_is_bounded(
    client: ApiClient, sweeper: Sweeper, open_client: MakeClient
) -> None:
    sweeper.gate.clear()
    first = await begin(client)
    assert await begin(client) == first
    for parts in range(4, 23):
        assert await begin(client, parts=parts) != first
    status, problem = await client.ask("POST", "/sweeps/sweep", {"parts": 100})
    assert status == 409
    assert "cancel" in str(problem["detail"])
    assert await begin(client) == first
    await begin(await open_client("eve"))
    assert (await client.post(f"{first}/cancel"))["status"] == "cancelled"
    assert await begin(client) != first
    sweeper.gate.set()


async def test_operations_are_hidden_from_other_users_and_scopes(
    open_client: MakeClient, sweeper: Sweeper
) -> None:
    ada, eve = await open_client("ada"), await open_client("eve")
    chat = await open_client("ada", Scope.CHAT)
    sweeper.gate.clear()
    path, open_path = await begin(ada), await begin(ada, "open_sweep")
    for stranger in (eve, chat):
        assert (await stranger.ask("GET", path))[0] == 404
        assert (await stranger.ask("POST", f"{path}/cancel"))[0] == 404
    assert (await ada.ask("GET", "/operations/99"))[0] == 404
    assert rows_of(await eve.get("/operations")) == []
    assert [row["kind"] for row in rows_of(await chat.get("/operations"))] == ["open_sweep"]
    assert rows_of(await chat.get("/operations?kind=sweep")) == []
    assert (await chat.post(f"{open_path}/cancel"))["status"] == "cancelled"
    assert (await (await open_client(None)).ask("GET", path))[0] == 401
    sweeper.gate.set()
    assert (await wait_for_end(ada, path))["status"] == "done"


async def test_operations_are_listed_by_kind_and_status_page_by_page(client: ApiClient) -> None:
    for kind in ("sweep", "open_sweep", "sweep"):
        await wait_for_end(client, await begin(client, kind))
    await wait_for_end(client, await begin(client, mood="gone"))

    async def find(query: str) -> list[JsonValue]:
        return [row["id"] for row in rows_of(await client.get(f"/operations{query}"))]

    assert await find("") == [4, 3, 2, 1]
    assert await find("?kind=sweep") == [4, 3, 1]
    assert await find("?kind=sweep&kind=open_sweep&status=done") == [3, 2, 1]
    assert await find("?status=failed&status=cancelled") == [4]
    assert await find("?kind=unknown") == []
    page = await client.get("/operations?limit=3")
    assert await find(f"?limit=3&cursor={page['next']}") == [1]
    for query in ("status=over", "kind=No", "limit=0"):
        assert (await client.ask("GET", f"/operations?{query}"))[0] == 422


async def test_old_operations_are_deleted_and_running_ones_stay(
    client: ApiClient, sweeper: Sweeper, application: Application, clock: ManualClock
) -> None:
    done = await begin(client)
    await wait_for_end(client, done)
    sweeper.gate.clear()
    running = await begin(client)
    store = application.workbench.store
    clock.advance(days=1)
    old = await store.read(find_old_operations, clock.now(), 10)
    await store.write(delete_operations, old)
    assert (await client.ask("GET", done))[0] == 404
    assert (await client.get(running))["status"] == "running"
    sweeper.gate.set()


async def test_an_operation_waits_while_its_plugin_does_not_run(
    restart: Restart, tmp_path: Path
) -> None:
    async with restart() as client:
        await client.get("/operations")
    with closing(sqlite3.connect(tmp_path / "biont.sqlite3")) as connection, connection:
        connection.execute(
            "INSERT INTO operations (user_id, kind, subject, parameters, status, done, skipped,"
            " failed, begun_at) VALUES (1, 'elsewhere', '/x', '{}', 'running', 0, 0, 0,"
            " '2026-03-02 12:00:00+00:00')"
        )
    async with restart() as client:
        assert (await client.get("/operations/1"))["status"] == "running"
        assert (await client.post("/operations/1/cancel"))["status"] == "cancelled"
