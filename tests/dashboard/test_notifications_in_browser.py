"""Notifications of waiting tool calls, in a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from dashboard.test_in_browser import sign_in
from pydantic import JsonValue
from support.browser import open_browser, open_window

from biont.testing import ApiClient, ModelServer, say

if TYPE_CHECKING:
    from playwright.async_api import Page

RECORD = """
window.shown = [];
window.Notification = class extends Notification {
  constructor(title, options) {
    super(title, options);
    window.shown.push([options.body, options.tag]);
  }
};
"""
SET_HIDDEN = """hidden => {
  Object.defineProperty(document, "hidden", {value: hidden, configurable: true});
  document.dispatchEvent(new Event("visibilitychange"));
}"""


@pytest.fixture
def sections(scripted: ModelServer) -> dict[str, object]:
    """Settings with the scripted model."""
    return scripted.sections


async def let_a_call_wait(client: ApiClient, scripted: ModelServer) -> None:
    """Ask for an answer whose tool call waits."""
    scripted.script = [say(calls=[("send_message", '{"integration": "x", "title": "Hi"}')])]
    body: JsonValue = {"message": "Tell them", "tools": ["send_message"]}
    await client.post("/chat", body)


async def count_parts(page: Page) -> int:
    """Return the number of calls that the page shows as waiting."""
    return await page.locator("#waiting article").count()


async def test_user_who_wants_it_is_notified_also_on_a_hidden_tab(
    client: ApiClient, scripted: ModelServer
) -> None:
    async with open_browser() as browser:
        window = await open_window(browser)
        page = window.page
        await page.context.grant_permissions(["notifications"])
        await page.add_init_script(RECORD)
        await sign_in(window, client)
        await page.goto(f"{client.url}/dashboard/approvals")
        # Nobody has asked for notifications yet.
        await let_a_call_wait(client, scripted)
        await page.locator("#call-1").wait_for()
        assert await page.evaluate("shown") == []
        await page.click("text=Notify me")
        await page.get_by_role("button", name="Stop notifying me").wait_for()
        # Another page, and the tab is hidden.
        await page.goto(f"{client.url}/dashboard/notes")
        async with page.expect_response("**/dashboard/api/v1/events/stream"):
            await page.reload()
        await page.evaluate(SET_HIDDEN, True)
        await let_a_call_wait(client, scripted)
        await page.wait_for_function("shown.length === 1")
        said = ["send_message waits for your approval.", "approval-2"]
        assert await page.evaluate("shown") == [said]
        pill = page.locator("#nav .pill")
        assert (await pill.inner_text()).startswith("1")
        await page.evaluate(SET_HIDDEN, False)
        await page.locator("#nav .pill", has_text="2").wait_for()
        # And off again: the hidden tab has no stream.
        await page.goto(f"{client.url}/dashboard/approvals")
        assert await count_parts(page) == 2
        await page.click("text=Stop notifying me")
        await page.get_by_role("button", name="Notify me", exact=True).wait_for()
        await page.evaluate(SET_HIDDEN, True)
        await let_a_call_wait(client, scripted)
        await page.evaluate(SET_HIDDEN, False)
        await page.locator("#call-3").wait_for()
        assert await page.evaluate("shown") == []
        assert window.problems == []
