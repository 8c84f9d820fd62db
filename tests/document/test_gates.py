"""The API document in other people's tools, with a stranger's plugin that names things badly."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.document_tools import generate_python_client, run_node_tool

from biont.application import Application

PLUGIN = """
from enum import StrEnum
from biont import Api, EventType, Page, Request, Schema, hookimpl
from pydantic import BaseModel

api = Api("shop")


class Kind(StrEnum):
    NEW = "new"


class NoteView(Schema):
    kind: Kind = Kind.NEW
    parent: "NoteView | None" = None


class Inner:
    class Item(BaseModel):
        sku: str


class Item(BaseModel):
    price: float
    inner: Inner.Item


@hookimpl
def register_routes():
    return api


@hookimpl
def register_event_types():
    return [EventType("item_sold", Item, "An item was sold.")]


@api.get("/shop/items")
async def list_notes(request: Request, kind: Kind | None = None) -> Page[NoteView]:
    return Page(data=[], next=None)


@api.post("/shop/items")
async def create(request: Request, body: list[Item]) -> Item | None:
    return None


@api.patch("/shop/items/{item_id}")
@api.patch("/shop/things/{item_id}")
async def read_note(request: Request, item_id: int, body: NoteView) -> dict[str, Inner.Item]:
    "Change."
    return {}
"""


@pytest.fixture
def sections(tmp_path: Path) -> dict[str, object]:
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "shop.py").write_text(PLUGIN)
    return {"plugins": {"folder": str(folder)}}


@pytest.fixture
def document(application: Application, tmp_path: Path) -> Path:
    assert application.quarantine_reasons == {}
    path = tmp_path / "openapi.json"
    path.write_bytes(application.openapi)
    return path


async def test_redocly_finds_nothing(document: Path) -> None:
    code, output = await run_node_tool(
        "redocly", "lint", "--extends", "recommended", document.name, folder=document.parent
    )
    assert code == 0, output
    assert "You have" not in output, output


async def test_spectral_finds_nothing(document: Path) -> None:
    document.with_name("rules.yaml").write_text('extends: ["spectral:oas"]\n')
    code, output = await run_node_tool(
        "spectral", "lint", "-r", "rules.yaml", "-F", "hint", document.name, folder=document.parent
    )
    assert code == 0, output
    assert "No results with a severity" in output


async def test_typescript_accepts_the_generated_types(document: Path) -> None:
    code, output = await run_node_tool(
        "openapi-typescript", document.name, "-o", "api.d.ts", folder=document.parent
    )
    assert code == 0, output
    document.with_name("use.ts").write_text(
        'import type { components, operations, webhooks } from "./api";\n'
        'export const note: components["schemas"]["NewNote"] = { title: "a", content: "b" };\n'
        'export type Answer = operations["create_note"]["responses"][201];\n'
        'export type Sold = webhooks["item_sold"]["post"]["requestBody"];\n'
        'export const schedule: components["schemas"]["NewSchedule"] =\n'
        '  { prompt: "Hello", every: "15m", jitter: "5m" };\n'
    )
    code, output = await run_node_tool(
        "tsc", "--noEmit", "--strict", "use.ts", "api.d.ts", folder=document.parent
    )
    assert code == 0, output


async def test_the_python_generator_warns_of_nothing(document: Path, tmp_path: Path) -> None:
    output = await generate_python_client(document, tmp_path / "workbench_client")
    assert "arning" not in output, output
    assert "Unable" not in output, output
