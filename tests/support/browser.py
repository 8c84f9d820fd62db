"""Real browser: Debian's chromium, driven by playwright, with the problems that it sees."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

_AXE = Path(__file__).parents[1] / "node" / "document" / "node_modules" / "axe-core" / "axe.min.js"
_TIMEOUT = 60_000


@dataclass
class Window:
    """Page of a browser, with what went wrong in it and the addresses that it asked for."""

    page: Page
    problems: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    async def find_violations(self) -> list[str]:
        """Return the violations of accessibility that axe-core finds."""
        if not _AXE.exists():
            pytest.skip("Node packages are missing: run python tests/node/install.py document")
        # Evaluated by the debugger, which the policy of the page does not bind.
        await self.page.evaluate(_AXE.read_text("utf-8"))
        found = await self.page.evaluate("axe.run()")
        return [
            f"{each['id']}: {node['html'][:200]}"
            for each in found["violations"]
            for node in each["nodes"]
        ]


@asynccontextmanager
async def open_browser() -> AsyncIterator[Browser]:
    """Start a browser; skip the test where there is none."""
    playwright = pytest.importorskip("playwright.async_api", reason="run tox run -e api")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("there is no chromium on PATH")
    async with playwright.async_playwright() as driver:
        # No sandbox, because tests often run as root.
        browser = await driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        await browser.close()


async def open_window(
    browser: Browser, *, width: int = 1280, is_dark: bool = False, has_script: bool = True
) -> Window:
    """Open a window of its own, with its own cookies."""
    context = await browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if is_dark else "light",
        java_script_enabled=has_script,
    )
    await context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = await context.new_page()
    page.set_default_timeout(_TIMEOUT)
    window = Window(page)
    page.on("pageerror", lambda error: window.problems.append(str(error)))
    page.on(
        "console",
        lambda line: window.problems.append(line.text) if line.type == "error" else None,
    )
    page.on("request", lambda request: window.asked.append(request.url))
    return window
