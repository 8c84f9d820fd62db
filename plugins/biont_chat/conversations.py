"""What is done with conversations, inside a store function."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from biont import TokenUsage, Transaction
from biont_chat.event_types import AI_MESSAGE, TEXT_LIMIT
from biont_chat.tables import ChatMessage, Conversation

TITLE_LIMIT = 200
_TITLE_LENGTH = 60


@dataclass(frozen=True)
class Question:
    """What a user says.

    Attributes:
        user_id: who says it.
        text: what is said.
        conversation_id: where; None begins a conversation.
        system: what the model is told beforehand, from now on; None as before.
        model: who is asked, from now on; None as before.
        keep: whether question and answer are kept; the event tells of them all the same.
    """

    user_id: int
    text: str
    conversation_id: int | None = None
    system: str | None = None
    model: str | None = None
    keep: bool = True


@dataclass(frozen=True)
class Reply:
    """What a model says to a question.

    Attributes:
        text: what it said.
        model: which model it was, as its server names it.
        backend: who has that model.
        usage: what it took.
        interrupted: whether it was cut off.
    """

    text: str
    model: str
    backend: str
    usage: TokenUsage
    interrupted: bool = False


def keep_exchange(
    tx: Transaction, question: Question, reply: Reply, now: datetime
) -> ChatMessage | None:
    """Keep a question and its answer, and say so by ``ai_message``; return the answer.

    Raises:
        NotFound: the conversation is gone, or it is somebody else's.
    """
    message = _create_messages(question, reply, now) if question.keep else None
    tx.emit(
        AI_MESSAGE.name,
        question.user_id,
        {
            "conversation_id": message.conversation_id if message else None,
            "message_id": message.id if message else None,
            "message": question.text[:TEXT_LIMIT],
            "answer": reply.text[:TEXT_LIMIT],
            "model": reply.model,
            "backend": reply.backend,
            "interrupted": reply.interrupted,
        },
    )
    return message


def rename_conversation(
    _: Transaction, user_id: int, conversation_id: int, title: str
) -> Conversation:
    """Give a conversation another title.

    Raises:
        NotFound: there is none of that number, or it is somebody else's.
    """
    conversation = Conversation.get_owned(user_id, conversation_id)
    conversation.title = title
    conversation.save(only=["title"])
    return conversation


def delete_conversation(_: Transaction, user_id: int, conversation_id: int) -> None:
    """Delete a conversation with its messages.

    Raises:
        NotFound: there is none of that number, or it is somebody else's.
    """
    Conversation.get_owned(user_id, conversation_id).delete_instance()


def select_messages(
    user_id: int, conversation_id: int, limit: int, before: int | None
) -> tuple[Conversation, list[ChatMessage]]:
    """Return a conversation, and up to ``limit + 1`` of its messages, the newest first.

    Raises:
        NotFound: there is none of that number, or it is somebody else's.
    """
    conversation = Conversation.get_owned(user_id, conversation_id)
    query = ChatMessage.select().where(ChatMessage.conversation == conversation)
    if before is not None:
        query = query.where(ChatMessage.id < before)
    return conversation, list(query.order_by(ChatMessage.id.desc()).limit(limit + 1))


def _create_messages(question: Question, reply: Reply, now: datetime) -> ChatMessage:
    conversation = _find_conversation(question, now)
    ChatMessage.create(
        conversation=conversation, role="user", content=question.text, created_at=now
    )
    return ChatMessage.create(
        conversation=conversation,
        role="assistant",
        content=reply.text,
        model=reply.model,
        backend=reply.backend,
        prompt_tokens=reply.usage.prompt_tokens,
        completion_tokens=reply.usage.completion_tokens,
        tokens_estimated=reply.usage.estimated,
        interrupted=reply.interrupted,
        created_at=now,
    )


def _find_conversation(question: Question, now: datetime) -> Conversation:
    if question.conversation_id is None:
        return Conversation.create(
            user=question.user_id,
            title=make_title(question.text),
            system=question.system,
            model=question.model,
            created_at=now,
            updated_at=now,
        )
    conversation = Conversation.get_owned(question.user_id, question.conversation_id)
    conversation.system = question.system or conversation.system
    conversation.model = question.model or conversation.model
    conversation.updated_at = now
    conversation.save()
    return conversation


def make_title(text: str) -> str:
    """Return the beginning of a text, on one line."""
    words = " ".join(text[: 4 * _TITLE_LENGTH].split())
    return words if len(words) <= _TITLE_LENGTH else words[: _TITLE_LENGTH - 1].rstrip() + "…"
