"""What a model is told of a conversation: as much as its context has room for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import dropwhile

from biont.llm import ChatRequest, Message
from biont_chat.conversations import Question
from biont_chat.tables import ChatMessage, Conversation
from biont_llm import BackendLimits, estimate_prompt

SHARE = 0.8
"""How much of the room is used: tokens are estimated, and an estimate may be short."""

UNKNOWN_CONTEXT = 8192
"""How many tokens a context is taken to have where nobody knows."""

FindTerms = Callable[[str | None], BackendLimits]
"""Returns what holds for whom a request's ``model`` means."""


def read_request(question: Question, find_terms: FindTerms) -> ChatRequest:
    """Return what a model is asked, with the newest turns of the conversation that have room.

    The question itself always goes out, and so does the system message. Turns are
    left out from the oldest on, so that the first that stays is a user's.

    Raises:
        NotFound: the conversation is gone, or it is somebody else's.
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
            question.conversation_id, [*head, last], _find_room(find_terms(model))
        )
    return ChatRequest([*head, *turns, last], model)


def _select_turns(conversation_id: int, always: Iterable[Message], room: float) -> list[Message]:
    room -= estimate_prompt(always)
    query = ChatMessage.select().where(ChatMessage.conversation == conversation_id)
    turns: list[Message] = []
    for row in query.order_by(ChatMessage.id.desc()).iterator():
        turn = Message(row.role, row.content)
        room -= estimate_prompt([turn])
        if room < 0:
            break
        turns.append(turn)
    return list(dropwhile(lambda turn: turn.role != "user", reversed(turns)))


def _find_room(terms: BackendLimits) -> float:
    return SHARE * ((terms.context or UNKNOWN_CONTEXT) - terms.max_tokens)
