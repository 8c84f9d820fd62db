"""Deprecated routes, as clients see them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from biont.application import Application
from biont.testing import ApiClient

PLUGIN = """
from datetime import UTC, datetime

from aiohttp import web
from biont import Api, Request, Schema, hookimpl
from biont.http import Deprecation, EventStreamResponse

api = Api("parcels")
OLD = Deprecation(
    datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC), "GET /api/v1/boxes"
)


class Parcel(Schema):
    id: int


@hookimpl
def register_routes():
    return api


@api.get("/parcels", deprecated=OLD)
async def read_parcel(request: Request) -> Parcel:
    \"\"\"Read the parcel.\"\"\"
    return Parcel(id=1)


@api.get("/parcels/stream", deprecated=OLD, media_type="text/event-stream")
async def follow_parcels(request: Request) -> web.StreamResponse:
    \"\"\"Follow the parcels.\"\"\"
    response = EventStreamResponse(request.http)
    await response.start()
    return response


@api.get("/boxes")
async def read_box(request: Request) -> Parcel:
    \"\"\"Read the box.\"\"\"
    return Parcel(id=1)
"""


@pytest.fixture
def sections(tmp_path: Path) -> dict[str, object]:
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "parcels.py").write_text(PLUGIN)
    return {"plugins": {"folder": str(folder)}}


@pytest.mark.parametrize("path", ["/parcels", "/parcels?wrong=1"])
async def test_answers_of_a_deprecated_route_say_so(client: ApiClient, path: str) -> None:
    answer = await client.request("GET", path)
    assert answer.headers["Deprecation"] == "@1767225600"
    assert answer.headers["Sunset"] == "Fri, 01 Jan 2027 00:00:00 GMT"
    assert "Deprecation" not in (await client.request("GET", "/boxes")).headers


async def test_a_deprecated_stream_says_so_as_well(client: ApiClient) -> None:
    answer = await client.request("HEAD", "/parcels/stream")
    assert answer.headers["Deprecation"] == "@1767225600"


def test_the_document_marks_a_deprecated_operation(application: Application) -> None:
    document: Any = orjson.loads(application.openapi)
    operation = document["paths"]["/api/v1/parcels"]["get"]
    assert operation["deprecated"] is True
    assert "2027-01-01" in operation["description"]
    assert "`GET /api/v1/boxes`" in operation["description"]
    assert {"Deprecation", "Sunset"} <= operation["responses"]["200"]["headers"].keys()
    assert "deprecated" not in document["paths"]["/api/v1/boxes"]["get"]
