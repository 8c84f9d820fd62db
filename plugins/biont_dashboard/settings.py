"""Settings section ``plugins.dashboard``."""

from __future__ import annotations

from pydantic import Field

from biont import Section


class DashboardSettings(Section):
    """Sessions of the dashboard, and the links to sign in."""

    url: str | None = Field(
        None,
        pattern=r"https?://[^\s/]+",
        description="URL at which browsers reach the workbench, such as "
        "https://biont.example.com; null for the address of the server. With https, the cookie "
        "of a session is sent over TLS only.",
    )
    session_hours: float = Field(
        12.0, gt=0, le=8760, description="Hours after which an unused session ends."
    )
    link_minutes: float = Field(
        60.0, gt=0, le=10_080, description="Minutes for which a link to sign in is valid."
    )
