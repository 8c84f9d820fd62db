"""REST routes of chat and conversations."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import Field

from biont import Api, Page, Request, RowId, Scope
from biont.exceptions import InputProblem, InvalidInput
from biont.http import Cursor, Limit, ListQuery, RateClass, decode_cursor, make_page
from biont.store import ALL
from biont_chat.answering import answer_at_once, prepare_exchange, stream_answer
from biont_chat.conversations import (
    Question,
    change_conversation_fields,
    delete_conversation,
    select_messages,
)
from biont_chat.schemas import (
    ChatAnswer,
    ChatMessageView,
    ConversationChange,
    ConversationView,
    MessageHit,
    NewChatMessage,
    WholeConversation,
    make_chat_answer,
    make_conversation_view,
    make_message_hit,
    make_message_view,
    make_whole_conversation,
)
from biont_chat.search import search_messages
from biont_chat.sse import BiontEventFormat
from biont_chat.tables import Conversation
from biont_chat.tool_answers import check_tools, open_tool_exchange
from biont_llm import LLM_GATEWAY

_LATEST = 100
_CHAT = frozenset({Scope.CHAT})

Words = Annotated[
    str,
    Field(
        min_length=1,
        max_length=500,
        description='Words that all occur; `plan*` for a beginning, `"to do"` for words in a row.',
    ),
]

api = Api("chat", description="Conversations with language models.")


def _find_conversation(request: Request, conversation_id: RowId) -> ConversationView:
    return make_conversation_view(Conversation.get_owned(request.user_id, conversation_id))


@api.post(
    "/chat",
    scopes=_CHAT,
    status=200,
    media_type="text/event-stream",
    rate_class=RateClass.CHAT,
    problems=(429, 502, 504),
    example={"message": "What did I note about tea?"},
)
async def send_chat_message(
    request: Request, body: NewChatMessage
) -> ChatAnswer | web.StreamResponse:
    """Ask a language model.

    Question, answer and the event `ai_message` are stored before the response is sent. With
    `stream`, the answer is a sequence of events: `token` for each piece (`text`), `tool`, `usage`,
    and at the end `done`, or `error` with a problem.
    """
    question = Question(
        request.user_id,
        body.message,
        body.conversation_id,
        body.system,
        _combine_model(request, body),
    )
    check_tools(request, body.tools)
    exchange = await prepare_exchange(request, question, body.tools)
    if body.tools:
        tool_exchange = await open_tool_exchange(exchange)
        if body.stream:
            return await tool_exchange.send_stream(BiontEventFormat())
        return await tool_exchange.answer()
    if body.stream:
        return await stream_answer(exchange, BiontEventFormat())
    answer, message = await answer_at_once(exchange)
    return make_chat_answer(answer, message)


@api.get("/conversations", scopes=_CHAT)
async def list_conversations(
    request: Request,
    query: ListQuery,
) -> Page[ConversationView]:
    """List your conversations, the newest first.

    The conversations have no messages in the list; read a conversation for its messages.
    """
    rows = await request.workbench.store.read(
        Conversation.read_page, request.user_id, query.limit, query.span
    )
    return make_page(rows, query.limit, lambda row: row.id, make_conversation_view)


@api.get("/conversations/search", scopes=_CHAT, operation="search_messages")
async def search(
    request: Request, q: Words, limit: Limit = 100, cursor: Cursor = None
) -> Page[MessageHit]:
    """Search the messages of your conversations by words, the best first.

    A hit has an excerpt of the message, in parts, with the found words marked.
    """
    offset = decode_cursor(cursor) or 0
    hits = await request.workbench.store.read(
        search_messages, request.user_id, q, limit=limit + 1, offset=offset
    )
    # Hits have no number to continue from: the cursor is their place among all hits.
    places = list(enumerate(hits, start=offset + 1))
    return make_page(
        places, limit, lambda place: place[0], lambda place: make_message_hit(place[1])
    )


@api.get("/conversations/{conversation_id}", scopes=_CHAT)
async def read_conversation(request: Request, conversation_id: RowId) -> WholeConversation:
    """Read a conversation with its latest messages.

    At most 100 messages are in the answer; the list of messages has the others.
    """
    conversation, messages = await request.workbench.store.read(
        select_messages, request.user_id, conversation_id, _LATEST - 1, ALL
    )
    return make_whole_conversation(conversation, messages)


@api.get("/conversations/{conversation_id}/messages", scopes=_CHAT)
async def list_messages(
    request: Request,
    conversation_id: RowId,
    query: ListQuery,
) -> Page[ChatMessageView]:
    """List the messages of a conversation, the newest first.

    Questions have the role `user`, and answers the role `assistant`.
    """
    _, messages = await request.workbench.store.read(
        select_messages,
        request.user_id,
        conversation_id,
        query.limit,
        query.span,
    )
    return make_page(messages, query.limit, lambda message: message.id, make_message_view)


@api.patch(
    "/conversations/{conversation_id}",
    scopes=_CHAT,
    example={"title": "Tea"},
    present=_find_conversation,
)
async def change_conversation(
    request: Request, conversation_id: RowId, body: ConversationChange
) -> ConversationView:
    """Change the title of a conversation.

    The messages of a conversation never change.
    """
    return make_conversation_view(
        await request.workbench.store.write(
            change_conversation_fields, request.user_id, conversation_id, body.list_given()
        )
    )


@api.delete(
    "/conversations/{conversation_id}",
    scopes=_CHAT,
    operation="delete_conversation",
    present=_find_conversation,
)
async def remove_conversation(request: Request, conversation_id: RowId) -> None:
    """Delete a conversation with its messages.

    The events of the messages stay in the event log.
    """
    workbench = request.workbench
    await workbench.store.write(
        delete_conversation, request.user_id, workbench.clock.now(), conversation_id
    )


def _combine_model(request: Request, body: NewChatMessage) -> str | None:
    """Return `backend` and `model` of a message as the `model` of a request.

    Raises:
        InvalidInput: the backend does not exist.
    """
    if body.backend is None:
        return body.model
    backends = request.workbench.get(LLM_GATEWAY).backends
    if body.backend not in backends:
        raise InvalidInput(InputProblem(f"must be one of {', '.join(backends)}", "#/backend"))
    return body.backend if body.model is None else f"{body.backend}/{body.model}"
