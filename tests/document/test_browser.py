"""The pages in a browser: Debian's chromium, driven by playwright."""

from __future__ import annotations

import shutil

import pytest
from conftest import MakeKey, StartServer


async def test_swagger_ui_calls_the_api_with_a_key(
    start_server: StartServer, make_key: MakeKey
) -> None:
    playwright = pytest.importorskip("playwright.async_api", reason="run tox run -e api")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("there is no chromium on PATH")
    server = await start_server()
    key = await make_key()
    problems: list[str] = []
    asked: list[str] = []
    async with playwright.async_playwright() as driver:
        # No sandbox, because tests often run as root.
        browser = await driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = await browser.new_page()
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda line: problems.extend([line.text] * (line.type == "error")))
        page.on("request", lambda request: asked.append(request.url))
        await page.goto(f"{server.url}/docs#/core/read_me")
        await page.click("button.authorize")
        await page.fill("#api_key_value", key)
        await page.click(".auth-container button.authorize >> nth=0")
        await page.click("button.btn-done >> nth=0")
        operation = page.locator("#operations-core-read_me")
        await operation.locator("button.execute").click()
        status = operation.locator("table.live-responses-table .response-col_status").nth(1)
        assert (await status.inner_text()).startswith("200")
        await page.goto(f"{server.url}/docs/events")
        assert await page.locator("#note_created").count() == 1
        await browser.close()
    assert not problems
    assert all(url.startswith((server.url, "data:")) for url in asked)
