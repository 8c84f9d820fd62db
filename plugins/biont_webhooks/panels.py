"""Panel of the home page: the health of the webhooks."""

from __future__ import annotations

from biont import Panel, PanelContext

_TEMPLATE = """
{% if webhooks %}
<ul class="rows">{% for webhook in webhooks %}<li><a href="/dashboard/webhooks/{{ webhook.id }}">
{{- (webhook.name or webhook.url)|clip(60) }}</a>
{{- ui.badge("failing", "warn") if webhook.failing_since and webhook.status == "active"
    else ui.badge(webhook.status, "fail" if webhook.status == "disabled" else "") }}
</li>{% endfor %}</ul>
{% else %}
<p class="muted">No webhooks yet. A webhook sends events on to your programs.</p>
{% endif %}
"""


async def show_health(panel: PanelContext) -> str:
    """Return the names and states of the webhooks."""
    found = await panel.read("/api/v1/webhooks/outgoing", limit=6)
    return panel.render(_TEMPLATE, webhooks=found["data"])


PANELS = [
    Panel(
        "webhooks",
        "Webhooks",
        "home:bottom",
        show_health,
        live="webhook_*,@30",
        href="/dashboard/webhooks",
        weight=30,
    )
]
"""The panels of the plugin."""
