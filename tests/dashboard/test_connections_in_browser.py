"""Webhooks and events in a real browser: secrets, questions before acts, live lists."""

from __future__ import annotations

from dashboard.test_in_browser import sign_in
from support.browser import open_browser, open_window
from support.senders import Sender
from support.webhooks import emit, register, wait_for_deliveries

from biont.testing import ApiClient, WebhookReceiver


async def test_new_webhook_shows_its_secret_once_and_then_its_page(client: ApiClient) -> None:
    async with open_browser() as browser:
        window = await open_window(browser)
        page = window.page
        await sign_in(window, client)
        await page.goto(f"{client.url}/dashboard/webhooks/new")
        await page.fill("input[name='body.url']", "http://127.0.0.1:9/hook")
        await page.fill("input[name='body.event_types:words']", "Wrong!")
        await page.click("main button[type=submit]")
        await page.locator("main .error", has_text="pattern").wait_for()
        await page.fill("input[name='body.event_types:words']", "custom_*")
        await page.click("main button[type=submit]")
        await page.locator("dialog[open] pre", has_text="whsec_").wait_for()
        await page.click("text=I have kept it")
        await page.wait_for_url("**/dashboard/webhooks/1")
        assert "whsec_" not in await page.content()
        assert window.problems == []


async def test_new_inbound_webhook_shows_url_and_secret_and_then_what_arrives(
    client: ApiClient,
) -> None:
    async with open_browser() as browser:
        window = await open_window(browser)
        page = window.page
        await sign_in(window, client)
        await page.goto(f"{client.url}/dashboard/inbound/new?preset=github&kind=note")
        await page.fill("input[name='body.name']", "Issues")
        await page.click("main button[type=submit]")
        shown = page.locator("dialog[open] pre")
        await page.locator("dialog[open]", has_text="enter the secret under Secret").wait_for()
        url, secret = await shown.all_inner_texts()
        await page.click("text=I have kept it")
        await page.wait_for_url("**/dashboard/inbound/1")
        await page.locator("#requests", has_text="No requests yet").wait_for()
        assert (await Sender(url, secret).send()).status == 202
        await page.locator("#requests", has_text="accepted").wait_for()
        await page.goto(f"{client.url}/dashboard/inbound/1/try")
        await page.fill("textarea[name=body]", '{"a": "tried"}')
        await page.click("main button:has-text('Try')")
        await page.locator("#trial", has_text="tried").wait_for()
        assert window.problems == []


async def test_recovery_asks_first_and_shows_its_progress(
    client: ApiClient, receiver: WebhookReceiver
) -> None:
    receiver.status = 500
    webhook = await register(client, receiver.url, event_types=["custom_*"])
    for _ in range(2):
        await emit(client)
    await wait_for_deliveries(client, webhook, 2)
    receiver.status = 200
    async with open_browser() as browser:
        window = await open_window(browser)
        page = window.page
        await sign_in(window, client)
        path = f"{client.url}/dashboard/webhooks/1/redeliver?act=recover&since=2020-01-01T00:00"
        await page.goto(path)
        await page.click("main button:has-text('Recover 2 deliveries')")
        await page.locator("dialog[open]", has_text="gets 2 requests").wait_for()
        await page.click("dialog[open] >> text=Cancel")
        assert len(receiver.requests) == 2
        await page.click("main button:has-text('Recover 2 deliveries')")
        await page.click("dialog[open] button:has-text('Recover 2 deliveries')")
        await page.locator("#operations", has_text="2 done of 2").wait_for()
        assert window.problems == []


async def test_log_of_events_keeps_its_filter_while_both_kinds_arrive(client: ApiClient) -> None:
    await emit(client, "custom_sale", title="First")
    async with open_browser() as browser:
        window = await open_window(browser)
        page = window.page
        await sign_in(window, client)
        await page.goto(f"{client.url}/dashboard/events?event_type=custom_s*")
        await emit(client, "custom_visit", title="Other")
        await emit(client, "custom_sale", title="Second")
        news = page.locator(".news button")
        await news.wait_for()
        assert await news.inner_text() == "1 new"
        await news.click()
        await page.locator("#events", has_text="Second").wait_for()
        assert "Other" not in await page.locator("#events").inner_text()


async def test_delivery_is_sent_again_by_the_keyboard_alone(
    client: ApiClient, receiver: WebhookReceiver
) -> None:
    webhook = await register(client, receiver.url, event_types=["custom_*"])
    await emit(client)
    await wait_for_deliveries(client, webhook)
    async with open_browser() as browser:
        window = await open_window(browser)
        page = window.page
        await sign_in(window, client)
        await page.goto(f"{client.url}/dashboard/webhooks/1")
        for _ in range(60):
            await page.keyboard.press("Tab")
            if await page.evaluate("document.activeElement.textContent.trim()") == "Resend":
                break
        await page.keyboard.press("Enter")
        await page.locator(".toasts", has_text="Sent again.").wait_for()
        await receiver.wait_for(2)
        assert window.problems == []
