"""Handlers that run inside the transaction of their events."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from support.bus import Bus, Log, handle, wait_for_letters

from biont import Event, Transaction, Workbench, on
from biont.accounts import User
from biont.exceptions import PluginError, StoreUnavailable
from biont.store import execute_sql


@pytest.fixture
def bus(tmp_path: Path) -> Bus:
    return Bus(tmp_path / "bus.sqlite3")


def add_users(_: Transaction, events: Sequence[Event], __: Workbench) -> None:
    for event in events:
        User.insert(name=event.id, created_at=event.created_at).on_conflict_ignore().execute()


def read_names() -> set[str]:
    return {user.name for user in User.select()}


async def test_its_changes_are_durable_when_the_event_is_acknowledged(
    bus: Bus,
) -> None:
    async with bus.run(handle("add", add_users, transactional=True)) as events:
        for _ in range(3):
            event = await events.emit("custom_x", 1, {})
            assert event.id in await bus.store.read(read_names)
        # No handler sees the events later, so the journal has none.
        assert await bus.count_journal() == 0


async def test_a_transactional_handler_gets_only_events_it_subscribed_to(bus: Bus) -> None:
    async with bus.run(handle("add", add_users, "custom_a*", transactional=True)) as events:
        first, other = await asyncio.gather(
            events.emit("custom_ab", 1, {}), events.emit("custom_b", 1, {})
        )
        names = await bus.store.read(read_names)
    assert first.id in names
    assert other.id not in names


async def test_a_failed_event_is_acknowledged_and_redelivered(
    bus: Bus,
) -> None:
    failures = iter([ValueError("not now"), ValueError("not yet")])
    done = Log()

    def shaky(tx: Transaction, events: Sequence[Event], workbench: Workbench) -> None:
        add_users(tx, events, workbench)
        if (error := next(failures, None)) is not None:
            raise error
        tx.after_commit(lambda: tasks.append(asyncio.create_task(done.add(*events))))

    tasks: list[asyncio.Task[None]] = []
    async with bus.run(handle("shaky", shaky, transactional=True)) as events:
        event = await events.emit("custom_x", 1, {})
        assert (await done.wait_for(1))[0].id == event.id
        assert await bus.store.read(read_names) == {event.id}


async def test_an_event_that_always_fails_becomes_a_dead_letter(
    bus: Bus,
) -> None:
    def broken(_: Transaction, __: Sequence[Event], ___: Workbench) -> None:
        raise ValueError("never")

    handlers = [
        handle("add", add_users, transactional=True),
        handle("broken", broken, "custom_bad", transactional=True),
    ]
    async with bus.run(*handlers) as events:
        bad = await events.emit("custom_bad", 1, {})
        good = await events.emit("custom_good", 1, {})
        (letter,) = await wait_for_letters(events)
        assert (letter.handler, letter.event_id) == ("test.broken", bad.id)
        assert await bus.store.read(read_names) == {bad.id, good.id}


async def test_callbacks_of_other_handlers_are_called_once_when_a_handler_fails(bus: Bus) -> None:
    called: list[str] = []

    def wants(tx: Transaction, events: Sequence[Event], workbench: Workbench) -> None:
        add_users(tx, events, workbench)
        tx.after_commit(lambda: called.extend(event.event_type for event in events))

    def broken(_: Transaction, __: Sequence[Event], ___: Workbench) -> None:
        raise ValueError("never")

    handlers = [
        handle("wants", wants, transactional=True),
        handle("broken", broken, "custom_bad", transactional=True),
    ]
    async with bus.run(*handlers, retry=()) as events:
        emitted = [await events.emit(f"custom_{kind}", 1, {}) for kind in ("bad", "bad", "good")]
        await wait_for_letters(events, 2)
        assert await bus.store.read(read_names) == {event.id for event in emitted}
    assert called == ["custom_bad", "custom_bad", "custom_good"]


async def test_a_failing_handler_repeats_the_calls_of_others_once(bus: Bus) -> None:
    calls: list[str] = []

    def counts(_: Transaction, events: Sequence[Event], __: Workbench) -> None:
        calls.extend(event.id for event in events)

    def broken(_: Transaction, __: Sequence[Event], ___: Workbench) -> None:
        raise ValueError("always")

    async with bus.run(
        handle("counts", counts, transactional=True),
        handle("broken", broken, transactional=True, retry=(600,)),
    ) as events:
        first = await events.emit("custom_x", 1, {})
        second = await events.emit("custom_x", 1, {})
        # Called together, and again apart; from then on apart at once.
        assert calls == [first.id, first.id, second.id]


async def test_nothing_is_acknowledged_when_a_handler_ends_the_transaction(bus: Bus) -> None:
    def ends(tx: Transaction, events: Sequence[Event], workbench: Workbench) -> None:
        add_users(tx, events, workbench)
        execute_sql(
            "INSERT OR ROLLBACK INTO users (name, created_at) VALUES (?, '')", events[0].id
        )

    handlers = [
        handle("ends", ends, "custom_bad", transactional=True),
        handle("add", add_users, transactional=True),
    ]
    async with bus.run(*handlers) as events:
        with pytest.raises(StoreUnavailable, match="nothing was written"):
            await events.emit("custom_bad", 1, {})
        good = await events.emit("custom_good", 1, {})
        assert await bus.store.read(read_names) == {good.id}
        assert await bus.count_journal() == 0


async def test_a_deferred_event_is_redelivered_in_a_later_transaction(bus: Bus) -> None:
    calls: list[tuple[bool, list[str]]] = []

    def puts_off(tx: Transaction, events: Sequence[Event], workbench: Workbench) -> None:
        calls.append((tx.can_defer, [event.id for event in events]))
        for event in events:
            if event.payload["later"]:
                tx.defer(event) if tx.can_defer else add_users(tx, [event], workbench)

    async with bus.run(handle("puts_off", puts_off, transactional=True)) as events:
        for later in (True, False, True):
            await events.emit("custom_x", 1, {"later": later})
        async with asyncio.timeout(60):
            while len(await bus.store.read(read_names)) < 2:
                pass
    first = [call for call in calls if call[0]]
    again = [event_id for can_defer, ids in calls if not can_defer for event_id in ids]
    assert len(first) == 3
    assert again == [first[0][1][0], first[2][1][0]]


async def test_deferred_events_go_to_the_function_given_as_again(bus: Bus) -> None:
    log = Log()

    def puts_off(tx: Transaction, events: Sequence[Event], _: Workbench) -> None:
        for event in events:
            tx.defer(event)

    async def later(events: Sequence[Event], _: Workbench) -> None:
        await log.add(*events)

    async with bus.run(handle("puts_off", puts_off, transactional=True, again=later)) as events:
        emitted = [await events.emit("custom_x", 1, {}) for _ in range(3)]
        assert await log.wait_for(3) == emitted


async def test_a_transactional_handler_may_not_emit(bus: Bus) -> None:
    def emits(tx: Transaction, _: Sequence[Event], __: Workbench) -> None:
        tx.emit("custom_more", 1, {})

    async with bus.run(handle("emits", emits, "custom_x", transactional=True)) as events:
        await events.emit("custom_x", 1, {})
        # In a retry the handler has a transaction of its own, in which it may emit.
        assert await bus.count_journal() <= 2


async def test_it_gets_the_events_emitted_while_its_plugin_was_missing(
    bus: Bus,
) -> None:
    async with bus.run(handle("add", add_users, transactional=True)):
        pass
    async with bus.run(waiting=["test"]) as events:
        missed = [(await events.emit("custom_x", 1, {})).id for _ in range(5)]
    async with bus.run(handle("add", add_users, transactional=True)):
        async with asyncio.timeout(60):
            while await bus.store.read(read_names) != set(missed):
                pass


async def test_after_commit_calls_back_after_a_commit_and_never_after_a_failure(bus: Bus) -> None:
    called: list[str] = []

    def write(tx: Transaction, name: str, *, fail: bool) -> None:
        tx.after_commit(lambda: called.append(name))
        if fail:
            raise ValueError(name)

    async with bus.run():
        results = await asyncio.gather(
            bus.store.transact(write, "kept", fail=False),
            bus.store.transact(write, "undone", fail=True),
            return_exceptions=True,
        )
    assert called == ["kept"]
    assert isinstance(results[1], ValueError)


def test_a_transactional_handler_must_not_be_async() -> None:
    async def not_plain(_: Transaction, __: Sequence[Event], ___: Workbench) -> None:
        raise AssertionError

    with pytest.raises(PluginError, match="plain"):
        on("*", transactional=True)(not_plain)
