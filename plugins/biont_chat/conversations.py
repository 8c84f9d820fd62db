"""Store functions of conversations and messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from biont import Transaction
from biont.events import find_origin
from biont.llm import TokenUsage
from biont.store import Span
from biont_agents import abandon_calls
from biont_chat.event_types import AI_MESSAGE, TEXT_LIMIT
from biont_chat.tables import ChatMessage, Conversation, WaitingAnswer

TITLE_LIMIT = 200
_TITLE_LENGTH = 60


@dataclass(frozen=True)
class Question:
    """Question of a user.

    Attributes:
        user_id: author of the question.
        text: text of the question.
        conversation_id: conversation of the question; None for a new conversation.
        system: new system message of the conversation; None leaves the old message.
        model: new model of the conversation; None leaves the old model.
        keep: whether question and answer are stored; the event is emitted in any case.
    """

    user_id: int
    text: str
    conversation_id: int | None = None
    system: str | None = None
    model: str | None = None
    keep: bool = True


@dataclass(frozen=True)
class Reply:
    """Answer of a model, as stored in a conversation.

    Attributes:
        text: text of the answer.
        model: name of the model, as the server reports the name.
        backend: name of the backend.
        usage: tokens of the call.
        interrupted: whether the answer was cut off.
    """

    text: str
    model: str
    backend: str
    usage: TokenUsage
    interrupted: bool = False


def save_exchange(
    tx: Transaction, question: Question, reply: Reply, now: datetime
) -> ChatMessage | None:
    """Store a question with its answer, and emit ``ai_message``.

    Returns:
        The message of the answer; None for a question that is not stored.

    Raises:
        NotFound: the conversation does not exist, or belongs to another user.
    """
    message = None
    if question.keep:
        message = _create_reply(_create_question(question, now), reply, now)
    # Also for an exchange that is not stored: subscribers see each answer.
    _emit_ai_message(tx, question.user_id, question.text, reply, message)
    return message


def save_waiting_question(
    question: Question, agent_run_id: int, key_id: int | None, now: datetime
) -> ChatMessage:
    """Store a question whose answer waits for the approval of a tool call.

    Raises:
        NotFound: the conversation does not exist, or belongs to another user.
    """
    message = _create_question(question, now)
    WaitingAnswer.create(question=message, agent_run_id=agent_run_id, key_id=key_id)
    return message


def save_late_reply(tx: Transaction, waiting_id: int, reply: Reply, now: datetime) -> None:
    """Store an answer that has waited, and emit ``ai_message``.

    Does nothing if the conversation was deleted, or another caller has stored the answer.
    """
    # The row decides which of several callers stores the answer.
    waiting = WaitingAnswer.get_or_none(WaitingAnswer.id == waiting_id)
    if waiting is None:
        return
    question = waiting.question
    message = _create_reply(question, reply, now)
    waiting.delete_instance()
    _emit_ai_message(tx, question.conversation.user_id, question.content, reply, message)


def change_conversation_fields(
    user_id: int, conversation_id: int, columns: Mapping[str, object]
) -> Conversation:
    """Change columns of a conversation.

    Raises:
        NotFound: the conversation does not exist, or belongs to another user.
    """
    conversation = Conversation.get_owned(user_id, conversation_id)
    for name, value in columns.items():
        setattr(conversation, name, value)
    if columns:
        conversation.save(only=list(columns))
    return conversation


def delete_conversation(user_id: int, now: datetime, conversation_id: int) -> None:
    """Delete a conversation with its messages, and abandon its waiting tool calls.

    Raises:
        NotFound: the conversation does not exist, or belongs to another user.
    """
    conversation = Conversation.get_owned(user_id, conversation_id)
    in_conversation = ChatMessage.conversation == conversation
    for waiting in WaitingAnswer.select().join(ChatMessage).where(in_conversation):
        abandon_calls(waiting.agent_run_id, now)
    conversation.delete_instance()


def select_messages(
    user_id: int, conversation_id: int, limit: int, span: Span
) -> tuple[Conversation, list[ChatMessage]]:
    """Return a conversation, and up to ``limit + 1`` of its messages, in the order of the span.

    Raises:
        NotFound: the conversation does not exist, or belongs to another user.
    """
    conversation = Conversation.get_owned(user_id, conversation_id)
    query = ChatMessage.select().where(ChatMessage.conversation == conversation)
    return conversation, span.read(query, limit, key=ChatMessage.id, time=ChatMessage.created_at)


def _create_question(question: Question, now: datetime) -> ChatMessage:
    conversation = _open_conversation(question, now)
    return ChatMessage.create(
        conversation=conversation, role="user", content=question.text, created_at=now
    )


def find_conversation_origin(conversation_id: int) -> str | None:
    """Return the event by which text from outside came into a conversation, if any."""
    found = Conversation.get_or_none(Conversation.id == conversation_id)
    return None if found is None else found.origin


def _create_reply(question: ChatMessage, reply: Reply, now: datetime) -> ChatMessage:
    origin = find_origin()
    if origin is not None:
        Conversation.update(origin=origin).where(
            Conversation.id == question.conversation_id, Conversation.origin.is_null()
        ).execute()
    return ChatMessage.create(
        conversation=question.conversation_id,
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


def _emit_ai_message(
    tx: Transaction, user_id: int, text: str, reply: Reply, message: ChatMessage | None
) -> None:
    tx.emit(
        AI_MESSAGE.name,
        user_id,
        {
            "conversation_id": message.conversation_id if message else None,
            "message_id": message.id if message else None,
            "message": text[:TEXT_LIMIT],
            "answer": reply.text[:TEXT_LIMIT],
            "model": reply.model,
            "backend": reply.backend,
            "interrupted": reply.interrupted,
        },
    )


def _open_conversation(question: Question, now: datetime) -> Conversation:
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
    """Return the beginning of a text, on a single line."""
    # Cut first: a question may be long, and only its beginning matters.
    words = " ".join(text[: 4 * _TITLE_LENGTH].split())
    return words if len(words) <= _TITLE_LENGTH else words[: _TITLE_LENGTH - 1].rstrip() + "…"
