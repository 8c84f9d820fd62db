"""Full-text search in messages (SQLite FTS5)."""

from __future__ import annotations

from dataclasses import dataclass

from biont.store import SnippetPart, execute_sql, quote_words, split_snippet

_SEARCH = (
    "SELECT conversations.id, conversations.title, chat_messages.id, chat_messages.role,"
    " snippet(chat_messages_text, 0, char(2), char(3), '…', 24) FROM chat_messages_text"
    " JOIN chat_messages ON chat_messages.id = chat_messages_text.rowid"
    " JOIN conversations ON conversations.id = chat_messages.conversation_id"
    " WHERE chat_messages_text MATCH ? AND conversations.user_id = ?"
    " ORDER BY bm25(chat_messages_text), chat_messages.id DESC LIMIT ? OFFSET ?"
)


@dataclass(frozen=True)
class ChatHit:
    """Message found by a search.

    Attributes:
        conversation_id: conversation of the message.
        title: title of the conversation.
        message_id: number of the message.
        role: author of the message.
        excerpt: text around the matches.
    """

    conversation_id: int
    title: str
    message_id: int
    role: str
    excerpt: list[SnippetPart]


def search_messages(user_id: int, query: str, *, limit: int, offset: int) -> list[ChatHit]:
    """Return the messages of a user that contain all words of `query`, the best first.

    The search ignores case and accents. ``plan*`` finds words with that beginning, and
    ``"to do"`` finds the words in a row.
    """
    found = execute_sql(_SEARCH, quote_words(query), user_id, limit, offset).fetchall()
    return [
        ChatHit(conversation_id, title, message_id, role, split_snippet(snippet))
        for conversation_id, title, message_id, role, snippet in found
    ]
