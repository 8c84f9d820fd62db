"""Contract of panels: parts of the dashboard's pages, registered by plugins.

A panel is HTML that a plugin makes for one request. The dashboard puts the HTML into a page:

    `nav`              a page, ``/dashboard/panels/<name>``, with a link in the navigation
    `<page>:top`       above the content of a page, such as ``home:top`` or ``webhook:top``
    `<page>:bottom`    below the content of a page

A panel that raises an error, or that takes too long, shows the error in its own place. Without the
plugin ``dashboard`` nobody asks for panels.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from biont.accounts.principal import Scope
from biont.event import JsonObject
from biont.http.local_api import QueryValue
from biont.http.request import Request
from biont.services import Service


class PanelContext(Protocol):
    """Request for which a panel is made.

    The panel reads what the user may read: `read` calls the REST API with the key of the user.
    """

    @property
    def request(self) -> Request:
        """The request of the page, with the user and the workbench."""
        ...

    @property
    def object_id(self) -> str | None:
        """The id of the object that the page shows; None for a page without."""
        ...

    async def read(self, path: str, **query: QueryValue) -> JsonObject:
        """Return the object with which the REST API answers ``GET path``.

        Raises:
            BiontError: the API refuses the call.
        """
        ...

    def render(self, template: str, **values: object) -> str:
        """Return HTML, made by a template in the language of jinja2.

        All values are escaped. The macros of the dashboard, such as ``ui.badge(state)``, can be
        used.
        """
        ...


@dataclass(frozen=True, slots=True)
class Panel:
    """Part of a page of the dashboard.

    Attributes:
        name: the name, which no other panel has, such as ``sales``.
        title: the heading.
        slot: the place: ``nav``, ``<page>:top`` or ``<page>:bottom``.
        render: makes the HTML. A plain text is escaped; `PanelContext.render` and
            `markupsafe.Markup` return HTML.
        live: patterns of event types, with commas between, after which the panel is made again,
            such as ``note_*``; ``@30`` means every 30 seconds.
        href: the page of the dashboard that shows more; empty for none.
        weight: the position among the panels of the slot; the lowest is first.
        scopes: the scopes of the keys that see the panel.
    """

    name: str
    title: str
    slot: str
    render: Callable[[PanelContext], Awaitable[str]]
    live: str = ""
    href: str = ""
    weight: int = 0
    scopes: Sequence[Scope] = (Scope.FULL, Scope.READ)


PANELS = Service[Sequence[Panel]]("panels", provider="core")
"""All registered panels, by weight and name."""
