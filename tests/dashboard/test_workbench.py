"""Pages of the workbench itself: log, backups, growth, handlers that are behind."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Mapping
from datetime import timedelta
from types import ModuleType

import pytest
from dashboard.conftest import Visit
from support.visitor import Visitor

from biont import Event, Scope, Workbench, on
from biont.http.system import LOG_TAIL
from biont.store.growth import keep_size
from biont.testing import ApiClient, ManualClock, rows_of


async def test_log_is_read_from_a_level_on(
    visit: Visit, visitor: Visitor, workbench: Workbench
) -> None:
    tail = workbench.get(LOG_TAIL)
    tail.setFormatter(logging.Formatter('{"event": "%(message)s", "request_id": "r<1>"}'))
    for level, text in ((20, "a calm line"), (30, "a <b>warning</b>"), (40, "an error")):
        tail.handle(logging.makeLogRecord({"levelno": level, "msg": text}))
    page = await visitor.open("/dashboard/system/log?level=warning")
    assert "a calm line" not in page.text
    assert "a &lt;b&gt;warning&lt;/b&gt;" in page.text
    assert page.text.index("an error") < page.text.index("warning&lt;/b")
    assert "r&lt;1&gt;" in page.text
    reader = await visit("ada", Scope.READ)
    assert "a calm line" in (await reader.open("/dashboard/system/log?level=nonsense")).text
    assert (await (await visit("bob")).open("/dashboard/system/log")).status == 403


async def test_button_makes_a_backup(visit: Visit, visitor: Visitor, client: ApiClient) -> None:
    page = await visitor.open("/dashboard/system")
    assert "/api/v1/system/backups" in page.text
    page = await visitor.press(page, "Back up now")
    (made,) = rows_of(await client.get("/system/backups"))
    assert str(made["name"]) in page.text
    seen = await (await visit("ada", Scope.READ)).open("/dashboard/system")
    assert str(made["name"]) in seen.text
    assert "Back up now" not in [form.button for form in seen.forms]
    assert str(made["name"]) not in (await (await visit("bob")).open("/dashboard/system")).text


async def test_growth_is_drawn_as_a_line(
    visit: Visit, visitor: Visitor, workbench: Workbench, clock: ManualClock
) -> None:
    for hour in range(1, 200):
        at = clock.now() + timedelta(hours=hour)
        await workbench.store.write(keep_size, at, hour * 1_000_000)
    page = await visitor.open("/dashboard/system")
    points = page.text.partition('<polyline points="')[2].partition('"')[0].split()
    assert 2 < len(points) <= 100
    assert points[-1] == "1000.0,8.0"
    assert "now 199.0 MB" in page.text
    assert "<code>api_keys</code>" in page.text
    assert "smaller tables" in page.text
    assert "polyline" not in (await (await visit("bob")).open("/dashboard/system")).text


class TestSlowHandler:
    """A plugin whose handler waits."""

    @pytest.fixture
    def gate(self) -> asyncio.Event:
        """Lets the handler go on."""
        return asyncio.Event()

    @pytest.fixture
    def plugins(self, gate: asyncio.Event) -> Iterator[Mapping[str, ModuleType]]:
        """Return a plugin with a handler that waits for the gate."""

        @on("custom_*")
        async def follow(_: Event, __: Workbench) -> None:
            await gate.wait()

        module = ModuleType("weather")
        module.follow = follow  # type: ignore[attr-defined]  # as a module has it
        yield {"weather": module}
        gate.set()

    async def test_home_and_event_name_the_handler_that_is_behind(
        self,
        visit: Visit,
        visitor: Visitor,
        client: ApiClient,
        clock: ManualClock,
        gate: asyncio.Event,
    ) -> None:
        event = await client.post("/events", {"event_type": "custom_x"})
        assert "weather.follow" not in (await visitor.open("/dashboard")).text
        clock.advance(seconds=6)
        home = await visitor.open("/dashboard")
        assert "weather.follow is 6.0 s behind" in home.text
        assert "/dashboard/plugins#weather" in home.text
        assert "weather.follow" not in (await (await visit("bob")).open("/dashboard")).text
        page = await visitor.open(f"/dashboard/events/{event['id']}")
        assert "the event is in the queue of the handler" in page.text
        assert "handlers are for other event types" in page.text
        gate.set()
        await client.get_until(
            "/system/handlers", lambda found: not any(row["behind"] for row in rows_of(found))
        )
        assert "weather.follow" not in (await visitor.open("/dashboard")).text
        page = await visitor.open(f"/dashboard/events/{event['id']}")
        assert "the position of the handler is past the event" in page.text
