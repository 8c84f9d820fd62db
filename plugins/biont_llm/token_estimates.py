"""Token estimates, for servers that do not report usage and for reservations."""

from __future__ import annotations

from collections.abc import Iterable

from biont.llm import ChatRequest, Message, TokenUsage, ToolCall
from biont.store import dump_json

BYTES_PER_TOKEN = 4
"""Bytes of UTF-8 in a token: a little more in English, fewer in most other languages."""

TOKENS_PER_MESSAGE = 4
"""Tokens of a message beside its text, such as its role and its separators."""


def estimate_tokens(text: str) -> int:
    """Return the estimated tokens of a text: a token for each four bytes of UTF-8, rounded up."""
    return -(-len(text.encode(errors="replace")) // BYTES_PER_TOKEN)


def estimate_prompt(messages: Iterable[Message]) -> int:
    """Return the estimated tokens of messages: texts, tool calls, and four for each message."""
    return sum(
        TOKENS_PER_MESSAGE + estimate_tokens(message.content) + _estimate_calls(message.tool_calls)
        for message in messages
    )


def estimate_usage(request: ChatRequest, text: str, calls: Iterable[ToolCall]) -> TokenUsage:
    """Return the estimated usage of a call."""
    tools = sum(
        estimate_tokens(tool.name + tool.description + dump_json(tool.parameters))
        for tool in request.tools
    )
    return TokenUsage(
        prompt_tokens=estimate_prompt(request.messages) + tools,
        completion_tokens=estimate_tokens(text) + _estimate_calls(calls),
        estimated=True,
    )


def _estimate_calls(calls: Iterable[ToolCall]) -> int:
    return sum(estimate_tokens(call.name + call.arguments) for call in calls)
