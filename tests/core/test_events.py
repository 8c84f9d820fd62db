from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from peewee import SqliteDatabase
from playhouse.migrations import Runner
from support.bus import Bus, Log, handle, wait_for_letters

import biont_audit.plugin as audit_plugin
from biont import Event, Workbench, on
from biont.events import EventSystem, Handler
from biont.events.handler_queue import HandlerQueue
from biont.events.handlers import collect_handlers
from biont.exceptions import InvalidInput, PluginError, StoreUnavailable
from biont.store.dead_letters import DeadLetter
from biont.store.journal import JournalEntry
from biont.store.migration import CORE_MIGRATIONS
from biont.testing import ManualClock


@pytest.fixture
def bus(tmp_path: Path) -> Bus:
    return Bus(tmp_path / "bus.sqlite3")


async def test_handlers_get_events_of_the_types_they_subscribed_to(bus: Bus) -> None:
    seen: Counter[tuple[str, str]] = Counter()
    done = Log()

    def make(name: str, *patterns: str) -> Handler:
        async def function(event: Event, _: Workbench) -> None:
            seen[name, event.event_type] += 1
            await done.add(event)

        return handle(name, function, *patterns)

    handlers = [make("exact", "task_done"), make("prefix", "task_*"), make("all", "*")]
    async with bus.run(*handlers) as events:
        for event_type in ("task_done", "task_failed", "note_created"):
            await events.emit(event_type, 1, {})
        await done.wait_for(6)
    assert seen == {
        ("exact", "task_done"): 1,
        ("prefix", "task_done"): 1,
        ("prefix", "task_failed"): 1,
        ("all", "task_done"): 1,
        ("all", "task_failed"): 1,
        ("all", "note_created"): 1,
    }


async def test_events_beyond_a_full_handler_queue_are_read_later_and_in_order(bus: Bus) -> None:
    log, gate = Log(), asyncio.Event()

    async def slow(event: Event, _: Workbench) -> None:
        await gate.wait()
        await log.add(event)

    async with bus.run(handle("slow", slow), lane_size=10) as events:
        for number in range(200):
            await events.emit("custom_number", 1, {"number": number})
        gate.set()
        seen = await log.wait_for(200)
        assert [event.payload["number"] for event in seen] == list(range(200))
        await events.emit("custom_number", 1, {"number": 200})
        assert (await log.wait_for(201))[-1].payload == {"number": 200}
        assert len(log.events) == 201


async def test_events_emitted_while_a_handler_queue_catches_up_are_not_lost(bus: Bus) -> None:
    log = Log()

    async def quick(event: Event, _: Workbench) -> None:
        await log.add(event)

    async def emit(events: EventSystem, first: int) -> None:
        for number in range(first, first + 100):
            await events.emit("custom_number", 1, {"number": number})

    async with bus.run(handle("quick", quick), lane_size=4) as events:
        await asyncio.gather(*(emit(events, 100 * worker) for worker in range(10)))
        seen = await log.wait_for(1000)
        assert sorted(int(str(event.payload["number"])) for event in seen) == list(range(1000))


async def test_a_slow_handler_delays_no_other(bus: Bus) -> None:
    quick_log, gate = Log(), asyncio.Event()

    async def slow(_: Event, __: Workbench) -> None:
        await gate.wait()

    async def quick(event: Event, _: Workbench) -> None:
        await quick_log.add(event)

    async with bus.run(handle("slow", slow), handle("quick", quick), lane_size=5) as events:
        for _ in range(50):
            await events.emit("custom_x", 1, {})
        await quick_log.wait_for(50)
        gate.set()


async def test_a_batch_handler_gets_lists(bus: Bus) -> None:
    log, sizes = Log(), []

    async def many(batch: Sequence[Event], _: Workbench) -> None:
        sizes.append(len(batch))
        await log.add(*batch)

    async with bus.run(handle("many", many, batch=50), lane_size=100) as events:
        await asyncio.gather(*(events.emit("custom_x", 1, {"n": n}) for n in range(100)))
        await log.wait_for(100)
    assert max(sizes) > 1
    assert len({event.id for event in log.events}) == 100


async def test_a_failed_handler_is_called_again_with_the_same_event_id(bus: Bus) -> None:
    log = Log()

    async def shaky(event: Event, _: Workbench) -> None:
        await log.add(event)
        if len(log.events) < 3:
            raise ConnectionError("not yet")

    async with bus.run(handle("shaky", shaky)) as events:
        event = await events.emit("custom_x", 1, {})
        assert [seen.id for seen in await log.wait_for(3)] == [event.id] * 3
        assert await bus.store.read(DeadLetter.select().count) == 0


async def test_an_event_that_a_handler_fails_for_good_becomes_a_dead_letter(bus: Bus) -> None:
    log = Log()

    async def picky(batch: Sequence[Event], _: Workbench) -> None:
        if any(event.payload["n"] == 3 for event in batch):
            raise ValueError("three!")
        await log.add(*batch)

    async with bus.run(handle("picky", picky, batch=10)) as events:
        emitted = await asyncio.gather(*(events.emit("custom_x", 1, {"n": n}) for n in range(6)))
        await log.wait_for(5)
        assert {event.payload["n"] for event in log.events} == {0, 1, 2, 4, 5}
        (letter,) = await wait_for_letters(events)
    assert letter.event_id == emitted[3].id
    assert letter.attempts == 3
    assert "ValueError: three!" in letter.error


@pytest.mark.parametrize("error", [ValueError("half a pair: \ud800"), asyncio.CancelledError()])
async def test_a_handler_gets_the_next_event_whatever_error_it_raised(
    bus: Bus, error: BaseException
) -> None:
    log = Log()

    async def stumble(event: Event, _: Workbench) -> None:
        if event.event_type == "custom_stone":
            raise error
        await log.add(event)

    async with bus.run(handle("stumble", stumble), retry=()) as events:
        stone = await events.emit("custom_stone", 1, {})
        later = await events.emit("custom_path", 1, {})
        assert await log.wait_for(1) == [later]
        (letter,) = await wait_for_letters(events)
        assert letter.event_id == stone.id


async def test_a_journal_that_cannot_be_read_is_read_again() -> None:
    """Events beyond the room in memory are read later, also when the first read fails."""
    entries = [
        JournalEntry(number, Event.uncaused(f"e{number}", 1, "custom_x", {}, ManualClock().now()))
        for number in range(1, 6)
    ]
    failures = [StoreUnavailable("too many open files")]

    async def read(first: int, last: int, limit: int) -> Sequence[JournalEntry]:
        if failures:
            raise failures.pop()
        return entries[first - 1 : last][:limit]

    queue = HandlerQueue(lambda _: True, 0, 5, 10, read, lambda: None)
    filling = asyncio.create_task(queue.fill_gaps())
    async with asyncio.timeout(20):
        await queue.wait()
    assert [item.sequence for item in queue.take(10)] == [1, 2, 3, 4, 5]
    filling.cancel()


async def test_events_that_found_no_room_are_read_many_at_once() -> None:
    entries = [
        JournalEntry(number, Event.uncaused(f"e{number}", 1, "custom_x", {}, ManualClock().now()))
        for number in range(1, 61)
    ]
    reads: list[tuple[int, int]] = []

    async def read(first: int, last: int, limit: int) -> Sequence[JournalEntry]:
        found = entries[first - 1 : last][:limit]
        reads.append((first, found[-1].sequence))
        return found

    queue = HandlerQueue(lambda _: True, 0, 0, 40, read, lambda: None)
    for entry in entries:
        queue.offer([entry])
    filling = asyncio.create_task(queue.fill_gaps())
    handled: list[int] = []
    async with asyncio.timeout(20):
        while len(handled) < 60:
            await queue.wait()
            items = queue.take(60)
            handled += [item.sequence for item in items]
            for item in items:
                item.done = True
            queue.finish(items)
    filling.cancel()
    assert handled == list(range(1, 61))
    assert reads == [(21, 40), (41, 60)]


async def test_a_hanging_handler_is_cancelled_and_other_handlers_continue(bus: Bus) -> None:
    hung = Log()

    async def hangs(event: Event, _: Workbench) -> None:
        await hung.add(event)
        await asyncio.Event().wait()

    async with bus.run(handle("hangs", hangs, timeout=0.01, retry=())) as events:
        await events.emit("custom_x", 1, {})
        await events.emit("custom_x", 1, {})
        await hung.wait_for(2)
        assert "TimeoutError" in (await wait_for_letters(events, 2))[0].error


async def test_a_full_batch_is_handled_before_linger_ends(bus: Bus) -> None:
    sizes: list[int] = []
    log = Log()

    async def works(events: Sequence[Event], _: Workbench) -> None:
        sizes.append(len(events))
        await log.add(*events)

    async with bus.run(handle("works", works, batch=4, linger=600)) as events:
        for _ in range(8):
            await events.emit("custom_x", 1, {})
        await log.wait_for(8)
    assert sizes == [4, 4]


async def test_unhandled_events_are_handled_after_a_restart(bus: Bus) -> None:
    log = Log()

    async def stuck(_: Event, __: Workbench) -> None:
        await asyncio.Event().wait()

    async def works(event: Event, _: Workbench) -> None:
        await log.add(event)

    async with bus.run(handle("one", stuck), grace=0) as events:
        emitted = [await events.emit("custom_x", 1, {"n": n}) for n in range(30)]
    async with bus.run(handle("one", works)):
        await log.wait_for(30)
    assert [event.id for event in log.events] == [event.id for event in emitted]


async def test_unhandled_events_of_an_older_version_are_handled(bus: Bus, tmp_path: Path) -> None:
    """An older version had a row for each event."""
    database = SqliteDatabase(str(tmp_path / "bus.sqlite3"))
    with database.connection_context():
        Runner(database, str(CORE_MIGRATIONS), table_name="migrations_core").up(
            "0005_user_time_zone"
        )
        columns = ("c1", None, 0)
        for number in range(1, 601):
            payload = f'{{"n": {number}, "text": "\u00e9\\"x"}}'
            made = "2026-01-01 10:00:00.500000+00:00"
            row = (number, f"e{number}", 1, "custom_x", payload, made, *columns)
            database.execute_sql("INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        database.execute_sql("INSERT INTO handler_position VALUES ('test.one', 'test', 1)")
    log = Log()

    async def works(event: Event, _: Workbench) -> None:
        await log.add(event)

    async with bus.run(handle("one", works), lane_size=100):
        events = await log.wait_for(599)
    assert [event.id for event in events] == [f"e{number}" for number in range(2, 601)]
    assert events[0].payload == {"n": 2, "text": '\u00e9"x'}
    assert events[0].payload_json == '{"n": 2, "text": "\u00e9\\"x"}'
    assert events[0].created_at == datetime(2026, 1, 1, 10, 0, 0, 500000, tzinfo=UTC)


async def test_the_journal_is_pruned_up_to_the_position_of_the_slowest_handler(bus: Bus) -> None:
    log = Log()

    async def works(event: Event, _: Workbench) -> None:
        await log.add(event)

    async with bus.run(handle("one", works)) as events:
        for _ in range(20):
            await events.emit("custom_x", 1, {})
        await log.wait_for(20)
    async with bus.run(handle("one", works)):
        assert await bus.count_journal() == 0


async def test_a_plugin_in_quarantine_gets_its_events_after_its_repair(bus: Bus) -> None:
    log = Log()

    async def works(event: Event, _: Workbench) -> None:
        await log.add(event)

    async with bus.run(handle("one", works)):
        pass
    async with bus.run(waiting=["test"]) as events:
        missed = await events.emit("custom_x", 1, {})
    async with bus.run(handle("one", works)):
        assert (await log.wait_for(1))[0].id == missed.id


async def test_events_emitted_by_handlers_name_their_cause(bus: Bus) -> None:
    log = Log()
    system: list[EventSystem] = []

    async def echo(event: Event, _: Workbench) -> None:
        await log.add(event)
        await system[0].emit("custom_echo", 1, {})

    async def keep(event: Event, _: Workbench) -> None:
        await log.add(event)

    handlers = [handle("echo", echo, "custom_first"), handle("keep", keep, "custom_echo")]
    async with bus.run(*handlers) as events:
        system.append(events)
        first = await events.emit("custom_first", 1, {})
        _, second = await log.wait_for(2)
    assert first.correlation_id == first.id
    assert (second.correlation_id, second.causation_id, second.hops) == (first.id, first.id, 1)


async def test_a_loop_of_events_ends(bus: Bus) -> None:
    log = Log()
    system: list[EventSystem] = []

    async def loop(event: Event, _: Workbench) -> None:
        await log.add(event)
        await system[0].emit("custom_loop", 1, {})

    async with bus.run(handle("loop", loop, retry=())) as events:
        system.append(events)
        await events.emit("custom_loop", 1, {})
        assert "Conflict" in (await wait_for_letters(events))[0].error
    assert [event.hops for event in log.events] == [0, 1, 2, 3]


@pytest.mark.parametrize("event_type", ["", "Note", "note-created", "1note", "n" * 101, "nöte"])
async def test_a_malformed_event_type_is_refused(bus: Bus, event_type: str) -> None:
    async with bus.run() as events:
        with pytest.raises(InvalidInput, match="event_type"):
            await events.emit(event_type, 1, {})


async def test_a_payload_that_is_not_json_is_refused(bus: Bus) -> None:
    async with bus.run() as events:
        with pytest.raises(InvalidInput, match="payload"):
            await events.emit("custom_x", 1, {"clock": ManualClock})  # type: ignore[dict-item]  # wrong on purpose


@pytest.mark.parametrize("pattern", ["", "*_created", "a*b"])
def test_a_malformed_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(PluginError):
        on(pattern)


def test_only_async_functions_can_be_handlers() -> None:
    def plain(_: Event, __: Workbench) -> None:
        raise AssertionError

    with pytest.raises(PluginError, match="async"):
        on("*")(plain)


def test_a_handler_takes_the_arguments_of_the_call() -> None:
    async def takes_one(_: Event) -> None:
        raise AssertionError

    async def takes_more(_: Event, __: Workbench, ___: int) -> None:
        raise AssertionError

    def takes_two(_: Event, __: Workbench) -> None:
        raise AssertionError

    with pytest.raises(PluginError, match=r"called as takes_one\(event, workbench\)"):
        on("*")(takes_one)
    with pytest.raises(PluginError, match=r"called as takes_one\(events, workbench\)"):
        on("*", batch=2)(takes_one)
    with pytest.raises(PluginError, match="takes_more"):
        on("*")(takes_more)
    with pytest.raises(PluginError, match=r"takes_two\(transaction, events, workbench\)"):
        on("*", transactional=True)(takes_two)
    with pytest.raises(PluginError, match=r"called as takes_one\(events, workbench\)"):
        on("*", transactional=True, again=takes_one)


def test_marked_functions_of_a_module_are_collected() -> None:
    (handler,) = collect_handlers("audit", audit_plugin, None)
    assert handler.name == "audit.log_events"
    assert handler.subscription.patterns == ("*",)
