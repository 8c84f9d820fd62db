"""The event that tells of an answer."""

from __future__ import annotations

from pydantic import Field

from biont import EventType, Schema

TEXT_LIMIT = 20_000
"""Message and answer fit into an event's payload whatever characters they are made of."""


class AiMessage(Schema):
    """What was asked, and what the model answered."""

    conversation_id: int | None = Field(description="Null where it is not kept.")
    message_id: int | None = Field(description="The answer's, in its conversation.")
    message: str
    answer: str = Field(description=f"At most {TEXT_LIMIT} characters of it.")
    model: str
    backend: str
    interrupted: bool = Field(description="Whether the client or a stop has cut it off.")


AI_MESSAGE = EventType("ai_message", AiMessage, "A language model has answered in chat.")
