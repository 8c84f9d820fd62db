"""Event type ``ai_message``."""

from __future__ import annotations

from pydantic import Field

from biont import EventType, Schema

TEXT_LIMIT = 20_000
"""Greatest number of characters of message and answer, which fits into an event's payload."""


class AiMessage(Schema):
    """Payload of ``ai_message``: a question and its answer."""

    conversation_id: int | None = Field(description="Null if question and answer are not stored.")
    message_id: int | None = Field(description="Message of the answer in the conversation.")
    message: str
    answer: str = Field(description=f"Answer, cut to {TEXT_LIMIT} characters.")
    model: str
    backend: str
    interrupted: bool = Field(
        description="True if the answer was cut off, by its client or by a stop of the server."
    )


AI_MESSAGE = EventType("ai_message", AiMessage, "A language model has answered in chat.")
