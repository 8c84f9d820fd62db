"""Links to the pages of the objects that the payload of an event names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from biont_dashboard.visit import Object


class ObjectLink(NamedTuple):
    """Link to the page of an object."""

    title: str
    href: str


# The fields of the payload, the words, and the path; a field is used by the first row only.
_LINKS: Sequence[tuple[tuple[str, ...], str, str]] = (
    (("schedule_id", "run_id"), "run {run_id}", "schedules/{schedule_id}/runs/{run_id}"),
    (("schedule_id",), "schedule {schedule_id}", "schedules/{schedule_id}"),
    (("note_id",), "note {note_id}", "notes/{note_id}"),
    (("mission_id",), "mission {mission_id}", "missions/{mission_id}"),
    (("conversation_id",), "conversation {conversation_id}", "chat/{conversation_id}"),
    (("webhook_id",), "webhook {webhook_id}", "webhooks/{webhook_id}"),
    (("operation_id",), "operation {operation_id}", "operations/{operation_id}"),
    (("tool_call_id",), "tool call {tool_call_id}", "approvals"),
    (("reminder_id",), "reminder {reminder_id}", "reminders"),
    (("key_id",), "key {key_id}", "keys"),
    (("integration",), "integration {integration}", "integrations"),
)


# Payloads of these event types name an inbound webhook by the field of other webhooks.
_INBOUND = "inbound_"


def list_links(event: Object) -> Sequence[ObjectLink]:
    """Return the links of an event's payload. Only numbers and names of plain letters count."""
    payload = event["payload"]
    if not isinstance(payload, dict):
        return []
    values = {
        name: value
        for name, value in payload.items()
        if (isinstance(value, int) and not isinstance(value, bool))
        or (name == "integration" and isinstance(value, str) and value.isidentifier())
    }
    if str(event["event_type"]).startswith(_INBOUND) and "webhook_id" in values:
        number = values.pop("webhook_id")
        return [ObjectLink(f"inbound webhook {number}", f"/dashboard/inbound/{number}")]
    return [
        ObjectLink(title.format(**values), f"/dashboard/{path.format(**values)}")
        for names, title, path in _LINKS
        if all(name in values for name in names)
    ]
