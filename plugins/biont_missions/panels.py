"""Panel of the home page: the newest missions."""

from __future__ import annotations

from biont import Panel, PanelContext

_TEMPLATE = """
{% if missions %}
<ul class="rows">{% for mission in missions %}<li><a href="/dashboard/missions/{{ mission.id }}">
{{- mission.goal|clip(80) }}</a>{{ ui.badge(mission.status) }}</li>{% endfor %}</ul>
{% else %}
<p class="muted">No missions yet. A mission leads a model through tasks to a report.</p>
{% endif %}
"""


async def show_newest(panel: PanelContext) -> str:
    """Return the goals and states of the newest missions."""
    found = await panel.read("/api/v1/missions", limit=5)
    return panel.render(_TEMPLATE, missions=found["data"])


PANELS = [
    Panel(
        "missions",
        "Missions",
        "home:bottom",
        show_newest,
        live="mission_*,task_*",
        href="/dashboard/missions",
        weight=40,
    )
]
"""The panels of the plugin."""
