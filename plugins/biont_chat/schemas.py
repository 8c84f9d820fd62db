"""Schemas of the chat routes: request bodies, responses, and their conversion."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from biont import RowId, Schema
from biont.http import MergePatch
from biont.llm import Answer, FinishReason, TokenUsage
from biont_chat.conversations import TITLE_LIMIT
from biont_chat.event_types import TEXT_LIMIT
from biont_chat.search import ChatHit
from biont_chat.tables import ChatMessage, Conversation

Text = Annotated[str, Field(min_length=1, max_length=TEXT_LIMIT)]
Name = Annotated[str, Field(min_length=1, max_length=200)]


class NewChatMessage(Schema):
    """A question to a language model."""

    model_config = ConfigDict(extra="forbid")

    message: Text
    conversation_id: RowId | None = Field(
        None, description="Conversation that the question continues; null begins a conversation."
    )
    system: Text | None = Field(
        None,
        description="System message of the conversation from now on; null leaves the old message, "
        "or in a new conversation the operator's message.",
    )
    model: Name | None = Field(
        None,
        description="Model of the conversation from now on: `backend/model`, a model, or a "
        "backend; null leaves the old model, or in a new conversation the default.",
    )
    backend: Name | None = Field(
        None, description="Backend of the model, if `model` does not contain the backend."
    )
    tools: Annotated[list[Name], Field(max_length=100)] = Field(
        default_factory=list,
        description="Tools that the model may call; requires a key of scope `full`.",
    )
    stream: bool = Field(
        False, description="True if the answer is streamed as server-sent events."
    )


class AnswerUsage(Schema):
    """Tokens of an answer."""

    prompt_tokens: int
    completion_tokens: int
    estimated: bool = Field(
        description="True if the counts are estimated, because the server reports no usage."
    )


class ChatAnswer(Schema):
    """Answer of the model."""

    answer: str
    model: str = Field(description="Model that answered, by the name that its server reports.")
    backend: str
    usage: AnswerUsage
    conversation_id: int | None
    message_id: int | None
    waiting: list[int] = Field(
        default_factory=list,
        description="Tool calls that wait for your approval; the answer is then empty, and is "
        "added to the conversation after your decision.",
    )


class StreamEnd(Schema):
    """Data of the last event of a stream."""

    conversation_id: int | None = Field(description="Null if nothing was stored.")
    message_id: int | None
    model: str | None
    backend: str | None
    finish_reason: FinishReason | None
    interrupted: bool
    waiting: list[int] = Field(
        default_factory=list, description="Tool calls that wait for your approval."
    )


class ChatMessageView(Schema):
    """One turn of a conversation."""

    id: int
    role: Literal["user", "assistant"]
    content: str
    model: str | None = Field(description="Model that answered; null for a user's message.")
    backend: str | None
    usage: AnswerUsage | None
    interrupted: bool = Field(
        description="True if the answer was cut off, by its client or by a stop of the server."
    )
    created_at: datetime


class ConversationView(Schema):
    """A conversation, without its messages."""

    state_fields = frozenset({"origin", "updated_at"})

    id: int
    title: str
    system: str | None
    model: str | None
    origin: str | None = Field(
        description="Event by which text of another system came in that an answer has read; "
        "null for none."
    )
    created_at: datetime
    updated_at: datetime


class WholeConversation(ConversationView):
    """A conversation with its latest messages."""

    messages: list[ChatMessageView] = Field(
        description="The latest 100 messages, the oldest first; `/messages` has all."
    )


class ConversationChange(MergePatch):
    """Fields to change, as a JSON merge patch (RFC 7396)."""

    title: Annotated[str, Field(min_length=1, max_length=TITLE_LIMIT)] = ""


class ExcerptPart(Schema):
    """A piece of an excerpt."""

    text: str
    match: bool = Field(description="True if the text matches the search.")


class MessageHit(Schema):
    """A message found by a search."""

    conversation_id: int
    title: str
    message_id: int
    role: Literal["user", "assistant"]
    excerpt: list[ExcerptPart] = Field(description="The matches, with the words around.")


def make_chat_answer(answer: Answer, message: ChatMessage | None) -> ChatAnswer:
    """Return the REST representation of an answer."""
    return ChatAnswer(
        answer=answer.text,
        model=answer.model,
        backend=answer.backend,
        usage=make_answer_usage(answer.usage),
        conversation_id=message.conversation_id if message else None,
        message_id=message.id if message else None,
    )


def make_answer_usage(usage: TokenUsage) -> AnswerUsage:
    """Return the REST representation of an answer's tokens."""
    return AnswerUsage(
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        estimated=usage.estimated,
    )


def make_conversation_view(conversation: Conversation) -> ConversationView:
    """Return the REST representation of a conversation."""
    return ConversationView.model_validate(conversation, from_attributes=True)


def make_whole_conversation(
    conversation: Conversation, messages: list[ChatMessage]
) -> WholeConversation:
    """Return a conversation with `messages`, which are sorted from new to old."""
    return WholeConversation(
        **make_conversation_view(conversation).model_dump(),
        messages=[make_message_view(message) for message in reversed(messages)],
    )


def make_message_view(message: ChatMessage) -> ChatMessageView:
    """Return the REST representation of a message."""
    usage = None
    if message.prompt_tokens is not None and message.completion_tokens is not None:
        usage = AnswerUsage(
            prompt_tokens=message.prompt_tokens,
            completion_tokens=message.completion_tokens,
            estimated=message.tokens_estimated,
        )
    return ChatMessageView(
        id=message.id,
        role=message.role,
        content=message.content,
        model=message.model,
        backend=message.backend,
        usage=usage,
        interrupted=message.interrupted,
        created_at=message.created_at,
    )


def make_message_hit(hit: ChatHit) -> MessageHit:
    """Return the REST representation of a found message."""
    return MessageHit(
        conversation_id=hit.conversation_id,
        title=hit.title,
        message_id=hit.message_id,
        role=hit.role,
        excerpt=[ExcerptPart(text=part.text, match=part.is_match) for part in hit.excerpt],
    )
