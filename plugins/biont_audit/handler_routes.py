"""REST route that explains how far each handler is with an event."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from biont import Api, Request, Schema
from biont.events import HandlerProgress
from biont_audit.log import EVENT_LOG

api = Api("events")


class HandlerExplanationView(Schema):
    """Progress of a handler with an event."""

    plugin: str
    handler: str
    progress: HandlerProgress = Field(
        description="`not_matched`: the handler is for other event types. `waiting`: the handler "
        "has yet to handle the event, or tries again. `dead_letter`: the handler has failed the "
        "event for good. `past`: the position of the handler is past the event, also if the "
        "handler is newer than the event. `stopped`: the plugin does not run. `unknown`: the "
        "handler is too far behind to look for the event."
    )
    reason: str
    letter_id: int | None = Field(description="The dead letter of the event, if there is one.")


class HandlerExplanationList(Schema):
    """Progress of all handlers with an event."""

    data: list[HandlerExplanationView]


@api.get("/events/{event_id}/handlers", operation="explain_handlers")
async def explain_handlers(
    request: Request, event_id: Annotated[str, Field(max_length=100)]
) -> HandlerExplanationList:
    """Explain for each event handler of the plugins how far the handler is with an event.

    A key that is narrowed to some `events` may ask for these only.
    """
    workbench = request.workbench
    event = await workbench.get(EVENT_LOG).find_event(request.user_id, event_id)
    request.use_events([event.event_type])
    return HandlerExplanationList(
        data=[
            HandlerExplanationView(
                plugin=each.plugin,
                handler=each.handler,
                progress=each.progress,
                reason=each.reason,
                letter_id=each.letter_id,
            )
            for each in await workbench.events.explain_handlers(event)
        ]
    )
