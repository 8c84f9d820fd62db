"""The pages for people: Swagger UI, events, and the documentation as Markdown."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import urljoin, urlsplit

import aiohttp
import pytest
from conftest import StartServer
from multidict import CIMultiDictProxy

from biont import Scope
from biont.application import Application
from biont.testing import ApiClient, MakeClient

PAGES = ["/docs", "/docs/events", "/llms.txt", "/docs/reference/http.md", "/docs/assets/api.js"]
SHADOW = """
from aiohttp import web
from biont import Api, Request, hookimpl

api = Api("shadow", root="")


@hookimpl
def register_routes():
    return api


@api.get("/docs", public=True)
async def show_docs(request: Request) -> web.Response:
    return web.Response(text="mine")
"""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: CIMultiDictProxy[str]
    text: str


async def fetch(client: ApiClient, path: str, method: str = "GET") -> Answer:
    async with (
        aiohttp.ClientSession() as session,  # noqa: TID251  # our own server
        session.request(method, client.url + path) as response,
    ):
        body = await response.read()
        return Answer(response.status, response.headers, body.decode(errors="replace"))


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_needs_no_key_and_has_safe_headers(
    open_client: MakeClient, path: str
) -> None:
    stranger = await open_client(None)
    page = await fetch(stranger, path)
    assert page.status == 200
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    if page.headers["Content-Type"].startswith("text/html"):
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert not re.search(r"<script(?![^>]* src=)|\son\w+=", page.text)
    head = await fetch(stranger, path, "HEAD")
    assert (head.status, head.text) == (200, "")


@pytest.mark.parametrize("path", ["/docs", "/docs/events"])
async def test_a_page_loads_only_files_of_this_server(open_client: MakeClient, path: str) -> None:
    stranger = await open_client(None)
    page = await fetch(stranger, path)
    links = re.findall(r'(?:src|href)="([^"#]+)"', page.text)
    assert links
    for link in links:
        assert "//" not in link
        # Relative, so that the pages work below a path of a proxy too.
        target = urlsplit(urljoin(stranger.url + path, link))
        assert (await fetch(stranger, target.path)).status == 200, link


async def test_the_events_page_has_each_event_type(
    application: Application, open_client: MakeClient
) -> None:
    page = await fetch(await open_client(None), "/docs/events")
    for known in application.workbench.events.event_types:
        assert f'id="{known.name}"' in page.text
    assert "<code>note_id</code>" in page.text


async def test_each_link_of_the_guides_leads_to_a_document(open_client: MakeClient) -> None:
    stranger = await open_client(None)
    listing = await fetch(stranger, "/llms.txt")
    assert listing.text.startswith("# Biont Workbench\n\n> ")
    links = re.findall(r"\]\((/[^)]+)\)", listing.text)
    assert "/docs/reference/http.md" in links
    for link in links:
        document = await fetch(stranger, link)
        assert document.status == 200, link
        for target in re.findall(r"\]\(([^)#:]+\.md)", document.text):
            parts: list[str] = []
            for part in (PurePosixPath(link).parent / target).parts[1:]:
                parts = parts[:-1] if part == ".." else [*parts, part]
            # The README and the decisions are for readers of the sources.
            if parts[0] == "docs" and "decisions" not in parts:
                assert (await fetch(stranger, "/" + "/".join(parts))).status == 200, target
    assert not re.search(r"\]\([^)]*\): ?$", listing.text, re.MULTILINE)


@pytest.mark.parametrize(
    "path",
    ["/docs/nope.md", "/docs/..%2f..%2fREADME.md", "/docs/assets/..%2fapi.html", "/docs/assets/x"],
)
async def test_no_path_leads_out_of_the_documents(open_client: MakeClient, path: str) -> None:
    assert (await fetch(await open_client(None), path)).status == 404


async def test_pages_are_no_part_of_the_api_document(application: Application) -> None:
    assert b'"/docs' not in application.openapi
    assert b"llms.txt" not in application.openapi


async def test_pages_and_documents_can_be_switched_off(start_server: StartServer) -> None:
    server = await start_server(server={"port": 0, "docs": False})
    async with ApiClient(server.url, None) as stranger:
        for path in PAGES:
            assert (await fetch(stranger, path)).status == 404, path
        assert (await stranger.ask("GET", "/openapi.json"))[0] == 401
        assert (await stranger.ask("GET", "/asyncapi.json"))[0] == 401
        assert (await stranger.ask("GET", "/health"))[0] == 200


class TestSwitchedOff:
    @pytest.fixture
    def sections(self) -> dict[str, object]:
        return {"server": {"port": 0, "docs": False}}

    async def test_any_key_reads_the_documents(self, open_client: MakeClient) -> None:
        client = await open_client("bob", Scope.WEBHOOK)
        assert (await client.get("/openapi.json"))["openapi"] == "3.1.0"


class TestShadow:
    @pytest.fixture
    def sections(self, tmp_path: Path) -> dict[str, object]:
        (tmp_path / "plugins").mkdir()
        (tmp_path / "plugins" / "shadow.py").write_text(SHADOW)
        return {"plugins": {"folder": str(tmp_path / "plugins")}}

    async def test_no_plugin_takes_the_place_of_a_page(
        self, application: Application, open_client: MakeClient
    ) -> None:
        assert application.quarantined_plugins == ["shadow"]
        assert "Swagger" not in (await fetch(await open_client(None), "/docs")).text
        assert "mine" not in (await fetch(await open_client(None), "/docs")).text
