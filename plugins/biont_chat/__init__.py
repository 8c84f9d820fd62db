"""Chat: stored conversations with language models, with full-text search."""

from biont_chat.tables import ChatMessage, Conversation

__all__ = ["ChatMessage", "Conversation"]
