"""Tool calling by JSON, for models without native tool calling.

The prompt lists the tools, and a JSON schema lets the model answer either with a tool call or
with text. One answer holds one call at most.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import orjson
from pydantic import ConfigDict, JsonValue, ValidationError
from pydantic_core import to_json

from biont import JsonObject, Schema
from biont.exceptions import InvalidAnswer
from biont.llm import Answer, Message, ResponseFormat, ToolCall, ToolDefinition
from biont.store import dump_json

_INSTRUCTIONS = (
    "You can use tools. Answer with one JSON object and nothing else: to use a tool, "
    '{"tool": its name, "arguments": {...}}; when you need no more tools, '
    '{"answer": your answer}. The tools are:'
)
_NEITHER = "the model {!r} was asked for a tool or an answer, and gave neither"


class _ToolOrAnswer(Schema):
    model_config = ConfigDict(extra="forbid")

    tool: str | None = None
    arguments: dict[str, JsonValue] | None = None
    answer: str | None = None


def explain_tools(messages: Sequence[Message], tools: Sequence[ToolDefinition]) -> list[Message]:
    """Return the messages with the tools explained in the system message."""
    listing = "\n".join(
        f"- {tool.name}: {tool.description} Arguments: {dump_json(tool.parameters)}"
        for tool in tools
    )
    names = {call.id: call.name for message in messages for call in message.tool_calls}
    plain = [_to_plain_message(message, names) for message in messages]
    # One system message in front, because some chat templates accept no other.
    head = "\n".join(message.content for message in plain if message.role == "system")
    system = Message("system", f"{head}\n\n{_INSTRUCTIONS}\n{listing}".strip())
    return [system, *(message for message in plain if message.role != "system")]


def make_response_format(tools: Sequence[ToolDefinition]) -> ResponseFormat:
    """Return the JSON schema of an answer that calls one of the tools or is final."""
    choices: list[JsonValue] = [_make_object_schema({"answer": {"type": "string"}})]
    choices += [
        _make_object_schema(
            {"tool": {"const": tool.name}, "arguments": cast("JsonValue", tool.parameters)}
        )
        for tool in tools
    ]
    return ResponseFormat("tool_or_answer", {"anyOf": choices})


def read_answer(answer: Answer, number: int) -> Answer:
    """Return an answer whose JSON text is parsed into a tool call or a final text.

    Args:
        answer: the answer of the model.
        number: the number of the round, which makes the id of the call unique.

    Raises:
        InvalidAnswer: the text does not match the schema of `make_response_format`.
    """
    try:
        parsed = _ToolOrAnswer.model_validate_json(answer.text)
    except ValidationError as error:
        raise InvalidAnswer(_NEITHER.format(answer.model)) from error
    if parsed.tool is not None:
        # Not `dump_json`: orjson refuses integers above 64 bits, which a model may write.
        arguments = to_json(parsed.arguments or {}).decode()
        call = ToolCall(f"call-{number}", parsed.tool, arguments)
        return replace(answer, text="", tool_calls=(call,))
    if not parsed.answer:
        raise InvalidAnswer(_NEITHER.format(answer.model))
    return replace(answer, text=parsed.answer, tool_calls=())


def _to_plain_message(message: Message, names: dict[str, str]) -> Message:
    """Return a message without native tool calling: calls and results become text."""
    if message.role == "tool":
        name = names.get(message.tool_call_id or "", "")
        return Message("user", f"The tool {name} has given back: {message.content}")
    if message.tool_calls:
        # The only call, because an answer in JSON holds one.
        call = message.tool_calls[0]
        document = {"tool": call.name, "arguments": _parse_json_or_text(call.arguments)}
        return Message("assistant", dump_json(document))
    return message


def _parse_json_or_text(text: str) -> JsonValue:
    """Return `text` parsed as JSON, or `text` itself if it is not JSON."""
    try:
        return cast("JsonValue", orjson.loads(text))
    except orjson.JSONDecodeError:
        return text


def _make_object_schema(properties: JsonObject) -> JsonValue:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }
