"""Makes the pictures of the documentation: pages of the dashboard with the data of the demo.

``tox run -e screenshots`` writes them to ``docs/images``.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from functools import partial
from pathlib import Path

from support.browser import Window, open_browser, open_window

IMAGES = Path(__file__).parents[2] / "docs" / "images"

PAGES = {
    "home": "/dashboard",
    "events": "/dashboard/events",
    "webhooks": "/dashboard/webhooks",
    "webhook": "/dashboard/webhooks/1",
    "delivery": "/dashboard/webhooks/1/deliveries/1",
    "inbound": "/dashboard/inbound",
    "inbound-new": "/dashboard/inbound/new?preset=github&kind=mission",
    "dead-letters": "/dashboard/dead-letters",
    "operations": "/dashboard/operations",
    "integrations": "/dashboard/integrations",
    "schedules": "/dashboard/schedules",
    "schedule": "/dashboard/schedules/1",
    "run": "/dashboard/schedules/1/runs/1",
    "calendar": "/dashboard/schedules/calendar",
    "missions": "/dashboard/missions",
    "chat": "/dashboard/chat",
    "approvals": "/dashboard/approvals",
    "notes": "/dashboard/notes",
    "note": "/dashboard/notes/1",
    "reminders": "/dashboard/reminders",
    "usage": "/dashboard/usage",
    "keys": "/dashboard/keys",
    "users": "/dashboard/users",
    "plugins": "/dashboard/plugins",
}
"""The path of each picture's page."""

_START = 180


async def main() -> None:
    """Run the demo, sign in by its link, and write the pictures."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "biont", "demo", "--keep"),
        stdout=asyncio.subprocess.PIPE,
        # A shell lets background jobs, and all that they start, ignore Ctrl-C.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.default_int_handler),
    )
    try:
        async with asyncio.timeout(_START):
            link = await _read_link(process.stdout)
        async with open_browser() as browser:
            window = await open_window(browser)
            await _open(window, link)
            origin = link.partition("/dashboard")[0]
            IMAGES.mkdir(exist_ok=True)
            for name, path in PAGES.items():
                response = await window.page.goto(origin + path)
                if response is None or not response.ok:
                    raise SystemExit(f"there is no picture of {path}: the page is an error")
                await window.page.screenshot(path=IMAGES / f"{name}.png")
            await window.page.emulate_media(color_scheme="dark")
            await window.page.goto(f"{origin}/dashboard")
            await window.page.screenshot(path=IMAGES / "home-dark.png")
    finally:
        process.send_signal(signal.SIGINT)
        await process.communicate()


async def _read_link(output: asyncio.StreamReader | None) -> str:
    while output is not None:
        line = await output.readline()
        if not line:
            break
        if b"Open the dashboard: " in line:
            return line.decode().split()[-1]
    raise SystemExit("the demo has ended before it has served a dashboard")


async def _open(window: Window, link: str) -> None:
    await window.page.goto(link)
    await window.page.click("text=Sign in >> nth=-1")
    await window.page.wait_for_url("**/dashboard")


if __name__ == "__main__":
    asyncio.run(main())
