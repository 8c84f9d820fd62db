"""Pages of work in a real browser: a streamed answer, an approval in place, a live preview."""

from __future__ import annotations

import pytest
from dashboard.test_in_browser import sign_in
from pydantic import JsonValue
from support.browser import open_browser, open_window

from biont.testing import ApiClient, ManualClock, ModelServer, say


@pytest.fixture
def sections(scripted: ModelServer) -> dict[str, object]:
    """Settings with the scripted model."""
    return scripted.sections


async def test_chat_streams_an_answer_and_takes_an_approval_in_place(
    client: ApiClient, clock: ManualClock, scripted: ModelServer
) -> None:
    send = say(calls=[("send_message", '{"integration": "x", "title": "Hi all"}')])
    scripted.script = [say("It is **noon**."), send, say("It was tried.")]
    async with open_browser() as browser:
        window = await open_window(browser)
        page = window.page
        await sign_in(window, client)
        await page.goto(f"{client.url}/dashboard/chat")
        await page.fill("textarea", "What time is it?")
        await page.press("textarea", "Enter")
        await page.locator("#log strong", has_text="noon").wait_for()
        assert page.url.endswith("/dashboard/chat/1")
        assert await page.locator("#log .msg").count() == 2
        clock.advance(minutes=1)
        await page.select_option("select[name^='body.tools']", label="All tools")
        await page.fill("textarea", "Tell them")
        await page.get_by_role("button", name="Send").click()
        await page.locator("#log .call", has_text="Hi all").wait_for()
        await page.click("#log >> text=Approve")
        await page.locator("#log .msg", has_text="It was tried.").wait_for()
        assert await page.locator("#log .call").count() == 0
        assert window.problems == []


async def test_form_of_a_schedule_shows_the_timing_while_somebody_writes(
    client: ApiClient,
) -> None:
    async with open_browser() as browser:
        window = await open_window(browser)
        page = window.page
        await sign_in(window, client)
        await page.goto(f"{client.url}/dashboard/schedules/new")
        await page.fill("[name='body.cron']", "30 10 * * MON")
        await page.locator("#preview-body", has_text="At 10:30 on Monday").wait_for()
        await page.fill("[name='body.cron']", "30 10 * * NEVER")
        await page.locator("#preview-body", has_text="Not a timing yet").wait_for()
        await page.fill("[name='body.cron']", "0 7 * * *")
        await page.fill("[name='body.prompt']", "What is new?")
        await page.click("text=Create schedule")
        await page.wait_for_url("**/dashboard/schedules/1")
        assert "At 07:00 every day" in await page.inner_text("main")
        assert window.problems == []


async def test_change_of_a_schedule_is_simulated_in_place(client: ApiClient) -> None:
    await client.post(
        "/schedule", {"name": "Brief", "cron": "0 7 * * *", "prompt": "What is new?"}
    )
    async with open_browser() as browser:
        window = await open_window(browser)
        page = window.page
        await sign_in(window, client)
        await page.goto(f"{client.url}/dashboard/schedules/1/edit")
        await page.fill("[name='body.cron']", "0 */12 * * *")
        await page.click("text=Simulate the change before you save")
        await page.get_by_role("button", name="Simulate", exact=True).click()
        await page.locator("#simulation-body", has_text="15 succeeded").wait_for()
        await page.locator("#preview-body", has_text=" 00:00").wait_for()
        assert window.problems == []


async def test_pages_of_work_hold_hostile_and_long_texts_on_a_phone(
    client: ApiClient, scripted: ModelServer
) -> None:
    hostile = "<script>document.title = 'owned'</script>" + "W" * 150
    scripted.script = [say(hostile), say(hostile)]
    await client.post("/schedule", {"name": hostile, "cron": "* * * * *", "prompt": hostile})
    await client.post("/schedule/1/run-now")
    await client.get_until("/schedule/1/runs/1", lambda found: found["ended_at"])
    await client.post("/chat", {"message": hostile})
    steps: list[JsonValue] = [{"title": hostile}, {"title": "Two", "depends_on": [1]}]
    await client.post("/missions", {"goal": hostile * 5, "steps": steps, "start": False})
    await client.post("/reminders", {"text": hostile, "cron": "0 9 * * *"})
    work = "schedules/1", "schedules/1/edit", "schedules/1/runs/1", "schedules/1/compare?a=1&b=1"
    async with open_browser() as browser:
        window = await open_window(browser, width=390, is_dark=True)
        await sign_in(window, client)
        for path in (*work, "schedules/calendar", "missions/1", "chat/1", "reminders"):
            await window.page.goto(f"{client.url}/dashboard/{path}")
            wide = "document.documentElement.scrollWidth > innerWidth"
            assert await window.page.evaluate(wide) is False, path
            assert await window.page.title() != "owned"
            assert await window.find_violations() == [], path
        assert window.problems == []
