"""Chat: conversations with language models, kept and found again."""

from biont_chat.tables import ChatMessage, Conversation

__all__ = ["ChatMessage", "Conversation"]
