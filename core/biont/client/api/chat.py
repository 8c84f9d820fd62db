# Written by tests/client/generate.py from the API document. Do not edit.
"""Operations of the group ``chat``: conversations with language models."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime
from typing import Literal, NotRequired, TypedDict, Unpack

from biont.client.api.shared_models import Sort
from biont.client.async_pages import AsyncPages
from biont.client.call import make_call
from biont.client.event_stream import StreamedEvent
from biont.client.groups import AsyncOperationGroup, OperationGroup
from biont.client.pages import Pages


class AnswerUsage(TypedDict):
    """Tokens of an answer.

    Attributes:
        estimated: True if the counts are estimated, because the server reports no usage.
    """

    prompt_tokens: int
    completion_tokens: int
    estimated: bool


class ChatAnswer(TypedDict):
    """Answer of the model.

    Attributes:
        model: Model that answered, by the name that its server reports.
        waiting: Tool calls that wait for your approval; the answer is then empty, and is added
            to the conversation after your decision.
    """

    answer: str
    model: str
    backend: str
    usage: AnswerUsage
    conversation_id: int | None
    message_id: int | None
    waiting: list[int]


class ChatMessageView(TypedDict):
    """One turn of a conversation.

    Attributes:
        model: Model that answered; null for a user's message.
        interrupted: True if the answer was cut off, by its client or by a stop of the server.
    """

    id: int
    role: Literal["user", "assistant"]
    content: str
    model: str | None
    backend: str | None
    usage: AnswerUsage | None
    interrupted: bool
    created_at: str


class ConversationChange(TypedDict):
    """Fields to change, as a JSON merge patch (RFC 7396)."""

    title: NotRequired[str]


class ConversationView(TypedDict):
    """A conversation, without its messages.

    Attributes:
        origin: Event by which text of another system came in that an answer has read; null for
            none.
    """

    id: int
    title: str
    system: str | None
    model: str | None
    origin: str | None
    created_at: str
    updated_at: str


class ExcerptPart(TypedDict):
    """A piece of an excerpt.

    Attributes:
        match: True if the text matches the search.
    """

    text: str
    match: bool


class MessageHit(TypedDict):
    """A message found by a search.

    Attributes:
        excerpt: The matches, with the words around.
    """

    conversation_id: int
    title: str
    message_id: int
    role: Literal["user", "assistant"]
    excerpt: list[ExcerptPart]


class NewChatMessage(TypedDict):
    """A question to a language model.

    Attributes:
        conversation_id: Conversation that the question continues; null begins a conversation.
        system: System message of the conversation from now on; null leaves the old message, or
            in a new conversation the operator's message.
        model: Model of the conversation from now on: `backend/model`, a model, or a backend;
            null leaves the old model, or in a new conversation the default.
        backend: Backend of the model, if `model` does not contain the backend.
        tools: Tools that the model may call; requires a key of scope `full`.
        stream: True if the answer is streamed as server-sent events. By default `false`.
    """

    message: str
    conversation_id: NotRequired[int | None]
    system: NotRequired[str | None]
    model: NotRequired[str | None]
    backend: NotRequired[str | None]
    tools: NotRequired[Sequence[str]]
    stream: NotRequired[bool]


class WholeConversation(TypedDict):
    """A conversation with its latest messages.

    Attributes:
        origin: Event by which text of another system came in that an answer has read; null for
            none.
        messages: The latest 100 messages, the oldest first; `/messages` has all.
    """

    id: int
    title: str
    system: str | None
    model: str | None
    origin: str | None
    created_at: str
    updated_at: str
    messages: list[ChatMessageView]


class Chat(OperationGroup):
    """Conversations with language models."""

    def send_message(
        self,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[NewChatMessage],
    ) -> ChatAnswer:
        """Ask a language model.

        Question, answer and the event `ai_message` are stored before the response is sent. With
        `stream`, the answer is a sequence of events: `token` for each piece (`text`), `tool`,
        `usage`,
        and at the end `done`, or `error` with a problem.

        Needs an API key of scope `full` or `chat`.
        """
        return self._read(
            ChatAnswer,
            make_call(
                "POST",
                "/api/v1/chat",
                headers={"Idempotency-Key": idempotency_key},
                body=body,
            ),
        )

    def stream_message(
        self,
        **body: Unpack[NewChatMessage],
    ) -> Iterator[StreamedEvent]:
        """Call `send_message` with a streamed answer, and yield the events of the answer.

        The call is not repeated after an error.
        """
        return self._stream(
            make_call("POST", "/api/v1/chat", body={**body, "stream": True}),
        )

    def list_conversations(
        self,
        *,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        sort: Sort | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        fields: str | None = None,
    ) -> Pages[ConversationView]:
        """List your conversations, the newest first.

        The conversations have no messages in the list; read a conversation for its messages.

        Needs an API key of scope `full` or `read` or `chat`.

        Args:
            since: Only what was made at this instant or later.
            until: Only what was made before this instant.
            sort: The order: `-created_at`, the newest first, or `created_at`.
            limit: The largest number of items in the page.
            cursor: The `next` of the previous page; absent for the first.
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            ConversationView,
            make_call(
                "GET",
                "/api/v1/conversations",
                query={
                    "since": since,
                    "until": until,
                    "sort": sort,
                    "limit": limit,
                    "fields": fields,
                },
            ),
            cursor,
        )

    def search_messages(
        self,
        *,
        q: str,
        limit: int | None = None,
        cursor: str | None = None,
        fields: str | None = None,
    ) -> Pages[MessageHit]:
        """Search the messages of your conversations by words, the best first.

        A hit has an excerpt of the message, in parts, with the found words marked.

        Needs an API key of scope `full` or `read` or `chat`.

        Args:
            q: Words that all occur; `plan*` for a beginning, `"to do"` for words in a row.
            limit: The largest number of items in the page.
            cursor: The `next` of the previous page; absent for the first.
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            MessageHit,
            make_call(
                "GET",
                "/api/v1/conversations/search",
                query={"q": q, "limit": limit, "fields": fields},
            ),
            cursor,
        )

    def read_conversation(
        self,
        conversation_id: int,
        /,
        *,
        fields: str | None = None,
        if_match: str | None = None,
    ) -> WholeConversation:
        """Read a conversation with its latest messages.

        At most 100 messages are in the answer; the list of messages has the others.

        Needs an API key of scope `full` or `read` or `chat`.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._read(
            WholeConversation,
            make_call(
                "GET",
                "/api/v1/conversations/{}",
                (conversation_id,),
                query={"fields": fields},
                headers={"If-Match": if_match},
            ),
        )

    def change_conversation(
        self,
        conversation_id: int,
        /,
        *,
        if_match: str | None = None,
        **body: Unpack[ConversationChange],
    ) -> ConversationView:
        """Change the title of a conversation.

        The messages of a conversation never change.

        Needs an API key of scope `full` or `chat`.
        """
        return self._read(
            ConversationView,
            make_call(
                "PATCH",
                "/api/v1/conversations/{}",
                (conversation_id,),
                headers={"If-Match": if_match},
                body=body,
            ),
        )

    def delete_conversation(
        self,
        conversation_id: int,
        /,
        *,
        if_match: str | None = None,
    ) -> None:
        """Delete a conversation with its messages.

        The events of the messages stay in the event log.

        Needs an API key of scope `full` or `chat`.
        """
        self._finish(
            make_call(
                "DELETE",
                "/api/v1/conversations/{}",
                (conversation_id,),
                headers={"If-Match": if_match},
            ),
        )

    def list_messages(
        self,
        conversation_id: int,
        /,
        *,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        sort: Sort | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        fields: str | None = None,
    ) -> Pages[ChatMessageView]:
        """List the messages of a conversation, the newest first.

        Questions have the role `user`, and answers the role `assistant`.

        Needs an API key of scope `full` or `read` or `chat`.

        Args:
            since: Only what was made at this instant or later.
            until: Only what was made before this instant.
            sort: The order: `-created_at`, the newest first, or `created_at`.
            limit: The largest number of items in the page.
            cursor: The `next` of the previous page; absent for the first.
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            ChatMessageView,
            make_call(
                "GET",
                "/api/v1/conversations/{}/messages",
                (conversation_id,),
                query={
                    "since": since,
                    "until": until,
                    "sort": sort,
                    "limit": limit,
                    "fields": fields,
                },
            ),
            cursor,
        )


class AsyncChat(AsyncOperationGroup):
    """Conversations with language models."""

    async def send_message(
        self,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[NewChatMessage],
    ) -> ChatAnswer:
        """Ask a language model.

        Question, answer and the event `ai_message` are stored before the response is sent. With
        `stream`, the answer is a sequence of events: `token` for each piece (`text`), `tool`,
        `usage`,
        and at the end `done`, or `error` with a problem.

        Needs an API key of scope `full` or `chat`.
        """
        return await self._read(
            ChatAnswer,
            make_call(
                "POST",
                "/api/v1/chat",
                headers={"Idempotency-Key": idempotency_key},
                body=body,
            ),
        )

    def stream_message(
        self,
        **body: Unpack[NewChatMessage],
    ) -> AsyncIterator[StreamedEvent]:
        """Call `send_message` with a streamed answer, and yield the events of the answer.

        The call is not repeated after an error.
        """
        return self._stream(
            make_call("POST", "/api/v1/chat", body={**body, "stream": True}),
        )

    def list_conversations(
        self,
        *,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        sort: Sort | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        fields: str | None = None,
    ) -> AsyncPages[ConversationView]:
        """List your conversations, the newest first.

        The conversations have no messages in the list; read a conversation for its messages.

        Needs an API key of scope `full` or `read` or `chat`.

        Args:
            since: Only what was made at this instant or later.
            until: Only what was made before this instant.
            sort: The order: `-created_at`, the newest first, or `created_at`.
            limit: The largest number of items in the page.
            cursor: The `next` of the previous page; absent for the first.
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            ConversationView,
            make_call(
                "GET",
                "/api/v1/conversations",
                query={
                    "since": since,
                    "until": until,
                    "sort": sort,
                    "limit": limit,
                    "fields": fields,
                },
            ),
            cursor,
        )

    def search_messages(
        self,
        *,
        q: str,
        limit: int | None = None,
        cursor: str | None = None,
        fields: str | None = None,
    ) -> AsyncPages[MessageHit]:
        """Search the messages of your conversations by words, the best first.

        A hit has an excerpt of the message, in parts, with the found words marked.

        Needs an API key of scope `full` or `read` or `chat`.

        Args:
            q: Words that all occur; `plan*` for a beginning, `"to do"` for words in a row.
            limit: The largest number of items in the page.
            cursor: The `next` of the previous page; absent for the first.
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            MessageHit,
            make_call(
                "GET",
                "/api/v1/conversations/search",
                query={"q": q, "limit": limit, "fields": fields},
            ),
            cursor,
        )

    async def read_conversation(
        self,
        conversation_id: int,
        /,
        *,
        fields: str | None = None,
        if_match: str | None = None,
    ) -> WholeConversation:
        """Read a conversation with its latest messages.

        At most 100 messages are in the answer; the list of messages has the others.

        Needs an API key of scope `full` or `read` or `chat`.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return await self._read(
            WholeConversation,
            make_call(
                "GET",
                "/api/v1/conversations/{}",
                (conversation_id,),
                query={"fields": fields},
                headers={"If-Match": if_match},
            ),
        )

    async def change_conversation(
        self,
        conversation_id: int,
        /,
        *,
        if_match: str | None = None,
        **body: Unpack[ConversationChange],
    ) -> ConversationView:
        """Change the title of a conversation.

        The messages of a conversation never change.

        Needs an API key of scope `full` or `chat`.
        """
        return await self._read(
            ConversationView,
            make_call(
                "PATCH",
                "/api/v1/conversations/{}",
                (conversation_id,),
                headers={"If-Match": if_match},
                body=body,
            ),
        )

    async def delete_conversation(
        self,
        conversation_id: int,
        /,
        *,
        if_match: str | None = None,
    ) -> None:
        """Delete a conversation with its messages.

        The events of the messages stay in the event log.

        Needs an API key of scope `full` or `chat`.
        """
        await self._finish(
            make_call(
                "DELETE",
                "/api/v1/conversations/{}",
                (conversation_id,),
                headers={"If-Match": if_match},
            ),
        )

    def list_messages(
        self,
        conversation_id: int,
        /,
        *,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        sort: Sort | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        fields: str | None = None,
    ) -> AsyncPages[ChatMessageView]:
        """List the messages of a conversation, the newest first.

        Questions have the role `user`, and answers the role `assistant`.

        Needs an API key of scope `full` or `read` or `chat`.

        Args:
            since: Only what was made at this instant or later.
            until: Only what was made before this instant.
            sort: The order: `-created_at`, the newest first, or `created_at`.
            limit: The largest number of items in the page.
            cursor: The `next` of the previous page; absent for the first.
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            ChatMessageView,
            make_call(
                "GET",
                "/api/v1/conversations/{}/messages",
                (conversation_id,),
                query={
                    "since": since,
                    "until": until,
                    "sort": sort,
                    "limit": limit,
                    "fields": fields,
                },
            ),
            cursor,
        )
