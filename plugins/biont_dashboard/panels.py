"""Panels of plugins: a broken or slow panel shows its error in its own place."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import structlog
from markupsafe import Markup, escape

from biont import PANELS, JsonObject, Panel, Request
from biont.exceptions import BiontError, NotFound
from biont.http import QueryValue
from biont_dashboard.rendering import load_renderer
from biont_dashboard.visit import Visit

_SECONDS = 2.0

_log = structlog.get_logger("biont_dashboard")


class RenderedPanel(NamedTuple):
    """Panel as the page shows it.

    Attributes:
        panel: the panel.
        html: the content, None after an error.
        error: the error; None without.
    """

    panel: Panel
    html: Markup | None
    error: str | None


class PanelCall:
    """Request for which one panel is made; what a plugin gets as `biont.PanelContext`."""

    def __init__(self, visit: Visit, values: Mapping[str, object]) -> None:
        self._visit = visit
        self._values = values

    @property
    def request(self) -> Request:
        """The request of the page."""
        return self._visit.request

    @property
    def object_id(self) -> str | None:
        """The id of the object that the page shows."""
        return next(iter(self._visit.http.match_info.values()), None)

    async def read(self, path: str, **query: QueryValue) -> JsonObject:
        """Return the answer of the REST API to ``GET path``."""
        return await self._visit.read(path, **query)

    def render(self, template: str, **values: object) -> str:
        """Return HTML, made by a template."""
        # Escaped by jinja2.
        html = load_renderer().render_text(template, {**self._values, **values})
        return Markup(html)  # noqa: S704  # as said


def list_panels(visit: Visit, slot: str) -> Sequence[Panel]:
    """Return the panels of a slot that the session may see."""
    principal = visit.request.principal
    return [
        panel
        for panel in visit.request.workbench.get(PANELS)
        if panel.slot == slot and principal is not None and principal.scope in panel.scopes
    ]


def find_panel(visit: Visit, slot: str, name: str) -> Panel:
    """Return a panel by its name.

    Raises:
        NotFound: there is no such panel, or the session may not see the panel.
    """
    for panel in list_panels(visit, slot):
        if panel.name == name:
            return panel
    raise NotFound(f"there is no page {name!r}; its plugin may be in quarantine")


async def render_panels(
    visit: Visit, slot: str, values: Mapping[str, object]
) -> Sequence[RenderedPanel]:
    """Return the panels of a slot, all made at the same time.

    Args:
        visit: the visit.
        slot: the slot.
        values: the values that the templates of the page get.
    """
    panels = list_panels(visit, slot)
    return await asyncio.gather(*(render_panel(visit, panel, values) for panel in panels))


async def render_panel(visit: Visit, panel: Panel, values: Mapping[str, object]) -> RenderedPanel:
    """Return a panel; the error in its place if the panel fails."""
    try:
        async with asyncio.timeout(_SECONDS):
            html = await panel.render(PanelCall(visit, values))
        return RenderedPanel(panel, escape(html), None)
    except TimeoutError:
        error = f"the panel has taken longer than {_SECONDS:g} s"
    except BiontError as refusal:
        error = str(refusal)
    except Exception as failure:  # noqa: BLE001  # a plugin may raise anything
        _log.error("panel failed", panel=panel.name, exc_info=failure)
        error = f"the panel has failed: {type(failure).__name__}; the log has the details"
    return RenderedPanel(panel, None, error)
