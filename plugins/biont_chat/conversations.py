"""What is done with conversations, inside a store function."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from biont import Transaction
from biont.llm import TokenUsage
from biont_agents import abandon_calls
from biont_chat.event_types import AI_MESSAGE, TEXT_LIMIT
from biont_chat.tables import ChatMessage, Conversation, WaitingAnswer

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
    message = None
    if question.keep:
        message = _create_reply(_create_question(question, now), reply, now)
    _announce(tx, question.user_id, question.text, reply, message)
    return message


def keep_question(
    question: Question, agent_run_id: int, key_id: int | None, now: datetime
) -> ChatMessage:
    """Keep a question whose answer waits for the approval of a tool call.

    Raises:
        NotFound: the conversation is gone, or it is somebody else's.
    """
    message = _create_question(question, now)
    WaitingAnswer.create(question=message, agent_run_id=agent_run_id, key_id=key_id)
    return message


def keep_late_reply(tx: Transaction, waiting_id: int, reply: Reply, now: datetime) -> None:
    """Keep an answer that has waited, if its conversation is still there."""
    waiting = WaitingAnswer.get_or_none(WaitingAnswer.id == waiting_id)
    if waiting is None:
        return
    asked = waiting.question
    message = _create_reply(asked, reply, now)
    waiting.delete_instance()
    _announce(tx, asked.conversation.user_id, asked.content, reply, message)


def rename_conversation(user_id: int, conversation_id: int, title: str) -> Conversation:
    """Give a conversation another title.

    Raises:
        NotFound: there is none of that number, or it is somebody else's.
    """
    conversation = Conversation.get_owned(user_id, conversation_id)
    conversation.title = title
    conversation.save(only=["title"])
    return conversation


def delete_conversation(user_id: int, now: datetime, conversation_id: int) -> None:
    """Delete a conversation with its messages, and the tool calls that wait for an approval.

    Raises:
        NotFound: there is none of that number, or it is somebody else's.
    """
    conversation = Conversation.get_owned(user_id, conversation_id)
    of_it = ChatMessage.conversation == conversation
    for waiting in WaitingAnswer.select().join(ChatMessage).where(of_it):
        abandon_calls(waiting.agent_run_id, now)
    conversation.delete_instance()


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


def _create_question(question: Question, now: datetime) -> ChatMessage:
    conversation = _find_conversation(question, now)
    return ChatMessage.create(
        conversation=conversation, role="user", content=question.text, created_at=now
    )


def _create_reply(question: ChatMessage, reply: Reply, now: datetime) -> ChatMessage:
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


def _announce(
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
