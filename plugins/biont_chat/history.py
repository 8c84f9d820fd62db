"""Chat history: selects the newest turns of a conversation that fit into a model's context."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import dropwhile

from biont.llm import ChatRequest, Message
from biont_chat.conversations import Question
from biont_chat.tables import ChatMessage, Conversation
from biont_llm import BackendLimits, estimate_prompt

_CONTEXT_SHARE = 0.8
"""Used share of the room, because the estimate of tokens may be too low."""

_DEFAULT_CONTEXT = 8192
"""Assumed context of a model with an unknown context, in tokens."""

FindLimits = Callable[[str | None], BackendLimits]
"""Returns the limits of the backend that a request's ``model`` names."""


def make_chat_request(question: Question, find_limits: FindLimits) -> ChatRequest:
    """Return the request to a model: system message, newest turns that fit, question.

    System message and question are always part of the request. The oldest turns are left out,
    so that the first remaining turn is a user's turn.

    Raises:
        NotFound: the conversation does not exist, or belongs to another user.
    """
    system, model, turns = question.system, question.model, []
    if question.conversation_id is not None:
        conversation = Conversation.get_owned(question.user_id, question.conversation_id)
        system = system or conversation.system
        model = model or conversation.model
    head = [Message("system", system)] if system else []
    last = Message("user", question.text)
    if question.conversation_id is not None:
        turns = _select_turns(
            question.conversation_id, [*head, last], _find_room(find_limits(model))
        )
    return ChatRequest([*head, *turns, last], model)


def _select_turns(conversation_id: int, fixed: Iterable[Message], room: float) -> list[Message]:
    room -= estimate_prompt(fixed)
    query = ChatMessage.select().where(ChatMessage.conversation == conversation_id)
    turns: list[Message] = []
    # Row by row, so that a long conversation is not read beyond the room.
    for row in query.order_by(ChatMessage.id.desc()).iterator():
        turn = Message(row.role, row.content)
        room -= estimate_prompt([turn])
        if room < 0:
            break
        turns.append(turn)
    # Some models refuse a history that begins with an answer.
    return list(dropwhile(lambda turn: turn.role != "user", reversed(turns)))


def _find_room(limits: BackendLimits) -> float:
    return _CONTEXT_SHARE * ((limits.context or _DEFAULT_CONTEXT) - limits.max_tokens)
