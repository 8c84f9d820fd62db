"""REST route that tries event types and a filter on past events, without a webhook."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from pydantic import ConfigDict, Field

from biont import Api, Event, Request, Schema
from biont.events import find_pattern
from biont.http import RateClass
from biont_webhooks.api.event_log_routes import get_event_log
from biont_webhooks.service.explain import SubscriptionDecision, decide_by_content
from biont_webhooks.subscription.event_patterns import EventPatterns
from biont_webhooks.subscription.payload_filter import Filter, compile_filter

api = Api("webhooks")


class FilterTrial(Schema):
    """Event types and a filter to try."""

    model_config = ConfigDict(extra="forbid")

    event_types: EventPatterns = Field(["*"])
    filter: Filter | None = Field(
        None, description="The filter that the payload of an event has to match."
    )
    limit: Annotated[int, Field(ge=1, le=1000)] = Field(
        100, description="The number of events to look at, the newest first."
    )


class TriedEvent(Schema):
    """Decision about one event."""

    event_id: str
    event_type: str
    created_at: datetime
    gets_it: bool = Field(description="True if a webhook would get the event.")
    pointer: str = Field(
        description="The field that decides, as a JSON pointer into a webhook with these fields."
    )
    reason: str


class FilterTrialResult(Schema):
    """Events that a webhook with these event types and this filter would have received."""

    looked_at: int = Field(description="The number of events.")
    matches: int = Field(description="The number of events that a webhook would get.")
    events: list[TriedEvent] = Field(description="The events, the newest first.")


@api.post(
    "/webhooks/outgoing/try-filter",
    status=200,
    rate_class=RateClass.READ,
    example={
        "event_types": ["note_created"],
        "filter": {"path": "title", "op": "prefix", "value": "Daily"},
    },
)
async def try_filter(request: Request, body: FilterTrial) -> FilterTrialResult:
    """Try event types and a filter on your newest events, without a webhook.

    Nothing is changed or sent. A key that is narrowed to some `events` tries these only.
    """
    allowed = request.choose_events("*")
    log = get_event_log(request.workbench)
    newest = await log.read_newest(request.user_id, body.limit)
    events = [event for event in newest if find_pattern(allowed, event.event_type) is not None]
    tried = [_try_event(event, decision) for event, decision in _decide(body, events)]
    return FilterTrialResult(
        looked_at=len(tried), matches=sum(event.gets_it for event in tried), events=tried
    )


def _decide(
    trial: FilterTrial, events: Sequence[Event]
) -> Sequence[tuple[Event, SubscriptionDecision]]:
    compiled = None if trial.filter is None else compile_filter(trial.filter)
    return [(event, decide_by_content(trial.event_types, compiled, event)) for event in events]


def _try_event(event: Event, decision: SubscriptionDecision) -> TriedEvent:
    return TriedEvent(
        event_id=event.id,
        event_type=event.event_type,
        created_at=event.created_at,
        gets_it=decision.gets_it,
        pointer=decision.pointer,
        reason=decision.reason,
    )
