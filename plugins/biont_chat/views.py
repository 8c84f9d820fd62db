"""What REST clients send and see of chat."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from biont import RowId, Schema
from biont.llm import Answer, FinishReason, TokenUsage
from biont_chat.conversations import TITLE_LIMIT
from biont_chat.event_types import TEXT_LIMIT
from biont_chat.search import ChatHit
from biont_chat.tables import ChatMessage, Conversation

Text = Annotated[str, Field(min_length=1, max_length=TEXT_LIMIT)]
Name = Annotated[str, Field(min_length=1, max_length=200)]


class NewChatMessage(Schema):
    """What is asked, and of whom."""

    model_config = ConfigDict(extra="forbid")

    message: Text
    conversation_id: RowId | None = Field(
        None, description="The conversation that it goes on with; null begins one."
    )
    system: Text | None = Field(
        None,
        description="What the model is told beforehand, in this conversation from now on; null "
        "for what it was told before, or else the operator's words.",
    )
    model: Name | None = Field(
        None,
        description="Who is to answer, in this conversation from now on: `backend/model`, a "
        "model, or a backend; null for who did before, or else the default.",
    )
    backend: Name | None = Field(
        None, description="Who has the model, where `model` does not say it."
    )
    tools: Annotated[list[Name], Field(max_length=100)] = Field(
        default_factory=list, description="What the model may call; a full key is needed."
    )
    stream: bool = Field(
        False, description="Whether the answer comes piece by piece, as server-sent events."
    )


class AnswerUsage(Schema):
    """What an answer has cost."""

    prompt_tokens: int
    completion_tokens: int
    estimated: bool = Field(
        description="Whether they are reckoned from lengths, since the server does not say."
    )


class ChatAnswer(Schema):
    """What the model answered."""

    answer: str
    model: str = Field(description="Who answered, by the name its server gives.")
    backend: str
    usage: AnswerUsage
    conversation_id: int | None
    message_id: int | None
    waiting: list[int] = Field(
        default_factory=list,
        description="The tool calls that wait for your approval; the answer is empty then, and "
        "comes into the conversation once they are decided.",
    )


class StreamEnd(Schema):
    """What the last event of a stream says."""

    conversation_id: int | None = Field(description="Null where nothing was kept.")
    message_id: int | None
    model: str | None
    backend: str | None
    finish_reason: FinishReason | None
    interrupted: bool
    waiting: list[int] = Field(
        default_factory=list, description="The tool calls that wait for your approval."
    )


class ChatMessageView(Schema):
    """One turn of a conversation."""

    id: int
    role: Literal["user", "assistant"]
    content: str
    model: str | None = Field(description="Who answered; null for a user's own.")
    backend: str | None
    usage: AnswerUsage | None
    interrupted: bool = Field(description="Whether the client or a stop has cut it off.")
    created_at: datetime


class ConversationView(Schema):
    """A conversation, without what was said."""

    id: int
    title: str
    system: str | None
    model: str | None
    created_at: datetime
    updated_at: datetime


class WholeConversation(ConversationView):
    """A conversation with what was said."""

    messages: list[ChatMessageView] = Field(
        description="The latest 100, in their order; `/messages` has all."
    )


class ConversationChange(Schema):
    """What is to change."""

    model_config = ConfigDict(extra="forbid")

    title: Annotated[str, Field(min_length=1, max_length=TITLE_LIMIT)]


class ExcerptPart(Schema):
    """A piece of an excerpt."""

    text: str
    match: bool = Field(description="Whether it is what was looked for.")


class MessageHit(Schema):
    """A message that was found."""

    conversation_id: int
    title: str
    message_id: int
    role: Literal["user", "assistant"]
    excerpt: list[ExcerptPart] = Field(description="What was found, among the words around it.")


def show_answer(answer: Answer, message: ChatMessage | None) -> ChatAnswer:
    """Return an answer as its user sees it."""
    return ChatAnswer(
        answer=answer.text,
        model=answer.model,
        backend=answer.backend,
        usage=show_usage(answer.usage),
        conversation_id=message.conversation_id if message else None,
        message_id=message.id if message else None,
    )


def show_usage(usage: TokenUsage) -> AnswerUsage:
    """Return what an answer has cost as its user sees it."""
    return AnswerUsage(
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        estimated=usage.estimated,
    )


def show_conversation(conversation: Conversation) -> ConversationView:
    """Return a conversation as its user sees it."""
    return ConversationView.model_validate(conversation, from_attributes=True)


def show_whole(conversation: Conversation, messages: list[ChatMessage]) -> WholeConversation:
    """Return a conversation with `messages`, which are the newest first."""
    return WholeConversation(
        **show_conversation(conversation).model_dump(),
        messages=[show_message(message) for message in reversed(messages)],
    )


def show_message(message: ChatMessage) -> ChatMessageView:
    """Return a message as its user sees it."""
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


def show_hit(hit: ChatHit) -> MessageHit:
    """Return what was found as its user sees it."""
    return MessageHit(
        conversation_id=hit.conversation_id,
        title=hit.title,
        message_id=hit.message_id,
        role=hit.role,
        excerpt=[ExcerptPart(text=part.text, match=part.is_match) for part in hit.excerpt],
    )
