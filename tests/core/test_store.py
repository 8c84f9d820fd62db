from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from peewee import OperationalError

from biont import Store, Transaction, Workbench
from biont.accounts import User
from biont.application import open_application
from biont.event import EventFactory
from biont.exceptions import BiontError, StoreConflict, StoreUnavailable
from biont.settings import load_settings
from biont.store import execute_sql
from biont.store.journal import JournalEntry
from biont.testing import ManualClock, write_config


@pytest.fixture
def seen() -> list[JournalEntry]:
    return []


@pytest.fixture
async def store(
    tmp_path: Path, clock: ManualClock, seen: list[JournalEntry]
) -> AsyncIterator[Store]:
    store = Store(tmp_path / "store.sqlite3", EventFactory(clock, 8))
    store.on_commit(lambda entries, _: seen.extend(entries))
    await store.open()
    yield store
    await store.close()


def add_user(tx: Transaction, name: str, *, fail: bool = False) -> str:
    User.create(name=name, created_at=ManualClock().now())
    tx.emit("custom_user", 1, {"name": name})
    if fail:
        raise ValueError(name)
    return name


async def read_names(store: Store) -> set[str]:
    return await store.read(lambda: {user.name for user in User.select()})


async def test_a_closed_store_leaves_no_thread(tmp_path: Path, clock: ManualClock) -> None:
    before = set(threading.enumerate())
    store = Store(tmp_path / "closed.sqlite3", EventFactory(clock, 8))
    await store.open()
    await store.transact(add_user, "ada")
    await store.close()
    left = set(threading.enumerate()) - before
    # The threads in which the event loop runs blocking functions belong to the loop.
    assert [thread.name for thread in left if not thread.name.startswith("asyncio_")] == []


async def test_a_failed_write_does_not_fail_the_writes_that_share_its_commit(
    store: Store, seen: list[JournalEntry]
) -> None:
    names = [f"user-{number}" for number in range(50)]
    results = await asyncio.gather(
        *(store.transact(add_user, name, fail=name.endswith("7")) for name in names),
        return_exceptions=True,
    )
    kept = [name for name in names if not name.endswith("7")]
    assert [result for result in results if isinstance(result, str)] == kept
    assert all(isinstance(results[number], ValueError) for number in (7, 17, 27, 37, 47))
    assert await read_names(store) == set(kept)
    assert [entry.event.payload["name"] for entry in seen] == kept
    assert [entry.sequence for entry in seen] == list(range(1, len(kept) + 1))


async def test_each_write_gets_its_own_result_whatever_another_raises(
    store: Store,
) -> None:
    def exhaust(_: Transaction | None = None) -> str:
        raise StopIteration

    async with asyncio.timeout(60):
        written = await asyncio.gather(
            store.write(exhaust), store.transact(add_user, "ada"), return_exceptions=True
        )
        read = await asyncio.gather(store.read(exhaust), read_names(store), return_exceptions=True)
    assert [type(written[0]), written[1]] == [RuntimeError, "ada"]
    assert [type(read[0]), read[1]] == [RuntimeError, {"ada"}]


async def test_a_failed_write_alone_in_its_transaction_changes_nothing(
    store: Store, seen: list[JournalEntry]
) -> None:
    with pytest.raises(ValueError, match="ada"):
        await store.transact(add_user, "ada", fail=True)
    assert await read_names(store) == set()
    assert seen == []


async def test_a_write_survives_closing_the_store(tmp_path: Path, clock: ManualClock) -> None:
    for expected in (set(), {"ada"}):
        store = Store(tmp_path / "kept.sqlite3", EventFactory(clock, 8))
        await store.open()
        assert await read_names(store) == expected
        if not expected:
            await store.transact(add_user, "ada")
        await store.close()


async def test_a_read_function_cannot_write(store: Store) -> None:
    with pytest.raises(OperationalError, match="readonly"):
        await store.read(lambda: User.create(name="ada", created_at=ManualClock().now()))
    assert await read_names(store) == set()


@pytest.mark.usefixtures("store")
async def test_a_table_used_outside_the_store_raises_an_error_that_names_the_remedy() -> None:
    with pytest.raises(BiontError, match=r"Store\.read"):
        list(User.select())


async def test_a_closed_store_raises_store_unavailable(tmp_path: Path, clock: ManualClock) -> None:
    store = Store(tmp_path / "closed.sqlite3", EventFactory(clock, 8))
    with pytest.raises(StoreUnavailable):
        await store.read(list)


async def test_a_write_by_another_process_is_noticed_and_its_events_are_taken(
    store: Store, tmp_path: Path, clock: ManualClock, seen: list[JournalEntry]
) -> None:
    noticed = asyncio.Event()
    store.on_foreign_change(noticed.set)
    other = Store(tmp_path / "store.sqlite3", EventFactory(clock, 8), is_owner=False)
    await other.open()
    await other.transact(add_user, "ada")
    await other.close()
    async with asyncio.timeout(60):
        await noticed.wait()
    await store.transact(add_user, "grace")
    assert await read_names(store) == {"ada", "grace"}
    assert [entry.event.payload["name"] for entry in seen] == ["ada", "grace"]
    assert [entry.sequence for entry in seen] == [1, 2]


async def test_two_workbenches_can_run_in_one_process(tmp_path: Path, clock: ManualClock) -> None:
    async def count_users(workbench: Workbench) -> int:
        return len(await workbench.users.list_all())

    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    one = load_settings(write_config(tmp_path / "one", {}), environ={})
    two = load_settings(write_config(tmp_path / "two", {}), environ={})
    async with open_application(one, clock=clock) as first, open_application(two) as second:
        await first.workbench.users.create("ada")
        assert await count_users(first.workbench) == 1
        assert await count_users(second.workbench) == 0


async def test_acknowledged_writes_survive_when_sqlite_rolls_back_a_transaction(
    store: Store,
) -> None:
    def end_transaction() -> None:
        execute_sql("INSERT OR ROLLBACK INTO users (name, created_at) VALUES ('ada', '')")

    await store.transact(add_user, "ada")
    names = ["before", "after"]
    before, _, after = await asyncio.gather(
        store.transact(add_user, names[0]),
        store.write(end_transaction),
        store.transact(add_user, names[1]),
        return_exceptions=True,
    )
    kept = await store.read(lambda: {user.name for user in User.select()})
    assert isinstance(before, StoreUnavailable)
    assert isinstance(after, StoreUnavailable)
    assert kept == {"ada"}
    assert await store.transact(add_user, "later") == "later"


@pytest.mark.usefixtures("workbench")
async def test_a_second_workbench_on_the_same_database_is_refused(tmp_path: Path) -> None:
    settings = load_settings(tmp_path / "config", environ={})
    with pytest.raises(StoreConflict, match="another process"):
        async with open_application(settings):
            pass


async def test_a_database_of_a_newer_version_is_refused(store: Store, tmp_path: Path) -> None:
    newer = tmp_path / "newer"
    newer.mkdir()
    script = "def up(migrator, db): pass\n"
    (newer / "0001_first.py").write_text(script)
    (newer / "0002_second.py").write_text(script)
    assert await store.migrate("example", newer) == ["0001_first", "0002_second"]
    (newer / "0002_second.py").unlink()
    with pytest.raises(StoreConflict, match="0002_second"):
        await store.migrate("example", newer)


async def test_a_locked_database_raises_store_unavailable_until_it_is_unlocked(
    tmp_path: Path, clock: ManualClock
) -> None:
    path = tmp_path / "locked.sqlite3"
    store = Store(path, EventFactory(clock, 8), busy_timeout=0.05)
    await store.open()
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreUnavailable):
            await store.transact(add_user, "ada")
        assert await read_names(store) == set()
        other.execute("ROLLBACK")
    await store.transact(add_user, "ada")
    assert await read_names(store) == {"ada"}
    await store.close()
