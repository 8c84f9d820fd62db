"""The dashboard in a real browser: first minutes, live parts, keyboard, every page looked at."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from conftest import StartServer
from dashboard.test_pages import PLAIN_PAGES
from pydantic import JsonValue
from support.browser import Window, open_browser, open_window
from support.process import run_biont
from support.senders import Sender

from biont import Scope
from biont.testing import ApiClient, MakeClient, ModelServer, rows_of

# Each kind of action, and each kind of secret.
INBOUND_FORMS = (("none", "mission"), ("stripe", "event"), ("hmac", "prompt"))


async def sign_in(window: Window, client: ApiClient) -> None:
    """Sign in with the key of a client."""
    await window.page.goto(f"{client.url}/dashboard/sign-in")
    await window.page.fill("input[name=key]", client.headers["X-API-Key"])
    await window.page.click("main button[type=submit]")
    await window.page.wait_for_url("**/dashboard")


async def fill(client: ApiClient) -> None:
    """Make an object of each kind, also with long and hostile texts."""
    hostile = "<script>document.title = 'owned'</script>" + "W" * 150
    await client.post("/notes", {"title": hostile, "content": hostile * 20, "tags": ["a<b>"]})
    await client.post("/notes", {"title": "Bread", "content": "# Two\n\n- loaves", "tags": []})
    await client.post(
        "/schedule", {"name": hostile, "cron": "0 9 * * *", "prompt": hostile, "max_runs": 3}
    )
    await client.post(
        "/webhooks/outgoing/register",
        {"url": "http://127.0.0.1:9/hook", "name": hostile[:100], "event_types": ["note_*"]},
    )
    await client.post("/events", {"event_type": "custom_sale", "payload": {"text": hostile}})
    await client.post("/keys/create", {"name": hostile[:100], "scope": "chat"})
    note: JsonValue = {"kind": "note", "title": "{{ event }}", "content": hostile}
    for preset in ("github", "slack"):
        made = await client.post(
            "/webhooks/incoming", {"name": hostile[:100], "preset": preset, "action": note}
        )
        sender = Sender(str(made["url"]), str(made["secret"]))
        await sender.send(hostile, event=hostile)


async def test_first_minutes(
    start_server: StartServer, tmp_path: Path, scripted: ModelServer
) -> None:
    server = await start_server(**scripted.sections)
    _, out, _ = await run_biont("dashboard", "link", config=tmp_path / "config")
    link = server.url + urlsplit(out.strip()).path
    async with open_browser() as browser:
        window = await open_window(browser)
        page = window.page
        await page.goto(link)
        await page.fill("input[name=name]", "ada")
        await page.click("text=Make my user")
        await page.wait_for_url("**/dashboard/welcome")
        await page.click("text=Generate API key")
        line = await page.locator("dialog[open] pre", has_text="curl").first.inner_text()
        # The line works as pasted.
        process = await asyncio.create_subprocess_exec(
            "bash", "-c", line.replace("curl ", "curl -s ", 1), stdout=asyncio.subprocess.PIPE
        )
        answer, _ = await process.communicate()
        assert json.loads(answer)["name"] == "ada"
        key = line.partition("X-API-Key: ")[2].partition('"')[0]
        await page.goto(f"{server.url}/dashboard")
        async with ApiClient(server.url, key) as client:
            await client.post("/notes", {"title": "Seen live", "content": "x"})
            await page.locator("#panel-notes", has_text="Seen live").wait_for()
            await page.locator("#events", has_text="note_created").wait_for()
        assert window.problems == []
        assert all(url.startswith((server.url, "data:")) for url in window.asked)


@pytest.mark.parametrize(("width", "is_dark"), [(1280, False), (390, True)])
async def test_every_page_is_accessible_and_keeps_the_policy(
    client: ApiClient, width: int, is_dark: bool
) -> None:
    await fill(client)
    async with open_browser() as browser:
        window = await open_window(browser, width=width, is_dark=is_dark)
        await sign_in(window, client)
        (event,) = rows_of(await client.get("/events?event_type=custom_sale"))
        webhook, inbound = "/dashboard/webhooks/1", "/dashboard/inbound/"
        paths = [
            *PLAIN_PAGES,
            "/dashboard/notes/1",
            "/dashboard/notes/2",
            "/dashboard/keys/1",
            f"/dashboard/events/{event['id']}",
            webhook,
            f'{webhook}/filter?event_types=*&filter={{"path":"title","op":"exists"}}',
            f"{webhook}/filter?event_types=*&filter=wrong",
            f"{webhook}/redeliver?act=replay&since=2020-01-01T00:00",
            f"{webhook}/settings",
            *(
                f"{inbound}{path}"
                for path in ("1", "1/try?last=1", "1/settings", "2", "2/settings")
            ),
            *(f"{inbound}new?preset={preset}&kind={kind}" for preset, kind in INBOUND_FORMS),
        ]
        for path in paths:
            await window.page.goto(client.url + path)
            assert await window.find_violations() == [], path
            wide = "document.documentElement.scrollWidth > innerWidth"
            assert await window.page.evaluate(wide) is False, path
            assert await window.page.title() != "owned"
        assert window.problems == []


async def test_key_is_made_by_the_keyboard_alone(client: ApiClient) -> None:
    async with open_browser() as browser:
        window = await open_window(browser)
        await sign_in(window, client)
        await window.page.goto(f"{client.url}/dashboard/keys")
        for _ in range(60):
            await window.page.keyboard.press("Tab")
            text = await window.page.evaluate("document.activeElement.textContent.trim()")
            if text == "Generate API key":
                break
        await window.page.keyboard.press("Enter")
        await window.page.locator("dialog[open] pre").first.wait_for()
        secret = await window.page.locator("dialog[open]").inner_text()
        assert "asb_" in secret
        assert window.problems == []


async def test_list_announces_new_rows_and_keeps_its_filter(client: ApiClient) -> None:
    await client.post("/notes", {"title": "First", "content": "", "tags": ["food"]})
    async with open_browser() as browser:
        window = await open_window(browser)
        await sign_in(window, client)
        await window.page.goto(f"{client.url}/dashboard/notes?tag=food")
        await client.post("/notes", {"title": "Other", "content": "", "tags": ["work"]})
        await client.post("/notes", {"title": "Second", "content": "", "tags": ["food"]})
        news = window.page.locator(".news button")
        await news.wait_for()
        assert await news.inner_text() == "1 new"
        assert await window.page.locator("#notes tbody tr").count() == 1
        await news.click()
        await window.page.locator("#notes", has_text="Second").wait_for()
        assert "Other" not in await window.page.locator("#notes").inner_text()
        assert "tag=food" in window.page.url


async def test_revoked_key_ends_the_open_page(client: ApiClient, open_client: MakeClient) -> None:
    other = await open_client("ada", Scope.FULL)
    async with open_browser() as browser:
        window = await open_window(browser)
        await sign_in(window, other)
        key = (await other.get("/me"))["key"]
        assert isinstance(key, dict)
        await client.ask("DELETE", f"/keys/{key['id']}")
        await client.post("/notes", {"title": "Unseen", "content": ""})
        await window.page.locator("dialog[open]", has_text="session has ended").wait_for()
        assert "Unseen" not in await window.page.content()


async def test_pages_and_forms_work_without_script(client: ApiClient) -> None:
    async with open_browser() as browser:
        window = await open_window(browser, has_script=False)
        page = window.page
        await sign_in(window, client)
        await page.goto(f"{client.url}/dashboard/notes/new")
        await page.fill("input[name='body.title']", "Plain")
        await page.fill("textarea", "Text")
        await page.click("text=Keep note")
        await page.wait_for_url("**/dashboard/notes/1")
        assert "The note is kept." in await page.inner_text("body")
        await page.goto(f"{client.url}/dashboard/keys")
        await page.click("main >> text=Generate API key")
        assert "asb_" in await page.inner_text("main")
