"""Origin of an event: the steps back to the request of another system, if there is any."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from pydantic import Field

from biont import Schema
from biont.exceptions import NotFound
from biont_audit.queries import select_entry
from biont_audit.tables import LogEntry
from biont_audit.views import EventView, make_event_view

MOST_STEPS = 100
"""The most steps back; a chain of events is at most ``events.max_hops`` long."""


class StepLink(StrEnum):
    """Link from a step to the step before it in the list."""

    SELF = "self"
    CAUSE = "cause"
    TEXT = "text"


class OriginStep(Schema):
    """Step on the way back from an event to its origin."""

    link: StepLink = Field(
        description="`self`: the event itself; `cause`: its handler emitted the event before; "
        "`text`: the event before comes from work that read text which came in by this event."
    )
    event: EventView


class EventOrigin(Schema):
    """Origin of an event."""

    outside: bool = Field(description="True if text of another system has led to the event.")
    steps: list[OriginStep] = Field(
        description="The steps from the event back, up to the request of another system."
    )


def trace_origin(user_id: int, event_id: str) -> EventOrigin:
    """Return the steps from an event back to its origin, as a store function.

    Steps that retention has deleted are left out.

    Raises:
        NotFound: the user has no such event.
    """
    entry = select_entry(user_id, event_id)
    steps = [OriginStep(link=StepLink.SELF, event=make_event_view(entry))]
    steps += [
        OriginStep(link=StepLink.CAUSE, event=make_event_view(cause))
        for cause in _list_causes(user_id, entry)
    ]
    seen = {step.event.id for step in steps}
    if entry.origin is not None and entry.origin not in seen:
        outside = _find(user_id, entry.origin)
        if outside is not None:
            steps.append(OriginStep(link=StepLink.TEXT, event=make_event_view(outside)))
    return EventOrigin(outside=entry.origin is not None, steps=steps)


def _list_causes(user_id: int, entry: LogEntry) -> Iterator[LogEntry]:
    present: LogEntry | None = entry
    for _ in range(MOST_STEPS):
        if present is None or present.causation_id is None:
            return
        present = _find(user_id, present.causation_id)
        if present is not None:
            yield present


def _find(user_id: int, event_id: str) -> LogEntry | None:
    try:
        return select_entry(user_id, event_id)
    except NotFound:
        return None
