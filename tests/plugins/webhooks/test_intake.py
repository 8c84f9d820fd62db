"""Intake of events: held while deliveries lag because the event loop is busy."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer
from support.webhooks import SUBSCRIBER, Crowd, register

from biont import Scope
from biont.application import open_application
from biont.events import EventIntake
from biont.settings import load_settings
from biont.testing import ApiClient, ManualClock, WebhookReceiver, make_key, write_config
from biont_webhooks.delivery.deliveries import PendingDelivery
from biont_webhooks.delivery.endpoint_queue import EndpointQueue
from biont_webhooks.delivery.intake_hold import IntakeHold
from biont_webhooks.subscription.subscriber import Subscriber
from biont_webhooks.tables import AttemptTrigger


def pop_after(
    wait: float,
    webhook: Subscriber = SUBSCRIBER,
    *,
    duration: float = 0.001,
    trigger: AttemptTrigger = AttemptTrigger.EVENT,
) -> EndpointQueue:
    """Return a queue whose last delivery has waited, with attempts of a certain duration."""
    queue = EndpointQueue(webhook)
    queue.note_duration(duration * 20)
    queue.push([PendingDelivery(1, webhook.id, "event", b"", {}, trigger=trigger)], now=100.0)
    queue.pop(100.0 + wait)
    return queue


def make_times(tick: float, used: float) -> Callable[[], tuple[float, float]]:
    """Return the times of a thread that runs for `used` seconds of each tick."""
    ticks = count()
    return lambda: (tick * (number := next(ticks)), used * number)


async def settle(hold: IntakeHold, queue: EndpointQueue, intake: EventIntake) -> bool:
    """Return whether attempts that keep beginning late make the intake be held."""
    for _ in range(100):
        hold.note_start(queue)
        if intake.is_held(1):
            return True
        await asyncio.sleep(0.002)
    return False


async def test_intake_is_held_while_deliveries_lag_and_the_loop_is_busy() -> None:
    intake = EventIntake()
    hold = IntakeHold(intake, make_times(0.01, 0.009))
    assert await settle(hold, pop_after(0.2), intake)
    # Now no attempt begins late any more.
    async with asyncio.timeout(10):
        while intake.is_held(1):
            await intake.wait(1)
    hold.stop()


async def test_delivery_that_had_no_room_in_memory_counts_as_late() -> None:
    intake = EventIntake()
    hold = IntakeHold(intake, make_times(0.01, 0.009))
    queue = EndpointQueue(SUBSCRIBER)
    queue.push([PendingDelivery(1, SUBSCRIBER.id, "event", b"", {})])
    queue.pop(100.0)
    assert await settle(hold, queue, intake)
    hold.stop()


async def test_intake_is_held_while_the_loop_waits_for_a_processor() -> None:
    intake = EventIntake()
    hold = IntakeHold(intake, make_times(0.03, 0.003))
    assert await settle(hold, pop_after(0.2), intake)
    hold.stop()


async def test_intake_is_open_after_the_stop() -> None:
    intake = EventIntake()
    hold = IntakeHold(intake, make_times(0.01, 0.009))
    assert await settle(hold, pop_after(0.2), intake)
    hold.stop()
    assert not intake.is_held(1)


@pytest.mark.parametrize(
    "queue",
    [
        pytest.param(pop_after(0.01), id="no lag"),
        pytest.param(pop_after(0.2, duration=0.3), id="slow receiver"),
        pytest.param(pop_after(0.2, trigger=AttemptTrigger.REPLAY), id="replay"),
        pytest.param(pop_after(0.2, replace(SUBSCRIBER, rate=5.0)), id="rate of its own"),
        pytest.param(
            pop_after(0.2, replace(SUBSCRIBER, concurrency=1)), id="concurrency of its own"
        ),
    ],
)
async def test_intake_is_open_when_new_events_are_not_the_reason(queue: EndpointQueue) -> None:
    intake = EventIntake()
    hold = IntakeHold(intake, make_times(0.01, 0.009))
    assert not await settle(hold, queue, intake)
    hold.stop()


async def test_intake_is_open_while_the_loop_has_time() -> None:
    intake = EventIntake()
    hold = IntakeHold(intake, make_times(0.01, 0.003))
    assert not await settle(hold, pop_after(0.2), intake)
    hold.stop()


async def test_events_enter_in_steps_after_a_hold() -> None:
    intake = EventIntake()
    intake.hold("a plugin", {1})
    waiting = [asyncio.create_task(intake.wait(1)) for _ in range(20)]
    await asyncio.sleep(0)
    intake.hold("a plugin", ())
    late = asyncio.create_task(intake.wait(1))
    for _ in range(5):
        await asyncio.sleep(0)
    assert [task.done() for task in waiting] == [True] + [False] * 19
    await asyncio.wait(waiting[:3])
    assert not waiting[-1].done()
    # A new hold stops the others, until the next release.
    intake.hold("a plugin", {1})
    entered = [task.done() for task in waiting]
    await asyncio.wait(waiting[-1:], timeout=0.05)
    assert [task.done() for task in waiting] == entered
    intake.hold("a plugin", ())
    async with asyncio.timeout(10):
        await asyncio.gather(*waiting, late)
        await intake.wait(1)


@asynccontextmanager
async def serve(
    folder: Path, clock: ManualClock, **sections: object
) -> AsyncIterator[tuple[EventIntake, ApiClient]]:
    """Open a workbench in this process, with a client."""
    settings = load_settings(write_config(folder, sections), environ={})
    async with (
        open_application(settings, clock=clock) as application,
        TestServer(application.app, host="127.0.0.1") as server,
    ):
        key = await make_key(application.workbench, "ada", Scope.FULL)
        async with ApiClient(str(server.make_url("")).rstrip("/"), key) as client:
            yield application.workbench.events.intake, client


async def test_new_events_of_a_user_wait_until_all_plugins_release_the_intake(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with serve(tmp_path, clock) as (intake, client):
        intake.hold("a plugin", {1, 2})
        intake.hold("another plugin", {1})
        emitted = asyncio.create_task(client.post("/events", {"event_type": "custom_a"}))
        # Other requests do not wait.
        assert "data" in await client.get("/event-types")
        intake.hold("a plugin", ())
        assert intake.is_held(1)
        assert not intake.is_held(2)
        assert not emitted.done()
        intake.hold("another plugin", {2})
        assert (await emitted)["event_type"] == "custom_a"


async def test_new_events_of_other_users_do_not_wait(tmp_path: Path, clock: ManualClock) -> None:
    async with serve(tmp_path, clock) as (intake, client):
        intake.hold("a plugin", {2})
        emitted = await client.post("/events", {"event_type": "custom_a"})
        assert emitted["event_type"] == "custom_a"
        assert intake.is_held(2)


async def test_a_plugin_that_forgets_to_release_stops_no_client(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with serve(tmp_path, clock) as (intake, client):
        intake.hold("a plugin", {1})
        emitted = await client.post("/events", {"event_type": "custom_a"})
        assert emitted["event_type"] == "custom_a"


async def test_user_is_held_while_a_backlog_is_delivered_and_the_loop_is_busy(
    tmp_path: Path, clock: ManualClock
) -> None:
    crowd = Crowd()
    async with WebhookReceiver(respond=crowd.respond) as receiver:
        allow = {"egress": {"allow": ["127.0.0.0/8:*"]}, "server": {"shutdown_timeout": 0.1}}
        async with serve(tmp_path, clock, **allow) as (_, client):
            await register(client, receiver.url)
            event = {"event_type": "custom_a"}
            await asyncio.gather(*(client.post("/events", dict(event)) for _ in range(300)))
        # The next start reads the backlog from the table; the first attempt waits for the gate.
        async with serve(tmp_path, clock, **allow) as (intake, _), asyncio.timeout(60):
            crowd.gate.set()
            while not intake.is_held(1):
                time.sleep(0.03)  # noqa: ASYNC251  # so busy that the timers of the loop are late
                await asyncio.sleep(0)
