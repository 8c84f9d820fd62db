from __future__ import annotations

from pathlib import Path

import pytest
from support.bus import Bus, Log, handle, wait_for_letters

from biont import Event, Store, Workbench
from biont.event import EventFactory
from biont.exceptions import Conflict, NotFound
from biont.store.dead_letters import DeadLetterFilter, mark_some_replaying
from biont.testing import ManualClock


@pytest.fixture
def bus(tmp_path: Path) -> Bus:
    return Bus(tmp_path / "bus.sqlite3")


class FragileHandler:
    """A handler that fails while `is_failing` is set."""

    def __init__(self) -> None:
        self.is_failing = True
        self.log = Log()

    async def handle(self, event: Event, _: Workbench) -> None:
        if self.is_failing:
            raise ConnectionError("cannot log in with password='hunter2' at whsec_c2VjcmV0Cg==")
        await self.log.add(event)


async def test_a_replayed_dead_letter_reaches_its_handler_and_is_deleted(bus: Bus) -> None:
    fragile = FragileHandler()

    async def call_fragile(event: Event, workbench: Workbench) -> None:
        await fragile.handle(event, workbench)

    async with bus.run(handle("call_fragile", call_fragile), retry=()) as events:
        emitted = await events.emit("custom_x", 1, {"n": 1})
        (letter,) = await wait_for_letters(events)
        fragile.is_failing = False
        await events.dead_letters.replay_one(letter.id)
        assert await fragile.log.wait_for(1) == [emitted]
        await wait_for_letters(events, 0)


async def test_a_dead_letter_whose_replay_fails_stays_with_the_new_error(bus: Bus) -> None:
    fragile = FragileHandler()

    async def call_fragile(event: Event, workbench: Workbench) -> None:
        await fragile.handle(event, workbench)

    async with bus.run(handle("call_fragile", call_fragile), retry=(0,)) as events:
        await events.emit("custom_x", 1, {})
        (letter,) = await wait_for_letters(events)
        assert letter.attempts == 2
        await events.dead_letters.replay_one(letter.id)
        with pytest.raises(Conflict, match="already"):
            await events.dead_letters.replay_one(letter.id)
        (again,) = await wait_for_letters(events)
        assert (again.id, again.attempts) == (letter.id, 4)
        # The letter stays while later events are handled.
        await events.dead_letters.replay_one(letter.id)
        (again,) = await wait_for_letters(events)
    async with bus.run(handle("call_fragile", call_fragile), retry=()) as events:
        (again,) = await wait_for_letters(events)
        assert (again.id, again.attempts) == (letter.id, 6)


async def test_many_dead_letters_are_counted_and_replayed(bus: Bus) -> None:
    fragile = FragileHandler()

    async def call_fragile(event: Event, workbench: Workbench) -> None:
        await fragile.handle(event, workbench)

    async with bus.run(handle("call_fragile", call_fragile), retry=()) as events:
        for number in range(7):
            await events.emit("custom_x", number % 2, {})
        await wait_for_letters(events, 7)
        ada = DeadLetterFilter(user_id=1, handler="test.call_fragile")
        assert await events.dead_letters.count(ada) == 3
        assert await events.dead_letters.count(DeadLetterFilter(until=ManualClock().now())) == 0
        fragile.is_failing = False
        assert await events.dead_letters.replay(ada) == 3
        await fragile.log.wait_for(3)
        assert {letter.user_id for letter in await wait_for_letters(events, 4)} == {0}


async def test_a_replay_survives_a_restart_and_can_be_requested_by_another_process(
    bus: Bus, tmp_path: Path
) -> None:
    fragile = FragileHandler()

    async def call_fragile(event: Event, workbench: Workbench) -> None:
        await fragile.handle(event, workbench)

    async with bus.run(handle("call_fragile", call_fragile), retry=()) as events:
        await events.emit("custom_x", 1, {})
        await wait_for_letters(events)
    other = Store(tmp_path / "bus.sqlite3", EventFactory(ManualClock(), 8), is_owner=False)
    await other.open()
    assert len((await other.write(mark_some_replaying, DeadLetterFilter(), 0)).rows) == 1
    await other.close()
    fragile.is_failing = False
    async with bus.run(handle("call_fragile", call_fragile), retry=()) as events:
        await fragile.log.wait_for(1)
        await wait_for_letters(events, 0)


async def test_a_dead_letter_can_be_deleted_and_is_hidden_from_other_users(bus: Bus) -> None:
    fragile = FragileHandler()

    async def call_fragile(event: Event, workbench: Workbench) -> None:
        await fragile.handle(event, workbench)

    async with bus.run(handle("call_fragile", call_fragile), retry=()) as events:
        await events.emit("custom_x", 1, {})
        (letter,) = await wait_for_letters(events)
        for forbidden in (
            events.dead_letters.read(letter.id, user_id=2),
            events.dead_letters.replay_one(letter.id, user_id=2),
            events.dead_letters.delete(letter.id, user_id=2),
        ):
            with pytest.raises(NotFound):
                await forbidden
        await events.dead_letters.delete(letter.id, user_id=1)
        await wait_for_letters(events, 0)


async def test_secrets_are_redacted_in_the_traceback(bus: Bus) -> None:
    fragile = FragileHandler()

    async def call_fragile(event: Event, workbench: Workbench) -> None:
        await fragile.handle(event, workbench)

    async with bus.run(handle("call_fragile", call_fragile), retry=()) as events:
        await events.emit("custom_x", 1, {})
        (letter,) = await wait_for_letters(events)
    assert "ConnectionError: cannot log in with password='***' at whsec_***" in letter.error
    assert "test_dead_letters.py" in letter.error


async def test_events_emitted_by_another_process_are_taken(bus: Bus, tmp_path: Path) -> None:
    log = Log()

    async def works(event: Event, _: Workbench) -> None:
        await log.add(event)

    factory = EventFactory(ManualClock(), 8)
    other = Store(tmp_path / "bus.sqlite3", factory, is_owner=False)
    left = [factory.make("custom_x", 1, {"n": number}) for number in range(4)]
    async with bus.run(handle("works", works)) as events:
        await other.open()
        for event in left[:2]:
            await other.append(event)
        await log.wait_for(2)
        left.insert(2, await events.emit("custom_x", 1, {"n": 9}))
        await log.wait_for(3)
    for event in left[3:]:
        await other.append(event)
    await other.close()
    async with bus.run(handle("works", works)):
        assert await log.wait_for(5) == left
