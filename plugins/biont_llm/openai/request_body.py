"""Request body of OpenAI's chat protocol."""

from __future__ import annotations

from dataclasses import dataclass

from biont.llm import ChatRequest, Message, ResponseFormat, ToolDefinition

Document = dict[str, object]


@dataclass(frozen=True)
class RequestDefaults:
    """Defaults for the values that a request leaves open.

    Attributes:
        model: name of the model.
        max_tokens: longest answer.
        temperature: randomness of the answer; None leaves the choice to the server.
        limit_name: the server's name of `max_tokens`.
    """

    model: str
    max_tokens: int
    temperature: float | None = None
    limit_name: str = "max_tokens"


def make_request_body(
    request: ChatRequest, defaults: RequestDefaults, *, stream: bool
) -> Document:
    """Return the body of a request to ``/chat/completions``."""
    body: Document = {
        "model": request.model or defaults.model,
        "messages": [_make_message(message) for message in request.messages],
        defaults.limit_name: request.max_tokens or defaults.max_tokens,
    }
    temperature = defaults.temperature if request.temperature is None else request.temperature
    if temperature is not None:
        body["temperature"] = temperature
    if request.tools:
        body["tools"] = [_make_tool(tool) for tool in request.tools]
    if request.response_format is not None:
        body["response_format"] = _make_response_format(request.response_format)
    if stream:
        # Without this option, servers report no usage of a streamed answer.
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    return body


def _make_message(message: Message) -> Document:
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


def _make_tool(tool: ToolDefinition) -> Document:
    return {
        "type": "function",
        "function": {
            "name": tool.name,
            "description": tool.description,
            "parameters": tool.parameters,
        },
    }


def _make_response_format(shape: ResponseFormat) -> Document:
    return {
        "type": "json_schema",
        "json_schema": {"name": shape.name, "schema": shape.schema, "strict": True},
    }
