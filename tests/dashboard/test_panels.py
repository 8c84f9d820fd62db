"""Panels: a plugin adds a page and parts of pages, and a broken one harms nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from types import ModuleType

import pytest
from support.visitor import Visitor

from biont import Panel, PanelContext, hookimpl


async def show_sales(panel: PanelContext) -> str:
    me = await panel.read("/api/v1/me")
    assert isinstance(me, dict)
    return panel.render("<b>{{ name }}</b> {{ ui.badge('ok') }}", name=f"<{me['name']}>")


async def write_text(_: PanelContext) -> str:
    return "<i>plain</i>"


async def fail(_: PanelContext) -> str:
    raise ValueError("broken")


async def ask_too_much(panel: PanelContext) -> str:
    return str(await panel.read("/api/v1/notes/12345"))


async def hang(_: PanelContext) -> str:
    await asyncio.Event().wait()
    return ""


@hookimpl
def register_panels() -> Sequence[Panel]:
    return [
        Panel("sales", "Sales", "nav", show_sales),
        Panel("text", "Plain text", "home:bottom", write_text),
        Panel("broken", "Broken", "home:bottom", fail),
        Panel("absent", "Absent note", "home:bottom", ask_too_much),
        Panel("slow", "Slow", "home:bottom", hang),
    ]


@pytest.fixture
def plugins() -> Mapping[str, ModuleType]:
    module = ModuleType("sales")
    module.register_panels = register_panels  # type: ignore[attr-defined]  # a plugin is a module
    return {"sales": module}


async def test_panel_is_a_page_with_a_link(visitor: Visitor) -> None:
    home = await visitor.open("/dashboard")
    assert 'href="/dashboard/panels/sales"' in home.text
    screen = await visitor.open("/dashboard/panels/sales")
    assert "<b>&lt;ada&gt;</b>" in screen.text
    assert 'class="badge"' in screen.text


async def test_broken_and_slow_panels_show_errors_in_their_places(visitor: Visitor) -> None:
    home = await visitor.open("/dashboard")
    assert home.status == 200
    assert "&lt;i&gt;plain&lt;/i&gt;" in home.text
    assert "the panel has failed: ValueError" in home.text
    assert "longer than 2 s" in home.text
    assert "there is no note 12345" in home.text
