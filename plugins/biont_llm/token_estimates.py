"""How many tokens a text has, where nobody has counted them."""

from __future__ import annotations

from collections.abc import Iterable

import orjson

from biont.llm import ChatRequest, Message, TokenUsage, ToolCall

BYTES_A_TOKEN = 4
"""English has a little more of them, most other languages fewer."""

TOKENS_A_MESSAGE = 4
"""What a model is told of a message beside its text."""


def estimate_tokens(text: str) -> int:
    """Return a token for each four bytes of UTF-8, rounded up."""
    return -(-len(text.encode(errors="replace")) // BYTES_A_TOKEN)


def estimate_prompt(messages: Iterable[Message]) -> int:
    """Return the tokens of messages: of their texts and tool calls, and four for each."""
    return sum(
        TOKENS_A_MESSAGE + estimate_tokens(message.content) + _estimate_calls(message.tool_calls)
        for message in messages
    )


def estimate_usage(request: ChatRequest, text: str, calls: Iterable[ToolCall]) -> TokenUsage:
    """Return what an answer has cost, marked as estimated."""
    tools = sum(
        estimate_tokens(tool.name + tool.description + orjson.dumps(tool.parameters).decode())
        for tool in request.tools
    )
    return TokenUsage(
        prompt_tokens=estimate_prompt(request.messages) + tools,
        completion_tokens=estimate_tokens(text) + _estimate_calls(calls),
        estimated=True,
    )


def _estimate_calls(calls: Iterable[ToolCall]) -> int:
    return sum(estimate_tokens(call.name + call.arguments) for call in calls)
