"""REST schemas of listeners."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field

from biont import Schema
from biont.http import MergePatch
from biont_webhooks.subscription.event_patterns import EventPatterns
from biont_webhooks.subscription.signing import validate_secret

ListenerName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
Position = Annotated[int, Field(ge=0, lt=2**63)]


class NewListener(Schema):
    """Listener to create."""

    model_config = ConfigDict(extra="forbid")

    name: ListenerName = Field(description="Name of the consumer, unique among your listeners.")
    event_types: EventPatterns = Field(["*"])
    secret: Annotated[str, AfterValidator(validate_secret)] | None = Field(
        None, description="The secret that signs messages; generated when left out."
    )


class ListenerChange(MergePatch):
    """Fields to change, as a JSON merge patch (RFC 7396)."""

    model_config = ConfigDict(extra="forbid")

    event_types: EventPatterns = Field(["*"])
    position: Position = Field(
        0,
        description="Number of the last event that the consumer has received. The position only "
        "moves forward; a smaller number changes nothing.",
    )


class ListenerView(Schema):
    """Named consumer of events."""

    state_fields = frozenset({"position"})

    id: int
    name: str
    event_types: list[str]
    position: int = Field(description="Number of the last acknowledged event in the event log.")
    created_at: datetime


class CreatedListener(ListenerView):
    """Listener with the secret."""

    secret: str = Field(description="The secret that signs messages. Shown only this once.")


class ListenerMessage(Schema):
    """Signed request, as a webhook would get it."""

    number: int = Field(description="Number of the event in the log, to acknowledge.")
    event_id: str
    event_type: str
    headers: dict[str, str] = Field(description="The headers, with a signature of this instant.")
    body: str = Field(description="The exact body: its UTF-8 bytes are signed.")


class ListenerMessages(Schema):
    """Messages after a position."""

    data: list[ListenerMessage]
    position: int = Field(description="The position after these messages.")
    has_more: bool = Field(description="True if there may be more messages at once.")
    lost_until: int | None = Field(
        description="Number up to which retention has deleted events that the consumer had not "
        "received; null for none."
    )
