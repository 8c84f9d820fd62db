"""A request as it stands in OpenAI's chat protocol."""

from __future__ import annotations

from dataclasses import dataclass

from biont.llm import ChatRequest, Message, ResponseFormat, ToolDefinition

Document = dict[str, object]


@dataclass(frozen=True)
class RequestDefaults:
    """What a request says where it leaves something open.

    Attributes:
        model: who is asked.
        max_tokens: how long the answer may get.
        temperature: how freely the model chooses its words; None leaves it to the server.
        limit_name: what the server calls `max_tokens`.
    """

    model: str
    max_tokens: int
    temperature: float | None = None
    limit_name: str = "max_tokens"


def make_request_body(
    request: ChatRequest, defaults: RequestDefaults, *, stream: bool
) -> Document:
    """Return the body of a request to ``/chat/completions``."""
    question: Document = {
        "model": request.model or defaults.model,
        "messages": [_write_message(message) for message in request.messages],
        defaults.limit_name: request.max_tokens or defaults.max_tokens,
    }
    temperature = defaults.temperature if request.temperature is None else request.temperature
    if temperature is not None:
        question["temperature"] = temperature
    if request.tools:
        question["tools"] = [_write_tool(tool) for tool in request.tools]
    if request.response_format is not None:
        question["response_format"] = _write_format(request.response_format)
    if stream:
        question |= {"stream": True, "stream_options": {"include_usage": True}}
    return question


def _write_message(message: Message) -> Document:
    turn: Document = {"role": message.role, "content": message.content}
    if message.tool_calls:
        turn["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in message.tool_calls
        ]
    if message.tool_call_id is not None:
        turn["tool_call_id"] = message.tool_call_id
    return turn


def _write_tool(tool: ToolDefinition) -> Document:
    return {
        "type": "function",
        "function": {
            "name": tool.name,
            "description": tool.description,
            "parameters": tool.parameters,
        },
    }


def _write_format(shape: ResponseFormat) -> Document:
    return {
        "type": "json_schema",
        "json_schema": {"name": shape.name, "schema": shape.schema, "strict": True},
    }
