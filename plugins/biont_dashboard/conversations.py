"""Conversations as pages show them: messages, with the tool calls between them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from biont_dashboard.rendering import parse_instant
from biont_dashboard.tool_calls import ShownCall, show_arguments
from biont_dashboard.visit import Listing, Object, Visit

CONVERSATIONS = "/api/v1/conversations"

_MESSAGES = 40
_CALLS = 200
# The first question of a conversation is stored soon after its tool calls began.
_BEFORE = timedelta(minutes=10)


class Turn(NamedTuple):
    """Message, with the tool calls that led to it."""

    message: Object
    calls: Sequence[ShownCall]


class ShownConversation(NamedTuple):
    """Conversation as a page shows it.

    Attributes:
        conversation: the conversation, without its messages.
        turns: the messages of the page, the oldest first.
        open_calls: the tool calls after the last message.
        listing: the page of messages, for links to older ones.
    """

    conversation: Object
    turns: Sequence[Turn]
    open_calls: Sequence[ShownCall]
    listing: Listing


async def read_conversation(visit: Visit, conversation_id: int) -> ShownConversation:
    """Return a conversation with a page of its messages.

    Raises:
        NotFound: the user has no such conversation.
    """
    path = f"{CONVERSATIONS}/{conversation_id}"
    conversation, listing = await asyncio.gather(
        visit.read(path, fields="id,title,system,model,origin,created_at,updated_at"),
        visit.read_list(f"{path}/messages", limit=_MESSAGES),
    )
    messages = [*reversed(listing.rows)]
    calls = await _read_calls(visit, conversation_id, messages)
    turns, left = _join(messages, calls)
    # On a page of older messages, later calls belong to later messages.
    return ShownConversation(conversation, turns, [] if listing.first else left, listing)


async def _read_calls(
    visit: Visit, conversation_id: int, messages: Sequence[Object]
) -> Sequence[Object]:
    """Return the tool calls of a conversation since its first shown message, the oldest first."""
    if not messages or not visit.has_plugin("agents"):
        return []
    first = parse_instant(str(messages[0]["created_at"]))
    since = (first - _BEFORE).isoformat()
    calls = await visit.read_rows(
        "/api/v1/tool-calls", source=f"conversation-{conversation_id}", since=since, limit=_CALLS
    )
    return [*reversed(calls)]


def _join(
    messages: Sequence[Object], calls: Sequence[Object]
) -> tuple[Sequence[Turn], Sequence[ShownCall]]:
    """Return each message with the calls before it, and the calls after the last message."""
    left = [show_arguments(call) for call in calls]
    turns = []
    for message in messages:
        taken: list[ShownCall] = []
        if message["role"] == "assistant":
            ended = parse_instant(str(message["created_at"]))
            while left and parse_instant(str(left[0].call["created_at"])) <= ended:
                taken.append(left.pop(0))
        turns.append(Turn(message, taken))
    return turns, left
