"""The routes of chat and its conversations."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import Field

from biont import Api, Page, Request, RowId, Scope
from biont.exceptions import InputProblem, InvalidInput
from biont.http import Cursor, Limit, decode_cursor, make_page
from biont_chat.answering import answer_at_once, prepare_exchange, stream_answer
from biont_chat.conversations import (
    Question,
    delete_conversation,
    rename_conversation,
    select_messages,
)
from biont_chat.search import search_messages
from biont_chat.sse import OwnWording
from biont_chat.tables import Conversation
from biont_chat.tool_answers import check_tools, open_tool_exchange
from biont_chat.views import (
    ChatAnswer,
    ChatMessageView,
    ConversationChange,
    ConversationView,
    MessageHit,
    NewChatMessage,
    WholeConversation,
    show_answer,
    show_conversation,
    show_hit,
    show_message,
    show_whole,
)
from biont_llm import LANGUAGE_MODELS

_LATEST = 100
_CHAT = frozenset({Scope.CHAT})

Words = Annotated[
    str,
    Field(
        min_length=1,
        max_length=500,
        description='Words, all of which occur; `plan*` begins so, `"to do"` is in a row.',
    ),
]

api = Api("chat")


@api.post("/chat", scopes=_CHAT, status=200, media_type="text/event-stream")
async def chat(request: Request, body: NewChatMessage) -> ChatAnswer | web.StreamResponse:
    """Ask a language model.

    Question and answer are kept in a conversation, and the answer is an `ai_message` event; all
    of it is durable by the time it is sent. With `stream`, the answer comes as events: `token` for
    each piece (`text`), `tool`, `usage`, and at the end `done`, or `error` with a problem.
    """
    question = Question(
        request.user_id,
        body.message,
        body.conversation_id,
        body.system,
        _name_model(request, body),
    )
    check_tools(request, body.tools)
    exchange = await prepare_exchange(request, question, body.tools)
    if body.tools:
        tooled = await open_tool_exchange(exchange)
        return await (tooled.stream(OwnWording()) if body.stream else tooled.answer())
    if body.stream:
        return await stream_answer(exchange, OwnWording())
    answer, message = await answer_at_once(exchange)
    return show_answer(answer, message)


@api.get("/conversations", scopes=_CHAT)
async def list_conversations(
    request: Request, limit: Limit = 100, cursor: Cursor = None
) -> Page[ConversationView]:
    """List your conversations, the newest first."""
    rows = await request.workbench.store.read(
        Conversation.read_page, request.user_id, limit, decode_cursor(cursor)
    )
    return make_page(rows, limit, lambda row: row.id, show_conversation)


@api.get("/conversations/search", scopes=_CHAT)
async def search(
    request: Request, q: Words, limit: Limit = 100, cursor: Cursor = None
) -> Page[MessageHit]:
    """Find messages in your conversations by their words, the best first."""
    offset = decode_cursor(cursor) or 0
    hits = await request.workbench.store.read(
        search_messages, request.user_id, q, limit=limit + 1, offset=offset
    )
    places = list(enumerate(hits, start=offset + 1))
    return make_page(places, limit, lambda place: place[0], lambda place: show_hit(place[1]))


@api.get("/conversations/{conversation_id}", scopes=_CHAT)
async def read_conversation(request: Request, conversation_id: RowId) -> WholeConversation:
    """Read a conversation with its latest messages."""
    conversation, messages = await request.workbench.store.read(
        select_messages, request.user_id, conversation_id, _LATEST - 1, None
    )
    return show_whole(conversation, messages)


@api.get("/conversations/{conversation_id}/messages", scopes=_CHAT)
async def list_messages(
    request: Request, conversation_id: RowId, limit: Limit = 100, cursor: Cursor = None
) -> Page[ChatMessageView]:
    """List the messages of a conversation, the newest first."""
    _, messages = await request.workbench.store.read(
        select_messages, request.user_id, conversation_id, limit, decode_cursor(cursor)
    )
    return make_page(messages, limit, lambda message: message.id, show_message)


@api.patch("/conversations/{conversation_id}", scopes=_CHAT)
async def change_conversation(
    request: Request, conversation_id: RowId, body: ConversationChange
) -> ConversationView:
    """Give a conversation another title."""
    return show_conversation(
        await request.workbench.store.write(
            rename_conversation, request.user_id, conversation_id, body.title
        )
    )


@api.delete("/conversations/{conversation_id}", scopes=_CHAT)
async def remove_conversation(request: Request, conversation_id: RowId) -> None:
    """Delete a conversation with its messages."""
    workbench = request.workbench
    await workbench.store.write(
        delete_conversation, request.user_id, workbench.clock.now(), conversation_id
    )


def _name_model(request: Request, body: NewChatMessage) -> str | None:
    """Return whom a message is for, by one name.

    Raises:
        InvalidInput: there is no such backend.
    """
    if body.backend is None:
        return body.model
    known = request.workbench.get(LANGUAGE_MODELS).backends
    if body.backend not in known:
        raise InvalidInput(InputProblem(f"must be one of {', '.join(known)}", "#/backend"))
    return body.backend if body.model is None else f"{body.backend}/{body.model}"
