from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from support.bus import Bus, Log, handle, wait_for_letters

from biont import Event, Workbench, on
from biont.exceptions import PluginError


@pytest.fixture
def bus(tmp_path: Path) -> Bus:
    return Bus(tmp_path / "bus.sqlite3")


async def test_a_new_event_does_not_wait_for_a_backlog(bus: Bus) -> None:
    log, gate = Log(), asyncio.Event()

    async def stuck(_: Event, __: Workbench) -> None:
        await asyncio.Event().wait()

    async def works(event: Event, _: Workbench) -> None:
        await log.add(event)
        if len(log.events) == 5:
            await gate.wait()

    async with bus.run(handle("one", stuck), grace=0) as events:
        for number in range(100):
            await events.emit("custom_x", 1, {"n": number})
    async with bus.run(handle("one", works), lane_size=10) as events:
        await log.wait_for(5)
        new = await events.emit("custom_new", 1, {})
        gate.set()
        seen = await log.wait_for(20)
        assert new.id in {event.id for event in seen[:20]}
        await log.wait_for(101)
    assert len({event.id for event in log.events}) == 101


async def test_an_ordered_handler_gets_the_events_of_a_user_one_after_the_other(bus: Bus) -> None:
    log, running = Log(), set[int]()

    async def ordered(event: Event, _: Workbench) -> None:
        assert event.user_id not in running
        running.add(event.user_id)
        await asyncio.sleep(0)
        running.remove(event.user_id)
        await log.add(event)

    handler = handle("ordered", ordered, ordered=True, concurrency=4)
    async with bus.run(handler, lane_size=8) as events:
        await asyncio.gather(*(events.emit("custom_x", n % 3, {"n": n}) for n in range(300)))
        seen = await log.wait_for(300)
    for user in range(3):
        numbers = [event.payload["n"] for event in seen if event.user_id == user]
        assert numbers == list(range(user, 300, 3))


async def test_an_ordered_handler_gets_the_next_event_after_the_last_retry(
    bus: Bus,
) -> None:
    log = Log()

    async def picky(event: Event, _: Workbench) -> None:
        await log.add(event)
        if event.payload["n"] == 0 and event.user_id == 1:
            raise ValueError("zero")

    handler = handle("picky", picky, ordered=True, concurrency=2)
    async with bus.run(handler) as events:
        for number in range(3):
            await events.emit("custom_x", 1, {"n": number})
            await events.emit("custom_x", 2, {"n": number})
        seen = await log.wait_for(8)
        await wait_for_letters(events)
    # Three attempts of the first event; the user's other events come after these.
    assert [event.payload["n"] for event in seen if event.user_id == 1] == [0, 0, 0, 1, 2]
    assert [event.payload["n"] for event in seen if event.user_id == 2] == [0, 1, 2]


@pytest.mark.parametrize(
    "options",
    [
        {"ordered": True, "batch": 5},
        {"transactional": True, "concurrency": 5},
        {"transactional": True, "ordered": True},
        {"again": len},
    ],
)
def test_options_that_exclude_each_other_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(PluginError):
        on("*", **options)  # type: ignore[arg-type]  # any of them
