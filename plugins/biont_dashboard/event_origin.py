"""Origin of an event: the request of another system whose text has led to the event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from biont_dashboard.object_links import ObjectLink, list_links
from biont_dashboard.visit import Object, Visit, list_objects

_WORDS: Mapping[str, str] = MappingProxyType(
    {"self": "this event", "cause": "caused by", "text": "after text was read of"}
)


class StepBack(NamedTuple):
    """Step on the way back from an event.

    Attributes:
        event: the event.
        words: the relation of the step before to this event.
    """

    event: Object
    words: str


class OutsideOrigin(NamedTuple):
    """Request of another system.

    Attributes:
        event: the event by which the text came in; None if the event log no longer has it.
        source: the page and the name of the sender; None for an unknown sender.
        steps: the steps from the event back.
    """

    event: Object | None
    source: ObjectLink | None
    steps: Sequence[StepBack]


async def read_origin(visit: Visit, event: Object) -> OutsideOrigin | None:
    """Return the origin of an event; None if no other system has led to the event."""
    if event.get("origin") is None:
        return None
    found = await visit.read_or_none(f"/api/v1/events/{event['id']}/origin")
    steps = [] if found is None else list_objects(found, "steps")
    back = [
        StepBack(each, _WORDS.get(str(step["link"]), str(step["link"])))
        for step in steps
        if isinstance(each := step["event"], dict)
    ]
    last = next((step.event for step in back if step.event["id"] == event["origin"]), None)
    return OutsideOrigin(last, None if last is None else _name_source(last), back)


def _name_source(event: Object) -> ObjectLink | None:
    payload, links = event["payload"], list_links(event)
    if not links or not isinstance(payload, dict):
        return None
    name = payload.get("name")
    kind = links[0].title.rpartition(" ")[0]
    return ObjectLink(f"{kind} {name}" if isinstance(name, str) else links[0].title, links[0].href)
