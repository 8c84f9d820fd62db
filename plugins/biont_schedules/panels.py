"""Panel of the home page: the next occurrences."""

from __future__ import annotations

from biont import Panel, PanelContext

_TEMPLATE = """
{% set due = schedules|rejectattr("next_fire_at", "none")|rejectattr("paused")|list %}
{% if due %}
<ul class="rows">
{%- for each in (due|sort(attribute="next_fire_at"))[:6] %}
<li><a href="/dashboard/schedules/{{ each.id }}">
{{- each.name|clip(80) }}</a>
<span class="muted">{{ ui.when(each.next_fire_at) }}</span></li>{% endfor %}</ul>
{% else %}
<p class="muted">Nothing is due. A schedule runs a prompt and keeps the answer as a note.</p>
{% endif %}
"""


async def show_next(panel: PanelContext) -> str:
    """Return the next occurrence of each schedule."""
    found = await panel.read("/api/v1/schedule", limit=50)
    return panel.render(_TEMPLATE, schedules=found["data"])


PANELS = [
    Panel(
        "schedules",
        "Coming next",
        "home:bottom",
        show_next,
        live="scheduled_trigger,@60",
        href="/dashboard/schedules",
        weight=20,
    )
]
"""The panels of the plugin."""
