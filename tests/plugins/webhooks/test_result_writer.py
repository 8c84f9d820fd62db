"""Records of attempts: when the database refuses one of them, and when many wait."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from biont import Store, Transaction
from biont.event import EventFactory
from biont.testing import ManualClock
from biont_webhooks.delivery.deliveries import PendingDelivery
from biont_webhooks.delivery.result_writer import ResultWriter
from biont_webhooks.delivery.results import AttemptResult

REFUSED = 3


async def test_a_refused_result_loses_no_other_result(tmp_path: Path) -> None:
    clock = ManualClock()
    recorded: list[int] = []
    all_recorded = asyncio.Event()

    def save(_: Transaction, results: Sequence[AttemptResult]) -> None:
        if any(result.delivery.id == REFUSED for result in results):
            raise ValueError("the database refuses this result")

    def note(results: Sequence[AttemptResult]) -> None:
        recorded.extend(result.delivery.id for result in results)
        if len(recorded) == 5:
            all_recorded.set()
        raise RuntimeError("an error after the record stops no later record")

    store = Store(tmp_path / "biont.sqlite3", EventFactory(clock, 8))
    await store.open()
    try:
        writer = ResultWriter(store, save, note)
        async with writer.run(), asyncio.timeout(60):
            for number in range(6):
                delivery = PendingDelivery(number, 1, f"event-{number}", b"{}", {})
                await writer.record(AttemptResult(delivery, clock.now(), 0.1, 200, None))
            await all_recorded.wait()
    finally:
        await store.close()
    assert sorted(recorded) == [0, 1, 2, 4, 5]


async def test_attempts_wait_while_too_many_results_are_unwritten(tmp_path: Path) -> None:
    clock = ManualClock()
    store = Store(tmp_path / "biont.sqlite3", EventFactory(clock, 8))
    # Nothing is written, because the writer does not run.
    writer = ResultWriter(store, lambda _, __: None, lambda _: None)
    delivery = PendingDelivery(1, 1, "event", b"{}", {})
    handed_in: list[AttemptResult] = []

    async def hand_in() -> None:
        for _ in range(10_000):
            result = AttemptResult(delivery, clock.now(), 0.1, 200, None)
            await writer.record(result)
            handed_in.append(result)

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(hand_in(), 0.2)
    assert len(handed_in) > 1000
