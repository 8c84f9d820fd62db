"""Gallery: all components of the dashboard with sample data, and screenshots of them.

    python tests/dashboard/gallery.py FOLDER [--axe axe.min.js]

writes pages and their screenshots at 1280 and 390 pixels, light and dark, and prints pages
that are too wide. With the file of axe-core, the violations that axe finds are printed as well.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import NamedTuple

import jinja2

from biont_dashboard.rendering import label_cells

CHROMIUM = "/usr/bin/chromium"
PAGES = ("gallery", "plain", "read-only")
PLUGIN = Path(__file__).parents[2] / "plugins" / "biont_dashboard"
WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 2
TITLE = "A title that somebody pasted from a very long document " * 180


class NavItem(NamedTuple):
    """Link of the navigation."""

    title: str
    href: str
    is_current: bool = False
    count: int | None = None  # type: ignore[assignment]  # hides tuple.count


@dataclass(frozen=True)
class Page:
    """Head of a page, as the base template shows it."""

    is_read_only: bool = False
    viewed: str | None = None
    user_id: int = 1
    user: str = "Ada Lovelace"
    scope: str = "full"
    is_admin: bool = True
    path: str = "/gallery.html"
    csrf: str = "token"
    flash: str | None = "The webhook is registered."
    version: str = "0.9.0"
    nav: tuple[tuple[str, list[NavItem]], ...] = (
        (
            "Now",
            [
                NavItem("Home", "/dashboard", is_current=True),
                NavItem("Events", "/dashboard/events"),
            ],
        ),
        (
            "Work",
            [
                NavItem("Approvals", "/dashboard/approvals", count=3),
                NavItem("Notes", "/dashboard/notes"),
            ],
        ),
    )


def make_environment() -> jinja2.Environment:
    """Return the templates, with simple filters in place of those of the plugin."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([PLUGIN / "templates", Path(__file__).parent]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "ago": lambda instant: "3 min ago" if instant else "never",
        "seconds": lambda value: f"{value:.1f} s",
        "pretty": partial(json.dumps, indent=2, ensure_ascii=False),
        "number": lambda value: f"{value:,}",
        "bytes": lambda value: f"{value:,} bytes",
        "clip": lambda text, size: text if len(text) <= size else text[: size - 1] + "…",
        "label_cells": label_cells,
    }
    return environment


def write_curl_line(method: str, path: str, body: object = None, query: object = None) -> str:
    """Return a line like that of the plugin."""
    data = "" if body is None else f" -d '{json.dumps(body)}'"
    return (
        f'curl -X {method} -H "X-API-Key: $KEY"{data} http://localhost{path} {query or ""}'.strip()
    )


def make_values(page: Page | None = None) -> dict[str, object]:
    """Return the values that every template gets."""
    counter = itertools.count()
    return {
        "page": page or Page(),
        "new_id": lambda: f"{next(counter):032x}",
        "curl_line": write_curl_line,
        "WORD": WORD,
        "TITLE": TITLE,
    }


def render(template: str = "gallery.html", page: Page | None = None) -> str:
    """Return the HTML of a template of the gallery."""
    return make_environment().get_template(template).render(make_values(page))


class _Handler(SimpleHTTPRequestHandler):
    def translate_path(self, path: str) -> str:
        asset = path.removeprefix("/dashboard/assets/")
        return str(PLUGIN / "assets" / asset) if asset != path else super().translate_path(path)

    def log_message(self, *_: object) -> None:
        """Say nothing about requests."""


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """Serve the gallery and the assets; yield the address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=str(folder))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def look(folder: Path, axe: Path | None) -> list[str]:
    """Make the screenshots; return the faults that were found."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  # few environments have it

    faults: list[str] = []
    with serve(folder) as address, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for name, theme, width in itertools.product(PAGES, ("light", "dark"), (1280, 390)):
            page = browser.new_page(
                viewport={"width": width, "height": 900},
                color_scheme="dark" if theme == "dark" else "light",
                bypass_csp=True,
            )
            place = f"{name}-{theme}-{width}"
            page.goto(f"{address}/{name}.html")
            page.screenshot(path=folder / f"{place}.png", full_page=True)
            over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            if over > 0:
                faults.append(f"{place}: the page is {over} pixels too wide")
            if axe is not None:
                page.add_script_tag(path=axe)
                for fault in page.evaluate("axe.run().then(found => found.violations)"):
                    nodes = [node["html"][:160] for node in fault["nodes"]]
                    faults.append(f"{place}: {fault['id']}: {fault['help']}: {nodes}")
            page.close()
        browser.close()
    return faults


def main() -> None:
    """Write the gallery."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--axe", type=Path)
    arguments = parser.parse_args()
    folder: Path = arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "gallery.html").write_text(render())
    (folder / "plain.html").write_text(render("gallery_plain.html"))
    (folder / "read-only.html").write_text(render(page=Page(is_read_only=True)))
    raise SystemExit("\n".join(look(folder, arguments.axe)) or 0)


if __name__ == "__main__":
    main()
