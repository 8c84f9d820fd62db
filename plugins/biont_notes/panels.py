"""Panel of the home page: the newest notes."""

from __future__ import annotations

from biont import Panel, PanelContext

_TEMPLATE = """
{% if notes %}
<ul class="rows">{% for note in notes %}<li><a href="/dashboard/notes/{{ note.id }}">
{{- note.title|clip(80) }}</a>
<span class="muted">{{ ui.when(note.created_at) }}</span></li>{% endfor %}</ul>
{% else %}
<p class="muted">No notes yet. Answers of schedules and missions are kept here.</p>
{% endif %}
"""


async def show_newest(panel: PanelContext) -> str:
    """Return the titles of the newest notes."""
    found = await panel.read("/api/v1/notes", limit=6, fields="id,title,created_at")
    return panel.render(_TEMPLATE, notes=found["data"])


PANELS = [
    Panel(
        "notes",
        "Newest notes",
        "home:bottom",
        show_newest,
        live="note_*",
        href="/dashboard/notes",
        weight=10,
    )
]
"""The panels of the plugin."""
