"""Events emitted and handled within one process: through ours, and by the bare design."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import orjson
from peewee import AutoField, DateTimeField, IntegerField, Model, SqliteDatabase, TextField

from benchmarks.child import Child, answer
from benchmarks.counting import TALLY, Tally
from biont import JsonObject, Workbench
from biont.application import open_application
from biont.runtime.tuning import tune_interpreter
from biont.settings import load_settings

_EVENT_TYPE = "custom_order_placed"
_PAYLOAD: JsonObject = {"order_id": 4711, "customer": "Ada Lovelace", "total": 99.5}
_USER = 1
_EMITTERS = 256
_HANDLERS = 3


@dataclass(frozen=True)
class EmitThroughWorkbench(Child):
    """Emits events of which each is durable; answers how many a second were handled.

    Attributes:
        config: the folder of the configuration; its plugins count.
        count: how many events.
    """

    config: str
    count: int

    async def run(self) -> None:
        """Emit them all, and wait until all handlers have had them."""
        tally = Tally(self.count * _HANDLERS)
        settings = load_settings(Path(self.config), environ={})
        async with open_application(settings) as application:
            workbench = application.workbench
            workbench.provide(TALLY, tally)
            tune_interpreter()
            numbers = iter(range(self.count))
            started = time.perf_counter()
            async with asyncio.TaskGroup() as group:
                for _ in range(_EMITTERS):
                    group.create_task(_emit(workbench, numbers))
            await tally.reached.wait()
            answer(self.count / (time.perf_counter() - started))


async def _emit(workbench: Workbench, numbers: Iterator[int]) -> None:
    for _ in numbers:
        await workbench.events.emit(_EVENT_TYPE, _USER, _PAYLOAD)


@dataclass(frozen=True)
class EmitThroughQueue(Child):
    """One queue, one worker, one insert an event; answers how many a second were handled.

    Attributes:
        path: of the database.
        count: how many events.
    """

    path: str
    count: int

    async def run(self) -> None:
        """Emit them all, and wait until the worker is done with them."""
        tally = Tally(self.count * _HANDLERS)
        queue: asyncio.Queue[dict[str, object]] = asyncio.Queue()
        pragmas = {"journal_mode": "wal", "synchronous": "full"}
        with SqliteDatabase(self.path, pragmas=pragmas).bind_ctx([_EventLog]):
            _EventLog.create_table()
            worker = asyncio.create_task(_handle_all(queue, tally))
            tune_interpreter()
            started = time.perf_counter()
            for _ in range(self.count):
                await queue.put({"user_id": _USER, "event_type": _EVENT_TYPE, "payload": _PAYLOAD})
            await tally.reached.wait()
            answer(self.count / (time.perf_counter() - started))
            worker.cancel()


class _EventLog(Model):
    id = AutoField()
    user_id = IntegerField(index=True)
    event_type = TextField()
    payload = TextField()
    created_at = DateTimeField()

    class Meta:
        table_name = "event_logs"


async def _handle_all(queue: asyncio.Queue[dict[str, object]], tally: Tally) -> None:
    handlers = [_count] * _HANDLERS
    while True:
        event = await queue.get()
        _EventLog.create(
            user_id=event["user_id"],
            event_type=event["event_type"],
            payload=orjson.dumps(event["payload"]).decode(),
            created_at=datetime.now(UTC),
        )
        for handle in handlers:
            await handle(event, tally)


async def _count(_: dict[str, object], tally: Tally) -> None:
    tally.add()
