"""Navigation: the pages that a session can open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from biont import PANELS
from biont_dashboard.visit import Visit


@dataclass(frozen=True, slots=True)
class NavItem:
    """Link of the navigation.

    Attributes:
        title: the name of the page.
        href: the path.
        is_current: whether the browser shows the page.
        count: the number of things that wait there; None for nothing.
    """

    title: str
    href: str
    is_current: bool
    count: int | None


class NavGroup(NamedTuple):
    """Group of links, with the title of the group."""

    title: str
    links: Sequence[NavItem]


# The title, the path below /dashboard, and the plugin that the page needs.
_GROUPS: Sequence[tuple[str, Sequence[tuple[str, str, str | None]]]] = (
    (
        "Now",
        (
            ("Home", "", None),
            ("Events", "events", "audit"),
            ("Chat", "chat", "chat"),
            ("Approvals", "approvals", "agents"),
        ),
    ),
    (
        "Work",
        (
            ("Schedules", "schedules", "schedules"),
            ("Missions", "missions", "missions"),
            ("Notes", "notes", "notes"),
            ("Reminders", "reminders", "reminders"),
        ),
    ),
    (
        "Connections",
        (
            ("Webhooks", "webhooks", "webhooks"),
            ("Inbound webhooks", "inbound", "inbound"),
            ("Dead letters", "dead-letters", None),
            ("Integrations", "integrations", "integrations"),
        ),
    ),
    (
        "Workbench",
        (
            ("Usage", "usage", "llm"),
            ("Keys", "keys", None),
            ("Users", "users", "admin"),
            ("Plugins", "plugins", None),
            ("System", "system", None),
        ),
    ),
)


def list_links(visit: Visit) -> Sequence[tuple[str, str, str]]:
    """Return the group, title and path of each page that the session can open."""
    links = [
        (group, title, f"/dashboard/{path}".rstrip("/"))
        for group, items in _GROUPS
        for title, path, need in items
        if _can_open(visit, need)
    ]
    scope = None if visit.request.principal is None else visit.request.principal.scope
    links += [
        ("More", panel.title, f"/dashboard/panels/{panel.name}")
        for panel in visit.request.workbench.get(PANELS)
        if panel.slot == "nav" and scope in panel.scopes
    ]
    return links


def list_groups(visit: Visit) -> Sequence[NavGroup]:
    """Return the navigation, in which the visited page is current."""
    path = visit.http.path
    groups: dict[str, list[NavItem]] = {}
    for group, title, href in list_links(visit):
        is_current = path == href or (href != "/dashboard" and path.startswith(f"{href}/"))
        count = visit.waiting if title == "Approvals" else None
        groups.setdefault(group, []).append(NavItem(title, href, is_current, count))
    return [NavGroup(title, links) for title, links in groups.items()]


def _can_open(visit: Visit, need: str | None) -> bool:
    if need == "admin":
        return visit.is_admin
    return need is None or visit.has_plugin(need)
