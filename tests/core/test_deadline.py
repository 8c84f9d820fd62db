"""The time limit that many calls of a handler share."""

from __future__ import annotations

import asyncio

import pytest

from biont.events.deadline import Deadline


async def test_a_timer_armed_for_an_earlier_call_still_limits_a_later_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loop = asyncio.get_running_loop()
    now = loop.time()
    monkeypatch.setattr(loop, "time", lambda: now)
    gave_up = asyncio.Event()

    async def pass_time() -> None:
        nonlocal now
        # After 11 seconds the timer of the first call fires, 5 before the second call is due.
        for seconds in (5, 6):
            now += seconds
            for _ in range(5):
                await asyncio.sleep(0)
        gave_up.set()

    deadline = Deadline(10)
    with deadline:
        pass
    now += 6
    task = asyncio.create_task(pass_time())
    with pytest.raises(TimeoutError, match="longer than 10 s"), deadline:
        await gave_up.wait()
    await task
